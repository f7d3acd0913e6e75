"""The pages around one patient: notes, the routine on paper, what the patient sees."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import as_patient, handout, notes, paper

_ONE = "patients/<uuid:pk>/"


def register(portal: PortalSite) -> None:
    """Add them to the portal."""
    portal.register_page(_ONE + "notes/", notes.write, name="patient_note", needs=May.SEE_CLINICAL)
    portal.register_page(
        _ONE + "handout/", handout.handout, name="patient_handout", needs=May.SEE_CLINICAL
    )
    portal.register_page(
        _ONE + "handout.pdf",
        handout.handout_file,
        name="patient_handout_pdf",
        needs=May.SEE_CLINICAL,
    )
    portal.register_page(
        _ONE + "as-patient/",
        as_patient.as_patient,
        name="patient_as_patient",
        needs=May.SEE_CLINICAL,
    )
    portal.register_page(_ONE + "paper/", paper.paper, name="patient_paper", needs=May.SEE_CLINICAL)
