"""Addresses of the API."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from programs import api

urlpatterns = [
    path("me/", api.MeView.as_view(), name="api_me"),
    path("today/", api.TodayView.as_view(), name="api_today"),
    path("sessions/", api.SessionsView.as_view(), name="api_sessions"),
    path("check-ins/", api.CheckInsView.as_view(), name="api_check_ins"),
    path("red-flags/", api.RedFlagsView.as_view(), name="api_red_flags"),
    path(
        "schema/",
        SpectacularAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[]),
        name="api_schema",
    ),
]
