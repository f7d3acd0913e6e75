"""The agenda and the doors of an appointment, for staff, patients and calendars."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.absences import enter_absence
from clinic.messaging.links import link_of
from clinic.models import AccessRecord, OutboxMessage, Role
from clinic.quiet_hours import local_moment
from patients import appointment_reminders
from patients.appointing import cancel_appointment, make_appointment
from patients.models import Appointment
from tests.conftest import make_staff
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
    ("pressed", "said"),
    [
        ({"does": "move", "day": "2099-01-01", "time": "09:00"}, "is over: cancelled."),
        ({"does": "move", "day": "", "time": ""}, "is over: cancelled."),
        ({"does": "came"}, "This appointment was cancelled."),
        ({"does": "missed"}, "This appointment was cancelled."),
    ],
)
def test_given_a_tab_from_before_it_was_cancelled_then_a_press_says_so_on_top(
    desk, booked, physio, pressed, said
):
    cancel_appointment(appointment=booked, reason="Ill.", by=physio, at=timezone.now())
    page = reverse("admin:appointment", args=[booked.pk])
    response = desk.post(page, pressed | {"physiotherapist": physio.pk, "minutes": 30})
    assert response.status_code == 400
    top = re.findall(r'"sb-errors po-errors" role="alert">(.*?)</div>', response.content.decode())
    assert len(top) == 1 and said in top[0]


def test_given_a_patients_page_then_booking_proposes_their_own_physiotherapist(
    desk, client, patient, physio, site, manager
):
    # given colleagues who come first by name
    first = make_staff(site, Role.PHYSIOTHERAPIST, "Adam First")
    for user in (None, manager, first):
        if user is not None:
            client.force_login(user)
        assert chosen(client.get(NEW, {"patient": patient.number})) == physio.pk
    # then who was asked for stands above it, and a number nobody has changes nothing
    assert chosen(client.get(NEW, {"patient": patient.number, "who": first.pk})) == str(first.pk)
    assert chosen(client.get(NEW, {"patient": "P-nobody"})) == first.pk


def chosen(page):
    return page.context["form"]["physiotherapist"].value()


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


def test_given_the_front_desk_then_the_patients_page_has_the_next_one_and_the_way_to_book(
    desk, booked, program
):
    page = desk.get(reverse("admin:patient", args=[booked.patient_id]))
    assert reverse("admin:appointment", args=[booked.pk]) in page.content.decode()
    assert f"{NEW}?patient={booked.patient.number}" in page.content.decode()
    assert [panel.area for panel in page.context["panels"]] == ["appointment"]


# --- absences ------------------------------------------------------------------------------------


@pytest.fixture
def away(physio, site, tuesday):
    def away(begins=(0, 0), days=1, ends=(0, 0)):
        last = tuesday + dt.timedelta(days=days)
        return enter_absence(
            user=physio,
            begins_at=local_moment(tuesday, dt.time(*begins), site.zone),
            ends_at=local_moment(last, dt.time(*ends), site.zone),
            cover=None,
            by=physio,
            at=timezone.now(),
        )

    return away


def test_given_an_absence_then_the_agenda_offers_nothing_of_it(desk, away, booked, tuesday):
    away(begins=(9, 0), days=0, ends=(12, 0))
    text = words(agenda(desk, tuesday, "day"))
    assert "08:00–09:00 free" in text and "09:00 to 12:00 Away" in text
    assert "10:30–11:00 Ana Morales" in text and "12:00–18:00 free" in text
    assert text.count("free") == 2


def test_given_days_away_then_each_says_so_and_the_days_around_do_not(desk, away, tuesday):
    away(begins=(13, 0), days=2, ends=(9, 0))
    week = agenda(desk, tuesday).context["days"]
    assert [[entry.away for entry in day.entries] for day in week] == [
        [],
        ["from 13:00"],
        ["all day"],
        ["until 09:00"],
        [],
    ]
    middle = words(agenda(desk, tuesday + dt.timedelta(days=1), "day"))
    assert "all day Away" in middle and "free" not in middle


def test_given_an_absence_then_booking_asks_once_more(desk, away, patient, physio, tuesday):
    away()
    said = form(patient, physio, tuesday)
    assert 'name="although_away"' not in desk.get(NEW).content.decode()
    refused = desk.post(NEW, said)
    assert refused.status_code == 400
    assert f"Ruth Adeyemi is away then: {tuesday:%a} {tuesday.day} {tuesday:%b}" in words(refused)
    assert 'name="although_away"' in refused.content.decode()
    assert not Appointment.objects.exists()
    assert desk.post(NEW, said | {"although_away": "on"}).status_code == 302
    # and the day after is nobody's absence
    later = form(patient, physio, tuesday + dt.timedelta(days=1))
    assert desk.post(NEW, later).status_code == 302


def test_given_an_absence_then_moving_into_it_asks_once_more(
    desk, away, booked, physio, site, tuesday
):
    away(days=3)
    page = reverse("admin:appointment", args=[booked.pk])
    day = tuesday + dt.timedelta(days=2)
    said = {"does": "move", "physiotherapist": physio.pk, "minutes": 30, "time": "09:00"}
    said["day"] = day.isoformat()
    refused = desk.post(page, said)
    assert refused.status_code == 400 and "is away then" in words(refused)
    assert desk.post(page, said | {"although_away": "on"}).status_code == 302
    # given a colleague who is there, nothing is asked
    said["physiotherapist"] = make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber").pk
    assert desk.post(page, said).status_code == 302


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
