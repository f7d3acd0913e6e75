"""What every test may ask for: a practice with its library, staff, and a patient."""

import datetime as dt
import uuid
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from clinic import standstill
from clinic.models import Role, Site, User
from patients.consenting import give_consent
from patients.models import Consent, Patient
from patients.registering import register_patient
from programs.assigning import assign_program
from programs.models import Exercise, Policy, Program, ProgramTemplate

# A Monday, eight in the morning in London.
MONDAY = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)

# How long one example takes says more about a busy machine than about the code.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_configure() -> None:
    # WhiteNoise warns about a folder that only a deployment fills, and warnings fail.
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first, so that no core has one of them left when the others are done.
    items.sort(key=lambda item: not _is_any(item, "journey", "fault"))


def _is_any(item: pytest.Item, *marks: str) -> bool:
    return any(item.get_closest_marker(mark) for mark in marks)


# Tests of threads and processes commit what they do, and leave empty tables behind. What the
# others start from is put back once, before the next of those, and not by each in its own
# transaction.
_emptied = False


def _commits(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    return bool(mark and mark.kwargs.get("transaction")) or "transactional_db" in getattr(
        item, "fixturenames", ()
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    global _emptied
    if _emptied and not _commits(item):
        with item.config.stash[blocking_manager_key].unblock():
            _load_library()
        _emptied = False


def pytest_runtest_teardown(item: pytest.Item) -> None:
    global _emptied
    _emptied = _emptied or _commits(item)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        _load_library()
    yield
    # A thread that served a browser, or a process that was killed, may hold a connection a moment
    # longer, and a database in use cannot be dropped.
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch):
    """Pages ask for the signs of life each time: what one test saw is not true in the next, and how
    often a page asks must not hang on how fast the machine is."""
    monkeypatch.setattr(standstill, "REMEMBERED_S", 0.0)


@pytest.fixture
def library(db):
    """The supplied content and policies, also after a test that emptied the tables."""
    if not (Exercise.objects.exists() and Policy.objects.exists()):
        _load_library()


def _load_library() -> None:
    call_command("load_content", verbosity=0)


@pytest.fixture
def site(library) -> Site:
    return Site.objects.create(
        name="Harbour Street",
        time_zone="Europe/London",
        phone="+44 20 7946 0100",
        emergency_number="999",
        urgent_number="111",
    )


@pytest.fixture
def other_site(library) -> Site:
    return Site.objects.create(name="Mill Lane", phone="+44 20 7946 0200")


def make_staff(site: Site, role: str, name: str) -> User:
    user = User.objects.create_user(
        f"{name.split()[0].lower()}@practice.example",
        "a long pass phrase",
        name=name,
        role=role,
    )
    user.sites.add(site)
    return user


@pytest.fixture
def physio(site) -> User:
    return make_staff(site, Role.PHYSIOTHERAPIST, "Ruth Adeyemi")


@pytest.fixture
def manager(site) -> User:
    return make_staff(site, Role.MANAGER, "Mona Lindqvist")


@pytest.fixture
def front_desk(site) -> User:
    return make_staff(site, Role.FRONT_DESK, "Felix Brandt")


@pytest.fixture
def stranger(other_site) -> User:
    """A physiotherapist of another site."""
    return make_staff(other_site, Role.PHYSIOTHERAPIST, "Oskar Weiss")


@pytest.fixture
def make_patient(site, physio):
    """Make patients with e-mail, telephone and consent to both."""

    def make(given_name: str = "Ana", *, consents=Consent.Purpose.values, **fields) -> Patient:
        patient = register_patient(
            **{
                "site": site,
                "physiotherapist": physio,
                "given_name": given_name,
                "family_name": "Morales",
                "email": f"{given_name.lower()}.{uuid.uuid4().hex[:6]}@patients.example",
                "phone": "+447700900123",
                "by": physio,
                "at": MONDAY,
                **fields,
            }
        )
        for purpose in consents:
            give_consent(patient=patient, purpose=purpose, way="in_person", by=physio, at=MONDAY)
        return patient

    return make


@pytest.fixture
def patient(make_patient) -> Patient:
    return make_patient()


@pytest.fixture
def make_program(physio, make_patient):
    """Assign a program; by default the desk template on its own pathway, from MONDAY on."""

    def make(template: str = "desk", *, patient: Patient | None = None, **options) -> Program:
        return assign_program(
            patient=patient or make_patient(),
            template=ProgramTemplate.objects.current().get(slug=template),
            by=physio,
            **{"at": MONDAY, **options},
        )

    return make


@pytest.fixture
def program(make_program, patient) -> Program:
    return make_program(patient=patient)
