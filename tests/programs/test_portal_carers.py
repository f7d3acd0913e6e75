"""People who help a patient: asked, let in, seen, and sent away again, through the pages."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from clinic.messaging.links import door_for
from clinic.models import AccessRecord, OutboxMessage, Role, User
from patients.caring import accept_invitation, invite_carer, remove_carer
from patients.models import Carer, RedFlag
from patients.red_flags import REPEATED
from patients.registering import register_patient
from programs.models import Session
from tests.conftest import MONDAY
from tests.reading import words
from tests.signing_in import codes_to

pytestmark = pytest.mark.django_db

PAGE, HELPING = "/carers/", "/helping/"
TOM = "tom@family.example"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY + dt.timedelta(hours=1), tick=False) as traveller:
        cache.clear()
        yield traveller


@pytest.fixture
def at_home(program, client):
    client.force_login(program.patient.user)
    return client


def ask(client, **changes):
    given = {"does": "invite", "name": "Tom Lee", "address": TOM, **changes}
    return client.post(PAGE, given)


def helper(patient, name="Tom Lee", address=TOM) -> tuple[Carer, Client]:
    """A carer who said yes, and a browser in which they are signed in."""
    carer = invite_carer(patient=patient, name=name, address=address, by=patient.user, at=MONDAY)
    accept_invitation(carer=carer, by=carer.user, at=MONDAY)
    browser = Client()
    browser.force_login(carer.user)
    return carer, browser


# --- asking ------------------------------------------------------------------------------------


def test_given_a_patient_when_somebody_is_asked_then_they_get_a_message_without_health(
    at_home, program
):
    assert ask(at_home).url == "/carers/?done=invited"
    message = OutboxMessage.objects.get(kind=OutboxMessage.Kind.INVITATION)
    assert (message.channel, message.address) == ("email", TOM)
    said = f"{message.text.subject_line} {message.text.body}"
    assert program.patient.given_name in said
    assert program.patient.family_name not in said
    assert "Asked. Has not said yes yet." in words(at_home.get(PAGE))


def test_given_an_invitation_when_its_address_is_opened_then_only_a_code_tells_who_asks(
    at_home, program
):
    ask(at_home)
    carer = Carer.objects.get()
    stranger, path = Client(), door_for("invitation", carer.pk).partition("8000")[2]
    page = stranger.get(path)
    assert "t…@family.example" in words(page)
    assert program.patient.given_name not in words(page)
    assert stranger.post(path, {"way": "0"}).url == "/account/login/code/confirm/"
    page = stranger.post("/account/login/code/confirm/", {"code": codes_to(TOM)[-1]}, follow=True)
    assert f"{program.patient.name} asks for your help" in words(page)
    assert stranger.get("/", follow=True).redirect_chain[-1][0] == HELPING
    assert stranger.get("/reminders/").url == HELPING
    page = stranger.post(HELPING, {"does": "accept", "carer": str(carer.pk)}, follow=True)
    assert f"You are helping {program.patient.given_name}" in words(page)


def test_given_a_mobile_number_then_the_invitation_and_the_code_go_there(at_home, program):
    ask(at_home, address="07700 900888")
    message = OutboxMessage.objects.get(kind=OutboxMessage.Kind.INVITATION)
    assert (message.channel, message.address) == ("sms", "+447700900888")
    carer = Carer.objects.get()
    assert (carer.user.email, carer.user.role) == (None, Role.CARER)
    browser = Client()
    browser.post("/account/login/code/", {"address": "+447700900888"})
    browser.post("/account/login/code/confirm/", {"code": codes_to("+447700900888")[0]})
    assert browser.session["_auth_user_id"] == str(carer.user.pk)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"name": ""}, "Type the name of this person."),
        ({"address": ""}, "Type your e-mail address or your mobile number."),
        ({"address": "nowhere"}, "neither an e-mail address nor a telephone number"),
        ({"address": "ruth@practice.example"}, "This address cannot be used."),
    ],
)
def test_given_something_wrong_then_it_is_said_and_nobody_is_asked(at_home, changes, said):
    page = ask(at_home, **changes)
    assert page.status_code == 400
    assert said in words(page)
    assert not Carer.objects.exists()
    assert not OutboxMessage.objects.filter(kind=OutboxMessage.Kind.INVITATION).exists()


def test_given_ones_own_address_or_somebody_asked_already_then_it_is_said(at_home, program):
    assert "your own address" in words(ask(at_home, address=program.patient.user.email))
    ask(at_home)
    assert "asked this person already" in words(ask(at_home))


def test_given_five_invitations_today_then_a_sixth_waits(at_home, program):
    for number in range(5):
        ask(at_home, address=f"p{number}@family.example")
        remove_carer(carer=Carer.objects.latest("invited_at"), by=program.patient.user, at=MONDAY)
    assert "try again tomorrow" in words(ask(at_home))


def test_given_two_weeks_without_an_answer_then_the_invitation_has_ended(at_home, program, clock):
    ask(at_home)
    carer = Carer.objects.get()
    clock.shift(dt.timedelta(days=15))
    assert Client().get(door_for("invitation", carer.pk).partition("8000")[2]).status_code == 404
    with pytest.raises(ValidationError):
        accept_invitation(carer=carer, by=carer.user, at=MONDAY + dt.timedelta(days=15))


def test_given_an_invitation_then_nobody_but_the_invited_says_yes(at_home, program, make_patient):
    ask(at_home)
    carer, other = Carer.objects.get(), make_patient("Other")
    with pytest.raises(PermissionDenied):
        accept_invitation(carer=carer, by=other.user, at=MONDAY)
    browser = Client()
    browser.force_login(other.user)
    assert browser.post(HELPING, {"does": "accept", "carer": str(carer.pk)}).status_code == 400
    with pytest.raises(PermissionDenied):
        invite_carer(
            patient=program.patient, name="X", address="x@y.example", by=other.user, at=MONDAY
        )


# --- helping -------------------------------------------------------------------------------------


def test_given_a_carer_then_the_day_is_open_and_the_rest_is_closed(program):
    _, browser = helper(program.patient)
    for path in ("/", "/routine/", "/check-in/questions/", "/reminders/"):
        assert browser.get(path, follow=True).status_code == 200, path
    for path in (PAGE, "/settings/"):
        page = browser.get(path)
        assert page.status_code == 403, path
        assert f"Only {program.patient.given_name} can do this" in words(page)
    assert browser.get("/clinic/").status_code == 403
    assert browser.get("/api/v1/today/").status_code == 403


def test_given_a_carer_when_something_is_recorded_then_it_is_known_who_did_it(
    program, physio, client
):
    carer, browser = helper(program.patient)
    browser.post(
        "/check-in/questions/",
        {"client_id": uuid.uuid4(), **{question.id: "no" for question in REPEATED}},
    )
    browser.post("/routine/skip/", {"skip_reason": "time", "client_id": uuid.uuid4()})
    session = Session.objects.get()
    assert AccessRecord.objects.get(subject_type="red_flag_screening").actor == carer.user
    deed = AccessRecord.objects.get(action="change", subject_type="session")
    assert (deed.actor, deed.subject_id, deed.page) == (carer.user, str(session.pk), "carer")
    client.force_login(physio)
    page = words(client.get(f"/clinic/patients/{program.patient_id}/"))
    assert "recorded by Tom Lee, who helps" in page
    assert "People who help" in page


def test_given_the_patients_own_session_then_nobody_else_is_named(program, physio, client):
    from tests.living import report_session

    helper(program.patient)
    report_session(program, 0)
    client.force_login(physio)
    assert "who helps" not in words(client.get(f"/clinic/patients/{program.patient_id}/"))


def test_given_a_carer_then_looks_at_the_record_are_written_down(program):
    carer, browser = helper(program.patient)
    browser.get("/reminders/")
    look = AccessRecord.objects.get(actor=carer.user, action="read")
    assert (look.subject_id, look.page) == (str(program.patient_id), "portal_reminders")


def test_given_a_carer_then_reminders_move_but_consent_stays_the_patients(program):
    _, browser = helper(program.patient)
    browser.post(
        "/reminders/",
        {
            "channel": "sms",
            "does": "save",
            "sms-reminder_time": "18:30",
            "sms-reminder_days": ["0", "2"],
        },
    )
    point = program.patient.contact_points.get(channel="sms")
    assert point.reminder_time == dt.time(18, 30)
    page = browser.post("/reminders/", {"channel": "sms", "does": "stop"})
    assert page.status_code == 400
    assert "Only the patient turns messages on or off." in words(page)
    assert "+447700900123" not in words(browser.get("/reminders/"))
    assert program.patient.consents.active().filter(purpose="sms").exists()


def test_given_a_carer_of_two_then_they_choose_and_change(program, make_program, make_patient):
    carer, browser = helper(program.patient)
    other = make_program(patient=make_patient("Omar")).patient
    second, _ = helper(other)
    assert second.user == carer.user
    page = browser.get("/", follow=True)
    assert "Whose pages do you want to open?" in words(page)
    page = browser.post(HELPING, {"does": "help", "carer": str(second.pk)}, follow=True)
    assert "You are helping Omar" in words(page)
    page = browser.post(HELPING, {"does": "help", "carer": str(carer.pk)}, follow=True)
    assert "You are helping Ana" in words(page)


def test_given_a_patient_who_helps_another_then_their_own_page_comes_first(
    program, make_program, make_patient
):
    tom = make_program(patient=make_patient("Tom", email=TOM)).patient
    carer, browser = helper(program.patient)
    assert carer.user == tom.user
    assert "You are helping" not in words(browser.get("/"))
    browser.post(HELPING, {"does": "help", "carer": str(carer.pk)})
    assert "You are helping Ana" in words(browser.get("/"))
    page = browser.post(HELPING, {"does": "own"}, follow=True)
    assert "You are helping" not in words(page)


def test_given_a_carer_who_becomes_a_patient_then_it_is_one_account(program, physio, site):
    carer, _ = helper(program.patient)
    patient = register_patient(
        site=site,
        physiotherapist=physio,
        given_name="Tom",
        family_name="Lee",
        email=TOM,
        by=physio,
        at=MONDAY,
    )
    assert patient.user == carer.user
    assert User.objects.get(pk=carer.user.pk).role == Role.PATIENT


def test_given_a_patient_who_is_asked_when_their_mailbox_is_another_then_the_old_opens_nothing(
    program, at_home, make_patient
):
    asked = make_patient("Ben", email="ben@old.example", phone="").user
    ask(at_home, address="ben@old.example")
    assert Carer.objects.get().user == asked
    asked.patient.contact_points.all().delete()
    asked.email = "ben@new.example"
    asked.save()
    Client().post("/account/login/code/", {"address": "ben@old.example"})
    assert codes_to("ben@old.example") == []


def test_given_a_mailbox_that_only_looks_like_a_patients_then_it_does_not_become_theirs(
    program, at_home, make_patient
):
    victim = make_patient("Iris", email="iris@patients.example")
    ask(at_home, address="ırıs@patients.example")
    carer = Carer.objects.get()
    assert carer.user != victim.user
    Client().post("/account/login/code/", {"address": carer.address})
    browser = Client()
    browser.post("/account/login/code/", {"address": carer.address})
    browser.post("/account/login/code/confirm/", {"code": codes_to(carer.address)[-1]})
    assert browser.session["_auth_user_id"] == str(carer.user.pk)


def test_given_a_carer_when_they_look_at_the_day_then_that_is_written_down(program):
    carer, browser = helper(program.patient)
    assert browser.get("/").status_code == 200
    look = AccessRecord.objects.get(actor=carer.user, action=AccessRecord.Action.READ)
    assert (look.subject_id, look.page) == (str(program.patient.pk), "portal_home")


# --- the end -------------------------------------------------------------------------------------


def test_given_an_open_session_when_the_carer_is_removed_then_the_next_page_is_closed(
    program, at_home
):
    carer, browser = helper(program.patient)
    assert browser.get("/routine/", follow=True).status_code == 200
    page = at_home.post(PAGE, {"does": "remove", "carer": str(carer.pk)}, follow=True)
    assert "can no longer see anything of you" in words(page)
    for path in ("/", "/routine/", "/reminders/"):
        closed = browser.get(path)
        assert closed.status_code == 403, path
        assert program.patient.given_name not in words(closed)
    browser.post("/routine/skip/", {"skip_reason": "time", "client_id": uuid.uuid4()})
    assert not Session.objects.exists()


def test_given_a_removed_carer_then_no_code_is_sent_any_more(program, at_home):
    carer, _ = helper(program.patient)
    at_home.post(PAGE, {"does": "remove", "carer": str(carer.pk)})
    Client().post("/account/login/code/", {"address": TOM})
    assert codes_to(TOM) == []


def test_given_a_carer_when_they_end_it_themselves_then_the_patient_sees_it(program, at_home):
    carer, browser = helper(program.patient)
    page = browser.post(HELPING, {"does": "leave", "carer": str(carer.pk)}, follow=True)
    assert "Nobody asks for your help at the moment." in words(page)
    assert "Nobody helps you here so far." in words(at_home.get(PAGE))


def test_given_an_invitation_not_sent_yet_when_it_is_taken_back_then_it_stays_here(
    program, at_home
):
    ask(at_home)
    at_home.post(PAGE, {"does": "remove", "carer": str(Carer.objects.get().pk)})
    message = OutboxMessage.objects.get(kind=OutboxMessage.Kind.INVITATION)
    assert message.status == OutboxMessage.Status.SUPPRESSED


def test_given_another_patients_carer_then_it_cannot_be_removed(program, at_home, make_program):
    other = make_program().patient
    carer, _ = helper(other)
    at_home.post(PAGE, {"does": "remove", "carer": str(carer.pk)})
    carer.refresh_from_db()
    assert carer.ended_at is None
    with pytest.raises(PermissionDenied):
        remove_carer(carer=carer, by=program.patient.user, at=MONDAY)


def test_given_a_carer_who_leaves_and_is_asked_by_another_then_the_device_forgets(
    program, make_program
):
    carer, browser = helper(program.patient)
    other = make_program().patient
    invite_carer(patient=other, name="Tom", address=TOM, by=other.user, at=MONDAY)
    assert browser.get("/")["X-Account-Tag"] != "none"
    browser.post(HELPING, {"does": "leave", "carer": str(carer.pk)})
    page = browser.get("/", follow=True)
    assert page.redirect_chain[-1][0] == HELPING
    assert page["X-Account-Tag"] == "none"


def test_given_a_carer_of_two_when_a_form_of_one_is_sent_as_the_other_then_nobody_has_it(
    program, make_program
):
    first, browser = helper(program.patient)
    other = make_program()
    second, _ = helper(other.patient)

    def turn_to(carer):
        return browser.post(HELPING, {"does": "help", "carer": str(carer.pk)})

    def whose_of(page):
        return re.search(r'name="whose" value="(\w+)"', page.content.decode())[1]

    turn_to(first)
    browser.post("/serious/", answered())
    whose = {path: whose_of(browser.get(path)) for path in ("/routine/skip/", "/serious/")}
    assert len(set(whose.values())) == 1
    # given another tab in which the carer has turned to the other one
    turn_to(second)
    skipped = {"skip_reason": "time", "client_id": uuid.uuid4(), "whose": whose["/routine/skip/"]}
    page = browser.post("/routine/skip/", skipped)
    assert page.status_code == 409 and "Please look again" in words(page)
    for path in ("/serious/", "/check-in/questions/"):
        flags = {**answered("yes"), "whose": whose["/serious/"]}
        page = browser.post(path, flags)
        assert "Get medical help now" in words(page), "what to do never waits"
    assert not Session.objects.exists() and not RedFlag.objects.exists()
    # and as soon as the carer is back with the first, all of it is taken
    turn_to(first)
    browser.post("/routine/skip/", skipped)
    browser.post("/serious/", flags)
    assert Session.objects.get().program == program
    assert RedFlag.objects.get().patient == program.patient


def answered(first="no"):
    answers = {question.id: "no" for question in REPEATED} | {REPEATED[0].id: first}
    return {**answers, "client_id": uuid.uuid4()}


def test_given_a_number_whose_carer_was_removed_when_it_is_asked_again_then_it_is_another_account(
    program, make_program
):
    old, browser = helper(program.patient, address="+447700900888")
    remove_carer(carer=old, by=program.patient.user, at=MONDAY)
    other = make_program().patient
    new = invite_carer(patient=other, name="Zoe", address="+447700900888", by=other.user, at=MONDAY)
    assert new.user != old.user
    assert other.given_name not in words(browser.get(HELPING))
