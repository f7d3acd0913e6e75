"""What this room does when a lower room speaks."""

from typing import Any

from django.dispatch import receiver

from patients.models import RedFlag
from patients.signals import red_flag_raised
from programs.deciding import consider


@receiver(red_flag_raised, dispatch_uid="programs.stop_on_red_flag")
def stop_on_red_flag(sender: Any, *, red_flag: RedFlag, at: Any, **kwargs: Any) -> None:
    """A red flag suspends the running program, in the transaction that opened it."""
    program = red_flag.patient.programs.active().first()
    if program is not None:
        consider(program=program, at=at)
