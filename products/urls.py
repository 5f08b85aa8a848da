"""Where products are found."""

from django.urls import path

from products import pages, views

PRODUCT = "api/products/<int:product_id>"

urlpatterns = [
    path("", pages.CataloguePage.as_view(), name="catalogue"),
    path("products/<int:product_id>", pages.ProductPage.as_view(), name="product"),
    path("availability/", pages.BoardPage.as_view(), name="availability"),
    path("api/products", views.ProductsView.as_view(), name="api-products"),
    path(PRODUCT, views.ProductView.as_view(), name="api-product"),
    path(f"{PRODUCT}/stock", views.StockView.as_view(), name="api-product-stock"),
    path(f"{PRODUCT}/image", views.ImageView.as_view(), name="api-product-image"),
]
