"""People at their pages: a patient at home, a clinician at the desk, an exercise of their own."""

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from clinic.models import Role, User
from programs.models import Exercise, Proposal
from tests.conftest import MONDAY, make_staff
from tests.living import live_well
from tests.programs.at_home import safe
from tests.programs.own_exercises import at, do, written


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        cache.clear()
        yield traveller


@pytest.fixture
def at_home(clock, program, client) -> Client:
    """The patient of ``program``, signed in on Monday, this week's safety questions answered."""
    safe(program.patient)
    client.force_login(program.patient.user)
    return client


@pytest.fixture
def visit(client, physio):
    """Open a page of a patient as the physiotherapist; returns status and text."""
    client.force_login(physio)

    def open_page(program, name="patient", **query):
        return client.get(reverse(f"admin:{name}", args=[program.patient_id]), query)

    return open_page


@pytest.fixture
def proposed(program):
    """A program whose next step waits for a clinician."""
    live_well(program, 0, 9)
    return Proposal.objects.open().select_related("decision").get(program=program)


@pytest.fixture
def colleague(site) -> User:
    return make_staff(site, Role.PHYSIOTHERAPIST, "Ivo Hansen")


@pytest.fixture
def own_exercise(client, physio, colleague) -> Exercise:
    """An exercise Ruth wrote and Ivo approved."""
    client.force_login(physio)
    client.post(at("library_new"), written())
    exercise = Exercise.objects.get(name="Wall lean")
    do(client, exercise, "send")
    client.force_login(colleague)
    do(client, exercise, "approve")
    client.force_login(physio)
    exercise.refresh_from_db()
    return exercise
