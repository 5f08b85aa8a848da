"""Addresses of this app: none so far."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
