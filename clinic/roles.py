"""Which role may see and do what in the portal. Doors ask here; verbs check again.

Two tables: ``MAY`` for our own pages, ``RIGHTS`` for the lists and forms of the admin. Nobody
deletes anything in the portal.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clinic.models import Role, User


class May(StrEnum):
    """Something a member of staff may do."""

    SEE_CLINICAL = "see_clinical"  # answers, decisions, programs
    ASSESS = "assess"  # take an intake screening
    DECIDE = "decide"  # assign, adjust, answer proposals, reopen, end
    ACKNOWLEDGE = "acknowledge"  # say that an alert was seen
    REGISTER = "register"  # make records, keep contact points and consents
    MANAGE = "manage"  # staff and sites


MAY: dict[str, frozenset[May]] = {
    Role.PHYSIOTHERAPIST: frozenset(
        {May.SEE_CLINICAL, May.ASSESS, May.DECIDE, May.ACKNOWLEDGE, May.REGISTER}
    ),
    Role.MANAGER: frozenset({May.SEE_CLINICAL, May.ACKNOWLEDGE, May.REGISTER, May.MANAGE}),
    Role.FRONT_DESK: frozenset({May.REGISTER}),
    Role.PATIENT: frozenset(),
    Role.CARER: frozenset(),
}


def may(user: Any, what: May) -> bool:
    """Whether this person may do ``what``; nobody who is not active staff may do anything."""
    if not getattr(user, "is_staff", False):
        return False
    return what in MAY.get(user.role, frozenset())


def abilities(user: Any) -> dict[str, bool]:
    """All answers of ``may`` by name, for templates."""
    return {what.value: may(user, what) for what in May}


@dataclass(frozen=True)
class Rights:
    """The roles that may see, add and change rows of one table in the portal."""

    view: frozenset[str] = frozenset()
    add: frozenset[str] = frozenset()
    change: frozenset[str] = frozenset()


_EVERYBODY = frozenset({Role.PHYSIOTHERAPIST, Role.MANAGER, Role.FRONT_DESK})
_CLINICAL = frozenset({Role.PHYSIOTHERAPIST, Role.MANAGER})
_MANAGERS = frozenset({Role.MANAGER})

RIGHTS: dict[str, Rights] = {
    "clinic.site": Rights(view=_EVERYBODY, add=_MANAGERS, change=_MANAGERS),
    "clinic.user": Rights(view=_MANAGERS, add=_MANAGERS, change=_MANAGERS),
    "clinic.outboxmessage": Rights(view=_EVERYBODY),
    "clinic.suppression": Rights(view=_EVERYBODY),
    "clinic.accessrecord": Rights(view=_MANAGERS),
    "patients.checkin": Rights(view=_CLINICAL),
    "patients.intakescreening": Rights(view=_CLINICAL),
    "programs.habittask": Rights(view=_CLINICAL),
    "programs.decision": Rights(view=_CLINICAL),
    "programs.programversion": Rights(view=_CLINICAL),
    "programs.session": Rights(view=_CLINICAL),
}
_NONE = Rights()


def has_right(user: User, model: type, right: str) -> bool:
    """Whether ``user`` has ``right`` ("view", "add" or "change") on rows of ``model``."""
    if not getattr(user, "is_staff", False):
        return False
    rights = RIGHTS.get(model._meta.label_lower, _NONE)
    roles = getattr(rights, right)
    return user.role in (roles | rights.change if right == "view" else roles)


class ByRole:
    """For a ModelAdmin: permissions from ``RIGHTS`` instead of Django's own tables."""

    def has_module_permission(self, request: Any) -> bool:
        return has_right(request.user, self.model, "view")

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return has_right(request.user, self.model, "view")

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return has_right(request.user, self.model, "add")

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return has_right(request.user, self.model, "change")

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False
