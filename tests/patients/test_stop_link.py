"""The link in a mail that stops reminders: one click in a mail program, or a page."""

import base64
import datetime as dt
import uuid

import pytest
import time_machine
from django.conf import settings as configured
from django.test import Client

from clinic.messaging import links
from clinic.models import OutboxMessage, Suppression
from patients.models import Consent
from tests.clinic.fates import Status, mail, reminder
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
LATER = MONDAY + dt.timedelta(hours=4)


@pytest.fixture(autouse=True)
def that_day():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def mail_program():
    """Posts without cookies, and would be stopped by a check of forms."""
    return Client(enforce_csrf_checks=True)


def mail_to(patient, status=Status.SENT, **fields) -> OutboxMessage:
    return mail(status, **{"subject_id": patient.pk, "address": email_of(patient), **fields})


def email_of(patient) -> str:
    return patient.contact_points.get(channel="email").address


def stop_path(message: OutboxMessage) -> str:
    return links.stop_link_for(message.pk).removeprefix(configured.BASE_URL)


def agrees(patient, purpose=Consent.Purpose.EMAIL) -> bool:
    return patient.consents.active().filter(purpose=purpose).exists()


def test_given_one_click_then_mails_stop_at_once_and_texts_go_on(mail_program, patient):
    message, waiting = mail_to(patient), mail_to(patient, Status.DUE)
    text = reminder(Status.DUE, subject_id=patient.pk)
    response = mail_program.post(stop_path(message), ONE_CLICK)
    assert response.status_code == 200
    assert not response.cookies
    assert not agrees(patient)
    assert agrees(patient, Consent.Purpose.SMS)
    found = Suppression.objects.in_force().get()
    assert (found.address, found.by_owner) == (email_of(patient), True)
    waiting.refresh_from_db()
    text.refresh_from_db()
    assert (waiting.status, text.status) == (Status.SUPPRESSED, Status.DUE)


def test_given_the_link_of_an_appointments_mail_then_it_stops_mails_too(mail_program, patient):
    message = mail_to(patient, kind="appointment_reminder")
    waiting = mail_to(patient, Status.DUE, kind="appointment_reminder")
    assert mail_program.get(stop_path(message)).status_code == 200
    assert mail_program.post(stop_path(message), ONE_CLICK).status_code == 200
    assert not agrees(patient)
    waiting.refresh_from_db()
    assert waiting.status == Status.SUPPRESSED


def test_given_a_shared_address_then_what_waits_of_the_ones_appointment_is_held_back(
    mail_program, make_patient
):
    ana = make_patient("Ana", email="family@patients.example")
    ben = make_patient("Ben", email="")
    ben.contact_points.create(channel="email", address="family@patients.example")
    waiting = mail_to(ana, Status.DUE, kind="appointment_reminder")
    of_ben = mail_to(ben, Status.DUE, kind="appointment_reminder")
    mail_program.post(stop_path(mail_to(ana)), ONE_CLICK)
    waiting.refresh_from_db()
    of_ben.refresh_from_db()
    assert (waiting.status, of_ben.status) == (Status.SUPPRESSED, Status.DUE)


def test_given_a_form_of_parts_as_some_mail_programs_send_it_then_it_stops_too(
    mail_program, patient
):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
        b"One-Click\r\n--b--\r\n"
    )
    response = mail_program.post(
        stop_path(mail_to(patient)), body, content_type="multipart/form-data; boundary=b"
    )
    assert response.status_code == 200
    assert not agrees(patient)


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_given_a_scanner_that_opens_every_link_then_nothing_changes(mail_program, patient, method):
    message = mail_to(patient)
    getattr(mail_program, method)(stop_path(message))
    assert agrees(patient)
    assert not Suppression.objects.exists()


def test_given_somebody_who_opens_the_link_then_one_button_asks_and_stops(client, patient):
    path = stop_path(mail_to(patient))
    asked = client.get(path)
    assert asked.status_code == 200
    page = asked.content.decode()
    assert "Stop these e-mails?" in page
    assert page.count("<button") == 1
    assert 'name="List-Unsubscribe" value="One-Click"' in page
    for secret in (patient.given_name, email_of(patient), "patients.example"):
        assert secret not in page
    done = client.post(path, ONE_CLICK)
    assert "Done. We will not e-mail you reminders." in done.content.decode()
    assert "My reminders" in done.content.decode()


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "Two-Click"}, {"x": "One-Click"}])
def test_given_a_post_that_asks_for_nothing_then_nothing_stops(mail_program, patient, body):
    assert mail_program.post(stop_path(mail_to(patient)), body).status_code == 400
    assert agrees(patient)


def test_given_the_link_twice_then_the_second_time_is_as_good_and_changes_nothing(
    mail_program, patient
):
    path = stop_path(mail_to(patient))
    for _ in range(3):
        assert mail_program.post(path, ONE_CLICK).status_code == 200
    assert Suppression.objects.count() == 1


def test_given_a_mail_of_a_year_ago_then_its_link_still_stops(mail_program, patient):
    message = mail_to(patient, due_at=MONDAY - dt.timedelta(days=500))
    assert mail_program.post(stop_path(message), ONE_CLICK).status_code == 200
    assert not agrees(patient)


def test_given_two_who_share_an_address_then_only_the_one_whose_mail_it_was_is_stopped(
    mail_program, make_patient
):
    ana = make_patient("Ana", email="family@patients.example")
    ben = make_patient("Ben", email="")
    ben.contact_points.create(channel="email", address="family@patients.example")
    to_ana, waiting = mail_to(ana), mail_to(ana, Status.DUE)
    to_ben = mail_to(ben, Status.DUE)
    mail_program.post(stop_path(to_ana), ONE_CLICK)
    assert (agrees(ana), agrees(ben)) == (False, True)
    assert not Suppression.objects.exists()
    waiting.refresh_from_db()
    to_ben.refresh_from_db()
    assert (waiting.status, to_ben.status) == (Status.SUPPRESSED, Status.DUE)
    mail_program.post(stop_path(to_ben), ONE_CLICK)
    assert not agrees(ben)
    assert Suppression.objects.in_force().get().address == "family@patients.example"


def wrong_tokens(message: OutboxMessage) -> list[str]:
    token = stop_path(message).removeprefix("/stop/")
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    raw = base64.urlsafe_b64encode(uuid.uuid4().bytes + b"0" * 10).decode().rstrip("=")
    return [flipped, raw, token[:-1], token + "A", links.token_for(message.pk), "x", "é"]


def test_given_a_wrong_token_then_a_gentle_page_without_a_word_about_anybody(mail_program, patient):
    message = mail_to(patient)
    pages = set()
    for token in wrong_tokens(message):
        for call in (mail_program.get, lambda path: mail_program.post(path, ONE_CLICK)):
            response = call(f"/stop/{token}")
            assert response.status_code == 404, token
            pages.add(response.content)
    assert len(pages) == 1
    assert "This link does not work" in pages.pop().decode()
    assert agrees(patient)


def test_given_the_token_of_stopping_then_it_opens_no_routine(client, patient):
    message = mail_to(patient)
    token = stop_path(message).removeprefix("/stop/")
    assert links.message_for(token, LATER) is None
    assert client.get(f"/r/{token}").status_code == 404


def test_given_an_alert_to_staff_or_a_text_then_no_link_stops_it(mail_program, patient):
    alert = mail_to(patient, kind=OutboxMessage.Kind.STAFF_ALERT)
    text = reminder(Status.SENT, subject_id=patient.pk)
    for message in (alert, text):
        assert mail_program.post(stop_path(message), ONE_CLICK).status_code == 404
    assert not Suppression.objects.exists()


def test_given_a_new_key_of_the_installation_then_links_of_before_still_stop(
    mail_program, patient, settings
):
    path = stop_path(mail_to(patient))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    assert mail_program.post(path, ONE_CLICK).status_code == 200
    assert not agrees(patient)
