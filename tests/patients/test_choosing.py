"""Hours, days and addresses of reminders, as patients and staff choose them."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from clinic.messaging import outbox
from clinic.models import OutboxMessage
from patients.choosing import (
    MOVED,
    NUDGE_OFF,
    TURNED_OFF,
    choose_reminders,
    remind_at,
    send_here,
    want_reminders,
)
from patients.contacting import remove_contact_point
from patients.models import ContactPoint
from patients.registering import add_contact_point
from tests.conftest import MONDAY
from tests.patients.test_consenting import HOUR, PHONE, fate, waiting

pytestmark = pytest.mark.django_db

Status = OutboxMessage.Status
MONDAY_BIT, TUESDAY_BIT = 1, 2


@pytest.fixture
def phone(patient) -> ContactPoint:
    return patient.contact_points.get(channel="sms")


def chosen(point):
    point.refresh_from_db()
    return point.reminder_time, point.reminder_days, point.second_nudge


# --- hour and days -----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["patient", "staff", "link"])
def test_given_the_patient_staff_or_a_link_then_hour_days_and_nudge_change(
    patient, phone, front_desk, who
):
    by = {"patient": patient.user, "staff": front_desk, "link": None}[who]
    choose_reminders(
        point=phone, time=dt.time(18, 30), days=TUESDAY_BIT, second_nudge=True, by=by, at=MONDAY
    )
    assert chosen(phone) == (dt.time(18, 30), TUESDAY_BIT, True)
    email = patient.contact_points.get(channel="email")
    assert chosen(email) == (dt.time(8), 127, False), "the other channel has its own"


def test_given_somebody_else_then_nothing_changes(patient, phone, make_patient, stranger):
    for by in (make_patient("Ben").user, stranger):
        with pytest.raises(PermissionDenied):
            choose_reminders(point=phone, days=TUESDAY_BIT, by=by, at=MONDAY)
        with pytest.raises(PermissionDenied):
            send_here(point=phone, by=by, at=MONDAY)
    assert chosen(phone) == (dt.time(8), 127, False)


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"time": dt.time(7, 59)}, "reminder_time"),
        ({"time": dt.time(21)}, "reminder_time"),
        ({"time": dt.time(18), "days": 0}, "reminder_days"),
        ({"time": dt.time(18), "days": 128}, "reminder_days"),
    ],
)
def test_given_an_hour_or_days_that_cannot_be_then_it_is_said_and_nothing_changes(
    patient, phone, choice, named
):
    with pytest.raises(ValidationError) as refused:
        choose_reminders(point=phone, by=patient.user, at=MONDAY, **choice)
    assert named in refused.value.message_dict
    assert chosen(phone) == (dt.time(8), 127, False)


def test_given_a_site_with_narrower_hours_then_its_own_hours_are_said(patient, phone, site):
    site.quiet_start, site.quiet_end = dt.time(9), dt.time(17)
    site.save()
    with pytest.raises(ValidationError, match="from 09:00 to 17:00"):
        choose_reminders(point=phone, time=dt.time(8), by=patient.user, at=MONDAY)


@pytest.mark.parametrize(
    ("choice", "held_back"),
    [
        ({"time": dt.time(18)}, True),
        ({"days": TUESDAY_BIT}, True),
        # It is due now as it is: nothing to hold back.
        ({"time": dt.time(8, 15)}, False),
        ({"days": MONDAY_BIT}, False),
        ({"second_nudge": True}, False),
    ],
)
def test_given_a_reminder_that_waits_then_moving_it_away_holds_it_back_at_once(
    patient, phone, choice, held_back
):
    message, mail = waiting(patient), waiting(patient, "email", patient.user.email)
    choose_reminders(point=phone, by=patient.user, at=MONDAY + HOUR, **choice)
    assert fate(message) == ((Status.SUPPRESSED, MOVED) if held_back else (Status.DUE, ""))
    assert fate(mail) == (Status.DUE, "")


def test_given_a_second_nudge_that_waits_then_turning_it_off_holds_back_that_one_only(
    patient, phone
):
    choose_reminders(point=phone, second_nudge=True, by=patient.user, at=MONDAY)
    first, nudge = waiting(patient), waiting(patient, kind="second_nudge")
    choose_reminders(point=phone, second_nudge=False, by=patient.user, at=MONDAY + HOUR)
    assert (fate(first), fate(nudge)) == ((Status.DUE, ""), (Status.SUPPRESSED, NUDGE_OFF))


def test_given_one_hour_from_staff_then_every_address_has_it(patient, physio):
    remind_at(patient=patient, time=dt.time(17), by=physio, at=MONDAY)
    assert set(patient.contact_points.values_list("reminder_time", flat=True)) == {dt.time(17)}


def test_given_an_address_that_was_removed_meanwhile_then_it_is_said(patient, phone, physio):
    remove_contact_point(point=ContactPoint.objects.get(pk=phone.pk), by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="not there any more"):
        choose_reminders(point=phone, days=TUESDAY_BIT, by=patient.user, at=MONDAY)


@pytest.mark.database
@pytest.mark.parametrize("days", [0, 128])
def test_given_no_day_at_all_then_the_database_refuses_it(phone, days):
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactPoint.objects.filter(pk=phone.pk).update(reminder_days=days)


# --- which address -----------------------------------------------------------------------------


def test_given_two_phones_then_reminders_go_to_the_one_that_was_chosen(patient, phone, physio):
    second = add_contact_point(patient=patient, channel="sms", address="+447700900456", by=physio)
    message = waiting(patient)
    send_here(point=second, by=patient.user, at=MONDAY)
    wanted = patient.contact_points.filter(channel="sms", reminders=True)
    assert list(wanted) == [second]
    assert fate(message) == (Status.SUPPRESSED, TURNED_OFF)
    assert patient.contact_points.get(channel="email").reminders


def test_given_a_new_address_then_it_takes_the_hours_of_the_first(patient, physio):
    remind_at(patient=patient, time=dt.time(17), by=physio, at=MONDAY)
    added = add_contact_point(patient=patient, channel="sms", address="+447700900456", by=physio)
    assert added.reminder_time == dt.time(17)


def test_given_an_address_turned_off_or_removed_then_what_waits_for_it_is_held_back(
    patient, phone, physio
):
    message = waiting(patient)
    want_reminders(point=phone, wanted=False, by=physio, at=MONDAY)
    assert fate(message) == (Status.SUPPRESSED, TURNED_OFF)
    want_reminders(point=phone, wanted=True, by=physio, at=MONDAY)
    other = waiting(patient, kind="silence")
    remove_contact_point(point=phone, by=physio, at=MONDAY)
    assert fate(other) == (Status.SUPPRESSED, "The address was removed.")


def test_given_a_no_to_one_of_two_numbers_then_staff_may_use_the_other(patient, phone, physio):
    second = add_contact_point(patient=patient, channel="sms", address="+447700900456", by=physio)
    want_reminders(point=phone, wanted=False, by=physio, at=MONDAY)
    outbox.suppress_address(channel="sms", address=PHONE, reason="STOP", at=MONDAY, by_owner=True)
    with pytest.raises(ValidationError, match="The owner of this number said no"):
        want_reminders(point=phone, wanted=True, by=physio, at=MONDAY)
    assert want_reminders(point=second, wanted=True, by=physio, at=MONDAY).reminders
