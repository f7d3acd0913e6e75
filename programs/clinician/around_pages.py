"""Where people come from: enquiries, and files of patients."""

from typing import Any

from clinic.enquiries import waiting_for
from clinic.roles import May
from programs.clinician import enquiries, import_pages


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
    portal.register_page(
        "import/",
        import_pages.choose_file,
        name="import",
        menu="import patients",
        needs=May.REGISTER,
        room="patients",
    )
    portal.register_page(
        "import/<uuid:pk>/", import_pages.draft, name="import_draft", needs=May.REGISTER
    )
    portal.register_page(
        "import/<uuid:pk>/report.csv",
        import_pages.report_csv,
        name="import_report",
        needs=May.REGISTER,
    )
