"""Where carriers tell what became of a message.

Nobody signs in here and nothing is told: who calls is proved by a seal made with a secret that the
practice shares with its carrier, and the answer has no content. 403 for a call without the right
seal, 400 for one that makes no sense, 2xx for all others, also about a message that is not ours.
"""

import functools
import json
import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailWebhookValidationFailure,
)
from anymail.signals import AnymailTrackingEvent, tracking
from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, get_resolver
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from clinic.messaging import carrier_words, receipts
from clinic.messaging.signatures import body_signed, twilio_signed

log = logging.getLogger(__name__)

_ONE, _MANY = 64 * 1024, 2 * 1024 * 1024  # bytes: one word, and a service's batch of them
_TWILIO_SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
# The id of a mail that a service sent on as it was given to it.
_OUR_MESSAGE_ID = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")
_WHERE_A_BOUNCE_HAS_ITS_KIND = ("Type", "event", "type", "bounceType", "bounce_class")
_WHERE_MORE_IS = ("bounce", "data", "msys", "message_event")

# What reading a call that is not what it should be comes to.
_MAKES_NO_SENSE = (
    AnymailError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)
# Amazon sends its password only after it has been asked for it.
_ASKED = {"Amazon SES"}

View = Callable[..., HttpResponse]
_TAKEN, _NONSENSE, _NOT_THEIRS = 204, 400, 403


def _at_most(size: int) -> Callable[[View], View]:
    """Refuse a longer body before a byte of it is read."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            told = request.META.get("CONTENT_LENGTH") or "0"
            if not told.isdecimal() or int(told) > size:
                return HttpResponse(status=413)
            return view(request, *args, **kwargs)

        return limited

    return decorate


# --- texts -----------------------------------------------------------------------------------


@csrf_exempt
@never_cache
@require_POST
@_at_most(_ONE)
def twilio_status(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    """Twilio's word on one text.

    Source: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
    """
    if not twilio_signed(request):
        return HttpResponse(status=_NOT_THEIRS)
    reference = request.POST.get("MessageSid", "")
    said = carrier_words.of_twilio(
        request.POST.get("MessageStatus", ""), request.POST.get("ErrorCode", "")
    )
    if said is None or not _TWILIO_SID.fullmatch(reference) or not _is_code(said.code):
        return HttpResponse(status=_NONSENSE)
    receipts.record(
        message_id=message_id,
        event=said.event,
        code=said.code,
        reference=reference,
        carrier="twilio",
        at=timezone.now(),
    )
    return HttpResponse(status=_TAKEN)


@csrf_exempt
@never_cache
@require_POST
@_at_most(_ONE)
def plain_status(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    """The plain HTTP carrier's word on one text, as the settings describe it."""
    if not body_signed(request):
        return HttpResponse(status=_NOT_THEIRS)
    fields = _fields(request)
    if fields is None:
        return HttpResponse(status=_NONSENSE)
    said = carrier_words.of_plain(
        fields.get(settings.SMS_HTTP_STATUS_FIELD, ""),
        fields.get(settings.SMS_HTTP_STATUS_CODE, ""),
        settings.SMS_HTTP_STATUS_WORDS,
    )
    reference = fields.get(settings.SMS_HTTP_STATUS_REFERENCE, "")
    if said is None or not _is_plain(reference) or not _is_code(said.code):
        return HttpResponse(status=_NONSENSE)
    # The seal is over the body and not over the address: a body meant for another text stops here.
    if receipts.is_known_by_another(message_id=message_id, reference=reference):
        return HttpResponse(status=_NOT_THEIRS)
    receipts.record(
        message_id=message_id,
        event=said.event,
        code=said.code,
        reference=reference,
        carrier="http",
        at=timezone.now(),
    )
    return HttpResponse(status=_TAKEN)


def _fields(request: HttpRequest) -> dict[str, str] | None:
    """The call's fields as text, from JSON or a form."""
    if request.content_type != "application/json":
        return {name: str(value) for name, value in request.POST.items()}
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    return {name: str(value) for name, value in said.items() if isinstance(value, str | int)}


def _is_code(code: str) -> bool:
    return re.fullmatch(r"[\w.-]{0,20}", code, re.ASCII) is not None


def _is_plain(reference: str) -> bool:
    return len(reference) <= 200 and reference.isprintable()


# --- e-mail ----------------------------------------------------------------------------------


@csrf_exempt
@never_cache
@require_http_methods(["POST", "HEAD"])
@_at_most(_MANY)
def mail_status(request: HttpRequest, service: str) -> HttpResponse:
    """A mail service's words, read by django-anymail: ``service`` is the end of its own address,
    such as ``postmark/tracking/``.

    Where neither ANYMAIL_WEBHOOK_SECRET nor a seal of the service proves who calls, anymail lets
    everybody in with a warning; here nobody gets in.
    """
    view_class = _view_of(service)
    if request.method == "HEAD":
        # How some services look whether there is anything at the address they are given.
        return HttpResponse()
    try:
        view = view_class()
        if not view.basic_auth and view.warn_if_no_basic_auth:
            return HttpResponse(status=_NOT_THEIRS)
        if view.basic_auth and "Authorization" not in request.headers and view.esp_name in _ASKED:
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Basic"})
        view.run_validators(request)
    except (AnymailWebhookValidationFailure, AnymailConfigurationError, ImportError, Warning):
        return HttpResponse(status=_NOT_THEIRS)
    except _MAKES_NO_SENSE:
        return HttpResponse(status=_NONSENSE)
    try:
        events = view.parse_events(request)
    except (AnymailConfigurationError, *_MAKES_NO_SENSE) as error:
        log.warning("a call of %s makes no sense (%s)", view.esp_name, type(error).__name__)
        return HttpResponse(status=_NONSENSE)
    # Outside of any try: what goes wrong from here on is our fault, and they are to come again.
    for event in events:
        if isinstance(event, AnymailTrackingEvent):
            tracking.send(view_class, event=event, esp_name=view.esp_name)
    return HttpResponse()


def _view_of(service: str) -> type[AnymailBaseWebhookView]:
    try:
        found = get_resolver("anymail.urls").resolve(f"/{service}")
    except Resolver404:
        raise Http404 from None
    # What arrives by mail is not read here.
    if "inbound" in (found.url_name or ""):
        raise Http404
    return found.func.view_class


@receiver(tracking, dispatch_uid="clinic.mail_receipts")
def keep_mail_receipt(sender: Any, *, event: AnymailTrackingEvent, **kwargs: Any) -> None:
    """Keep what a mail service said of a mail of ours."""
    said = carrier_words.of_anymail(
        str(event.event_type),
        event.reject_reason,
        kind=_kind_of_bounce(event.esp_event),
        answer=str(event.mta_response or ""),
    )
    message_id = _message_of(event) if said else None
    if said is None or message_id is None:
        return
    reference = str(event.message_id or "")
    receipts.record(
        message_id=message_id,
        event=said.event,
        code=said.code,
        reference=reference if _is_plain(reference) else "",
        carrier=_mail_carrier(),
        at=timezone.now(),
    )


def _mail_carrier() -> str:
    """The name the gateway goes by that our mails leave through."""
    backend = settings.EMAIL_BACKEND.rpartition(".")[0]
    return "smtp" if backend == "django.core.mail.backends.smtp" else backend[-40:]


def _message_of(event: AnymailTrackingEvent) -> uuid.UUID | None:
    """By the id we gave the service with the mail, else by the Message-ID, else by its own id."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    try:
        return uuid.UUID(str(metadata.get("outbox", "")))
    except ValueError:
        pass
    reference = str(event.message_id or "")
    ours = _OUR_MESSAGE_ID.match(reference)
    if ours:
        return uuid.UUID(ours.group(1))
    if not reference or not _is_plain(reference):
        return None
    address = str(event.recipient or "")
    return receipts.message_of_mail(
        reference=reference,
        address=address if _is_plain(address) else "",
        at=timezone.now(),
    )


def _kind_of_bounce(said: Any) -> str:
    """The service's own word for how lasting a bounce is, wherever it keeps it."""
    if not isinstance(said, dict):
        return ""
    if said.get("hard_bounce") is False:
        return "soft"
    for name in _WHERE_A_BOUNCE_HAS_ITS_KIND:
        if carrier_words.is_soft(str(said.get(name, ""))):
            return str(said[name])
    return next((kind for name in _WHERE_MORE_IS if (kind := _kind_of_bounce(said.get(name)))), "")
