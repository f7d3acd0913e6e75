"""The pictures of the physiotherapist's ten minutes, on top of the practice of screenshot_pages."""

import datetime as dt
import functools
import re
from dataclasses import asdict

from django.urls import reverse
from playwright.sync_api import Page

from clinic import health, standstill
from clinic.enquiries import make_enquiry
from clinic.models import Alert, Site, User
from patients.appointing import make_appointment
from patients.import_drafts import start_draft
from patients.models import ImportDraft, Patient
from programs.models import PolicyDraft, Program
from programs.policies import begin_draft, change_draft, thresholds_of
from programs.rehearsing import rehearse_draft
from tests.screenshot_pages import MONA, RUTH, of_patient, whole_of
from tests.screenshots import NOW, Shot

_ROWS = (
    "Number,First name,Last name,Born,E-mail,Mobile\r\n"
    "H-201,Amal,Haddad,04/02/1981,amal@example.org,07700 900201\r\n"
    "H-202,Bo,Lindqvist,31/02/1975,bo@example.org,07700 900202\r\n"
    "H-203,Chidi,Okafor,12/11/1990,chidi@example,07700 900203\r\n"
)


def _ruth() -> User:
    return User.objects.get(email=RUTH)


def at_work_again() -> None:
    """After the picture of a standstill."""
    for part in (health.WORKER, health.PLANNING):
        health.beat(name=part, at=NOW)
    standstill.forget()


def appointments() -> None:
    for number, (days, hour, minutes) in enumerate(
        [(0, 11, 30), (0, 14, 45), (1, 9, 30), (1, 10, 30), (2, 15, 60), (3, 9, 45), (4, 13, 30)]
    ):
        make_appointment(
            patient=Patient.objects.order_by("number")[number],
            physiotherapist=_ruth(),
            starts_at=NOW.replace(hour=hour, minute=0) + dt.timedelta(days=days),
            minutes=minutes,
            by=_ruth(),
            at=NOW,
        )


def enquiries() -> None:
    for number, (given, family, words) in enumerate(
        [
            ("Priya", "Raman", "My back has hurt since the summer. Could somebody call me?"),
            ("Tom", "Hughes", "I sit all day and would like to know what you offer."),
        ]
    ):
        make_enquiry(
            site=Site.objects.order_by("pk").first(),
            wish="call_back",
            given_name=given,
            family_name=family,
            phone=f"+4477009003{number:02}",
            words=words,
            form_token=f"picture-{number}",
            agreed=True,
            at=NOW - dt.timedelta(hours=3 + number),
        )


def a_rehearsal() -> None:
    draft = begin_draft(pathway="desk", by=_ruth(), at=NOW)
    thresholds = asdict(thresholds_of(draft.based_on)) | {"progress_max_pain": 2}
    change_draft(
        draft=draft,
        thresholds=thresholds,
        reason="Two patients went up while it still hurt.",
        by=_ruth(),
        at=NOW,
    )
    draft.refresh_from_db()
    rehearse_draft(draft=draft, since=NOW.date() - dt.timedelta(days=60), by=_ruth(), at=NOW)


def a_file() -> None:
    start_draft(file_name="patients.csv", content=_ROWS.encode(), by=_ruth(), at=NOW)


def _of_draft(page: Page, name: str) -> None:
    page.goto(reverse(f"admin:{name}", args=[PolicyDraft.objects.latest("pk").pk]))


def _the_file(page: Page) -> None:
    page.goto(reverse("admin:import_draft", args=[ImportDraft.objects.latest("made_at").pk]))


def _an_alert(page: Page) -> None:
    alert = Alert.objects.unresolved().order_by("due_at").first()
    page.goto(reverse("admin:alert", args=[alert.pk]))


def _of_the_injured(page: Page, name: str) -> None:
    program = Program.objects.running().filter(current_version__pathway="post_injury").first()
    page.goto(reverse(f"admin:{name}", args=[program.patient_id]))


def _of(number: int, name: str, query: str = "") -> functools.partial[None]:
    return functools.partial(of_patient, number=number, name=name, query=query)


def difference(page: Page) -> None:
    """One set less of the first exercise, looked at before it is issued."""
    of_patient(page, number=0, name="patient_change")
    sets = page.locator("[data-row]").first.get_by_label(re.compile("^Sets"))
    sets.fill("1" if sets.input_value() != "1" else "2")
    page.get_by_role("button", name="See what changes", exact=True).last.click()
    page.get_by_role("heading", name="To the patient").wait_for()


PORTAL: list[Shot] = [
    whole_of(
        "board-together",
        "Accepting together",
        "/clinic/caseload/together/",
        who=RUTH,
        first=at_work_again,
    ),
    whole_of("editor", "The routine, edited", _of(0, "patient_change"), who=RUTH),
    whole_of("difference", "What changes, before it is issued", difference, who=RUTH),
    whole_of("discharge", "Ending a program with its outcome", _of(0, "patient_end"), who=RUTH),
    whole_of("handout", "The routine on paper", _of(0, "patient_handout"), who=RUTH),
    whole_of("paper", "A week from paper", _of(0, "patient_paper"), who=RUTH),
    whole_of("as-patient", "What the patient sees", _of(0, "patient_as_patient"), who=RUTH),
    whole_of("post-injury", "After an injury", "/clinic/post-injury/?scope=site", who=RUTH),
    whole_of(
        "injury",
        "The injury and its limits",
        functools.partial(_of_the_injured, name="patient_injury"),
        who=RUTH,
    ),
    whole_of("alerts", "Alerts", "/clinic/alerts/?scope=site", who=RUTH),
    whole_of("alert", "One alert, from raised to closed", _an_alert, who=RUTH),
    whole_of("absences", "Absences and covers", "/clinic/absences/", who=RUTH),
    whole_of("alert-report", "Time to acknowledgement", "/clinic/reports/alerts/", who=MONA),
    whole_of("agenda", "A week of appointments", "/clinic/agenda/", who=RUTH, first=appointments),
    whole_of("policies", "Policies in force", "/clinic/policies/", who=RUTH, first=a_rehearsal),
    whole_of(
        "policy-draft",
        "A policy, drafted",
        functools.partial(_of_draft, name="policy_draft"),
        who=RUTH,
    ),
    whole_of(
        "rehearsal",
        "A policy, rehearsed over the practice’s own past",
        functools.partial(_of_draft, name="policy_rehearsal"),
        who=RUTH,
    ),
    Shot("library", "Exercise library", "/clinic/library/", who=RUTH),
    whole_of("library-exercise", "An exercise", "/clinic/library/bird-dog/", who=RUTH),
    whole_of("library-new", "Writing an exercise", "/clinic/library/new/", who=RUTH),
    whole_of("templates", "Program templates", "/clinic/templates/", who=RUTH),
    whole_of("enquire", "Asking the practice to call", "/enquire/"),
    whole_of("enquiries", "Enquiries", "/clinic/enquiries/", who=RUTH, first=enquiries),
    whole_of(
        "import", "Patients from a file, with what is wrong", _the_file, who=RUTH, first=a_file
    ),
    whole_of("reports", "Reports", "/clinic/reports/", who=MONA),
]
