"""The page of absences: who is away, who stands in, and how alerts reach somebody."""

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinic import absence_words
from clinic import absences as away
from clinic.admin import sites_of
from clinic.models import Absence, User
from clinic.models.absence import AbsenceQuerySet
from clinic.quiet_hours import local_moment
from clinic.roles import May, may
from clinic.standing_in import answering
from clinic.teams import ANSWERING
from patients.models import Appointment
from programs.clinician.fields import PortalForm, date_field, time_field
from programs.clinician.opening import portal
from programs.form_errors import put_errors

_OVER_SHOWN = 20
# Beyond it no calendar can count on.
_LAST_YEAR = 2400


class AbsenceForm(PortalForm):
    user = forms.ModelChoiceField(label="Who", queryset=User.objects.none(), empty_label=None)
    first_day = date_field("First day")
    from_time = time_field("From", required=False, help_text="Empty: the whole day.")
    last_day = date_field("Last day")
    until_time = time_field("Until", required=False, help_text="Empty: to the end of the day.")
    cover = forms.ModelChoiceField(
        label="Who stands in",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody: the managers are told",
    )
    reason = forms.CharField(
        label="Reason (optional)",
        max_length=200,
        required=False,
        help_text="Colleagues of your sites read it.",
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = people_of(by) if may(by, May.MANAGE) else _only(by)
        self.fields["cover"].queryset = colleagues_of(by)
        self.initial.setdefault("user", by.pk)
        if by.usual_cover_id:
            self.initial.setdefault("cover", by.usual_cover_id)

    def clean_last_day(self) -> dt.date:
        last: dt.date = self.cleaned_data["last_day"]
        if last.year > _LAST_YEAR:
            raise ValidationError("Last day: choose a nearer day.")
        return last


class ReachForm(PortalForm):
    mobile = forms.CharField(
        label="Mobile number for alerts",
        max_length=24,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "dir": "ltr"}),
        help_text="With its country code, such as +447700900123. Empty: alerts come by mail only.",
    )
    usual_cover = forms.ModelChoiceField(
        label="Who usually stands in for you",
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody",
        help_text="Told too when you have not opened an alert after half of its time.",
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["usual_cover"].queryset = away.possible_covers(by)
        self.initial |= {"mobile": by.mobile, "usual_cover": by.usual_cover_id}


@dataclass(frozen=True)
class Line:
    """One absence as the page shows it; ``answers`` says who answers in what is left of it."""

    absence: Absence
    when: str
    answers: str = ""


def absences_page(request: HttpRequest) -> HttpResponse:
    """Who is away now and soon; a post enters an absence or how alerts reach oneself."""
    at, user = timezone.now(), request.user
    form, reach = AbsenceForm(by=user), ReachForm(by=user)
    if request.method == "POST" and request.POST.get("does") == "reach":
        reach = ReachForm(request.POST, by=user)
        if reach.is_valid() and _kept_reach(request, reach):
            return redirect("admin:absences")
    elif request.method == "POST":
        form = AbsenceForm(request.POST, by=user)
        if form.is_valid() and _entered(request, form):
            return redirect("admin:absences")
    found = _visible(user).select_related("user", "cover", "entered_by")
    return portal.page(
        request,
        "admin/portal/absences.html",
        {
            "title": "Absences",
            "at": at,
            "form": form,
            "reach": reach,
            "answers": user.role in ANSWERING,
            "running": _lines(found.around(at), at),
            "to_come": _lines(found.to_come(at).filter(begins_at__gt=at), at),
            "over": _lines(
                found.kept().filter(ends_at__lte=at).order_by("-ends_at")[:_OVER_SHOWN], at
            ),
        },
        status=400 if form.errors or reach.errors else 200,
    )


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    found = _visible(request.user).select_related("user").filter(pk=pk).first()
    if found is None:
        raise Http404
    away.end_absence(absence=found, by=request.user, at=timezone.now())
    messages.success(request, f"{found.user.name} answers alerts again.")
    return redirect("admin:absences")


def _lines(found: Iterable[Absence], at: dt.datetime) -> list[Line]:
    rows, zone = list(found), _zone()
    answers = answering(rows, zone=zone, at=at)
    today = at.astimezone(zone).date()
    return [
        Line(
            row,
            absence_words.when(row.begins_at, row.ends_at, zone=zone, today=today),
            answers[row.pk].words if row.pk in answers else "",
        )
        for row in rows
    ]


def _entered(request: HttpRequest, form: AbsenceForm) -> bool:
    at, zone, said = timezone.now(), _zone(), form.cleaned_data
    last = said["last_day"]
    begins = local_moment(said["first_day"], said["from_time"] or dt.time(), zone)
    ends = (
        local_moment(last, said["until_time"], zone)
        if said["until_time"]
        else local_moment(last + dt.timedelta(days=1), dt.time(), zone)
    )
    try:
        absence = away.enter_absence(
            user=said["user"],
            begins_at=begins,
            ends_at=ends,
            cover=said["cover"],
            reason=said["reason"],
            by=request.user,
            at=at,
        )
    except ValidationError as error:
        put_errors(form, error, also={"begins_at": "first_day", "ends_at": "last_day"})
        return False
    _say_who_answers(request, absence, at)
    return True


def _say_who_answers(request: HttpRequest, absence: Absence, at: dt.datetime) -> None:
    # Those who counted on somebody who goes too read who answers for them now.
    leaning = _visible(request.user).between(absence.begins_at, absence.ends_at)
    rows = [absence, *leaning.filter(cover=absence.user).select_related("user", "cover")]
    answers = answering(rows, zone=_zone(), at=at)
    for row in rows:
        found, first = answers.get(row.pk), row.pk == absence.pk
        if found is None or (found.as_named and not first):
            continue
        say = messages.success if found.as_named else messages.warning
        entered = "Entered. " if first else ""
        say(request, f"{entered}While {row.user.name} is away: {found.words}.")
    booked = Appointment.objects.filter(
        physiotherapist=absence.user,
        status=Appointment.Status.PLANNED,
        starts_at__lt=absence.ends_at,
        ends_at__gt=max(absence.begins_at, at),
    ).count()
    if booked:
        are = "appointment stands" if booked == 1 else "appointments stand"
        messages.warning(
            request,
            f"{booked} {are} in this time. Move them or give them to a colleague in the agenda.",
        )


def _kept_reach(request: HttpRequest, form: ReachForm) -> bool:
    try:
        away.set_reach(user=request.user, by=request.user, at=timezone.now(), **form.cleaned_data)
    except ValidationError as error:
        put_errors(form, error)
        return False
    messages.success(request, "Kept.")
    return True


def _zone() -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(str(timezone.get_current_timezone()))


def _visible(user: User) -> AbsenceQuerySet:
    """Absences of everybody who works where one works, and one's own."""
    return Absence.objects.filter(Q(user__sites__in=sites_of(user)) | Q(user=user)).distinct()


def people_of(user: User) -> QuerySet[User]:
    """Everybody of one's sites who answers alerts."""
    found = User.objects.filter(is_active=True, role__in=ANSWERING)
    return found.filter(Q(sites__in=sites_of(user)) | Q(pk=user.pk)).distinct().order_by("name")


def colleagues_of(user: User) -> QuerySet[User]:
    return people_of(user) if may(user, May.MANAGE) else away.possible_covers(user)


def _only(user: User) -> QuerySet[User]:
    return User.objects.filter(pk=user.pk)
