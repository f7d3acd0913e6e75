"""E-mail over a real SMTP line, and every way a mail server can say no."""

import asyncio
import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.messaging import links, stencil
from clinic.messaging.gateways import GatewayError, OutcomeUnknown, gateway_for
from clinic.models import OutboxMessage
from clinic.models.messaging import Channel
from tests.clinic.carrying import LINK, mail
from tests.faults.carriers import CUT, HOLD, MailServer, closed_port


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
def server(settings, request):
    with MailServer(pipelining=request.param) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_TIMEOUT = 5
        settings.DEFAULT_FROM_EMAIL = "Harbour Street <hello@practice.example>"
        yield server


class Line:
    """The gateway on an event loop that stays, so that its connections do."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._gateway = gateway_for(Channel.EMAIL)

    def deliver(self, message, link: str) -> str:
        return self._runner.run(self._gateway.deliver(message, link))

    def close(self) -> None:
        self._runner.run(self._gateway.close())
        self._runner.run(asyncio.sleep(0.01))
        self._runner.close()


@pytest.fixture
def gateway(server):
    gateway = Line()
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
    gateway = Line()
    server.will("taken", HOLD)
    with pytest.raises(OutcomeUnknown):
        gateway.deliver(mail(), LINK)
    gateway.close()


def test_given_a_server_that_never_greets_then_it_may_be_tried_again(server, settings):
    settings.EMAIL_TIMEOUT = 0.3
    gateway = Line()
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
            Line().deliver(mail(), LINK)
    assert (away.value.permanent, away.value.carrier_away) == (False, True)


def test_given_a_subject_of_two_lines_then_it_is_refused_before_any_line_is_opened(server, gateway):
    with pytest.raises(GatewayError) as refused:
        gateway.deliver(mail(subject_line="Hello\nBcc: all@patients.example"), LINK)
    assert refused.value.permanent
    assert server.connections == 0


def test_given_a_mailbox_that_is_not_there_then_its_address_is_dead(server, gateway):
    server.will("RCPT", "550 5.1.1 no such person", "550 5.7.1 not from you")
    for dead in (True, False):
        with pytest.raises(GatewayError) as refused:
            gateway.deliver(mail(), LINK)
        assert refused.value.dead_address is dead


@pytest.mark.parametrize("address", ["a b@x.example", "a>\r\nRCPT TO:<b@x.example", "ü@x.example"])
def test_given_an_address_that_would_say_more_than_an_address_then_nothing_is_said(
    server, gateway, address
):
    with pytest.raises(GatewayError) as refused:
        gateway.deliver(mail(address), LINK)
    assert refused.value.permanent
    assert server.connections == 0


@pytest.mark.parametrize("kind", OutboxMessage.STOPPABLE)
def test_given_a_reminder_then_it_can_be_stopped_with_one_click(server, gateway, kind):
    message = mail(kind=kind)
    gateway.deliver(message, LINK)
    arrived = email.message_from_bytes(server.delivered[0][1], policy=email.policy.default)
    assert arrived["List-Unsubscribe"] == f"<{links.stop_link_for(message.pk)}>"
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    gateway.deliver(mail(kind="staff_alert"), LINK)
    assert "List-Unsubscribe" not in email.message_from_bytes(server.delivered[1][1])


LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])


@given(
    body=st.text(LETTERS | st.sampled_from("\n."), max_size=300),
    name=st.from_regex("[a-z]{1,60}", fullmatch=True),
)
def test_given_any_words_then_the_stencil_is_the_mail_that_django_would_build(body, name):
    message = mail(f"{name}@patients.example", body=f".start\n{body}\n\n{{link}}\n\n{{stop_link}}")
    drawn, _ = stencil.drawn(message, LINK, message.address, stencil.message_id(message))
    undotted = drawn.replace(b"\r\n..", b"\r\n.")
    one = email.message_from_bytes(undotted, policy=email.policy.SMTP)
    other = email.message_from_bytes(
        stencil.build(message, LINK).message().as_bytes(linesep="\r\n"), policy=email.policy.SMTP
    )
    for header in ("To", "From", "Subject", "Message-ID", "List-Unsubscribe"):
        # A long header may stand on a line of its own.
        assert (one[header] or "").strip() == (other[header] or "").strip()
    for kind in ("plain", "html"):
        assert one.get_body((kind,)).get_payload(decode=True) == other.get_body(
            (kind,)
        ).get_payload(decode=True)
    assert not [line for line in drawn.split(b"\r\n") if line == b"."]
