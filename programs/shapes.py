"""A version, or the draft of one, as ``programs.difference`` compares it."""

import datetime as dt

from programs import taper
from programs.difference import Line, Shape
from programs.models import Prescription, ProgramVersion
from programs.positions import level_of, prescriptions_of, standing_of
from programs.routine import class_order


def shape_of(version: ProgramVersion, *, today: dt.date) -> Shape:
    """The version as it stands on this local day, its exercises in the order of the routine."""
    standing = standing_of(version, today=today, calm_fortnight=True)
    shown = {position.exercise for position in standing.open_positions()}
    lines = tuple(
        Line(
            slug=p.exercise.slug,
            name=p.exercise.name,
            level=p.level,
            title=level_of(p).title,
            sets=p.sets,
            reps=p.reps,
            hold_s=p.hold_s,
            days=p.days_per_week,
            load_kg=p.load_kg,
            paused=p.paused,
            shown=p.exercise.slug in shown,
        )
        for p in in_routine_order(version)
    )
    return Shape(
        phase=version.phase,
        lock=version.lock,
        auto_policy=version.auto_policy,
        pain_ceiling=version.pain_ceiling,
        clearances=tuple(version.clearances),
        cue_set=version.cue_set,
        maintenance=version.maintenance_since is not None,
        taper=tuple((f"{s.first:%-d %B}", s.days) for s in taper.from_json(version.taper)),
        lines=lines,
    )


def in_routine_order(version: ProgramVersion) -> list[Prescription]:
    """The prescriptions as the patient meets them: in the clinician's order, or by class."""
    return sorted(
        prescriptions_of(version),
        key=lambda p: (
            0 if version.own_order else class_order(level_of(p).movement_class),
            p.order,
        ),
    )
