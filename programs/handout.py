"""The routine on paper: what stands on the print page and in the PDF. Reads only.

Speaks the language that is active; the doors activate the patient's. While exercising stands
still there is nothing to do on it: the advice and the numbers stand in its place.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.messaging.links import door_for
from patients.models import Patient
from patients.sign_in_sheets import sheet_in_force
from programs.items import Item, open_items
from programs.models import Policy, Program, ProgramVersion
from programs.policies import thresholds_of
from programs.portal_stop import EMERGENCY, Advice, Call, advice, calls, stop_reason
from programs.positions import standing_of
from programs.things import things

# So many days can be ticked on one paper.
DAYS = 14


@dataclass(frozen=True)
class Row:
    """One exercise on paper. ``days`` says how often a week, ``item`` has the rest."""

    number: int
    item: Item
    days: str
    equipment: str


@dataclass(frozen=True)
class Handout:
    """``stopped`` stands in for every exercise; ``address`` is what the QR code leads to, and
    ``sheet`` whether that is the patient's own sign-in sheet."""

    patient: Patient
    version: ProgramVersion
    on: dt.date
    rows: list[Row]
    stopped: Advice | None
    when_to_stop: list[str]
    calls: Sequence[Call]
    address: str
    sheet: bool

    @property
    def ticks(self) -> range:
        return range(DAYS)


def handout_of(*, program: Program, at: dt.datetime) -> Handout:
    """The paper of the program as it stands at ``at``; with no exercise on it while it is
    stopped."""
    patient, version = program.patient, program.current_version
    site, today = patient.site, patient.local_date(at)
    reason = stop_reason(patient, program)
    sheet = sheet_in_force(patient)
    rows = [] if reason else _rows(program, max(today, program.started_on))
    return Handout(
        patient=patient,
        version=version,
        on=today,
        rows=rows,
        stopped=advice([site], reason) if reason else None,
        when_to_stop=_when_to_stop(program, today) if rows else [],
        calls=calls([site], EMERGENCY),
        address=door_for("sheet", sheet.pk) if sheet else f"{settings.BASE_URL}/",
        sheet=sheet is not None,
    )


def _rows(program: Program, day: dt.date) -> list[Row]:
    """Every exercise that is open on ``day``, whichever days of the week it comes on."""
    version = program.current_version
    items = sorted(open_items(version, day), key=lambda item: item.prescription.order)
    return [
        Row(number, item, _days(item.prescription.days_per_week), things(item.level.equipment))
        for number, item in enumerate(items, start=1)
    ]


def _days(days: int) -> str:
    if days >= 7:
        return _("every day")
    return ngettext("%(n)s day a week", "%(n)s days a week", days) % {"n": days}


def _when_to_stop(program: Program, today: dt.date) -> list[str]:
    version = program.current_version
    policy = thresholds_of(Policy.objects.in_force(version.pathway))
    limits = standing_of(version, today=today).facts.limits
    own = limits.strictest_ceiling(version.pain_ceiling, policy.pain_ceiling)
    ceiling = policy.pain_ceiling if own is None else own
    return [
        _("Some pain is all right: up to %(n)s out of 10, and gone by the next morning.")
        % {"n": ceiling},
        _("More pain than that? Leave that exercise out today and tell us."),
        _("A pull down one leg, or numbness? Stop for today and call us."),
        _(
            "New numbness between your legs, new trouble when you pee or hold your stools, or a "
            "leg that has less and less power? Get help now. Call the emergency number."
        ),
    ]
