"""Seeing progress: a patient names what matters, answers, reads and looks at the charts."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from patients.measuring import record_measure
from patients.models import Questionnaire
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.looking import send, sign_in
from tests.living import at_day, do_morning, do_session, report_session

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
NAMES = ["Den Schnürsenkel zubinden", "ربط الحذاء", "An hour in the garden, standing and bending"]


def lived(program) -> None:
    """Nine days of answers with a gap, one routine in part and one told afterwards."""
    for number in (0, 1, 2, 4):
        do_session(program, number, stiffer_after=number == 1)
        do_morning(program, number + 1, usual_pain=6)
    report_session(program, 7, status="partly", known="self_reported")
    for number in (8, 9, 10):
        do_morning(program, number, usual_pain=3)
    record_measure(
        patient=program.patient,
        questionnaire=Questionnaire.objects.get(name="activities"),
        answers={"activity": [{"name": name, "number": 3} for name in NAMES]},
        point="start",
        client_id=uuid.uuid4(),
        at=at_day(0),
    )


def test_every_page_of_seeing_and_reading(practice, clock, look, make_patient, make_program):
    patient = make_patient("Maximiliane", family_name="Oberlandesgerichtspräsidentin-Wagenknecht")
    program = make_program(patient=patient)
    own = look(patient.user, large_letters=True)
    own.at("progress, nothing known", "/progress/")
    own.at("naming activities", measure("activities"))
    own.at("naming activities, none", send(address("activities"), "Go on"))
    own.at("rating activities", name_activities)
    own.at("pain", measure("pain"))
    own.at("pain, no number", send(address("pain"), "Save my answers"))
    lived(program)
    clock.to(10, "10:00")
    own.at("progress", with_numbers)
    own.at("nothing more to answer", answer_the_rest)
    own.at("the list of pages", "/read/")
    own.at("why these exercises", "/read/why-this-exercise/")
    own.at("five quiet minutes", "/read/relaxation/")
    own.at("when to call", "/read/when-to-call/")
    patient.language = "es"
    patient.save()
    sign_in(own.page, patient.user)
    own.at("progress, in Spanish", "/progress/")
    assert own.wrong == []
    assert own.seen >= 13


def test_without_a_script_a_patient_answers_and_sees_it(
    practice, clock, on_phone, make_patient, make_program
):
    patient = make_patient()
    make_program(patient=patient)
    answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    page = on_phone(java_script_enabled=False)
    sign_in(page, patient.user)
    page.goto("/")
    pages.link(page, "Answer now").click()
    pages.choose(page, "How much pain did your back give you on most days?", "6")
    pages.button(page, "Save my answers").click()
    for place, name in enumerate(NAMES, start=1):
        page.get_by_label(f"{place}. An activity").fill(name)
    pages.button(page, "Go on").click()
    for name, number in zip(NAMES, "234", strict=True):
        pages.choose(page, name, number)
    pages.button(page, "Save my answers").click()
    pages.choose(page, "How safe does moving your back feel these days?", "5")
    pages.button(page, "Save my answers").click()
    expect(pages.heading(page, "Nothing more to answer")).to_be_visible()
    pages.link(page, "See how you are doing").click()
    for name in NAMES:
        expect(page.get_by_text(name).first).to_be_visible()
    page.goto("/")
    expect(page.get_by_text(re.compile("short question page"))).to_have_count(0)


def address(name: str) -> str:
    return f"/measure/{Questionnaire.objects.current().get(name=name).pk}/"


def measure(name: str):
    def visit(page: Page) -> None:
        page.goto(address(name))
        expect(page.get_by_role("main")).to_be_visible()

    return visit


def name_activities(page: Page) -> None:
    page.goto(address("activities"))
    for place, name in enumerate(NAMES, start=1):
        page.get_by_label(f"{place}. An activity").fill(name)
    pages.button(page, "Go on").click()
    expect(page.get_by_role("group", name=NAMES[0])).to_be_visible()


def with_numbers(page: Page) -> None:
    page.goto("/progress/")
    for summary in page.get_by_text("Show the numbers").all():
        summary.click()
    expect(page.get_by_role("table").first).to_be_visible()


def answer_the_rest(page: Page) -> None:
    page.goto("/measure/")
    while not pages.heading(page, "Nothing more to answer").is_visible():
        before = page.url
        page.get_by_role("radio", name="5", exact=True).check()
        pages.button(page, "Save my answers").click()
        expect(page).not_to_have_url(before)
