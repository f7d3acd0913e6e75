"""One exercise of a day as the patient meets it: level, dose, cues, and its easier form."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils.formats import get_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.models import Preferences
from programs import routine
from programs.content_files import cues_to_show
from programs.ladder import Position, Standing
from programs.models import Exercise, ExerciseLevel, MovementClass, Prescription, ProgramVersion
from programs.positions import level_of, prescriptions_of, standing_of
from programs.units import KG, load_text
from programs.wording import in_language


@dataclass(frozen=True)
class Dose:
    """``reps`` are per side where ``per_side`` is set; ``hold_s`` are seconds."""

    sets: int
    reps: int
    hold_s: int
    per_side: bool
    load_kg: Decimal | None = None


@dataclass(frozen=True)
class Item:
    """One exercise of the day. ``seconds`` is how long its dose takes, rest included.

    ``easier`` is what *easier today* stands for; None where nothing is easier than this.
    """

    prescription: Prescription
    exercise: Exercise
    level: ExerciseLevel
    dose: Dose
    cues: list[str]
    seconds: int
    dose_text: str
    warm_up: bool
    easier: "Item | None" = None

    @property
    def minutes(self) -> int:
        return max(1, round(self.seconds / 60))

    @property
    def breathing(self) -> bool:
        return self.level.movement_class == MovementClass.BREATHING

    def as_done(self) -> dict[str, object]:
        """What a session keeps of it."""
        return {
            "level": self.level.level,
            "sets": self.dose.sets,
            "reps": self.dose.reps,
            "hold_s": self.dose.hold_s,
        }


def open_items(version: ProgramVersion, day: dt.date) -> list[Item]:
    """Every exercise that is open to the patient on a local day, whichever days of the week it
    comes on. The gates see a calm fortnight: what is prescribed already is asked for."""
    standing = standing_of(version, today=day, calm_fortnight=True)
    by_slug = {
        prescription.exercise.slug: prescription for prescription in prescriptions_of(version)
    }
    units = Preferences.of(version.program.patient).units
    return [
        item_of(
            by_slug[position.exercise],
            standing=standing,
            position=position,
            cue_set=version.cue_set,
            units=units,
        )
        for position in standing.open_positions()
    ]


def item_of(
    prescription: Prescription,
    *,
    standing: Standing,
    position: Position,
    cue_set: str,
    units: str = KG,
) -> Item:
    """The exercise as prescribed, with its easier form."""
    level, dose = level_of(prescription), dose_of(prescription)
    lower = _lower_level(prescription, standing, position)
    easier = None
    if lower is not None:
        easier = _item(prescription, lower, _dose_at(lower, dose), cue_set, units)
    else:
        sets, reps, hold_s = routine.less(dose.sets, dose.reps, dose.hold_s)
        less = Dose(sets, reps, hold_s, dose.per_side, dose.load_kg)
        if less != dose:
            easier = _item(prescription, level, less, cue_set, units)
    return _item(prescription, level, dose, cue_set, units, easier)


def dose_of(prescription: Prescription) -> Dose:
    p = prescription
    return Dose(p.sets, p.reps, p.hold_s, p.per_side, p.load_kg)


def _lower_level(
    prescription: Prescription, standing: Standing, position: Position
) -> ExerciseLevel | None:
    """The level below, unless there is none or it is of a class that is closed to the patient."""
    number = prescription.level - 1
    for level in prescription.exercise.levels.all():
        if level.level == number and standing.gate(position, number) is None:
            return level
    return None


def _dose_at(level: ExerciseLevel, dose: Dose) -> Dose:
    """The dose this level begins with, never with more sets or another load than now."""
    return Dose(
        sets=min(level.sets, dose.sets),
        reps=level.reps_from,
        hold_s=level.hold_from,
        per_side=level.per_side,
        load_kg=dose.load_kg if level.loaded else None,
    )


def _item(
    prescription: Prescription,
    level: ExerciseLevel,
    dose: Dose,
    cue_set: str,
    units: str,
    easier: Item | None = None,
) -> Item:
    spoken = in_language(level)
    return Item(
        prescription=prescription,
        exercise=in_language(prescription.exercise),
        level=spoken,
        dose=dose,
        cues=cues_to_show(
            spoken.cues,
            draw_in=spoken.cues_draw_in,
            fill_out=spoken.cues_fill_out,
            cue_set=cue_set,
            english=level.cues,
        ),
        seconds=routine.dose_seconds(
            sets=dose.sets,
            reps=dose.reps,
            hold_s=dose.hold_s,
            per_side=dose.per_side,
            seconds_per_rep=level.seconds_per_rep,
            rest_s=level.rest_s,
        ),
        dose_text=words_of(
            dose, breathing=level.movement_class == MovementClass.BREATHING, units=units
        ),
        warm_up=level.movement_class in routine.WARM_UP,
        easier=easier,
    )


def dose_text(prescription: Prescription, units: str = KG) -> str:
    """The prescribed dose in plain words."""
    breathing = level_of(prescription).movement_class == MovementClass.BREATHING
    return words_of(dose_of(prescription), breathing=breathing, units=units)


def words_of(dose: Dose, *, breathing: bool = False, units: str = KG) -> str:
    """A dose in plain words, such as “2 sets of 6, each side, hold 5 seconds”."""
    parts = [_how_often(dose, breathing)]
    if dose.hold_s >= 60 and dose.hold_s % 60 == 0:
        minutes = dose.hold_s // 60
        parts.append(ngettext("hold %(n)s minute", "hold %(n)s minutes", minutes) % {"n": minutes})
    elif dose.hold_s:
        parts.append(
            ngettext("hold %(n)s second", "hold %(n)s seconds", dose.hold_s) % {"n": dose.hold_s}
        )
    if dose.load_kg:
        point = get_format("DECIMAL_SEPARATOR")
        parts.append(_("with %(load)s") % {"load": load_text(dose.load_kg, units, point)})
    return capfirst(", ".join(parts))


def _how_often(dose: Dose, breathing: bool) -> str:
    held = dose.reps == 1 and dose.hold_s
    if dose.sets > 1 and not held:
        numbers = {"sets": dose.sets, "reps": dose.reps}
        if breathing:
            return _("%(sets)s sets of %(reps)s slow breaths") % numbers
        if dose.per_side:
            return _("%(sets)s sets of %(reps)s, each side") % numbers
        return _("%(sets)s sets of %(reps)s") % numbers
    times = dose.sets if held else dose.reps
    if breathing:
        return ngettext("%(n)s slow breath", "%(n)s slow breaths", times) % {"n": times}
    if times == 1:
        return _("once on each side") if dose.per_side else _("once")
    if dose.per_side:
        return _("%(n)s times, each side") % {"n": times}
    return _("%(n)s times") % {"n": times}
