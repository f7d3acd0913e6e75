"""Nothing is lost between two shifts: alerts go to whoever is there, and are told until seen.

Beat calls ``watch`` every few seconds. Each telling is one transaction of the step, its messages
and how far the alert has come, under a lock on the alert: two watches, one that was killed, or
somebody who sees the alert at that moment never make two of a step, nor one after it was seen.
"""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Max

from clinic import duty, escalation
from clinic.messaging import outbox, texts
from clinic.models import Alert, AlertStep, OutboxMessage, Site, User
from clinic.models.messaging import Channel
from clinic.teams import site_of, teams_of

log = logging.getLogger(__name__)
Why = AlertStep.Why

SECOND = "second"
_BATCH = 200
_RANK = {severity: place for place, severity in enumerate(Alert.Severity.values)}
_URGENT = (Alert.Severity.EMERGENCY, Alert.Severity.SAME_DAY)
_FIRST_EXPIRES, _EXPIRES = dt.timedelta(days=3), dt.timedelta(days=1)


@dataclass
class Telling:
    """An alert to tell to people, each with the place they are told in."""

    alert: Alert
    why: str
    people: list[tuple[int, str]]
    stage: int | None = None
    # Of several that are handed over together only the first goes out by itself.
    with_message_of: "Telling | None" = None
    number: int = field(default=0, init=False)


@dataclass(frozen=True)
class WatchReport:
    """How many alerts changed hands, and how many were told again."""

    handed_over: int
    told: int


def watch(*, at: dt.datetime) -> WatchReport:
    """Everything that is due now, once."""
    report = WatchReport(handed_over=hand_over(at=at), told=escalate(at=at))
    if report.handed_over or report.told:
        log.info("alerts: %s handed over, %s told again", report.handed_over, report.told)
    return report


# --- handing over ----------------------------------------------------------------------------


def hand_over(*, at: dt.datetime, sites: Iterable[int] | None = None) -> int:
    """Give every alert without an outcome to whoever is on duty for it now, and tell them of those
    that nobody has seen. Returns how many changed hands."""
    found = Alert.objects.unresolved().order_by()
    if sites is not None:
        found = found.filter(site__in=list(sites))
    standing = list(found.values_list("site_id", "owner_id", "on_duty_id").distinct())
    teams = teams_of({site for site, _, _ in standing}, at=at)
    moved = 0
    for site, owner, before in standing:
        now = duty.on_duty(owner, team=teams[site], at=at)
        if now.person != before:
            moved += _hand_to(now, site=site, owner=owner, before=before, at=at)
    return moved


@transaction.atomic
def _hand_to(now: duty.Duty, *, site: int, owner: int, before: int | None, at: dt.datetime) -> int:
    alerts = list(
        Alert.objects.unresolved()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("site")
        .filter(site=site, owner=owner, on_duty=before)
    )
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(on_duty=now.person)
    _tell_handed_over(alerts, now, at=at)
    return len(alerts)


def hand_to_duty(alerts: Iterable[Alert], *, team: duty.Team, at: dt.datetime) -> None:
    """Keep alerts whose site or owner changed, with whoever of ``team`` is on duty for each, and
    tell those who were not before, also of what was seen. The caller holds the alerts locked."""
    handed: dict[duty.Duty, list[Alert]] = defaultdict(list)
    for alert in alerts:
        now, before = duty.on_duty(alert.owner_id, team=team, at=at), alert.on_duty_id
        alert.on_duty_id = now.person
        if not alert.is_seen and alert.next_stage_at is not None:
            # The hours of another site may be other ones.
            alert.next_stage_at = escalation.following(
                stages_of(alert, alert.site), last=alert.last_stage
            )
        alert.save(update_fields=["site", "owner", "on_duty", "next_stage_at"])
        if now.person != before:
            handed[now].append(alert)
    for now, theirs in handed.items():
        _tell_handed_over(theirs, now, at=at, seen_too=True)


def _tell_handed_over(
    alerts: Iterable[Alert], now: duty.Duty, *, at: dt.datetime, seen_too: bool = False
) -> None:
    # A routine one waits for the next look at the caseload, whoever's that is.
    wanted = [
        alert
        for alert in alerts
        if (seen_too or not alert.is_seen) and alert.severity != Alert.Severity.ROUTINE
    ]
    people = [] if now.person is None else [(now.person, now.because)]
    tellings: list[Telling] = []
    for alert in sorted(wanted, key=lambda a: (a.is_seen, _RANK[a.severity], a.due_at)):
        alone = alert.is_seen or alert.severity in _URGENT
        first = tellings[0] if tellings and not alone else None
        # One that was seen is told as given to them, and so goes out although it was seen.
        why = Why.REASSIGNED if alert.is_seen else Why.HANDED_OVER
        tellings.append(Telling(alert, why, people, with_message_of=first))
    tell(tellings, at=at)


# --- telling again ---------------------------------------------------------------------------


def escalate(*, at: dt.datetime) -> int:
    """Tell what nobody has seen and whose next stage is due. Returns how many alerts were told."""
    told = 0
    while True:
        looked_at, spoken = _escalate_some(at)
        told += spoken
        if looked_at < _BATCH:
            return told


@transaction.atomic
def _escalate_some(at: dt.datetime) -> tuple[int, int]:
    due = list(
        Alert.objects.open()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("site")
        .filter(next_stage_at__lte=at)
        .order_by("next_stage_at")[:_BATCH]
    )
    teams = teams_of({alert.site_id for alert in due}, at=at)
    tellings = []
    for alert in due:
        row = stages_of(alert, alert.site)
        stage = escalation.reached(row, last=alert.last_stage, at=at)
        if stage is not None:
            answering = duty.on_duty(alert.owner_id, team=teams[alert.site_id], at=at)
            people = audience(stage.kind, answering, team=teams[alert.site_id], at=at)
            tellings.append(Telling(alert, stage.kind, people, stage=stage.number))
            alert.last_stage = stage.number
        alert.next_stage_at = escalation.following(row, last=alert.last_stage)
        if alert.next_stage_at is not None and alert.next_stage_at <= at:
            # The hours of the site were changed: never look at it again at this same moment.
            alert.next_stage_at = at + dt.timedelta(minutes=1)
    Alert.objects.bulk_update(due, ["last_stage", "next_stage_at"])
    tell(tellings, at=at)
    return len(due), len(tellings)


def stages_of(alert: Alert, site: Site) -> list[escalation.Stage]:
    return escalation.stages(
        severity=alert.severity,
        raised_at=alert.given_at or alert.raised_at,
        due_at=alert.due_at,
        site=site_of(site),
    )


def audience(
    kind: str, answering: duty.Duty, *, team: duty.Team, at: dt.datetime
) -> list[tuple[int, str]]:
    """Whom a stage speaks to, each once, with the place they are told in."""
    people: dict[int, str] = {}
    if answering.person is not None:
        people[answering.person] = answering.because
        if kind != escalation.RAISED:
            for who in duty.second_to(answering.person, team=team, at=at):
                people.setdefault(who, SECOND)
    if kind in (escalation.DUE, escalation.AGAIN, escalation.OPENING):
        for who in duty.managers_told(team=team, at=at):
            people.setdefault(who, duty.MANAGER)
    return list(people.items())


# --- the steps and their messages ------------------------------------------------------------


def tell(tellings: Sequence[Telling], *, at: dt.datetime) -> None:
    """Write the steps and their messages. The caller holds the alerts locked, or made them."""
    if not tellings:
        return
    _number(tellings)
    wanted = {who for telling in tellings for who, _ in telling.people}
    people = User.objects.in_bulk(wanted)
    steps, messages = [], []
    for telling in tellings:
        if not telling.people:
            steps.append(_step(telling, None, "", "", "", at))
        for who, place in telling.people:
            for channel, address in _ways(telling.alert, people[who]):
                key = _key(telling.with_message_of or telling, who, channel)
                steps.append(_step(telling, who, place, channel, key, at))
                if telling.with_message_of is None:
                    messages.append(_message(telling, place, channel, address, key, at))
    AlertStep.objects.bulk_create(steps, ignore_conflicts=True)
    outbox.write(messages)


def _number(tellings: Sequence[Telling]) -> None:
    last: dict[int, int] = defaultdict(lambda: -1)
    last |= (
        AlertStep.objects.filter(alert__in=[telling.alert.pk for telling in tellings])
        .order_by()
        .values_list("alert")
        .annotate(Max("number"))
    )
    for telling in tellings:
        telling.number = last[telling.alert.pk] + 1


def _ways(alert: Alert, person: User) -> list[tuple[str, str]]:
    """Mail always; a text too, unless it is routine or there is no number."""
    ways = [(Channel.EMAIL.value, person.email or "")]
    if person.mobile and alert.severity != Alert.Severity.ROUTINE:
        ways.append((Channel.SMS.value, person.mobile))
    return ways


def _key(telling: Telling, who: int, channel: str) -> str:
    return f"alert:{telling.alert.pk}:{telling.number}:{who}:{channel}"


def _step(
    telling: Telling, who: int | None, place: str, channel: str, key: str, at: dt.datetime
) -> AlertStep:
    return AlertStep(
        alert=telling.alert,
        number=telling.number,
        round=telling.alert.round,
        stage=telling.stage,
        why=telling.why,
        person_id=who,
        place=place,
        channel=channel,
        message_key=key,
        at=at,
    )


def _message(
    telling: Telling, place: str, channel: str, address: str, key: str, at: dt.datetime
) -> OutboxMessage:
    alert = telling.alert
    subject, body = texts.staff_alert(alert, channel=channel, why=telling.why, place=place)
    due_at = at
    if channel == Channel.SMS:
        # A telephone wakes people; a mail does not.
        due_at = escalation.moved(at, severity=alert.severity, site=site_of(alert.site))
    emergency = alert.severity == Alert.Severity.EMERGENCY
    return outbox.draft(
        key=key,
        kind=OutboxMessage.Kind.STAFF_ALERT,
        channel=channel,
        subject_type="alert",
        subject_id=alert.pk,
        address=address,
        text=outbox.keep_text(channel=channel, body=body, subject_line=subject),
        due_at=due_at,
        expires_at=due_at + (_FIRST_EXPIRES if telling.why == Why.RAISED else _EXPIRES),
        priority=OutboxMessage.Priority.FIRST if emergency else OutboxMessage.Priority.USUAL,
        at=at,
    )
