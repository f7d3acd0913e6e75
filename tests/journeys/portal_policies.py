"""The pages of the policies, each in every state it can be in."""

import datetime as dt

from clinic.models import User
from programs.models import PolicyDraft
from programs.rehearsing import rehearse_draft
from tests.conftest import MONDAY
from tests.journeys.looking import Look, send
from tests.publishing import draft, publish

SINCE = MONDAY.date() - dt.timedelta(days=28)


def look_at_policies(own: Look, boss: Look, *, physio: User, manager: User) -> None:
    """``own`` has the physiotherapist's eyes, ``boss`` the manager's."""
    publish("chronic", {"pain_ceiling": 4}, drafted_by=physio, by=manager, at=MONDAY)
    said = {"pain_ceiling": 3, "min_days_at_level": 5, "progress_max_pain": 3}
    made = draft("chronic", said, by=physio, at=MONDAY)
    rehearse_draft(draft=made, since=SINCE, by=physio, at=MONDAY)
    looser = {"progress_max_pain": 3, "min_days_at_level": 20, "min_sessions_at_level": 30}
    after = draft("post_injury", looser, by=manager, at=MONDAY, reason="")
    closed = PolicyDraft.objects.get(state=PolicyDraft.State.PUBLISHED)

    own.at("policies", "/clinic/policies/")
    own.at("versions of a policy", "/clinic/policies/chronic/")
    own.at("a draft of one's own", address(made))
    own.at("a rehearsal", address(made, "rehearsal/"))
    own.at("a colleague's draft", address(after))
    own.at("a published draft", address(closed))
    own.at("a policy that is none", "/clinic/policies/knee/")
    boss.at("a draft without its reason", send(address(after), "Keep and rehearse"))
    boss.at("publishing", address(made, "rehearsal/"))


def address(made: PolicyDraft, page: str = "") -> str:
    return f"/clinic/policies/drafts/{made.pk}/{page}"
