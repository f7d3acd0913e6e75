"""Where people come from: enquiries, and files of patients."""

from typing import Any

from clinic.enquiries import waiting_for
from clinic.roles import May
from programs.clinician import enquiries


def register(portal: Any) -> None:
    """Add the pages of this area to the portal."""
    portal.register_page(
        "enquiries/",
        enquiries.enquiries_page,
        name="enquiries",
        menu="Enquiries",
        needs=May.REGISTER,
        count=waiting_for,
    )
