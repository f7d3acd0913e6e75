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


# Area and function, in the order of the page. Only clinicians and managers see them.
PANELS: list[tuple[str, PanelView]] = [
    ("alerts", alert_panel.panel),
    ("post_injury", post_injury.panel),
    ("renew", renew.panel),
    ("appointment", agenda.panel),
]


def panels_of(
    patient: Patient, program: Program | None, *, user: User, at: dt.datetime
) -> list[Panel]:
    """The panels that have something to say about this patient now."""
    found = ((area, view(patient, program, user=user, at=at)) for area, view in PANELS)
    return [Panel(area, panel) for area, panel in found if panel is not None]
