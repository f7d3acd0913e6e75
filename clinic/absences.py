"""Being away, coming back, and how alerts reach somebody: the staff's own part of the watch.

Everybody enters their own absence; a manager those of colleagues. What is running changes who is
on duty at once, in the same transaction.
"""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from clinic import watching
from clinic.models import Absence, Role, User
from clinic.roles import May, may
from clinic.teams import ANSWERING
from clinic.validators import validate_mobile

_LONGEST = dt.timedelta(days=400)


@transaction.atomic
def enter_absence(
    *,
    user: User,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    cover: User | None,
    by: User,
    at: dt.datetime,
    reason: str = "",
) -> Absence:
    """Write down that ``user`` is away. Refused where it ends before it begins, is over, meets
    another absence, or names a cover who cannot answer for them."""
    require_own_or_manager(by, user)
    # Two entries of one person at once, one after the other.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if ends_at <= begins_at:
        raise ValidationError({"ends_at": "The absence ends before it begins."})
    if ends_at <= at:
        raise ValidationError({"ends_at": "This is over already."})
    if ends_at - begins_at > _LONGEST:
        raise ValidationError({"ends_at": "That is more than a year. Close the account instead."})
    if Absence.objects.between(begins_at, ends_at).filter(user=user).exists():
        raise ValidationError("There is another absence in this time. Change that one first.")
    if cover is not None and not possible_covers(user).filter(pk=cover.pk).exists():
        raise ValidationError({"cover": f"{cover.name} cannot stand in here."})
    absence = Absence.objects.create(
        user=user,
        begins_at=begins_at,
        ends_at=ends_at,
        cover=cover,
        reason=reason.strip(),
        entered_by=by,
        entered_at=at,
    )
    watching.hand_over(at=at, sites=sites_answered_at(user))
    return absence


@transaction.atomic
def end_absence(*, absence: Absence, by: User, at: dt.datetime) -> Absence:
    """They are back: one that runs ends now, one to come is taken back. One that is over stays."""
    require_own_or_manager(by, absence.user)
    absence = (
        Absence.objects.select_for_update(of=("self",)).select_related("user").get(pk=absence.pk)
    )
    if absence.taken_back_at is not None or absence.ends_at <= at:
        return absence
    if absence.begins_at < at:
        absence.ends_at = at
    else:
        absence.taken_back_at, absence.taken_back_by = at, by
    absence.save(update_fields=["ends_at", "taken_back_at", "taken_back_by"])
    watching.hand_over(at=at, sites=sites_answered_at(absence.user))
    return absence


@transaction.atomic
def set_reach(
    *, user: User, mobile: str, usual_cover: User | None, by: User, at: dt.datetime
) -> User:
    """Where alerts reach somebody beside their mail, and who usually stands in for them."""
    require_own_or_manager(by, user)
    mobile = "".join(mobile.split())
    if mobile:
        try:
            validate_mobile(mobile)
        except ValidationError as error:
            raise ValidationError({"mobile": error.messages}) from error
    if usual_cover is not None and not possible_covers(user).filter(pk=usual_cover.pk).exists():
        raise ValidationError({"usual_cover": f"{usual_cover.name} cannot stand in here."})
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.mobile, user.usual_cover = mobile, usual_cover
    user.save(update_fields=["mobile", "usual_cover"])
    watching.hand_over(at=at, sites=sites_answered_at(user))
    return user


def possible_covers(user: User) -> QuerySet[User]:
    """Who may stand in: somebody of the same site; a physiotherapist for a physiotherapist."""
    roles = (Role.PHYSIOTHERAPIST,) if user.role == Role.PHYSIOTHERAPIST else ANSWERING
    return (
        User.objects.filter(is_active=True, role__in=roles, sites__in=user.sites.all())
        .exclude(pk=user.pk)
        .distinct()
    )


def require_own_or_manager(by: User, user: User) -> None:
    """Raise PermissionDenied unless it is one's own, or one manages a site of theirs."""
    if not by.is_staff:
        raise PermissionDenied("Only staff may do this.")
    if by.pk == user.pk:
        return
    shared = by.is_superuser or user.sites.filter(pk__in=by.sites.values("pk")).exists()
    if not may(by, May.MANAGE) or not shared:
        raise PermissionDenied("Only a manager of the site may do this for somebody else.")


def sites_answered_at(user: User) -> list[int]:
    """Sites whose alerts may change hands with this person: theirs, and those with their alerts."""
    own = set(user.sites.values_list("pk", flat=True))
    owned = user.alerts.unresolved().order_by().values_list("site_id", flat=True).distinct()
    return sorted(own | set(owned))
