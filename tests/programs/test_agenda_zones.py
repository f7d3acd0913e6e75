"""The agenda of a practice with sites in several time zones: one clock at a time, and named."""

import datetime as dt
import html
import re
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import Role, Site, User
from patients.appointing import make_appointment
from patients.models import Appointment, Patient
from tests.conftest import make_staff
from tests.reading import html_of, words

pytestmark = pytest.mark.django_db

NEW = "/clinic/agenda/new/"
LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")


@pytest.fixture
def new_york(site) -> Site:
    return Site.objects.create(
        name="Canal Street",
        time_zone="America/New_York",
        phone="+1 212 555 0100",
        opening_hours="Mon-Fri 09:00-17:00",
    )


@pytest.fixture
def zoe(new_york) -> User:
    return make_staff(new_york, Role.PHYSIOTHERAPIST, "Zoe Park")


@pytest.fixture
def in_new_york(make_patient, new_york, zoe) -> Patient:
    patient = make_patient("Nora")
    Patient.objects.filter(pk=patient.pk).update(site=new_york, physiotherapist=zoe)
    return Patient.objects.select_related("site").get(pk=patient.pk)


@pytest.fixture
def desk(client, front_desk, new_york):
    """The front desk of both sites; London is the first."""
    front_desk.sites.add(new_york)
    client.force_login(front_desk)
    return client


@pytest.fixture
def tuesday(site) -> dt.date:
    today = timezone.now().astimezone(LONDON).date()
    return today + dt.timedelta(days=15 - today.weekday())


def at(day: dt.date, hour: int, zone: ZoneInfo, minute: int = 0) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def book(patient, physio, starts_at, by) -> Appointment:
    return make_appointment(
        patient=patient,
        physiotherapist=physio,
        starts_at=starts_at,
        minutes=60,
        by=by,
        at=timezone.now(),
    )


def day_of(client, who, day) -> str:
    return html_of(
        client.get("/clinic/agenda/", {"who": who.pk, "day": day.isoformat(), "view": "day"})
    )


def links_to_book(page: str) -> list[dict[str, str]]:
    found = re.findall(rf'href="({NEW}\?[^"]+)"', page)
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(html.unescape(link)).query).items()}
        for link in found
    ]


def drawn(client, query) -> dict[str, str]:
    """What the form of booking says when it opens, as a browser would send it back."""
    form = client.get(NEW, query).context["form"]
    return {name: str(form[name].value() or "") for name in form.fields}


def test_a_gap_of_one_zone_is_booked_at_that_moment_whoever_looks(
    desk, front_desk, in_new_york, zoe, tuesday
):
    book(in_new_york, zoe, at(tuesday, 9, NEW_YORK), front_desk)
    page = day_of(desk, zoe, tuesday)
    # Their hours on their clocks, not those of the viewer's first site.
    assert "09:00–10:00" in page and "10:00–17:00" in page
    assert "Times are those of Canal Street: America/New_York." in page
    gap = next(link for link in links_to_book(page) if "time" in link)
    sent = drawn(desk, gap) | {"patient": in_new_york.number, "minutes": "30"}
    assert (sent["time"], sent["zone"]) == ("10:00", "America/New_York")
    done = desk.post(NEW, sent, follow=True)
    assert "10:00 (America/New_York)" in words(done)
    assert Appointment.objects.filter(starts_at=at(tuesday, 10, NEW_YORK)).exists()


def test_a_patient_of_another_zone_gets_the_moment_of_the_gap(
    desk, front_desk, physio, new_york, in_new_york, tuesday
):
    physio.sites.add(new_york)
    page = day_of(desk, physio, tuesday)
    assert "Times are those of Harbour Street: Europe/London." in page
    [gap] = [link for link in links_to_book(page) if "time" in link]
    sent = drawn(desk, gap | {"time": "16:00"})
    done = desk.post(NEW, sent | {"patient": in_new_york.number, "minutes": "30"}, follow=True)
    made = Appointment.objects.get()
    assert made.starts_at == at(tuesday, 16, LONDON)
    local = made.starts_at.astimezone(NEW_YORK)
    assert f"{local:%H:%M} (America/New_York)" in words(done)
    assert "16:00–16:30" in day_of(desk, physio, tuesday)


def test_a_booking_that_does_not_say_whose_clocks_is_refused(desk, patient, physio, tuesday):
    said = {"patient": patient.number, "physiotherapist": physio.pk, "minutes": 30}
    said |= {"day": tuesday.isoformat(), "time": "16:00"}
    for zone, problem in (
        ({}, "Day and time are those of: please fill this in."),
        ({"zone": "Mars/Olympus"}, "Choose the clocks that day and time are meant on."),
    ):
        response = desk.post(NEW, said | zone)
        assert response.status_code == 400 and problem in words(response)
    assert not Appointment.objects.exists()


def test_booking_from_a_patients_page_means_the_clocks_of_their_site(desk, in_new_york):
    assert drawn(desk, {"patient": in_new_york.number})["zone"] == "America/New_York"


def test_a_refusal_names_the_clocks_it_speaks_of(desk, front_desk, in_new_york, zoe, tuesday):
    book(in_new_york, zoe, at(tuesday, 9, NEW_YORK), front_desk)
    local = at(tuesday, 9, NEW_YORK).astimezone(LONDON) + dt.timedelta(minutes=15)
    said = {"patient": in_new_york.number, "physiotherapist": zoe.pk, "minutes": 30}
    said |= {"day": local.date().isoformat(), "time": f"{local:%H:%M}", "zone": "Europe/London"}
    response = desk.post(NEW, said)
    assert response.status_code == 400
    assert "from 09:00 to 10:00 (America/New_York)." in words(response)


def test_an_appointment_is_shown_and_moved_on_the_clocks_of_its_site(
    desk, front_desk, in_new_york, zoe, tuesday
):
    made = book(in_new_york, zoe, at(tuesday, 9, NEW_YORK), front_desk)
    page = desk.get(reverse("admin:appointment", args=[made.pk]))
    assert "09:00–10:00" in words(page) and "Canal Street (America/New_York)" in words(page)
    assert page.context["form"]["time"].value() == dt.time(9)
    moved = {"does": "move", "physiotherapist": zoe.pk, "minutes": 60, "time": "11:00"}
    response = desk.post(
        reverse("admin:appointment", args=[made.pk]),
        moved | {"day": tuesday.isoformat()},
        follow=True,
    )
    assert "11:00 (America/New_York)" in words(response)
    made.refresh_from_db()
    assert made.starts_at == at(tuesday, 11, NEW_YORK)


def test_the_patients_page_shows_the_next_one_on_the_clocks_of_its_site(
    client, physio, new_york, in_new_york, zoe, tuesday
):
    book(in_new_york, zoe, at(tuesday, 9, NEW_YORK), zoe)
    physio.sites.add(new_york)
    client.force_login(physio)
    text = words(client.get(reverse("admin:patient", args=[in_new_york.pk])))
    assert re.search(r"Tue \d+ \w+, 09:00 America/New_York", text)


def test_one_who_knows_one_zone_sees_a_colleagues_days_on_that_one(
    client, front_desk, physio, new_york, tuesday
):
    # New York would be the first of the physiotherapist's.
    far = Site.objects.create(name="Quay", time_zone="Europe/London", phone="+44 20 7946 0300")
    zoe = make_staff(new_york, Role.PHYSIOTHERAPIST, "Zoe Park")
    zoe.sites.add(far)
    front_desk.sites.set([far])
    client.force_login(front_desk)
    page = day_of(client, zoe, tuesday)
    assert "08:00–18:00" in page
    assert "Europe/London" not in page and "America/New_York" not in page


def test_in_one_zone_nothing_is_said_of_zones(client, front_desk, physio, patient, tuesday):
    client.force_login(front_desk)
    page = day_of(client, physio, tuesday)
    assert "zone" not in page and "Times are those of" not in page
    [gap] = [link for link in links_to_book(page) if "time" in link]
    assert set(gap) == {"who", "day", "time"}
    sent = drawn(client, gap)
    assert "zone" not in sent
    done = client.post(NEW, sent | {"patient": patient.number, "minutes": "30"}, follow=True)
    assert "08:00. " in words(done) and "Europe/London" not in words(done)
