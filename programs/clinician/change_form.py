"""The forms with which a clinician changes a program: the routine with its brakes, then why."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from clinic.models import User
from patients.models import Patient
from programs import gates
from programs.clinician.fields import REASON_HINT, PortalForm, reason_field
from programs.clinician.routine_edit import added_rows, put_defaults
from programs.ladder import Step
from programs.models import Exercise, Prescription, ProgramVersion
from programs.models.library import MovementClass
from programs.obstacles import Obstacle
from programs.positions import kilograms, level_of, standing_of
from programs.shapes import in_routine_order
from programs.telling import Telling
from programs.versioning import KEEP, Change, PrescriptionChange, draft_version

_NUMBERS = {
    "sets": ("Sets", 1, 10),
    "reps": ("Reps", 1, 60),
    "hold_s": ("Hold, s", 0, 600),
    "days_per_week": ("Days a week", 1, 7),
}
# The words above the columns; each control says the exercise's name too.
_SHORT = {
    "level": "Level",
    **{name: label for name, (label, _, _) in _NUMBERS.items()},
    "load_kg": "Load, kg",
    "paused": "Pause",
    "remove": "Take out",
}
CLEARANCES = [(name, MovementClass(name).label) for name in gates.CLEARABLE]


@dataclass
class Line:
    """One exercise of the form: its prescription, what it waits for, and its bound fields."""

    prescription: Prescription
    waits_for: str
    fields: dict[str, forms.BoundField]
    added: bool = False

    @property
    def slug(self) -> str:
        return self.prescription.exercise.slug

    @property
    def level(self) -> Any:
        return self.fields["level"].value()


@dataclass(frozen=True)
class Start:
    """Another program to begin the edit from: its prescriptions, and its brakes if they are this
    program's own of earlier."""

    prescriptions: list[Prescription]
    brakes: dict[str, Any]
    moved: bool
    words: str


class ChangeForm(PortalForm):
    """Prefilled with what is, or with the ``step`` proposed; says as a ``Change`` only what
    differs from the current version."""

    phase = forms.TypedChoiceField(
        label="Phase",
        choices=[(0, "0 Activate"), (1, "1 Stabilise"), (2, "2 Strengthen"), (3, "3 Daily life")],
        coerce=int,
    )
    lock = forms.ChoiceField(
        label="Lock",
        choices=ProgramVersion.Lock.choices,
        help_text="No progress: nothing rises. Frozen: nothing changes by itself, either way.",
    )
    pain_ceiling = forms.TypedChoiceField(
        label="Pain ceiling, 0–10",
        choices=[("", "The policy’s own"), *[(n, str(n)) for n in range(2, 7)]],
        coerce=int,
        empty_value=None,
        required=False,
    )
    cue_set = forms.ChoiceField(label="Cue set", choices=ProgramVersion.CueSet.choices)
    clearances = forms.MultipleChoiceField(
        label="Clearances",
        choices=CLEARANCES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    auto_policy = forms.BooleanField(
        label="Let the policy raise the dose by itself",
        required=False,
        help_text="Never a new phase or a new movement class; you are told of each step.",
    )
    add = forms.ModelChoiceField(
        label="Add an exercise",
        queryset=Exercise.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label="Choose one",
    )
    in_place_of = forms.ChoiceField(label="In place of", required=False)

    BRAKES = ("phase", "lock", "pain_ceiling", "cue_set")

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        version: ProgramVersion,
        today: dt.date,
        step: Step | None = None,
        start: Start | None = None,
        by: User | None = None,
    ) -> None:
        self.version, self.today, self.start, self.by = version, today, start, by
        self.own = {p.exercise.slug: p for p in in_routine_order(version)}
        order = data.getlist("order") if data is not None else _order_of(start, self.own)
        added = added_rows(order, standing=self.own, since=today)
        self.added = {p.exercise.slug: p for p in added}
        rows = self.own | self.added
        self.prescriptions = [rows[slug] for slug in order if slug in rows]
        self.prescriptions += [p for slug, p in self.own.items() if slug not in order]
        standing = standing_of(version, today=today, calm_fortnight=True)
        self._waits = {one.exercise: standing.waits_for(one) for one in standing.positions}
        if data is not None:
            put_defaults(data, added)
        self.moved = bool(data.get("moved")) if data is not None else bool(start and start.moved)
        super().__init__(data, initial=self._initial(step, start))
        taken = [p.exercise_id for p in self.prescriptions]
        offered = Exercise.objects.offered_to(by).order_by("name")
        self.fields["add"].queryset = offered.exclude(pk__in=taken)
        self.fields["in_place_of"].choices = [
            ("", "Nothing, it joins the routine"),
            *((p.exercise.slug, p.exercise.name) for p in self.prescriptions),
        ]
        if version.pathway == "post_injury":
            # After an injury every step is decided by a clinician; there is nothing to switch on.
            del self.fields["auto_policy"]
        for prescription in self.prescriptions:
            self._add_fields(prescription)

    def _add_fields(self, prescription: Prescription) -> None:
        slug, name = prescription.exercise.slug, prescription.exercise.name
        self.fields[f"{slug}.level"] = forms.TypedChoiceField(
            label=f"Level of {name}",
            coerce=int,
            choices=[
                (level.level, f"{level.level} {level.title}")
                for level in prescription.exercise.levels.all()
            ],
        )
        for field, (label, low, high) in _NUMBERS.items():
            self.fields[f"{slug}.{field}"] = forms.IntegerField(
                label=f"{label}: {name}",
                min_value=low,
                max_value=high,
                error_messages={
                    "required": f"{name}: write a number for {label.lower()}.",
                    "invalid": f"{name}: write a whole number for {label.lower()}.",
                    "min_value": f"{name}: {label.lower()} from {low} to {high}.",
                    "max_value": f"{name}: {label.lower()} from {low} to {high}.",
                },
            )
        self.fields[f"{slug}.load_kg"] = forms.DecimalField(
            label=f"Load, kg: {name}",
            required=False,
            min_value=0,
            max_value=200,
            decimal_places=1,
            max_digits=5,
        )
        self.fields[f"{slug}.paused"] = forms.BooleanField(label=f"Pause {name}", required=False)
        self.fields[f"{slug}.remove"] = forms.BooleanField(
            label=f"Take {name} out of the program", required=False
        )
        for field, short in _SHORT.items():
            self.fields[f"{slug}.{field}"].short = short

    def _initial(self, step: Step | None, start: Start | None) -> dict[str, Any]:
        version = self.version
        initial: dict[str, Any] = {
            "phase": version.phase,
            "lock": version.lock,
            "pain_ceiling": version.pain_ceiling,
            "cue_set": version.cue_set,
            "clearances": version.clearances,
            "auto_policy": version.auto_policy,
        }
        for p in self.prescriptions:
            for name in ("level", *_NUMBERS, "load_kg", "paused"):
                initial[f"{p.exercise.slug}.{name}"] = getattr(p, name)
        if step is not None:
            initial |= _proposed(step)
        if start is not None:
            initial |= start.brakes
            kept = {p.exercise.slug: p for p in start.prescriptions}
            for slug, p in kept.items():
                for name in ("level", *_NUMBERS, "load_kg", "paused"):
                    initial[f"{slug}.{name}"] = getattr(p, name)
            initial |= {f"{slug}.remove": True for slug in self.own if slug not in kept}
        return initial

    def as_if_sent(self) -> "ChangeForm":
        """The same form with its first values sent back as they stand."""
        data = QueryDict(mutable=True)
        for field in self:
            value = field.value()
            if isinstance(value, list):
                data.setlist(field.html_name, value)
            elif value is True:
                data[field.html_name] = "on"
            elif value is not None and value is not False:
                data[field.html_name] = str(value)
        data.setlist("order", [p.exercise.slug for p in self.prescriptions])
        if self.moved:
            data["moved"] = "1"
        return ChangeForm(data, version=self.version, today=self.today, by=self.by)

    def lines(self) -> list[Line]:
        """The exercises in routine order, for the table of the page."""
        names = ("level", *_NUMBERS, "load_kg", "paused", "remove")
        return [
            Line(
                p,
                self._waits.get(p.exercise.slug, ""),
                {name: self[f"{p.exercise.slug}.{name}"] for name in names},
                p.exercise.slug in self.added,
            )
            for p in self.prescriptions
        ]

    def brakes(self) -> list[forms.BoundField]:
        return [self[name] for name in self.BRAKES]

    def change(self) -> Change:
        """What differs from the version the form was opened for."""
        said, version = self.cleaned_data, self.version
        change = Change()
        for name in ("phase", "lock", "cue_set", "auto_policy"):
            if name in said and said[name] != getattr(version, name):
                setattr(change, name, said[name])
        change.pain_ceiling = (
            KEEP if said["pain_ceiling"] == version.pain_ceiling else said["pain_ceiling"]
        )
        if sorted(said["clearances"]) != sorted(version.clearances):
            change.clearances = said["clearances"]
        for prescription in self.prescriptions:
            self._put(change, prescription)
        change.add = [p.exercise.slug for p in self.prescriptions if p.exercise.slug in self.added]
        # Until somebody moves a row, the class of an exercise says where it comes.
        if self.moved or self.version.own_order:
            change.order = self._own_order(change)
        return change

    def _own_order(self, change: Change) -> list[str] | None:
        """The order of the rows; None where it is the one the routine has anyway."""
        wanted = [p.exercise.slug for p in self.prescriptions]
        wanted = [slug for slug in wanted if slug not in change.remove]
        draft = draft_version(program=self.version.program, change=change, at=timezone.now())
        natural = [p.exercise.slug for p in in_routine_order(draft)]
        return None if wanted == natural else wanted

    def _put(self, change: Change, prescription: Prescription) -> None:
        slug = prescription.exercise.slug
        if self.cleaned_data[f"{slug}.remove"]:
            if slug in self.own:
                change.remove.append(slug)
            return
        wanted = PrescriptionChange()
        for name in ("level", *_NUMBERS, "load_kg", "paused"):
            value = self.cleaned_data[f"{slug}.{name}"]
            if value is not None and value != getattr(prescription, name):
                setattr(wanted, name, value)
        if wanted.level is not None and wanted.level != prescription.level:
            self._restart_dose(wanted, prescription)
        if wanted != PrescriptionChange():
            change.prescriptions[slug] = wanted

    def _restart_dose(self, wanted: PrescriptionChange, prescription: Prescription) -> None:
        """Another level begins at the start of its own dose, unless a dose was written too."""
        rung = next(r for r in prescription.exercise.levels.all() if r.level == wanted.level)
        starts = {"sets": rung.sets, "reps": rung.reps_from, "hold_s": rung.hold_from}
        for name, start in starts.items():
            if getattr(wanted, name) is None and start != getattr(prescription, name):
                setattr(wanted, name, start)


class IssueForm(PortalForm):
    """The second step: why, what the patient reads and whether a message says so, and a reason
    for each gate that is opened."""

    reason = reason_field("Why", required="Say why you change it.", help_text=REASON_HINT)
    patient_reason = forms.CharField(
        label="What the patient reads",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands on the patient’s page until the next session. Plain words, no diagnosis.",
    )

    tell = forms.BooleanField(required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        obstacles: Sequence[Obstacle],
        initial: dict[str, Any],
        patient: Patient,
        telling: Telling,
    ) -> None:
        super().__init__(data, initial=initial)
        self.telling = telling
        self.told_how = _told_how(patient, telling)
        if telling.points:
            name = patient.given_name
            self.fields["tell"].label = f"Tell {name} by message that the routine has changed"
            self.fields["tell"].help_text = f"{self.told_how[:1].upper()}{self.told_how[1:]}."
        else:
            del self.fields["tell"]
        self.obstacles = [one for one in obstacles if not one.final]
        for one in self.obstacles:
            self.fields[f"override.{one.exercise}"] = forms.CharField(
                label=f"Why {one.name} is opened all the same",
                max_length=500,
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={
                    "required": f"{one.words} Say why you open it, or go back and change it."
                },
            )

    def opened(self) -> list[tuple[Obstacle, forms.BoundField]]:
        return [(one, self[f"override.{one.exercise}"]) for one in self.obstacles]

    def reasons(self) -> dict[str, str]:
        """Exercise → why its gate is opened, for ``Change.overrides``."""
        said = self.cleaned_data
        return {one.exercise: said[f"override.{one.exercise}"] for one in self.obstacles}


def _told_how(patient: Patient, telling: Telling) -> str:
    """By which ways and when a notice would go, such as "by e-mail and text message, now"."""
    ways = " and ".join(point.get_channel_display().lower() for point in telling.points)
    if telling.due_at == telling.at:
        return f"by {ways}, now"
    local = telling.due_at.astimezone(patient.zone)
    return f"by {ways}, on {local:%a %-d %b} at {local:%H:%M} of the patient’s own time"


def _order_of(start: Start | None, own: dict[str, Prescription]) -> list[str]:
    if start is None:
        return list(own)
    slugs = [p.exercise.slug for p in start.prescriptions]
    return [*slugs, *(slug for slug in own if slug not in slugs)]


def _proposed(step: Step) -> dict[str, Any]:
    """The fields a proposed step speaks of."""
    initial: dict[str, Any] = {}
    if step.phase is not None:
        initial["phase"] = step.phase
    for name, value in (
        ("level", step.level),
        ("reps", step.reps),
        ("hold_s", step.hold_s),
        ("load_kg", kilograms(step.load_kg)),
    ):
        if step.exercise and value is not None:
            initial[f"{step.exercise}.{name}"] = value
    for slug in step.pause:
        initial[f"{slug}.paused"] = True
    return initial


def title_of(prescription: Prescription) -> str:
    return level_of(prescription).title
