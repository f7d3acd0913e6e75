"""The link in a mail that stops reminders by e-mail: one click in the mail program, or a page.

A mail program posts to it by itself when somebody presses its own "unsubscribe" (RFC 8058), so no
cookie, no session and no form of ours come with the call: the token is what proves it. Scanners of
mail open every link, so opening it changes nothing.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic.language import page_language
from clinic.messaging import links, stopping
from clinic.models.messaging import Channel

_FIELD, _VALUE = "List-Unsubscribe", "One-Click"


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_reminders(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and on POST stop: reminders by e-mail to the person this link was sent to."""
    message = links.message_for_stop(token)
    if message is None:
        # Wrong and too old look the same: nobody learns which tokens ever existed.
        return render(request, "portal/stop_mail_gone.html", status=404)
    translation.activate(page_language(message.text.language))
    if request.method != "POST":
        return render(request, "portal/stop_mail.html")
    if request.POST.get(_FIELD) != _VALUE:
        return render(request, "portal/stop_mail.html", status=400)
    stopping.stop(
        channel=Channel.EMAIL,
        address=message.address,
        subject=(message.subject_type, message.subject_id),
        reason="The person has stopped reminders by e-mail.",
        way="link",
        at=timezone.now(),
    )
    return render(request, "portal/stop_mail_done.html")
