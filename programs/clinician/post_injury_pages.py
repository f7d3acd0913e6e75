"""The pages after an injury: the queue, one injury, and what is said of the criteria."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import injury, post_injury

_ONE = "patients/<uuid:pk>/"


def register(portal: PortalSite) -> None:
    """Add them to the portal."""
    portal.register_page(
        "post-injury/",
        post_injury.queue,
        name="post_injury",
        menu="Post-injury",
        needs=May.SEE_CLINICAL,
    )
    portal.register_page(
        _ONE + "injury/", injury.injury, name="patient_injury", needs=May.SEE_CLINICAL
    )
    portal.register_page(
        _ONE + "criteria/", post_injury.criteria, name="patient_criteria", needs=May.DECIDE
    )
