"""The reckoning after a drill: what the outbox says against what the carriers took."""

from collections import Counter
from typing import Any

from tests.faults.book import Book
from tests.sinks import Journal

# Troubles after which nobody can tell whether the carrier has the message.
_LEAVE_UNKNOWN = {
    *("cut_before_dot", "cut_after_dot", "lost_after_dot", "silent"),
    *("broken", "kept_broken", "cut_before", "cut_after"),
}
_KNOWN = {
    *("sent", "delivered", "bounced", "failed", "suppressed", "expired", "unknown"),
}
_REACHED = {"sent", "delivered", "bounced"}


def reckon(*, book: Book, mail: Journal, texts: Journal, at_kills: Counter[str]) -> dict[str, Any]:
    """Figures, and under ``wrong`` a sentence for every promise that was broken."""
    rows = book.ask("SELECT channel, address, status FROM clinic_outboxmessage")
    taken = Counter(message.address for message in [*mail.accepted, *texts.accepted])
    troubles = Counter(mail.troubles) + Counter(texts.troubles)
    states = Counter(status for _, _, status in rows)
    addresses = Counter((channel, address) for channel, address, _ in rows)
    owed = book.ask(
        "SELECT count(*) FROM programs_program g"
        " JOIN patients_contactpoint c ON c.patient_id = g.patient_id AND c.reminders"
    )[0][0]
    doubled = [address for address, times in taken.items() if times > 1]
    lost = [address for _, address, status in rows if status in _REACHED and taken[address] == 0]
    told_otherwise = [
        (address, status)
        for _, address, status in rows
        if status in ("failed", "suppressed", "expired") and taken[address]
    ]
    strangers = set(taken) - {address for _, address, _ in rows}
    may_be_unknown = sum(at_kills.values()) + sum(
        count for trouble, count in troubles.items() if trouble in _LEAVE_UNKNOWN
    )
    listed = _listed()
    wrong = []
    if len(rows) != owed or len(addresses) != owed:
        wrong.append(f"{owed} reminders were owed, {len(rows)} rows for {len(addresses)} addresses")
    if set(states) - _KNOWN:
        wrong.append(f"not in a known state: {dict(states)}")
    if doubled:
        wrong.append(f"{len(doubled)} doubled, such as {doubled[0]}")
    if lost:
        wrong.append(f"{len(lost)} said to be sent never arrived, such as {lost[0]}")
    if told_otherwise:
        wrong.append(f"{len(told_otherwise)} arrived although {told_otherwise[0][1]}")
    if strangers:
        wrong.append(f"{len(strangers)} arrived that stand nowhere")
    if states["unknown"] > may_be_unknown:
        wrong.append(f"{states['unknown']} unknown, but only {may_be_unknown} were on the wire")
    if listed != states["unknown"]:
        wrong.append(f"{states['unknown']} unknown, {listed} listed for staff")
    if mail.early:
        wrong.append(f"{mail.early} texts of mails came before they were asked for")
    return {
        "owed": owed,
        "rows": len(rows),
        "states": dict(states),
        "accepted_by_carriers": {"email": len(mail.accepted), "sms": len(texts.accepted)},
        "doubled": len(doubled),
        "lost": len(lost),
        "unknown": states["unknown"],
        "unknown_at_most": may_be_unknown,
        "unknown_listed": listed,
        "unknown_that_had_arrived": sum(
            1 for _, address, status in rows if status == "unknown" and taken[address]
        ),
        "connections_to_the_mail_server": mail.connections,
        "troubles_met": dict(troubles),
        "wrong": wrong,
    }


def _listed() -> int:
    """How many unknown ones the physiotherapist finds on the page."""
    from django.db import connection
    from django.utils import timezone

    from clinic.models import Role, User
    from patients.unknown_messages import listed_for

    connection.close()
    physio = User.objects.get(role=Role.PHYSIOTHERAPIST)
    return listed_for(physio, at=timezone.now()).count()
