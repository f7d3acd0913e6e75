"""The page of messages whose fate nobody knows: who sees it, and what its buttons do."""

import datetime as dt
import uuid

import pytest
import time_machine
from django.urls import reverse

from clinic.alerts import raise_alert
from clinic.messaging import receipts, settling
from clinic.messaging.ledger import Ledger
from clinic.models import AccessRecord, Alert, OutboxMessage, Role
from patients.caring import invite_carer
from tests.clinic.enquiring import enquiry_at
from tests.clinic.fates import Status, mail, reminder
from tests.conftest import MONDAY, make_staff
from tests.reading import html_of

pytestmark = pytest.mark.django_db

LATER = MONDAY + dt.timedelta(hours=2)
PAGE = "/clinic/messages/unknown/"
Kind = OutboxMessage.Kind
# What follows the kind in the keys of those who write them; ``{program}`` is a program's id.
AN_ID = "0c1d5a52-4f0e-4a7e-9b1c-6a1f00000001"
KEYS = {
    Kind.ROUTINE_REMINDER: "{program}:2026-03-02:sms",
    Kind.SECOND_NUDGE: "{program}:2026-03-02:sms",
    Kind.SILENCE: "{program}:2026-03-02:sms",
    Kind.STAFF_ALERT: f"{AN_ID}:0:7:sms",
    Kind.REPLY: "12",
    Kind.INVITATION: AN_ID,
    Kind.ENQUIRY_CONFIRM: AN_ID,
    Kind.ENQUIRY_GUIDE: AN_ID,
    Kind.APPOINTMENT_REMINDER: f"{AN_ID}:20260303T0900Z:1:sms",
    Kind.ROUTINE_CHANGED: "{program}:1:sms",
}


@pytest.fixture(autouse=True)
def that_day():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def unknown(patient):
    return reminder(Status.UNKNOWN, subject_id=patient.pk, key="routine_reminder:7:2026-03-02:sms")


def press(client, message, what: str):
    return client.post(PAGE, {"message": str(message.pk), "do": what}, follow=True)


def fate(message) -> str:
    message.refresh_from_db()
    return message.status


# --- who sees it -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["physio", "front_desk", "manager"])
def test_given_staff_of_the_site_then_they_see_whom_it_was_for_and_not_what_it_said(
    client, request, role, unknown, patient
):
    client.force_login(request.getfixturevalue(role))
    page = html_of(client.get(PAGE))
    assert patient.name in page
    assert "Your routine is ready" not in page
    assert page.count('name="do"') == 3
    assert AccessRecord.objects.filter(page="unknown_messages").count() == 1
    assert f'href="{reverse("admin:unknown_messages")}"' in page


def test_given_staff_of_another_site_then_they_neither_see_nor_touch_it(client, stranger, unknown):
    client.force_login(stranger)
    assert "Every message of the last two weeks has a known fate." in html_of(client.get(PAGE))
    for what in ("got_it", "again", "leave"):
        assert press(client, unknown, what).status_code == 404
    assert fate(unknown) == Status.UNKNOWN


def test_given_a_patient_or_nobody_then_the_page_is_closed(client, patient, unknown):
    assert client.get(PAGE).status_code == 302
    client.force_login(patient.user)
    assert client.get(PAGE).status_code == 403
    assert press(client, unknown, "leave").status_code == 403


def test_given_an_alert_of_unknown_fate_then_clinical_eyes_see_it_and_the_front_desk_does_not(
    client, site, physio, front_desk
):
    alert = raise_alert(
        severity=Alert.Severity.SAME_DAY,
        subject_type="patient",
        subject_id=uuid.uuid4(),
        site=site,
        owner=physio,
        summary="Something to look at.",
        key="k",
        at=MONDAY,
    )
    OutboxMessage.objects.about("alert", alert.pk).update(
        status="unknown", reason="x", wake_at=None, settled_at=MONDAY
    )
    client.force_login(front_desk)
    assert physio.email not in html_of(client.get(PAGE))
    client.force_login(physio)
    assert physio.email in html_of(client.get(PAGE))


def lost(subject_type: str, subject_id: object, kind: str, address: str) -> OutboxMessage:
    channel = "sms" if address.startswith("+") else "email"
    return reminder(
        Status.UNKNOWN,
        kind=kind,
        channel=channel,
        subject_line="" if channel == "sms" else "A line",
        subject_type=subject_type,
        subject_id=subject_id,
        address=address,
    )


@pytest.fixture
def to_others(site, patient):
    """Messages that went to a carer, to somebody who enquired, and to a telephone of a family."""
    tom = invite_carer(
        patient=patient, name="Tom", address="tom@mail.example", by=patient.user, at=MONDAY
    )
    asked = enquiry_at(site, given_name="Ilse", family_name="Okonkwo", email="ilse@mail.example")
    telephone = patient.contact_points.get(channel="sms").address
    return [
        (lost("carer", tom.pk, Kind.INVITATION, tom.address), "A carer of"),
        (lost("enquiry", asked.pk, Kind.ENQUIRY_GUIDE, asked.email), "Ilse Okonkwo"),
        (lost("incoming_text", 12, Kind.REPLY, telephone), "A telephone that several people share"),
    ]


@pytest.mark.parametrize("role", ["physio", "front_desk", "manager"])
def test_given_messages_to_carers_enquirers_and_families_then_staff_of_the_site_find_each(
    client, request, role, to_others, stranger
):
    client.force_login(stranger)
    assert "has a known fate" in html_of(client.get(PAGE))
    for message, _ in to_others:
        assert press(client, message, "again").status_code == 404
    client.force_login(request.getfixturevalue(role))
    page = html_of(client.get(PAGE))
    for message, to in to_others:
        assert message.address in page
        assert to in page
    for message, _ in to_others:
        press(client, message, "got_it")
        assert fate(message) == Status.DELIVERED


def test_given_a_message_of_which_nobody_knows_the_site_then_managers_find_it_and_nobody_else(
    client, manager, physio, front_desk, stranger
):
    gone = lost("enquiry", uuid.uuid4(), Kind.ENQUIRY_CONFIRM, "who@mail.example")
    for person in (physio, front_desk, stranger):
        client.force_login(person)
        assert "has a known fate" in html_of(client.get(PAGE))
    client.force_login(manager)
    page = html_of(client.get(PAGE))
    assert "who@mail.example" in page
    assert "Somebody whose record is gone" in page
    press(client, gone, "leave")
    assert "has a known fate" in html_of(client.get(PAGE))


def test_given_a_manager_of_another_site_then_what_belongs_to_this_one_stays_hidden(
    client, other_site, unknown, to_others
):
    client.force_login(make_staff(other_site, Role.MANAGER, "Nia Osei"))
    assert "has a known fate" in html_of(client.get(PAGE))


def test_given_a_code_then_not_even_a_manager_can_send_it_again(client, manager):
    code = lost("user", 3, Kind.SIGN_IN_CODE, "who@mail.example")
    client.force_login(manager)
    assert press(client, code, "again").status_code == 404


# --- what the buttons do ---------------------------------------------------------------------


def test_given_that_the_patient_got_it_then_it_is_delivered_and_it_is_kept_who_said_so(
    client, front_desk, unknown
):
    client.force_login(front_desk)
    assert "Noted: it arrived." in html_of(press(client, unknown, "got_it"))
    assert fate(unknown) == Status.DELIVERED
    kept = AccessRecord.objects.get(action="change")
    assert (kept.actor, kept.subject_id) == (front_desk, unknown.subject_id)
    assert str(unknown.pk) in kept.page


def test_given_send_again_then_a_second_message_goes_out_and_the_first_stays_unknown(
    client, physio, unknown
):
    client.force_login(physio)
    assert "goes out again" in html_of(press(client, unknown, "again"))
    again = OutboxMessage.objects.get(key=f"{unknown.key}:again1")
    assert (again.status, again.wake_at, again.expires_at) == ("due", LATER, unknown.expires_at)
    assert (again.text, again.address, again.kind) == (unknown.text, unknown.address, unknown.kind)
    assert fate(unknown) == Status.UNKNOWN
    assert "has a known fate" in html_of(client.get(PAGE))
    assert AccessRecord.objects.get(action="change").actor == physio


def test_given_all_kinds_then_those_that_can_be_sent_again_are_known():
    # A code is asked for again by whoever waits for it.
    assert set(KEYS) == set(Kind) - {Kind.SIGN_IN_CODE}


@pytest.mark.parametrize("kind", KEYS, ids=str)
def test_given_any_kind_sent_again_when_its_sender_asks_then_the_answer_is_that_of_the_first(
    physio, patient, program, kind
):
    first = reminder(
        Status.UNKNOWN,
        kind=kind,
        key=f"{kind}:{KEYS[kind].format(program=program.pk)}",
        subject_id=patient.pk,
        local_date=MONDAY.date(),
    )
    again = settling.send_again(message=first, by=physio, at=LATER)
    OutboxMessage.objects.filter(pk=first.pk).update(
        status=Status.DUE, wake_at=LATER, settled_at=None, reason=""
    )
    book = Ledger(channel="sms", name="a sender")
    book.clock = lambda: LATER
    refill = book.refill(10)
    assert (refill.claimed, refill.put_back) == (2, 0)
    first.refresh_from_db()
    again.refresh_from_db()
    assert (again.status, again.reason) == (first.status, first.reason)


def test_given_send_again_twice_then_one_second_message(client, physio, unknown):
    client.force_login(physio)
    press(client, unknown, "again")
    assert "sent again already" in html_of(press(client, unknown, "again"))
    assert OutboxMessage.objects.count() == 2


def test_given_the_second_is_unknown_too_when_it_is_sent_again_then_it_is_the_second_time(
    physio, unknown
):
    again = settling.send_again(message=unknown, by=physio, at=LATER)
    OutboxMessage.objects.filter(pk=again.pk).update(
        status="unknown", reason="x", wake_at=None, settled_at=LATER
    )
    third = settling.send_again(message=again, by=physio, at=LATER)
    assert third.key == f"{unknown.key}:again2"


def test_given_its_time_is_over_then_there_is_no_button_and_no_way_round_it(
    client, physio, unknown
):
    client.force_login(physio)
    with time_machine.travel(unknown.expires_at, tick=False):
        page = html_of(client.get(PAGE))
        assert 'value="again"' not in page
        assert "Too late to send again" in page
        assert "time is over" in html_of(press(client, unknown, "again"))
    assert OutboxMessage.objects.count() == 1


def test_given_leave_it_then_it_stays_unknown_and_leaves_the_list(client, manager, unknown):
    client.force_login(manager)
    press(client, unknown, "leave")
    assert fate(unknown) == Status.UNKNOWN
    assert "has a known fate" in html_of(client.get(PAGE))


@pytest.mark.parametrize("what", ["got_it", "again", "leave"])
def test_given_a_receipt_that_came_meanwhile_then_staff_read_it_and_nothing_is_done(
    client, physio, unknown, what
):
    client.force_login(physio)
    receipts.record(message_id=unknown.pk, event="sent", at=LATER)
    assert "Its fate is known by now: sent." in html_of(press(client, unknown, what))
    assert OutboxMessage.objects.count() == 1
    assert fate(unknown) == Status.SENT


def test_given_a_left_message_when_its_receipt_comes_after_all_then_that_counts(physio, unknown):
    settling.leave_it(message=unknown, by=physio, at=LATER)
    receipts.record(message_id=unknown.pk, event="delivered", at=LATER)
    assert fate(unknown) == Status.DELIVERED


@pytest.mark.parametrize(
    "fields", [{}, {"message": "x", "do": "leave"}, {"message": str(uuid.uuid4()), "do": "leave"}]
)
def test_given_a_post_that_means_nothing_then_404(client, physio, fields):
    client.force_login(physio)
    assert client.post(PAGE, fields).status_code == 404


def test_given_mails_and_old_ones_then_only_those_of_two_weeks_are_listed(client, physio, patient):
    mail(Status.UNKNOWN, subject_id=patient.pk, address="new@patients.example")
    mail(
        Status.UNKNOWN,
        subject_id=patient.pk,
        address="old@patients.example",
        due_at=MONDAY - dt.timedelta(days=20),
    )
    mail(Status.SENT, subject_id=patient.pk, address="sent@patients.example")
    client.force_login(physio)
    page = html_of(client.get(PAGE))
    assert "new@patients.example" in page
    assert "old@patients.example" not in page
    assert "sent@patients.example" not in page
