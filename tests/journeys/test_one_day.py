"""One patient's day, end to end: from the first visit to the first step that was earned."""

import datetime as dt
import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from patients.models import Patient
from programs.models import Program, ProgramVersion, Session
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice, Worker
from tests.living import do_session
from tests.publishing import publish

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ADDRESS, MOBILE = "greta@patients.example", "+447700900456"
# What somebody who sees a locked phone, or a list of mails, must not learn.
HEALTH = re.compile(
    r"\b(back|backs|spine|pain\w*|sore\w*|ache\w*|injur\w*|numb\w*|exercis\w*|physio\w*|"
    r"therap\w*|clinic\w*|patient\w*|symptom\w*|core|rehab\w*|routine)\b",
    re.IGNORECASE,
)


def test_from_the_first_visit_to_the_first_step_that_was_earned(
    practice: Practice,
    clock: Clock,
    worker: Worker,
    at_desk,
    on_phone,
    physio,
    manager,
    make_program,
):
    # given a practice with thresholds of its own, and two patients who need nobody
    publish(
        "chronic",
        {"min_days_at_level": 3, "min_sessions_at_level": 3},
        drafted_by=physio,
        by=manager,
        at=MONDAY,
    )
    make_program()
    make_program()

    # when the physiotherapist registers Greta, screens her and assigns what is suggested
    staff = at_desk()
    clock.to(0, "09:00")
    pages.sign_in_staff(staff, physio.email)
    first_visit(staff)
    program = Program.objects.get(patient__given_name="Greta")
    assert program.current_version.number == 1

    # then her reminder goes out at her hour, by e-mail and as a text, without a word on health
    clock.to(0, "09:59")
    worker.remind()
    assert sent_to_greta(practice) == ([], [])
    clock.to(0, "10:00")
    worker.remind()
    address = reminder_of(practice, number=1)

    # when she opens its link on her phone, then looking opens nothing, and the button does
    phone = on_phone()
    phone.goto(address)
    expect(pages.heading(phone, "Your routine is ready")).to_be_visible()
    phone.goto("/")
    expect(pages.heading(phone, re.compile("Your exercises at home"))).to_be_visible()
    pages.open_link(phone, address)
    expect(pages.heading(phone, re.compile("Greta"))).to_be_visible()
    before = pages.routine_of(phone)

    # when she does the routine and says how it felt, then the page says what comes next and why
    clock.to(0, "18:00")
    assert pages.do_routine(phone) == list(before)
    pages.check_in(phone, pages.GOOD_EVENING)
    expect(phone.get_by_text("Your answers are saved")).to_be_visible()
    expect(phone.get_by_text("We don’t have enough answers yet")).to_be_visible()
    expect(phone.get_by_text("In the morning we ask how your back feels")).to_be_visible()
    session = Session.objects.get(program=program)
    assert (session.status, session.known, len(session.items)) == ("done", "timed", len(before))

    # when good days follow, her mornings answered on the page behind each day's own link
    for day in (1, 2):
        answer_morning(phone, practice, clock, worker, day)
        expect(pages.heading(phone, "You stay at this step for now")).to_be_visible()
        do_session(program, day)
    assert not program.proposals.exists()
    clock.to(3, "09:00")
    assert "Greta" not in pages.board_rows(staff)[0]

    # then on the third day the rules propose a step, and she is told who looks at it
    answer_morning(phone, practice, clock, worker, 3)
    expect(pages.heading(phone, "You are ready for the next step")).to_be_visible()
    expect(phone.get_by_text("Ruth Adeyemi looks at this first")).to_be_visible()
    phone.goto("/")
    assert "Your routine has changed" not in phone.content()
    standing = pages.routine_of(phone)

    # and the physiotherapist finds her first, with the rule and the very answers that fired it
    assert "Greta" in pages.board_rows(staff)[0]
    staff.get_by_role("link", name=re.compile("^Greta")).first.click()
    proposal = staff.get_by_role("region").filter(has=pages.button(staff, "Accept"))
    expect(proposal.get_by_text("Two good sessions running")).to_be_visible()
    expect(proposal.get_by_text("R26", exact=True)).to_be_visible()
    for day in (1, 2):
        date = MONDAY.date() + dt.timedelta(days=day)
        line = proposal.get_by_text(f"{date:%a %-d %b}, session")
        expect(line).to_be_visible()
    expect(proposal.get_by_text(re.compile("pain during 2"))).to_have_count(2)
    expect(proposal.get_by_text(re.compile("next morning 2"))).to_have_count(2)
    expect(proposal.get_by_text("Chronic pain policy, version 2")).to_be_visible()
    proposed = program.proposals.open().get().decision.step

    # when she accepts, then it is a new version in her name
    pages.button(proposal, "Accept").click()
    expect(staff.get_by_text("is on version 2 now")).to_be_visible()
    version = ProgramVersion.objects.get(program=program, number=2)
    assert version.by == physio

    # and the next routine has changed, and says why
    phone.reload()
    news = phone.get_by_role("region", name="Your routine has changed")
    expect(news).to_be_visible()
    expect(news.get_by_text(version.patient_reason)).to_be_visible()
    assert version.patient_reason
    after = pages.routine_of(phone)
    changed = {name for name in after if standing.get(name) != after[name]}
    assert len(changed) == 1, (standing, after)
    assert proposed["words"].startswith(changed.pop()), proposed


def first_visit(staff: Page) -> None:
    pages.register(
        staff,
        Given_name="Greta",
        Family_name="Oberlandesgerichtspräsidentin",
        Mobile=MOBILE,
        **{"E-mail": ADDRESS},
        consents=(
            "Keeping a record of care",
            "Reminders by e-mail",
            "Reminders by text message",
        ),
    )
    pages.take_intake(
        staff,
        Pain_now="3",
        Usual_pain="3",
        Pain_for="40",
        Sitting="4",
        Sleep="7",
        Stress="3",
        Moving_feels_safe="8",
    )
    # The suggestion says why, and that it decides nothing.
    expect(
        staff.get_by_text("Pain for 40 weeks, usual pain 3 of 10: a calm start.")
    ).to_be_visible()
    expect(staff.get_by_text("A suggestion, not a decision")).to_be_visible()
    assert not Program.objects.filter(patient__given_name="Greta").exists()
    expect(staff.get_by_role("radio", name=re.compile("^Stability first"))).to_be_checked()
    staff.get_by_label("Reminder at").fill("10:00")
    pages.button(staff, "Assign version 1").click()
    expect(staff.get_by_text("Assigned. The first day is Monday 2 March.")).to_be_visible()


def sent_to_greta(practice: Practice) -> tuple[list[EmailMessage], list[str]]:
    texts = [text["Body"] for text in practice.texts.taken if text["To"] == MOBILE]
    return pages.mails_to(practice.mails, ADDRESS), texts


def reminder_of(practice: Practice, *, number: int) -> str:
    """The link in the newest reminder, after a look at everything that was sent."""
    mails, texts = sent_to_greta(practice)
    assert (len(mails), len(texts)) == (number, number)
    mail, text = mails[-1], texts[-1]
    address = pages.link_in(pages.text_of(mail))
    assert address.startswith(practice.url)
    assert pages.link_in(text).startswith(practice.url)
    for seen in (str(mail["Subject"]), text.replace("/r/", "")):
        assert not HEALTH.search(seen), seen
        assert "Greta" not in seen
    return address


def answer_morning(phone: Page, practice: Practice, clock: Clock, worker: Worker, day: int) -> None:
    clock.to(day, "10:00")
    worker.remind()
    pages.open_link(phone, reminder_of(practice, number=day + 1))
    pages.link(phone, "Answer this morning’s questions").click()
    pages.check_in(phone, pages.GOOD_MORNING)
    expect(phone.get_by_text("Your answers are saved")).to_be_visible()
    assert (
        Patient.objects.get(given_name="Greta")
        .check_ins.filter(day=MONDAY.date() + dt.timedelta(days=day), kind="next_morning")
        .exists()
    )
