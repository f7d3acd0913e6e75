"""What a page tells the device it is shown on."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils import timezone

from programs.device import Device, device_of
from programs.offline import ADVICE

register = template.Library()


@register.simple_tag(takes_context=True)
def device(context: Context) -> dict[str, Any] | None:
    """``account``, ``patient`` and ``day`` for templates/portal/device.html; None for a page
    that is shown without a request."""
    request: HttpRequest | None = context.get("request")
    if request is None or not hasattr(request, "user"):
        return None
    found: Device | None = device_of(request)
    patient = getattr(request, "patient", None)
    return {
        "account": found.tag if found else "",
        "patient": patient,
        "date": patient.local_date(timezone.now()) if patient else None,
        "advice": ADVICE,
        "home": request.path_info == "/",
    }
