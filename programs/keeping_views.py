"""Keeping a question to the board under a name of one's own, and letting it go."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from clinic.models import User
from programs.models import SavedView

MOST = 12


@transaction.atomic
def keep_view(*, user: User, name: str, query: str, at: dt.datetime) -> SavedView:
    """Keep ``query`` (a query string of the board) for this person; a name that they have already
    is given to the new question."""
    name = " ".join(name.split())
    if not user.is_staff:
        raise PermissionDenied("Only staff have a board.")
    if not name:
        raise ValidationError({"name": "Give the view a name."})
    if len(query) > 200:
        raise ValidationError({"name": "This question is too long to be kept."})
    # Two tabs at once: the second waits here.
    User.objects.select_for_update().only("pk").get(pk=user.pk)
    kept = SavedView.objects.filter(user=user, name=name).first()
    if kept is None and SavedView.objects.filter(user=user).count() >= MOST:
        raise ValidationError(
            {"name": f"You have {MOST} views. Let one go before keeping another."}
        )
    view, _ = SavedView.objects.update_or_create(
        user=user, name=name, defaults={"query": query or "?", "at": at}
    )
    return view


@transaction.atomic
def forget_view(*, view: SavedView, by: User) -> None:
    """Let a view of one's own go."""
    if view.user_id != by.pk:
        raise PermissionDenied("This view is somebody else’s.")
    view.delete()
