"""The agenda and the doors of an appointment, for staff, patients and calendars."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.messaging.links import link_of
from clinic.models import AccessRecord, OutboxMessage
from clinic.quiet_hours import local_moment
from patients import appointment_reminders
from patients.appointing import cancel_appointment, make_appointment
from patients.models import Appointment
from tests.reading import words


@pytest.fixture
def desk(client, front_desk):
    client.force_login(front_desk)
    return client


@pytest.fixture
def tuesday(site) -> dt.date:
    """The Tuesday after next, so that it lies ahead whenever this runs."""
    today = timezone.now().astimezone(site.zone).date()
    return today + dt.timedelta(days=15 - today.weekday())


@pytest.fixture
def booked(patient, physio, site, tuesday) -> Appointment:
    return make_appointment(
        patient=patient,
        physiotherapist=physio,
        starts_at=local_moment(tuesday, dt.time(10, 30), site.zone),
        minutes=30,
        by=physio,
        at=timezone.now() - dt.timedelta(days=30),
    )


def form(patient, physio, day, time="10:30", **more):
    said = {"patient": patient.number, "physiotherapist": physio.pk, "minutes": 30}
    return said | {"day": day.isoformat(), "time": time} | more


NEW = "/clinic/agenda/new/"


def agenda(client, day, view="week", **query):
    return client.get("/clinic/agenda/", {"day": day.isoformat(), "view": view, **query})


# --- the desk ------------------------------------------------------------------------------------


def test_the_front_desk_books_and_the_week_shows_it(desk, patient, physio, tuesday):
    response = desk.post(NEW, form(patient, physio, tuesday), follow=True)
    text = words(response)
    assert "Booked: Ana Morales" in text and "10:30–11:00" in text
    assert "Nothing booked." in text


def test_the_day_says_what_is_free(desk, booked, tuesday):
    text = words(agenda(desk, tuesday, "day"))
    assert "08:00–10:30 free" in text and "11:00–18:00 free" in text


def test_a_double_booking_is_refused_in_words(desk, booked, make_patient, physio, tuesday):
    response = desk.post(NEW, form(make_patient("Ben"), physio, tuesday, "10:45"))
    assert response.status_code == 400
    assert "Ruth Adeyemi has another appointment from 10:30 to 11:00." in words(response)
    assert Appointment.objects.count() == 1


def test_pressing_book_twice_is_one_appointment(desk, patient, physio, tuesday):
    for _ in range(2):
        assert desk.post(NEW, form(patient, physio, tuesday)).status_code == 302
    assert Appointment.objects.count() == 1


def test_a_name_that_several_have_asks_for_the_number(desk, patient, make_patient, physio, tuesday):
    make_patient("Anabel")
    response = desk.post(NEW, form(patient, physio, tuesday) | {"patient": "Ana"})
    assert response.status_code == 400 and "Which one? Write the number" in words(response)
    response = desk.post(NEW, form(patient, physio, tuesday) | {"patient": "Nobody at all"})
    assert "Nobody here has this name or number." in words(response)
    assert desk.post(NEW, form(patient, physio, tuesday) | {"patient": "anabel"}).status_code == 302


def test_moving_and_cancelling(desk, booked, physio, tuesday):
    page = reverse("admin:appointment", args=[booked.pk])
    moved = {"does": "move", "physiotherapist": physio.pk, "minutes": 45}
    later = tuesday + dt.timedelta(days=1)
    response = desk.post(page, moved | {"day": later.isoformat(), "time": "09:00"}, follow=True)
    assert "09:00–09:45" in words(response)
    refused = desk.post(page, {"does": "cancel", "reason": " "})
    assert refused.status_code == 400 and "Say why it is cancelled." in words(refused)
    assert "Cancelled" in words(
        desk.post(page, {"does": "cancel", "reason": "Patient is ill."}, follow=True)
    )
    assert "Ana Morales" not in words(agenda(desk, later))


def test_who_came_is_said_after_it_began(desk, booked):
    page = reverse("admin:appointment", args=[booked.pk])
    refused = desk.post(page, {"does": "came"})
    assert refused.status_code == 400 and "still to come" in words(refused)
    Appointment.objects.update(
        starts_at=timezone.now() - dt.timedelta(hours=1),
        ends_at=timezone.now() - dt.timedelta(minutes=30),
    )
    assert "Did not come" in words(desk.post(page, {"does": "missed"}, follow=True))


@pytest.mark.parametrize(
    "query", ["day=nonsense", "day=2026-02-31", "who=9999&view=x", "day=0001-01-01"]
)
def test_what_cannot_be_shown_shows_today(desk, physio, query):
    assert desk.get(f"/clinic/agenda/?{query}").status_code == 200


def test_another_site_sees_and_changes_nothing(client, stranger, booked, tuesday, physio):
    client.force_login(stranger)
    assert "Morales" not in words(agenda(client, tuesday, who=physio.pk))
    page = reverse("admin:appointment", args=[booked.pk])
    assert client.get(page).status_code == 404
    assert client.post(page, {"does": "cancel", "reason": "x"}).status_code == 404
    response = client.post(NEW, form(booked.patient, stranger, tuesday))
    assert response.status_code == 400


def test_every_look_is_written_down(desk, front_desk, booked, tuesday):
    agenda(desk, tuesday)
    desk.get(reverse("admin:appointment", args=[booked.pk]))
    looks = AccessRecord.objects.filter(actor=front_desk).values_list("page", flat=True)
    assert set(looks) == {"agenda", "appointment"}


def test_the_patients_page_leads_to_the_next_one(client, physio, booked):
    client.force_login(physio)
    response = client.get(reverse("admin:patient", args=[booked.patient_id]))
    assert reverse("admin:appointment", args=[booked.pk]) in response.content.decode()


# --- the patient ---------------------------------------------------------------------------------


@pytest.fixture
def reminded(booked):
    before = booked.starts_at - dt.timedelta(hours=24)
    appointment_reminders.plan(at=before)
    return OutboxMessage.objects.get(kind="appointment_reminder", channel="email")


def test_today_says_when_the_next_one_is(client, program, booked):
    client.force_login(program.patient.user)
    page = client.get("/")
    assert "Your next appointment: Tuesday" in words(page)
    found = client.get(reverse("appointment_file", args=[booked.pk]))
    assert found["Content-Type"].startswith("text/calendar")
    assert b"BEGIN:VEVENT" in found.content


def test_somebody_elses_file_is_not_found(client, make_program, booked):
    client.force_login(make_program("desk").patient.user)
    assert client.get(reverse("appointment_file", args=[booked.pk])).status_code == 404


def test_the_link_in_the_reminder_opens_the_appointment_and_nothing_else(
    client, reminded, booked, settings
):
    address = link_of(reminded).removeprefix(settings.BASE_URL)
    page = client.get(address)
    text = words(page)
    assert "Your appointment" in text and "10:30" in text
    assert booked.patient.family_name not in text
    assert page["Cache-Control"] == "private, no-store"
    [file] = re.findall(r'href="([^"]+\.ics)"', page.content.decode())
    assert b"BEGIN:VCALENDAR" in client.get(file).content
    assert client.get("/", follow=False).status_code in (200, 302)
    assert client.get(f"/r/{address.split('/')[2]}/").status_code == 404


def test_a_wrong_link_and_one_whose_time_is_over_look_the_same(client, reminded, settings):
    address = link_of(reminded).removeprefix(settings.BASE_URL)
    OutboxMessage.objects.update(link_expires_at=timezone.now() - dt.timedelta(minutes=1))
    gone, wrong = client.get(address), client.get("/a/" + "x" * 35)
    assert gone.status_code == wrong.status_code == 404
    assert words(gone) == words(wrong)


def test_a_cancelled_one_says_so(client, reminded, booked, physio, settings):
    cancel_appointment(appointment=booked, reason="Ill.", by=physio, at=timezone.now())
    text = words(client.get(link_of(reminded).removeprefix(settings.BASE_URL)))
    assert "This appointment was cancelled" in text and "Ill." not in text


# --- calendars -----------------------------------------------------------------------------------


def test_a_private_address_is_shown_once_and_can_be_ended(client, physio, booked):
    client.force_login(physio)
    made = client.post("/clinic/agenda/calendar/", {"does": "make"}, follow=True)
    [address] = re.findall(r"https?://[^<]+(/calendar/[^<]+\.ics)", made.content.decode())
    assert "/calendar/" not in agenda(client, dt.date(2026, 3, 2)).content.decode().replace(
        "/clinic/agenda/calendar/", ""
    )
    client.logout()
    feed = client.get(address)
    assert feed.status_code == 200 and b"Appointment " in feed.content
    assert booked.patient.family_name.encode() not in feed.content
    client.force_login(physio)
    client.post("/clinic/agenda/calendar/", {"does": "end"})
    assert client.get(address).status_code == 404


def test_only_a_physiotherapist_has_a_calendar(desk):
    assert desk.post("/clinic/agenda/calendar/", {"does": "make"}).status_code == 403
