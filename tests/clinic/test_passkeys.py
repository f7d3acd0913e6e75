"""Passkeys at the door: what the pages refuse. That one opens the pages is a journey's."""

import base64
import datetime as dt
import json

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import extract_user_from_response
from django.core.cache import cache

from clinic.models import Role, User
from clinic.sign_in import SecondFactor
from tests.reading import words
from tests.signing_in import codes_to

pytestmark = pytest.mark.django_db

PAGE, ADD = "/account/passkeys/", "/account/passkeys/add/"
NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        cache.clear()
        yield traveller


@pytest.fixture
def at_home(patient, client):
    """A patient who signed in with a code just now."""
    client.post("/account/login/code/", {"address": patient.user.email})
    client.post("/account/login/code/confirm/", {"code": codes_to(patient.user.email)[-1]})
    return client


def passkey(user, name="My phone") -> Authenticator:
    return Authenticator.objects.create(
        user=user, type="webauthn", data={"name": name, "credential": {}}
    )


def test_given_a_code_just_now_then_a_device_can_be_set_up(at_home):
    page = at_home.get(ADD)
    assert page.status_code == 200
    options = json.loads(page.context["options"])["publicKey"]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"


@pytest.mark.parametrize("number", [7, 36, 1500, 2_000_000_011])
def test_given_any_number_of_users_then_a_passkey_names_its_own(number):
    user = User.objects.create(
        pk=number, email="ana@patients.example", name="Ana Morales", role=Role.PATIENT
    )
    handle = SecondFactor().get_public_key_credential_user_entity(user)["id"]
    said = base64.urlsafe_b64encode(handle).rstrip(b"=").decode()
    assert extract_user_from_response({"response": {"userHandle": said}}) == user


def test_given_an_old_sign_in_then_a_code_is_asked_for_first(at_home, patient, clock):
    clock.shift(dt.timedelta(minutes=16))
    for path in (ADD, f"{PAGE}{passkey(patient.user).pk}/"):
        page = at_home.get(path)
        assert page.url.startswith("/account/again/")
    page = at_home.get(f"/account/again/?next={ADD}")
    assert "Is it you?" in words(page) and patient.user.email not in words(page)
    at_home.post("/account/again/", {"way": "0", "next": ADD})
    page = at_home.post("/account/login/code/confirm/", {"code": codes_to(patient.user.email)[-1]})
    assert page.url == ADD
    Authenticator.objects.all().delete()
    assert at_home.get(ADD).status_code == 200


def test_given_a_password_of_the_staff_then_it_is_that_which_is_asked_for(physio, client):
    client.force_login(physio)
    assert client.get(ADD).url.startswith("/account/reauthenticate/")


@pytest.mark.parametrize("credential", ["", "no json", "[]", "{}", '{"id": 1}', "null"])
def test_given_something_that_is_no_passkey_then_nothing_is_kept(at_home, patient, credential):
    at_home.get(ADD)
    page = at_home.post(ADD, {"name": "My phone", "credential": credential})
    assert page.status_code == 400
    assert "Nothing was changed" in words(page)
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "no json",
        "[]",
        "{}",
        "null",
        "7",
        '{"response": 1}',
        '{"response": {"userHandle": "MQ"}}',
    ],
)
def test_given_something_that_is_no_passkey_then_nobody_is_let_in(client, credential):
    client.get("/account/passkeys/options/")
    page = client.post("/account/passkeys/sign-in/", {"credential": credential})
    assert page.status_code == 400
    assert "You can sign in with a code." in words(page)
    assert "_auth_user_id" not in client.session


def test_given_options_then_they_tell_nothing_of_anybody(patient, client):
    passkey(patient.user)
    options = client.get("/account/passkeys/options/").json()["publicKey"]
    assert not options.get("allowCredentials")
    assert options["userVerification"] == "required"


def test_given_ones_own_passkey_then_it_is_named_and_removed(at_home, patient):
    own = passkey(patient.user)
    at_home.post(f"{PAGE}{own.pk}/", {"name": "The old phone"})
    assert "The old phone" in words(at_home.get(PAGE))
    at_home.post(f"{PAGE}{own.pk}/", {"does": "remove"})
    assert not Authenticator.objects.exists()
    assert "No device is set up yet." in words(at_home.get(PAGE))


def test_given_somebody_elses_passkey_then_it_is_not_there(at_home, physio):
    theirs = passkey(physio)
    for answers in ({"name": "Mine"}, {"does": "remove"}):
        assert at_home.post(f"{PAGE}{theirs.pk}/", answers).status_code == 404
    assert Authenticator.objects.get().data["name"] == "My phone"


def test_given_a_patients_passkey_then_a_code_alone_still_opens_the_pages(patient, client):
    passkey(patient.user)
    client.post("/account/login/code/", {"address": patient.user.email})
    page = client.post("/account/login/code/confirm/", {"code": codes_to(patient.user.email)[-1]})
    assert page.url == "/"
    assert client.session["_auth_user_id"] == str(patient.user.pk)


def test_given_a_member_of_staff_with_a_passkey_then_the_password_alone_is_not_enough(
    physio, client
):
    passkey(physio)
    assert SecondFactor().is_mfa_enabled(physio)
    client.post("/account/login/", {"login": physio.email, "password": "a long pass phrase"})
    assert "_auth_user_id" not in client.session


def test_given_a_queue_that_is_away_then_the_code_waits_and_the_page_is_the_same(
    patient, client, monkeypatch, django_capture_on_commit_callbacks, caplog
):
    def away(*args, **kwargs):
        raise ConnectionError("redis.example:6379")

    monkeypatch.setattr("clinic.tasks.send_due.apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post("/account/login/code/", {"address": patient.user.email})
    assert page.url == "/account/login/code/confirm/"
    assert len(codes_to(patient.user.email)) == 1
    assert "could not be woken" in caplog.text and "redis.example" not in caplog.text
