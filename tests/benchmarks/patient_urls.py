"""The product's addresses, and beside them the yardstick: a view with one question to the
database."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from clinic.models import Site
from config.urls import *  # noqa: F403
from config.urls import urlpatterns as ours


def floor(request: HttpRequest) -> HttpResponse:
    site = Site.objects.order_by("pk").first()
    return HttpResponse(site.name if site else "", content_type="text/plain")


urlpatterns = [path("floor/", floor), *ours]
