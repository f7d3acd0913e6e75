"""The pages of alerts: what waits for whom, and one alert from being raised to its outcome."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from clinic import alerts as alerting
from clinic.admin import sites_of
from clinic.audit import record_access
from clinic.models import AccessRecord, Alert, User
from clinic.roles import May, may
from clinic.teams import teams_of
from patients.models import Patient
from programs.clinician.alert_lines import (
    history_of,
    left_behind,
    lines_of,
    next_words,
    patients_of,
    time_left,
)
from programs.clinician.fields import PortalForm, reason_field
from programs.clinician.opening import portal
from programs.form_errors import put_errors

PAGE_SIZE = 60


class CloseForm(PortalForm):
    kind = forms.ChoiceField(
        label="What was done",
        choices=Alert.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what was done."},
    )
    words = forms.CharField(
        label="In words",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed where nothing was done, or something else. Patients do not see it.",
    )


class ReassignForm(PortalForm):
    to = forms.ModelChoiceField(
        label="To",
        queryset=User.objects.none(),
        error_messages={"required": "Choose who shall answer it."},
    )
    reason = reason_field("Why", required="Say why somebody else shall answer it.")

    def __init__(self, *args: Any, alert: Alert, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = teams_of({alert.site_id}, at=timezone.now())[alert.site_id]
        self.fields["to"].queryset = User.objects.filter(
            pk__in=team.working - {alert.owner_id}
        ).order_by("name")


def waiting_for(user: User) -> int:
    """How many alerts that nobody has seen wait for this person: the number in the head."""
    # On every page of the portal: by hand, since putting it together took longer than the answer.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM clinic_alert WHERE acknowledged_at IS NULL AND on_duty_id = %s",
            [user.pk],
        )
        return cursor.fetchone()[0]


# --- the list --------------------------------------------------------------------------------


def alerts_page(request: HttpRequest) -> HttpResponse:
    """What has no outcome yet, by due time; GET: scope (mine or site), state (open or closed)."""
    at, user = timezone.now(), request.user
    mine = request.GET.get("scope", "mine" if user.is_clinician else "site") == "mine"
    closed = request.GET.get("state") == "closed"
    sites = sites_of(user)
    found = Alert.objects.at_sites(sites).select_related(
        "owner", "on_duty", "site", "acknowledged_by", "resolved_by"
    )
    found = found.filter(on_duty=user) if mine else found
    if closed:
        found = found.filter(resolved_at__isnull=False).order_by("-resolved_at")
    else:
        # What is to be seen stands first, on however many pages.
        unseen_first = F("acknowledged_at").asc(nulls_first=True)
        found = found.unresolved().order_by(unseen_first, "due_at", "pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    lines = lines_of(list(page.object_list), user=user, at=at)
    record_access(
        actor=user,
        action=AccessRecord.Action.READ,
        subject_type="caseload",
        subject_id="alerts",
        page="alerts",
        at=at,
    )
    scope = "mine" if mine else "site"
    return portal.page(
        request,
        "admin/portal/alerts.html",
        {
            "title": "Alerts",
            "at": at,
            "scope": scope,
            "closed": closed,
            "page": page,
            "page_query": f"?scope={scope}" + ("&state=closed" if closed else ""),
            "groups": [
                (
                    "Nobody has seen it yet",
                    [line for line in lines if not line.alert.is_seen and not line.before],
                ),
                ("Given on, to be seen once more", [line for line in lines if line.before]),
                ("Seen, outcome to come", [line for line in lines if line.alert.is_seen]),
            ]
            if not closed
            else [("Closed", lines)],
            "nobody": Alert.objects.open().at_sites(sites).filter(on_duty=None).count()
            if may(user, May.MANAGE)
            else 0,
            "left": left_behind(user=user, sites=sites.values_list("pk", flat=True))
            if may(user, May.MANAGE)
            else [],
        },
    )


# --- one ---------------------------------------------------------------------------------------


def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything about one alert, and what can be done about it."""
    return _one(request, *_open(request, pk))


@require_POST
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    found, _ = _open(request, pk)
    kept = alerting.acknowledge(alert=found, by=request.user, at=timezone.now())
    if kept.acknowledged_by_id == request.user.pk:
        messages.success(request, "Noted: you have seen it. Nobody is told again.")
    elif kept.acknowledged_by is not None:
        messages.info(request, f"{kept.acknowledged_by.name} was first and has it in hand.")
    return redirect(_back(request, found))


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    found, patient = _open(request, pk)
    form = CloseForm(request.POST)
    if form.is_valid():
        at = timezone.now()
        try:
            kept = alerting.resolve(alert=found, by=request.user, at=at, **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            if kept.resolved_by is not None and (kept.resolved_by, kept.resolved_at) != (
                request.user,
                at,
            ):
                messages.info(request, f"{kept.resolved_by.name} closed it before you.")
            else:
                messages.success(request, "Closed, with its outcome.")
            return redirect(_address(found))
    return _one(request, found, patient, close_form=form)


@require_POST
def reassign(request: HttpRequest, pk: int) -> HttpResponse:
    found, patient = _open(request, pk)
    form = ReassignForm(request.POST, alert=found)
    if form.is_valid():
        try:
            kept = alerting.reassign(
                alert=found, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, f"{kept.owner.name} answers it now.")
            return redirect(_address(found))
    return _one(request, found, patient, reassign_form=form)


def _one(
    request: HttpRequest, found: Alert, patient: Patient | None, **shown: forms.Form
) -> HttpResponse:
    at = timezone.now()
    wrong = any(form.errors for form in shown.values())
    return portal.page(
        request,
        "admin/portal/alert.html",
        {
            "title": f"Alert: {patient.name}" if patient else "Alert",
            "alert": found,
            "patient": patient,
            "at": at,
            "left": time_left(found, at),
            "late": not found.is_seen and found.due_at < at,
            "next_told": next_words(found),
            "history": history_of(found),
            "close_form": shown.get("close_form") or CloseForm(),
            "reassign_form": shown.get("reassign_form") or ReassignForm(alert=found),
            "reassigning": "reassign_form" in shown,
            "stopped": patient is not None and patient.red_flags.open().exists(),
        },
        status=400 if wrong else 200,
    )


def _open(request: HttpRequest, pk: int) -> tuple[Alert, Patient | None]:
    """The alert, if it is of one's sites, with its patient; the look is written down."""
    found = (
        Alert.objects.at_sites(sites_of(request.user))
        .select_related("owner", "on_duty", "site", "acknowledged_by", "resolved_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    patient = patients_of([found], user=request.user).get(found.subject_id)
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type=found.subject_type,
        subject_id=found.subject_id,
        page="alert",
        at=timezone.now(),
    )
    return found, patient


def _address(found: Alert) -> str:
    return reverse("admin:alert", args=[found.pk])


def _back(request: HttpRequest, found: Alert) -> str:
    """Where the button stood, if it was one of our own pages."""
    wanted = request.POST.get("back", "")
    if wanted.startswith("/clinic/") and url_has_allowed_host_and_scheme(wanted, None):
        return wanted
    return _address(found)
