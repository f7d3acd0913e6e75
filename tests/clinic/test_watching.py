"""Alerts are told until somebody has seen them, by whoever is there, each step once."""

import datetime as dt
import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from clinic import alerts, watching
from clinic.absences import end_absence, enter_absence, set_reach
from clinic.messaging import sending
from clinic.models import Alert, AlertStep, OutboxMessage, Role, User
from clinic.receivers import alert_still_unseen
from tests.conftest import MONDAY, make_staff

pytestmark = pytest.mark.django_db
Status = OutboxMessage.Status
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def colleague(site) -> User:
    return make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber")


def raised(site, owner: User, severity: str = "emergency", at=MONDAY, number: int = 1) -> Alert:
    return alerts.raise_alert(
        severity=severity,
        subject_type="patient",
        subject_id="8d4e9b5a-1c1f-4d8b-9f0e-3b1f7a0c0001",
        site=site,
        owner=owner,
        summary="Saddle numbness",
        key=f"by-hand:{number}",
        at=at,
    )


def away(user: User, cover: User | None, *, by=None, at=MONDAY, begins=None, ends=None):
    return enter_absence(
        user=user,
        begins_at=begins or at,
        ends_at=ends or at + 3 * DAY,
        cover=cover,
        by=by or user,
        at=at,
    )


def told(alert: Alert) -> list[tuple[str, str, str]]:
    return [
        (step.why, step.person.name.split()[0], step.channel)
        for step in alert.steps.select_related("person")
    ]


# --- telling again -----------------------------------------------------------------------------


def test_given_nobody_looks_then_it_is_told_again_then_to_the_managers_then_to_an_end(
    site, physio, manager, colleague
):
    set_reach(user=physio, mobile="+447700900111", usual_cover=colleague, by=physio, at=MONDAY)
    alert = raised(site, physio)
    assert told(alert) == [("raised", "Ruth", "email"), ("raised", "Ruth", "sms")]
    assert watching.watch(at=MONDAY + 29 * MINUTE).told == 0
    watching.watch(at=MONDAY + 30 * MINUTE)
    assert told(alert)[2:] == [
        ("half_time", "Ruth", "email"),
        ("half_time", "Ruth", "sms"),
        ("half_time", "Jonas", "email"),
    ]
    watching.watch(at=MONDAY + HOUR)
    assert {name for why, name, _ in told(alert) if why == "due"} == {"Ruth", "Jonas", "Mona"}
    alert.refresh_from_db()
    while alert.next_stage_at is not None:
        watching.watch(at=alert.next_stage_at)
        alert.refresh_from_db()
    stages = list(alert.steps.values_list("stage", flat=True))
    assert stages == sorted(stages)
    assert max(stages) == 15


def test_given_a_watch_that_slept_then_what_it_missed_is_said_once(site, physio, manager):
    alert = raised(site, physio)
    assert watching.watch(at=MONDAY + 10 * HOUR).told == 1
    assert watching.watch(at=MONDAY + 10 * HOUR).told == 0
    assert {why for why, *_ in told(alert)} == {"raised", "again"}


def test_given_it_was_seen_then_nothing_more_is_told_and_what_waits_is_held_back(
    site, physio, manager
):
    alert = raised(site, physio)
    watching.watch(at=MONDAY + HOUR)
    alerts.acknowledge(alert=alert, by=manager, at=MONDAY + HOUR)
    assert watching.watch(at=MONDAY + DAY).told == 0
    messages = OutboxMessage.objects.about("alert", alert.pk)
    assert set(messages.values_list("status", flat=True)) == {Status.SUPPRESSED}


def test_given_a_message_taken_before_it_was_seen_then_it_does_not_go_out(
    site, physio, monkeypatch
):
    alert = raised(site, physio)
    # As one that was written by a planning that had read the alert before.
    Alert.objects.filter(pk=alert.pk).update(acknowledged_at=MONDAY, acknowledged_by=physio)
    messages = list(OutboxMessage.objects.about("alert", alert.pk))
    objections = alert_still_unseen(None, messages=messages)
    assert list(objections.values()) == [alerts.SEEN_BEFORE_SENT]


def test_given_a_routine_one_then_no_telephone_rings_and_it_is_told_when_it_is_due(
    site, physio, manager
):
    set_reach(user=physio, mobile="+447700900111", usual_cover=None, by=physio, at=MONDAY)
    alert = raised(site, physio, "routine")
    assert told(alert) == []
    watching.watch(at=alert.due_at - MINUTE)
    assert told(alert) == []
    watching.watch(at=alert.due_at)
    assert told(alert) == [("due", "Ruth", "email"), ("due", "Mona", "email")]


def test_given_a_text_that_is_no_emergency_at_night_then_it_waits_for_the_morning(site, physio):
    set_reach(user=physio, mobile="+447700900111", usual_cover=None, by=physio, at=MONDAY)
    night = MONDAY.replace(hour=23)
    alert = raised(site, physio, "same_day", at=night)
    mail, text = OutboxMessage.objects.about("alert", alert.pk).order_by("channel")
    assert (mail.due_at, text.due_at) == (night, night + 9 * HOUR)
    urgent = raised(site, physio, "emergency", at=night, number=2)
    due = OutboxMessage.objects.about("alert", urgent.pk).values_list("due_at", "priority")
    assert set(due) == {(night, OutboxMessage.Priority.FIRST)}


def test_given_a_message_to_staff_then_it_names_neither_patient_nor_health(site, physio, manager):
    set_reach(user=physio, mobile="+447700900111", usual_cover=None, by=physio, at=MONDAY)
    alert = raised(site, physio)
    watching.watch(at=MONDAY + HOUR)
    for message in OutboxMessage.objects.about("alert", alert.pk).select_related("text"):
        said = f"{message.text.subject_line} {message.text.body}"
        assert f"/clinic/alerts/{alert.pk}/" in said
        assert not [word for word in ("numb", "Saddle", "flag", "pain") if word in said]
        if message.channel == "sms":
            assert len(message.text.body) <= 160


# --- handing over ------------------------------------------------------------------------------


def test_given_an_absence_begins_then_open_alerts_go_to_the_cover_and_come_back(
    site, physio, manager, colleague
):
    alert = raised(site, physio)
    absence = away(physio, colleague, at=MONDAY + 10 * MINUTE)
    alert.refresh_from_db()
    assert (alert.owner, alert.on_duty) == (physio, colleague)
    assert told(alert)[1:] == [("handed_over", "Jonas", "email")]
    end_absence(absence=absence, by=physio, at=MONDAY + 20 * MINUTE)
    alert.refresh_from_db()
    assert alert.on_duty == physio


def test_given_an_absence_that_begins_by_itself_then_the_watch_hands_over(site, physio, colleague):
    alert = raised(site, physio, "soon")
    away(physio, colleague, begins=MONDAY + HOUR)
    alert.refresh_from_db()
    assert alert.on_duty == physio
    assert watching.watch(at=MONDAY + HOUR).handed_over == 1
    assert watching.watch(at=MONDAY + HOUR).handed_over == 0
    alert.refresh_from_db()
    assert alert.on_duty == colleague


def test_given_many_are_handed_over_then_the_cover_gets_one_message_for_those_that_can_wait(
    site, physio, colleague
):
    for number in range(5):
        raised(site, physio, "soon", number=number)
    raised(site, physio, "emergency", number=9)
    away(physio, colleague)
    theirs = OutboxMessage.objects.filter(address=colleague.email)
    assert AlertStep.objects.filter(person=colleague).count() == 6
    assert theirs.count() == 1


@pytest.mark.parametrize("closed", [False, True])
def test_given_several_handed_over_in_one_message_then_it_goes_until_the_last_of_them_is_seen(
    site, physio, manager, colleague, closed
):
    several = [raised(site, physio, "soon", number=number) for number in range(3)]
    away(physio, colleague)
    message = OutboxMessage.objects.get(address=colleague.email)
    ended = {"outcome": "Rang her."} if closed else {}

    def fate() -> tuple[str, list[str]]:
        message.refresh_from_db()
        said = alert_still_unseen(None, messages=[message])
        return message.status, list(said.values())

    several.sort(key=lambda alert: str(alert.pk) != message.subject_id)
    for alert in several[:2]:
        alerts.acknowledge(alert=alert, by=manager, at=MONDAY + HOUR, **ended)
        assert fate() == (Status.DUE, [])
    alerts.acknowledge(alert=several[2], by=manager, at=MONDAY + HOUR, **ended)
    assert fate()[1] == [alerts.SEEN_BEFORE_SENT]


def test_given_an_owner_away_then_the_cover_is_told_as_it_is_raised(site, physio, colleague):
    away(physio, colleague)
    assert told(raised(site, physio)) == [("raised", "Jonas", "email")]


def test_given_an_account_closed_then_its_alerts_reach_a_manager_and_nobody_left_is_said(
    client, site, physio, manager
):
    alert = raised(site, physio)
    client.force_login(manager)
    User.objects.filter(pk=physio.pk).update(is_active=False)
    watching.watch(at=MONDAY + MINUTE)
    alert.refresh_from_db()
    assert alert.on_duty == manager
    User.objects.filter(pk=manager.pk).update(is_active=False)
    watching.watch(at=MONDAY + 2 * MINUTE)
    alert.refresh_from_db()
    assert alert.on_duty is None
    assert alert.steps.filter(person=None).exists()
    User.objects.filter(pk=manager.pk).update(is_active=True)
    page = client.get("/clinic/alerts/?scope=site").content.decode()
    assert "1 alert can reach nobody" in page
    assert "Ruth Adeyemi" in page


# --- absences ------------------------------------------------------------------------------------


def test_given_nonsense_then_an_absence_is_refused_in_words(site, physio, colleague, stranger):
    for wrong, said in [
        ({"ends": MONDAY - DAY, "begins": MONDAY - 2 * DAY}, "over already"),
        ({"ends": MONDAY, "begins": MONDAY + DAY}, "ends before it begins"),
        ({"ends": MONDAY + 900 * DAY}, "more than a year"),
    ]:
        with pytest.raises(ValidationError, match=said):
            away(physio, colleague, **wrong)
    with pytest.raises(ValidationError, match="cannot stand in"):
        away(physio, stranger)
    with pytest.raises(ValidationError, match="cannot stand in"):
        away(physio, physio)
    away(physio, colleague)
    with pytest.raises(ValidationError, match="another absence"):
        away(physio, colleague, begins=MONDAY + DAY, ends=MONDAY + 9 * DAY)
    with pytest.raises(ValidationError, match="country code"):
        set_reach(user=physio, mobile="07700 900111", usual_cover=None, by=physio, at=MONDAY)


def test_given_a_colleagues_absence_then_only_a_manager_of_the_site_enters_it(
    site, physio, colleague, manager, stranger
):
    for by in (colleague, stranger):
        with pytest.raises(PermissionDenied):
            away(physio, colleague, by=by)
    assert away(physio, colleague, by=manager).entered_by == manager


# --- seeing and closing --------------------------------------------------------------------------


def test_given_two_who_act_then_the_first_stands_and_the_outcome_is_a_state_of_its_own(
    site, physio, colleague
):
    alert = raised(site, physio)
    alerts.acknowledge(alert=alert, by=colleague, at=MONDAY + MINUTE)
    kept = alerts.acknowledge(alert=alert, by=physio, at=MONDAY + HOUR)
    assert (kept.acknowledged_by, kept.is_closed) == (colleague, False)
    assert list(Alert.objects.unresolved()) == [kept]
    kept = alerts.resolve(alert=alert, by=physio, kind="contacted", at=MONDAY + HOUR)
    again = alerts.resolve(alert=alert, by=colleague, kind="referred", at=MONDAY + DAY)
    assert (again.resolved_by, again.outcome_kind) == (physio, "contacted")


def test_given_no_action_without_words_or_another_site_then_it_is_refused(
    site, physio, stranger, front_desk
):
    alert = raised(site, physio)
    with pytest.raises(ValidationError, match="why nothing was needed"):
        alerts.resolve(alert=alert, by=physio, kind="no_action", at=MONDAY)
    with pytest.raises(ValidationError, match="Choose"):
        alerts.resolve(alert=alert, by=physio, kind="", at=MONDAY)
    for by in (stranger, front_desk):
        with pytest.raises(PermissionDenied):
            alerts.acknowledge(alert=alert, by=by, at=MONDAY)


def test_given_a_reason_then_an_alert_has_another_owner_who_is_told(
    site, physio, colleague, stranger
):
    alert = raised(site, physio)
    give = {"alert": alert, "by": physio, "at": MONDAY + MINUTE}
    with pytest.raises(ValidationError, match="Say why"):
        alerts.reassign(to=colleague, reason=" ", **give)
    with pytest.raises(ValidationError, match="does not answer"):
        alerts.reassign(to=stranger, reason="Mine is full", **give)
    kept = alerts.reassign(to=colleague, reason="Knows her", **give)
    assert (kept.owner, kept.on_duty) == (colleague, colleague)
    assert told(alert)[-1] == ("reassigned", "Jonas", "email")
    assert alert.reassignments.get().reason == "Knows her"


def test_given_a_seen_alert_is_given_away_then_the_message_goes_out_until_they_see_it(
    site, physio, colleague, manager
):
    alert = raised(site, physio)
    alerts.acknowledge(alert=alert, by=physio, at=MONDAY + MINUTE)
    give = {"alert": alert, "reason": "I leave at noon", "by": physio}
    alerts.reassign(to=colleague, at=MONDAY + HOUR, **give)
    assert told(alert)[-1] == ("reassigned", "Jonas", "email")
    assert goes_out(alert) == {"jonas@practice.example"}
    alerts.resolve(alert=alert, by=colleague, kind="contacted", at=MONDAY + 2 * HOUR)
    assert goes_out(alert) == set()
    # Given away first and seen by the one before: the message waits for its reader all the same.
    second = raised(site, physio, number=2)
    alerts.reassign(to=colleague, at=MONDAY + HOUR, **give | {"alert": second})
    alerts.acknowledge(alert=second, by=physio, at=MONDAY + 2 * HOUR)
    assert goes_out(second) == {"jonas@practice.example"}
    third = raised(site, physio, number=3)
    alerts.reassign(to=colleague, at=MONDAY + HOUR, **give | {"alert": third})
    alerts.acknowledge(alert=third, by=colleague, at=MONDAY + 2 * HOUR)
    assert goes_out(third) == set()


def goes_out(alert: Alert) -> set[str]:
    """The addresses of what still waits and nobody objects to."""
    waiting = list(OutboxMessage.objects.about("alert", alert.pk).filter(status=Status.DUE))
    held = alert_still_unseen(None, messages=waiting)
    return {message.address for message in waiting if message.pk not in held}


# --- at once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_given_watches_and_somebody_who_sees_it_at_once_then_no_step_is_double_or_late(
    site, physio, manager
):
    made = [raised(site, physio, number=number) for number in range(12)]
    start, errors = threading.Barrier(4), []

    def run(work) -> None:
        try:
            start.wait()
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    standing: dict[int, int] = {}

    def see() -> None:
        for alert in made:
            alerts.acknowledge(alert=alert, by=manager, at=MONDAY + HOUR)
            standing[alert.pk] = alert.steps.count()

    def watch() -> None:
        for minute in range(30, 150, 15):
            watching.watch(at=MONDAY + minute * MINUTE)

    threads = [threading.Thread(target=run, args=(work,)) for work in (see, watch, watch, watch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors, errors[0]
    for alert in made:
        steps = list(alert.steps.values_list("stage", "person", "channel"))
        assert len(steps) == len(set(steps)) == standing[alert.pk]
    waiting = OutboxMessage.objects.exclude(status=Status.SUPPRESSED)
    assert not waiting.exists()


def test_given_a_worker_killed_between_planning_and_sending_then_another_sends_what_was_planned(
    site, physio, manager, monkeypatch
):
    alert = raised(site, physio)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("clinic.watching.outbox.write", killed)
        with pytest.raises(KeyboardInterrupt):
            watching.watch(at=MONDAY + HOUR)
    # Half a step is no step: the next watch finds the alert as it was.
    assert told(alert) == [("raised", "Ruth", "email")]
    watching.watch(at=MONDAY + HOUR + MINUTE)
    keys = set(alert.steps.values_list("message_key", flat=True))
    messages = OutboxMessage.objects.filter(key__in=keys)
    assert messages.count() == len(keys)
    assert sending.sweep(at=MONDAY + HOUR + MINUTE).expired == 0
