"""Asking the carrier about texts of unknown fate: what its list proves, and what it does not."""

import datetime as dt
import http.server
import json
import threading
import urllib.parse
from email.utils import format_datetime

import pytest
import time_machine

from clinic import tasks
from clinic.messaging import links, receipts, settling
from clinic.models import OutboxMessage, Suppression
from tests.clinic.fates import PHONE, Status, mail, reminder
from tests.clinic.messages import AT

pytestmark = pytest.mark.django_db

SOON, SURE = AT + dt.timedelta(minutes=5), AT + dt.timedelta(minutes=30)
OTHER = "+447700900999"


class Twilio:
    """Twilio's list of messages, newest first, ``page_size`` to a page whatever is asked for."""

    def __init__(self) -> None:
        self.texts: list[dict] = []
        self.asked: list[dict[str, str]] = []
        self.authorised: set[str] = set()
        self.answers: list[tuple[int, bytes]] = []
        self.page_size = 50
        self.next_host = ""

    def took(self, body: str, *, to=PHONE, at=AT, status="delivered", **fields) -> dict:
        text = {
            "sid": f"SM{len(self.texts):032d}",
            "to": to,
            "body": body,
            "status": status,
            "error_code": None,
            "date_created": format_datetime(at),
            "direction": "outbound-api",
            **fields,
        }
        self.texts.append(text)
        return text

    def __enter__(self) -> "Twilio":
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, payload = outer._get(self)
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _get(self, handler: http.server.BaseHTTPRequestHandler) -> tuple[int, bytes]:
        path, _, query = handler.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        self.asked.append({"path": path, **asked})
        self.authorised.add(handler.headers["Authorization"])
        if self.answers:
            return self.answers.pop(0)
        found = [text for text in self.texts if text["to"] == asked["To"]]
        found.sort(
            key=lambda text: dt.datetime.strptime(text["date_created"], "%a, %d %b %Y %H:%M:%S %z"),
            reverse=True,
        )
        start = int(asked.get("Page", 0)) * self.page_size
        more = start + self.page_size < len(found)
        following = urllib.parse.urlencode({"To": asked["To"], "Page": start // self.page_size + 1})
        said = {
            "messages": found[start : start + self.page_size],
            "next_page_uri": f"{self.next_host}{path}?{following}" if more else None,
        }
        return 200, json.dumps(said).encode()


@pytest.fixture
def twilio(settings):
    with Twilio() as carrier:
        settings.SMS_GATEWAY = "twilio"
        settings.TWILIO_API_BASE = carrier.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC1", "token"
        yield carrier


def unknown(**fields) -> OutboxMessage:
    return reminder(Status.UNKNOWN, **fields)


def body_of(message: OutboxMessage) -> str:
    return f"Your routine is ready: {links.link_for(message.pk)}"


def fate(message: OutboxMessage) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.reason


# --- found -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "fates"),
    [
        ("delivered", None, ("delivered", "")),
        ("sent", None, ("sent", "")),
        ("queued", None, ("sent", "")),
        ("failed", 30008, ("failed", "The network did not say why.")),
        (
            "undelivered",
            30006,
            ("bounced", "The number is a landline, or its network takes no texts."),
        ),
    ],
)
def test_given_the_text_in_the_list_then_it_is_settled_as_by_a_receipt(twilio, status, code, fates):
    message = unknown()
    listed = twilio.took(body_of(message), status=status, error_code=code)
    report = settling.settle_unknown(at=SOON)
    assert (report.asked, report.found, report.never_arrived) == (1, 1, 0)
    assert fate(message) == fates
    assert (message.carrier, message.carrier_reference) == ("twilio", listed["sid"])
    assert Suppression.objects.exists() is (code == 30006)


def test_given_a_reference_then_the_text_is_known_by_it(twilio):
    twilio.took("Words without a link", sid="SM" + "f" * 32)
    message = unknown(reference="SM" + "f" * 32)
    settling.settle_unknown(at=SOON)
    assert fate(message) == ("delivered", "")


def test_given_the_list_then_it_is_asked_for_by_number_with_our_account(twilio):
    unknown()
    settling.settle_unknown(at=SOON)
    (asked,) = twilio.asked
    assert asked == {
        "path": "/2010-04-01/Accounts/AC1/Messages.json",
        "To": PHONE,
        "PageSize": "100",
    }
    assert twilio.authorised == {"Basic QUMxOnRva2Vu"}


def test_given_several_to_one_number_then_one_question(twilio):
    messages = [unknown() for _ in range(3)]
    for message in messages:
        twilio.took(body_of(message))
    settling.settle_unknown(at=SOON)
    assert len(twilio.asked) == 1
    assert {fate(message)[0] for message in messages} == {"delivered"}


def test_given_a_text_on_a_later_page_then_it_is_found(twilio):
    twilio.page_size = 2
    message = unknown()
    twilio.took(body_of(message))
    for minute in range(5):
        twilio.took("Later", at=AT + dt.timedelta(minutes=minute + 1))
    settling.settle_unknown(at=SOON)
    assert fate(message)[0] == "delivered"
    assert len(twilio.asked) == 3


# --- absent ----------------------------------------------------------------------------------


def test_given_a_list_without_it_when_enough_time_has_passed_then_the_carrier_never_got_it(twilio):
    message, another = unknown(), reminder(Status.SENT)
    twilio.took(body_of(another))
    settling.settle_unknown(at=SOON)
    assert fate(message)[0] == "unknown"
    report = settling.settle_unknown(at=SURE)
    assert report.never_arrived == 1
    assert fate(message) == ("failed", "The carrier never got it.")
    assert not OutboxMessage.objects.filter(wake_at__isnull=False).exists()


def test_given_a_text_of_that_time_that_cannot_be_told_then_nothing_is_proved(twilio):
    message = unknown()
    hidden = twilio.took("", at=AT + dt.timedelta(minutes=1))
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "unknown"
    reminder(Status.SENT, reference=hidden["sid"])
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "failed"


def test_given_a_text_of_another_time_that_cannot_be_told_then_it_was_not_ours(twilio):
    message = unknown()
    twilio.took("", at=AT - dt.timedelta(hours=3))
    twilio.took("", at=AT + dt.timedelta(hours=3))
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "failed"


def test_given_a_text_of_the_patient_to_us_then_it_is_not_taken_for_ours(twilio):
    message = unknown()
    twilio.took(body_of(message), direction="inbound")
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "failed"


def test_given_more_than_we_read_then_nothing_is_proved(twilio):
    twilio.page_size = 1
    message, another = unknown(), reminder(Status.SENT)
    for _ in range(8):
        twilio.took(body_of(another), at=AT + dt.timedelta(minutes=1))
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "unknown"
    assert len(twilio.asked) == 5


def test_given_a_list_that_leads_to_another_host_then_our_secret_does_not_go_there(twilio):
    twilio.page_size, twilio.next_host = 1, "http://elsewhere.example"
    message, another = unknown(), reminder(Status.SENT)
    for _ in range(2):
        twilio.took(body_of(another))
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "unknown"
    assert len(twilio.asked) == 1


def test_given_a_receipt_after_we_were_sure_then_the_receipt_counts(twilio):
    message = unknown()
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "failed"
    receipts.record(message_id=message.pk, event="sent", at=SURE)
    assert fate(message) == ("sent", "")


# --- a carrier that does not say -------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (429, b"{}"),
        (401, b"{}"),
        (200, b"no"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"messages": [{}]}'),
        (200, b'{"messages": [{"direction": "x", "date_created": "yesterday"}]}'),
        (302, b""),
    ],
)
def test_given_an_answer_that_says_nothing_then_nothing_is_settled_and_nothing_more_is_asked(
    twilio, answer
):
    first, second = unknown(), unknown(address=OTHER)
    twilio.answers = [answer]
    settling.settle_unknown(at=SURE)
    assert {fate(first)[0], fate(second)[0]} == {"unknown"}
    assert len(twilio.asked) == 1


def test_given_nobody_at_the_address_then_nothing_is_settled(twilio, settings):
    settings.TWILIO_API_BASE = "http://127.0.0.1:9"
    message = unknown()
    settling.settle_unknown(at=SURE)
    assert fate(message)[0] == "unknown"


@pytest.mark.parametrize("gateway", ["", "demo", "http"])
def test_given_another_carrier_then_twilio_is_not_asked(twilio, settings, gateway):
    settings.SMS_GATEWAY = gateway
    message = unknown()
    assert settling.settle_unknown(at=SURE).asked == 0
    assert fate(message)[0] == "unknown"
    assert twilio.asked == []


# --- which are asked about -------------------------------------------------------------------


def test_given_other_messages_then_they_are_not_asked_about(twilio):
    mail(Status.UNKNOWN)
    reminder(Status.SENT)
    reminder(Status.SENDING)
    unknown(due_at=AT - dt.timedelta(days=4))
    just_now = unknown(due_at=SURE - dt.timedelta(minutes=1))
    assert settling.settle_unknown(at=SURE).asked == 0
    assert fate(just_now)[0] == "unknown"


def test_given_more_than_fit_into_one_run_then_later_runs_come_to_all_of_them(twilio):
    messages = [unknown(address=f"+4477009001{number:02}") for number in range(9)]
    for message in messages:
        twilio.took(body_of(message), to=message.address)
    for _ in range(3):
        assert settling.settle_unknown(at=SOON, limit=3).found == 3
    assert {fate(message)[0] for message in messages} == {"delivered"}


def test_given_no_time_left_then_no_new_question(twilio):
    unknown()
    settling.settle_unknown(at=SOON, seconds=-1)
    assert twilio.asked == []


def test_given_the_wake_up_then_it_asks(twilio):
    message = unknown()
    twilio.took(body_of(message))
    with time_machine.travel(SOON, tick=False):
        tasks.settle_unknown()
    assert fate(message)[0] == "delivered"
