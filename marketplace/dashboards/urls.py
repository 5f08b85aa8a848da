"""Where the dashboards are found."""

from django.urls import path

from marketplace.dashboards import views

urlpatterns = [
    path("seller/", views.SellerDashboard.as_view(), name="seller-dashboard"),
    path("buyer/", views.BuyerDashboard.as_view(), name="buyer-dashboard"),
    path("operations/", views.OperationsPage.as_view(), name="operations"),
]
