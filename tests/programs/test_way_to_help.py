"""“Something feels seriously wrong” is on every page a patient can open."""

import uuid

import pytest
import time_machine
from django.core.cache import cache
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, get_resolver, reverse

from patients.models import CheckIn
from tests.conftest import MONDAY
from tests.programs.at_home import ALL_NO, safe

pytestmark = pytest.mark.usefixtures("monday")

# Files and answers to scripts, and the page itself.
NO_PAGES = {"offline_worker", "offline_manifest", "offline_line", "portal_data_file", "portal_seen"}
WAY = 'href="/serious/"'


@pytest.fixture
def monday():
    with time_machine.travel(MONDAY, tick=False):
        cache.clear()
        yield


def patient_pages() -> list[str]:
    names = {
        name
        for name in get_resolver().reverse_dict
        if isinstance(name, str) and name.startswith(("portal_", "offline_"))
    }
    found = []
    for name in sorted(names - NO_PAGES - {"portal_serious"}):
        try:
            found.append(reverse(name))
        except NoReverseMatch:
            continue
    return found


@pytest.mark.parametrize("address", patient_pages())
def test_every_page_leads_to_help(program, client, address):
    safe(program.patient)
    client.force_login(program.patient.user)
    page = client.get(address, follow=True)
    if page.status_code == 405 or "text/html" not in page["Content-Type"]:
        return
    assert WAY in page.content.decode(), page.request["PATH_INFO"]


def test_a_result_leads_to_help(program, client):
    safe(program.patient)
    kept = CheckIn.objects.create(
        patient=program.patient,
        kind="daily",
        client_id=uuid.uuid4(),
        day=MONDAY.date(),
        at=MONDAY,
    )
    client.force_login(program.patient.user)
    assert WAY in client.get(f"/check-in/result/{kept.client_id}/").content.decode()


def test_a_stopped_patient_finds_it_too(program, client):
    safe(program.patient, bladder="yes")
    client.force_login(program.patient.user)
    assert WAY in client.get("/").content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_pages_for_trouble_lead_there(name):
    assert WAY in render_to_string(f"{name}.html")


@pytest.mark.parametrize("address", ["/serious/", "/check-in/questions/"])
def test_what_to_do_is_in_the_patients_language(make_patient, make_program, client, address):
    program = make_program(patient=make_patient("Ines", language="es"))
    client.force_login(program.patient.user)
    asked = client.get(address).content.decode()
    advice = client.post(address, {**ALL_NO, "bladder": "yes", "client_id": str(uuid.uuid4())})
    for page in (asked, advice.content.decode()):
        assert '<html lang="es"' in page
        assert 'href="tel:999"' in page
        assert "Busca ayuda médica ahora" in page
        assert "Get medical help" not in page
