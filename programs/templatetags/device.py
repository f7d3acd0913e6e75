"""What a page tells the device it is shown on."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html

from programs.device import Device, device_of
from programs.offline import ADVICE
from programs.portal_access import WHOSE, account_of

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


@register.simple_tag(takes_context=True)
def whose(context: Context) -> str:
    """The hidden field of a form that says whose page it stands on."""
    request: HttpRequest = context["request"]
    return format_html('<input type="hidden" name="{}" value="{}">', WHOSE, account_of(request))
