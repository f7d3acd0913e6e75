"""Wake-ups of this room. What is to be done stands in the database, so they take no arguments."""

from celery import shared_task
from django.utils import timezone

from patients import import_drafts


@shared_task
def forget_imports() -> None:
    """Empty files of patients that nobody imported."""
    import_drafts.forget_old(at=timezone.now())
