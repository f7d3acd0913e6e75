"""My data: taking it out, asking for its deletion, taking that back; and the practice's answer."""

import datetime as dt
import html
import io
import re
import time
import uuid
import zipfile

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from clinic.models import AccessRecord, Alert, OutboxMessage
from patients.caring import accept_invitation, invite_carer
from patients.erasing import answer, ask_for_deletion, withdraw
from patients.models import ErasureRequest
from programs.portal_access import PASS
from programs.today import today_for
from tests.conftest import MONDAY
from tests.reading import client_id_in, words

pytestmark = pytest.mark.django_db

FILE = "/settings/data/file/"


@pytest.fixture
def at_home(clock, program, client) -> Client:
    """The patient, who signed in by code just now."""
    return sign_in(client, program.patient.user)


def sign_in(client: Client, user) -> Client:
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "code", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


# --- the file ----------------------------------------------------------------------------------


def test_somebody_who_just_signed_in_gets_the_file(at_home, program):
    page = at_home.post(FILE)
    assert page.status_code == 200
    assert page["Cache-Control"] == "private, no-store"
    assert "steadyback-2026-03-02.zip" in page["Content-Disposition"]
    whole = zipfile.ZipFile(io.BytesIO(b"".join(page.streaming_content)))
    assert "data.json" in whole.namelist()
    assert AccessRecord.objects.get(action="export").actor == program.patient.user


def test_somebody_who_signed_in_a_while_ago_signs_in_again_first(at_home, clock):
    clock.shift(dt.timedelta(minutes=16))
    page = at_home.get("/settings/data/")
    assert "Sign in again" in words(page) and "Download my data" not in words(page)
    page = at_home.post(FILE)
    assert page.status_code == 403
    assert "Nothing has left the practice" in words(page)
    assert not AccessRecord.objects.filter(action="export").exists()


def test_signing_in_again_leads_back(at_home, clock):
    clock.shift(dt.timedelta(minutes=16))
    page = at_home.get("/settings/data/").content.decode()
    address = html.unescape(re.search(r'href="(/account/logout/\?[^"]+)"', page).group(1))
    leaving = at_home.get(address).content.decode()
    further = html.unescape(re.search(r'name="next" value="([^"]+)"', leaving).group(1))
    page = at_home.post("/account/logout/", {"next": further})
    assert page.url == "/account/login/code/?next=%2Fsettings%2Fdata%2F"
    assert 'name="next" value="/settings/data/"' in at_home.get(page.url).content.decode()


def test_looking_at_the_page_takes_nothing_out(at_home):
    at_home.get("/settings/data/")
    assert at_home.get(FILE).status_code == 405
    assert not AccessRecord.objects.filter(action="export").exists()


@pytest.mark.parametrize(
    "address", ["/settings/data/", FILE, "/settings/data/deletion/", "/settings/data/keep/"]
)
def test_a_reminder_link_does_not_open_what_is_the_patient_s_alone(clock, program, client, address):
    session = client.session
    session[PASS] = {
        "program": str(program.pk),
        "until": "2026-03-03T08:00:00+00:00",
        "since": "2026-03-02T07:00:00+00:00",
    }
    session.save()
    page = client.post(address, {"client_id": str(uuid.uuid4())})
    if page.status_code == 405:
        page = client.get(address)
    assert page.status_code == 302 and "/account/login/code/" in page.url
    assert not ErasureRequest.objects.exists()


def test_somebody_who_helps_opens_neither_the_settings_nor_the_data(clock, program, client):
    patient = program.patient
    carer = invite_carer(
        patient=patient, name="Tom Lee", address="tom@family.example", by=patient.user, at=MONDAY
    )
    accept_invitation(carer=carer, by=carer.user, at=MONDAY)
    sign_in(client, carer.user)
    for address in ("/settings/", "/settings/reading/", "/settings/data/"):
        assert client.get(address).status_code == 403, address
    assert client.post(FILE).status_code == 403
    page = client.get("/").content.decode()
    assert 'href="/settings/"' not in page and 'href="/serious/"' in page
    assert not AccessRecord.objects.filter(action="export").exists()


# --- the wish ----------------------------------------------------------------------------------


def test_a_wish_is_kept_once_and_the_manager_hears_of_it(at_home, program, manager):
    page = at_home.get("/settings/data/deletion/")
    said = words(page)
    assert "What can go" in said and "What we have to keep" in said and "30 days" in said
    form = {"client_id": client_id_in(page), "reason": "I moved away."}
    for _ in range(2):
        page = at_home.post("/settings/data/deletion/", form, follow=True)
    wish = ErasureRequest.objects.get()
    assert (wish.status, wish.reason) == ("open", "I moved away.")
    assert "You asked us on" in words(page) and "answers within one month" in words(page)
    alert = Alert.objects.get()
    assert (alert.owner, alert.severity) == (manager, "routine")
    mail = OutboxMessage.objects.get(kind="staff_alert")
    assert mail.address == manager.email
    assert "delet" not in (mail.text.subject_line + mail.text.body).lower()
    # Not a safety alert: nothing about it where the patient reads who has seen theirs.
    assert today_for(program=program, at=MONDAY).seen is None


def test_a_second_wish_while_one_is_open_is_the_same(program):
    patient = program.patient
    first, second = (
        ask_for_deletion(patient=patient, client_id=uuid.uuid4(), by=patient.user, at=MONDAY)
        for _ in range(2)
    )
    assert first == second
    assert Alert.objects.count() == 1


def test_without_a_manager_the_physiotherapist_hears_of_it(patient):
    ask_for_deletion(patient=patient, client_id=uuid.uuid4(), by=patient.user, at=MONDAY)
    assert Alert.objects.get().owner == patient.physiotherapist


def test_a_wish_taken_back_ends_by_itself(at_home, program, manager):
    patient = program.patient
    ask_for_deletion(patient=patient, client_id=uuid.uuid4(), by=patient.user, at=MONDAY)
    page = at_home.post("/settings/data/keep/", follow=True)
    assert "Nothing was deleted" in words(page)
    at_home.post("/settings/data/keep/")
    wish = ErasureRequest.objects.get()
    assert wish.status == "withdrawn"
    assert "took it back" in Alert.objects.get().summary
    with pytest.raises(ValidationError):
        answer(request=wish, outcome="kept", words="Too late.", by=manager, at=MONDAY)
    # And there may be another one later.
    page = at_home.get("/settings/data/deletion/")
    at_home.post("/settings/data/deletion/", {"client_id": client_id_in(page)})
    assert ErasureRequest.objects.open().count() == 1


def test_only_the_patient_asks_and_takes_back(patient, physio, make_patient):
    with pytest.raises(PermissionDenied):
        ask_for_deletion(patient=patient, client_id=uuid.uuid4(), by=physio, at=MONDAY)
    wish = ask_for_deletion(patient=patient, client_id=uuid.uuid4(), by=patient.user, at=MONDAY)
    with pytest.raises(PermissionDenied):
        withdraw(request=wish, by=make_patient("Ben").user, at=MONDAY)


# --- the answer --------------------------------------------------------------------------------


@pytest.fixture
def wish(clock, patient, manager) -> ErasureRequest:
    return ask_for_deletion(
        patient=patient, client_id=uuid.uuid4(), by=patient.user, at=MONDAY, reason="I moved."
    )


def test_a_manager_answers_and_the_patient_reads_it(wish, manager, client):
    client.force_login(manager)
    page = client.get("/clinic/deletions/")
    assert "I moved." in words(page) and "Answer by 1 Apr 2026" in words(page)
    page = client.post(
        "/clinic/deletions/",
        {
            "wish": wish.pk,
            f"{wish.pk}-outcome": "deleted",
            f"{wish.pk}-words": "Your addresses are gone. Your record stays for 8 years.",
        },
        follow=True,
    )
    assert "Nobody asks for a deletion now" in words(page)
    alert = Alert.objects.get()
    assert (alert.acknowledged_by, alert.outcome) == (manager, "Deleted what may be deleted")
    client.force_login(wish.patient.user)
    page = words(client.get("/settings/data/"))
    assert "Mona Lindqvist answered on" in page
    assert "Your record stays for 8 years." in page
    assert wish.patient.erasure_requests.get().patient.given_name == "Ana"


def test_an_answer_without_words_is_refused_and_what_was_typed_stays(wish, manager, client):
    client.force_login(manager)
    page = client.post("/clinic/deletions/", {"wish": wish.pk, f"{wish.pk}-outcome": "kept"})
    assert page.status_code == 400
    assert "Write what the patient shall read" in words(page)
    wish.refresh_from_db()
    assert wish.status == "open"


def test_a_wish_that_is_not_open_any_more_is_said_to_be_so(wish, manager, client):
    withdraw(request=wish, by=wish.patient.user, at=MONDAY)
    client.force_login(manager)
    page = client.post("/clinic/deletions/", {"wish": wish.pk}, follow=True)
    assert "not open any more" in words(page)
    for number in ("999999", "x", "9" * 40, ""):
        assert client.post("/clinic/deletions/", {"wish": number}).status_code == 404


def test_nobody_but_a_manager_of_the_site_answers(wish, physio, front_desk, other_site, client):
    for somebody in (physio, front_desk):
        client.force_login(somebody)
        assert client.get("/clinic/deletions/").status_code == 403
        with pytest.raises(PermissionDenied):
            answer(request=wish, outcome="kept", words="No.", by=somebody, at=MONDAY)


def test_a_manager_of_another_site_sees_no_wish(wish, stranger, client):
    stranger.role = "manager"
    stranger.save()
    client.force_login(stranger)
    assert "Ana" not in words(client.get("/clinic/deletions/"))
    assert client.post("/clinic/deletions/", {"wish": wish.pk}).status_code == 404
    with pytest.raises(PermissionDenied):
        answer(request=wish, outcome="kept", words="No.", by=stranger, at=MONDAY)
