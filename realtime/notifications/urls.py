"""Where notifications are found."""

from django.urls import path

from realtime.notifications import pages, views

API = "api/notifications"

urlpatterns = [
    path("notifications/", pages.NotificationsPage.as_view(), name="notifications"),
    path(API, views.NotificationsView.as_view(), name="api-notifications"),
    path(f"{API}/<int:notification_id>/read", views.ReadView.as_view(), name="api-read-one"),
    path(f"{API}/read-all", views.ReadAllView.as_view(), name="api-read-all"),
    path(f"{API}/preferences", views.PreferencesView.as_view(), name="api-preferences"),
]
