"""What other areas show on a patient’s page, each in a box of its own.

A panel is a function ``panel(patient, program, *, user, at) -> dict | None`` in the module of its
area and a template ``admin/portal/panel_<area>.html`` that reads the dict as ``panel``. None shows
nothing. A panel costs at most two queries, whatever the length of the record.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clinic.models import User
from clinic.roles import May, may
from patients.models import Patient
from programs.clinician import agenda, alert_panel, post_injury, renew
from programs.models import Program

PanelView = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True)
class Panel:
    """One panel that has something to say: its area, and the dict its template reads."""

    area: str
    panel: dict[str, Any]

    @property
    def template(self) -> str:
        return f"admin/portal/panel_{self.area}.html"


# Area, who sees it and function, in the order of the page.
PANELS: list[tuple[str, May, PanelView]] = [
    ("alerts", May.SEE_CLINICAL, alert_panel.panel),
    ("post_injury", May.SEE_CLINICAL, post_injury.panel),
    ("renew", May.SEE_CLINICAL, renew.panel),
    # When somebody comes is nothing clinical, and the front desk books it.
    ("appointment", May.REGISTER, agenda.panel),
]


def panels_of(
    patient: Patient, program: Program | None, *, user: User, at: dt.datetime
) -> list[Panel]:
    """The panels that have something to say to this person about this patient now."""
    found = (
        (area, view(patient, program, user=user, at=at))
        for area, needs, view in PANELS
        if may(user, needs)
    )
    return [Panel(area, panel) for area, panel in found if panel is not None]
