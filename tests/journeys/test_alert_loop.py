"""A red flag while its physiotherapist is away reaches who stands in, and comes to its outcome."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.absences import enter_absence, set_reach
from clinic.models import Alert, Role
from patients.models import Patient
from patients.red_flags import REPEATED
from programs.models import Program
from tests.conftest import MONDAY, make_staff
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, Worker

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

JONAS_MOBILE = "+447700900990"
SADDLE = next(question for question in REPEATED if question.id == "saddle_numbness")
NEVER_SAID = re.compile(r"Ana|Morales|saddle|numb|emergency|flag|pain", re.IGNORECASE)


def told(practice: Practice, address: str) -> list[str]:
    """The addresses of alerts in what was sent to this mail address or telephone."""
    mails = [pages.whole_of(mail) for mail in pages.mails_to(practice.mails, address)]
    texts = [text["Body"] for text in practice.texts.taken if text["To"] == address]
    return [word for said in mails + texts for word in re.findall(r"/clinic/alerts/\d+/", said)[:1]]


def says_yes(phone: Page) -> None:
    pages.link(phone, "Something feels seriously wrong").click()
    pages.choose(phone, SADDLE.text, "Yes")
    for question in REPEATED:
        if question.id != SADDLE.id:
            pages.choose(phone, question.text, "No")
    pages.button(phone, "Show me what to do").click()
    expect(pages.heading(phone, "Get medical help now")).to_be_visible()
    # The advice stands there at once; that the practice was told, only once it was.
    expect(phone.get_by_text("Your practice has been told.")).to_be_visible()


def test_a_red_flag_with_its_owner_away_is_handled_to_its_outcome(
    practice: Practice,
    clock: Clock,
    worker: Worker,
    at_desk,
    on_phone,
    site,
    physio,
    manager,
    make_patient,
    make_program,
):
    # given a physiotherapist who is away, a colleague who stands in, and a patient at home
    jonas = make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber")
    set_reach(user=jonas, mobile=JONAS_MOBILE, usual_cover=None, by=jonas, at=MONDAY)
    enter_absence(
        user=physio,
        begins_at=MONDAY,
        ends_at=MONDAY + dt.timedelta(days=7),
        cover=jonas,
        by=physio,
        at=timezone.now(),
    )
    patient = make_patient("Ana", email="ana@patients.example")
    make_program("stability-first", patient=patient)
    clock.to(1, "09:00")
    phone = on_phone()
    pages.sign_in_by_code(phone, "ana@patients.example", practice.mails)
    phone.clock.install()
    phone.goto("/")

    # when she answers a safety question with yes, then who stands in gets a mail and a text
    says_yes(phone)
    worker.run("clinic.tasks.send_due")
    (alert,) = Alert.objects.all()
    where = f"/clinic/alerts/{alert.pk}/"
    assert told(practice, jonas.email) == [where]
    assert told(practice, JONAS_MOBILE) == [where]
    assert told(practice, physio.email) == []
    (text,) = [text["Body"] for text in practice.texts.taken if text["To"] == JONAS_MOBILE]
    assert not NEVER_SAID.search(text), text

    # and after half an hour the manager too, because nobody stands in for him
    clock.to(1, "09:31")
    worker.run("clinic.tasks.watch_alerts", "clinic.tasks.watch_alerts", "clinic.tasks.send_due")
    assert told(practice, jonas.email) == [where, where]
    assert told(practice, manager.email) == [where]
    expect(phone.get_by_text("Your practice has been told.")).to_be_visible()

    # when he follows the link and says that he has seen it
    desk = at_desk()
    pages.sign_in_staff(desk, jonas.email)
    expect(desk.get_by_role("link", name="Alerts 1 waiting")).to_be_visible()
    desk.goto(where)
    expect(desk.get_by_text("Saddle numbness")).to_be_visible()
    pages.button(desk, "I have seen it").click()
    expect(desk.get_by_text("Noted: you have seen it. Nobody is told again.")).to_be_visible()

    # then her page says so by itself, and nobody is told any more
    phone.clock.run_for(21_000)
    expect(phone.get_by_text("Seen by Jonas Weber on Tuesday 3 March at 09:31.")).to_be_visible()
    clock.to(2, "09:00")
    worker.run("clinic.tasks.watch_alerts", "clinic.tasks.send_due")
    assert told(practice, manager.email) == [where]

    # when he has talked with her and reopens the program, then the alert has its outcome
    desk.goto(f"/clinic/patients/{patient.pk}/")
    desk.get_by_label("What was found, and why it is safe to go on").fill("Seen, cleared.")
    pages.button(desk, "Reopen the program").click()
    expect(desk.get_by_text("Reopened. The patient can go on with the routine.")).to_be_visible()
    assert program_of(patient).status == Program.Status.ACTIVE
    desk.goto(where)
    expect(desk.get_by_text("Closed by Jonas Weber: Program reopened")).to_be_visible()
    phone.goto("/")
    assert pages.routine_of(phone)


def program_of(patient: Patient) -> Program:
    return patient.programs.get()
