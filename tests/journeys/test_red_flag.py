"""A saddle-numbness answer stops everything, and only the physiotherapist starts it again."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from clinic.models import OutboxMessage
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Exercise, Program
from programs.reminders import SUSPENDED
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, Worker

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

SADDLE = next(question for question in REPEATED if question.id == "saddle_numbness")
PATIENT_PAGES = (
    "/",
    "/routine/",
    "/routine/skip/",
    "/check-in/after/",
    "/check-in/morning/",
    "/check-in/questions/",
    "/serious/",
)
HEALTH = re.compile(
    r"saddle|numb|bladder|pain|flag|emergency|symptom|exercise|\bback\b|spine", re.IGNORECASE
)


def test_a_saddle_numbness_answer_stops_everything_until_the_physiotherapist_reopens(
    practice: Practice,
    clock: Clock,
    worker: Worker,
    at_desk,
    on_phone,
    physio,
    make_patient,
    make_program,
):
    # given a patient on her second day, on a phone that runs no scripts, and others who need less
    patient = make_patient("Ana", email="ana@patients.example")
    make_program("stability-first", patient=patient)
    make_program()
    answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED},
        source="intake",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    clock.to(1, "07:40")
    phone = on_phone(java_script_enabled=False)
    pages.sign_in_by_code(phone, "ana@patients.example", practice.mails)
    routine = pages.routine_of(phone)
    assert routine
    assert api_today(phone)["items"]

    # when she says that something feels seriously wrong, and answers one question with yes
    pages.link(phone, "Something feels seriously wrong").click()
    expect(pages.link(phone, "Emergency 999")).to_be_visible()
    pages.choose(phone, SADDLE.text, "Yes")
    with phone.expect_response(lambda answer: answer.request.method == "POST") as answered:
        pages.button(phone, "Show me what to do").click()

    # then the very answer to that carries the site's emergency text, and a number to press
    response = answered.value
    assert response.status == 200 and not response.request.redirected_from
    site = patient.site
    expect(pages.heading(phone, "Get medical help now")).to_be_visible()
    expect(phone.get_by_text(site.emergency_text)).to_be_visible()
    expect(pages.link(phone, "Emergency 999")).to_have_attribute("href", "tel:999")
    assert program_of(patient).status == Program.Status.SUSPENDED

    # and no exercise is on any page, nor in the API
    names = set(Exercise.objects.values_list("name", flat=True))
    for address in PATIENT_PAGES:
        phone.goto(address)
        shown = phone.get_by_role("main").inner_text()
        assert not [name for name in names if name in shown], address
        assert "tel:999" in phone.content(), address
    assert api_today(phone)["items"] == []

    # and the physiotherapist is told by mail, which says neither who nor what
    worker.run("clinic.tasks.send_due")
    (told,) = pages.mails_to(practice.mails, physio.email)
    assert "urgent" in str(told["Subject"])
    said = pages.whole_of(told).replace("Steadyback", "")
    assert not HEALTH.search(re.sub(r"<style.*?</style>", "", said, flags=re.S)), said
    assert "Ana" not in said and "Morales" not in said

    # when the next day's reminder is due, then it is planned and held back, with its reason
    clock.to(2, "08:00")
    worker.remind()
    held = OutboxMessage.objects.about("patient", patient.pk).filter(
        kind=OutboxMessage.Kind.ROUTINE_REMINDER, local_date="2026-03-04"
    )
    assert {(m.channel, m.status, m.reason) for m in held} == {
        ("email", "suppressed", SUSPENDED),
        ("sms", "suppressed", SUSPENDED),
    }
    subjects = [str(m["Subject"]) for m in pages.mails_to(practice.mails, "ana@patients.example")]
    assert subjects == ["Your sign-in code"]

    # and the physiotherapist finds her at the top, with what was answered
    staff = at_desk(meets=(400,))
    pages.sign_in_staff(staff, physio.email)
    top = pages.board_rows(staff)[0]
    assert "Ana Morales" in top and "Saddle numbness" in top
    staff.get_by_role("link", name="Ana Morales").first.click()
    stopped = staff.get_by_role("region", name=re.compile("^Stopped"))
    expect(stopped.get_by_text("Saddle numbness")).to_be_visible()
    expect(staff.get_by_text(SUSPENDED).first).to_be_visible()

    # when she says that she has seen it, then the patient reads by whom and when
    clock.to(2, "08:05")
    pages.button(stopped, "I have seen it").click()
    expect(staff.get_by_text("Noted: you have seen it.")).to_be_visible()
    phone.goto("/")
    expect(phone.get_by_text("Seen by Ruth Adeyemi on Wednesday 4 March at 08:05.")).to_be_visible()
    expect(pages.heading(phone, "Get medical help now")).to_be_visible()

    # when she reopens without saying why, then nothing changes
    pages.button(staff, "Reopen the program").click()
    expect(staff.get_by_role("alert")).to_be_visible()
    assert program_of(patient).status == Program.Status.SUSPENDED

    # and with a reason the routine is back
    clock.to(2, "12:00")
    staff.get_by_label("What was found, and why it is safe to go on").fill(
        "Seen in hospital on Tuesday, scan without findings, cleared."
    )
    pages.button(staff, "Reopen the program").click()
    expect(staff.get_by_text("Reopened. The patient can go on with the routine.")).to_be_visible()
    phone.goto("/")
    assert set(pages.routine_of(phone)) == set(routine)
    assert api_today(phone)["items"]
    expect(phone.get_by_text("tel:999")).to_have_count(0)

    # and the reminder of the day after goes out again
    clock.to(3, "08:00")
    worker.remind()
    assert len(pages.mails_to(practice.mails, "ana@patients.example")) == 2


def api_today(page: Page) -> dict:
    answer = page.context.request.get("/api/v1/today/")
    assert answer.ok
    return answer.json()


def program_of(patient) -> Program:
    return Program.objects.get(patient=patient)
