"""The two addresses that lead a patient in: the link of a reminder, and the QR code on paper."""

import datetime as dt
import re

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from clinic.messaging.links import door_for, token_for
from clinic.models import AccessRecord
from patients.models import SignInSheet
from tests.conftest import MONDAY
from tests.patients.test_consenting import waiting
from tests.reading import words
from tests.signing_in import codes_to

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY + dt.timedelta(hours=1), tick=False) as traveller:
        cache.clear()
        yield traveller


# --- the link of a reminder ----------------------------------------------------------------------


@pytest.fixture
def link(program) -> str:
    message = waiting(program.patient, "email", program.patient.user.email)
    message.link_expires_at = MONDAY + dt.timedelta(days=1)
    message.save()
    return f"/r/{token_for(message.pk)}"


def scanner() -> Client:
    return Client(headers={"user-agent": "SafeLinks/1.0 (compatible; HeadlessChrome)"})


def test_given_scanners_that_open_and_submit_the_link_then_it_still_opens_for_the_patient(
    link, program
):
    for _ in range(25):
        visitor = scanner()
        assert visitor.get(link).status_code == 200
        assert visitor.head(link).status_code == 200
        assert visitor.post(link).url == "/"
    own = Client()
    assert "Open today’s routine" in words(own.get(link))
    assert own.post(link).url == "/"
    assert program.patient.given_name in words(own.get("/"))


def test_given_scanners_that_went_on_to_the_pages_then_nothing_was_recorded(link, program):
    visitor = scanner()
    visitor.post(link)
    for path in ("/", "/routine/", "/check-in/questions/", "/reminders/", "/routine/skip/"):
        visitor.get(path)
        visitor.head(path)
    assert not program.sessions.exists()
    assert not program.patient.check_ins.exists()
    assert not AccessRecord.objects.exists()


def test_given_scanners_then_the_patient_can_still_ask_for_a_code(link, program):
    for _ in range(25):
        scanner().post(link)
    Client().post("/account/login/code/", {"address": program.patient.user.email})
    assert len(codes_to(program.patient.user.email)) == 1


def test_given_a_browser_of_the_patient_then_the_link_works_as_often_as_they_like(link):
    own = Client()
    for _ in range(3):
        assert own.post(link).url == "/"
        own.cookies.clear()


# --- the paper -----------------------------------------------------------------------------------


@pytest.fixture
def desk(front_desk, client):
    client.force_login(front_desk)
    return client


def printed(desk, patient) -> str:
    """Make a sheet and read the address on it."""
    page = desk.post(f"/clinic/patients/{patient.pk}/sheet/new/", follow=True)
    assert page.status_code == 200
    return re.search(r"https?://[^/]+(/in/[\w-]+)", page.content.decode()).group(1)


def test_given_a_sheet_then_it_is_drawn_without_script_and_hides_the_addresses(desk, patient):
    printed(desk, patient)
    page = desk.get(f"/clinic/patients/{patient.pk}/sheet/")
    html = page.content.decode()
    assert "<svg" in html and "<script" not in html and "style=" not in html
    assert patient.user.email not in html and "+447700900123" not in html
    assert "+44 … 123" in words(page)
    assert AccessRecord.objects.filter(action="print", page="sign_in_sheet").exists()


def test_given_the_paper_then_it_opens_nothing_and_a_code_does(desk, patient):
    path, finder = printed(desk, patient), Client()
    page = finder.get(path)
    for hidden in (patient.given_name, patient.family_name, patient.user.email, "+447700900123"):
        assert hidden not in words(page)
    assert "_auth_user_id" not in finder.session
    ways = re.findall(r'name="way" value="(.)".*?<bdi>(.*?)</bdi>', page.content.decode(), re.S)
    texted = next(number for number, shown in ways if shown.startswith("+44"))
    finder.post(path, {"way": texted})
    page = finder.get("/account/login/code/confirm/")
    assert "+44 … 123" in words(page) and "+447700900123" not in words(page)
    finder.post("/account/login/code/confirm/", {"code": codes_to("+447700900123")[0]})
    assert finder.session["_auth_user_id"] == str(patient.user.pk)


def test_given_a_family_phone_then_the_paper_lets_in_its_own_patient_only(desk, make_patient):
    ana, _ = make_patient("Ana", email=""), make_patient("Omar", email="")
    finder, path = Client(), printed(desk, ana)
    finder.post(path, {"way": "0"})
    finder.post("/account/login/code/confirm/", {"code": codes_to("+447700900123")[0]})
    assert finder.session["_auth_user_id"] == str(ana.user.pk)


def test_given_a_new_sheet_then_the_one_before_leads_nowhere(desk, patient):
    first, second = printed(desk, patient), printed(desk, patient)
    gone = [Client().get(path) for path in (first, "/in/" + "A" * 35, "/in/x")]
    assert {page.status_code for page in gone} == {404}
    assert len({words(page) for page in gone}) == 1
    assert Client().get(second).status_code == 200
    assert SignInSheet.objects.filter(patient=patient).count() == 2


def test_given_scanners_of_the_paper_then_codes_run_out_for_them_and_no_account_is_locked(
    desk, patient
):
    path = printed(desk, patient)
    pages = [Client().post(path, {"way": "0"}) for _ in range(5)]
    assert pages[-1].status_code == 400
    assert "Too many" in words(pages[-1])
    assert Client().get(path).status_code == 200


def test_given_somebody_of_another_site_then_there_is_no_sheet(patient, stranger, client):
    client.force_login(stranger)
    assert client.post(f"/clinic/patients/{patient.pk}/sheet/new/").status_code == 404
    assert not SignInSheet.objects.exists()


def test_given_a_token_of_another_purpose_then_it_is_worthless_here(desk, patient, link):
    sheet_token = printed(desk, patient).removeprefix("/in/")
    assert Client().get(f"/r/{sheet_token}").status_code == 404
    assert Client().get(f"/in/{link.removeprefix('/r/')}").status_code == 404
    sheet = SignInSheet.objects.get()
    other = door_for("invitation", sheet.pk).rpartition("/")[2]
    assert Client().get(f"/in/{other}").status_code == 404
