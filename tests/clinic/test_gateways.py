"""Each carrier spoken to over a real line, and every way it can say no."""

import datetime as dt
import logging

import pytest
import requests
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
)
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from clinic.messaging.gateways import GatewayError, OutcomeUnknown, gateway_for
from clinic.models import DemoDelivery, OutboxMessage
from clinic.models.messaging import Channel
from tests.faults.carriers import CUT, TextServer, closed_port, twilio_error

LINK = "https://practice.example/r/token"


def mail(address: str = "ana@patients.example", **fields) -> OutboxMessage:
    return OutboxMessage(
        **{
            "channel": Channel.EMAIL,
            "address": address,
            "subject_line": "Your ten minutes for today",
            "body": "Hello,\n\nStart today's routine:\n{link}\n\nÅ question? Call us.",
            **fields,
        }
    )


def text(**fields) -> OutboxMessage:
    return OutboxMessage(
        **{
            "channel": Channel.SMS,
            "address": "+447700900123",
            "body": "Harbour Street: Your ten minutes for today {link}",
            "expires_at": timezone.now() + dt.timedelta(hours=2),
            **fields,
        }
    )


class Service(BaseEmailBackend):
    """Stands for the backend of an e-mail service; does what the test says."""

    does: list = []

    def send_messages(self, messages):
        step = type(self).does.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def _api_error(status: int) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code = status
    return AnymailRequestsAPIError("said ana@patients.example", response=response)


def _no_connection() -> Exception:
    with closed_port() as port:
        try:
            requests.post(f"http://127.0.0.1:{port}/", timeout=1)
        except requests.RequestException as error:
            wrapped = AnymailRequestsAPIError("no line")
            wrapped.__cause__ = error
            return wrapped
    raise AssertionError("somebody listens on a port that was closed")


@pytest.mark.parametrize(
    ("step", "permanent"),
    [
        (_api_error(400), True),
        (_api_error(401), False),
        (_api_error(429), False),
        (_api_error(503), False),
        (_api_error(500), None),
        (_api_error(502), None),
        (requests.ReadTimeout(), None),
        (requests.ConnectionError("Connection aborted."), None),
        (requests.ConnectTimeout(), False),
        (_no_connection, False),
        (AnymailConfigurationError("no key"), False),
        (AnymailUnsupportedFeature("no such header"), True),
        (0, False),
    ],
)
def test_given_an_e_mail_service_then_its_errors_are_told_apart(settings, step, permanent):
    settings.EMAIL_BACKEND = f"{__name__}.Service"
    Service.does = [step() if callable(step) else step]
    expected = OutcomeUnknown if permanent is None else GatewayError
    with pytest.raises(expected) as error:
        gateway_for(Channel.EMAIL).deliver(mail(), LINK)
    assert "ana" not in error.value.text
    if permanent is not None:
        assert error.value.permanent is permanent


def test_given_an_e_mail_service_that_takes_it_then_its_reference_is_kept(settings):
    settings.EMAIL_BACKEND = "anymail.backends.test.EmailBackend"
    assert gateway_for(Channel.EMAIL).deliver(mail(), LINK)


# --- texts -----------------------------------------------------------------------------------


@pytest.fixture
def twilio(settings):
    with TextServer() as server:
        settings.SMS_GATEWAY = "twilio"
        settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
        settings.TWILIO_AUTH_TOKEN = "secret"
        settings.TWILIO_FROM = "+15005550006"
        settings.TWILIO_API_BASE = server.url
        yield server


def test_given_a_text_then_twilio_gets_number_words_and_until_when_it_makes_sense(twilio, caplog):
    caplog.set_level(logging.DEBUG)
    gateway = gateway_for(Channel.SMS)
    assert gateway.deliver(text(), LINK) == f"SM{1:032d}"
    gateway.close()
    (fields,) = twilio.taken
    assert (fields["To"], fields["From"]) == ("+447700900123", "+15005550006")
    assert fields["Body"] == f"Harbour Street: Your ten minutes for today {LINK}"
    assert 7100 < int(fields["ValidityPeriod"]) <= 7200
    assert twilio.authorised == ["AC" + "0" * 32 + ":secret"]
    assert "900123" not in caplog.text and "secret" not in caplog.text


@pytest.mark.parametrize(
    ("code", "dead_address", "by_owner"),
    [(21211, True, False), (21614, True, False), (21610, True, True), (21408, False, False)],
)
def test_given_a_code_of_twilio_that_is_for_good_then_its_reason_is_in_our_words(
    twilio, code, dead_address, by_owner
):
    twilio.will(twilio_error(400, code))
    with pytest.raises(GatewayError) as refused:
        gateway_for(Channel.SMS).deliver(text(), LINK)
    error = refused.value
    assert (error.permanent, error.dead_address, error.by_owner) == (True, dead_address, by_owner)
    assert "900123" not in error.text and "900123" not in str(error)


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        (twilio_error(429, 20429), False),
        (twilio_error(400, 21611), False),
        (twilio_error(401, 20003), False),
        (twilio_error(503, 20503), False),
        (twilio_error(400, 29999), True),
        (twilio_error(500, 20500), None),
        ((502, "<html>Bad gateway</html>"), None),
        (CUT, None),
    ],
)
def test_given_any_other_answer_then_it_is_for_now_for_good_or_unknown(twilio, answer, permanent):
    twilio.will(answer)
    expected = OutcomeUnknown if permanent is None else GatewayError
    with pytest.raises(expected) as error:
        gateway_for(Channel.SMS).deliver(text(), LINK)
    if permanent is not None:
        assert (error.value.permanent, error.value.dead_address) == (permanent, False)
    assert len(twilio.taken) <= 1


def test_given_twilio_cannot_be_reached_then_it_may_be_tried_again(twilio, settings):
    with closed_port() as port:
        settings.TWILIO_API_BASE = f"http://127.0.0.1:{port}"
        with pytest.raises(GatewayError) as away:
            gateway_for(Channel.SMS).deliver(text(), LINK)
    assert (away.value.permanent, away.value.carrier_away) == (False, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SMS_GATEWAY": ""}, "No text message carrier is set up."),
        ({"SMS_GATEWAY": "pigeon"}, "“pigeon” is not a text message carrier we know."),
        (
            {"SMS_GATEWAY": "twilio", "TWILIO_AUTH_TOKEN": ""},
            "Twilio is not set up: TWILIO_AUTH_TOKEN is missing.",
        ),
        (
            {"SMS_GATEWAY": "demo", "DEMO": False, "TESTING": False},
            "The demo carrier works only in a demo practice.",
        ),
    ],
)
def test_given_no_working_carrier_then_it_says_so(twilio, settings, changes, words):
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(GatewayError) as refused:
        gateway_for(Channel.SMS)
    assert (refused.value.permanent, refused.value.text) == (True, words)


@pytest.mark.django_db
def test_given_the_demo_carrier_then_a_text_is_on_the_demo_page_once(settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True
    message = text()
    reference = gateway_for(Channel.SMS).deliver(message, LINK)
    delivery = DemoDelivery.objects.get()
    assert delivery.reference == reference
    assert (delivery.address, delivery.channel) == ("+447700900123", "sms")
    assert delivery.text.endswith(LINK)
