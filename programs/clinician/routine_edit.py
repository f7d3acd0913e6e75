"""What the routine editor sends, between two looks at it: rows that move, come and go.

Works on the form as it was sent, so that every button does its work without a script.
"""

import datetime as dt
from collections.abc import Iterable

from django.http import QueryDict

from programs.models import Exercise, Prescription
from programs.versioning import first_prescription

# The controls of one row, by the name after the dot.
DOSE = ("level", "sets", "reps", "hold_s", "days_per_week", "load_kg")
# What belongs to the second step, and to the buttons.
ISSUING = ("reason", "patient_reason", "tell")
_BUTTONS = ("csrfmiddlewaretoken", "step", "move", "add", "in_place_of")


def edited(sent: QueryDict, *, standing: Iterable[str]) -> QueryDict:
    """The form with the pressed button carried out: ``move`` ("slug:up"), ``add`` with
    ``in_place_of``. ``order`` holds every row; ``standing`` are the version's own."""
    data = sent.copy()
    own = list(standing)
    order = [slug for slug in dict.fromkeys(data.getlist("order")) if slug]
    order += [slug for slug in own if slug not in order]
    add, old = data.get("add", ""), data.get("in_place_of", "")
    if add and add not in order:
        at = order.index(old) + 1 if old in order else len(order)
        order.insert(at, add)
        if old in order:
            data[f"{old}.remove"] = "on"
    slug, _, way = data.get("move", "").rpartition(":")
    if slug in order and way in ("up", "down"):
        at = order.index(slug)
        to = max(0, min(len(order) - 1, at + (-1 if way == "up" else 1)))
        order.insert(to, order.pop(at))
        data["moved"] = "1"
    # A row that was added here and taken out again was never there.
    order = [slug for slug in order if slug in own or not data.get(f"{slug}.remove")]
    data.setlist("order", order)
    data["add"] = data["in_place_of"] = ""
    return data


def was_edited(sent: QueryDict) -> bool:
    """Whether a button of the editor itself was pressed: then the form comes back, and nothing
    else happens."""
    return bool(sent.get("move")) or sent.get("step") in ("add", "back")


def put_defaults(data: QueryDict, rows: Iterable[Prescription]) -> None:
    """The dose a row starts with, where the form says nothing of it yet."""
    for row in rows:
        for name in DOSE:
            value = getattr(row, name)
            if f"{row.exercise.slug}.{name}" not in data and value is not None:
                data[f"{row.exercise.slug}.{name}"] = str(value)


def carried(data: QueryDict) -> list[tuple[str, str]]:
    """What the second step carries along unseen, to be sent again as it was."""
    left_out = (*_BUTTONS, *ISSUING)
    return [
        (name, value)
        for name, values in data.lists()
        for value in values
        if name not in left_out and not name.startswith("override.")
    ]


def typed(data: QueryDict) -> list[tuple[str, str]]:
    """What was typed at the second step, kept while somebody goes back to the first."""
    return [
        (name, data[name])
        for name in data
        if (name in ISSUING or name.startswith("override.")) and data[name]
    ]


def added_rows(
    slugs: Iterable[str], *, standing: Iterable[str], since: dt.date
) -> list[Prescription]:
    """The rows that the version does not have, at the start of their ladders. What may not be
    prescribed is left out."""
    wanted = [slug for slug in slugs if slug not in set(standing)]
    known = set(
        Exercise.objects.prescribable().filter(slug__in=wanted).values_list("slug", flat=True)
    )
    return [
        first_prescription(slug, order=number, since=since)
        for number, slug in enumerate(wanted, 1)
        if slug in known
    ]
