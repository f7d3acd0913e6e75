"""Addresses of the practice."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("clinic.urls")),
    path("account/", include("clinic.sign_in_urls")),
    path("clinic/", admin.site.urls),
    path("api/v1/", include("config.api")),
    path("", include("programs.urls")),
]
