"""The pages after an injury and of the agenda, for the look at every page."""

import datetime as dt
import re

from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import User
from patients.appointing import make_appointment
from patients.models import Patient
from tests.journeys.looking import Look, send


def look_at_post_injury(own: Look, hurt: Patient) -> None:
    """As the physiotherapist of ``hurt``, who has a post-injury program."""
    own.at("post-injury", "/clinic/post-injury/?scope=site")
    own.at("injury and limits", f"/clinic/patients/{hurt.pk}/injury/")
    own.at("no limit chosen", _no_limit(hurt))
    own.at("nothing ticked", _nothing_ticked)


def look_at_agenda(own: Look, user: User, patient: Patient) -> None:
    at = timezone.now()
    # After the last of the appointments that the practice has that day.
    starts_at = at.replace(hour=17, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    booked = make_appointment(
        patient=patient, physiotherapist=user, starts_at=starts_at, minutes=45, by=user, at=at
    )
    own.at("agenda, week", "/clinic/agenda/")
    own.at("agenda, day", f"/clinic/agenda/?view=day&day={starts_at.date()}")
    own.at("agenda, empty week", "/clinic/agenda/?day=2030-01-07")
    own.at("appointment", f"/clinic/agenda/{booked.pk}/")
    own.at("booking", "/clinic/agenda/new/")
    own.at("booking, wrong", send("/clinic/agenda/new/", "Book"))


def _nothing_ticked(page: Page) -> None:
    page.goto("/clinic/post-injury/?scope=site")
    page.get_by_role("button", name=re.compile("^Tick what you checked")).first.click()
    expect(page.get_by_role("alert").last).to_be_visible()


def _no_limit(hurt: Patient):
    def visit(page) -> None:
        page.goto(f"/clinic/patients/{hurt.pk}/injury/")
        page.get_by_text("Set a limit", exact=True).click()
        page.get_by_role("button", name="Set these limits").click()

    return visit
