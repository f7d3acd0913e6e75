"""What the patient sees, shown to staff: the same words, nothing that leads or sends, no trace."""

import uuid
from html.parser import HTMLParser
from unittest import mock

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from django.urls import reverse

from clinic.models import AccessRecord
from patients import red_flagging
from patients.models import Carer, Patient
from patients.red_flags import REPEATED
from programs.portal_access import Visitor
from programs.read_only import read_only
from tests.conftest import MONDAY
from tests.living import do_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def at_work(client, physio):
    client.force_login(physio)
    return client


def seen(client, program, page="today"):
    address = reverse("admin:patient_as_patient", args=[program.patient_id])
    return client.get(address, {"page": page})


class Leads(HTMLParser):
    """Everything in a document that could lead or send, outside the strip for staff."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.strip = 0

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        self.strip += tag == "aside" and said.get("class") == "ap"
        if self.strip:
            return
        on = [name for name in said if name.startswith("on")]
        if tag == "script" or on or "action" in said or (tag == "a" and "href" in said):
            self.found.append(tag)
        if tag in ("button", "input", "select", "textarea") and "disabled" not in said:
            self.found.append(tag)

    def handle_endtag(self, tag):
        if tag == "aside":
            self.strip = 0


def leads(html: str) -> list[str]:
    parser = Leads()
    parser.feed(html)
    return parser.found


def no_flags(patient, **changes) -> None:
    red_flagging.answer_red_flags(
        patient=patient,
        answers={question.id: "no" for question in REPEATED} | changes,
        source="weekly",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )


def test_staff_see_the_patients_own_words_and_nothing_to_press(at_work, client, program):
    html = seen(at_work, program).content.decode()
    assert program.patient.given_name in html and "For reading only" in html
    assert 'class="sb-foot"' in html
    assert leads(html) == []


def test_given_a_patient_who_only_helps_somebody_then_that_page_is_not_shown(
    at_work, program, make_patient
):
    # given an account that is by now only a carer's, while the record still names it
    other = Visitor(make_patient("Ben"))
    helping = Visitor(program.patient, carer=Carer(patient=program.patient))
    for visitor in (other, helping, None):
        with mock.patch("programs.clinician.as_patient.visitor_of", return_value=visitor):
            page = seen(at_work, program)
        # then nobody's page is shown
        assert page.status_code == 200
        assert "For reading only" not in page.content.decode()


@pytest.mark.parametrize("name", ["today", "progress", "result", "routine"])
def test_every_page_is_read_only(at_work, program, name):
    do_session(program, 0)
    response = seen(at_work, program, name)
    assert response.status_code == 200
    html = response.content.decode()
    if 'class="ap"' in html:
        assert leads(html) == []


def test_it_speaks_the_patients_language_to_staff_who_hear_english(at_work, program):
    Patient.objects.filter(pk=program.patient_id).update(language="es")
    html = seen(at_work, program).content.decode()
    assert "<html" in html and 'lang="es"' in html
    assert "in Spanish. For reading only" in html
    # and the portal is English again
    board = at_work.get(reverse("admin:patient", args=[program.patient_id])).content.decode()
    assert 'lang="en"' in board


def test_looking_opens_no_session_and_leaves_only_who_looked(at_work, program, physio):
    sessions = BrowserSession.objects.count()
    seen(at_work, program)
    assert BrowserSession.objects.count() == sessions
    looks = AccessRecord.objects.filter(subject_id=str(program.patient_id))
    assert [(look.actor, look.page) for look in looks] == [(physio, "as_patient")]


def test_while_a_red_flag_is_open_staff_see_the_advice_and_no_exercise(at_work, program):
    no_flags(program.patient, bladder="yes")
    html = seen(at_work, program).content.decode()
    assert "Get medical help now" in html and "999" in html
    assert "sb-figure" not in html


def test_a_patient_without_an_account_is_seen_by_the_reminders_link(at_work, program):
    Patient.objects.filter(pk=program.patient_id).update(user=None)
    html = seen(at_work, program).content.decode()
    assert "For reading only" in html and leads(html) == []


def test_a_page_that_is_not_there_says_why(at_work, program):
    assert "No answer has been given yet" in seen(at_work, program, "result").content.decode()


def test_it_is_for_reading_and_for_those_who_may(client, program, front_desk, stranger, physio):
    address = reverse("admin:patient_as_patient", args=[program.patient_id])
    for user, status in ((front_desk, 403), (stranger, 404), (program.patient.user, 403)):
        client.force_login(user)
        assert client.get(address).status_code == status
    client.force_login(physio)
    assert client.post(address).status_code == 405


# --- the rewriting -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "made"),
    [
        ('<a class="x" href="/y">Go</a>', '<a class="x">Go</a>'),
        (
            '<form method="post" action="/z"><button>Send</button></form>',
            "<form><button disabled>Send</button></form>",
        ),
        (
            '<input type="hidden" name="t" value="1"><input type="radio" checked>',
            '<input type="radio" checked disabled>',
        ),
        ("<script>a<b</script>x", "x"),
        (
            '<link rel="modulepreload" href="/a.js"><link rel="stylesheet" href="/a.css">',
            '<link rel="stylesheet" href="/a.css">',
        ),
        ('<p onclick="x()" data-a="1">a &amp; b &lt; “c”</p>', "<p>a &amp; b &lt; “c”</p>"),
        ('<svg><use href="#i"/></svg>', '<svg><use href="#i"/></svg>'),
        ('<p title="&quot;x&quot;">y</p>', '<p title="&quot;x&quot;">y</p>'),
        ("<!doctype html><body>x", "<!doctype html><body>TOPx"),
    ],
)
def test_what_leads_is_left_out_and_what_reads_stays(html, made):
    assert read_only(html, top="TOP") == made
