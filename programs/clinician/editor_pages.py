"""The addresses of assigning, adjusting and ending a program."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import assign, change, ending, maintenance

_ONE = "patients/<uuid:pk>/"


def register(portal: PortalSite) -> None:
    for route, view, name in [
        ("assign/", assign.assign, "patient_assign"),
        ("assign/live/", assign.assign_live, "patient_assign_live"),
        ("change/", change.change, "patient_change"),
        ("change/live/", change.change_live, "patient_change_live"),
        ("maintenance/", maintenance.maintenance, "patient_maintenance"),
        ("maintenance/live/", maintenance.maintenance_live, "patient_maintenance_live"),
        ("end/", ending.end, "patient_end"),
    ]:
        portal.register_page(_ONE + route, view, name=name, needs=May.DECIDE)
