"""The pages of the agenda, for everybody who keeps records."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import agenda, appointment


def register(portal: PortalSite) -> None:
    """Add them to the portal."""
    portal.register_page("agenda/", agenda.agenda, name="agenda", menu="Agenda", needs=May.REGISTER)
    portal.register_page("agenda/new/", appointment.new, name="appointment_new", needs=May.REGISTER)
    portal.register_page(
        "agenda/calendar/", agenda.calendar, name="agenda_calendar", needs=May.DECIDE
    )
    portal.register_page(
        "agenda/<uuid:pk>/", appointment.appointment, name="appointment", needs=May.REGISTER
    )
