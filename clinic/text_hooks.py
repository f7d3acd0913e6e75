"""Where carriers bring the text messages that people send to the practice.

Signed, or nothing is read. A carrier that gets no yes comes again, and then changes nothing.
"""

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clinic.messaging import incoming
from clinic.messaging.signatures import body_signed, twilio_signed

_LARGEST = 64 * 1024
# Said in place of a picture: it is not fetched, and nobody should wait for it to be looked at.
_PICTURE = "[A picture or file came with this text. It was not kept.]"


@csrf_exempt
@require_POST
def twilio(request: HttpRequest) -> HttpResponse:
    """https://www.twilio.com/docs/messaging/guides/webhook-request

    The answer to Twilio is empty; ours goes through the outbox, so that its fate is known.
    """
    if _too_large(request):
        return HttpResponse("Too large.", status=413)
    if not twilio_signed(request):
        return HttpResponseForbidden("The signature is not Twilio’s.")
    said = request.POST
    reference, address = said.get("MessageSid") or said.get("SmsSid"), said.get("From")
    if not reference or not address:
        return HttpResponseBadRequest("MessageSid and From are needed.")
    words = said.get("Body", "")
    if said.get("NumMedia", "0") not in ("", "0"):
        words = f"{words}\n{_PICTURE}".strip()
    incoming.receive(
        carrier="twilio",
        reference=_short(reference),
        address=_short(address),
        words=words,
        # Advanced Opt-Out has understood, and answered, these itself.
        told=said.get("OptOutType", "").upper(),
        at=timezone.now(),
    )
    return HttpResponse("<Response/>", content_type="text/xml")


@csrf_exempt
@require_POST
def plain(request: HttpRequest) -> HttpResponse:
    """The plain HTTP carrier: a form or a JSON object with the fields that SMS_HTTP_IN_… name."""
    if _too_large(request):
        return HttpResponse("Too large.", status=413)
    if not body_signed(request):
        return HttpResponseForbidden("The signature is missing or wrong.")
    said = _fields(request)
    reference = _short(said.get(settings.SMS_HTTP_IN_REFERENCE))
    address = _short(said.get(settings.SMS_HTTP_IN_FROM))
    if not reference or not address:
        return HttpResponseBadRequest(
            f"{settings.SMS_HTTP_IN_REFERENCE} and {settings.SMS_HTTP_IN_FROM} are needed."
        )
    words = _text(said.get(settings.SMS_HTTP_IN_TEXT))
    incoming.receive(
        carrier="http", reference=reference, address=address, words=words, at=timezone.now()
    )
    return HttpResponse("OK", content_type="text/plain")


def _fields(request: HttpRequest) -> dict[str, object]:
    if request.content_type != "application/json":
        return dict(request.POST.items())
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _too_large(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not length.isdecimal() or int(length) > _LARGEST


def _short(value: object) -> str:
    return _text(value)[:200]


def _text(value: object) -> str:
    """As text a database can keep."""
    if not isinstance(value, str | int):
        return ""
    return str(value).replace("\0", "").encode("utf-8", "replace").decode("utf-8")
