"""The address in a QR code on paper, and in a carer's invitation: it leads to the sign-in.

Whoever holds it learns an address in part and may have a code sent there; it opens nothing.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinic.language import speak
from clinic.messaging.links import behind_door
from clinic.models import User
from clinic.sign_in_pages import offer_codes
from patients.caring import is_too_old
from patients.models import Carer, SignInSheet
from programs.portal_access import private


@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest, token: str) -> HttpResponse:
    """Offer to send a code to the one person this address was made for."""
    user, language, invited = _meant(token)
    if user is None:
        # Wrong, replaced and ended look the same.
        return private(render(request, "portal/door_gone.html", status=404))
    if language:
        speak(request, language)
    onward = "/helping/" if invited else ""
    if request.user.is_authenticated:
        if request.user.pk == user.pk:
            return redirect(onward or "portal_home")
        return private(render(request, "portal/link_signed_in.html", status=409))
    page = offer_codes(request, user, template="portal/door.html", onward=onward, invited=invited)
    return private(page)


def _meant(token: str) -> tuple[User | None, str, bool]:
    """Who, in which language, and whether they are being asked to help somebody."""
    sheet_id = behind_door("sheet", token)
    if sheet_id is not None:
        in_force = SignInSheet.objects.filter(revoked_at__isnull=True).exclude(
            patient__user__is_active=False
        )
        sheet = in_force.select_related("patient__user").filter(pk=sheet_id).first()
        return (sheet.patient.user, sheet.patient.language, False) if sheet else (None, "", False)
    carer_id = behind_door("invitation", token)
    if carer_id is not None:
        standing = Carer.objects.standing().exclude(user__is_active=False)
        carer = standing.select_related("user", "patient").filter(pk=carer_id).first()
        if carer is not None and not is_too_old(carer, timezone.now()):
            return carer.user, carer.patient.language, True
    return None, "", False
