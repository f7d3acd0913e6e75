"""The demo's carrier and the page where its messages are read."""

import base64
import contextlib
import datetime as dt
import hashlib
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from django.core.management import CommandError, call_command

from clinic.messaging import sending, texts
from clinic.models import DemoDelivery, MessageText
from clinic.models.messaging import Channel
from tests.clinic.messages import AT, queued
from tests.faults.carriers import environment

PAGE = "/demo/messages/"


@contextlib.contextmanager
def carrier() -> Iterator[tuple[subprocess.Popen, int]]:
    """The command in a process of its own, on a port the system chose."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo_carrier"],
        env=environment(0, DEMO_SMTP_PORT="0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("Taking the demo's mail on 127.0.0.1:"), process.stderr.read()
        yield process, int(line.strip(" .\n").rpartition(":")[2])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_given_the_carrier_runs_then_real_mail_lands_on_the_page_and_sigterm_ends_it(settings):
    with carrier() as (process, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        queued("ruth@practice.example", body="Grüße\n\nOpen your caseload:\n{link}")
        assert sending.send_all_due(at=AT).sent == 1

        strange = EmailMessage()
        strange["From"], strange["To"] = "a@b.example", "c@d.example"
        strange.set_content("only text\n.\n.two dots")
        with smtplib.SMTP("127.0.0.1", port) as line:
            line.send_message(strange)
            line.sendmail("x@b.example", ["y@d.example", "z@d.example"], b"no header, no type")

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""
    newest_first = list(DemoDelivery.objects.all())
    assert [mail.address for mail in newest_first] == [
        "z@d.example", "y@d.example", "c@d.example", "ruth@practice.example",
    ]  # fmt: skip
    plain, sent = newest_first[2:]
    assert (plain.text, plain.html) == ("only text\n.\n.two dots", "")
    assert sent.subject_line == "Someone on your caseload needs you: today"
    assert "Grüße" in sent.text and "Grüße" in sent.html
    assert f"{settings.BASE_URL}/r/" in sent.text
    assert len({mail.reference for mail in newest_first}) == 4


def test_given_a_practice_that_is_no_demo_then_the_carrier_refuses_to_start(settings):
    settings.DEMO = settings.TESTING = False
    with pytest.raises(CommandError, match="only in a demo practice"):
        call_command("demo_carrier")


def test_given_a_port_in_use_then_one_sentence_says_so(settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.DEMO_SMTP_PORT = taken.getsockname()[1]
        with pytest.raises(CommandError, match=r"^Port \d+ is in use\."):
            call_command("demo_carrier")


# --- the page --------------------------------------------------------------------------------


@pytest.fixture
def demo(settings, db):
    settings.DEMO = True


def delivery(number: int = 1, **fields) -> DemoDelivery:
    return DemoDelivery.objects.create(
        **{
            "channel": Channel.EMAIL,
            "sender": "Harbour Street <hello@practice.example>",
            "address": "ana@patients.example",
            "subject_line": f"Mail {number}",
            "text": "Your ten minutes are ready.",
            "reference": f"r{number}",
            "received_at": AT + dt.timedelta(minutes=number),
            **fields,
        }
    )


def body(answer) -> str:
    return answer.content.decode()


@pytest.mark.django_db
def test_given_a_practice_that_is_no_demo_then_the_pages_do_not_exist(client, settings):
    settings.DEMO = False
    mail = delivery(html="<p>x</p>")
    assert client.get(PAGE).status_code == 404
    assert client.get(f"{PAGE}{mail.pk}/html/").status_code == 404


def test_given_no_messages_yet_then_the_page_says_what_brings_one(client, demo):
    page = body(client.get(PAGE))
    assert "No mail yet." in page
    assert "No texts yet." in page


def test_given_mails_then_the_newest_is_open_and_any_other_can_be_opened(client, demo):
    first, _second = delivery(1, text="The first."), delivery(2, text="The second.")
    page = body(client.get(PAGE))
    assert page.index("Mail 2") < page.index("Mail 1")
    assert '<div class="demo-text"><p>The second.</p></div>' in page
    assert '<div class="demo-text"><p>The first.</p></div>' in body(
        client.get(PAGE, {"mail": first.pk})
    )


@pytest.mark.parametrize("wrong", ["0", "x", "1' or 1"])
def test_given_a_mail_that_is_not_there_then_the_page_is_not_found(client, demo, wrong):
    delivery()
    assert client.get(PAGE, {"mail": wrong}).status_code == 404


def test_given_a_link_in_a_mail_or_text_then_it_can_be_clicked_whole(client, demo):
    link = "http://localhost:8000/r/AbC-_" + "x" * 29 + "_"
    delivery(1, text=f"Start today's routine:\n{link}\n\nQuestions?")
    delivery(2, channel=Channel.SMS, address="+447700900123", text=f"Ten minutes {link} Call us")
    page = body(client.get(PAGE))
    assert page.count(f'<a href="{link}" rel="nofollow">') == 2


def test_given_a_sign_in_code_then_it_stands_out(client, demo):
    delivery(1, text="Your sign-in code is:\n\nQ7RT-K2MB\n\nType it on the page.")
    page = body(client.get(PAGE))
    assert page.count(">Q7RT-K2MB</span>") == 1
    assert page.count(">Q7RT-K2MB</p>") == 2


def test_given_texts_then_each_number_is_a_phone_and_the_last_written_comes_first(client, demo):
    for number, address in enumerate(["+441", "+442", "+441", "+443"]):
        delivery(number, channel=Channel.SMS, address=address, text=f"Text {number}")
    page = body(client.get(PAGE))
    order = [page.index(f">{mark}<") for mark in ("+443", "Text 3", "+441", "Text 2", "Text 0")]
    assert order == sorted(order)
    assert page.count("demo-phone__number") == 3


def test_given_markup_in_a_message_then_the_page_shows_it_and_runs_none_of_it(client, demo):
    mail = delivery(1, text="<script>x</script>", html="<p>Hello</p><script>x</script>")
    assert "<script>" not in body(client.get(PAGE))
    answer = client.get(f"{PAGE}{mail.pk}/html/")
    assert body(answer).startswith("<p>Hello</p>")
    policy = answer["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert not [part for part in policy if part.startswith("script-src")]


def style_policy(client, mail: DemoDelivery) -> str:
    said = client.get(f"{PAGE}{mail.pk}/html/")["Content-Security-Policy"]
    assert "unsafe" not in said
    return next(part for part in said.split("; ") if part.startswith("style-src "))


def test_given_a_real_mail_then_its_own_sheet_is_allowed_by_its_hash_and_nothing_else(client, demo):
    text = MessageText(language="en", subject_line="Your appointment", body="Hello\n\n{link}")
    html = texts.html_of(text, "Hello\n\nSee it:\nhttps://a.example/r/x")
    assert " style=" not in html
    sheet = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    for number, sent in enumerate((html, html.replace("\n", "\r\n"))):
        mail = delivery(number, html=sent)
        assert style_policy(client, mail) == f"style-src 'sha256-{digest}'"
        assert sheet in body(client.get(f"{PAGE}{mail.pk}/html/"))


def test_given_a_mail_without_a_sheet_then_no_style_is_allowed(client, demo):
    assert style_policy(client, delivery(html='<p style="color:red">x</p>')) == "style-src 'none'"


def test_given_a_mail_without_html_then_it_has_no_such_page(client, demo):
    assert client.get(f"{PAGE}{delivery().pk}/html/").status_code == 404
