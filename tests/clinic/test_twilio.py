"""Twilio's API spoken to over a real line, and every way it can say no or fall silent."""

import asyncio
import datetime as dt
import logging
import time

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.messaging.gateways import GatewayError, OutcomeUnknown, gateway_for, http_line
from clinic.messaging.gateways.http import seconds_to_wait
from clinic.messaging.links import status_callback_for
from clinic.models.messaging import Channel
from tests.clinic.carrying import LINK, NUMBER, carry, deliver, text
from tests.faults.carriers import CUT, DROP, HOLD, TextServer, closed_port, twilio_error

ACCOUNT = "AC" + "0" * 32


@pytest.fixture
def twilio(settings):
    with TextServer() as server:
        settings.SMS_GATEWAY = "twilio"
        settings.TWILIO_ACCOUNT_SID = ACCOUNT
        settings.TWILIO_AUTH_TOKEN = "secret"
        settings.TWILIO_FROM = "+15005550006"
        settings.TWILIO_API_BASE = server.url
        yield server


def fate(message=None):
    """What became of one text: the reference, or the error."""
    (what,) = carry(gateway_for(Channel.SMS), message or text())
    return what


# --- a yes -----------------------------------------------------------------------------------


def test_given_a_text_then_twilio_gets_number_words_until_when_and_where_to_call_back(
    twilio, caplog
):
    caplog.set_level(logging.DEBUG)
    message = text()
    assert deliver(gateway_for(Channel.SMS), message) == f"SM{1:032d}"
    (fields,) = twilio.taken
    assert (fields["To"], fields["From"]) == (NUMBER, "+15005550006")
    assert fields["Body"] == f"Harbour Street: Your ten minutes for today {LINK}"
    assert 7100 < int(fields["ValidityPeriod"]) <= 7200
    assert fields["StatusCallback"] == status_callback_for(message.pk)
    assert twilio.authorised == [f"{ACCOUNT}:secret"]
    ((method, path, headers),) = twilio.asked
    assert (method, path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "900123" not in caplog.text and "secret" not in caplog.text


def test_given_words_with_signs_of_a_form_in_them_then_they_arrive_as_they_are(twilio):
    words = "Grüße & 10 % + 5 = {to} ?#/\n„Å”\u00a0😀 {link}"
    deliver(gateway_for(Channel.SMS), text(body=words))
    assert twilio.taken[0]["Body"] == words.replace("{link}", LINK)
    assert twilio.taken[0]["To"] == NUMBER


@pytest.mark.parametrize(
    ("left", "validity"),
    [(dt.timedelta(days=3), "36000"), (dt.timedelta(minutes=-5), "1")],
)
def test_given_much_time_or_none_left_then_the_validity_is_one_that_twilio_takes(
    twilio, left, validity
):
    deliver(gateway_for(Channel.SMS), text(expires_at=timezone.now() + left))
    assert twilio.taken[0]["ValidityPeriod"] == validity


def test_given_a_messaging_service_then_it_is_named_instead_of_a_number(twilio, settings):
    settings.TWILIO_FROM = "MG" + "1" * 32
    deliver(gateway_for(Channel.SMS), text())
    assert twilio.taken[0]["MessagingServiceSid"] == "MG" + "1" * 32
    assert "From" not in twilio.taken[0]


def test_given_a_practice_that_twilio_cannot_reach_then_no_callback_is_asked_for(twilio, settings):
    settings.TESTING = settings.DEMO = False
    settings.BASE_URL = "http://localhost:8000"
    deliver(gateway_for(Channel.SMS), text())
    settings.BASE_URL = "https://practice.example"
    deliver(gateway_for(Channel.SMS), text())
    without, with_it = twilio.taken
    assert "StatusCallback" not in without
    assert with_it["StatusCallback"].startswith("https://practice.example/")


def test_given_a_crowd_then_so_many_are_on_the_wire_as_the_settings_say_over_lines_that_stay(
    settings,
):
    with TextServer(slow=0.05) as server:
        settings.SMS_GATEWAY, settings.TWILIO_API_BASE = "twilio", server.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT, "secret"
        settings.TWILIO_FROM, settings.SMS_IN_FLIGHT = "+15005550006", 5
        gateway = gateway_for(Channel.SMS)
        assert gateway.lines == 5
        fates = carry(gateway, *(text(f"+4477009{n:05d}") for n in range(30)))
        assert len(set(fates)) == 30 and all(isinstance(one, str) for one in fates)
        assert (server.most_at_once, server.connections) == (5, 5)
        assert len(server.taken) == 30
        for _ in range(100):
            if server.open_lines == 0:
                break
            time.sleep(0.02)
        assert server.open_lines == 0, "close() has left lines open"


def test_given_a_closed_gateway_then_it_opens_again_as_needed(twilio):
    gateway = gateway_for(Channel.SMS)
    deliver(gateway, text())
    deliver(gateway, text())
    assert (len(twilio.taken), twilio.connections) == (2, 2)


# --- a no ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "dead_address", "by_owner"),
    [(21211, True, False), (21614, True, False), (21610, True, True), (21408, False, False)],
)
def test_given_a_code_of_twilio_that_is_for_good_then_its_reason_is_in_our_words(
    twilio, code, dead_address, by_owner
):
    twilio.will(twilio_error(400, code))
    error = fate()
    assert isinstance(error, GatewayError)
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
        ((404, "<html>Not here</html>"), True),
        ((400, '{"code": "21610"}'), True),
        ((400, "[" * 50_000), True),
        ((408, ""), False),
    ],
)
def test_given_any_other_no_then_it_is_for_now_or_for_good(twilio, answer, permanent):
    twilio.will(answer)
    error = fate()
    assert isinstance(error, GatewayError)
    assert (error.permanent, error.dead_address) == (permanent, False)
    assert twilio.taken == []


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("soon", None, None),
        ("9" * 40, 0, 1e5),
    ],
)
@pytest.mark.parametrize("answer", [twilio_error(429, 20429), (503, "busy")])
def test_given_a_busy_carrier_that_says_when_then_its_word_is_handed_on(
    twilio, answer, header, least, most
):
    twilio.will((*answer, {"Retry-After": header}))
    error = fate()
    if least is None:
        assert error.retry_after is None
    else:
        assert least <= error.retry_after <= most


def test_given_a_date_to_come_back_then_it_is_the_seconds_until_then():
    now = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
    assert seconds_to_wait("Mon, 02 Mar 2026 08:01:30 GMT", now) == 90
    assert seconds_to_wait("Mon, 02 Mar 2026 09:01:30 +0100", now) == 90
    assert seconds_to_wait("Mon, 02 Mar 2026 07:00:00 GMT", now) == 0
    assert seconds_to_wait(None, now) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ .*"))
def test_given_any_word_about_waiting_then_it_is_no_wait_or_at_most_a_day(said):
    wait = seconds_to_wait(said, dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    assert wait is None or 0 <= wait <= 86_400


def test_given_a_redirect_then_it_is_not_followed_and_nobody_else_sees_the_secret(twilio):
    with TextServer() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            twilio.will((status, "", {"Location": f"{elsewhere.url}/Messages.json"}))
            error = fate()
            assert isinstance(error, GatewayError)
            assert (error.permanent, error.carrier_away) == (False, True)
        assert elsewhere.asked == []
    assert len(twilio.asked) == 5


# --- nobody can tell -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        twilio_error(500, 20500),
        (502, "<html>Bad gateway</html>"),
        (201, "<html>Welcome to the hotel's network</html>"),
        (200, "{}"),
        (201, '{"sid": "' + "x" * 200_000 + '"}'),
        b"nothing like HTTP\r\n\r\n",
        b'HTTP/1.1 201 CREATED\r\nContent-Length: 500\r\n\r\n{"sid":',
        b"",
        CUT,
    ],
    ids=["500", "502", "page", "no sid", "huge", "garbage", "half", "empty", "cut"],
)
def test_given_no_answer_that_can_be_understood_then_nobody_knows_and_it_is_asked_once(
    twilio, answer
):
    twilio.will(answer)
    assert isinstance(fate(), OutcomeUnknown)
    assert len(twilio.asked) == 1


def test_given_a_no_whose_words_break_off_or_never_end_then_it_is_still_a_no(twilio):
    twilio.will(b'HTTP/1.1 400 BAD REQUEST\r\nContent-Length: 500\r\n\r\n{"code":')
    twilio.will((400, "x" * 5_000_000))
    for _ in range(2):
        error = fate()
        assert isinstance(error, GatewayError) and error.permanent


def test_given_a_carrier_that_says_nothing_then_nobody_knows(twilio, monkeypatch):
    monkeypatch.setattr(http_line, "_ANSWER_TIMEOUT_S", 0.3)
    twilio.will(HOLD)
    assert isinstance(fate(), OutcomeUnknown)
    assert len(twilio.taken) == 1


# --- nothing has left us ---------------------------------------------------------------------


def test_given_twilio_cannot_be_reached_then_it_may_be_tried_again(twilio, settings):
    with closed_port() as port:
        settings.TWILIO_API_BASE = f"http://127.0.0.1:{port}"
        error = fate()
    assert isinstance(error, GatewayError)
    assert (error.permanent, error.carrier_away) == (False, True)


@pytest.mark.parametrize("how", ["silent", "not TLS"])
def test_given_a_line_that_never_becomes_safe_then_nothing_was_sent(
    twilio, settings, monkeypatch, how
):
    monkeypatch.setattr(http_line, "_CONNECT_TIMEOUT_S", 0.3)

    async def silent(reader, writer):
        if how == "not TLS":
            writer.write(b"HTTP/1.1 400 This is no TLS\r\n\r\n")
        await reader.read()
        writer.close()

    async def through_it():
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            settings.TWILIO_API_BASE = f"https://127.0.0.1:{port}"
            gateway = gateway_for(Channel.SMS)
            try:
                await gateway.deliver(text(), LINK)
            finally:
                await gateway.close()

    with pytest.raises(GatewayError) as away:
        asyncio.run(through_it())
    assert (away.value.permanent, away.value.carrier_away) == (False, True)


def test_given_a_kept_line_that_was_closed_while_nobody_looked_then_a_new_one_is_taken(twilio):
    """Between two batches the sender sleeps, and the end of a line waits unread."""
    twilio.will(DROP)
    gateway = gateway_for(Channel.SMS)

    async def two_batches():
        try:
            await gateway.deliver(text(), LINK)
            while twilio.open_lines:
                # Not the loop's sleep: it must not see what happens.
                time.sleep(0.02)
            time.sleep(0.6)
            return await gateway.deliver(text(), LINK)
        finally:
            await gateway.close()

    assert asyncio.run(two_batches()) == f"SM{2:032d}"
    assert twilio.connections == 2


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_given_a_kept_line_that_is_cut_after_a_request_then_it_is_not_asked_again(twilio, method):
    """The library repeats what it takes for harmless; a text is not."""
    line = http_line.HttpLine(carrier="carrier", url=twilio.url, headers={}, lines=1, method=method)

    async def twice():
        try:
            await line.ask(b"To=1&Body=x")
            twilio.will(CUT)
            await line.ask(b"To=2&Body=x")
        finally:
            await line.close()

    with pytest.raises(OutcomeUnknown):
        asyncio.run(twice())
    assert [fields["To"] for fields in twilio.taken] == ["1", "2"]


def test_given_the_environment_names_a_proxy_then_it_is_asked_and_not_for_what_it_excludes(
    twilio, settings, monkeypatch
):
    settings.TWILIO_API_BASE = "http://api.carrier.example"
    monkeypatch.setenv("http_proxy", twilio.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    deliver(gateway_for(Channel.SMS), text())
    assert twilio.asked[0][1].startswith("http://api.carrier.example/2010-04-01/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    settings.TWILIO_API_BASE = twilio.url
    deliver(gateway_for(Channel.SMS), text())
    assert len(twilio.taken) == 2
