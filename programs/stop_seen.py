"""Who has seen what made a patient stop: of those alerts only, and only once all were seen."""

from django.db.models import Q

from clinic.models import Alert, Seen
from patients.models import Patient
from patients.red_flagging import alert_key
from programs.deciding import alert_keys_of
from programs.models import Decision, Program


def stopping_decision(program: Program) -> Decision | None:
    """The newest decision that stopped the program."""
    return program.decisions.filter(outcome=Decision.Outcome.STOP).first()


def seen_stop(patient: Patient, program: Program | None = None) -> Seen | None:
    """Who saw the alerts of this stop last, or None as long as nobody has seen one of them. What
    was seen stays so when it is given to somebody else.

    The open red flags say which alerts these are; without one the decision that stopped
    ``program``, which is the running one unless given. A text, an enquiry or another rule never
    passes for an answer to the stop.
    """
    flags = [alert_key(red_flag) for red_flag in patient.red_flags.open()]
    if flags:
        return _last_seen(Q(key__in=flags), at_least=len(flags))
    program = program or patient.programs.running().first()
    decision = stopping_decision(program) if program is not None else None
    if decision is None:
        return None
    return _last_seen(Q(key__startswith=alert_keys_of(decision)), at_least=1)


def _last_seen(wanted: Q, *, at_least: int) -> Seen | None:
    found = list(Alert.objects.filter(wanted).select_related("acknowledged_by"))
    seen = [(look.at, alert.pk, look) for alert in found if (look := alert.last_seen)]
    if len(found) < at_least or len(seen) < len(found):
        return None
    return max(seen)[2]
