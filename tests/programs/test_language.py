"""Which language a page speaks, and that all of it does."""

import json
import re
import uuid
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
import time_machine
from django.core.cache import cache, caches
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from clinic.models import Alert
from patients.models import Patient
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.content_files import read_content
from programs.content_words import read_words
from programs.models import Exercise
from programs.reading_pages import pages_in
from programs.templatetags import figures
from programs.wording import in_language
from tests.catalogue import ROOT
from tests.conftest import MONDAY
from tests.living import at_day, do_session, report_session
from tests.programs.at_home import AFTER, safe
from tests.reading import client_id_in, html_of

pytestmark = pytest.mark.django_db

MEASURES = ROOT / "patients/content/measures"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        cache.clear()
        yield traveller


@pytest.fixture
def spanish(make_patient, make_program):
    """A program whose patient reads Spanish, this week's safety questions answered."""
    program = make_program("stability-first", patient=make_patient("Lucia", language="es"))
    safe(program.patient)
    return program


def signed_in(patient: Patient) -> Client:
    client = Client()
    client.force_login(patient.user)
    return client


# --- which language ------------------------------------------------------------------------------


def test_given_a_spanish_patient_then_the_pages_are_spanish(spanish):
    page = signed_in(spanish.patient).get("/", headers={"accept-language": "en"})
    assert '<html lang="es" dir="ltr"' in html_of(page)
    assert page["Content-Language"] == "es"
    assert "Buenos días" in html_of(page)
    assert "Respiración con la barriga" in html_of(page)
    assert "lunes 2 de marzo" in html_of(page)


def test_given_a_language_the_pages_do_not_have_then_they_are_english(make_patient, make_program):
    program = make_program(patient=make_patient("Jurgen", language="de"))
    page = signed_in(program.patient).get("/", headers={"accept-language": "es"})
    assert '<html lang="en"' in html_of(page)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("de,es;q=0.5", "es"),
        ("fr", "en"),
        ("", "en"),
        ("é", "en"),
    ],
)
def test_given_a_stranger_then_the_page_speaks_what_the_browser_asks_for(client, asked, language):
    page = client.get("/", headers={"accept-language": asked})
    assert f'<html lang="{language}"' in html_of(page)
    assert "Accept-Language" in page["Vary"]


def test_given_a_problem_then_its_page_speaks_the_language_too(client):
    page = client.get("/nothing/here/", headers={"accept-language": "es"})
    assert page.status_code == 404
    assert "Esta página no está aquí" in html_of(page)


def test_given_the_portal_of_the_staff_then_it_is_english(client, physio):
    client.force_login(physio)
    page = client.get("/clinic/", headers={"accept-language": "es"})
    assert page.status_code == 200
    assert '<html lang="en"' in html_of(page)


def test_given_a_language_written_from_right_to_left_then_the_page_says_so():
    with translation.override("ar"):
        page = render_to_string("base.html")
    assert '<html lang="ar" dir="rtl"' in page


# --- the switch ----------------------------------------------------------------------------------


def test_given_a_stranger_who_chooses_then_this_browser_remembers(client, site):
    answer = client.post("/language/", {"language": "es", "next": "/serious/"})
    assert answer.url == "/serious/"
    assert '<html lang="es"' in html_of(client.get("/serious/"))
    client.post("/language/", {"language": "en", "next": "/"})
    assert '<html lang="en"' in html_of(client.get("/", headers={"accept-language": "es"}))


def test_given_a_patient_who_chooses_then_messages_come_in_it_too(program):
    client = signed_in(program.patient)
    client.post("/language/", {"language": "es", "next": "/"})
    program.patient.refresh_from_db()
    assert program.patient.language == "es"
    assert '<html lang="es"' in html_of(client.get("/"))


@pytest.mark.parametrize("there", ["https://elsewhere.example/", "//elsewhere.example", "x", ""])
def test_given_an_address_elsewhere_then_the_switch_does_not_lead_there(client, there):
    assert client.post("/language/", {"language": "es", "next": there}).url == "/"


@pytest.mark.parametrize("language", ["de", "xx", "", "es\x00"])
def test_given_no_language_of_ours_then_nothing_changes(program, language):
    client = signed_in(program.patient)
    assert client.post("/language/", {"language": language}).status_code in (302, 400)
    program.patient.refresh_from_db()
    assert program.patient.language == "en"


# --- the library ---------------------------------------------------------------------------------


def test_given_the_library_then_a_row_has_its_words_in_spanish():
    exercise = Exercise.objects.get(slug="dead-bug")
    level = exercise.levels.get(level=1)
    assert in_language(exercise, "es").name == "Bicho muerto"
    assert in_language(level, "es-MX").title == "Toques con el talón"
    assert in_language(level, "es").sets == level.sets
    assert in_language(exercise, "de") is exercise
    assert in_language(in_language(exercise, "es"), "es").slug == "dead-bug"


def test_given_the_practices_own_exercise_then_it_stays_as_the_practice_wrote_it():
    exercise = Exercise.objects.get(slug="dead-bug")
    exercise.origin, exercise.name = Exercise.Origin.PRACTICE, "Beetle"
    exercise.save()
    level = exercise.levels.get(level=1)
    assert in_language(exercise, "es").name == "Beetle"
    assert in_language(level, "es").title == level.title


# --- what is kept --------------------------------------------------------------------------------


def test_given_spanish_answers_then_the_record_and_the_alerts_stay_english(spanish, clock):
    client = signed_in(spanish.patient)
    for day in range(2):
        clock.move_to(at_day(day, 18))
        report_session(spanish, day)
        page = client.get("/check-in/after/")
        client_id = client_id_in(page)
        hurting = {**AFTER, "pain_during": "7", "client_id": client_id}
        client.post("/check-in/after/", hurting)
    decision = spanish.decisions.first()
    assert decision.patient_text.startswith("That level was too much for now.")
    assert all("nivel" not in alert.summary for alert in Alert.objects.all())
    result = html_of(client.get(reverse("portal_result", args=[client_id])))
    safe_first = html_of(client.get("/check-in/questions/"))
    assert "Ese nivel fue demasiado por ahora." in result or "Preguntas de seguridad" in safe_first


# --- every page, all of it -----------------------------------------------------------------------

OPEN, CLOSE = "⟦", "⟧"
INNERMOST = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
MARKS = re.compile(r"<[^>]+>")
WORD = re.compile(r"[^\W\d_]{3,}")
SEEN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt")
# Names and addresses, which no language changes.
NAMES = (
    "Steadyback English Español Lucia Morales Ruth Adeyemi Harbour Street patients example UTC "
    "QR DNI Mona Lindqvist Felix Brandt http https example.org localhost testserver"
).split()


class Seen(HTMLParser):
    """What people see or hear of a page: its texts and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0
        self._foreign: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("script", "style"):
            self._hidden += 1
        self.texts += [given[name] for name in SEEN_ATTRIBUTES if given.get(name)]
        self.texts += [v for k, v in attrs if k.startswith("data-say") and v]
        if tag == "meta" and given.get("name") == "description":
            self.texts.append(given.get("content") or "")

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._hidden -= 1

    def handle_data(self, data):
        if not self._hidden:
            self.texts.append(data)


@pytest.fixture
def bracketed(monkeypatch) -> Iterator[None]:
    """Every sentence that goes through gettext comes back in brackets."""

    def mark(text: str) -> str:
        return f"{OPEN}{text}{CLOSE}" if str(text).strip() else str(text)

    trans = translation._trans
    monkeypatch.setattr(trans, "gettext", mark)
    monkeypatch.setattr(trans, "pgettext", lambda context, text: mark(text))
    monkeypatch.setattr(trans, "ngettext", lambda one, many, n: mark(one if n == 1 else many))
    monkeypatch.setattr(
        trans, "npgettext", lambda context, one, many, n: mark(one if n == 1 else many)
    )
    # What was drawn with brackets must not be shown to others, nor the other way round.
    kept = caches["template_fragments"]
    figures._drawn.cache_clear()
    kept.clear()
    yield
    figures._drawn.cache_clear()
    kept.clear()


def texts_in(data: object) -> Iterator[str]:
    """Every text in lists and mappings of any depth."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from texts_in(value)
    elif isinstance(data, list | tuple | set):
        for value in data:
            yield from texts_in(value)


@pytest.fixture(scope="module")
def content() -> list[str]:
    """What stands in content files in Spanish, longest first."""
    words = read_words(read_content())["es"]
    found = set(texts_in([vars(words)[name] for name in vars(words)]))
    for page in pages_in("es"):
        found |= {page.title, page.lead}
        found |= {text for block in page.blocks for text in block.texts}
        found |= {source.text for source in page.sources}
    for path in MEASURES.glob("*.json"):
        found |= set(texts_in(json.loads(path.read_text("utf-8"))))
    return sorted(filter(None, found), key=len, reverse=True)


def untranslated(response, content: list[str]) -> list[str]:
    """Words of a page that neither came through gettext nor are names or content."""
    page = html_of(response)
    # A sentence may have marks in it, which stay; so the page is cleared before it is read.
    while (shorter := INNERMOST.sub(lambda found: " ".join(MARKS.findall(found[0])), page)) != page:
        page = shorter
    parser = Seen()
    parser.feed(page)
    left = []
    for seen in parser.texts:
        text = " ".join(seen.split())
        if WORD.search(text):
            for known in (*content, *NAMES):
                text = text.replace(known, " ")
        if WORD.search(text):
            left.append(" ".join(seen.split())[:120])
    return left


PUBLIC = (
    "/",
    "/serious/",
    "/nothing/here/",
    "/account/login/code/",
    "/account/login/code/confirm/",
    "/account/login/",
    "/account/logout/",
    "/account/signup/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/reset/key/done/",
    "/account/inactive/",
    "/r/wrong",
    "/stop/wrong",
    "/in/wrong",
    "/offline/",
)
OWN = (
    "/",
    "/routine/",
    "/routine/skip/",
    "/check-in/after/",
    "/check-in/morning/",
    "/check-in/questions/",
    "/serious/",
    "/reminders/",
    "/progress/",
    "/measure/",
    "/read/",
    *(f"/read/{page.slug}/" for page in pages_in("es")),
    "/settings/",
    "/settings/session/",
    "/settings/reading/",
    "/settings/language/",
    "/settings/data/",
    "/settings/data/deletion/",
    "/carers/",
    "/helping/",
    "/offline/",
    "/offline/after/",
    "/offline/morning/",
    "/account/logout/",
    "/account/email/",
    "/account/passkeys/",
    "/account/passkeys/add/",
    "/account/again/",
)


def walk(client: Client, addresses: tuple[str, ...], content: list[str]) -> list[str]:
    """Look at each page, and at what it answers to an empty form."""
    wrong, seen = [], set()
    for address in addresses:
        for answer in (client.get(address, follow=True), client.post(address, {}, follow=True)):
            if "text/html" in answer.get("Content-Type", ""):
                seen.add(answer.request["PATH_INFO"])
                wrong += [f"{address}: {text}" for text in untranslated(answer, content)]
    # Pages that only lead to one another would show nothing.
    assert len(seen) > len(addresses) / 2, sorted(seen)
    return sorted(set(wrong))


def spanish_client(patient: Patient | None = None) -> Client:
    client = signed_in(patient) if patient else Client()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    return client


def test_given_a_stranger_then_no_sentence_is_left_in_english(site, bracketed, content):
    assert not walk(spanish_client(), PUBLIC, content)


def test_given_a_patient_then_no_sentence_is_left_in_english(spanish, bracketed, content):
    assert not walk(spanish_client(spanish.patient), OWN, content)


def test_given_a_week_of_answers_then_no_sentence_is_left_in_english(
    spanish, bracketed, clock, content
):
    for day in range(4):
        answered = do_session(spanish, day, pain_during=3 if day < 2 else 7)
        spanish.refresh_from_db()
    clock.move_to(at_day(3, 19))
    pages = ("/", "/progress/", f"/check-in/result/{answered.check_in.client_id}/", "/reminders/")
    assert not walk(spanish_client(spanish.patient), pages, content)
    clock.move_to(at_day(4))
    assert not walk(spanish_client(spanish.patient), ("/", "/check-in/morning/"), content)


def test_given_a_red_flag_then_no_sentence_is_left_in_english(spanish, bracketed, content):
    answer_red_flags(
        patient=spanish.patient,
        answers={question.id: "no" for question in REPEATED} | {"bladder": "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    assert not walk(spanish_client(spanish.patient), ("/", "/routine/", "/progress/"), content)
