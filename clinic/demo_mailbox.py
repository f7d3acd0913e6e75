"""The demo's phone and mailbox: every message as the person who gets it would see it."""

import base64
import functools
import hashlib
import itertools
import re
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.models import DemoDelivery
from clinic.models.messaging import Channel

_MAILS, _TEXTS = 50, 100
# A sign-in code stands alone on its line.
_CODE = re.compile(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", re.MULTILINE)
# The HTML of a mail has its style inside. It gets a page without scripts, pictures or origin, and
# of styles only the sheets that stood in the mail, each known by its hash.
_MAIL_POLICY = (
    "default-src 'none'; style-src %s; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)


def _demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Anybody may look, so the page is there only where no message is real."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, **arguments) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, **arguments)

    return never_cache(require_safe(wrapped))


@_demo_only
def messages(request: HttpRequest) -> HttpResponse:
    """All messages, newest first; ``?mail=`` opens one mail, otherwise the newest is open."""
    mails = list(DemoDelivery.objects.filter(channel=Channel.EMAIL)[:_MAILS])
    for mail in mails:
        found = _CODE.search(mail.text)
        mail.code = found.group(1) if found else ""
    wanted = request.GET.get("mail", "")
    opened = next((mail for mail in mails if str(mail.pk) == wanted), None)
    if wanted and opened is None:
        raise Http404
    context = {
        "mails": mails,
        "opened": opened or (mails[0] if mails else None),
        "chosen": opened is not None,
        "phones": _phones(),
    }
    return render(request, "portal/demo_messages.html", context)


@_demo_only
def html(request: HttpRequest, number: int) -> HttpResponse:
    """The HTML part of one mail, as a page by itself."""
    mail = get_object_or_404(DemoDelivery.objects.exclude(html=""), pk=number)
    # A browser reads every line end as this one before it takes the hash.
    page = mail.html.replace("\r\n", "\n").replace("\r", "\n")
    response = HttpResponse(page)
    response["Content-Security-Policy"] = _MAIL_POLICY % _hashes_of_styles(page)
    return response


def _hashes_of_styles(page: str) -> str:
    hashes = {
        base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
        for sheet in _STYLE.findall(page)
    }
    return " ".join(f"'sha256-{one}'" for one in sorted(hashes)) or "'none'"


def _phones() -> list[tuple[str, list[DemoDelivery]]]:
    """Texts by number; the number written to last comes first."""
    texts = list(DemoDelivery.objects.filter(channel=Channel.SMS)[:_TEXTS])
    order = {text.address: place for place, text in reversed(list(enumerate(texts)))}
    texts.sort(key=lambda text: order[text.address])
    return [
        (number, list(of_number))
        for number, of_number in itertools.groupby(texts, key=lambda text: text.address)
    ]
