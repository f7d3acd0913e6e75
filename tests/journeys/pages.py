"""What people do on the pages, in their own words: by labels, headings and buttons."""

import email
import email.policy
import re
from collections.abc import Iterable
from email.message import EmailMessage

from playwright.sync_api import Locator, Page, expect

from tests.faults.carriers import MailServer

PASSWORD = "a long pass phrase"
GOOD_EVENING = {
    "How much pain did you have before you began?": "2",
    "What was the most pain while you exercised?": "2",
    "How hard was it?": "5",
    "Could you do the movements the way they are described?": "Yes",
    "Is your back stiffer now than before?": "No",
    "Did your neck get tense or hurt?": "No",
    "Are you sore now?": "No",
}
GOOD_MORNING = {
    "How much pain do you have this morning?": "2",
    "Over the last day, how much pain did you have most of the time?": "2",
    "Are you sore this morning?": "No",
    "How safe does moving your back feel?": "8",
}


# --- mail ------------------------------------------------------------------------------------


def mails_to(mails: MailServer, address: str) -> list[EmailMessage]:
    """What this address got, oldest first."""
    return [
        email.message_from_bytes(content, policy=email.policy.default)
        for to, content in list(mails.delivered)
        if to == address
    ]


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(preferencelist=("plain",)).get_content()


def whole_of(mail: EmailMessage) -> str:
    """Subject and every part, as somebody who reads over a shoulder sees them."""
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(mail["Subject"]), *parts])


def code_in(mail: EmailMessage) -> str:
    return re.search(r"^\s*([0-9A-Z-]{6,})\s*$", text_of(mail), re.M).group(1)


def link_in(text: str) -> str:
    return re.search(r"https?://\S+/r/[\w-]+", text).group(0)


# --- everybody -------------------------------------------------------------------------------


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def link(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def heading(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("heading", name=name)


def choose(page: Page, question: str, answer: str) -> None:
    """Give an answer by touching it, as a finger does: the word, not the tiny circle."""
    group = page.get_by_role("group", name=question)
    radio = group.get_by_role("radio", name=re.compile(rf"^{re.escape(answer)}(,|$)"))
    radio.check()


def answer(page: Page, answers: dict[str, str]) -> None:
    for question, said in answers.items():
        choose(page, question, said)


# --- staff -----------------------------------------------------------------------------------


def sign_in_staff(page: Page, address: str, password: str = PASSWORD) -> None:
    page.goto("/clinic/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    button(page, "Sign in").click()


def register(page: Page, *, consents: Iterable[str], **fields: str) -> None:
    """Fill the form of a new patient; ``fields`` are labels with ``_`` for a space."""
    link(page, "New patient").first.click()
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    for consent in consents:
        page.get_by_label(consent, exact=True).check()
    page.get_by_role("main").get_by_role("button").last.click()


def take_intake(page: Page, **figures: str) -> None:
    """No red flag; the figures by their label's first words, with ``_`` for a space."""
    expect(heading(page, "Red flags first")).to_be_visible()
    for group in page.get_by_role("group").filter(has=page.get_by_label("Not sure")).all():
        group.get_by_label("No", exact=True).check()
    for label, value in figures.items():
        page.get_by_label(re.compile(f"^{label.replace('_', ' ')}")).fill(value)
    button(page, "See the suggestion").click()


def board_rows(page: Page) -> list[str]:
    """The patients of the caseload from the top, each row as its words."""
    page.goto("/clinic/")
    expect(heading(page, "Caseload")).to_be_visible()
    rows = page.get_by_role("table").get_by_role("row").filter(has=page.get_by_role("link"))
    return [re.sub(r"\s+", " ", words) for words in rows.all_inner_texts()]


# --- the patient -----------------------------------------------------------------------------


def sign_in_by_code(page: Page, address: str, mails: MailServer) -> None:
    page.goto("/")
    link(page, "Get a sign-in code").click()
    page.get_by_label("E-mail address").fill(address)
    button(page, "Send the code").click()
    expect(heading(page, "Enter your code")).to_be_visible()
    page.get_by_label(re.compile("^Code|^Your code")).fill(code_in(mails_to(mails, address)[-1]))
    button(page, "Sign in").click()


def open_link(page: Page, address: str) -> None:
    page.goto(address)
    button(page, "Open today’s routine").click()


def routine_of(page: Page) -> dict[str, str]:
    """The exercises that the first page lists, each with its dose."""
    items = page.get_by_role("region", name=re.compile("minutes? today|Today’s routine"))
    expect(items).to_be_visible()
    found = {}
    for words in items.get_by_role("listitem").all_inner_texts():
        name, *dose = [line.strip() for line in words.splitlines() if line.strip()]
        found[name] = " ".join(dose)
    return found


def do_routine(page: Page) -> list[str]:
    """From the first page hands-free to the end of the routine, on a fast clock; returns the
    names of the exercises."""
    page.clock.install()
    link(page, "Start today’s routine").click()
    button(page, "Start").click()
    names: list[str] = []
    title = page.get_by_role("main").get_by_role("heading", level=2)
    while (name := title.inner_text()) != "That was your routine":
        if name not in names:
            names.append(name)
        page.clock.run_for(10_000)
    button(page, "Save and say how it felt").click()
    expect(heading(page, "How did it go?")).to_be_visible()
    # The heading may stand before the script that asks one question at a time.
    page.wait_for_load_state()
    return names


def check_in(page: Page, answers: dict[str, str]) -> None:
    """Answer what is asked, one question after the other or all on one page; what ``answers``
    does not name is passed over, and what is not asked today is left out."""
    # The page may stand before the script that asks one question at a time.
    page.wait_for_load_state()
    expect(page.locator("form[data-check-in]")).to_be_visible()
    page.wait_for_load_state()
    count = page.get_by_text(re.compile(r"^Question \d+ of \d+$"))
    if count.is_visible():
        while not button(page, "Save my answers").is_visible():
            before = count.inner_text()
            question = page.get_by_role("group").locator("legend").inner_text().split(" (if")[0]
            if question in answers:
                choose(page, question, answers[question])
            else:
                button(page, "Next").click()
            expect(count).not_to_have_text(before)
    else:
        asked = {q: a for q, a in answers.items() if page.get_by_role("group", name=q).count()}
        answer(page, asked)
    button(page, "Save my answers").click()


def safety_questions(page: Page) -> Locator:
    return page.get_by_role("group").filter(has=page.get_by_label("Not sure"))
