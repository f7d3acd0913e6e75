"""The pages about an alert that was seen and then given to somebody else."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import watching
from clinic.models import Alert, User
from tests.conftest import MONDAY
from tests.programs.at_home import safe
from tests.programs.at_the_desk import at_address
from tests.reading import html_of, words

pytestmark = pytest.mark.django_db
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def flag(program, clock, client, physio, colleague) -> Alert:
    """The alert of a red flag: Ruth saw it at one minute past nine, and gave it to Ivo at ten."""
    clock.move_to(MONDAY + HOUR)
    safe(program.patient, MONDAY + HOUR, bowel="yes")
    found = Alert.objects.get(key__startswith="red_flag:")
    clock.shift(MINUTE)
    at(client, physio, "alert_seen", found)
    clock.shift(HOUR - MINUTE)
    page = at(client, physio, "alert_reassign", found, to=colleague.pk, reason="I leave at ten")
    assert "Ivo Hansen answers it now" in words(page)
    found.refresh_from_db()
    return found


def at(client: Client, user: User, page: str, alert: Alert, **sent):
    client.force_login(user)
    return client.post(reverse(f"admin:{page}", args=[alert.pk]), sent, follow=True)


def patient_reads(program, path: str = "/seen/") -> str:
    browser = Client()
    browser.force_login(program.patient.user)
    return words(browser.get(path))


def test_given_it_was_given_on_then_it_waits_for_the_new_owner_with_a_new_time(
    client, flag, colleague, program
):
    client.force_login(colleague)
    page = words(client.get("/clinic/alerts/"))
    assert "Given on, to be seen once more 1" in page and "1 h left" in page
    assert "Ruth Adeyemi saw it Mon 2 Mar, 09:01 , before it was given on." in page
    one = words(client.get(reverse("admin:alert", args=[flag.pk])))
    assert "to be seen once more; Ruth Adeyemi saw it Mon 2 Mar, 09:01" in one
    # Its history has who saw it, and whose it is since.
    assert "Seen by Ruth Adeyemi" in one and "Given from Ruth Adeyemi to Ivo Hansen" in one
    patient = words(client.get(at_address("patient", program)))
    assert "Ivo Hansen · Ruth Adeyemi saw it Mon 2 Mar, 09:01" in patient
    assert "Seen by Ruth Adeyemi" in patient


def test_given_it_was_given_on_then_the_patient_reads_who_saw_it_last(
    client, flag, colleague, program, clock
):
    for path in ("/", "/seen/"):
        said = patient_reads(program, path)
        assert "Seen by Ruth Adeyemi on Monday 2 March at 09:01." in said
        assert "Nobody has opened it yet" not in said
    clock.shift(10 * MINUTE)
    at(client, colleague, "alert_seen", flag)
    assert "Seen by Ivo Hansen on Monday 2 March at 10:10." in patient_reads(program)


def test_given_the_new_owner_does_not_look_then_it_is_told_and_overdue(
    client, flag, manager, clock
):
    clock.shift(HOUR + MINUTE)
    watching.watch(at=timezone.now())
    client.force_login(manager)
    page = words(client.get("/clinic/alerts/?scope=site"))
    assert "1 min overdue" in page
    history = html_of(client.get(reverse("admin:alert", args=[flag.pk])))
    assert "It was due" in history and "Mona" in history


def test_given_more_than_a_page_then_what_is_to_be_seen_stands_first(client, flag, physio):
    row = {f.attname: getattr(flag, f.attname) for f in Alert._meta.concrete_fields}
    Alert.objects.bulk_create(
        Alert(
            **row
            | {"id": None, "key": f"seen:{number}", "acknowledged_by_id": physio.pk}
            | {"acknowledged_at": MONDAY}
        )
        for number in range(70)
    )
    client.force_login(physio)
    page = words(client.get("/clinic/alerts/?scope=site"))
    assert "to be seen once more 1" in page
