"""The safety questions while things are broken: the advice stands, whatever does not."""

import json
import os
import subprocess
import sys
import uuid

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import translation

from clinic import site_numbers
from clinic.models import Site
from patients.models import RedFlag
from patients.red_flags import REPEATED
from programs.portal_stop import EMERGENCY, SUPPLIED, advice
from tests.programs.at_home import ALL_NO, safe
from tests.reading import words

SAFETY_PAGES = ["/serious/", "/check-in/questions/"]


@pytest.fixture
def visitor(program) -> Client:
    """The patient of ``program``, whose browser gets answers and no errors of ours."""
    safe(program.patient)
    client = Client(raise_request_exception=False)
    client.force_login(program.patient.user)
    return client


def broken(*_given):
    raise OperationalError("the server closed the connection")


@pytest.fixture
def no_database():
    with connection.execute_wrapper(broken):
        yield


@pytest.fixture
def known(site):
    """A site whose numbers were read while the database was there."""
    cache.clear()
    site_numbers.numbers_of_sites()
    yield site
    site_numbers._known.clear()
    cache.clear()


# --- without a database --------------------------------------------------------------------------


def test_the_numbers_are_on_the_page_without_a_database(visitor, known, no_database):
    page = visitor.get("/serious/")
    assert page.status_code == 503
    assert "tel:999" in page.content.decode()
    assert f"tel:{known.phone.replace(' ', '')}" in page.content.decode()
    assert known.name in words(page)
    assert "not watched day and night" in words(page)
    assert page["Cache-Control"] == "private, no-store"
    assert "script-src 'self'" in page["Content-Security-Policy"]


@pytest.mark.parametrize("address", SAFETY_PAGES)
@pytest.mark.parametrize(
    ("raised", "heading", "number"),
    [
        ({"bladder": "yes"}, "Get medical help now", "tel:999"),
        ({"infection": "not_sure"}, "Speak to a health professional today", "tel:111"),
    ],
)
def test_a_yes_without_a_database_says_what_to_do(
    visitor, known, no_database, address, raised, heading, number
):
    answers = {**ALL_NO, **raised, "client_id": str(uuid.uuid4())}
    page = visitor.post(address, answers)
    assert page.status_code == 503
    assert heading in words(page)
    assert number in page.content.decode()
    assert "We could not save your answers, so nobody has been told." in words(page)
    assert "has been told." not in words(page).replace("nobody has been told.", "")


def test_no_to_all_without_a_database_is_not_called_saved(visitor, known, no_database):
    page = visitor.post("/serious/", {**ALL_NO, "client_id": str(uuid.uuid4())})
    assert page.status_code == 503
    assert "Your answers are not saved" in words(page)


def test_a_new_process_learns_the_numbers_from_the_cache(visitor, known, no_database):
    site_numbers._known.clear()
    assert "tel:999" in visitor.get("/serious/").content.decode()


def test_with_nothing_left_there_is_still_a_number(visitor, site, no_database, monkeypatch):
    cache.clear()
    site_numbers._known.clear()
    monkeypatch.setattr(cache, "get", lambda *_: 1 / 0)
    page = visitor.get("/serious/")
    assert f"tel:{settings.EMERGENCY_NUMBER}" in page.content.decode()


def test_a_changed_number_is_remembered_at_once(known, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        known.emergency_number = "112"
        known.save()
    with connection.execute_wrapper(broken):
        assert {site.emergency_number for site in site_numbers.numbers_of_sites()} == {"112"}


def test_the_device_that_tries_again_is_told_the_truth(visitor, known, no_database):
    answers = {**ALL_NO, "bladder": "yes", "client_id": str(uuid.uuid4())}
    page = visitor.post("/serious/", answers, headers={"X-Answered-Ago": "60"})
    assert page.status_code == 500
    assert "Get medical help now" not in words(page)


ALONE = """
import json, os, sys
import django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False, headers={"host": "localhost"})
client.cookies["sessionid"] = "somebody-who-was-signed-in"
pages = [client.get("/serious/"), client.post("/check-in/questions/", json.loads(sys.argv[1]))]
print(json.dumps([[page.status_code, page.content.decode()] for page in pages]))
"""


def test_a_server_that_finds_neither_database_nor_redis_says_what_to_do():
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "EMERGENCY_NUMBER": "112",
    }
    asked = json.dumps({**ALL_NO, "saddle_numbness": "yes"})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE, asked],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (seen, page), (answered, said) = json.loads(done.stdout.splitlines()[-1])
    assert (seen, answered) == (503, 503)
    assert "tel:112" in page and "seriously wrong" in page
    assert "tel:112" in said and "Get medical help now" in said


def test_without_a_database_it_speaks_what_the_browser_asks_for(visitor, known, no_database):
    page = visitor.get("/serious/", headers={"accept-language": "es-MX,es;q=0.9"})
    assert '<html lang="es"' in page.content.decode()
    with translation.override("es"):
        heading = translation.gettext("Something feels seriously wrong?")
        assert page["Content-Language"] == "es"
    assert heading != "Something feels seriously wrong?"
    assert heading in page.content.decode()


# --- without a sign-in ---------------------------------------------------------------------------


@pytest.mark.parametrize("address", SAFETY_PAGES)
def test_a_stranger_is_advised_and_told_that_nothing_is_kept(site, client, address):
    page = client.post(address, {**ALL_NO, "bowel": "yes"})
    assert page.status_code == 200
    assert "Get medical help now" in words(page)
    assert "tel:999" in page.content.decode()
    assert "nobody has been told" in words(page)
    assert not RedFlag.objects.exists()


def test_with_several_sites_every_number_is_there_once(site, other_site, client):
    page = client.post("/serious/", {**ALL_NO, "bowel": "yes"}).content.decode()
    assert page.count('href="tel:999"') == 1
    assert all(name in page for name in (site.name, other_site.name))


def test_a_refused_token_does_not_hide_the_advice(program, site):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(program.patient.user)
    page = client.post("/serious/", {**ALL_NO, "bowel": "yes"})
    assert page.status_code == 403
    assert "Get medical help now" in words(page)
    assert "nobody has been told" in words(page)
    assert not RedFlag.objects.exists()


def test_looking_asks_nobody_who_is_not_there_yet(client, db):
    Site.objects.all().delete()
    page = client.get("/serious/")
    assert page.status_code == 200
    assert f"tel:{settings.EMERGENCY_NUMBER}" in page.content.decode()


# --- what the device needs to judge without a line -----------------------------------------------


@pytest.mark.parametrize("address", SAFETY_PAGES)
def test_the_page_carries_severity_and_advice_for_the_device(client, program, address):
    client.force_login(program.patient.user)
    page = client.get(address).content.decode()
    for severity in ("emergency", "same_day"):
        asked = sum(question.severity == severity for question in REPEATED)
        assert page.count(f'data-severity="{severity}"') == asked
        assert page.count(f'<template data-advice="{severity}">') == 1
    assert 'data-queue="red_flags"' in page
    kept = page.split('<template data-advice="emergency">')[1].split("</template>")[0]
    assert "Get medical help now" in kept
    assert "tel:999" in kept


# --- the reader's language ----------------------------------------------------------------------


def test_a_sites_own_words_stand_beside_the_readers_language(site):
    own = "Ring 999, then ring us."
    site.emergency_text = own
    with translation.override("en"):
        assert advice([site], EMERGENCY).text == own
    with translation.override("es"):
        said = advice([site], EMERGENCY)
        assert said.own == own and said.own_language == "en"
        assert said.text == translation.gettext(SUPPLIED[EMERGENCY])


def test_what_a_site_says_by_itself_is_the_words_that_are_translated(site):
    assert {"emergency": site.emergency_text, "same_day": site.same_day_text} == SUPPLIED
