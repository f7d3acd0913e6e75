"""The doors at which carriers bring texts: who may, and what they have to say."""

import pytest
from django.test import Client

from clinic.messaging import incoming
from clinic.models import IncomingText
from tests.texting import (
    PHONE,
    SECRET,
    TOKEN,
    post_plain,
    post_twilio,
    stopped,
    twilio_fields,
    twilio_signature,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def carriers(settings):
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.SMS_HTTP_SECRET = SECRET
    settings.BASE_URL = "https://steadyback.example"


def test_a_call_without_twilios_signature_is_refused_and_nothing_is_kept(patient):
    fields = twilio_fields("STOP")
    for signature in ("", "nonsense", twilio_signature({**fields, "Body": "hello"})):
        assert post_twilio(fields, signature=signature).status_code == 403
    assert not IncomingText.objects.exists()
    assert not stopped()


def test_a_signature_for_another_address_is_refused(patient):
    fields = twilio_fields("STOP")
    other = twilio_signature(fields, "/hooks/twilio/other")
    assert post_twilio(fields, signature=other).status_code == 403


def test_without_a_token_nobody_is_believed(patient, settings):
    settings.TWILIO_AUTH_TOKEN = ""
    assert post_twilio(twilio_fields("STOP")).status_code == 403
    settings.SMS_HTTP_SECRET = ""
    assert post_plain({"id": "1", "from": PHONE, "text": "STOP"}, secret="").status_code == 403


def test_a_door_opens_for_signed_posts_of_a_decent_size_only(patient):
    assert Client().get("/hooks/twilio/texts").status_code == 405
    assert Client().get("/hooks/sms/texts").status_code == 405
    assert post_twilio(twilio_fields("x" * 70_000)).status_code == 413
    assert post_plain({"id": "1", "from": PHONE, "text": "x" * 70_000}).status_code == 413


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
def test_twilios_call_without_what_it_needs_is_a_bad_request(patient, missing):
    fields = twilio_fields("STOP")
    del fields[missing]
    assert post_twilio(fields).status_code == 400


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        "STOP",
        {"id": "1"},
        {"from": PHONE},
        {"id": "", "from": PHONE},
        {"id": [1], "from": PHONE},
        {"id": "1", "from": {"a": 1}},
        {"id": "\0", "from": PHONE},
    ],
)
def test_the_plain_carriers_call_without_what_it_needs_is_a_bad_request(patient, said):
    assert post_plain(said).status_code == 400


def test_the_plain_carriers_seal_is_checked(patient):
    said = {"id": "1", "from": PHONE, "text": "STOP"}
    assert post_plain(said, secret="another").status_code == 403
    assert post_plain(said).status_code == 200
    assert stopped()


def test_the_plain_carriers_fields_are_named_by_the_settings(patient, settings):
    settings.SMS_HTTP_IN_REFERENCE = "messageId"
    settings.SMS_HTTP_IN_FROM = "msisdn"
    settings.SMS_HTTP_IN_TEXT = "content"
    assert (
        post_plain({"messageId": 7, "msisdn": "447700900123", "content": "Stop"}).status_code == 200
    )
    assert stopped()
    assert IncomingText.objects.get().carrier_reference == "7"


@pytest.mark.parametrize(
    "words", ["\0STOP\0", "STOP \ud83d", "S\u200bTOP", " \n stop \t", "🛑 STOP 🛑"]
)
def test_no_character_keeps_a_stop_from_being_kept(patient, words):
    assert post_plain({"id": "1", "from": PHONE, "text": words}).status_code == 200
    assert stopped()


@pytest.mark.parametrize(
    ("spelled", "kept"),
    [
        ("+447700900123", PHONE),
        ("447700900123", PHONE),
        ("00447700900123", PHONE),
        ("07700 900123", PHONE),
        ("+49 1512 3456789", "+4915123456789"),
        ("4915123456789", "+4915123456789"),
        ("PARCELS", "PARCELS"),
        ("60777", "60777"),
    ],
)
def test_a_number_is_the_same_however_a_carrier_spells_it(spelled, kept):
    assert incoming.same_number(spelled) == kept
