"""The schedule follows the record, however it was changed, and whoever looks, whenever."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections

from clinic.messaging import outbox
from clinic.models import OutboxMessage, Site
from clinic.prepared import prepared_rows
from patients.models import CheckIn, Consent, ContactPoint, Patient
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs import last_look, reminder_reasons, reminders
from programs.adjusting import end_program
from programs.models import Program, ReminderChange, ReminderPattern, ReminderSchedule
from programs.reminders import PlanReport, plan_reminders, reconcile
from tests.conftest import MONDAY
from tests.living import report_session

Kind = OutboxMessage.Kind
Status = OutboxMessage.Status
HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR
pytestmark = pytest.mark.django_db


@pytest.fixture
def by_mail(make_patient, make_program) -> Program:
    program = make_program(patient=make_patient(phone=""))
    reminders.follow_changes(at=MONDAY - HOUR)
    return program


def row() -> ReminderSchedule:
    reminders.follow_changes(at=MONDAY - HOUR)
    return ReminderSchedule.objects.get()


# --- each change of the record ---------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize(
    ("change", "due_at"),
    [
        (lambda: ContactPoint.objects.update(reminder_time=dt.time(9)), MONDAY + HOUR),
        (lambda: ContactPoint.objects.update(reminder_days=0b0000010), MONDAY + DAY),
        (lambda: Patient.objects.update(time_zone="America/New_York"), MONDAY + 5 * HOUR),
        (lambda: Site.objects.update(quiet_start=dt.time(10)), MONDAY + 2 * HOUR),
        (
            lambda: Program.objects.update(started_on=MONDAY.date() + dt.timedelta(days=2)),
            MONDAY + 2 * DAY,
        ),
    ],
    ids=["hour", "days", "zone", "hours of the site", "start"],
)
def test_given_a_change_in_bulk_that_no_verb_knows_of_then_the_next_moment_follows(
    by_mail, change, due_at
):
    assert row().next_due_at == MONDAY
    change()
    assert row().next_due_at == due_at


@pytest.mark.parametrize(
    "change",
    [
        lambda: ContactPoint.objects.update(reminders=False),
        lambda: ContactPoint.objects.all().delete(),
        lambda: Program.objects.update(status="ended", ended_on=MONDAY.date() - DAY),
    ],
    ids=["turned off", "address removed", "ended"],
)
def test_given_nothing_is_to_come_then_there_is_no_row(by_mail, change):
    change()
    reminders.follow_changes(at=MONDAY - HOUR)
    assert not ReminderSchedule.objects.exists()
    assert plan_reminders(at=MONDAY) == PlanReport()


def test_given_reminders_turned_on_again_then_they_begin_with_the_next_and_not_with_the_past(
    by_mail,
):
    ContactPoint.objects.update(reminders=False)
    plan_reminders(at=MONDAY + 3 * DAY)
    ContactPoint.objects.update(reminders=True)
    assert plan_reminders(at=MONDAY + 5 * DAY + HOUR) == PlanReport()
    assert plan_reminders(at=MONDAY + 6 * DAY) == PlanReport(due=1)


def test_given_an_hour_moved_after_todays_reminder_then_today_is_not_reminded_of_twice(by_mail):
    assert plan_reminders(at=MONDAY) == PlanReport(due=1)
    ContactPoint.objects.update(reminder_time=dt.time(18))
    assert plan_reminders(at=MONDAY + 10 * HOUR) == PlanReport()
    assert plan_reminders(at=MONDAY + DAY + 10 * HOUR) == PlanReport(due=1)


def test_given_an_hour_moved_while_nobody_planned_then_the_reminder_that_was_due_is_not_lost(
    by_mail,
):
    ContactPoint.objects.update(reminder_time=dt.time(7))
    Site.objects.update(quiet_start=dt.time(9))
    assert plan_reminders(at=MONDAY + 2 * HOUR).written == 1


def test_given_a_program_assigned_after_todays_hour_then_tomorrow_is_the_first(
    make_patient, make_program
):
    make_program(patient=make_patient(phone=""), at=MONDAY + 3 * HOUR)
    assert plan_reminders(at=MONDAY + 3 * HOUR) == PlanReport()
    assert plan_reminders(at=MONDAY + DAY) == PlanReport(due=1)


def test_given_consent_given_and_taken_back_then_each_day_is_judged_as_it_stands(by_mail):
    Consent.objects.filter(purpose="email").update(
        withdrawn_at=MONDAY, withdrawn_by=by_mail.patient.physiotherapist, withdrawn_way="in_person"
    )
    plan_reminders(at=MONDAY)
    Consent.objects.filter(purpose="email").update(
        withdrawn_at=None, withdrawn_by=None, withdrawn_way=""
    )
    plan_reminders(at=MONDAY + DAY)
    said = OutboxMessage.objects.order_by("local_date").values_list("status", "reason")
    assert list(said) == [
        (Status.SUPPRESSED, "No consent to reminders by e-mail."),
        (Status.DUE, ""),
    ]


@pytest.mark.database
def test_given_a_schedule_nobody_kept_then_the_reconciliation_repairs_it(by_mail):
    wanted = ReminderSchedule.objects.values().get()
    ReminderChange.objects.all().delete()
    ReminderSchedule.objects.update(next_due_at=MONDAY + 9 * DAY, address="old@patients.example")
    assert reconcile(at=MONDAY - HOUR) == 1
    assert ReminderSchedule.objects.values().get() == wanted
    ReminderSchedule.objects.all().delete()
    assert reconcile(at=MONDAY - HOUR) == 1
    assert ReminderSchedule.objects.values().get() == wanted
    assert reconcile(at=MONDAY - HOUR) == 0


# --- two at once -----------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_given_two_planners_at_once_then_every_message_is_written_once(
    library, make_patient, make_program
):
    for number in range(15):
        make_program(patient=make_patient(f"P{number}"))
    start, reports = threading.Barrier(4), []

    def plan() -> None:
        try:
            start.wait(10)
            reports.append(plan_reminders(at=MONDAY + HOUR))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=plan) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Rows that one planner holds another leaves alone; the next wake-up takes what is left.
    reports.append(plan_reminders(at=MONDAY + HOUR))
    assert sum(report.due for report in reports) == 30 == OutboxMessage.objects.count()
    assert ReminderSchedule.objects.filter(next_due_at=MONDAY + DAY).count() == 30


@pytest.mark.database
def test_given_a_schedule_put_back_then_the_key_keeps_out_a_second_message(by_mail):
    before = ReminderSchedule.objects.values().get()
    assert plan_reminders(at=MONDAY) == PlanReport(due=1)
    ReminderSchedule.objects.update(
        next_due_at=before["next_due_at"], next_local_date=before["next_local_date"]
    )
    ReminderPattern.objects.update(next_due_at=before["next_due_at"])
    assert plan_reminders(at=MONDAY) == PlanReport()
    assert ReminderSchedule.objects.get().next_due_at == MONDAY + DAY


# --- what waits ------------------------------------------------------------------------------


def waiting() -> list[tuple[str, str]]:
    found = OutboxMessage.objects.filter(kind__in=OutboxMessage.REMINDERS)
    return list(found.values_list("status", "reason"))


def test_given_a_session_is_recorded_then_what_waits_is_held_back_at_once(by_mail):
    plan_reminders(at=MONDAY)
    report_session(by_mail, 0, at=MONDAY, day=MONDAY.date())
    assert waiting() == [(Status.SUPPRESSED, reminder_reasons.SESSION_DONE)]


def test_given_a_red_flag_then_what_waits_is_held_back_at_once(by_mail):
    plan_reminders(at=MONDAY)
    answers = dict.fromkeys((question.id for question in REPEATED), "no")
    answers[REPEATED[0].id] = "yes"
    answer_red_flags(
        patient=by_mail.patient, answers=answers, source="button", client_id=by_mail.pk, at=MONDAY
    )
    assert waiting() == [(Status.SUPPRESSED, reminder_reasons.SUSPENDED)]


def test_given_the_program_ends_then_what_waits_is_held_back_at_once(by_mail, physio):
    plan_reminders(at=MONDAY)
    end_program(program=by_mail, by=physio, reason="All goals reached.", at=MONDAY)
    assert waiting() == [(Status.SUPPRESSED, reminder_reasons.ENDED)]


# --- the last look ---------------------------------------------------------------------------


def plan_kind(program: Program, kind: str) -> OutboxMessage:
    """A message of this kind, as planning makes it."""
    program.patient.contact_points.update(second_nudge=True)
    for hours in (0, 4, 24, 48, 72):
        plan_reminders(at=MONDAY + hours * HOUR)
    message = OutboxMessage.objects.filter(kind=kind).earliest("due_at")
    OutboxMessage.objects.exclude(pk=message.pk).update(
        status=Status.SENT, settled_at=message.due_at - 4 * HOUR, wake_at=None
    )
    return message


def objection(message: OutboxMessage, at: dt.datetime | None = None) -> str:
    found = reminders.objections(messages=[message], at=at or message.due_at)
    return found.get(message.pk, "")


@pytest.mark.parametrize("kind", OutboxMessage.PLANNED)
def test_given_nothing_has_changed_then_every_kind_may_go_out(by_mail, kind):
    assert objection(plan_kind(by_mail, kind)) == ""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Kind.ROUTINE_REMINDER, ""),
        (Kind.SECOND_NUDGE, reminder_reasons.ANSWERED),
        (Kind.SILENCE, reminder_reasons.HEARD_FROM),
    ],
)
def test_given_an_answer_since_then_what_answers_to_silence_is_held_back(by_mail, kind, reason):
    message = plan_kind(by_mail, kind)
    CheckIn.objects.create(
        patient=by_mail.patient,
        kind="daily",
        client_id=by_mail.pk,
        day=message.local_date,
        at=message.due_at,
    )
    assert objection(message) == reason


def test_given_the_first_reminder_waits_or_came_late_then_the_nudge_does_not_follow_it(by_mail):
    nudge = plan_kind(by_mail, Kind.SECOND_NUDGE)
    first = OutboxMessage.objects.filter(kind=Kind.ROUTINE_REMINDER, local_date=nudge.local_date)
    first.update(settled_at=nudge.due_at - HOUR)
    assert objection(nudge) == reminder_reasons.JUST_SENT
    first.update(status=Status.DUE, wake_at=nudge.due_at, settled_at=None)
    assert objection(nudge) == reminder_reasons.JUST_SENT
    first.update(status=Status.SUPPRESSED, reason="Why not.", wake_at=None, settled_at=MONDAY)
    assert objection(nudge) == ""


def test_given_the_nudge_is_turned_off_since_then_only_the_nudge_is_held_back(by_mail):
    nudge = plan_kind(by_mail, Kind.SECOND_NUDGE)
    first = OutboxMessage.objects.filter(kind=Kind.ROUTINE_REMINDER).earliest("due_at")
    ContactPoint.objects.update(second_nudge=False)
    assert objection(nudge) == reminder_reasons.NOT_WANTED
    assert objection(first) == ""


@pytest.mark.database
def test_given_many_messages_then_the_last_look_asks_once(
    make_patient, make_program, django_assert_num_queries, monkeypatch
):
    for number in range(6):
        make_program(patient=make_patient(f"P{number}"))
    plan_reminders(at=MONDAY)
    Program.objects.filter(patient__given_name="P3").update(
        status="suspended", suspended_for="rule"
    )
    messages = list(OutboxMessage.objects.all())
    asked = []
    monkeypatch.setattr(
        last_look,
        "prepared_rows",
        lambda *said: asked.append(said) or prepared_rows(*said),
    )
    with django_assert_num_queries(0):
        found = reminders.objections(messages=messages, at=MONDAY)
    assert len(asked) == 1
    assert list(found.values()) == [reminder_reasons.SUSPENDED] * 2


def test_given_a_message_to_staff_then_it_is_none_of_our_business(by_mail):
    text = outbox.keep_text(channel="email", body="Look.")
    staff = outbox.draft(
        key="a",
        kind=Kind.STAFF_ALERT,
        channel="email",
        subject_type="patient",
        subject_id="1",
        address="a@b.example",
        text=text,
        due_at=MONDAY,
        expires_at=MONDAY + DAY,
        at=MONDAY,
    )
    assert reminders.objections(messages=[staff], at=MONDAY) == {}


# --- practices that run already --------------------------------------------------------------


@pytest.mark.database
def test_given_reminders_with_keys_of_before_then_after_the_upgrade_none_is_sent_again(
    by_mail, monkeypatch
):
    """The statements of the migration, on a practice that has reminded today."""
    import importlib

    migration = importlib.import_module("programs.migrations.0002_reminder_schedule")
    plan_reminders(at=MONDAY)
    OutboxMessage.objects.update(key=f"routine:{by_mail.pk}:2026-03-02:email")
    ReminderSchedule.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(migration.ONE_FORM_OF_KEY)
        cursor.execute(migration.BEGIN)
    assert OutboxMessage.objects.get().key == f"routine_reminder:{by_mail.pk}:2026-03-02:email"
    assert plan_reminders(at=MONDAY + HOUR) == PlanReport()
    assert plan_reminders(at=MONDAY + DAY) == PlanReport(due=1)
