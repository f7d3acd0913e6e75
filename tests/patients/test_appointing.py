"""Appointments: one at a time, right on every clock, and reminded of once."""

import datetime as dt
import threading
import time

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from clinic.messaging.filling import not_gsm, sent_length
from clinic.messaging.sending import send_all_due
from clinic.messaging.texts import SMS_LENGTH, link_length
from clinic.models import OutboxMessage, Role
from clinic.quiet_hours import local_moment
from patients import appointing, appointment_reminders
from patients.appointing import (
    cancel_appointment,
    close_feed,
    feed_of,
    make_appointment,
    move_appointment,
    open_feed,
    settle_appointment,
)
from patients.calendar_files import feed_for, file_for_patient
from patients.consenting import withdraw_consent
from patients.models import Appointment
from tests.conftest import MONDAY, make_staff

WEDNESDAY = MONDAY + dt.timedelta(days=2, hours=2)


@pytest.fixture
def book(patient, physio):
    def book(starts_at=WEDNESDAY, minutes=30, **fields) -> Appointment:
        said = {"patient": patient, "physiotherapist": physio, "by": physio, "at": MONDAY}
        return make_appointment(starts_at=starts_at, minutes=minutes, **(said | fields))

    return book


def written():
    return OutboxMessage.objects.filter(kind="appointment_reminder").order_by("channel")


# --- booking -------------------------------------------------------------------------------------


def test_the_same_appointment_asked_for_twice_is_one(book):
    assert book().pk == book().pk
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("shift", [-15, 0, 15])
def test_nobody_is_booked_twice_at_one_time(book, make_patient, shift):
    book()
    with pytest.raises(ValidationError, match=r"Ruth Adeyemi has another .* 10:00 to 10:30"):
        book(WEDNESDAY + dt.timedelta(minutes=shift), patient=make_patient("Ben"))
    book(WEDNESDAY + dt.timedelta(minutes=30), patient=make_patient("Cleo"))


def test_a_patient_is_in_one_place_at_a_time(book, site):
    book()
    other = make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber")
    with pytest.raises(ValidationError, match="Ana Morales has another"):
        book(physiotherapist=other)


def test_a_cancelled_time_is_free_again(book, make_patient, physio):
    cancel_appointment(appointment=book(), reason="Ill.", by=physio, at=MONDAY)
    assert book(patient=make_patient("Ben")).status == "planned"


@pytest.mark.database
def test_the_database_itself_refuses_a_second_booking(book, make_patient):
    first = book()
    double = Appointment(
        patient=make_patient("Ben"),
        physiotherapist=first.physiotherapist,
        site=first.site,
        starts_at=first.starts_at + dt.timedelta(minutes=5),
        ends_at=first.ends_at,
        made_by=first.made_by,
        made_at=MONDAY,
    )
    with pytest.raises(IntegrityError, match="one_at_a_time"), transaction.atomic():
        double.save()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_two_at_the_desk_at_once_make_one_appointment(book, make_patient):
    patients = [make_patient(name) for name in ("Ben", "Cleo")]
    said = []

    def press(patient):
        try:
            said.append(book(patient=patient).pk)
        except ValidationError:
            said.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[patient]) for patient in patients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pk is None for pk in said) == [False, True]
    assert Appointment.objects.count() == 1


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_given_two_desks_at_once_when_one_patient_is_booked_with_two_then_one_stands(
    book, physio, site, monkeypatch
):
    # given a moment between the look at what is taken and the booking
    save = appointing._save
    monkeypatch.setattr(appointing, "_save", lambda row: (time.sleep(0.2), save(row)))
    said = []

    def press(who):
        try:
            said.append(book(physiotherapist=who).pk)
        except ValidationError:
            said.append(None)
        finally:
            connection.close()

    others = [physio, make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber")]
    threads = [threading.Thread(target=press, args=[who]) for who in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pk is None for pk in said) == [False, True]
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 600}, "minutes"),
        ({"starts_at": MONDAY - dt.timedelta(days=1)}, "starts_at"),
        ({"starts_at": MONDAY + dt.timedelta(days=800)}, "starts_at"),
    ],
)
def test_an_appointment_that_cannot_be_is_refused(book, wrong, field):
    with pytest.raises(ValidationError) as refused:
        book(**wrong)
    assert field in refused.value.message_dict


def test_only_a_physiotherapist_of_the_site_is_booked(book, manager, stranger):
    for somebody in (manager, stranger):
        with pytest.raises(ValidationError) as refused:
            book(physiotherapist=somebody)
        assert "physiotherapist" in refused.value.message_dict


def test_another_site_books_and_moves_nothing(book, stranger):
    with pytest.raises(PermissionDenied):
        book(by=stranger)
    with pytest.raises(PermissionDenied):
        cancel_appointment(appointment=book(), reason="x", by=stranger, at=MONDAY)


def test_cancelling_needs_a_reason_and_ends_it(book, physio):
    appointment = book()
    with pytest.raises(ValidationError, match="Say why"):
        cancel_appointment(appointment=appointment, reason=" ", by=physio, at=MONDAY)
    cancel_appointment(appointment=appointment, reason="Ill.", by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="over: cancelled"):
        move_appointment(
            appointment=appointment,
            starts_at=WEDNESDAY + dt.timedelta(days=1),
            minutes=30,
            by=physio,
            at=MONDAY,
        )


def test_given_a_patient_who_changed_sites_then_the_new_site_moves_and_cancels(
    book, patient, other_site, stranger, physio
):
    appointment = book()
    with pytest.raises(PermissionDenied):
        cancel_appointment(appointment=appointment, reason="Ill.", by=stranger, at=MONDAY)
    patient.site = other_site
    patient.save(update_fields=["site"])
    moved = move_appointment(
        appointment=appointment,
        starts_at=WEDNESDAY,
        minutes=30,
        physiotherapist=stranger,
        by=stranger,
        at=MONDAY,
    )
    assert (moved.physiotherapist, moved.site) == (stranger, other_site)
    gone = cancel_appointment(appointment=moved, reason="Ill.", by=stranger, at=MONDAY)
    assert gone.status == "cancelled"


def test_whether_somebody_came_is_said_afterwards_and_can_be_corrected(book, physio):
    appointment = book()
    with pytest.raises(ValidationError, match="still to come"):
        settle_appointment(appointment=appointment, came=True, by=physio, at=MONDAY)
    for came, status in ((False, "missed"), (True, "attended")):
        kept = settle_appointment(appointment=appointment, came=came, by=physio, at=WEDNESDAY)
        assert kept.status == status


# --- reminders -----------------------------------------------------------------------------------


def test_a_day_before_each_agreed_way_is_written_to_once(book):
    appointment = book()
    before = WEDNESDAY - dt.timedelta(days=1)
    assert appointment_reminders.plan(at=before - dt.timedelta(minutes=1)) == 0
    assert appointment_reminders.plan(at=before) == 2
    assert appointment_reminders.plan(at=before + dt.timedelta(minutes=1)) == 0
    mail, text = written()
    assert (mail.due_at, mail.expires_at) == (before, appointment.starts_at)
    assert "Wednesday 4 March" in text.text.body and "10:00" in text.text.body
    assert len(text.text.body) < SMS_LENGTH


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
@pytest.mark.parametrize("name", ["Harbour Street", "Praxis am Alten Hafen und Partner " * 3])
def test_the_mail_has_a_link_to_stop_and_the_text_is_one_that_says_how(
    book, patient, language, name
):
    patient.language, patient.site.name = language, name[:120].strip()
    patient.save(), patient.site.save()
    book()
    appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(days=1))
    mail, text = written()
    assert mail.text.body.endswith(":\n{stop_link}")
    assert mail.text.body.index("{link}") < mail.text.body.index("{stop_link}")
    assert sent_length(text.text.body, link_length()) <= SMS_LENGTH
    assert not_gsm(text.text.body.replace("{link}", "")) == []
    assert "STOP" in text.text.body
    assert name[:10] in text.text.body and "10:00" in text.text.body


def test_no_message_says_anything_of_health(book, patient):
    book()
    appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(days=1))
    for message in written():
        words = f"{message.text.subject_line} {message.text.body}".lower()
        for word in ("pain", "back", "exercise", "physio", patient.family_name.lower()):
            assert word not in words.replace("back?", "")


def test_who_booked_within_the_day_is_not_reminded(book):
    book(WEDNESDAY, at=WEDNESDAY - dt.timedelta(hours=5))
    assert appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(hours=4)) == 0


@pytest.mark.parametrize("hour", [6, 22])
def test_the_site_never_writes_at_night(book, hour, patient):
    starts_at = local_moment(WEDNESDAY.date(), dt.time(hour), patient.site.zone)
    due = appointment_reminders.due_at(book(starts_at))
    assert 8 <= due.astimezone(patient.zone).hour < 21
    assert due < starts_at


@given(
    day=st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)),
    time=st.times(),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe"]),
)
def test_a_reminder_comes_before_and_never_at_night_whatever_the_clocks_do(day, time, zone):
    from clinic.models import Site
    from patients.models import Patient

    site = Site(time_zone=zone, quiet_start=dt.time(8), quiet_end=dt.time(21))
    row = Appointment(patient=Patient(time_zone=zone), site=site)
    row.starts_at = local_moment(day, time.replace(second=0, microsecond=0), site.zone)
    due = appointment_reminders.due_at(row)
    assert dt.timedelta(hours=8) < row.starts_at - due <= dt.timedelta(hours=25)
    assert dt.time(8) <= due.astimezone(site.zone).time() < dt.time(21)


def objection(at):
    return set(appointment_reminders.objections(messages=list(written()), at=at).values())


@pytest.fixture
def planned(book):
    appointment = book()
    appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(days=1))
    return appointment


BEFORE = WEDNESDAY - dt.timedelta(hours=23)


def test_nothing_stands_against_a_planned_one(planned):
    assert objection(BEFORE) == set()


def test_a_cancelled_one_is_not_reminded_of(planned, physio):
    cancel_appointment(appointment=planned, reason="Ill.", by=physio, at=BEFORE)
    assert objection(BEFORE) == {appointment_reminders.CANCELLED}


def test_one_moved_after_planning_is_reminded_of_at_its_new_time_only(planned, physio):
    later = WEDNESDAY + dt.timedelta(days=5)
    move_appointment(appointment=planned, starts_at=later, minutes=30, by=physio, at=BEFORE)
    assert objection(BEFORE) == {appointment_reminders.MOVED}
    assert appointment_reminders.plan(at=later - dt.timedelta(days=1)) == 2
    assert written().count() == 4


def there_and_back(appointment, physio) -> None:
    for starts_at in (WEDNESDAY + dt.timedelta(days=5), WEDNESDAY):
        move_appointment(
            appointment=appointment, starts_at=starts_at, minutes=30, by=physio, at=BEFORE
        )


def test_given_a_reminder_held_back_when_it_is_moved_back_then_it_is_reminded_of_anew(
    planned, physio
):
    written().update(
        status="suppressed",
        reason=appointment_reminders.MOVED,
        settled_at=BEFORE,
        wake_at=None,
    )
    there_and_back(planned, physio)
    assert appointment_reminders.plan(at=BEFORE) == 2
    assert appointment_reminders.plan(at=BEFORE) == 0
    anew = written().filter(status="due")
    assert {appointment_reminders.appointment_of(message) for message in anew} == {planned.pk}
    assert objection(BEFORE) == set()


def test_given_a_reminder_that_still_waits_when_it_is_moved_back_then_that_one_goes(
    planned, physio
):
    there_and_back(planned, physio)
    assert appointment_reminders.plan(at=BEFORE) == 0
    assert written().count() == 2 and objection(BEFORE) == set()


def test_who_took_consent_back_is_not_written_to(planned, patient, physio):
    withdraw_consent(patient=patient, purpose="sms", by=physio, way="in_person", at=BEFORE)
    assert objection(BEFORE) == {appointment_reminders.NO_CONSENT}


def test_what_comes_too_late_is_held_back(planned):
    assert objection(WEDNESDAY) == {appointment_reminders.OVER}


# Nothing ran from before the reminder was due until deep in the night before the appointment.
NIGHT = WEDNESDAY - dt.timedelta(hours=12)
MORNING = WEDNESDAY - dt.timedelta(hours=2)


@pytest.fixture
def carriers(settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True


@pytest.mark.django_db(transaction=True)
def test_given_planning_that_comes_at_night_then_the_reminder_goes_out_in_the_morning(
    carriers, book
):
    book()
    assert appointment_reminders.plan(at=NIGHT) == 2
    assert {message.due_at for message in written()} == {MORNING}
    assert send_all_due(at=NIGHT).claimed == 0
    assert send_all_due(at=MORNING).sent == 2


@pytest.mark.django_db(transaction=True)
def test_given_a_sender_that_comes_at_night_then_the_reminder_waits_for_the_morning(
    carriers, planned
):
    report = send_all_due(at=NIGHT)
    assert (report.put_back, report.suppressed) == (2, 0)
    assert {(message.status, message.wake_at) for message in written()} == {("due", MORNING)}
    assert send_all_due(at=MORNING).sent == 2


@pytest.mark.django_db(transaction=True)
def test_given_one_cancelled_while_its_reminder_waits_for_the_morning_then_none_goes(
    planned, physio
):
    send_all_due(at=NIGHT)
    cancel_appointment(appointment=planned, reason="Ill.", by=physio, at=NIGHT)
    assert send_all_due(at=MORNING).suppressed == 2
    assert {message.reason for message in written()} == {appointment_reminders.CANCELLED}


@pytest.mark.django_db(transaction=True)
def test_given_no_allowed_hour_before_the_appointment_then_the_reminder_is_held_back(book, patient):
    early = local_moment(WEDNESDAY.date(), dt.time(7, 30), patient.site.zone)
    book(early)
    late = early - dt.timedelta(hours=3)
    assert appointment_reminders.plan(at=late) == 2
    assert send_all_due(at=late).suppressed == 2
    assert {message.reason for message in written()} == {appointment_reminders.OUTSIDE_HOURS}


def test_without_consent_nothing_is_planned(make_patient, book):
    book(patient=make_patient("Ben", consents=["record"]))
    assert appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(days=1)) == 0


def test_a_yes_to_words_that_spoke_of_routines_alone_is_none_to_appointments(book, patient):
    book()
    patient.consents.filter(purpose="email").update(wording_version="2026-11")
    appointment_reminders.plan(at=WEDNESDAY - dt.timedelta(days=1))
    assert {message.channel for message in written()} == {"sms"}


# --- calendars -----------------------------------------------------------------------------------


def events(data: bytes):
    return list(Calendar.from_ical(data).walk("VEVENT"))


def test_the_feed_says_when_and_whose_number_and_nothing_else(book, patient, physio):
    appointment = book()
    data = feed_for(physio, at=MONDAY)
    [event] = events(data)
    assert event["summary"] == f"Appointment {patient.number}"
    assert (event.start, event.end) == (appointment.starts_at, appointment.ends_at)
    for secret in (patient.family_name, patient.given_name, "pain", "Desk"):
        assert secret not in data.decode()


def test_a_calendar_shows_the_hour_of_the_site_on_both_sides_of_the_change(book, site, physio):
    # The clocks of London go forward on 29 March 2026.
    for day in (27, 30):
        book(local_moment(dt.date(2026, 3, day), dt.time(9, 30), site.zone))
    hours = [
        event.start.astimezone(site.zone).time() for event in events(feed_for(physio, at=MONDAY))
    ]
    assert hours == [dt.time(9, 30)] * 2
    raw = feed_for(physio, at=MONDAY).decode()
    assert "DTSTART:20260327T093000Z" in raw and "DTSTART:20260330T083000Z" in raw


def test_moving_tells_calendars_anew_under_the_same_name(book, patient, physio):
    appointment = book()
    [before] = events(file_for_patient(appointment, language="en", at=MONDAY))
    moved = move_appointment(
        appointment=appointment,
        starts_at=WEDNESDAY + dt.timedelta(hours=1),
        minutes=30,
        by=physio,
        at=MONDAY,
    )
    [after] = events(file_for_patient(moved, language="en", at=MONDAY))
    assert before["uid"] == after["uid"] and after["sequence"] > before["sequence"]


def test_a_cancelled_one_leaves_the_feed_and_is_cancelled_in_the_patients_file(book, physio):
    gone = cancel_appointment(appointment=book(), reason="Ill.", by=physio, at=MONDAY)
    assert events(feed_for(physio, at=MONDAY)) == []
    [event] = events(file_for_patient(gone, language="en", at=MONDAY))
    assert event["status"] == "CANCELLED"


def test_a_new_private_address_ends_the_one_before(physio, manager):
    first = open_feed(user=physio, at=MONDAY)
    second = open_feed(user=physio, at=MONDAY)
    assert feed_of(first) is None and feed_of(second).user == physio
    close_feed(user=physio, at=MONDAY)
    assert feed_of(second) is None
    with pytest.raises(PermissionDenied):
        open_feed(user=manager, at=MONDAY)
