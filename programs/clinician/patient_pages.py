"""The pages around one patient: notes."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import notes

_ONE = "patients/<uuid:pk>/"


def register(portal: PortalSite) -> None:
    """Add them to the portal."""
    portal.register_page(_ONE + "notes/", notes.write, name="patient_note", needs=May.SEE_CLINICAL)
