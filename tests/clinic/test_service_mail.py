"""E-mail by a service's own interface: what its library's errors mean for a mail."""

import smtplib
import threading
import time

import pytest
import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
)
from anymail.message import AnymailStatus
from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend

from clinic.messaging import stencil
from clinic.messaging.gateways import GatewayError, OutcomeUnknown, gateway_for
from clinic.models.messaging import Channel
from tests.clinic.carrying import LINK, carry, deliver, mail
from tests.faults.carriers import CUT, TextServer, closed_port


class Service(BaseEmailBackend):
    """Stands for the backend of an e-mail service; does what the test says."""

    does: list = []
    sent: list = []
    opened = closed = at_once = most_at_once = 0
    lock = threading.Lock()

    def open(self):
        with self.lock:
            type(self).opened += 1

    def close(self):
        with self.lock:
            type(self).closed += 1

    def send_messages(self, messages):
        kind = type(self)
        with self.lock:
            step = kind.does.pop(0) if kind.does else 1
            kind.at_once += 1
            kind.most_at_once = max(kind.most_at_once, kind.at_once)
        try:
            if isinstance(step, float):
                time.sleep(step)
                step = 1
            if isinstance(step, BaseException):
                raise step
            with self.lock:
                kind.sent.extend(messages)
            return step
        finally:
            with self.lock:
                kind.at_once -= 1


@pytest.fixture
def service(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Service"
    settings.DEFAULT_FROM_EMAIL = "Harbour Street <hello@practice.example>"
    Service.does, Service.sent = [], []
    Service.opened = Service.closed = Service.at_once = Service.most_at_once = 0
    return Service


def api_error(status: int, **headers: str) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return AnymailRequestsAPIError("said ana@patients.example", response=response)


def no_connection() -> Exception:
    with closed_port() as port:
        try:
            requests.post(f"http://127.0.0.1:{port}/", timeout=1)
        except requests.RequestException as error:
            return caused(AnymailRequestsAPIError("no line"), error)
    raise AssertionError("somebody listens on a port that was closed")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


class BotoError(Exception):
    """In the shape of boto3's, which the practice may not have installed."""

    def __init__(self, status: int) -> None:
        super().__init__("said ana@patients.example")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}


def recipients_refused(status: str) -> AnymailRecipientsRefused:
    refused = mail_object = django_mail.EmailMessage(to=["ana@patients.example"])
    mail_object.anymail_status = AnymailStatus()
    mail_object.anymail_status.status = {status}
    return AnymailRecipientsRefused("ana@patients.example", email_message=refused)


# --- a yes -----------------------------------------------------------------------------------


def test_given_a_mail_then_the_service_gets_both_parts_the_links_and_the_outbox_id(service):
    message = mail()
    assert deliver(gateway_for(Channel.EMAIL), message) == stencil.message_id(message)
    (sent,) = service.sent
    assert sent.to == ["ana@patients.example"]
    assert sent.metadata == {"outbox": str(message.pk)}
    assert sent.extra_headers["Message-ID"] == stencil.message_id(message)
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    ((html, kind),) = sent.alternatives
    assert kind == "text/html"
    assert LINK in sent.body and f'href="{LINK}"' in html


@pytest.fixture
def postmark(settings):
    """A real backend of anymail that speaks to a server of ours."""
    with TextServer() as server:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.EMAIL_CONNECTIONS = 1
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "secret", "POSTMARK_API_URL": server.url}
        yield server


YES = {"ErrorCode": 0, "Message": "OK", "To": "ana@patients.example", "SubmittedAt": "now"}


def test_given_a_service_of_anymail_then_its_reference_is_kept_and_one_line_carries_all(postmark):
    postmark.will(*((200, {**YES, "MessageID": f"pm-{n}"}) for n in range(3)))
    gateway = gateway_for(Channel.EMAIL)
    assert gateway.name == "anymail.backends.postmark"
    messages = [mail() for _ in range(3)]
    assert sorted(carry(gateway, *messages)) == ["pm-0", "pm-1", "pm-2"]
    assert postmark.connections == 1
    assert [headers["X-Postmark-Server-Token"] for _, _, headers in postmark.asked] == [
        "secret"
    ] * 3


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ((422, {"ErrorCode": 300, "Message": "ana@patients.example"}), True),
        ((401, {"ErrorCode": 10, "Message": "key"}), False),
        ((429, "busy"), False),
        ((500, "oh"), None),
        ((200, "<html>Welcome to the hotel's network</html>"), None),
        (CUT, None),
    ],
)
def test_given_a_service_of_anymail_that_says_no_then_it_is_for_now_for_good_or_unknown(
    postmark, answer, permanent
):
    postmark.will(answer)
    (error,) = carry(gateway_for(Channel.EMAIL), mail())
    assert isinstance(error, OutcomeUnknown if permanent is None else GatewayError)
    assert permanent is None or error.permanent is permanent
    assert "ana" not in error.text
    assert len(postmark.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_given_a_redirect_then_it_is_not_followed_and_nobody_else_sees_the_key(postmark, status):
    with TextServer() as elsewhere:
        postmark.will((status, "", {"Location": f"{elsewhere.url}/email"}))
        (error,) = carry(gateway_for(Channel.EMAIL), mail())
        assert elsewhere.asked == []
    assert isinstance(error, GatewayError)
    assert (error.permanent, error.carrier_away) == (False, True)


def test_given_many_mails_then_so_many_at_once_as_there_are_connections_and_each_is_given_back(
    service, settings
):
    settings.EMAIL_CONNECTIONS = 3
    gateway = gateway_for(Channel.EMAIL)
    assert gateway.lines == 3
    service.does = [0.05] * 12
    fates = carry(gateway, *(mail(f"{n}@patients.example") for n in range(12)))
    assert all(isinstance(fate, str) for fate in fates)
    assert len(service.sent) == 12
    assert service.most_at_once == 3
    assert service.opened == service.closed == 3
    assert not [one for one in threading.enumerate() if one.name.startswith("mail-service")]


def test_given_a_service_without_metadata_then_the_mail_goes_out_without_it_and_so_do_the_next(
    service,
):
    service.does = [AnymailUnsupportedFeature("no metadata")]
    gateway = gateway_for(Channel.EMAIL)
    fates = carry(gateway, mail())
    assert isinstance(fates[0], str)
    assert isinstance(carry(gateway, mail())[0], str)
    assert [hasattr(sent, "metadata") for sent in service.sent] == [False, False]


# --- every other answer ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "permanent"),
    [
        (api_error(400), True),
        (api_error(401), False),
        (api_error(429), False),
        (api_error(503), False),
        (api_error(500), None),
        (api_error(502), None),
        # The library could not read a yes: the service may well have taken it.
        (api_error(200), None),
        (requests.ReadTimeout(), None),
        (requests.ConnectionError("Connection aborted."), None),
        (requests.ConnectTimeout(), False),
        (no_connection, False),
        (caused(AnymailAPIError("ana@patients.example"), BotoError(400)), True),
        (caused(AnymailAPIError("ana@patients.example"), BotoError(429)), False),
        (caused(AnymailAPIError("ana@patients.example"), BotoError(500)), None),
        (caused(AnymailAPIError("ana@patients.example"), ValueError()), None),
        (AnymailConfigurationError("no key"), False),
        (smtplib.SMTPServerDisconnected("gone"), None),
        (recipients_refused("rejected"), True),
        (0, False),
    ],
)
def test_given_an_e_mail_service_then_its_errors_are_told_apart(service, step, permanent):
    service.does = [step() if callable(step) else step]
    (error,) = carry(gateway_for(Channel.EMAIL), mail())
    assert isinstance(error, OutcomeUnknown if permanent is None else GatewayError)
    assert "ana" not in error.text
    if permanent is not None:
        assert (error.permanent, error.dead_address) == (permanent, False)
    assert service.sent == [] or step == 0
    assert service.opened == service.closed == 1


def test_given_what_the_library_cannot_carry_then_it_is_refused_for_good(service):
    service.does = [AnymailUnsupportedFeature("no such header")] * 2
    (error,) = carry(gateway_for(Channel.EMAIL), mail())
    assert isinstance(error, GatewayError) and error.permanent


def test_given_an_address_that_is_none_then_it_is_not_written_to_again(service):
    service.does = [recipients_refused("invalid")]
    (error,) = carry(gateway_for(Channel.EMAIL), mail())
    assert (error.permanent, error.dead_address) == (True, True)


def test_given_a_busy_service_that_says_when_then_its_word_is_handed_on(service):
    service.does = [api_error(429, Retry_After="30")]
    (error,) = carry(gateway_for(Channel.EMAIL), mail())
    assert (error.permanent, error.retry_after) == (False, 30)


def test_given_a_service_that_was_not_set_up_then_the_carrier_is_away(settings):
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    settings.ANYMAIL = {}
    (error,) = carry(gateway_for(Channel.EMAIL), mail())
    assert (error.code, error.permanent, error.carrier_away) == ("configuration", False, True)


def test_given_a_subject_of_two_lines_then_it_is_refused_before_the_service_is_asked(service):
    (error,) = carry(gateway_for(Channel.EMAIL), mail(subject_line="Hello\nBcc: all@x.example"))
    assert isinstance(error, GatewayError) and error.permanent
    assert service.opened == 0
