"""The patient's page “My reminders”, through the door a browser uses."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse

from clinic.messaging import outbox
from clinic.messaging.links import token_for
from clinic.models import OutboxMessage, Suppression
from patients.consenting import stop_messages, withdraw_consent
from patients.registering import add_contact_point
from tests.conftest import MONDAY
from tests.patients.test_consenting import HOUR, PHONE, fate, waiting
from tests.reading import words

pytestmark = pytest.mark.django_db

PAGE = "/reminders/"


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY + HOUR, tick=False) as traveller:
        cache.clear()
        yield traveller


@pytest.fixture
def at_home(clock, program, client):
    client.force_login(program.patient.user)
    return client


@pytest.fixture
def by_link(clock, program, client):
    """Somebody who pressed the button of a reminder's link, and has not signed in."""
    message = waiting(program.patient, "email", program.patient.user.email)
    message.link_expires_at = MONDAY + dt.timedelta(days=1)
    message.save()
    client.post(f"/r/{token_for(message.pk)}")
    return client


def choice(channel="sms", **changes):
    given = {"reminder_time": "18:30", "reminder_days": ["0", "2"], **changes}
    data = {f"{channel}-{name}": value for name, value in given.items() if value is not None}
    return {"channel": channel, "does": "save", **data}


def point_of(patient, channel="sms"):
    return patient.contact_points.get(channel=channel)


# --- seeing ------------------------------------------------------------------------------------


def test_given_a_patient_then_both_channels_say_where_when_and_what_comes_next(at_home, program):
    page = words(at_home.get(PAGE))
    for said in (
        "We write to +447700900123",
        program.patient.user.email,
        "Our messages never say anything about your health.",
        "Tomorrow at 8:00 by text message",
        "Tomorrow at 8:00 by e-mail",
        "You said yes on 2 March 2026, in person. Wording 2026-12.",
    ):
        assert said in page, said


def test_given_any_page_of_the_patient_then_its_foot_leads_here_by_way_of_the_settings(at_home):
    assert f'href="{reverse("portal_settings")}"' in at_home.get("/").content.decode()
    page = at_home.get(reverse("portal_settings")).content.decode()
    assert f'href="{reverse("portal_reminders")}"' in page


def test_given_no_program_then_nothing_is_planned_and_hours_can_be_chosen(
    clock, make_patient, client
):
    patient = make_patient()
    client.force_login(patient.user)
    assert "No reminders are planned now." in words(client.get(PAGE))
    assert client.post(PAGE, choice()).status_code == 302
    assert point_of(patient).reminder_time == dt.time(18, 30)


def test_given_no_telephone_then_the_page_says_whom_to_tell(clock, make_patient, client):
    patient = make_patient(phone="", consents=["record", "email"])
    client.force_login(patient.user)
    assert "Tell Harbour Street if you would like text messages." in words(client.get(PAGE))
    response = client.post(PAGE, {"channel": "sms", "does": "start"})
    assert response.status_code == 400
    assert not patient.consents.active().filter(purpose="sms").exists()


# --- hour and days -----------------------------------------------------------------------------


def test_given_hour_days_and_nudge_then_they_are_kept_and_what_comes_next_follows(at_home, program):
    response = at_home.post(PAGE, choice(second_nudge="on"))
    assert response.url == "/reminders/?kept=sms#sms"
    point = point_of(program.patient)
    assert (point.reminder_time, point.reminder_days, point.second_nudge) == (
        dt.time(18, 30),
        0b101,
        True,
    )
    assert point_of(program.patient, "email").reminder_days == 127
    page = words(at_home.get(response.url))
    assert "Saved. We send you text messages." in page
    assert "Today at 18:30 by text message" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reminder_time": "07:30"}, "Messages go out from 08:00 to 21:00."),
        ({"reminder_time": "21:00"}, "Messages go out from 08:00 to 21:00."),
        ({"reminder_time": "soon"}, "Write the time in hours and minutes, such as 8:00."),
        ({"reminder_time": ""}, "Choose a time, such as 8:00."),
        ({"reminder_time": "8:00\0"}, "Write the time in hours and minutes, such as 8:00."),
        ({"reminder_days": None}, "Choose at least one day."),
        ({"reminder_days": ["9"]}, "Choose days from Monday to Sunday."),
    ],
)
def test_given_what_cannot_be_then_it_is_said_at_its_field_and_nothing_changes(
    at_home, program, wrong, said
):
    response = at_home.post(PAGE, choice(**wrong))
    assert response.status_code == 400
    name = next(iter(wrong))
    assert response.context["cards"][0].form.errors.keys() == {name}
    assert said in words(response) and f'id="id_sms-{name}_error"' in response.content.decode()
    point = point_of(program.patient)
    assert (point.reminder_time, point.reminder_days) == (dt.time(8), 127)


def test_given_two_phones_then_the_chosen_one_is_written_to(at_home, program, physio):
    patient = program.patient
    second = add_contact_point(patient=patient, channel="sms", address="+447700900456", by=physio)
    assert "Where to?" in words(at_home.get(PAGE))
    assert at_home.post(PAGE, choice(point=str(second.pk))).status_code == 302
    wanted = patient.contact_points.get(channel="sms", reminders=True)
    assert (wanted.pk, wanted.reminder_time) == (second.pk, dt.time(18, 30))


def test_given_somebody_elses_address_then_it_is_no_choice(at_home, program, make_patient, physio):
    add_contact_point(patient=program.patient, channel="sms", address="+447700900456", by=physio)
    foreign = point_of(make_patient("Ben", phone="+447700900777"))
    assert at_home.post(PAGE, choice(point=str(foreign.pk))).status_code == 400
    foreign.refresh_from_db()
    assert foreign.reminder_time == dt.time(8)


# --- off and on --------------------------------------------------------------------------------


def test_given_off_then_nothing_starts_any_more_and_on_again_is_a_new_yes(at_home, program):
    patient = program.patient
    message = waiting(patient)
    response = at_home.post(PAGE, {"channel": "sms", "does": "stop"})
    assert fate(message)[0] == OutboxMessage.Status.SUPPRESSED
    assert Suppression.objects.in_force().get().by_owner
    page = words(at_home.get(response.url))
    assert "Saved. We send you no more text messages." in page
    assert "These have been off since 2 March 2026." in page
    assert "by text message" not in page.split("Text messages")[0]
    ended = patient.consents.get(purpose="sms")
    assert (ended.withdrawn_by, ended.withdrawn_way) == (patient.user, "web")

    at_home.post(PAGE, {"channel": "sms", "does": "start"})
    consent = patient.consents.active().get(purpose="sms")
    assert (consent.recorded_by, consent.way, consent.wording_version) == (
        patient.user,
        "web",
        "2026-12",
    )
    assert not Suppression.objects.in_force().exists()
    assert "Tomorrow at 8:00 by text message" in words(at_home.get(PAGE))


def test_given_turning_off_with_an_hour_half_typed_then_it_is_off_all_the_same(at_home, program):
    assert at_home.post(PAGE, choice(reminder_time="") | {"does": "stop"}).status_code == 302
    assert not program.patient.consents.active().filter(purpose="sms").exists()


def test_given_staff_turned_the_address_off_then_the_patient_turns_it_on(at_home, program, physio):
    patient = program.patient
    patient.contact_points.filter(channel="sms").update(reminders=False)
    withdraw_consent(patient=patient, purpose="sms", by=physio, at=MONDAY)
    page = words(at_home.get(PAGE))
    assert "We do not send you text messages now." in page
    assert "We may send a text message to your phone" in page, "what the yes would be to"
    at_home.post(PAGE, {"channel": "sms", "does": "start"})
    assert point_of(patient).reminders
    assert patient.consents.active().filter(purpose="sms").exists()


def test_given_a_number_that_takes_nothing_then_the_page_says_so_and_lets_her_try_again(at_home):
    outbox.suppress_address(channel="sms", address=PHONE, reason="Landline.", at=MONDAY)
    assert "did not arrive at +447700900123 , so we stopped" in words(at_home.get(PAGE))
    at_home.post(PAGE, {"channel": "sms", "does": "start"})
    assert not Suppression.objects.in_force().exists()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"channel": "sms"},
        {"channel": "pigeon", "does": "stop"},
        {"channel": "sms", "does": "explode"},
    ],
)
def test_given_nonsense_then_it_is_said_and_nothing_changes(at_home, program, data):
    response = at_home.post(PAGE, data)
    assert response.status_code == 400
    assert "Please look at it again" in words(response)
    assert program.patient.consents.active().count() == 3


def test_given_it_was_turned_off_meanwhile_then_saving_hours_says_so(at_home, program):
    patient = program.patient
    stop_messages(patient=patient, channel="sms", at=MONDAY, way="text")
    response = at_home.post(PAGE, choice())
    assert response.status_code == 400
    assert "This page has changed" in words(response)
    assert not patient.consents.active().filter(purpose="sms").exists()


# --- by the link of a reminder -----------------------------------------------------------------


def test_given_a_reminders_link_then_the_page_opens_with_addresses_half_hidden(by_link, program):
    page = words(by_link.get(PAGE))
    assert "+44 … 123" in page and PHONE not in page
    assert program.patient.user.email not in page


def test_given_a_reminders_link_then_off_and_on_say_that_it_was_a_link(by_link, program):
    by_link.post(PAGE, {"channel": "email", "does": "stop"})
    consent = program.patient.consents.get(purpose="email")
    assert consent.withdrawn_way == "link"
    by_link.post(PAGE, {"channel": "email", "does": "start"})
    assert program.patient.consents.active().get(purpose="email").way == "link"
    by_link.post(PAGE, choice("email"))
    assert point_of(program.patient, "email").reminder_time == dt.time(18, 30)


def test_given_nobody_then_the_page_asks_to_sign_in_and_changes_nothing(client, program):
    assert client.get(PAGE).url.startswith("/account/")
    client.post(PAGE, {"channel": "sms", "does": "stop"})
    assert program.patient.consents.active().filter(purpose="sms").exists()
