"""The patient's settings and the foot of every page, through the door a browser uses."""

import re
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from patients import page_look
from patients.models import Preferences
from patients.preferring import choose_preferences
from programs.items import dose_text
from programs.portal_access import PASS
from programs.units import KG_PER_LB, load_in, load_text
from tests.conftest import MONDAY
from tests.reading import words

pytestmark = pytest.mark.django_db

QUIET = {"hand": "left", "units": "lb"}
READING = {"text_size": "largest", "theme": "dark"}


@pytest.fixture
def at_home(program, client) -> Client:
    with time_machine.travel(MONDAY, tick=False):
        cache.clear()
        client.force_login(program.patient.user)
        yield client


def tag(response) -> str:
    return re.search(r"<html[^>]*>", response.content.decode()).group(0)


# --- what is saved -----------------------------------------------------------------------------


def test_somebody_who_never_chose_has_the_usual_settings(at_home, patient):
    page = words(at_home.get("/settings/"))
    assert "Sound on" in page and "Voice off" in page and "Normal letters" in page
    assert Preferences.of(patient).units == "kg"
    assert not Preferences.objects.exists()


def test_what_was_chosen_is_kept_and_said(at_home, patient):
    page = at_home.post("/settings/session/", {**QUIET, "voice": "on"}, follow=True)
    likes = Preferences.objects.get(patient=patient)
    assert (likes.sound, likes.vibration, likes.voice) == (False, False, True)
    assert (likes.hand, likes.units) == ("left", "lb")
    said = page.content.decode()
    assert 'role="status"' in said and "Saved." in said
    assert "Sound off" in words(page) and "Voice on" in words(page)


def test_one_page_of_settings_leaves_those_of_the_others_alone(at_home, patient):
    at_home.post("/settings/session/", QUIET)
    at_home.post("/settings/reading/", READING)
    likes = Preferences.objects.get(patient=patient)
    assert (likes.text_size, likes.theme, likes.hand, likes.sound) == (
        "largest",
        "dark",
        "left",
        False,
    )


def test_an_answer_that_is_none_of_them_is_refused_and_nothing_kept(at_home):
    page = at_home.post("/settings/reading/", {"text_size": "huge", "theme": "dark"})
    assert page.status_code == 400
    assert "Choose one of the answers" in words(page)
    assert not Preferences.objects.exists()


def test_what_was_chosen_has_a_history(at_home, patient):
    at_home.post("/settings/session/", QUIET)
    at_home.post("/settings/session/", {**QUIET, "sound": "on"})
    assert patient.preferences.events.count() == 2


def test_only_the_patient_chooses(patient, physio):
    with pytest.raises(PermissionDenied):
        choose_preferences(patient=patient, by=physio, at=MONDAY, theme="dark")
    with pytest.raises(ValidationError):
        choose_preferences(patient=patient, by=patient.user, at=MONDAY, patient_id=1)


def test_the_holder_of_a_reminder_link_may_make_the_letters_larger(program, client):
    with time_machine.travel(MONDAY, tick=False):
        session = client.session
        session[PASS] = {
            "program": str(program.pk),
            "until": "2026-03-03T08:00:00+00:00",
            "since": "2026-03-02T07:00:00+00:00",
        }
        session.save()
        client.post("/settings/reading/", READING)
        assert Preferences.objects.get(patient=program.patient).text_size == "largest"
        page = client.get("/settings/")
        assert "My data" not in words(page)
        assert "Sign in to see your data" in words(page)


# --- how pages look ----------------------------------------------------------------------------


def test_every_page_looks_as_chosen_and_signing_in_too(at_home, client):
    at_home.post("/settings/reading/", READING)
    page = at_home.get("/")
    assert 'data-text="largest"' in tag(page) and 'data-theme="dark"' in tag(page)
    assert 'content="dark"' in page.content.decode()
    assert at_home.cookies[page_look.COOKIE].value == "largest.dark"
    at_home.logout()
    sign_in = at_home.get("/account/login/code/")
    # A test client forgets all its cookies when it signs out.
    at_home.cookies[page_look.COOKIE] = "largest.dark"
    sign_in = at_home.get("/account/login/code/")
    assert 'data-text="largest"' in tag(sign_in) and 'data-theme="dark"' in tag(sign_in)


@pytest.mark.parametrize("cookie", ["", "huge.dark", '"><script>.x', "large", "..", "a" * 5000])
def test_a_cookie_of_somebody_else_s_making_changes_nothing_but_known_looks(client, cookie):
    client.cookies[page_look.COOKIE] = cookie
    shown = tag(client.get("/account/login/code/"))
    assert "script" not in shown and "huge" not in shown
    assert set(re.findall(r'data-\w+="(\w+)"', shown)) <= {"large", "dark"}


def test_the_staff_s_pages_keep_their_look(client, physio):
    client.force_login(physio)
    client.cookies[page_look.COOKIE] = "largest.dark"
    assert "data-text" not in tag(client.get("/clinic/"))


def test_a_page_without_the_database_comes_in_the_remembered_look(rf, patient, monkeypatch):
    request = rf.get("/", headers={"cookie": f"{page_look.COOKIE}=large.light"})
    request.user, request.patient = patient.user, patient

    def gone(*args):
        raise DatabaseError

    monkeypatch.setattr(Preferences, "of", gone)
    assert page_look.look_of(request) == page_look.Look("large", "light")


# --- weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kilograms", "units", "text"),
    [
        ("10.0", "kg", "10 kg"),
        ("12.5", "kg", "12.5 kg"),
        ("10.0", "lb", "22 lb"),
        ("12.5", "lb", "27.5 lb"),
        ("100", "lb", "220.5 lb"),
        ("0.5", "lb", "1 lb"),
    ],
)
def test_a_load_is_said_in_the_unit_somebody_likes(kilograms, units, text):
    assert load_text(Decimal(kilograms), units) == text


def test_the_decimal_sign_is_the_reader_s():
    assert load_text(Decimal("12.5"), "kg", ",") == "12,5 kg"


@given(st.decimals(min_value="0.5", max_value="500", places=1))
def test_pounds_are_never_further_off_than_a_quarter(kilograms):
    pounds = load_in(kilograms, "lb")
    assert abs(pounds - kilograms / KG_PER_LB) <= Decimal("0.25")
    assert pounds * 2 == int(pounds * 2)


def test_the_routine_names_loads_in_the_patient_s_unit(program, library):
    prescription = program.current_version.prescriptions.select_related("exercise").first()
    prescription.load_kg = Decimal(10)
    assert "22 lb" in dose_text(prescription, "lb")
    assert "10 kg" in dose_text(prescription)


# --- the foot ----------------------------------------------------------------------------------


def test_the_foot_leads_to_help_first_and_then_to_the_places_that_exist(at_home):
    foot = at_home.get("/settings/").content.decode().split('<footer class="sb-foot"')[1]
    links = re.findall(r'href="([^"]+)"', foot)
    assert links[0] == "/serious/"
    assert links[1] == "/" and "/settings/" in links
    for address in links[1:]:
        if address.startswith("/"):
            assert at_home.get(address).status_code in (200, 302), address


def test_the_foot_says_where_one_is(at_home):
    def here(address: str) -> list[tuple[str, str]]:
        page = at_home.get(address).content.decode()
        return re.findall(r'href="([^"]+)" aria-current="(\w+)"', page)

    assert here("/") == [("/", "page")]
    assert here("/settings/") == [("/settings/", "page")]
    assert here("/settings/reading/") == [("/settings/", "true")]
    assert here("/reminders/") == [("/settings/", "true")]


def test_somebody_unknown_sees_the_way_to_help_and_no_places(client):
    page = client.get("/").content.decode()
    assert "Something feels seriously wrong" in page
    assert "sb-places" not in page
