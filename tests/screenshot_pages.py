"""The practice of the screenshots, and the pages of it that are taken."""

import datetime as dt
import functools
import uuid
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.template.loader import render_to_string
from django.urls import reverse
from playwright.sync_api import Page

from clinic import health, standstill
from clinic.management.commands.demo_carrier import keep
from clinic.messaging import incoming
from clinic.messaging.links import stop_link_for, token_for
from clinic.messaging.sending import send_all_due
from clinic.models import Heartbeat, OutboxMessage, User
from patients.consenting import give_consent
from patients.models import Consent, Patient
from patients.red_flagging import answer_red_flags
from patients.red_flags import QUESTIONS, REPEATED
from patients.registering import record_intake, register_patient
from patients.screening import IntakeAnswers
from programs.answering import answer_after_session, answer_morning, record_session
from programs.demo.practice import build_practice
from programs.models import Program
from programs.reminders import plan_reminders
from tests.faults.carriers import MailServer
from tests.journeys import pages as journeys
from tests.living import GOOD_AFTER, GOOD_MORNING
from tests.screenshots import NOW, Shot

CODE = "KT4M-R7WP"
ANA, RUTH = "ana@patients.example", "ruth@practice.example"
MONA = "mona@practice.example"
NOUR, HENRIETTE = "nour@patients.example", "henriette@patients.example"
RESULT = uuid.UUID("5eadba11-0000-4000-8000-000000000001")


# --- the practice ----------------------------------------------------------------------------


def fill(mails: MailServer) -> None:
    """Four weeks of a practice, two people who have only just come, and this morning's mail."""
    call_command("load_content", verbosity=0)
    build_practice(patients=24, days=28, seed=1, last_day=NOW.date() - dt.timedelta(days=1))
    _new_patient("نور", "الحسيني-المنصوري", NOUR)
    henriette = _new_patient("Henriette", "Oberlandesgerichtspräsidentin-Wagenknecht", HENRIETTE)
    _screen(henriette)
    plan_reminders(at=NOW)
    send_all_due(at=NOW)
    for part in ("worker", "planning"):
        health.beat(name=part, at=NOW)
    _send_code()
    for address, content in mails.delivered[-12:]:
        keep(settings.DEFAULT_FROM_EMAIL, [address], content)


def _new_patient(given_name: str, family_name: str, email: str) -> Patient:
    ruth = User.objects.get(email=RUTH)
    patient = register_patient(
        site=ruth.sites.order_by("pk").first(),
        physiotherapist=ruth,
        given_name=given_name,
        family_name=family_name,
        email=email,
        phone="+447700900987",
        date_of_birth=dt.date(1971, 5, 17),
        by=ruth,
        at=NOW,
    )
    for purpose in Consent.Purpose.values:
        give_consent(patient=patient, purpose=purpose, way="in_person", by=ruth, at=NOW)
    return patient


def _screen(patient: Patient) -> None:
    record_intake(
        patient=patient,
        answers=IntakeAnswers(
            pain_now=4,
            usual_pain=5,
            pain_weeks=30,
            sitting_hours=9,
            stress=8,
            sleep=4,
            feels_safe=3,
            recent_injury=False,
            comes_back_yearly=True,
            signs={"ache_after_sitting_or_standing": 5},
            imbalances=("tight_hip_flexors", "tight_hamstrings"),
            goals=("sit_at_work",),
        ),
        red_flag_answers={question.id: "no" for question in QUESTIONS},
        by=patient.physiotherapist,
        at=NOW,
    )


def _send_code() -> None:
    """As signing in sends it, with a code that is the same every time."""
    prefix, context = "account/email/login_code", {"code": CODE}
    subject = render_to_string(f"{prefix}_subject.txt", context).strip()
    body = render_to_string(f"{prefix}_message.txt", context)
    mail.send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [ANA])


def patient_of(email: str) -> Patient:
    return Patient.objects.get(user__email=email)


def program_of(email: str) -> Program:
    return patient_of(email).programs.get()


# --- what happens between pictures -----------------------------------------------------------


def answer_safety_questions() -> None:
    answer_red_flags(
        patient=patient_of(ANA),
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=NOW,
    )


def answer_this_morning() -> None:
    answer_morning(program=program_of(ANA), client_id=uuid.uuid4(), at=NOW, **GOOD_MORNING)


def do_routine() -> None:
    record_session(
        program=program_of(ANA),
        day=NOW.date(),
        status="done",
        client_id=uuid.uuid4(),
        known="timed",
        at=NOW,
    )


def say_how_it_felt() -> None:
    session = program_of(ANA).sessions.get(day=NOW.date())
    answer_after_session(session=session, client_id=RESULT, at=NOW, **GOOD_AFTER)


def write_to_the_practice() -> None:
    """Two texts from Henriette's phone, which Nour has given as hers too, and one claimed."""
    for minutes, words in (
        (4, "Since yesterday I cannot sit for long. Is it all right to go on?"),
        (3, "Henriette"),
        (2, "It is a bit better when I walk."),
    ):
        incoming.receive(
            carrier="twilio",
            reference=f"SM{minutes:032d}",
            address="+447700900987",
            words=words,
            at=NOW - dt.timedelta(minutes=minutes),
        )


def stand_still() -> None:
    Heartbeat.objects.filter(name="worker").update(at=NOW - dt.timedelta(minutes=14))
    Heartbeat.objects.filter(name="sending").delete()
    standstill.forget()


def be_the_demo() -> None:
    settings.DEMO = True


# --- ways to a page --------------------------------------------------------------------------


def of_patient(page: Page, number: int, name: str = "patient", query: str = "") -> None:
    """A portal page about the patient who was registered as that number, from 0."""
    patient = Patient.objects.order_by("number")[number]
    page.goto(reverse(f"admin:{name}", args=[patient.pk]) + query)


def of_new_patient(page: Page, email: str, name: str) -> None:
    page.goto(reverse(f"admin:{name}", args=[patient_of(email).pk]))


def the_link(page: Page) -> None:
    about = OutboxMessage.objects.about("patient", patient_of(ANA).pk)
    message = about.filter(kind="routine_reminder", channel="email").latest("due_at")
    page.goto(f"/r/{token_for(message.pk)}")


def the_stop_link(page: Page) -> None:
    about = OutboxMessage.objects.about("patient", patient_of(ANA).pk)
    message = about.filter(kind="routine_reminder", channel="email").latest("due_at")
    page.goto(stop_link_for(message.pk).removeprefix(settings.BASE_URL))


def lose_track() -> None:
    """A sender that died with some of this morning's messages on their way."""
    named = [str(patient_of(email).pk) for email in (NOUR, HENRIETTE, ANA)]
    taken = OutboxMessage.objects.filter(subject_type="patient", due_at__date=NOW.date())
    some = [*taken.filter(subject_id__in=named)[:2], *taken.order_by("due_at")[:3]]
    OutboxMessage.objects.filter(pk__in=[message.pk for message in some]).update(
        status=OutboxMessage.Status.UNKNOWN,
        reason="The sender stopped while the message was on its way.",
        wake_at=None,
        settled_at=NOW,
    )


def the_change(page: Page) -> None:
    proposal = Patient.objects.order_by("number")[1].programs.get().proposals.open().get()
    of_patient(page, 1, "patient_change", f"?proposal={proposal.pk}")


def filled_in(page: Page, address: str) -> None:
    """A check-in half answered, so that the picture shows what an answer looks like."""
    page.goto(address)
    for group in page.get_by_role("group").all()[:2]:
        group.get_by_role("radio", name="2", exact=True).check()


def where_it_pulls(page: Page) -> None:
    page.goto("/check-in/after/")
    journeys.answer(page, {**journeys.GOOD_EVENING, "Are you sore now?": "Yes, a pull on one side"})
    page.get_by_role("radio", name="Left buttock").check()
    page.get_by_role("textbox").wait_for()
    page.get_by_role("button", name="Back", exact=True).click()
    page.evaluate("scrollTo(0, 0)")


def an_exercise(page: Page) -> None:
    """The guided session in the middle of its second exercise, standing still."""
    page.clock.install(time=NOW)
    page.goto("/routine/")
    for name in ("Start", "I’m ready", "Done, next", "I’m ready"):
        page.get_by_role("button", name=name, exact=True).click()
    page.clock.run_for(6_000)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.evaluate("scrollTo(0, 0)")


def this_hurts(page: Page) -> None:
    an_exercise(page)
    page.get_by_role("button", name="This hurts", exact=True).click()


def whole_of(name: str, what: str, go: Any, **options: Any) -> Shot:
    return Shot(name, what, go, whole=True, **options)


SHOTS: list[Shot] = [
    Shot("front", "Front page", "/"),
    whole_of("serious-public", "Something feels seriously wrong, not signed in", "/serious/"),
    Shot("code", "Signing in by code", "/account/login/code/"),
    Shot("link", "The link of a reminder", the_link),
    Shot("stop-mails", "The link that stops mails", the_stop_link),
    Shot("no-program", "Registered, no program yet", "/", who=NOUR),
    whole_of("questions", "Safety questions", "/check-in/questions/", who=ANA),
    Shot(
        "morning",
        "Morning check-in",
        functools.partial(filled_in, address="/check-in/morning/"),
        who=ANA,
        first=answer_safety_questions,
        whole=True,
    ),
    whole_of("today", "Today", "/", who=ANA, first=answer_this_morning),
    whole_of("routine", "The routine, before it starts", "/routine/", who=ANA),
    Shot("exercise", "One exercise", an_exercise, who=ANA),
    Shot("hurts", "This hurts", this_hurts, who=ANA),
    whole_of("reminders", "My reminders", "/reminders/", who=ANA),
    whole_of("settings", "Settings", "/settings/", who=ANA),
    whole_of("settings-session", "During the routine", "/settings/session/", who=ANA),
    whole_of("settings-reading", "Letters and colours", "/settings/reading/", who=ANA),
    whole_of("progress", "My progress", "/progress/", who=ANA),
    whole_of("measures", "How am I doing", "/measure/", who=ANA),
    whole_of("reading", "Short pages to read", "/read/", who=ANA),
    whole_of("read", "One page to read", "/read/good-soreness/", who=ANA),
    whole_of("carers", "People who help me", "/carers/", who=ANA),
    whole_of("passkeys", "Signing in with the phone’s lock", "/account/passkeys/", who=ANA),
    whole_of("offline", "No line", "/offline/", who=ANA),
    whole_of("my-data", "My data", "/settings/data/", who=ANA),
    whole_of("deletion", "Asking for deletion", "/settings/data/deletion/", who=ANA),
    whole_of("serious", "Something feels seriously wrong", "/serious/", who=ANA),
    Shot(
        "after",
        "After the session",
        functools.partial(filled_in, address="/check-in/after/"),
        who=ANA,
        first=do_routine,
        whole=True,
    ),
    Shot("body", "Where the pull is", where_it_pulls, who=ANA),
    whole_of(
        "result", "What happens next", f"/check-in/result/{RESULT}/", who=ANA, first=say_how_it_felt
    ),
    whole_of("emergency", "Every exercise stopped", "/", who="patient7@patients.example"),
    Shot("staff-sign-in", "Staff sign-in", "/account/login/"),
    Shot("board", "Caseload", "/clinic/", who=RUTH),
    Shot("board-site", "Caseload of the whole site", "/clinic/?scope=site", who=RUTH),
    whole_of(
        "proposal",
        "Patient with a proposal",
        functools.partial(of_patient, number=1),
        who=RUTH,
    ),
    whole_of(
        "red-flag",
        "Patient with a red flag",
        functools.partial(of_patient, number=6),
        who=RUTH,
    ),
    whole_of("change", "Changing the program", the_change, who=RUTH),
    whole_of(
        "intake",
        "Intake screening",
        functools.partial(of_new_patient, email=NOUR, name="patient_intake"),
        who=RUTH,
    ),
    whole_of(
        "assign",
        "Suggestion with its reasons, and assigning",
        functools.partial(of_new_patient, email=HENRIETTE, name="patient_assign"),
        who=RUTH,
    ),
    whole_of(
        "results",
        "Results of questionnaires",
        functools.partial(of_patient, number=0, name="patient_results"),
        who=RUTH,
    ),
    whole_of("figures", "Every figure", "/clinic/figures/?exercise=bird-dog", who=RUTH),
    whole_of("deletions", "Wishes for deletion", "/clinic/deletions/", who=MONA),
    whole_of("wording", "Which words messages use", "/clinic/wording/", who=MONA),
    whole_of(
        "wording-text",
        "Words of a text message, and how it will look",
        "/clinic/wording/routine_reminder/sms/de/",
        who=MONA,
    ),
    whole_of("delivery", "Delivery report", "/clinic/delivery/?days=30", who=MONA),
    Shot(
        "delivery-list",
        "The messages behind a number",
        "/clinic/delivery/messages/?days=30&fate=held",
        who=MONA,
    ),
    whole_of(
        "patient-messages",
        "Every message of a patient, with its fate",
        functools.partial(of_patient, number=0, name="patient_messages"),
        who=RUTH,
    ),
    Shot(
        "unknown",
        "Messages of unknown fate",
        "/clinic/messages/unknown/",
        who=RUTH,
        first=lose_track,
        whole=True,
    ),
    whole_of(
        "texts",
        "Text messages to answer",
        functools.partial(of_new_patient, email=HENRIETTE, name="patient"),
        who=RUTH,
        first=write_to_the_practice,
    ),
    Shot("standstill", "Messages do not go out", "/clinic/", who=MONA, first=stand_still),
    Shot("messages", "Messages of the demo", "/demo/messages/", first=be_the_demo),
]
