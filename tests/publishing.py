"""A policy of the practice's own, by the way every policy takes: drafted, rehearsed, published."""

import datetime as dt

from clinic.models import User
from programs.models import Policy, PolicyDraft
from programs.policies import begin_draft, change_draft, publish_draft
from programs.rehearsing import rehearse_draft


def draft(pathway: str, thresholds: dict, *, by: User, at: dt.datetime, **said) -> PolicyDraft:
    """A draft of ``by`` that changes ``thresholds``."""
    begun = begin_draft(pathway=pathway, by=by, at=at)
    return change_draft(
        draft=begun, thresholds=thresholds, by=by, at=at, **{"reason": "We see it so.", **said}
    )


def publish(
    pathway: str, thresholds: dict, *, drafted_by: User, by: User, at: dt.datetime
) -> Policy:
    """Put changed thresholds in force."""
    made = draft(pathway, thresholds, by=drafted_by, at=at)
    rehearse_draft(draft=made, since=at.date(), by=drafted_by, at=at)
    return publish_draft(draft=made, reason="We see it so.", by=by, at=at)
