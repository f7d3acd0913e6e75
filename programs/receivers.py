"""What this room does when a lower room speaks."""

import datetime as dt
import logging
import uuid
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from clinic.messaging.persons import Person
from clinic.models import IncomingText, OutboxMessage
from clinic.signals import before_sending, text_received
from patients.caring import note_deed
from patients.models import RedFlag
from patients.signals import red_flag_raised
from programs import reminders
from programs.deciding import consider, suspend_for_red_flag
from programs.models import Session
from programs.texting import act_on_text

log = logging.getLogger(__name__)


@receiver(red_flag_raised, dispatch_uid="programs.stop_on_red_flag")
def stop_on_red_flag(sender: Any, *, red_flag: RedFlag, at: Any, **kwargs: Any) -> None:
    """A red flag suspends the running program, in the transaction that opened it."""
    # Also one that is suspended still: a clinician may be reopening it at this very moment.
    program = red_flag.patient.programs.running().first()
    if program is None:
        return
    try:
        with transaction.atomic():
            consider(program=program, at=at)
    except Exception as error:
        # A record that the rules cannot read must not keep a red flag from being kept.
        log.error("program %s: %s while a red flag stops it", program.pk, type(error).__name__)
        suspend_for_red_flag(program=program, at=at)
    # Whatever the rules said of it.
    reminders.program_stands_still(program=program, at=at)


@receiver(before_sending, dispatch_uid="programs.may_remind")
def may_remind(
    sender: Any, *, messages: list[OutboxMessage], at: Any, **kwargs: Any
) -> dict[uuid.UUID, str]:
    """A last look at reminders before they go out; a reason holds one back."""
    return reminders.objections(messages=messages, at=at)


@receiver(text_received, dispatch_uid="programs.act_on_text")
def patient_texted(
    sender: Any,
    *,
    text: IncomingText,
    person: Person,
    pain: int | None,
    at: dt.datetime,
    **kwargs: Any,
) -> str | None:
    """What a patient reports of the day by text message."""
    return act_on_text(text=text, person=person, pain=pain, at=at)


@receiver(post_save, sender=Session, dispatch_uid="programs.whose_session")
def note_session(sender: Any, *, instance: Session, **kwargs: Any) -> None:
    """Who recorded a session, where it was a carer."""
    if not kwargs.get("raw"):
        note_deed(row=instance, subject_type="session", at=instance.at)
