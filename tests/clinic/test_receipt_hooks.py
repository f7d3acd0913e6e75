"""The doors through which carriers tell what became of a message."""

import base64
import hashlib
import hmac
import json
import uuid

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from django.urls import resolve
from twilio.request_validator import RequestValidator

from clinic.messaging import links, receipts
from clinic.models import OutboxMessage, Receipt, Suppression
from tests.clinic.fates import Status, mail, reminder

pytestmark = pytest.mark.django_db

TOKEN, SECRET = "the token of the account", "a secret both know"
SID = "SM" + "0123456789abcdef" * 2
# Not the host of the request: the address is the public one, whatever a proxy made of it.
PUBLIC = "https://back.practice.example"


@pytest.fixture(autouse=True)
def carriers(settings):
    settings.BASE_URL = PUBLIC
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.SMS_HTTP_SECRET = SECRET
    settings.ANYMAIL = {}
    settings.ANYMAIL_WEBHOOK_SECRET = ["post:office"]


@pytest.fixture
def carrier():
    """A caller that keeps no cookies and would be stopped by a check of forms."""
    return Client(enforce_csrf_checks=True)


def path_of(message: OutboxMessage, carrier: str = "twilio") -> str:
    return links.status_callback_for(message.pk, carrier).removeprefix(PUBLIC)


# --- Twilio ----------------------------------------------------------------------------------


def by_twilio(client, path: str, *, signed: str | None = None, token: str = TOKEN, **fields):
    """A call as Twilio makes it; ``signed`` is the address it signs, when that is another one."""
    fields = {"MessageSid": SID, "MessageStatus": "delivered", "AccountSid": "AC1", **fields}
    seal = RequestValidator(token).compute_signature(signed or PUBLIC + path, fields)
    return client.post(path, fields, headers={"X-Twilio-Signature": seal})


def test_given_twilio_s_seal_then_the_text_is_delivered_and_nothing_is_told(carrier):
    message = reminder()
    response = by_twilio(carrier, path_of(message))
    assert (response.status_code, response.content) == (204, b"")
    assert not response.cookies
    message.refresh_from_db()
    assert (message.status, message.carrier, message.carrier_reference) == (
        "delivered",
        "twilio",
        SID,
    )


@pytest.mark.parametrize("end", ["/", "?from=twilio", "/?a=1&b=%20x"])
def test_given_an_address_with_more_to_it_then_the_seal_over_exactly_that_holds(carrier, end):
    message = reminder()
    assert by_twilio(carrier, path_of(message) + end).status_code == 204
    assert message.receipts.exists()


@pytest.mark.parametrize("base", [PUBLIC + ":8443", "http://localhost:8000", PUBLIC + ":443"])
def test_given_a_port_in_our_address_then_the_seal_is_over_it_as_well(carrier, settings, base):
    settings.BASE_URL = base
    path = f"/hooks/twilio/status/{reminder().pk}"
    assert by_twilio(carrier, path, signed=base + path).status_code == 204


def test_given_the_host_of_the_request_in_the_seal_then_it_is_refused(carrier):
    path = path_of(reminder())
    assert by_twilio(carrier, path, signed="http://testserver" + path).status_code == 403


def test_given_a_seal_over_another_message_s_address_then_it_is_refused(carrier):
    message, other = reminder(), reminder()
    response = by_twilio(carrier, path_of(message), signed=PUBLIC + path_of(other))
    assert response.status_code == 403
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("seal", ["", "x", base64.b64encode(b"0" * 20).decode(), "\x7fé"])
def test_given_no_seal_or_a_wrong_one_then_it_is_refused(carrier, seal):
    message = reminder()
    fields = {"MessageSid": SID, "MessageStatus": "delivered"}
    headers = {"X-Twilio-Signature": seal} if seal else {}
    assert carrier.post(path_of(message), fields, headers=headers).status_code == 403
    assert not Receipt.objects.exists()


def test_given_fields_other_than_the_sealed_ones_then_it_is_refused(carrier):
    path = path_of(reminder())
    seal = RequestValidator(TOKEN).compute_signature(PUBLIC + path, {"MessageStatus": "sent"})
    fields = {"MessageStatus": "delivered"}
    response = carrier.post(path, fields, headers={"X-Twilio-Signature": seal})
    assert response.status_code == 403


def test_given_no_token_of_ours_then_everything_is_refused(carrier, settings):
    settings.TWILIO_AUTH_TOKEN = ""
    assert by_twilio(carrier, path_of(reminder()), token="").status_code == 403


def test_given_the_same_call_again_then_it_is_answered_and_changes_nothing(carrier):
    message = reminder()
    for _ in range(3):
        assert by_twilio(carrier, path_of(message)).status_code == 204
    assert message.receipts.count() == 1


def test_given_a_message_that_is_not_ours_then_the_answer_is_the_same(carrier):
    response = by_twilio(carrier, f"/hooks/twilio/status/{uuid.uuid4()}")
    assert (response.status_code, response.content) == (204, b"")
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageStatus": "exploded"},
        {"MessageStatus": ""},
        {"MessageSid": "SM1"},
        {"MessageSid": "SM\x00" + "0" * 31},
        {"MessageStatus": "failed", "ErrorCode": "3\x000"},
        {"MessageStatus": "failed", "ErrorCode": "3'0"},
    ],
)
def test_given_a_sealed_call_that_makes_no_sense_then_400(carrier, fields):
    assert by_twilio(carrier, path_of(reminder()), **fields).status_code == 400
    assert not Receipt.objects.exists()


def test_given_a_landline_then_the_number_is_closed_and_the_reason_is_in_words(carrier):
    message = reminder()
    by_twilio(carrier, path_of(message), MessageStatus="undelivered", ErrorCode="30006")
    message.refresh_from_db()
    reason = "The number is a landline, or its network takes no texts."
    assert (message.status, message.reason) == ("bounced", reason)
    assert Suppression.objects.get().reason == reason


def test_given_twilio_s_words_in_the_wrong_order_then_delivered_stays(carrier):
    message = reminder()
    for status in ("delivered", "queued", "sent", "sending"):
        assert by_twilio(carrier, path_of(message), MessageStatus=status).status_code == 204
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_given_another_method_then_nothing_is_to_be_had(carrier, method):
    assert getattr(carrier, method)(path_of(reminder())).status_code == 405


@pytest.mark.parametrize("path", ["/hooks/twilio/status/1", "/hooks/twilio/status/x/y"])
def test_given_an_address_that_is_none_then_404(carrier, path):
    assert carrier.post(path).status_code == 404


def test_given_a_body_without_end_then_it_is_not_read(carrier):
    response = carrier.post(path_of(reminder()), {"MessageStatus": "x" * 70_000})
    assert response.status_code == 413


# --- a plain HTTP carrier --------------------------------------------------------------------


def by_plain(client, path: str, body: bytes, *, secret: str = SECRET, kind="application/json"):
    seal = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return client.post(path, body, content_type=kind, headers={"X-Signature": seal})


def said(**fields) -> bytes:
    return json.dumps({"id": "abc-1", "status": "delivered", **fields}).encode()


def test_given_the_plain_carrier_s_seal_then_the_text_is_delivered(carrier):
    message = reminder()
    response = by_plain(carrier, path_of(message, "sms"), said())
    assert (response.status_code, response.content) == (204, b"")
    message.refresh_from_db()
    assert (message.status, message.carrier_reference) == ("delivered", "abc-1")


def test_given_a_form_and_names_of_the_practice_s_carrier_then_they_are_read(carrier, settings):
    settings.SMS_HTTP_STATUS_FIELD, settings.SMS_HTTP_STATUS_CODE = "stat", "err"
    settings.SMS_HTTP_STATUS_WORDS = {"undeliv": "undelivered", "deadnum": "bounced"}
    first, second = reminder(), reminder()
    form = "application/x-www-form-urlencoded"
    for message, word in ((first, "UNDELIV"), (second, "DEADNUM")):
        body = f"stat={word}&err=7".encode()
        assert by_plain(carrier, path_of(message, "sms"), body, kind=form).status_code == 204
        message.refresh_from_db()
    assert first.status == second.status == "bounced"
    assert Suppression.objects.get().reason == "The address does not take messages."


@pytest.mark.parametrize("secret", ["", "another"])
def test_given_another_secret_then_it_is_refused(carrier, settings, secret):
    path = path_of(reminder(), "sms")
    assert by_plain(carrier, path, said(), secret=secret).status_code == 403
    settings.SMS_HTTP_SECRET = ""
    assert by_plain(carrier, path, said(), secret="").status_code == 403
    assert carrier.post(path, said(), content_type="application/json").status_code == 403
    assert not Receipt.objects.exists()


def test_given_a_sealed_body_sent_to_another_text_s_address_then_it_is_refused(carrier):
    reminder(Status.SENT, reference="abc-1")
    other = reminder(Status.SENT, reference="abc-2")
    assert by_plain(carrier, path_of(other, "sms"), said(id="abc-1")).status_code == 403
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 20_000,
        b"\xff\xfe",
        said(status="exploded"),
        said(status="patient_got_it"),
        said(status="delivered", code="a b"),
        said(id="x" * 201),
        said(id="a\x00b"),
    ],
)
def test_given_a_plain_call_that_makes_no_sense_then_400(carrier, body):
    assert by_plain(carrier, path_of(reminder(), "sms"), body).status_code == 400
    assert not Receipt.objects.exists()


# --- mail services ---------------------------------------------------------------------------

PASSWORD = "Basic " + base64.b64encode(b"post:office").decode()


def by_postmark(client, event: dict, password: str = PASSWORD, service: str = "postmark"):
    return client.post(
        f"/hooks/anymail/{service}/tracking/",
        json.dumps(event),
        content_type="application/json",
        headers={"Authorization": password} if password else {},
    )


def postmark(message: OutboxMessage, kind: str = "Delivery", **fields) -> dict:
    return {
        "RecordType": kind,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Recipient": message.address,
        "DeliveredAt": "2026-03-02T08:00:05Z",
        "Details": "Test",
        "Metadata": {"outbox": str(message.pk)},
        **fields,
    }


def test_given_the_service_s_password_then_the_mail_is_delivered(carrier, settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    message = mail()
    assert by_postmark(carrier, postmark(message)).status_code == 200
    message.refresh_from_db()
    assert (message.status, message.carrier) == ("delivered", "anymail.backends.postmark")


def test_given_no_metadata_then_the_service_s_own_id_finds_the_mail(carrier):
    message = mail(Status.SENT, reference="883953f4-6105-42a2-a16a-77a8eac79483")
    with time_machine.travel(message.due_at, tick=False):
        by_postmark(carrier, postmark(message, Metadata={}))
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


def test_given_our_own_message_id_then_it_finds_the_mail(carrier):
    message = mail()
    event = postmark(message, Metadata={}, MessageID=f"<{message.pk}@practice.example>")
    by_postmark(carrier, event)
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


def test_given_a_hard_bounce_then_the_address_is_closed_and_a_soft_one_leaves_it_open(carrier):
    soft, hard = mail(address="soft@patients.example"), mail(address="hard@patients.example")
    by_postmark(carrier, postmark(soft, "Bounce", Type="SoftBounce", Email=soft.address, ID=1))
    assert not Suppression.objects.exists()
    by_postmark(carrier, postmark(hard, "Bounce", Type="HardBounce", Email=hard.address, ID=2))
    assert Suppression.objects.get().address == "hard@patients.example"
    statuses = OutboxMessage.objects.values_list("status", flat=True)
    assert set(statuses) == {Status.BOUNCED}


def test_given_a_complaint_then_the_owner_has_said_no(carrier):
    message = mail(Status.DELIVERED)
    by_postmark(carrier, postmark(message))
    by_postmark(carrier, postmark(message, "SpamComplaint", Type="SpamComplaint", ID=3))
    assert Suppression.objects.get().by_owner
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


def test_given_that_somebody_opened_a_mail_then_nothing_is_kept_of_it(carrier):
    message = mail()
    assert by_postmark(carrier, postmark(message, "Open")).status_code == 200
    assert not Receipt.objects.exists()


def test_given_the_same_event_twice_then_it_is_kept_once(carrier):
    message = mail()
    for _ in range(2):
        assert by_postmark(carrier, postmark(message)).status_code == 200
    assert message.receipts.count() == 1


def test_given_mails_that_are_not_ours_then_the_service_is_answered(carrier):
    message = mail()
    for metadata in ({}, {"outbox": "x"}, {"outbox": str(uuid.uuid4())}, {"outbox": [1]}):
        event = postmark(message, Metadata=metadata, MessageID="somebody-else-s")
        assert by_postmark(carrier, event).status_code == 200
    assert not Receipt.objects.exists()


WRONG = "Basic " + base64.b64encode(b"post:wrong").decode()


@pytest.mark.parametrize("password", ["", WRONG, "Basic x", "Bearer post:office"])
def test_given_a_wrong_password_then_it_is_refused(carrier, password):
    assert by_postmark(carrier, postmark(mail()), password).status_code == 403
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "service",
    ["postmark", "mailgun", "sendgrid", "mailjet", "brevo", "sparkpost", "resend", "postal"],
)
@pytest.mark.parametrize("password", ["", PASSWORD])
def test_given_no_secret_set_up_then_every_service_is_refused(carrier, settings, service, password):
    settings.ANYMAIL_WEBHOOK_SECRET = []
    assert by_postmark(carrier, postmark(mail()), password, service).status_code == 403
    assert not Receipt.objects.exists()


def by_mailgun(client, message: OutboxMessage, key: str):
    token, time = "a" * 50, "1772438405"
    seal = hmac.new(key.encode(), (time + token).encode(), hashlib.sha256).hexdigest()
    event = {
        "signature": {"timestamp": time, "token": token, "signature": seal},
        "event-data": {
            "event": "delivered",
            "timestamp": 1772438405.1,
            "recipient": message.address,
            "user-variables": {"outbox": str(message.pk)},
        },
    }
    return client.post(
        "/hooks/anymail/mailgun/tracking/", json.dumps(event), content_type="application/json"
    )


def test_given_a_service_with_a_seal_of_its_own_then_that_is_enough_and_is_looked_at(
    carrier, settings
):
    settings.ANYMAIL_WEBHOOK_SECRET = []
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "k"}
    message = mail()
    assert by_mailgun(carrier, message, "another").status_code == 403
    assert not Receipt.objects.exists()
    assert by_mailgun(carrier, message, "k").status_code == 200
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', '{"RecordType": {}}', "[" * 20_000])
def test_given_a_call_of_a_service_that_makes_no_sense_then_400(carrier, body):
    response = carrier.post(
        "/hooks/anymail/postmark/tracking/",
        body,
        content_type="application/json",
        headers={"Authorization": PASSWORD},
    )
    assert response.status_code == 400
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("service", ["postmark/inbound/", "nobody/tracking/", "", "../../clinic/"])
def test_given_what_is_no_service_of_ours_then_404(carrier, service):
    assert carrier.post(f"/hooks/anymail/{service}").status_code == 404


def test_given_a_service_that_looks_whether_we_are_there_then_we_are(carrier):
    response = carrier.head("/hooks/anymail/mandrill/")
    assert (response.status_code, response.content) == (200, b"")


def test_given_a_fault_of_ours_then_the_service_is_to_come_again(carrier, monkeypatch):
    def broken(**said):
        raise OperationalError

    monkeypatch.setattr(receipts, "record", broken)
    with pytest.raises(OperationalError):
        by_postmark(carrier, postmark(mail()))


# --- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "carrier_name"), [("twilio_status", "twilio"), ("plain_status", "sms")]
)
def test_given_the_address_a_carrier_is_told_then_it_leads_to_its_door(name, carrier_name):
    found = resolve(links.status_callback_for(uuid.uuid4(), carrier_name).removeprefix(PUBLIC))
    assert found.url_name == name
