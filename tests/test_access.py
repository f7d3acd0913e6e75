"""Every address, walked by every role: what is public stands on a short list with reasons."""

import re
import uuid

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from patients.caring import accept_invitation, invite_carer, remove_carer
from patients.models import Carer
from tests.conftest import MONDAY
from tests.living import do_session

pytestmark = pytest.mark.django_db

# An address anybody may open, and why.
PUBLIC = {
    "^$": "the front page: how to sign in",
    "favicon.ico": "where the icon is",
    "healthz": "for the machine that watches the process",
    "readyz": "for the machine that watches the practice; holds no record",
    "demo/messages/": "exists in a demo practice only",
    "demo/messages/<int:number>/html/": "exists in a demo practice only",
    "account/": "signing in and out; django-allauth guards what needs a signed-in person",
    "clinic/login/": "leads to the sign-in page",
    "clinic/logout/": "signing out",
    "clinic/jsi18n/": "words of the portal’s scripts",
    "api/v1/me/": "tells only whether one is signed in",
    "api/v1/schema/": "the description of the API",
    "language/": "the language of the pages, for everybody who reads one",
    "serious/": "safety first: the numbers to call, for somebody not signed in; asks them nothing",
    "sw.js": "the browser's worker: addresses and rules of this installation, no record",
    "manifest.webmanifest": "what a phone needs to install the practice; the same for everybody",
    "offline/": "the page for the time without a line: the practice's own numbers",
    "offline/line/": "tells only whether one is signed in",
    "in/": "the address on paper or in an invitation: offers to send a code, opens nothing",
    "r/": "a reminder link: a page with one button, which itself opens nothing",
    "a/": "the link in the reminder of an appointment: when and where, without a name",
    "calendar/": "the private calendar of a physiotherapist: whoever holds its address; no name",
    "stop/": "the link in a mail that stops reminders: tells nothing, opens nothing",
    "enquire/": "for people who are not patients yet; tells nobody which addresses are known",
    "guide/": "the link in a mail that somebody asked for: a text without anybody's data",
    "hooks/": "carriers call these; every call without their seal is refused",
}


def addresses() -> list[str]:
    found: list[str] = []

    def walk(patterns, prefix=""):
        for entry in patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, route)
            elif isinstance(entry, URLPattern):
                found.append(route)

    walk(get_resolver().url_patterns)
    return sorted(set(found))


def is_public(route: str) -> bool:
    plain = route.lstrip("^")
    return (
        plain in PUBLIC
        or plain == ""
        or plain.startswith(
            ("account/", "in/", "r/", "stop/", "hooks/", "enquire/", "guide/", "a/", "calendar/")
        )
    )


@pytest.fixture
def record(program):
    do_session(program, 0)
    return program


def filled(route: str, program) -> str:
    """The address with real keys of ``program`` where it asks for some."""
    check_in = program.patient.check_ins.first()
    values = {
        "patient_id": program.patient_id,
        "program_id": program.pk,
        "client_id": check_in.client_id,
        "object_id": 1,
        "number": 1,
        "app_label": "clinic",
        "model_name": "site",
        "content_type_id": 1,
        "pk": program.patient_id,
        "kind": "routine_reminder",
        "channel": "sms",
        "language": "en",
    }

    def fill(found: re.Match) -> str:
        kind, name = found.group(1) or "str", found.group(2)
        if name in values:
            return str(values[name])
        return {"int": "1", "uuid": str(uuid.uuid4())}.get(kind, "1")

    path = re.sub(r"<(?:(\w+):)?(\w+)>", fill, route)
    path = re.sub(r"\(\?P<url>\.\*\)\$?", "nothing", path)
    path = re.sub(r"\(\?P<app_label>[^)]*\)", "clinic", path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\Z", "").replace("/?", "/")


def visited(client, record, routes) -> dict[str, object]:
    """The answer of every address, walked with the keys of a real record."""
    return {route: client.get(filled(route, record)) for route in routes}


def private() -> list[str]:
    return [route for route in addresses() if not is_public(route)]


def test_nobody_reads_a_record_without_signing_in(client, record):
    for route, response in visited(client, record, private()).items():
        assert response.status_code in (302, 401, 403, 404, 405), route
        if response.status_code == 302:
            assert "/account/" in response.url or "/clinic/login" in response.url, route


def test_a_patient_never_sees_the_portal(client, record):
    client.force_login(record.patient.user)
    portal = [route for route in private() if route.startswith("clinic/")]
    for route, response in visited(client, record, portal).items():
        assert response.status_code in (302, 403, 404, 405), route


@pytest.mark.parametrize("role", ["physio", "front_desk", "manager"])
def test_staff_never_act_as_a_patient(client, record, request, role):
    client.force_login(request.getfixturevalue(role))
    own = re.compile(
        r"(routine|check-in|reminders|settings|api/v1/(today|sessions|check-ins|red-flags))"
    )
    pages = [route for route in private() if own.match(route)]
    assert len(pages) >= 8
    for route, response in visited(client, record, pages).items():
        assert response.status_code != 200, route


# What somebody who helps a patient may open beside what everybody may.
FOR_CARERS = re.compile(
    r"^(routine/|check-in/|reminders/$|read/|helping/$|offline/|sw\.js$|manifest\.webmanifest$)"
)


@pytest.fixture
def carer(record):
    patient = record.patient
    asked = {"name": "Tom Lee", "address": "tom@family.example", "by": patient.user, "at": MONDAY}
    carer = invite_carer(patient=patient, **asked)
    return accept_invitation(carer=carer, by=carer.user, at=MONDAY)


def test_a_carer_opens_the_day_and_nothing_else(client, record, carer):
    client.force_login(carer.user)
    own = [route for route in private() if not FOR_CARERS.match(route)]
    assert {"settings/", "carers/", "progress/", "settings/data/file/"} <= set(own)
    for route, response in visited(client, record, own).items():
        assert response.status_code in (302, 403, 404, 405), route
    assert client.get("/reminders/").status_code == 200


def test_who_was_only_asked_or_sent_away_opens_nothing(client, record, carer):
    client.force_login(carer.user)
    name = record.patient.given_name
    Carer.objects.update(accepted_at=None)
    asked = [route for route in private() if route != "helping/"]
    for route, response in visited(client, record, asked).items():
        assert name not in response.content.decode(errors="ignore"), route
    remove_carer(carer=carer, by=record.patient.user, at=MONDAY)
    for route, response in visited(client, record, private()).items():
        assert name not in response.content.decode(errors="ignore"), route


def test_staff_of_another_site_find_no_patient(client, record, stranger):
    client.force_login(stranger)
    name = record.patient.family_name
    for route in addresses():
        if route.startswith("clinic/") and ("patient" in route or "program" in route):
            response = client.get(filled(route, record))
            assert name not in response.content.decode(errors="ignore"), route


def test_another_patient_finds_nothing_of_this_one(client, record, make_program):
    other = make_program("desk").patient
    client.force_login(other.user)
    for route in addresses():
        if "client_id" in route:
            assert client.get(filled(route, record)).status_code == 404, route


def test_front_desk_sees_no_clinical_answer(client, record, front_desk):
    do_session(record, 1, note="A sentence only for the physiotherapist.")
    client.force_login(front_desk)
    for route in addresses():
        if route.startswith("clinic/") and not is_public(route):
            response = client.get(filled(route, record))
            assert "only for the physiotherapist" not in response.content.decode(errors="ignore"), (
                route
            )


def test_the_list_of_public_addresses_names_only_what_exists():
    plain = {route.lstrip("^") for route in addresses()}
    for key in PUBLIC:
        assert key == "^$" or any(route.startswith(key) for route in plain), key


def test_a_browser_that_looks_for_an_icon_gets_it_and_no_cookie(client):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer["Location"].endswith(".svg")
    assert not answer.cookies
