"""The last look at reminders before they go out: whatever planning looked at, once more.

The patient may have exercised, stopped or said no since. One question to the database, however
many reminders; what it answers is judged here, where the zones are.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from clinic import quiet_hours
from clinic.messaging import outbox
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from clinic.prepared import prepared_rows
from programs import cadence
from programs import reminder_reasons as why
from programs.asked_for import is_asked
from programs.models import Program, Session

Kind = OutboxMessage.Kind
# They go out whatever the patient has answered; ``programs.telling`` knows the rest of a notice.
_NOT_AFTER_SILENCE = (Kind.ROUTINE_REMINDER, Kind.ROUTINE_CHANGED)

_FACTS = """
SELECT message.id, program.status, program.started_on, version.taper, patient.time_zone,
    site.quiet_start, site.quiet_end, point.second_nudge,
    EXISTS (SELECT FROM patients_redflag flag
        WHERE flag.patient_id = patient.id AND flag.closed_at IS NULL),
    EXISTS (SELECT FROM patients_consent consent
        WHERE consent.patient_id = patient.id AND consent.purpose = message.channel
        AND consent.withdrawn_at IS NULL),
    session.status,
    greatest(answer.day, done.day), greatest(answer.at, done.at),
    first.status, first.settled_at
FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::date[], %b::text[])
    AS message (id, program_id, channel, address, day, first_key)
JOIN programs_program program ON program.id = message.program_id
LEFT JOIN programs_programversion version ON version.id = program.current_version_id
JOIN patients_patient patient ON patient.id = program.patient_id
JOIN clinic_site site ON site.id = patient.site_id
LEFT JOIN LATERAL (
    SELECT second_nudge FROM patients_contactpoint
    WHERE patient_id = patient.id AND channel = message.channel AND reminders
    AND lower(address) = lower(message.address) LIMIT 1
) point ON true
LEFT JOIN programs_session session
    ON session.program_id = program.id AND session.day = message.day
LEFT JOIN LATERAL (
    SELECT max(day) AS day, max(at) AS at FROM patients_checkin
    WHERE message.first_key IS NOT NULL AND patient_id = patient.id
) answer ON true
LEFT JOIN LATERAL (
    SELECT max(day) AS day, max(at) AS at FROM programs_session
    WHERE message.first_key IS NOT NULL AND program_id = program.id
) done ON true
LEFT JOIN clinic_outboxmessage first ON first.key = message.first_key
"""
_NAMES = (
    "id status started_on taper zone quiet_start quiet_end nudge flagged consented session "
    "answered_on answered_at first_status first_at"
).split()


def objections(*, messages: Sequence[OutboxMessage], at: dt.datetime) -> dict[uuid.UUID, str]:
    """Why each of these reminders must not go out at ``at``, in words; the others are left out."""
    reminders = [message for message in messages if message.kind in OutboxMessage.REMINDERS]
    if not reminders:
        return {}
    rows = prepared_rows(_FACTS, _columns(reminders))
    found = {row[0]: dict(zip(_NAMES, row, strict=True)) for row in rows}
    reasons: dict[uuid.UUID, str] = {}
    for message in reminders:
        facts = found.get(message.pk)
        reason = _objection(message, facts, at) if facts else why.ENDED
        if reason:
            reasons[message.pk] = reason
    return reasons


def program_of(message: OutboxMessage) -> str:
    """The id of the program a reminder belongs to, as its key says."""
    return message.key.split(":")[1]


def _columns(messages: Sequence[OutboxMessage]) -> list[list[Any]]:
    return [
        [message.pk for message in messages],
        [uuid.UUID(program_of(message)) for message in messages],
        [message.channel for message in messages],
        [message.address for message in messages],
        # A notice of a changed routine is not of one day, and that day's session no answer to it.
        [
            None if message.kind == Kind.ROUTINE_CHANGED else message.local_date
            for message in messages
        ],
        # Only what answers to a silence must know of answers, and of the reminder before it.
        [
            None
            if message.kind in _NOT_AFTER_SILENCE
            else ":".join([Kind.ROUTINE_REMINDER, *outbox.first_key(message.key).split(":")[1:]])
            for message in messages
        ],
    ]


def _objection(message: OutboxMessage, facts: dict[str, Any], at: dt.datetime) -> str:
    zone = ZoneInfo(facts["zone"])
    return (
        _program_says(message, facts)
        or _answers_say(message, facts, zone, at)
        or ("" if facts["consented"] else why.NO_CONSENT[Channel(message.channel)])
        or (why.TURNED_OFF if facts["nudge"] is None else "")
        or (
            ""
            if quiet_hours.within(at, zone, facts["quiet_start"], facts["quiet_end"])
            else why.OUTSIDE_HOURS
        )
    )


def _program_says(message: OutboxMessage, facts: dict[str, Any]) -> str:
    if facts["status"] == Program.Status.ENDED:
        return why.ENDED
    if facts["flagged"] or facts["status"] == Program.Status.SUSPENDED:
        return why.SUSPENDED
    day = message.local_date
    if day and day < facts["started_on"]:
        return why.NOT_STARTED
    # A notice of a changed routine asks for nothing on its day.
    if day is None or message.kind == Kind.ROUTINE_CHANGED or not facts["taper"]:
        return ""
    asked = is_asked(facts["taper"], day, started_on=facts["started_on"])
    return "" if asked else why.NO_ROUTINE


def _answers_say(
    message: OutboxMessage, facts: dict[str, Any], zone: ZoneInfo, at: dt.datetime
) -> str:
    if facts["session"]:
        skipped = facts["session"] == Session.Status.SKIPPED
        return why.SESSION_SKIPPED if skipped else why.SESSION_DONE
    if message.kind in _NOT_AFTER_SILENCE or message.local_date is None:
        return ""
    answered = [facts["answered_on"]]
    answered.append(facts["answered_at"] and facts["answered_at"].astimezone(zone).date())
    last = max((day for day in answered if day), default=dt.date.min)
    if message.kind == Kind.SILENCE:
        silence = dt.timedelta(days=cadence.SILENT_DAYS)
        return why.HEARD_FROM if last > message.local_date - silence else ""
    if last >= message.local_date:
        return why.ANSWERED
    if facts["nudge"] is False:
        return why.NOT_WANTED
    return why.JUST_SENT if _is_fresh(facts, at) else ""


def _is_fresh(facts: dict[str, Any], at: dt.datetime) -> bool:
    """Whether the reminder that a nudge repeats is still to come, or came late."""
    status = OutboxMessage.Status
    if facts["first_status"] in (status.DUE, status.CLAIMED, status.SENDING):
        return True
    if facts["first_status"] not in (status.SENT, status.DELIVERED):
        return False
    return facts["first_at"] > at - cadence.NUDGE_LEAST
