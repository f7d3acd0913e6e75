"""Policies: drafting changed thresholds, publishing them, and reading the ones in force."""

import datetime as dt
from dataclasses import asdict
from functools import lru_cache

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Prefetch, QuerySet

from clinic.models import Role, User
from programs import thresholds as supplied
from programs.models import Policy, PolicyDraft, Rehearsal
from programs.policy_checks import difference, needs_its_own_reason, nonsense
from programs.thresholds import DEFAULT_POLICIES

# Whoever publishes for a pathway keeps to oneself until the version stands.
_PUBLISHING = 5_206_002


def thresholds_of(policy: Policy) -> supplied.Policy:
    """The stored thresholds as the rules read them."""
    return _thresholds(policy.pk, tuple(sorted(policy.thresholds.items())))


@lru_cache(maxsize=64)
def _thresholds(pk: int, stored: tuple[tuple[str, object], ...]) -> supplied.Policy:
    return supplied.Policy(**dict(stored))


def may_draft(user: User) -> bool:
    """Whether this person may change thresholds in a draft and rehearse them."""
    return user.is_active and user.role in (Role.PHYSIOTHERAPIST, Role.MANAGER)


# --- drafts ------------------------------------------------------------------------------------


@transaction.atomic
def begin_draft(
    *, pathway: str, by: User, at: dt.datetime, like: dict[str, object] | None = None
) -> PolicyDraft:
    """Begin a draft on the policy in force, or return the one ``by`` has open on this pathway.

    ``like`` is a whole set of thresholds to start from, such as those of an older version or of
    a colleague's draft; only what differs from the policy in force is kept of it. Raises
    ValidationError where ``like`` would replace changes that are in the open draft already.
    """
    _check_drafter(by)
    _one_at_a_time(pathway)
    in_force = Policy.objects.in_force(pathway)
    changes = _changes(in_force, like or in_force.thresholds)
    standing = PolicyDraft.objects.open().filter(pathway=pathway, author=by).first()
    if standing is None:
        return PolicyDraft.objects.create(
            pathway=pathway,
            based_on=in_force,
            thresholds=changes,
            author=by,
            begun_at=at,
            changed_at=at,
        )
    if like is None or (standing.thresholds == changes and standing.based_on == in_force):
        return standing
    if standing.thresholds:
        raise ValidationError(
            "You have a draft for this pathway already. Publish it or put it away first."
        )
    standing.based_on, standing.thresholds, standing.changed_at = in_force, changes, at
    standing.save(update_fields=["based_on", "thresholds", "changed_at"])
    return standing


@transaction.atomic
def change_draft(
    *,
    draft: PolicyDraft,
    thresholds: dict[str, object],
    reason: str,
    looser_because: str = "",
    by: User,
    at: dt.datetime,
) -> PolicyDraft:
    """Keep the whole set of thresholds in the author's draft, with the reason for it.

    Raises ValidationError by threshold for what cannot be meant; nothing is kept then.
    """
    _check_drafter(by)
    draft = _lock(draft)
    if draft.author_id != by.pk:
        raise PermissionDenied("This draft is a colleague’s. Begin one of your own from it.")
    whole = {**draft.based_on.thresholds, **thresholds}
    found = nonsense(draft.pathway, whole)
    if found:
        raise ValidationError(found)
    draft.thresholds = _changes(draft.based_on, whole)
    draft.reason, draft.looser_because = reason.strip(), looser_because.strip()
    draft.changed_at = at
    draft.save(update_fields=["thresholds", "reason", "looser_because", "changed_at"])
    return draft


@transaction.atomic
def renew_draft(*, draft: PolicyDraft, by: User, at: dt.datetime) -> PolicyDraft:
    """Set a draft on the policy that came into force meanwhile; its own changes stay."""
    _check_drafter(by)
    draft = _lock(draft)
    if draft.author_id != by.pk:
        raise PermissionDenied("This draft is a colleague’s. Begin one of your own from it.")
    in_force = Policy.objects.in_force(draft.pathway)
    whole = {**in_force.thresholds, **draft.thresholds}
    found = nonsense(draft.pathway, whole)
    if found:
        raise ValidationError(found)
    draft.based_on, draft.thresholds = in_force, _changes(in_force, whole)
    draft.changed_at = at
    draft.save(update_fields=["based_on", "thresholds", "changed_at"])
    return draft


@transaction.atomic
def discard_draft(*, draft: PolicyDraft, by: User, at: dt.datetime) -> PolicyDraft:
    """Put a draft away: its author, or a manager. It stays in the record."""
    _check_drafter(by)
    draft = _lock(draft)
    if draft.author_id != by.pk and by.role != Role.MANAGER:
        raise PermissionDenied("Only its author or a manager puts a draft away.")
    draft.state, draft.changed_at = PolicyDraft.State.DISCARDED, at
    draft.save(update_fields=["state", "changed_at"])
    return draft


def _check_drafter(by: User) -> None:
    if not may_draft(by):
        raise PermissionDenied("Only a physiotherapist or a manager drafts a policy.")


def drafts() -> QuerySet[PolicyDraft]:
    """Drafts with all that tells where they stand, whatever their number."""
    # What a rehearsal found may be long, and is read on its own page.
    rehearsals = Rehearsal.objects.defer("found", "courses")
    return PolicyDraft.objects.select_related(
        "author", "based_on", "published_as"
    ).prefetch_related(Prefetch("rehearsals", rehearsals))


def _lock(draft: PolicyDraft) -> PolicyDraft:
    draft = drafts().select_for_update(of=("self",)).get(pk=draft.pk)
    if draft.state != PolicyDraft.State.OPEN:
        raise ValidationError(f"Not open any more: {draft.get_state_display().lower()}.")
    return draft


def _changes(base: Policy, whole: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in whole.items() if base.thresholds.get(name) != value}


# --- publishing --------------------------------------------------------------------------------


@transaction.atomic
def publish_draft(
    *, draft: PolicyDraft, reason: str, by: User, at: dt.datetime, read: str | None = None
) -> Policy:
    """Put a draft in force as the next version of its policy. Managers only.

    Decisions from then on are made under it; older ones keep theirs. ``read`` is the number of the
    rehearsal that stood on the page (None where none did: the newest is meant). Raises
    ValidationError when exactly this draft was not rehearsed against the policy in force, when
    what was read is not its newest rehearsal, when something else came into force meanwhile, when
    it changes nothing, or without a reason. What lets load grow more
    easily needs a physiotherapist as its author, and post-injury a reason of its own.
    """
    if by.role != Role.MANAGER or not by.is_active:
        raise PermissionDenied("Only a manager publishes a policy.")
    _one_at_a_time(draft.pathway)
    draft = _lock(draft)
    why_not = whats_missing(draft)
    if why_not:
        raise ValidationError(why_not[0])
    if read is not None and read != str(next(iter(draft.rehearsals.all())).pk):
        raise ValidationError(
            "This draft was rehearsed again while the page was open, perhaps with other "
            "thresholds. Read the rehearsal below, then publish."
        )
    if not reason.strip():
        raise ValidationError({"reason": "Say why the thresholds change."})
    policy = _publish(draft.pathway, draft.whole, reason.strip(), by, at)
    draft.state, draft.published_as, draft.changed_at = PolicyDraft.State.PUBLISHED, policy, at
    draft.save(update_fields=["state", "published_as", "changed_at"])
    return policy


def whats_missing(draft: PolicyDraft, *, in_force: Policy | None = None) -> list[str]:
    """What keeps this draft from being published now, in words; empty when nothing does.

    ``in_force`` is the pathway's policy where the caller has it already.
    """
    in_force = in_force or Policy.objects.in_force(draft.pathway)
    if draft.based_on_id != in_force.pk:
        who = in_force.published_by.name if in_force.published_by else "The supplied content"
        return [
            f"{who} published version {in_force.version} while this draft was open. "
            "Take that version over into the draft, then rehearse it again."
        ]
    if not draft.thresholds:
        return [f"This draft changes nothing of version {in_force.version}."]
    whole = draft.whole
    missing = [*nonsense(draft.pathway, whole).values()]
    looser = [c.title for c in difference(in_force.thresholds, whole) if c.looser]
    if looser and not draft.author.is_clinician:
        missing.append(
            f"It loosens {', '.join(looser)}. Load may grow more easily only where a "
            "physiotherapist says so: ask one to begin a draft from this one."
        )
    if needs_its_own_reason(draft.pathway, whole) and not draft.looser_because:
        missing.append("Post-injury, what is looser than supplied needs a reason of its own.")
    newest = next(iter(draft.rehearsals.all()), None)
    if newest is None:
        missing.append("It has not been rehearsed.")
    elif not newest.is_of(draft):
        missing.append("It was changed after it was rehearsed. Rehearse it again.")
    return missing


@transaction.atomic
def ensure_policies(*, at: dt.datetime) -> int:
    """Publish the supplied defaults for every pathway that has no policy yet."""
    missing = set(DEFAULT_POLICIES) - set(Policy.objects.values_list("pathway", flat=True))
    for pathway in sorted(missing):
        _publish(pathway, asdict(DEFAULT_POLICIES[pathway]), "The supplied defaults.", None, at)
    return len(missing)


def _publish(
    pathway: str, whole: dict[str, object], reason: str, by: User | None, at: dt.datetime
) -> Policy:
    found = nonsense(pathway, whole)
    if found:
        raise ValidationError(found)
    newest = Policy.objects.filter(pathway=pathway).order_by("-version").first()
    return Policy.objects.create(
        pathway=pathway,
        version=newest.version + 1 if newest else 1,
        thresholds=whole,
        reason=reason,
        published_at=at,
        published_by=by,
    )


def _one_at_a_time(pathway: str) -> None:
    if pathway not in DEFAULT_POLICIES:
        raise ValidationError({"pathway": f"There is no pathway “{pathway}”."})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_PUBLISHING, pathway])
