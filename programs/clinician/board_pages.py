"""The pages around the board: answers given on it, and accepting several together."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import board_acts, board_together

_ONE = "caseload/<uuid:pk>/"
_PROPOSAL = _ONE + "proposals/<int:proposal>/"


def register(portal: PortalSite) -> None:
    """Add them to the portal."""
    for route, view, name in [
        (_PROPOSAL + "accept/", board_acts.accept, "board_accept"),
        (_PROPOSAL + "undo/", board_acts.undo, "board_undo"),
        (_PROPOSAL + "decline/", board_acts.decline, "board_decline"),
        (_ONE + "snooze/", board_acts.snooze, "board_snooze"),
        (_ONE + "wake/", board_acts.wake, "board_wake"),
        ("caseload/together/", board_together.together, "board_together"),
    ]:
        portal.register_page(route, view, name=name, needs=May.DECIDE)
    for route, view, name in [
        ("caseload/views/", board_acts.keep, "board_keep_view"),
        ("caseload/views/<int:pk>/forget/", board_acts.forget, "board_forget_view"),
    ]:
        portal.register_page(route, view, name=name, needs=May.SEE_CLINICAL)
