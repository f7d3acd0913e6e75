"""What the pages of alerts say of one: how much time is left, who answers, what happens next."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Max

from clinic import duty, escalation, watching
from clinic.messaging.fates import OF_STATUS, in_words
from clinic.models import Alert, AlertSeen, AlertStep, OutboxMessage, Role, Seen, User
from clinic.models.messaging import Channel
from clinic.teams import teams_of
from patients.models import Patient

_MINUTE, _HOUR, _DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
BECAUSE = {
    duty.OWNER: "",
    duty.COVER: "stands in",
    duty.MANAGER: "as manager",
    duty.AWAY: "away, and nobody else is there",
    watching.SECOND: "told too",
}
NEXT = {
    escalation.HALF_TIME: "told again, and who stands in",
    escalation.DUE: "the managers are told",
    escalation.AGAIN: "everybody is told again",
    escalation.OPENING: "everybody is told again as the site opens",
}


@dataclass(frozen=True)
class Line:
    """One alert in a list. ``before`` is who saw it last before it was given to somebody else who
    has not seen it yet."""

    alert: Alert
    patient: Patient | None
    left: str
    late: bool
    because: str
    told: int
    last_told: dt.datetime | None
    next_told: str
    before: Seen | None

    @property
    def covered(self) -> bool:
        return self.alert.on_duty_id is not None and self.alert.on_duty_id != self.alert.owner_id


def lines_of(alerts: Sequence[Alert], *, user: User, at: dt.datetime) -> list[Line]:
    """Lines for these alerts (with ``owner``, ``on_duty``, ``site`` and ``acknowledged_by``), in
    the same number of queries for any number of them."""
    patients = patients_of(alerts, user=user)
    teams = teams_of({alert.site_id for alert in alerts}, at=at)
    told = {
        pk: (number, last)
        for pk, number, last in AlertStep.objects.filter(alert__in=[alert.pk for alert in alerts])
        .order_by()
        .values("alert")
        .annotate(times=Count("number", distinct=True), last=Max("at"))
        .values_list("alert", "times", "last")
    }
    given = [alert.pk for alert in alerts if alert.given_at and not alert.is_seen]
    looks = AlertSeen.objects.filter(alert__in=given).select_related("by").order_by("round")
    before = {look.alert_id: Seen(look.by, look.at) for look in looks}
    return [
        Line(
            alert=alert,
            patient=patients.get(alert.subject_id),
            left=time_left(alert, at),
            late=not alert.is_seen and alert.due_at < at,
            because=BECAUSE[duty.on_duty(alert.owner_id, team=teams[alert.site_id], at=at).because]
            if alert.on_duty_id
            else "",
            told=told.get(alert.pk, (0, None))[0],
            last_told=told.get(alert.pk, (0, None))[1],
            next_told=next_words(alert),
            before=before.get(alert.pk),
        )
        for alert in alerts
    ]


def patients_of(alerts: Iterable[Alert], *, user: User) -> dict[str, Patient]:
    """The patients these alerts are about, by their id as the alert writes it."""
    ids = [uuid.UUID(alert.subject_id) for alert in alerts if alert.subject_type == "patient"]
    if not ids:
        return {}
    found = Patient.objects.visible_to(user).in_bulk(ids)
    return {str(pk): patient for pk, patient in found.items()}


def time_left(alert: Alert, at: dt.datetime) -> str:
    """How long there is, or how late it is; "" once somebody has seen it."""
    if alert.is_seen:
        return ""
    if alert.due_at < at:
        return f"{span(at - alert.due_at)} overdue"
    return f"{span(alert.due_at - at)} left"


def span(length: dt.timedelta) -> str:
    """A length of time in words, as exact as one needs it: "25 min", "3 h 10 min", "2 days"."""
    if length < _HOUR:
        return f"{max(1, length // _MINUTE)} min"
    if length < _DAY:
        minutes = length % _HOUR // _MINUTE
        return f"{length // _HOUR} h" + (f" {minutes} min" if minutes else "")
    days = length // _DAY
    return "1 day" if days == 1 else f"{days} days"


def next_words(alert: Alert) -> str:
    """What happens at its next stage if nobody sees it before."""
    if alert.is_seen or alert.next_stage_at is None:
        return ""
    stages = watching.stages_of(alert, alert.site)
    stage = next((stage for stage in stages if stage.number > alert.last_stage), None)
    return NEXT.get(stage.kind, "") if stage else ""


# --- the history of one ----------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One person told by one way, and what became of it."""

    name: str
    place: str
    channel: str
    fate: str
    trouble: bool


@dataclass(frozen=True)
class Event:
    """Something that happened to an alert."""

    at: dt.datetime
    title: str
    detail: str = ""
    told: tuple[Told, ...] = ()


def history_of(alert: Alert) -> list[Event]:
    """All that happened, the newest first. Five queries."""
    events = _tellings(alert)
    if all(event.at != alert.raised_at for event in events):
        events.insert(0, Event(alert.raised_at, AlertStep.Why.RAISED.label))
    for change in alert.reassignments.select_related("from_owner", "to_owner", "by"):
        title = f"Given from {change.from_owner.name} to {change.to_owner.name}"
        events.append(Event(change.at, title, f"{change.by.name}: {change.reason}"))
    for look in alert.seen_before.select_related("by"):
        events.append(Event(look.at, f"Seen by {look.by.name}"))
    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        events.append(Event(alert.acknowledged_at, f"Seen by {alert.acknowledged_by.name}"))
    if alert.resolved_by is not None and alert.resolved_at is not None:
        title = f"Closed by {alert.resolved_by.name}: {alert.get_outcome_kind_display()}"
        events.append(Event(alert.resolved_at, title, alert.outcome))
    order = {id(event): place for place, event in enumerate(events)}
    return sorted(events, key=lambda event: (event.at, order[id(event)]), reverse=True)


def _tellings(alert: Alert) -> list[Event]:
    steps = list(alert.steps.select_related("person").order_by("number", "pk"))
    messages = {
        message.key: message
        for message in OutboxMessage.objects.filter(
            key__in=[step.message_key for step in steps if step.message_key]
        )
    }
    rounds: dict[int, list[AlertStep]] = {}
    for step in steps:
        rounds.setdefault(step.number, []).append(step)
    return [
        Event(
            found[0].at,
            found[0].get_why_display(),
            "" if any(step.person for step in found) else "Nobody of the site could be told.",
            tuple(_told(step, messages.get(step.message_key)) for step in found if step.person),
        )
        for found in rounds.values()
    ]


def _told(step: AlertStep, message: OutboxMessage | None) -> Told:
    assert step.person is not None
    return Told(
        name=step.person.name,
        place=BECAUSE.get(step.place, ""),
        channel=Channel(step.channel).label if step.channel else "",
        fate=in_words(message) if message else "",
        trouble=message is not None and OF_STATUS[message.status].group == "trouble",
    )


# --- whose it is when somebody has left ------------------------------------------------------


@dataclass(frozen=True)
class Left:
    """Somebody who cannot sign in any more, and what is still theirs."""

    person: User
    alerts: int
    patients: int
    some: list[Patient]


def left_behind(*, user: User, sites: Iterable[int]) -> list[Left]:
    """For a manager: what belongs to people who have left."""
    gone = User.objects.filter(is_active=False, role__in=[Role.PHYSIOTHERAPIST, Role.MANAGER])
    alerts = dict(
        Alert.objects.unresolved()
        .filter(owner__in=gone, site__in=list(sites))
        .order_by()
        .values_list("owner")
        .annotate(Count("pk"))
    )
    theirs: dict[int, list[Patient]] = {}
    found = Patient.objects.visible_to(user).filter(physiotherapist__in=gone)
    for patient in found.order_by("family_name", "given_name")[:400]:
        theirs.setdefault(patient.physiotherapist_id, []).append(patient)
    return [
        Left(person, alerts.get(person.pk, 0), len(theirs.get(person.pk, [])), theirs[person.pk])
        if person.pk in theirs
        else Left(person, alerts.get(person.pk, 0), 0, [])
        for person in gone.filter(pk__in={*alerts, *theirs}).order_by("name")
    ]
