"""The page of absences: who is away, who stands in, and how alerts reach somebody."""

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from clinic import absences as away
from clinic.admin import sites_of
from clinic.models import Absence, User
from clinic.quiet_hours import local_moment
from clinic.roles import May, may
from clinic.teams import ANSWERING
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
            "running": list(found.around(at)),
            "to_come": list(found.to_come(at).filter(begins_at__gt=at)),
            "over": list(found.kept().filter(ends_at__lte=at).order_by("-ends_at")[:_OVER_SHOWN]),
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


def _entered(request: HttpRequest, form: AbsenceForm) -> bool:
    said, zone = form.cleaned_data, timezone.get_current_timezone()
    last = said["last_day"]
    begins = _moment(said["first_day"], said["from_time"] or dt.time(), zone)
    ends = (
        _moment(last, said["until_time"], zone)
        if said["until_time"]
        else _moment(last + dt.timedelta(days=1), dt.time(), zone)
    )
    try:
        absence = away.enter_absence(
            user=said["user"],
            begins_at=begins,
            ends_at=ends,
            cover=said["cover"],
            reason=said["reason"],
            by=request.user,
            at=timezone.now(),
        )
    except ValidationError as error:
        put_errors(form, error, also={"begins_at": "first_day", "ends_at": "last_day"})
        return False
    cover = absence.cover.name if absence.cover else "The managers"
    messages.success(request, f"Entered. {cover} answers for {absence.user.name} in this time.")
    return True


def _kept_reach(request: HttpRequest, form: ReachForm) -> bool:
    try:
        away.set_reach(user=request.user, by=request.user, at=timezone.now(), **form.cleaned_data)
    except ValidationError as error:
        put_errors(form, error)
        return False
    messages.success(request, "Kept.")
    return True


def _moment(day: dt.date, time: dt.time, zone: Any) -> dt.datetime:
    return local_moment(day, time, zoneinfo.ZoneInfo(str(zone)))


def _visible(user: User) -> QuerySet[Absence]:
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
