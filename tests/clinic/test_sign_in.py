"""Signing in: patients by code, staff by password; nobody learns who has an account."""

import re
import smtplib

import pytest
from aiosmtpd.controller import Controller
from allauth.account.internal.flows import login_by_code
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from clinic.models import User
from config.ports import free_port

ASK = "/account/login/code/"
TYPE = "/account/login/code/confirm/"


@pytest.fixture(autouse=True)
def fresh_limits(db):
    cache.clear()


def code_in(message) -> str:
    return re.search(r"^([0-9A-Z-]{6,})$", message.body, re.M).group(1)


def words(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_patient_signs_in_by_the_code_that_was_sent(patient, client):
    page = client.post(ASK, {"email": patient.user.email})
    assert page.url == TYPE
    (message,) = mail.outbox
    assert message.to == [patient.user.email]
    assert message.subject == "Your sign-in code"
    page = client.post(TYPE, {"code": code_in(message)}, follow=True)
    assert page.redirect_chain[-1][0] == "/"
    assert patient.given_name in words(page)


def test_the_code_travels_by_real_smtp(patient, client, settings):
    class Mailbox:
        got = []

        async def handle_DATA(self, server, session, envelope):
            self.got.append((envelope.rcpt_tos, envelope.content.decode()))
            return "250 Message accepted"

    server = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = server.port
        client.post(ASK, {"email": patient.user.email})
    finally:
        server.stop()
    ((recipients, text),) = Mailbox.got
    assert recipients == [patient.user.email]
    assert "Subject: Your sign-in code" in text


def test_the_code_returns_to_the_page_that_asked_for_it(patient, client):
    client.post(ASK, {"email": patient.user.email, "next": "/serious/"})
    page = client.post(TYPE, {"code": code_in(mail.outbox[0]), "next": "/serious/"})
    assert page.url == "/serious/"


def test_the_message_tells_nothing_about_health(patient, client):
    client.post(ASK, {"email": patient.user.email})
    text = (mail.outbox[0].subject + mail.outbox[0].body).lower()
    for word in ("pain", "back", "exercise", "routine", "physio", patient.family_name.lower()):
        assert word not in text


def test_unknown_addresses_and_staff_get_the_same_page_and_no_code(patient, physio, client):
    pages = []
    for email in (patient.user.email, "nobody@patients.example", physio.email):
        client.cookies.clear()
        client.post(ASK, {"email": email})
        pages.append(client.get(TYPE).content.decode().replace(email, "ADDRESS"))
    assert [message.to for message in mail.outbox] == [[patient.user.email]]
    assert len({re.sub(r'value="[^"]{64}"', "", page) for page in pages}) == 1


def test_no_code_opens_a_staff_account(physio, client):
    client.post(ASK, {"email": physio.email})
    for code in ("", "None", "000000"):
        client.post(TYPE, {"code": code})
    assert "_auth_user_id" not in client.session


def test_three_wrong_codes_end_the_try(patient, client):
    client.post(ASK, {"email": patient.user.email})
    right = code_in(mail.outbox[0])
    for _ in range(3):
        client.post(TYPE, {"code": "WRONG1"})
    client.post(TYPE, {"code": right})
    assert "_auth_user_id" not in client.session


def test_an_old_code_no_longer_works(patient, client, monkeypatch):
    client.post(ASK, {"email": patient.user.email})
    right, timeout = code_in(mail.outbox[0]), 15 * 60 + 1
    later = login_by_code.LoginCodeVerificationProcess
    monkeypatch.setattr(later, "is_valid", lambda self: timeout <= self.timeout)
    client.post(TYPE, {"code": right})
    assert "_auth_user_id" not in client.session


def test_a_wrong_address_is_explained(client):
    page = client.post(ASK, {"email": "not an address"})
    assert "It needs an @" in words(page)
    page = client.post(ASK, {"email": ""})
    assert "Type your e-mail address." in words(page)


def test_a_new_code_can_be_sent_and_the_old_one_ends(patient, client):
    client.post(ASK, {"email": patient.user.email})
    assert "Send a new code" in words(client.get(TYPE))
    client.post(TYPE, {"action": "resend"})
    old, new = (code_in(message) for message in mail.outbox)
    client.post(TYPE, {"code": old})
    assert "_auth_user_id" not in client.session
    client.post(TYPE, {"code": new})
    assert "_auth_user_id" in client.session


def test_a_mistyped_address_can_be_given_again(patient, client):
    client.post(ASK, {"email": "mistyped@patients.example"})
    client.post("/account/logout/", {"next": ASK})
    assert client.get(ASK).status_code == 200
    client.post(ASK, {"email": patient.user.email})
    assert [message.to for message in mail.outbox] == [[patient.user.email]]


def test_codes_for_one_address_cannot_be_asked_for_without_end(patient):
    for _ in range(6):
        page = Client().post(ASK, {"email": patient.user.email})
    assert len(mail.outbox) == 3
    assert "Too many" in words(page)


def test_many_addresses_from_one_place_are_slowed_down(db):
    pages = [Client().post(ASK, {"email": f"p{n}@patients.example"}) for n in range(22)]
    assert "Too many" in words(pages[-1])


def test_mail_that_cannot_be_sent_is_said_openly(patient, client, monkeypatch, caplog):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("mail.example went away")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    page = client.post(ASK, {"email": patient.user.email})
    assert page.status_code == 503
    assert "We could not send the e-mail" in words(page)
    assert patient.user.email not in caplog.text


def test_staff_sign_in_by_password(physio, client):
    page = client.post("/account/login/", {"login": physio.email, "password": "a long pass phrase"})
    assert page.url == "/clinic/"


def test_a_patient_with_a_password_is_not_let_in_by_it(patient, client):
    patient.user.set_password("a long pass phrase")
    patient.user.save()
    answers = {"login": patient.user.email, "password": "a long pass phrase"}
    page = client.post("/account/login/", answers)
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session


def test_only_staff_get_a_link_for_a_new_password(patient, physio, client):
    for email in (patient.user.email, "nobody@patients.example", physio.email):
        page = client.post("/account/password/reset/", {"email": email})
        assert page.url == reverse("account_reset_password_done")
    assert [message.to for message in mail.outbox] == [[physio.email]]
    assert mail.outbox[0].subject == "Set a new password"


def test_nobody_makes_an_account(client):
    page = client.get("/account/signup/")
    assert "Accounts come from your practice" in words(page)
    answers = {"email": "new@patients.example", "password1": "a long pass phrase"}
    client.post("/account/signup/", answers)
    assert not User.objects.filter(email="new@patients.example").exists()


def test_the_address_people_sign_in_with_is_kept_by_the_practice(patient, client):
    client.force_login(patient.user)
    for name in ("account_email", "account_set_password"):
        page = client.get(reverse(name))
        assert page.status_code == 403
        assert "Your practice keeps your e-mail address" in words(page)
        assert client.post(reverse(name), {"email": "x@y.example"}).status_code == 405


def test_signing_out_takes_one_confirmed_click(patient, client):
    client.force_login(patient.user)
    client.get("/account/logout/")
    assert "_auth_user_id" in client.session
    client.post("/account/logout/")
    assert "_auth_user_id" not in client.session
