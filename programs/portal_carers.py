"""The patient's page about the people who help, and the page of those who do."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.language import speak
from patients.caring import accept_invitation, invite_carer, is_too_old, remove_carer
from patients.models import Carer, Patient
from programs.form_errors import put_errors
from programs.portal import ASK
from programs.portal_access import HELPING, patient_required, visitor_of


class CarerForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(
        label=gettext_lazy("Name of this person"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    address = forms.CharField(
        label=gettext_lazy("Their e-mail address or mobile number"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("We write to them there and send them their own code."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


# --- the patient -------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required
def carers(request: HttpRequest) -> HttpResponse:
    """Who helps me: ask somebody, or end it (``does``). What is ended is closed at once."""
    at = timezone.now()
    standing = list(request.patient.carers.standing())
    form = CarerForm(request.POST if request.POST.get("does") == "invite" else None)
    if request.POST.get("does") == "remove":
        for carer in standing:
            if str(carer.pk) == request.POST.get("carer"):
                remove_carer(carer=carer, by=request.user, at=at)
        return _kept(request, "removed")
    if form.is_bound and form.is_valid():
        try:
            invite_carer(patient=request.patient, by=request.user, at=at, **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            return _kept(request, "invited")
    done = {
        "invited": _("We have written to this person. They see nothing before they say yes."),
        "removed": _("Done. This person can no longer see anything of you."),
    }
    context = {
        "carers": [{"carer": carer, "too_old": is_too_old(carer, at)} for carer in standing],
        "form": form,
        "done": done.get(request.GET.get("done", ""), ""),
    }
    status = 400 if form.errors else 200
    return render(request, "portal/carers.html", context, status=status)


def _kept(request: HttpRequest, what: str) -> HttpResponse:
    return redirect(f"{reverse('portal_carers')}?done={what}")


# --- the carer -----------------------------------------------------------------------------------


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def helping(request: HttpRequest) -> HttpResponse:
    """Whom I help and who asks me to: say yes, choose one, or end it."""
    at = timezone.now()
    standing = Carer.objects.standing().filter(user=request.user)
    mine = list(standing.exclude(patient__user__is_active=False).select_related("patient__site"))
    own = Patient.objects.filter(user=request.user).first()
    if own is not None:
        speak(request, own.language)
    problem = ""
    if request.method == "POST":
        meant = next((c for c in mine if str(c.pk) == request.POST.get("carer")), None)
        try:
            answer = _do(request, meant, own)
        except ValidationError as error:
            answer, problem = None, " ".join(error.messages)
        if answer is not None:
            return answer
        problem = problem or _("This page has changed since you opened it. Please look again.")
    # What a device keeps of somebody who was helped until now, it forgets on this page.
    request.has_no_page = visitor_of(request, at=at) is None
    context = {
        "helping": [carer for carer in mine if carer.accepted_at],
        "invited": [c for c in mine if not c.accepted_at and not is_too_old(c, at)],
        "own": own,
        "problem": problem,
    }
    return render(request, "portal/helping.html", context, status=400 if problem else 200)


def _do(request: HttpRequest, meant: Carer | None, own: Patient | None) -> HttpResponse | None:
    does, at = request.POST.get("does"), timezone.now()
    if does == "own" and own is not None:
        _turn_to(request, None)
        return redirect("portal_home")
    if meant is None:
        return None
    if does == "accept":
        accept_invitation(carer=meant, by=request.user, at=at)
    if does == "leave":
        remove_carer(carer=meant, by=request.user, at=at)
        _turn_to(request, None)
        return redirect("portal_helping")
    if does in ("accept", "help"):
        if meant.accepted_at is None and does == "help":
            return None
        _turn_to(request, meant)
        return redirect("portal_home")
    return None


def _turn_to(request: HttpRequest, carer: Carer | None) -> None:
    """Open another person's pages in this browser; what was begun for the last one is left."""
    request.session.pop(ASK, None)
    request.session[HELPING] = str(carer.pk) if carer else ""
