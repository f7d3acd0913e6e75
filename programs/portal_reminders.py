"""The patient's page “My reminders”: by which channel, on which days and at what hour."""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from clinic.messaging import outbox
from clinic.models import OutboxMessage, User
from clinic.models.messaging import Channel
from patients import weekdays
from patients.choosing import choose_reminders, send_here
from patients.consent_wordings import CURRENT, Wording, wording
from patients.consenting import OwnNo, own_no, start_messages, stop_messages
from patients.models import Consent, ContactPoint, Patient
from patients.models.consent import Way
from programs.form_errors import put_errors
from programs.portal_access import patient_required
from programs.portal_forms import ChoiceField
from programs.reminder_words import CARD_WORDS, CardWords
from programs.reminders import Upcoming, upcoming

_SENDS = {
    Channel.SMS: _("{day} at {time} by text message"),
    Channel.EMAIL: _("{day} at {time} by e-mail"),
}
_NUDGES = {
    Channel.SMS: _("{day} at {time} by text message, only if you have not started by then"),
    Channel.EMAIL: _("{day} at {time} by e-mail, only if you have not started by then"),
}
_AFTER_SILENCE = {
    Channel.SMS: _("{day} at {time} by text message, if we have not heard from you by then"),
    Channel.EMAIL: _("{day} at {time} by e-mail, if we have not heard from you by then"),
}
_BY_KIND = {
    OutboxMessage.Kind.SECOND_NUDGE: _NUDGES,
    OutboxMessage.Kind.SILENCE: _AFTER_SILENCE,
}
_GONE = _("This page has changed since you opened it. Please look at it again.")


class RemindersForm(forms.Form):
    """When reminders come by one channel, and to which address where there are several."""

    use_required_attribute = False

    reminder_time = forms.TimeField(
        label=_("At what time?"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={
            "required": _("Choose a time, such as 8:00."),
            "invalid": _("Write the time in hours and minutes, such as 8:00."),
        },
    )
    reminder_days = forms.TypedMultipleChoiceField(
        label=_("On which days?"),
        choices=WEEKDAYS.items(),
        coerce=int,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "sb-scale__input"}),
        error_messages={
            "required": _("Choose at least one day."),
            "invalid_choice": _("Choose days from Monday to Sunday."),
        },
    )
    second_nudge = forms.BooleanField(
        label=_("Remind me once more later in the day if I have not started"), required=False
    )

    def __init__(self, *args: Any, points: list[ContactPoint], masked: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.points = {str(point.pk): point for point in points}
        site = points[0].patient.site
        last = dt.datetime.combine(dt.date.min, site.quiet_end) - dt.timedelta(minutes=1)
        time = self.fields["reminder_time"]
        time.widget.attrs |= {"min": f"{site.quiet_start:%H:%M}", "max": f"{last:%H:%M}"}
        time.help_text = gettext("Between {first} and {last}.").format(
            first=f"{site.quiet_start:%-H:%M}", last=f"{site.quiet_end:%-H:%M}"
        )
        if len(points) > 1:
            self.fields["point"] = ChoiceField(
                label=_("Where to?"), choices=[(str(p.pk), address_of(p, masked)) for p in points]
            )

    @property
    def chosen(self) -> ContactPoint:
        """The address that was chosen, or the only one."""
        return self.points.get(self.cleaned_data.get("point", "")) or next(
            iter(self.points.values())
        )

    def keep(self, *, by: User | None, at: dt.datetime) -> bool:
        """Do what was chosen; False, with the errors in place, when it cannot be."""
        try:
            with transaction.atomic():
                point = self.chosen
                if len(self.points) > 1:
                    send_here(point=point, by=by, at=at)
                choose_reminders(
                    point=point,
                    time=self.cleaned_data["reminder_time"],
                    days=weekdays.mask_of(self.cleaned_data["reminder_days"]),
                    second_nudge=self.cleaned_data["second_nudge"],
                    by=by,
                    at=at,
                )
        except ValidationError as error:
            put_errors(self, error)
            return False
        return True


@dataclass
class Card:
    """One channel of one patient, as the page shows it. ``undelivered``: a carrier said that
    nothing arrives there. ``masked``: whoever looks has not signed in."""

    channel: Channel
    points: list[ContactPoint]
    consent: Consent | None
    no: OwnNo | None
    undelivered: bool
    masked: bool
    form: RemindersForm | None = field(default=None)
    problem: str = ""

    @property
    def words(self) -> CardWords:
        return CARD_WORDS[self.channel]

    @property
    def point(self) -> ContactPoint | None:
        """The address that is written to, or would be."""
        wanted = [point for point in self.points if point.reminders]
        return next(iter(wanted or self.points), None)

    @property
    def address(self) -> str:
        return address_of(self.point, self.masked) if self.point else ""

    @property
    def on(self) -> bool:
        return bool(
            self.point
            and self.point.reminders
            and self.consent
            and not self.no
            and not self.undelivered
        )

    @property
    def wording(self) -> Wording | None:
        """What a yes says: the one that stands, or the one that would be given now."""
        version = self.consent.wording_version if self.consent and self.on else CURRENT
        said = wording(self.channel, version)
        # The version says which text it was; the patient reads it in the patient's language.
        return said and replace(said, title=gettext(said.title), text=gettext(said.text))


def address_of(point: ContactPoint, masked: bool) -> str:
    """The address; ``masked``, only enough of it to know one's own by."""
    if not masked:
        return point.address
    if point.channel == Channel.SMS:
        return f"{point.address[:3]} … {point.address[-3:]}"
    name, _, house = point.address.partition("@")
    return f"{name[:1]}…@{house}"


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True)
def reminders(request: HttpRequest) -> HttpResponse:
    """Show the cards; a post says which of them it means (``channel``) and what it ``does``."""
    at = timezone.now()
    patient = request.patient
    masked = request.pass_only or request.carer is not None
    cards = [_card(patient, channel, masked) for channel in (Channel.SMS, Channel.EMAIL)]
    status = 200
    if request.method == "POST":
        meant = next((c for c in cards if c.channel == request.POST.get("channel")), None)
        if meant is not None and _do(request, meant, at):
            query = urlencode({"kept": meant.channel.value})
            return redirect(f"{reverse('portal_reminders')}?{query}#{meant.channel.value}")
        status = 400
        if meant is None:
            cards[0].problem = _GONE
    today = patient.local_date(at)
    for card in cards:
        if card.on and card.form is None:
            card.form = _form(card)
    return render(
        request,
        "portal/reminders.html",
        {
            "cards": cards,
            "kept": request.GET.get("kept", "") if request.method != "POST" else "",
            "wrong": status == 400,
            "sends": [in_words(send, today) for send in upcoming(patient=patient, at=at, count=3)],
        },
        status=status,
    )


def in_words(send: Upcoming, today: dt.date) -> str:
    """Such as "tomorrow at 8:00 by text message"; ``today`` is the patient's."""
    days = {today: gettext("today"), today + dt.timedelta(days=1): gettext("tomorrow")}
    day = days.get(send.local.date()) or date_format(send.local, "LONG_DAY_FORMAT")
    sentences = _BY_KIND.get(OutboxMessage.Kind(send.kind), _SENDS)
    said = str(sentences[Channel(send.channel)])
    return said.format(day=day, time=f"{send.local:%-H:%M}")


def _card(patient: Patient, channel: Channel, masked: bool) -> Card:
    points = list(patient.contact_points.filter(channel=channel).select_related("patient__site"))
    card = Card(
        channel=channel,
        points=points,
        consent=patient.consents.active().filter(purpose=channel).first(),
        no=own_no(patient=patient, channel=channel),
        undelivered=False,
        masked=masked,
    )
    if card.point is not None and card.no is None:
        card.undelivered = bool(outbox.suppressed_addresses([(channel, card.point.address)]))
    return card


def _form(card: Card, data: Any = None) -> RemindersForm:
    point = card.point
    return RemindersForm(
        data,
        points=card.points,
        masked=card.masked,
        prefix=card.channel.value,
        initial={
            "reminder_time": point.reminder_time,
            "reminder_days": weekdays.weekdays_of(point.reminder_days),
            "second_nudge": point.second_nudge,
            "point": str(point.pk),
        },
    )


def _do(request: HttpRequest, card: Card, at: dt.datetime) -> bool:
    """Change what was asked for; False when it could not be, with the reason on the card."""
    by = None if request.pass_only else request.user
    said: dict[str, Any] = {
        "patient": request.patient,
        "channel": card.channel,
        "way": Way.LINK if by is None else Way.WEB,
        "by": by,
        "at": at,
    }
    does = request.POST.get("does")
    if request.carer is not None and does in ("stop", "start"):
        # Yes and no to messages are the patient's own words.
        card.problem = gettext("Only the patient turns messages on or off.")
        return False
    if does == "save" and card.on:
        card.form = _form(card, request.POST)
        return card.form.is_valid() and card.form.keep(by=by, at=at)
    if does == "stop":
        stop_messages(**said)
        return True
    if does == "start" and card.point is not None:
        with transaction.atomic():
            if not card.point.reminders:
                send_here(point=card.point, by=by, at=at)
            start_messages(**said)
        return True
    card.problem = _GONE
    return False
