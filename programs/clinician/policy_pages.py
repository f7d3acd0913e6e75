"""The pages of the policies: what is in force, drafts, rehearsals, publishing."""

from clinic.portal_site import PortalSite
from clinic.roles import May
from programs.clinician import policies, policy_draft, policy_rehearsal

_ALL = "policies/"
_ONE = "policies/<slug:pathway>/"
_DRAFT = "policies/drafts/<int:draft>/"


def register(portal: PortalSite) -> None:
    portal.register_page(
        _ALL,
        policies.policies,
        name="policies",
        menu="Policies",
        needs=May.SEE_CLINICAL,
        room="programs",
    )
    for route, view, name, needs in (
        (_ONE, policies.policy, "policy", May.SEE_CLINICAL),
        (_ONE + "begin/", policies.begin, "policy_begin", May.SEE_CLINICAL),
        (_DRAFT, policy_draft.draft, "policy_draft", May.SEE_CLINICAL),
        (_DRAFT + "check/", policy_draft.check, "policy_check", May.SEE_CLINICAL),
        (_DRAFT + "renew/", policy_draft.renew, "policy_renew", May.SEE_CLINICAL),
        (_DRAFT + "discard/", policy_draft.discard, "policy_discard", May.SEE_CLINICAL),
        (_DRAFT + "rehearse/", policy_rehearsal.rehearse, "policy_rehearse", May.SEE_CLINICAL),
        (_DRAFT + "rehearsal/", policy_rehearsal.rehearsal, "policy_rehearsal", May.SEE_CLINICAL),
        (_DRAFT + "publish/", policy_rehearsal.publish, "policy_publish", May.MANAGE),
    ):
        portal.register_page(route, view, name=name, needs=needs)
