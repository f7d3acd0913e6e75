"""The link in a reminder: a page with one button. Looking at it changes nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from clinic.language import page_language
from clinic.messaging.links import message_for
from programs.models import Program
from programs.portal_access import give_pass, private


@require_http_methods(["GET", "HEAD", "POST"])
def reminder_link(request: HttpRequest, token: str) -> HttpResponse:
    """Open today's routine by a real click; mail scanners only ever see the button."""
    at = timezone.now()
    message = message_for(token, at)
    program = _program_of(message)
    if program is None or message.link_expires_at is None:
        # Wrong and expired look the same: nobody learns which tokens ever existed.
        return private(render(request, "portal/link_gone.html", status=404))
    # Without a trace in the session: mail scanners come here too.
    translation.activate(page_language(program.patient.language))
    if request.user.is_authenticated:
        if getattr(request.user, "patient", None) != program.patient:
            return private(render(request, "portal/link_signed_in.html", status=409))
        return redirect("portal_home")
    if request.method == "POST":
        give_pass(request, program=program, until=message.link_expires_at, at=at)
        return redirect("portal_home")
    return private(render(request, "portal/link.html", {"until": message.link_expires_at}))


def _program_of(message: object) -> Program | None:
    if message is None:
        return None
    running = Program.objects.running().select_related("patient")
    if message.subject_type == "program":
        return running.filter(pk=message.subject_id).first()
    if message.subject_type == "patient":
        return running.filter(patient=message.subject_id).first()
    return None
