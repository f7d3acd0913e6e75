"""Signing in: patients by code, staff by password; nobody learns who has an account."""

import datetime as dt
import re
import smtplib
import uuid

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from clinic.addresses import masked, read_address
from clinic.messaging import links, outbox
from clinic.messaging.asked_for import asked_words
from clinic.messaging.health_words import given_away
from clinic.messaging.sending import send_all_due
from clinic.messaging.texts import supported
from clinic.models import MessageText, OutboxMessage, Site, User
from clinic.models.messaging import Channel
from clinic.sign_in_codes import is_right
from patients.registering import add_contact_point
from tests.reading import words
from tests.signing_in import codes_to, everybody_written_to

ASK = "/account/login/code/"
TYPE = "/account/login/code/confirm/"
WHO = "/account/login/code/who/"


@pytest.fixture(autouse=True)
def fresh_limits(db):
    cache.clear()


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_a_patient_signs_in_by_the_code_that_was_mailed(patient, client):
    page = client.post(ASK, {"address": patient.user.email})
    assert page.url == TYPE
    (code,) = codes_to(patient.user.email)
    page = client.post(TYPE, {"code": code}, follow=True)
    assert page.redirect_chain[-1][0] == "/"
    assert patient.given_name in words(page)


@pytest.mark.parametrize("typed", ["+447700900123", "07700 900123", "0044 7700-900123"])
def test_a_patient_signs_in_by_the_code_that_was_texted(patient, client, typed):
    assert client.post(ASK, {"address": typed}).url == TYPE
    (code,) = codes_to("+447700900123")
    client.post(TYPE, {"code": f"{code[:3]} {code[3:]}"})
    assert client.session["_auth_user_id"] == str(patient.user.pk)


def test_a_patient_with_a_telephone_only_signs_in(make_patient, client):
    patient = make_patient("Omar", email="", phone="+447700900456")
    assert patient.user.email is None
    client.post(ASK, {"address": "+447700900456"})
    client.post(TYPE, {"code": codes_to("+447700900456")[0]})
    assert client.session["_auth_user_id"] == str(patient.user.pk)


def test_a_second_address_of_the_record_lets_in_too(patient, physio, client):
    add_contact_point(
        patient=patient, channel=Channel.EMAIL, address="work@patients.example", by=physio
    )
    client.post(ASK, {"address": "Work@patients.example"})
    client.post(TYPE, {"code": codes_to("work@patients.example")[0]})
    assert client.session["_auth_user_id"] == str(patient.user.pk)


def test_a_family_on_one_phone_is_asked_who_it_is_after_the_code(make_patient, client):
    ana, omar = make_patient("Ana"), make_patient("Omar")
    client.post(ASK, {"address": "+447700900123"})
    before = words(client.get(TYPE)) + words(client.get(WHO, follow=True))
    assert "Ana" not in before and "Omar" not in before
    page = client.post(TYPE, {"code": codes_to("+447700900123")[0]}, follow=True)
    assert "Who are you?" in words(page)
    assert {"Ana Morales", "Omar Morales"} <= set(re.findall(r"\w+ Morales", words(page)))
    assert not signed_in(client)
    client.post(WHO, {"who": omar.user.pk})
    assert client.session["_auth_user_id"] == str(omar.user.pk)
    assert client.get(WHO).url == ASK
    assert ana.user.pk != omar.user.pk


def test_nobody_else_can_be_chosen_after_a_right_code(make_patient, physio, client):
    make_patient("Ana"), make_patient("Omar")
    other = make_patient("Else", phone="+447700900999")
    client.post(ASK, {"address": "+447700900123"})
    client.post(TYPE, {"code": codes_to("+447700900123")[0]})
    for who in (other.user.pk, physio.pk, "x", ""):
        assert client.post(WHO, {"who": who}).status_code == 400
    assert not signed_in(client)


def test_the_code_returns_to_the_page_that_asked_for_it(patient, client):
    client.post(ASK, {"address": patient.user.email, "next": "/serious/"})
    page = client.post(TYPE, {"code": codes_to(patient.user.email)[0]})
    assert page.url == "/serious/"


def test_the_code_leads_to_no_page_of_somebody_else(patient, client):
    client.post(ASK, {"address": patient.user.email, "next": "https://evil.example/"})
    page = client.post(TYPE, {"code": codes_to(patient.user.email)[0]})
    assert page.url == "/"


def test_unknown_addresses_and_staff_get_the_same_page_and_no_code(patient, physio, client):
    pages = []
    for typed in (patient.user.email, "nobody@patients.example", physio.email):
        client.cookies.clear()
        asked = client.post(ASK, {"address": typed})
        wrong = client.post(TYPE, {"code": "000000"})
        shown = client.get(TYPE).content.decode() + wrong.content.decode() + asked.url
        pages.append(shown.replace(typed, "ADDRESS"))
    assert everybody_written_to() == [patient.user.email]
    assert len({re.sub(r'value="[^"]{64}"', "", page) for page in pages}) == 1


def test_an_unknown_number_gets_the_same_page_and_no_code(patient, client):
    pages = []
    for typed in ("+447700900123", "+447700900777"):
        client.cookies.clear()
        client.post(ASK, {"address": typed})
        pages.append(client.get(TYPE).content.decode().replace(typed, "ADDRESS"))
    assert everybody_written_to() == ["+447700900123"]
    assert len({re.sub(r'value="[^"]{64}"', "", page) for page in pages}) == 1


def test_an_unknown_address_leaves_nothing_behind(client, site):
    client.post(ASK, {"address": "nobody@patients.example"})
    assert not OutboxMessage.objects.exists()
    assert not MessageText.objects.exists()


def test_a_carrier_that_is_down_makes_no_difference(patient, client, monkeypatch):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("mail.example went away")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    for typed in (patient.user.email, "nobody@patients.example"):
        client.cookies.clear()
        assert client.post(ASK, {"address": typed}).url == TYPE


def test_no_code_opens_a_staff_account(physio, client):
    client.post(ASK, {"address": physio.email})
    for code in ("", "None", "000000"):
        client.post(TYPE, {"code": code})
    assert not signed_in(client)


def test_a_closed_account_gets_no_code(patient, client):
    User.objects.filter(pk=patient.user.pk).update(is_active=False)
    client.post(ASK, {"address": patient.user.email})
    assert everybody_written_to() == []


def test_three_wrong_codes_end_the_try(patient, client):
    client.post(ASK, {"address": patient.user.email})
    (right,) = codes_to(patient.user.email)
    for _ in range(3):
        page = client.post(TYPE, {"code": "12345"})
    assert "three times" in words(page)
    client.post(TYPE, {"code": right})
    assert not signed_in(client)


def test_three_wrong_codes_sent_all_at_once_end_the_try_too(patient, client):
    client.post(ASK, {"address": patient.user.email})
    (right,) = codes_to(patient.user.email)
    as_it_was = dict(client.session)
    for code in ("000001", "000002", "000003", right):
        # given every request finds the session as it was before the others
        session = client.session
        session.update(as_it_was)
        session.save()
        page = client.post(TYPE, {"code": code})
    assert "three times" in words(page)
    assert not signed_in(client)


@pytest.mark.parametrize("letter, like", [("i", "ı"), ("s", "ſ")])
def test_a_mailbox_that_only_looks_alike_gets_no_code(make_patient, physio, client, letter, like):
    patient = make_patient("Iris", email="iris@patients.example")
    add_contact_point(
        patient=patient, channel=Channel.EMAIL, address="at.iris@work.example", by=physio
    )
    for known in ("iris@patients.example", "at.iris@work.example"):
        page = client.post(ASK, {"address": known.replace(letter, like)})
        assert page.status_code in (302, 400)
        client.get("/account/logout/")
    assert everybody_written_to() == []


def test_a_way_onward_that_is_no_page_of_ours_is_no_error(patient, client):
    client.force_login(patient.user)
    for way in ("foo", "foo.example", "//foo.example", "javascript:alert(1)"):
        assert client.get(ASK, {"next": way}).url == "/"


def test_an_old_code_no_longer_works(patient, client):
    with time_machine.travel(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), tick=False) as clock:
        client.post(ASK, {"address": patient.user.email})
        clock.shift(dt.timedelta(minutes=15, seconds=1))
        page = client.post(TYPE, {"code": codes_to(patient.user.email)[0]})
    assert "too old" in words(page)
    assert not signed_in(client)


def test_a_code_works_once_and_in_one_browser(patient, client):
    client.post(ASK, {"address": patient.user.email})
    (code,) = codes_to(patient.user.email)
    elsewhere = Client()
    elsewhere.post(TYPE, {"code": code})
    assert not signed_in(elsewhere)
    client.post(TYPE, {"code": code})
    client.post("/account/logout/")
    client.post(TYPE, {"code": code})
    assert not signed_in(client)


@pytest.mark.parametrize(
    "typed, said",
    [
        ("not an address", "neither an e-mail address nor a telephone number"),
        ("a@b", "does not look like an e-mail address"),
        ("", "Type your e-mail address or your mobile number."),
        ("12", "neither an e-mail address nor a telephone number"),
    ],
)
def test_a_wrong_address_is_explained(client, typed, said):
    page = client.post(ASK, {"address": typed})
    assert page.status_code == 400
    assert said in words(page)


def test_a_new_code_can_be_sent_and_the_old_one_ends(patient, client):
    client.post(ASK, {"address": patient.user.email})
    assert "Send a new code" in words(client.get(TYPE))
    client.post(TYPE, {"action": "again"})
    old, new = codes_to(patient.user.email)
    client.post(TYPE, {"code": old})
    assert not signed_in(client)
    client.post(TYPE, {"code": new})
    assert signed_in(client)


def test_a_mistyped_address_can_be_given_again(patient, client):
    client.post(ASK, {"address": "mistyped@patients.example"})
    assert client.post(TYPE, {"action": "other"}).url == ASK
    client.post(ASK, {"address": patient.user.email})
    assert everybody_written_to() == [patient.user.email]


def test_codes_for_one_address_cannot_be_asked_for_without_end(patient):
    for _ in range(6):
        page = Client().post(ASK, {"address": patient.user.email})
    assert len(everybody_written_to()) == 3
    assert "Too many" in words(page)


def test_the_same_limit_holds_for_an_address_nobody_knows(db):
    pages = [Client().post(ASK, {"address": "nobody@patients.example"}) for _ in range(4)]
    assert "Too many" in words(pages[-1])


def test_many_addresses_from_one_place_are_slowed_down(db):
    pages = [Client().post(ASK, {"address": f"p{n}@patients.example"}) for n in range(22)]
    assert "Too many" in words(pages[-1])


# --- the message ---------------------------------------------------------------------------------


def test_the_code_stands_in_no_table_and_no_log(patient, client, caplog):
    client.post(ASK, {"address": "+447700900123"})
    (code,) = codes_to("+447700900123")
    message = OutboxMessage.objects.get(kind=OutboxMessage.Kind.SIGN_IN_CODE)
    assert code not in message.text.body
    assert "{code}" in message.text.body
    assert code not in caplog.text and "447700900123" not in caplog.text
    assert message.priority == OutboxMessage.Priority.FIRST
    assert message.expires_at - message.due_at == dt.timedelta(minutes=15)


@pytest.mark.django_db(transaction=True)
def test_the_carriers_get_the_code_in_the_words(patient, client, settings):
    from clinic.models import DemoDelivery

    settings.SMS_GATEWAY = "demo"
    client.post(ASK, {"address": "+447700900123"})
    Client().post(ASK, {"address": patient.user.email})
    send_all_due()
    text = DemoDelivery.objects.get()
    assert codes_to("+447700900123")[0] in text.text
    (mailed,) = mail.outbox
    assert mailed.subject == "Your sign-in code"
    (code,) = codes_to(patient.user.email)
    assert f"\n{code}\n" in mailed.body
    assert code in mailed.alternatives[0][0]


@pytest.mark.django_db(transaction=True)
def test_a_stop_to_mails_keeps_no_code_away_and_a_stop_to_texts_does(patient, client, settings):
    from clinic.models import DemoDelivery

    settings.SMS_GATEWAY = "demo"
    at = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
    for channel, address in (("email", patient.user.email), ("sms", "+447700900123")):
        outbox.suppress_address(
            channel=channel, address=address, reason="Asked to stop.", at=at, by_owner=True
        )
    client.post(ASK, {"address": patient.user.email})
    Client().post(ASK, {"address": "+447700900123"})
    send_all_due()
    assert len(mail.outbox) == 1
    assert not DemoDelivery.objects.exists()


@pytest.mark.parametrize("language", ["en", "de", "es"])
@pytest.mark.parametrize("kind", ["sign_in_code", "invitation"])
def test_messages_tell_nothing_about_health(language, kind):
    site = Site(name="Physio at the Back", phone="+44 20 7946 0100")
    door = links.door_for("invitation", uuid.uuid4())
    for channel in Channel:
        subject, body = asked_words(
            kind, channel=channel, site=site, language=language, who="Ana", door=door
        )
        read = f"{subject} {body.replace(door, '')}"
        assert not given_away(read), read
        assert supported(language) == language
        if channel == Channel.SMS:
            assert "\n" not in body


@given(st.text(max_size=40))
def test_whatever_is_typed_is_an_address_or_explained(typed):
    from django.core.exceptions import ValidationError

    try:
        channel, address = read_address(typed)
    except ValidationError as error:
        assert error.messages[0]
    else:
        assert read_address(address) == (channel, address)
        assert address not in masked(channel, address)


@given(st.uuids())
def test_a_code_is_six_figures_and_only_its_own_message_knows_it(message_id):
    code = links.code_for(message_id)
    assert re.fullmatch(r"\d{6}", code)
    assert is_right(message_id=message_id, typed=f" {code[:3]}-{code[3:]}")
    assert not is_right(message_id=None, typed=code)
    assert not is_right(message_id=message_id, typed=code[:-1])


# --- staff ---------------------------------------------------------------------------------------


def test_a_mail_that_cannot_be_sent_tells_nobody_who_is_staff(physio, client, monkeypatch, caplog):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("mail.example went away")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    for email in (physio.email, "nobody@practice.example"):
        page = client.post("/account/password/reset/", {"email": email})
        assert page.url == reverse("account_reset_password_done")
    assert physio.email not in caplog.text
    assert "could not be sent" in caplog.text


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
