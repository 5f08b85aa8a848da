"""Addresses of the event path under plain HTTP."""

from django.urls import include, path

from realtime import metrics, views

urlpatterns = [
    path("", include("realtime.notifications.urls")),
    path("api/webhook/events", views.StreamView.as_view(), name="webhook-events"),
    path("api/events", views.StreamView.as_view(), name="events"),
    path("api/webhook/stats", views.StatsView.as_view(), name="stats"),
    path("api/asyncapi.json", views.AsyncApiView.as_view(), name="asyncapi"),
    path("metrics", metrics.MetricsView.as_view(), name="metrics"),
    path("health", views.health, name="health"),
    path("health/live", views.health_live, name="health-live"),
    path("health/ready", views.health_ready, name="health-ready"),
]
