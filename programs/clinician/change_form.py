"""The form with which a clinician changes a program: one row per exercise, then the brakes."""

from dataclasses import dataclass
from typing import Any

from django import forms

from programs import gates
from programs.clinician.fields import REASON_HINT, PortalForm, reason_field
from programs.ladder import Step
from programs.models import Exercise, Prescription, ProgramVersion
from programs.models.library import MovementClass
from programs.positions import kilograms, level_of, prescriptions_of, standing_of
from programs.versioning import KEEP, Change, PrescriptionChange

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
        empty_label="None",
        help_text="Starts at level 1. Only exercises that a physiotherapist has approved.",
    )
    reason = reason_field("Why", required="Say why you change it.", help_text=REASON_HINT)
    patient_reason = forms.CharField(
        label="What the patient reads",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Plain words. Left empty: “Your physiotherapist has changed your routine.”",
    )

    BRAKES = ("phase", "lock", "pain_ceiling", "cue_set")

    def __init__(
        self, data: Any = None, *, version: ProgramVersion, today: Any, step: Step | None = None
    ) -> None:
        self.version = version
        self.prescriptions = prescriptions_of(version)
        standing = standing_of(version, today=today, calm_fortnight=True)
        self._waits = {}
        for position in standing.positions:
            gate = standing.gate(position, position.level)
            self._waits[position.exercise] = gate.needs if gate else ""
        super().__init__(data, initial=self._initial(step))
        taken = [p.exercise_id for p in self.prescriptions]
        self.fields["add"].queryset = Exercise.objects.prescribable().exclude(pk__in=taken)
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

    def _initial(self, step: Step | None) -> dict[str, Any]:
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
        return initial

    def lines(self) -> list[Line]:
        """The exercises in routine order, for the table of the page."""
        names = ("level", *_NUMBERS, "load_kg", "paused", "remove")
        return [
            Line(
                p,
                self._waits[p.exercise.slug],
                {name: self[f"{p.exercise.slug}.{name}"] for name in names},
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
        if said.get("add"):
            change.add.append(said["add"].slug)
        return change

    def _put(self, change: Change, prescription: Prescription) -> None:
        slug = prescription.exercise.slug
        if self.cleaned_data[f"{slug}.remove"]:
            change.remove.append(slug)
            return
        wanted = PrescriptionChange()
        for name in ("level", *_NUMBERS, "load_kg", "paused"):
            value = self.cleaned_data[f"{slug}.{name}"]
            if value is not None and value != getattr(prescription, name):
                setattr(wanted, name, value)
        if wanted.paused:
            wanted.pause_reason = self.cleaned_data["reason"][:200]
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
