"""Every page of the portal, as ``looking`` looks at it."""

import datetime as dt
import re
import uuid
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Page, expect

from clinic import standstill
from clinic.models import Alert, Heartbeat, Role, User
from patients.models import Patient
from programs.demo.courses import COURSES
from programs.demo.practice import build_practice
from programs.models import Program
from tests.clinic.fates import Status, mail, reminder
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, everything_at_work
from tests.journeys.looking import send
from tests.journeys.portal_library import look_at_library
from tests.journeys.portal_policies import look_at_policies
from tests.journeys.portal_post_injury import look_at_agenda, look_at_post_injury

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    # Many pages, each looked at in several ways.
    pytest.mark.timeout(420),
]

LAST_DAY = MONDAY.date() - dt.timedelta(days=1)


@pytest.fixture
def lived(practice, clock) -> dict[str, Patient]:
    """A practice whose patients lived three weeks until yesterday, by the names of courses."""
    build_practice(patients=len(COURSES), days=21, seed=1, last_day=LAST_DAY)
    clock.to(0, "10:00")
    patients = Patient.objects.order_by("number").select_related("user")
    return dict(zip((course.name for course in COURSES), patients, strict=True))


def test_every_page_of_the_portal(practice: Practice, clock: Clock, look, lived):
    staff = {user.email.split("@")[0]: user for user in User.objects.exclude(role=Role.PATIENT)}
    ruth = staff["ruth"]
    site_wide = "/clinic/?scope=site"

    own = look(ruth)
    own.at("board", "/clinic/")
    own.at("board, whole site", site_wide)
    own.at("board, nobody found", "/clinic/?q=nobody")
    for name, patient in lived.items():
        own.at(f"patient, {name}", f"/clinic/patients/{patient.pk}/")
    waiting = lived["after an injury, waiting"]
    proposal = waiting.programs.get().proposals.open().get()
    own.at("declining", decline(waiting))
    own.at("changing", f"/clinic/patients/{waiting.pk}/change/?proposal={proposal.pk}")
    own.at("changing, wrong", see_what_changes(waiting, level_of=None))
    own.at("what a change comes to", see_what_changes(waiting, level_of="2"))
    own.at("maintenance", f"/clinic/patients/{waiting.pk}/maintenance/")
    own.at("ending", f"/clinic/patients/{waiting.pk}/end/")
    own.at("a note, empty", send(f"/clinic/patients/{waiting.pk}/", "Keep the note"))
    own.at("the routine on paper", f"/clinic/patients/{waiting.pk}/handout/")
    own.at("a paper week", f"/clinic/patients/{waiting.pk}/paper/")
    own.at("a paper week, empty", send(f"/clinic/patients/{waiting.pk}/paper/", "Keep this week"))
    for seen in ("today", "result"):
        own.at(
            f"as the patient sees it, {seen}",
            f"/clinic/patients/{waiting.pk}/as-patient/?page={seen}",
        )
    own.at("record and contact", f"/clinic/patients/{waiting.pk}/record/")
    own.at("registering", "/clinic/patients/new/")
    own.at("registering, wrong", send("/clinic/patients/new/", "Register and take the intake"))
    own.at("intake", f"/clinic/patients/{waiting.pk}/intake/")
    own.at("intake, wrong", send(f"/clinic/patients/{waiting.pk}/intake/", "See the suggestion"))
    own.at("assigning, one is running", f"/clinic/patients/{waiting.pk}/assign/")
    free = lived["just started"]
    Program.objects.filter(patient=free).update(status="ended", ended_on=LAST_DAY)
    own.at("assigning", f"/clinic/patients/{free.pk}/assign/")
    own.at("patient without a program", f"/clinic/patients/{free.pk}/")
    look_at_post_injury(own, waiting)
    look_at_agenda(own, waiting.physiotherapist, waiting)
    flagged = lived["red flag"]
    own.at("assigning, red flag", f"/clinic/patients/{flagged.pk}/assign/")
    own.at("reopening without a reason", reopen(flagged))
    own.at("not a patient here", f"/clinic/patients/{uuid.uuid4()}/")
    own.at("figures", "/clinic/figures/?exercise=bird-dog")
    look_at_library(own, ruth, waiting.programs.get())
    own.at("password", "/clinic/password_change/")
    own.at("second step", reverse("mfa_index"))

    manager = look(staff["mona"])
    for model, options in admin.site._registry.items():
        where = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        manager.at(f"list of {model._meta.verbose_name_plural}", reverse(f"{where}_changelist"))
        row = model._default_manager.first()
        if row is not None and type(options).__name__ not in ("AccessRecordAdmin",):
            name = f"one of {model._meta.verbose_name_plural}"
            manager.at(name, reverse(f"{where}_change", args=[row.pk]))
    manager.at("message wording", reverse("admin:wording"))
    for channel in ("email", "sms"):
        manager.at(
            f"words by {channel}", reverse("admin:wording_edit", args=["silence", channel, "de"])
        )
    manager.at("words refused", write_of_health)
    manager.at("alerts of the site", "/clinic/alerts/?scope=site")
    manager.at("alerts that are closed", "/clinic/alerts/?scope=site&state=closed")
    alert = Alert.objects.open().order_by("due_at").first()
    manager.at("one alert", reverse("admin:alert", args=[alert.pk]))
    manager.at(
        "closing without an outcome",
        send(reverse("admin:alert", args=[alert.pk]), "Close with this outcome"),
    )
    own.at("my alerts", "/clinic/alerts/")
    own.at("absences", "/clinic/absences/")
    own.at("an absence without days", send("/clinic/absences/", "Enter it"))
    manager.at("time until alerts were seen", "/clinic/reports/alerts/?days=90")
    manager.at("reports", "/clinic/reports/")
    manager.at("reports by physiotherapist", "/clinic/reports/?by=physiotherapist&months=24")
    manager.at("deletions", "/clinic/deletions/")
    look_at_policies(own, manager, physio=ruth, manager=staff["mona"])
    manager.at("a new site", reverse("admin:clinic_site_add"))
    manager.at("delivery report", "/clinic/delivery/?days=30")
    manager.at("delivery report, nothing", "/clinic/delivery/?day=2020-01-01")
    manager.at("messages behind a number", "/clinic/delivery/messages/?days=30")
    manager.at("nothing goes out", board_at_a_standstill)
    everything_at_work()
    manager.at("closed to the manager", f"/clinic/patients/{waiting.pk}/change/")

    desk = look(staff["felix"])
    desk.at("names", "/clinic/")
    desk.at("messages of a patient", f"/clinic/patients/{waiting.pk}/messages/")
    desk.at("messages of unknown fate, none", "/clinic/messages/unknown/")
    reminder(Status.UNKNOWN, subject_id=waiting.pk)
    mail(Status.UNKNOWN, subject_id=flagged.pk, due_at=MONDAY - dt.timedelta(days=3))
    desk.at("messages of unknown fate", "/clinic/messages/unknown/")
    desk.at("patient, for the front desk", f"/clinic/patients/{waiting.pk}/")

    wrong = [*own.wrong, *manager.wrong, *desk.wrong]
    assert not wrong, "\n" + "\n".join(wrong)
    assert own.seen + manager.seen + desk.seen > 60


# --- ways to a page ----------------------------------------------------------------------------


def board_at_a_standstill(page: Page) -> None:
    Heartbeat.objects.all().delete()
    standstill.forget()
    page.goto("/clinic/")
    expect(page.get_by_role("alert")).to_contain_text("Reminders are not going out.")


def decline(patient: Patient) -> Callable[[Page], None]:
    def visit(page: Page) -> None:
        page.goto(f"/clinic/patients/{patient.pk}/")
        page.get_by_text("Decline", exact=True).click()
        expect(page.get_by_label("Why not")).to_be_visible()

    return visit


def see_what_changes(patient: Patient, *, level_of: str | None) -> Callable[[Page], None]:
    """The second step of the editor; without a change the first one again, with its refusal."""

    def visit(page: Page) -> None:
        page.goto(f"/clinic/patients/{patient.pk}/change/")
        if level_of is not None:
            page.get_by_label(re.compile("^Level: ")).last.select_option(level_of)
            page.get_by_label("Pain ceiling, 0–10").select_option("3")
        page.get_by_role("button", name="See what changes").last.click()
        expect(
            page.get_by_role("heading", name=re.compile("^Please|^What version"))
        ).to_be_visible()

    return visit


def write_of_health(page: Page) -> None:
    page.goto(reverse("admin:wording_edit", args=["silence", "sms", "en"]))
    page.get_by_label("Words").fill("{practice}: your back exercises {link}")
    pages.button(page, "Save").click()
    expect(page.locator(".po-errors")).to_contain_text("“back”, “exercises”")


def reopen(patient: Patient) -> Callable[[Page], None]:
    return send(f"/clinic/patients/{patient.pk}/", "Reopen the program")
