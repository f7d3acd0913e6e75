"""Limits after an injury, as the gates and the rules read them.

Pure: no Django, no clock. A limit closes a movement class, caps the load, or lowers the pain
ceiling, until its last day or until a clinician lifts it (``patients.injuring``). No clearance,
phase or policy opens what a limit closes.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What holds on one day. ``closed`` pairs a movement class with the words of its end, such as
    "until 3 May 2026"; of several loads or ceilings the strictest holds."""

    closed: tuple[tuple[str, str], ...] = ()
    max_load_kg: Decimal | None = None
    load_ends: str = ""
    pain_ceiling: int | None = None

    def against(
        self, movement_class: str, *, loaded: bool = False, load_kg: Decimal | None = None
    ) -> str:
        """The limit that stands against this class or load, in words; empty when none does."""
        ends = dict(self.closed).get(movement_class)
        if ends is not None:
            return f"no {_said(movement_class)} {ends}".strip()
        if self.max_load_kg is None:
            return ""
        if self.max_load_kg == 0 and loaded:
            return f"no load {self.load_ends}".strip()
        if load_kg is not None and load_kg > self.max_load_kg:
            return f"no load above {_plain(self.max_load_kg)} kg {self.load_ends}".strip()
        return ""

    def strictest_ceiling(self, ceiling: int | None, usual: int) -> int | None:
        """The pain ceiling with the limit counted in: ``ceiling`` is the program's own or None,
        ``usual`` what the policy says without one."""
        present = usual if ceiling is None else ceiling
        limited = self.pain_ceiling is not None and self.pain_ceiling < present
        return self.pain_ceiling if limited else ceiling


NO_LIMITS = Limits()


def limits_on(stored: Iterable[Mapping[str, Any]], day: dt.date) -> Limits:
    """What of the ``stored`` limits (``Patient.limits``) holds on this local day of the patient.

    A limit holds through the whole of its last day.
    """
    closed: dict[str, dt.date | None] = {}
    load: tuple[Decimal, dt.date | None] | None = None
    ceiling: int | None = None
    for row in stored:
        until = dt.date.fromisoformat(row["until"]) if row["until"] else None
        if until is not None and until < day:
            continue
        if row["kind"] == "closed":
            name = row["movement_class"]
            closed[name] = _later(closed[name], until) if name in closed else until
        elif row["kind"] == "load":
            amount = Decimal(row["amount"])
            load = (amount, until) if load is None or amount < load[0] else load
        elif row["kind"] == "pain":
            amount = Decimal(row["amount"])
            ceiling = int(amount) if ceiling is None else min(ceiling, int(amount))
    return Limits(
        closed=tuple(sorted((name, _ends(until)) for name, until in closed.items())),
        max_load_kg=load[0] if load else None,
        load_ends=_ends(load[1]) if load else "",
        pain_ceiling=ceiling,
    )


def words_of(limits: Limits) -> list[str]:
    """Each limit in force as a short line for the clinician."""
    lines = [f"No {_said(name)} {ends}".strip() for name, ends in limits.closed]
    if limits.max_load_kg is not None:
        above = f" above {_plain(limits.max_load_kg)} kg" if limits.max_load_kg else ""
        lines.append(f"No load{above} {limits.load_ends}".strip())
    if limits.pain_ceiling is not None:
        lines.append(f"Pain during at most {limits.pain_ceiling}")
    return lines


def _said(movement_class: str) -> str:
    """“flexion_loaded” as people say it."""
    words = movement_class.split("_")
    return " ".join(["loaded", words[0]] if words[-1] == "loaded" else words)


def _later(one: dt.date | None, other: dt.date | None) -> dt.date | None:
    return None if one is None or other is None else max(one, other)


def _ends(until: dt.date | None) -> str:
    return "" if until is None else f"until {until.day} {until:%b %Y}"


def _plain(kilograms: Decimal) -> str:
    return f"{kilograms.normalize():f}"
