"""Where orders are found."""

from django.urls import path

from orders import exports, pages, views

ORDER = "api/orders/<int:order_id>"

urlpatterns = [
    path("orders/<int:order_id>", pages.OrderPage.as_view(), name="order"),
    path("api/orders", views.OrdersView.as_view(), name="api-orders"),
    path(ORDER, views.OrderView.as_view(), name="api-order"),
    path(f"{ORDER}/transition", views.TransitionView.as_view(), name="api-order-transition"),
    path("api/exports/orders.csv", exports.OrdersExportView.as_view(), name="api-orders-export"),
]
