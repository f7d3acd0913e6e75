"""An alert that somebody has seen is to be seen once more by whoever it is given to."""

import datetime as dt

import pytest

from clinic import alert_times, alerts, watching
from clinic.absences import enter_absence
from clinic.messaging import settling
from clinic.models import Alert, OutboxMessage, Role, Seen, User
from clinic.receivers import alert_still_unseen
from tests.conftest import MONDAY, make_staff

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ABOUT = ("patient", "8d4e9b5a-1c1f-4d8b-9f0e-3b1f7a0c0001")
NOON = MONDAY + 3 * HOUR


@pytest.fixture
def colleague(site) -> User:
    return make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber")


def raised(site, owner: User, severity: str = "emergency", at=MONDAY) -> Alert:
    return alerts.raise_alert(
        severity=severity,
        subject_type=ABOUT[0],
        subject_id=ABOUT[1],
        site=site,
        owner=owner,
        summary="Saddle numbness",
        key=f"by-hand:{severity}",
        at=at,
    )


def given_on(alert: Alert, to: User, by: User, *, seen=MONDAY + MINUTE, at=NOON) -> Alert:
    alerts.acknowledge(alert=alert, by=by, at=seen)
    return alerts.reassign(alert=alert, to=to, reason="I leave at noon", by=by, at=at)


def told(alert: Alert, *, since=NOON) -> list[tuple[str, str]]:
    steps = alert.steps.filter(at__gte=since).select_related("person")
    return [(step.why, step.person.name.split()[0]) for step in steps]


def looks(alert: Alert) -> list[tuple[User, dt.datetime]]:
    return [(look.by, look.at) for look in alert.seen_before.all()]


def times_of(site, at) -> alert_times.Times:
    [found] = alert_times.times(
        by="severity", sites=[site.pk], since=MONDAY - DAY, until=at + DAY, at=at
    )
    return found


@pytest.mark.parametrize(
    "severity, due", [("emergency", HOUR), ("same_day", 4 * HOUR), ("soon", 2 * DAY)]
)
def test_given_a_seen_alert_then_its_due_time_and_its_stages_begin_anew_for_the_new_owner(
    site, physio, manager, colleague, severity, due
):
    alert = given_on(raised(site, physio, severity), colleague, physio)
    assert (alert.is_seen, alert.due_at, alert.on_duty) == (False, NOON + due, colleague)
    assert looks(alert) == [(physio, MONDAY + MINUTE)]
    assert alert in Alert.objects.open() and alert.last_seen == Seen(physio, MONDAY + MINUTE)
    while alert.next_stage_at is not None and alert.next_stage_at < NOON + 3 * DAY:
        watching.watch(at=alert.next_stage_at)
        alert.refresh_from_db()
    said = told(alert)
    assert said[0] == ("reassigned", "Jonas")
    assert {("half_time", "Jonas"), ("due", "Jonas"), ("due", "Mona")} <= set(said)
    assert "Ruth" not in {name for _, name in said}
    # Every step has its message, although the same stages were told before.
    keys = set(alert.steps.values_list("message_key", flat=True))
    assert OutboxMessage.objects.filter(key__in=keys).count() == len(keys)


def test_given_stages_told_before_it_was_seen_then_all_are_told_again_after(
    site, physio, manager, colleague
):
    alert = raised(site, physio)
    watching.watch(at=MONDAY + 30 * MINUTE)
    watching.watch(at=MONDAY + HOUR)
    alert = given_on(alert, colleague, manager, seen=MONDAY + HOUR)
    watching.watch(at=NOON + 30 * MINUTE)
    watching.watch(at=NOON + HOUR)
    assert told(alert)[1:] == [
        ("half_time", "Jonas"),
        ("half_time", "Mona"),
        ("due", "Jonas"),
        ("due", "Mona"),
    ]


def test_given_the_new_owner_sees_it_then_it_is_quiet_and_both_looks_are_kept(
    site, physio, manager, colleague
):
    alert = given_on(raised(site, physio), colleague, physio)
    alert = alerts.acknowledge(alert=alert, by=colleague, at=NOON + 10 * MINUTE)
    assert watching.watch(at=NOON + DAY).told == 0
    assert alert.last_seen == Seen(colleague, NOON + 10 * MINUTE)
    # And once more, back to who saw it first: nobody knows by themselves that it is theirs again.
    alert = alerts.reassign(
        alert=alert, to=physio, reason="You know her", by=colleague, at=NOON + HOUR
    )
    assert not alert.is_seen
    assert looks(alert) == [(physio, MONDAY + MINUTE), (colleague, NOON + 10 * MINUTE)]
    assert watching.watch(at=NOON + HOUR + 30 * MINUTE).told == 1


def test_given_nobody_has_seen_it_then_giving_it_on_wins_no_time(site, physio, colleague):
    alert = raised(site, physio)
    kept = alerts.reassign(
        alert=alert, to=colleague, reason="Away", by=physio, at=MONDAY + 20 * MINUTE
    )
    assert (kept.due_at, kept.next_stage_at) == (MONDAY + HOUR, MONDAY + 30 * MINUTE)
    assert looks(kept) == [] and kept.given_at is None


def test_given_the_message_to_the_new_owner_is_sent_again_then_it_goes_as_the_first_would_have(
    site, physio, manager, colleague
):
    alert = given_on(raised(site, physio), colleague, physio)
    told_of = OutboxMessage.objects.filter(address=colleague.email)
    told_of.update(status="unknown", reason="x", wake_at=None, settled_at=NOON)
    again = settling.send_again(message=told_of.get(), by=manager, at=NOON)
    alerts.acknowledge(alert=alert, by=manager, at=NOON + MINUTE)
    again.refresh_from_db()
    assert again.status == OutboxMessage.Status.DUE
    assert alert_still_unseen(None, messages=[again]) == {}
    alerts.acknowledge(alert=alert, by=colleague, at=NOON + MINUTE, outcome="Rang her.")
    again.refresh_from_db()
    assert again.status == OutboxMessage.Status.SUPPRESSED


def test_given_to_who_has_seen_it_then_it_stays_seen(site, physio, colleague):
    alert = raised(site, physio)
    alerts.acknowledge(alert=alert, by=colleague, at=MONDAY + MINUTE)
    kept = alerts.reassign(alert=alert, to=colleague, reason="Yours", by=physio, at=NOON)
    assert kept.is_seen and looks(kept) == []
    assert told(kept) == [("reassigned", "Jonas")]


def test_given_to_somebody_away_then_whoever_stands_in_is_told_until_they_see_it(
    site, physio, manager, colleague
):
    cover = make_staff(site, Role.PHYSIOTHERAPIST, "Ida Colleague")
    enter_absence(
        user=colleague,
        begins_at=MONDAY,
        ends_at=MONDAY + 3 * DAY,
        cover=cover,
        by=colleague,
        at=MONDAY,
    )
    alert = given_on(raised(site, physio), colleague, physio)
    assert (alert.owner, alert.on_duty) == (colleague, cover)
    watching.watch(at=NOON + 30 * MINUTE)
    assert told(alert)[:2] == [("reassigned", "Ida"), ("half_time", "Ida")]


def test_given_a_patient_who_gets_another_physiotherapist_then_they_see_it_once_more(
    site, physio, manager, colleague
):
    alert = raised(site, physio)
    alerts.acknowledge(alert=alert, by=physio, at=MONDAY + MINUTE)
    assert alerts.move(subject=ABOUT, site=site, owner=colleague, before=physio, at=NOON) == 1
    alert.refresh_from_db()
    assert (alert.is_seen, alert.owner, alert.due_at) == (False, colleague, NOON + HOUR)
    assert looks(alert) == [(physio, MONDAY + MINUTE)]
    watching.watch(at=NOON + 30 * MINUTE)
    assert told(alert)[:2] == [("handed_over", "Jonas"), ("half_time", "Jonas")]


def test_given_an_alert_given_on_then_the_report_counts_every_look_by_its_own_time(
    site, physio, manager, colleague
):
    alert = given_on(raised(site, physio), colleague, physio)
    seen = times_of(site, NOON + MINUTE)
    assert (seen.raised, seen.seen, seen.open_, seen.late, seen.judged) == (1, 0, 1, 0, 0)
    assert seen.median == MINUTE
    late = times_of(site, NOON + 2 * HOUR)
    assert (late.open_, late.late, late.judged, late.in_time) == (1, 1, 1, 0)
    alerts.acknowledge(alert=alert, by=colleague, at=NOON + 30 * MINUTE)
    after = times_of(site, NOON + 2 * HOUR)
    assert (after.seen, after.judged, after.in_time, after.median) == (1, 1, 1, MINUTE)


def test_given_the_first_look_was_late_then_it_stays_late_in_the_report(
    site, physio, manager, colleague
):
    alert = given_on(raised(site, physio), colleague, physio, seen=MONDAY + 2 * HOUR)
    assert times_of(site, NOON + MINUTE).judged == 1
    alerts.acknowledge(alert=alert, by=colleague, at=NOON + MINUTE)
    after = times_of(site, NOON + HOUR)
    assert (after.judged, after.in_time, after.median) == (1, 0, 2 * HOUR)
