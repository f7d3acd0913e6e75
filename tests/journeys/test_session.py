"""The guided session: hands-free from start to end, by keyboard, and without a script."""

import re
import uuid

import pytest
from playwright.sync_api import Locator, Page, expect

from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Program, Session
from programs.routine import dose_seconds
from programs.today import today_for
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.journeys.looking import sign_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PLAN = "/static/programs/session/plan.js"


@pytest.fixture
def ana(practice: Practice, clock: Clock, make_patient, make_program) -> Program:
    program = make_program(patient=make_patient("Ana", email="ana@patients.example"))
    answer_red_flags(
        patient=program.patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    clock.to(0, "10:00")
    return program


def at_the_routine(page: Page, program: Program) -> Page:
    sign_in(page, program.patient.user)
    page.clock.install()
    page.goto("/")
    pages.link(page, "Start today’s routine").click()
    return page


def exercise(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("heading", level=2)


def seconds_left(page: Page) -> int:
    minutes, seconds = re.search(r"(\d+):(\d\d) left", page.locator("main").inner_text()).groups()
    return int(minutes) * 60 + int(seconds)


def shows(page: Page, words: str) -> bool:
    return any(found.is_visible() for found in page.get_by_text(words, exact=True).all())


def walk_to(page: Page, words: str, *, within_s: int = 300) -> None:
    """Let time pass until the page says so: a hold, a rest, the other side."""
    for _ in range(within_s):
        if shows(page, words):
            return
        page.clock.run_for(1_000)
    raise AssertionError(f"“{words}” did not come within {within_s} seconds")


def test_given_holds_and_sides_then_a_keyboard_is_enough_for_the_whole_session(
    ana: Program, at_desk
):
    items = today_for(program=ana, at=MONDAY).items
    names = [item.exercise.name for item in items]
    stretch = next(i for i in items if i.exercise.slug == "hip-flexor-stretch")
    page = at_the_routine(at_desk(), ana)
    heard = page.get_by_role("status").first

    # when she starts by key, then the first exercise gets ready, and is announced once
    pages.button(page, "Start").focus()
    page.keyboard.press("Enter")
    expect(exercise(page)).to_have_text(names[0])
    expect(heard).to_have_text(re.compile(f"Exercise 1 of {len(items)}. {names[0]}"))
    assert shows(page, items[0].level.set_up)
    assert abs(seconds_left(page) - sum(i.seconds for i in items)) < 90

    # then it breathes in and out, with one cue at a time, and waits while she pauses
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Breathe in", exact=True).first).to_be_visible()
    assert shows(page, items[0].cues[0])
    assert not shows(page, items[0].cues[1])
    page.clock.run_for(3_500)
    expect(page.get_by_text("Breathe out", exact=True).first).to_be_visible()
    page.locator("body").press("Space")
    expect(page.get_by_text("Paused")).to_be_visible()
    before = seconds_left(page)
    page.clock.run_for(20_000)
    assert seconds_left(page) == before
    page.locator("body").press("Space")
    page.clock.run_for(4_000)
    assert seconds_left(page) == before - 4

    # and a stretch is held on one side after a countdown, then on the other
    while exercise(page).inner_text() != stretch.exercise.name:
        page.clock.run_for(5_000)
    walk_to(page, "Hold")
    assert "First side" in page.locator("main").inner_text()
    page.clock.run_for((stretch.dose.hold_s + 1) * 1000)
    expect(page.get_by_text("Change sides", exact=True).first).to_be_visible()
    walk_to(page, "Hold", within_s=6)
    assert "Other side" in page.locator("main").inner_text()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^\d+$"))

    # when the page is loaded again, then it stands where it was
    left = seconds_left(page)
    page.reload()
    expect(page.get_by_text("Paused")).to_be_visible()
    expect(exercise(page)).to_have_text(stretch.exercise.name)
    assert abs(seconds_left(page) - left) <= stretch.dose.hold_s
    page.locator("body").press("Space")

    # and it ends by itself, with everything filled in
    while exercise(page).inner_text() != "That was your routine":
        page.clock.run_for(10_000)
    for name in names:
        expect(page.get_by_label(name)).to_have_value("done")
    pages.button(page, "Save and say how it felt").press("Enter")
    expect(pages.heading(page, "How did it go?")).to_be_visible()
    session = Session.objects.get()
    assert (session.status, session.known) == ("done", "timed")


def test_given_it_is_too_much_then_easier_and_hurts_are_on_every_screen(ana: Program, on_phone):
    first, second, third, *others = today_for(program=ana, at=MONDAY).items
    page = at_the_routine(on_phone(), ana)
    pages.button(page, "Start").click()

    # one exercise skipped with a reason, after the mind changed once
    pages.button(page, "Skip").click()
    pages.button(page, "Do it after all").click()
    expect(exercise(page)).to_have_text(first.exercise.name)
    pages.button(page, "Skip").click()
    pages.button(page, "Too tired").click()

    # the next in its easier form, where the first level has less of the same
    expect(exercise(page)).to_have_text(second.exercise.name)
    pages.button(page, "Easier today").click()
    assert shows(page, second.easier.dose_text)
    assert not shows(page, second.dose_text)
    pages.button(page, "I’m ready").click()
    pages.button(page, "Done, next").click()

    # a little pain leaves one out and goes on; a pull ends it, and asks at once
    expect(exercise(page)).to_have_text(third.exercise.name)
    pages.button(page, "This hurts").click()
    page.get_by_role("button", name=re.compile("^A little")).click()
    expect(exercise(page)).to_have_text(others[0].exercise.name)
    pages.button(page, "This hurts").click()
    page.get_by_role("button", name=re.compile("^A pull down my leg")).click()
    expect(page).to_have_url(re.compile("/check-in/questions/$"))

    session = Session.objects.get()
    assert (session.status, session.known) == ("partly", "self_reported")
    kept = {item["exercise"]: item for item in session.items}
    assert kept[first.exercise.slug]["left_out"] == "tired"
    assert kept[second.exercise.slug]["did"] == second.easier.as_done()
    assert kept[third.exercise.slug]["felt"] == "little"
    assert kept[others[0].exercise.slug]["felt"] == "pull"


def test_given_no_script_then_a_list_and_a_form_are_enough(ana: Program, on_phone):
    items = today_for(program=ana, at=MONDAY).items
    page = on_phone(java_script_enabled=False)
    sign_in(page, ana.patient.user)
    page.goto("/")
    pages.link(page, "Start today’s routine").click()
    for item in items:
        expect(page.get_by_role("heading", name=item.exercise.name, exact=True)).to_be_visible()
        for cue in item.cues:
            expect(page.get_by_text(cue, exact=True).first).to_be_visible()
    expect(pages.button(page, "Start")).to_be_hidden()
    page.get_by_label(items[0].exercise.name).select_option("I did it")
    page.get_by_label(items[1].exercise.name).select_option("I left it out: no time")
    pages.button(page, "Save and say how it felt").click()
    expect(pages.heading(page, "How did it go?")).to_be_visible()
    session = Session.objects.get()
    assert [i["done"] for i in session.items][:2] == [True, False]
    assert session.known == "self_reported"


def test_a_plan_takes_as_long_as_its_dose(practice: Practice, at_desk):
    """What the page promises in minutes is what the player counts, but for getting ready."""
    page = at_desk()
    page.goto("/serious/")
    doses = [
        {"sets": s, "reps": r, "hold_s": h, "per_side": side, "seconds_per_rep": 4, "rest_s": 20}
        for s in (1, 2, 3)
        for r, h in ((1, 15), (6, 0), (6, 5))
        for side in (False, True)
    ]
    for dose in doses:
        for sides in ("in-turns", "one-by-one") if dose["per_side"] else ("",):
            told = {
                "sets": str(dose["sets"]),
                "reps": str(dose["reps"]),
                "hold": str(dose["hold_s"]),
                "rep": str(dose["seconds_per_rep"]),
                "rest": str(dose["rest_s"]),
                "sides": sides,
            }
            steps = page.evaluate(
                "async ([plan, told]) => {"
                " const {planOf, doseOf} = await import(plan); return planOf(doseOf(told)); }",
                [PLAN, told],
            )
            extra = 5 * sum(s["kind"] == "switch" and s["s"] == 5 for s in steps) + 15
            whole = dose_seconds(**dose) - dose["rest_s"]
            assert sum(s["s"] for s in steps) == pytest.approx(whole + extra), told
            kinds = [s["kind"] for s in steps]
            holds = [n for n, kind in enumerate(kinds) if kind == "hold"]
            assert all(kinds[n - 1] in ("ready", "switch", "move") for n in holds), told
            if dose["per_side"]:
                work = [s["side"] for s in steps if s["kind"] in ("move", "hold")]
                assert work.count(1) == work.count(2), told
