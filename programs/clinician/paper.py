"""Entering a week that a patient kept on paper: one line for each day that is over."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from patients.late import LATE_DAYS
from patients.models import CheckIn
from programs.clinician.fields import PortalForm
from programs.clinician.opening import address_of, open_patient, portal
from programs.form_errors import put_errors
from programs.models import Program, Session
from programs.paper import PaperDay, enter_paper
from programs.today import program_for

YES_NO = [("", "–"), ("yes", "yes"), ("no", "no")]
SORE = [("", "–"), ("none", "no"), ("even", "both sides"), ("left", "left"), ("right", "right")]
# Field, head, and what it is: a number, a yes or no, or soreness.
AFTER = (
    ("pain_before", "Before", "number"),
    ("pain_during", "During", "number"),
    ("effort", "Effort", "number"),
    ("form_kept", "Form kept", "yes_no"),
    ("stiffer_after", "Stiffer", "yes_no"),
    ("neck_tension", "Neck tense", "yes_no"),
    ("soreness", "Sore", "sore"),
)
MORNING = (
    ("pain_this_morning", "Pain", "number"),
    ("usual_pain", "Usual", "number"),
    ("soreness", "Sore", "sore"),
)


class DayForm(PortalForm):
    """One line. Answers of the routine are all given or none, and so are those of the morning."""

    status = forms.ChoiceField(
        choices=[("", "–"), *Session.Status.choices], required=False, label="Routine"
    )
    skip_reason = forms.ChoiceField(
        choices=[("", "–"), *Session.SkipReason.choices], required=False, label="Why skipped"
    )

    def __init__(self, *args: Any, day: dt.date, known: str = "", **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"d{day:%Y%m%d}", **kwargs)
        self.day, self.known = day, known
        for group, asked in (("after", AFTER), ("morning", MORNING)):
            for name, head, kind in asked:
                self.fields[f"{group}_{name}"] = _field(kind, head)
        for name, field in self.fields.items():
            when = "the morning after " if name.startswith("morning") else ""
            label = f"{field.label}, {when}{day:%A %-d %B}"
            field.widget.attrs["aria-label"] = label
            field.label = label

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The fields with their heads, for a line of the table."""
        heads = ["Routine", "Why skipped", *(h for _n, h, _k in AFTER)]
        heads += [f"{h}, next morning" for _n, h, _k in MORNING]
        return [{"field": f, "head": h} for f, h in zip(self, heads, strict=True)]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        after, morning = self._given("after", AFTER), self._given("morning", MORNING)
        if (after or morning or said.get("skip_reason")) and not said.get("status"):
            self._say("status", "say what became of the routine.")
        for group, asked, words in (
            ("after", AFTER, "fill in all answers about the routine, or none."),
            ("morning", MORNING, "fill in all answers of the next morning, or none."),
        ):
            given = self._given(group, asked)
            if 0 < len(given) < len(asked):
                missing = next(n for n, _h, _k in asked if n not in given)
                self._say(f"{group}_{missing}", words)
        return said

    def _say(self, name: str, words: str) -> None:
        if name not in self.errors:
            self.add_error(name, f"{self.day:%A %-d %B}: {words}")

    def _given(self, group: str, asked: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
        found = {name: self.cleaned_data.get(f"{group}_{name}") for name, _h, _k in asked}
        return {name: value for name, value in found.items() if value not in (None, "")}

    def line(self) -> PaperDay | None:
        """What was written for this day; None for nothing."""
        said = self.cleaned_data
        if self.known or not said.get("status"):
            return None
        return PaperDay(
            day=self.day,
            status=said["status"],
            skip_reason=said["skip_reason"],
            after=_answers(self._given("after", AFTER)),
            morning=_answers(self._given("morning", MORNING)),
        )


def _field(kind: str, head: str) -> forms.Field:
    if kind == "number":
        widget = forms.NumberInput(attrs={"min": 0, "max": 10, "inputmode": "numeric"})
        wrong = dict.fromkeys(("invalid", "min_value", "max_value"), "Write a number from 0 to 10.")
        return forms.IntegerField(
            label=head,
            min_value=0,
            max_value=10,
            required=False,
            widget=widget,
            error_messages=wrong,
        )
    return forms.ChoiceField(
        label=head, choices=YES_NO if kind == "yes_no" else SORE, required=False
    )


def _answers(given: dict[str, Any]) -> dict[str, Any] | None:
    """Answers as the check-ins take them."""
    if not given:
        return None
    found = {
        name: value == "yes" if value in ("yes", "no") else value for name, value in given.items()
    }
    if found.get("soreness") in CheckIn.Side.values:
        found |= {"side": found["soreness"], "soreness": CheckIn.Soreness.ONE_SIDED}
    return found


class WeekForm(PortalForm):
    client_id = forms.UUIDField(widget=forms.HiddenInput)


def paper(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The week form; what was sent is kept whole or not at all."""
    patient, at = open_patient(request, pk, "paper"), timezone.now()
    program = program_for(patient)
    if program is None:
        messages.warning(request, "There is no program to enter a paper for.")
        return redirect(address_of(patient))
    sent = request.POST if request.method == "POST" else None
    form = WeekForm(sent, initial={"client_id": uuid.uuid4()})
    days = _days(program, patient.local_date(at), sent)
    if sent is not None:
        good = [form.is_valid(), *[day.is_valid() for day in days]]
        lines = [line for day in days if not day.errors and (line := day.line())]
        if all(good) and _kept(request, program, form, lines, at):
            return redirect(address_of(patient))
    wrong = [error for day in days for errors in day.errors.values() for error in errors]
    return portal.page(
        request,
        "admin/portal/paper.html",
        {
            "title": "Enter a paper week",
            "patient": patient,
            "form": form,
            "days": days,
            "all_known": all(day.known for day in days),
            "wrong": wrong,
            "after": AFTER,
            "morning": MORNING,
            "stopped": program.stands_still(),
        },
        status=400 if wrong or form.errors else 200,
    )


def _kept(
    request: HttpRequest,
    program: Program,
    form: WeekForm,
    lines: list[PaperDay],
    at: dt.datetime,
) -> bool:
    client_id: uuid.UUID = form.cleaned_data["client_id"]
    try:
        entered = enter_paper(
            program=program, days=lines, client_id=client_id, by=request.user, at=at
        )
    except ValidationError as error:
        put_errors(form, error)
        return False
    count = len(entered.sessions)
    messages.success(request, f"{count} day{'' if count == 1 else 's'} kept as back-filled.")
    for day in entered.ask:
        messages.warning(
            request,
            f"The answers of {day:%A %-d %B} call for the safety questions. Ask the patient now, "
            "and take an intake if an answer is yes.",
        )
    return True


def _days(program: Program, today: dt.date, sent: Any) -> list[DayForm]:
    """The days that may still be entered, oldest first; a recorded one only says so."""
    first = max(program.started_on, today - dt.timedelta(days=LATE_DAYS))
    kept = {s.day: s for s in program.sessions.filter(day__gte=first, day__lt=today)}
    days = [first + dt.timedelta(days=n) for n in range((today - first).days)]
    return [
        DayForm(
            sent if day not in kept else {},
            day=day,
            known=_known(kept[day]) if day in kept else "",
        )
        for day in days
    ]


def _known(session: Session) -> str:
    return f"{session.get_status_display()}, {session.get_known_display().lower()}"
