"""Raising, seeing, closing and reassigning alerts. How they are told is in ``clinic.watching``."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from clinic import duty, escalation, watching
from clinic.messaging import outbox
from clinic.models import Alert, AlertSeen, AlertStep, OutboxMessage, Reassignment, Site, User
from clinic.quiet_hours import local_moment
from clinic.roles import May, may
from clinic.teams import ANSWERING, teams_of

# From raised to due. "Soon" means two working days; "routine" the next round of the caseload.
_DUE_AFTER = {
    Alert.Severity.EMERGENCY: dt.timedelta(hours=1),
    Alert.Severity.SAME_DAY: dt.timedelta(hours=4),
}
_WORKING_DAYS = {Alert.Severity.SOON: 2, Alert.Severity.ROUTINE: 5}
SEEN_BEFORE_SENT = "The alert was seen before this went out."


def due_at(severity: str, at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """When (UTC) an alert raised ``at`` in ``zone``, its site's, must have been seen.

    Working days are Monday to Friday on the clocks of the site, and it is due at the time they
    showed when it was raised, whatever they were changed by in between.
    """
    if severity in _DUE_AFTER:
        return at + _DUE_AFTER[Alert.Severity(severity)]
    local = at.astimezone(zone)
    left, day = _WORKING_DAYS[Alert.Severity(severity)], local.date()
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < 5
    return local_moment(day, local.time(), zone)


@transaction.atomic
def raise_alert(
    *,
    severity: str,
    subject_type: str,
    subject_id: object,
    site: Site,
    owner: User,
    summary: str,
    key: str,
    at: dt.datetime,
    tell: bool = False,
) -> Alert:
    """Make one alert and tell whoever is on duty for it, without any health detail.

    The same ``key`` raises one alert, however often it is said. A routine one waits for the next
    look at the caseload and is told as it is raised only with ``tell``.
    """
    alert, created = Alert.objects.get_or_create(
        key=key,
        defaults={
            "severity": severity,
            "subject_type": subject_type,
            "subject_id": str(subject_id),
            "site": site,
            "owner": owner,
            "summary": summary,
            "raised_at": at,
            "due_at": due_at(severity, at, site.zone),
        },
    )
    if created:
        _begin(alert, at=at, tell=tell or severity != Alert.Severity.ROUTINE)
    return alert


def _begin(alert: Alert, *, at: dt.datetime, tell: bool) -> None:
    """Who answers for it, and its first stage."""
    team = teams_of({alert.site_id}, at=at)[alert.site_id]
    answering = duty.on_duty(alert.owner_id, team=team, at=at)
    row = watching.stages_of(alert, alert.site)
    alert.on_duty_id, alert.last_stage = answering.person, 0
    alert.next_stage_at = escalation.following(row, last=0)
    alert.save(update_fields=["on_duty", "last_stage", "next_stage_at"])
    if tell:
        people = watching.audience(escalation.RAISED, answering, team=team, at=at)
        raised = watching.Telling(alert, AlertStep.Why.RAISED, people, stage=0)
        watching.tell([raised], at=at)


@transaction.atomic
def say_anew(*, key: str, summary: str) -> None:
    """Change the words of an alert that nobody has seen yet, because things have changed."""
    alert = Alert.objects.select_for_update().open().filter(key=key).first()
    if alert is not None:
        alert.summary = summary
        alert.save(update_fields=["summary"])


@transaction.atomic
def acknowledge(
    *, alert: Alert, by: User, at: dt.datetime, outcome: str = "", kind: str = ""
) -> Alert:
    """Note that somebody has seen the alert; the first to do so stands, and nobody is told of it
    any more. With ``outcome`` in words, or its ``kind``, it is closed too."""
    require_answering(by, alert)
    return settle(alert=alert, by=by, at=at, outcome=outcome, kind=kind)


@transaction.atomic
def settle(*, alert: Alert, by: User, at: dt.datetime, outcome: str = "", kind: str = "") -> Alert:
    """The same as ``acknowledge`` for a caller who has judged already whether ``by`` may: what the
    alert was about is closed with it, wherever the alert stands."""
    alert = Alert.objects.select_for_update().get(pk=alert.pk)
    changed = []
    if not alert.is_seen:
        alert.acknowledged_at, alert.acknowledged_by, alert.next_stage_at = at, by, None
        changed += ["acknowledged_at", "acknowledged_by", "next_stage_at"]
    if changed or ((outcome or kind) and not alert.is_closed):
        outbox.hold_back(
            subject=("alert", alert.pk),
            reason=SEEN_BEFORE_SENT,
            kinds=[OutboxMessage.Kind.STAFF_ALERT],
            spare=[
                *telling_of_others(alert),
                # Whoever was given it hears of it, until they have seen it or it is closed.
                *([] if outcome or kind else _given_to_others(alert, by)),
            ],
            at=at,
        )
    if (outcome or kind) and not alert.is_closed:
        alert.resolved_at, alert.resolved_by = at, by
        alert.outcome_kind, alert.outcome = kind or Alert.Outcome.OTHER, outcome
        changed += ["resolved_at", "resolved_by", "outcome_kind", "outcome"]
    if changed:
        alert.save(update_fields=changed)
    return alert


def telling_of_others(*alerts: Alert | int) -> set[str]:
    """The keys of messages about these alerts that also tell of another one which nobody has seen:
    of several that were handed over together one message goes out."""
    theirs = AlertStep.objects.filter(alert__in=alerts, why=AlertStep.Why.HANDED_OVER)
    others = AlertStep.objects.filter(
        alert__acknowledged_at=None, message_key__in=theirs.values("message_key")
    ).exclude(Q(alert__in=alerts) | Q(message_key=""))
    return set(others.values_list("message_key", flat=True))


def _given_to_others(alert: Alert, by: User) -> list[str]:
    """The keys of the messages that tell anybody else that the alert was given to them."""
    steps = alert.steps.filter(why=AlertStep.Why.REASSIGNED).exclude(person=by)
    return list(steps.values_list("message_key", flat=True))


def resolve(*, alert: Alert, by: User, kind: str, words: str = "", at: dt.datetime) -> Alert:
    """Close an alert with what was done; nobody need have seen it before. The first to do so
    stands. Refused without words where the kind alone says nothing."""
    words = words.strip()
    if kind not in Alert.Outcome.values:
        raise ValidationError({"kind": "Choose what was done."})
    if kind in Alert.NEEDS_WORDS and not words:
        raise ValidationError({"words": "Say what was done, or why nothing was needed."})
    return acknowledge(alert=alert, by=by, at=at, outcome=words, kind=kind)


@transaction.atomic
def reassign(*, alert: Alert, to: User, reason: str, by: User, at: dt.datetime) -> Alert:
    """Give an alert another owner, who is told. Refused without a reason, once it is closed, and
    to somebody who does not answer alerts at its site.

    One that was seen is to be seen once more, by whoever answers for it now, unless it was they
    who saw it. One that nobody has seen keeps its due time: giving it on wins no time.
    """
    require_answering(by, alert)
    alert = Alert.objects.select_for_update(of=("self",)).select_related("site").get(pk=alert.pk)
    if not reason.strip():
        raise ValidationError({"reason": "Say why somebody else shall answer it."})
    if alert.is_closed:
        raise ValidationError("This alert is closed already.")
    if alert.owner_id == to.pk:
        raise ValidationError({"to": f"It is {to.name}’s already."})
    team = teams_of({alert.site_id}, at=at)[alert.site_id]
    if to.pk not in team.working:
        raise ValidationError({"to": f"{to.name} does not answer alerts at this site."})
    Reassignment.objects.create(
        alert=alert, from_owner_id=alert.owner_id, to_owner=to, reason=reason.strip(), by=by, at=at
    )
    answering = duty.on_duty(to.pk, team=team, at=at)
    alert.owner, alert.on_duty_id = to, answering.person
    alert.save(update_fields=["owner", "on_duty"])
    if alert.is_seen and answering.person != alert.acknowledged_by_id:
        _to_be_seen_again(alert, at=at)
    # Also of one that somebody has seen: nobody knows by themselves that it is theirs now.
    if answering.person is not None:
        people = [(answering.person, answering.because)]
        watching.tell([watching.Telling(alert, AlertStep.Why.REASSIGNED, people)], at=at)
    return alert


def _to_be_seen_again(alert: Alert, *, at: dt.datetime) -> None:
    """Begin its stages and its due time anew, as if it were raised ``at``; who had seen it is
    kept. The caller holds it locked, and tells whoever it is given to."""
    AlertSeen.objects.create(
        alert=alert,
        round=alert.round,
        by_id=alert.acknowledged_by_id,
        at=alert.acknowledged_at,
        due_at=alert.due_at,
    )
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.given_at, alert.due_at = at, due_at(alert.severity, at, alert.site.zone)
    alert.round, alert.last_stage = alert.round + 1, 0
    row = watching.stages_of(alert, alert.site)
    alert.next_stage_at = escalation.following(row, last=0)
    alert.save(
        update_fields=[
            "acknowledged_at",
            "acknowledged_by",
            "given_at",
            "due_at",
            "round",
            "last_stage",
            "next_stage_at",
        ]
    )


@transaction.atomic
def move(
    *,
    subject: tuple[str, object],
    site: Site,
    owner: User,
    before: User,
    at: dt.datetime,
) -> int:
    """Let the alerts without an outcome follow their subject (type and id) to its site, and those
    that were ``before``'s to their new ``owner``. Returns how many changed.

    Whoever is on duty for one now and was not is told of it; what others have seen they are to
    see once more.
    """
    found = Alert.objects.about(*subject).unresolved().order_by()
    moved = list(found.select_for_update().filter(~Q(site=site) | Q(owner=before)))
    if not moved:
        return 0
    for alert in moved:
        alert.site = site
        if alert.owner_id == before.pk:
            alert.owner = owner
    team = teams_of({site.pk}, at=at)[site.pk]
    for alert in moved:
        now = duty.on_duty(alert.owner_id, team=team, at=at).person
        if alert.is_seen and now not in (alert.on_duty_id, alert.acknowledged_by_id):
            _to_be_seen_again(alert, at=at)
    watching.hand_to_duty(moved, team=team, at=at)
    return len(moved)


def require_answering(by: User, alert: Alert) -> None:
    """Raise PermissionDenied unless ``by`` may answer alerts at this one's site."""
    if not may(by, May.ACKNOWLEDGE) or by.role not in ANSWERING:
        raise PermissionDenied("Your role does not include answering alerts.")
    if not by.is_superuser and not by.sites.filter(pk=alert.site_id).exists():
        raise PermissionDenied("This alert belongs to another site.")


def for_nobody(request: HttpRequest) -> int:
    """How many alerts nobody can be told of, for a manager of their sites; asked by every page of
    the portal that shows it, and answered from a small index."""
    user = getattr(request, "user", None)
    if not may(user, May.MANAGE):
        return 0
    lost = Alert.objects.open().filter(on_duty=None)
    if not user.is_superuser:
        lost = lost.filter(site__in=user.sites.all())
    return lost.count()
