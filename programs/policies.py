"""Publishing progression policies, and reading the one in force."""

import datetime as dt
from dataclasses import asdict, fields
from functools import lru_cache

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.models import Role, User
from programs import thresholds as supplied
from programs.models import Policy
from programs.thresholds import DEFAULT_POLICIES


def thresholds_of(policy: Policy) -> supplied.Policy:
    """The stored thresholds as the rules read them."""
    return _thresholds(policy.pk, tuple(sorted(policy.thresholds.items())))


@lru_cache(maxsize=64)
def _thresholds(pk: int, stored: tuple[tuple[str, object], ...]) -> supplied.Policy:
    return supplied.Policy(**dict(stored))


@transaction.atomic
def publish_policy(
    *, pathway: str, thresholds: dict[str, object], reason: str, by: User, at: dt.datetime
) -> Policy:
    """Put a changed policy in force as the next version. Managers and clinicians only.

    ``thresholds`` names only what differs from the pathway's defaults.
    """
    if by.role not in (Role.MANAGER, Role.PHYSIOTHERAPIST):
        raise PermissionDenied("Only a manager or a physiotherapist may publish a policy.")
    if not reason.strip():
        raise ValidationError({"reason": "Say why the thresholds change."})
    return _publish(pathway, thresholds, reason.strip(), by, at)


@transaction.atomic
def ensure_policies(*, at: dt.datetime) -> int:
    """Publish the supplied defaults for every pathway that has no policy yet."""
    missing = set(DEFAULT_POLICIES) - set(Policy.objects.values_list("pathway", flat=True))
    for pathway in sorted(missing):
        _publish(pathway, {}, "The supplied defaults.", None, at)
    return len(missing)


def _publish(
    pathway: str, thresholds: dict[str, object], reason: str, by: User | None, at: dt.datetime
) -> Policy:
    if pathway not in DEFAULT_POLICIES:
        raise ValidationError({"pathway": f"There is no pathway “{pathway}”."})
    whole = asdict(DEFAULT_POLICIES[pathway]) | thresholds
    found = _nonsense(whole)
    if found:
        raise ValidationError(found)
    newest = Policy.objects.select_for_update().filter(pathway=pathway).order_by("-version").first()
    return Policy.objects.create(
        pathway=pathway,
        version=newest.version + 1 if newest else 1,
        thresholds=whole,
        reason=reason,
        published_at=at,
        published_by=by,
    )


def _nonsense(whole: dict[str, object]) -> dict[str, str]:
    """A message per threshold that cannot be meant."""
    kinds = {field.name: field.type for field in fields(supplied.Policy)}
    found: dict[str, str] = {}
    for name, value in whole.items():
        if name not in kinds:
            found[name] = "There is no such threshold."
        elif isinstance(getattr(supplied.Policy(), name), bool) is not isinstance(value, bool):
            found[name] = "Choose yes or no." if not isinstance(value, bool) else "Write a number."
        elif not isinstance(value, bool) and (not isinstance(value, int | float) or value < 0):
            found[name] = "Write a number, 0 or more."
    if found:
        return found
    if whole["progress_max_pain"] > whole["pain_ceiling"]:
        found["progress_max_pain"] = "Must not be above the pain ceiling."
    if whole["pain_ceiling"] >= whole["severe_pain"]:
        found["pain_ceiling"] = "Must be below severe pain."
    if whole["adherence_shorter"] > whole["adherence_floor"] or whole["adherence_floor"] > 1:
        found["adherence_floor"] = "Must be between the shorter-version share and 1."
    if whole["min_sessions"] < 2:
        found["min_sessions"] = "The rules need two sessions at least."
    return found
