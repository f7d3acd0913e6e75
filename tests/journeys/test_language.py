"""The language of the pages in a real browser, and pages that are read from the right."""

import pytest
from playwright.sync_api import Page, expect

from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from tests.conftest import MONDAY
from tests.journeys import pages
from tests.journeys.conftest import Clock, Practice
from tests.journeys.looking import sign_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

# What lies on top of something else, and what sticks out of the screen.
TROUBLE = """() => {
    const wrong = [];
    const all = "main a, main button, main label, footer a, header a, nav a";
    const seen = [...document.querySelectorAll(all)]
        .filter(one => one.checkVisibility() && getComputedStyle(one).position !== "fixed"
            && !one.closest(".sb-actions--thumb, .sb-visually-hidden, svg, .sb-skip"));
    const boxes = seen.map(one => [one, one.getBoundingClientRect()]).filter(([, b]) => b.width);
    for (const [one, box] of boxes)
        if (box.left < -1 || box.right > innerWidth + 1) wrong.push(`outside: ${one.innerText}`);
    for (const [i, [one, a]] of boxes.entries())
        for (const [other, b] of boxes.slice(i + 1)) {
            if (one.contains(other) || other.contains(one)) continue;
            const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (across > 2 && down > 2) wrong.push(`over: ${one.innerText} | ${other.innerText}`);
        }
    if (document.documentElement.scrollWidth > innerWidth) wrong.push("sideways");
    return wrong;
}"""
PAGES = ("/", "/routine/", "/reminders/", "/progress/", "/read/", "/settings/", "/serious/")


def safe(patient) -> None:
    answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=patient.pk,
        at=MONDAY,
    )


def test_given_spanish_by_hand_then_signing_in_and_the_day_are_spanish(
    practice: Practice, clock: Clock, on_phone, make_patient, make_program
):
    """Without script: the switch at the foot, a code by mail in Spanish, the day, and back."""
    patient = make_patient("Lucia", email="lucia@patients.example", language="es")
    make_program("stability-first", patient=patient)
    safe(patient)
    clock.to(0, "10:00")
    page: Page = on_phone(java_script_enabled=False)
    page.goto("/account/login/code/")
    pages.button(page, "Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_label("Correo o número de móvil").fill("lucia@patients.example")
    pages.button(page, "Enviar el código").click()
    expect(pages.heading(page, "Escribe tu código")).to_be_visible()
    mail = pages.mails_to(practice.mails, "lucia@patients.example")[-1]
    assert mail["Subject"] == "Tu código para entrar"
    page.get_by_label("Tu código, 6 cifras").fill(pages.code_in(mail))
    pages.button(page, "Entrar").click()
    expect(pages.heading(page, "Buenos días, Lucia")).to_be_visible()
    expect(page.get_by_text("Respiración con la barriga").first).to_be_visible()

    pages.button(page, "English").click()
    expect(pages.heading(page, "Good morning, Lucia")).to_be_visible()
    patient.refresh_from_db()
    assert patient.language == "en"


@pytest.mark.parametrize("width", [320, 1280])
def test_given_writing_from_the_right_then_nothing_covers_anything(
    practice: Practice, clock: Clock, open_browser, make_patient, make_program, width
):
    patient = make_patient("ليلى", family_name="العطار", email="leila@patients.example")
    make_program("stability-first", patient=patient)
    safe(patient)
    clock.to(0, "10:00")
    page: Page = open_browser(viewport={"width": width, "height": 844})
    sign_in(page, patient.user)
    wrong = []
    for address in PAGES:
        page.goto(address)
        page.evaluate("document.documentElement.dir = 'rtl'")
        wrong += [f"{address} {trouble}" for trouble in page.evaluate(TROUBLE)]
    assert not wrong, "\n".join(wrong)
