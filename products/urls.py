"""Where products are found."""

from django.urls import path

from products import views

PRODUCT = "api/products/<int:product_id>"

urlpatterns = [
    path("api/products", views.ProductsView.as_view(), name="api-products"),
    path(PRODUCT, views.ProductView.as_view(), name="api-product"),
    path(f"{PRODUCT}/stock", views.StockView.as_view(), name="api-product-stock"),
    path(f"{PRODUCT}/image", views.ImageView.as_view(), name="api-product-image"),
]
