"""Addresses of the practice."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("account/", include("clinic.sign_in_urls")),
    path("clinic/", admin.site.urls),
    path("", include("clinic.urls")),
    path("", include("programs.urls")),
]
