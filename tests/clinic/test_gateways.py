"""Each carrier spoken to over a real line, and every way it can say no."""

import datetime as dt
import email
import email.policy
import logging
import smtplib

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
from tests.faults.carriers import CUT, HOLD, MailServer, TextServer, closed_port, twilio_error

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


# --- e-mail ----------------------------------------------------------------------------------


@pytest.fixture
def server(settings):
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_TIMEOUT = 5
        settings.DEFAULT_FROM_EMAIL = "Harbour Street <hello@practice.example>"
        yield server


@pytest.fixture
def gateway(server):
    gateway = gateway_for(Channel.EMAIL)
    yield gateway
    gateway.close()


def test_given_a_mail_then_text_and_html_arrive_with_the_link_and_an_id_that_never_changes(
    server, gateway
):
    message = mail()
    reference = gateway.deliver(message, LINK)
    ((address, content),) = server.delivered
    arrived = email.message_from_bytes(content, policy=email.policy.default)
    assert address == arrived["To"] == "ana@patients.example"
    assert arrived["From"] == "Harbour Street <hello@practice.example>"
    assert arrived["Subject"] == "Your ten minutes for today"
    assert arrived["Message-ID"] == reference == f"<{message.pk}@practice.example>"
    plain = arrived.get_body(("plain",)).get_content()
    html = arrived.get_body(("html",)).get_content()
    assert LINK in plain and "Å question?" in plain
    assert f'href="{LINK}"' in html and "Å question?" in html
    assert "{link}" not in plain + html


def test_given_a_batch_then_one_connection_carries_it(server, gateway):
    for number in range(5):
        gateway.deliver(mail(f"{number}@patients.example"), LINK)
    assert (len(server.delivered), server.connections) == (5, 1)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "text"])
@pytest.mark.parametrize(
    ("reply", "permanent"), [("451 4.3.0 later", False), ("550 5.1.1 never ana@x", True)]
)
def test_given_a_refusal_at_any_stage_then_it_is_for_now_or_for_good_and_the_line_goes_on(
    server, gateway, stage, reply, permanent
):
    server.will(stage, reply)
    with pytest.raises(GatewayError) as refused:
        gateway.deliver(mail(), LINK)
    assert refused.value.permanent is permanent
    assert "ana" not in refused.value.text
    assert reply[:3] in refused.value.text
    gateway.deliver(mail("next@patients.example"), LINK)
    assert [address for address, _ in server.delivered] == ["next@patients.example"]


@pytest.mark.parametrize("stage", ["connect", "MAIL", "RCPT", "DATA"])
def test_given_the_line_is_cut_before_the_text_then_it_may_be_tried_again(server, gateway, stage):
    server.will(stage, CUT)
    with pytest.raises(GatewayError) as cut:
        gateway.deliver(mail(), LINK)
    assert not cut.value.permanent
    gateway.deliver(mail(), LINK)
    assert len(server.delivered) == 1


@pytest.mark.parametrize("stage", ["before_dot", "taken"])
def test_given_the_line_is_cut_after_the_text_was_handed_over_then_nobody_knows(
    server, gateway, stage
):
    server.will(stage, CUT)
    with pytest.raises(OutcomeUnknown):
        gateway.deliver(mail(), LINK)
    gateway.deliver(mail("next@patients.example"), LINK)
    assert server.count()["next@patients.example"] == 1


def test_given_a_server_that_never_answers_the_final_dot_then_nobody_knows(server, settings):
    settings.EMAIL_TIMEOUT = 0.3
    gateway = gateway_for(Channel.EMAIL)
    server.will("taken", HOLD)
    with pytest.raises(OutcomeUnknown):
        gateway.deliver(mail(), LINK)
    gateway.close()


def test_given_a_server_that_never_greets_then_it_may_be_tried_again(server, settings):
    settings.EMAIL_TIMEOUT = 0.3
    gateway = gateway_for(Channel.EMAIL)
    server.will("connect", HOLD)
    with pytest.raises(GatewayError) as silent:
        gateway.deliver(mail(), LINK)
    assert (silent.value.permanent, silent.value.carrier_away) == (False, True)


@pytest.mark.parametrize("action", [CUT, "421 4.7.0 enough for one connection"])
def test_given_a_server_that_ends_a_used_line_then_a_new_one_is_taken_at_once(
    server, gateway, action
):
    gateway.deliver(mail("first@patients.example"), LINK)
    server.will("MAIL", action)
    gateway.deliver(mail("second@patients.example"), LINK)
    assert [address for address, _ in server.delivered] == [
        "first@patients.example",
        "second@patients.example",
    ]
    assert server.connections == 2


def test_given_nobody_at_the_port_then_the_carrier_is_away(server, settings):
    with closed_port() as port:
        settings.EMAIL_PORT = port
        with pytest.raises(GatewayError) as away:
            gateway_for(Channel.EMAIL).deliver(mail(), LINK)
    assert (away.value.permanent, away.value.carrier_away) == (False, True)


def test_given_a_subject_of_two_lines_then_it_is_refused_before_any_line_is_opened(server, gateway):
    with pytest.raises(GatewayError) as refused:
        gateway.deliver(mail(subject_line="Hello\nBcc: all@patients.example"), LINK)
    assert refused.value.permanent
    assert server.connections == 0


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


def test_given_smtplib_then_the_message_itself_is_what_it_writes_as_bytes():
    """What the gateway's knowledge of "handed over" stands on, for every Python we run on."""
    written = []

    class Recorder(smtplib.SMTP):
        def __init__(self):
            super().__init__()
            self.sock = True

        def send(self, s):
            written.append(s)

        def getreply(self):
            return (354, b"") if len(written) == 1 else (250, b"")

    Recorder().data(b"Subject: x\r\n\r\ny\r\n")
    assert [type(part) for part in written] == [str, bytes]
