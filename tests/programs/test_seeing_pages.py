"""Progress, measures and pages to read, through the door a browser uses."""

import datetime as dt
import re
import uuid

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from patients.measuring import load_questionnaire, record_measure
from patients.models import Measure, Questionnaire
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.export_tables import tables_of
from programs.models import Session
from programs.portal_access import PASS
from programs.reading_pages import page_in
from programs.seeing import progress_of
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session, live_well, report_session
from tests.patients.questionnaire_files import questionnaire
from tests.reading import words

pytestmark = pytest.mark.django_db
NAMES = ["Putting on shoes", "An hour in the garden", "Sitting in the car"]


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def at_home(clock, program, client) -> Client:
    client.force_login(program.patient.user)
    return client


@pytest.fixture
def later(at_home, program, clock):
    """Move to a day of the program and sign in again: a sign-in ends by itself after a month."""

    def move(day: int) -> None:
        clock.move_to(at_day(day))
        at_home.force_login(program.patient.user)

    return move


def text_of(response) -> str:
    assert response.status_code == 200, response
    return words(response)


def row(name: str) -> Questionnaire:
    return Questionnaire.objects.current().get(name=name)


def rate(program, day: int, *numbers: int, point: str = "start") -> Measure:
    return record_measure(
        patient=program.patient,
        questionnaire=row("activities"),
        answers={
            "activity": [
                {"name": name, "number": number}
                for name, number in zip(NAMES, numbers, strict=True)
            ]
        },
        point=point,
        client_id=uuid.uuid4(),
        at=at_day(day),
    )


# --- progress ------------------------------------------------------------------------------------


def test_on_the_first_day_the_page_says_what_will_come(at_home):
    said = text_of(at_home.get("/progress/"))
    assert "0 of 7 planned days this week" in said
    assert "Nothing is known yet." in said
    assert "No routine is recorded yet." in said


def test_without_a_program_there_is_something_to_read(clock, patient, client):
    client.force_login(patient.user)
    assert "You have no program yet" in text_of(client.get("/progress/"))


def test_after_two_weeks_charts_say_in_words_what_they_show(at_home, program, clock):
    for number in range(4):
        do_session(program, number)
        do_morning(program, number + 1, usual_pain=6)
    for number in range(7, 11):
        do_session(program, number, stiffer_after=number == 8)
        do_morning(program, number + 1, usual_pain=3)
    clock.move_to(at_day(12))
    response = at_home.get("/progress/")
    said = text_of(response)
    assert "Your usual pain went down: from 6 in your first week to 3 in your newest week." in said
    assert "4 of 7 planned days this week" in said
    assert "stiffer after 1 of 8 routines" in said
    assert "You have done 8 routines so far." in said
    # Days between the two weeks are a gap, and every number stands in a table too.
    assert response.content.decode().count("<polyline") >= 2
    assert response.content.decode().count("<table") == 4


def test_what_was_reported_is_told_from_what_was_timed(at_home, program, clock):
    report_session(program, 0, known="timed")
    report_session(program, 1, known="self_reported")
    clock.move_to(at_day(2))
    response = at_home.get("/progress/")
    assert "ch-bar--timed" in response.content.decode()
    assert "ch-bar--reported" in response.content.decode()
    assert "The striped parts are routines that you told us about" in text_of(response)


def test_a_changed_routine_is_a_thin_line(program, clock):
    live_well(program, 0, 12)
    program.refresh_from_db()
    found = progress_of(program=program, at=at_day(13))
    changes = program.versions.filter(number__gt=1).count()
    assert len(found.pain.chart.marks) == changes


def test_the_last_twelve_weeks_are_shown_and_the_rest_when_asked(at_home, program, later):
    do_morning(program, 1, usual_pain=9)
    later(100)
    assert "Show everything since the start" in text_of(at_home.get("/progress/"))
    said = text_of(at_home.get("/progress/?all=1"))
    assert "Show the last twelve weeks" in said
    assert "3 Mar 2026" in said


def test_own_activities_are_shown_then_and_now(at_home, program, later):
    rate(program, 0, 2, 3, 4)
    rate(program, 43, 5, 6, 4, point="week_6")
    later(44)
    said = text_of(at_home.get("/progress/"))
    assert "Putting on shoes 2, now 5" in said
    assert "On average your activities went up from 3 to 5." in said


def test_an_ended_program_still_shows_what_it_came_to(at_home, program, physio, clock):
    from programs.adjusting import end_program

    do_session(program, 0)
    end_program(program=program, reason="Done.", by=physio, at=at_day(1))
    clock.move_to(at_day(2))
    said = text_of(at_home.get("/progress/"))
    assert "This is what your answers have shown so far." in said
    assert "You have done 1 routine so far." in said


def test_spanish_charts_keep_their_points(at_home, program, clock):
    do_morning(program, 1, usual_pain=3)
    do_morning(program, 2, usual_pain=4)
    program.patient.language = "es"
    program.patient.save()
    clock.move_to(at_day(3))
    drawn = re.findall(r'points="([^"]+)"', at_home.get("/progress/").content.decode())
    assert drawn
    # A comma parts x from y; it must never stand inside of a number.
    assert all(re.fullmatch(r"[\d.]+,[\d.]+( [\d.]+,[\d.]+)+", points) for points in drawn)


# --- measures ------------------------------------------------------------------------------------


def post(client, name: str, **data: str):
    return client.post(
        reverse("portal_measure", args=[row(name).pk]),
        {"client_id": str(uuid.uuid4()), **data},
    )


def test_the_page_of_the_day_says_that_questions_are_open(at_home, program):
    answer_red_flags(
        patient=program.patient,
        answers={question.id: "no" for question in REPEATED},
        source="weekly",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    assert "3 short question pages." in text_of(at_home.get("/"))


def test_one_questionnaire_follows_the_other_until_none_is_open(at_home, program):
    first = at_home.get("/measure/")
    assert first.url == reverse("portal_measure", args=[row("pain").pk])
    assert "Question page 1 of 3" in text_of(at_home.get(first.url))
    assert post(at_home, "pain", **{"q-pain": "6"}).url == "/measure/"
    assert at_home.get("/measure/").url == reverse("portal_measure", args=[row("activities").pk])
    names = {f"q-activity-name-{place}": name for place, name in enumerate(NAMES)}
    asked = post(at_home, "activities", what="names", **names)
    assert "Putting on shoes" in text_of(asked)
    numbers = {f"q-activity-{place}": str(place) for place in range(3)}
    post(at_home, "activities", what="answers", **names, **numbers)
    post(at_home, "feels-safe", **{"q-safe": "4"})
    assert "Nothing more to answer" in text_of(at_home.get("/measure/"))
    kept = Measure.objects.get(questionnaire__name="activities")
    assert kept.answers["activity"][2] == {"name": "Sitting in the car", "number": 2}
    assert (kept.point, kept.scores[0]["value"]) == ("start", 1.0)


def test_a_form_sent_twice_is_kept_once(at_home):
    once = str(uuid.uuid4())
    for number in ("6", "2"):
        assert post(at_home, "pain", client_id=once, **{"q-pain": number}).url == "/measure/"
    assert Measure.objects.get().answers == {"pain": 6}


@pytest.mark.parametrize("number", ["", "11", "six"])
def test_no_number_or_a_wrong_one_goes_back_with_words(at_home, number):
    response = post(at_home, "pain", **{"q-pain": number})
    assert response.status_code == 400
    assert "Choose" in response.content.decode()
    assert not Measure.objects.exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["Shoes", "Garden", ""], "Write a few words for each of the first 3."),
        (["Shoes", "Garden", "shoes"], "You named this one already."),
        (["Shoes", "Garden", "x" * 81], "up to 80 letters"),
    ],
)
def test_names_that_are_missing_or_twice_go_back_with_words(at_home, names, said):
    fields = {f"q-activity-name-{place}": name for place, name in enumerate(names)}
    response = post(at_home, "activities", what="names", **fields)
    assert response.status_code == 400
    assert said in response.content.decode()


def test_after_six_weeks_the_same_activities_are_asked_about(at_home, program, later):
    rate(program, 0, 2, 3, 4)
    later(43)
    page = text_of(at_home.get(reverse("portal_measure", args=[row("activities").pk])))
    assert "An hour in the garden" in page
    numbers = {f"q-activity-{place}": "8" for place in range(3)}
    post(at_home, "activities", what="answers", **numbers)
    newest = Measure.objects.filter(point="week_6").get()
    assert [one["name"] for one in newest.answers["activity"]] == NAMES


def test_activities_may_be_looked_at_again_in_between_once_a_day(at_home, program, later):
    rate(program, 0, 2, 3, 4)
    later(30)
    assert "How are they today?" in text_of(at_home.get("/progress/"))
    numbers = {f"q-activity-{place}": "5" for place in range(3)}
    post(at_home, "activities", what="answers", **numbers)
    assert Measure.objects.filter(point="between").count() == 1
    assert "How are they today?" not in text_of(at_home.get("/progress/"))
    assert at_home.get(reverse("portal_measure", args=[row("activities").pk])).status_code == 302


def test_other_questionnaires_stay_closed_in_between(at_home, later):
    later(30)
    assert post(at_home, "pain", **{"q-pain": "6"}).url == "/measure/"
    assert not Measure.objects.exists()


def test_a_questionnaire_of_the_practice_is_asked_and_scored(at_home, program):
    load_questionnaire(data=questionnaire(), at=MONDAY)
    assert "House scale" in text_of(
        at_home.get(reverse("portal_measure", args=[row("house-scale").pk]))
    )
    post(at_home, "house-scale", **{"q-a": "often", "q-c": "always", "q-d": "4"})
    kept = Measure.objects.get()
    assert kept.answers == {"a": "often", "c": "always", "d": 4}
    assert kept.scores[0]["value"] == 15.0


def test_nothing_is_asked_while_a_red_flag_is_open(at_home, program):
    answer_red_flags(
        patient=program.patient,
        answers={**{q.id: "no" for q in REPEATED}, REPEATED[0].id: "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    assert at_home.get(reverse("portal_measure", args=[row("pain").pk])).status_code == 302
    assert "Yours, one by one" not in text_of(at_home.get("/read/why-this-exercise/"))


def test_what_was_answered_is_in_the_patients_own_download(at_home, program):
    rate(program, 0, 2, 3, 4)
    lines = [
        line
        for table in tables_of(program.patient)
        for cells in table.rows
        for cell in cells
        for line in (cell if isinstance(cell, tuple) else [cell])
    ]
    assert "Putting on shoes: 2" in lines
    assert "My activities, average 0–10: 3" in lines


# --- reading -----------------------------------------------------


def test_every_page_opens_in_both_languages(at_home, program):
    for language, title in (("en", "When to call"), ("es", "Cuándo llamar")):
        program.patient.language = language
        program.patient.save()
        links = re.findall(r'href="(/read/[a-z-]+/)"', at_home.get("/read/").content.decode())
        assert len(set(links)) == 8
        for link in set(links):
            assert f'lang="{language}"' in at_home.get(link).content.decode()
        assert title in text_of(at_home.get("/read/when-to-call/"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_when_to_call_names_the_button_as_the_page_does(language):
    with translation.override(language):
        button = gettext("Something feels seriously wrong")
    texts = [text for block in page_in(language, "when-to-call").blocks for text in block.texts]
    assert any(button in text for text in texts)


def test_when_to_call_has_the_numbers_of_the_site(at_home):
    page = at_home.get("/read/when-to-call/").content.decode()
    assert 'href="tel:999"' in page
    assert 'href="tel:+442079460100"' in page


def test_why_speaks_of_the_patients_own_exercises(at_home, program):
    said = text_of(at_home.get("/read/why-this-exercise/"))
    for prescription in program.current_version.prescriptions.select_related("exercise"):
        assert prescription.exercise.why in said


def test_a_page_that_is_not_there_is_a_404(at_home):
    assert at_home.get("/read/nothing/").status_code == 404


def test_a_reminder_link_opens_pages_to_read_but_neither_progress_nor_measures(
    clock, program, client
):
    session = client.session
    until = (MONDAY + dt.timedelta(hours=12)).isoformat()
    session[PASS] = {"program": str(program.pk), "until": until, "since": MONDAY.isoformat()}
    session.save()
    assert client.get("/read/sitting/").status_code == 200
    for closed in ("/progress/", "/measure/", reverse("portal_measure", args=[row("pain").pk])):
        assert client.get(closed).status_code == 302


# --- staff -----------------------------------------------------


@pytest.fixture
def results(program) -> str:
    return reverse("admin:patient_results", args=[program.patient_id])


def test_a_physiotherapist_sees_results_and_enters_one_from_paper(
    clock, program, client, physio, results
):
    rate(program, 0, 2, 3, 4)
    client.force_login(physio)
    assert "Putting on shoes" in text_of(client.get(results))
    response = client.post(
        results,
        {
            "client_id": str(uuid.uuid4()),
            "what": "other",
            "title": "Paper scale",
            "day": MONDAY.date().isoformat(),
            "point": "start",
            "value": "",
            "band": "medium",
        },
    )
    assert response.status_code == 302
    assert "Paper scale" in text_of(client.get(results))
    assert Measure.objects.get(title="Paper scale").entered_by == physio


def test_a_score_typed_by_staff_finds_its_band(clock, program, client, physio, results):
    loaded, _ = load_questionnaire(data=questionnaire(), at=MONDAY)
    client.force_login(physio)
    client.post(
        results,
        {
            "client_id": str(uuid.uuid4()),
            "what": f"{loaded.pk}:total",
            "day": MONDAY.date().isoformat(),
            "point": "start",
            "value": "8",
        },
    )
    kept = Measure.objects.get()
    assert (kept.scores[0]["value"], kept.scores[0]["band"]) == (8.0, "much")


@pytest.mark.parametrize(
    "changed",
    [{"value": ""}, {"title": ""}, {"day": "2027-01-01"}, {"what": "nothing"}, {"value": "x"}],
)
def test_a_result_that_says_nothing_goes_back_with_words(clock, client, physio, results, changed):
    client.force_login(physio)
    response = client.post(
        results,
        {
            "client_id": str(uuid.uuid4()),
            "what": "other",
            "title": "Paper scale",
            "day": MONDAY.date().isoformat(),
            "point": "start",
            "value": "3",
            **changed,
        },
    )
    assert response.status_code == 400
    assert not Measure.objects.exists()


def test_the_front_desk_sees_no_result(clock, client, front_desk, manager, results):
    client.force_login(front_desk)
    assert client.get(results).status_code == 403
    client.force_login(manager)
    assert client.get(results).status_code == 200
    assert client.post(results, {}).status_code == 403


def test_a_skipped_day_is_no_bar(program):
    report_session(program, 0, status="skipped", skip_reason="time", known="self_reported")
    found = progress_of(program=program, at=at_day(1))
    assert found.activity.empty
    assert found.rhythm.this_week.done == 0
    assert Session.objects.filter(status="skipped").exists()


def test_days_are_the_patients_own(make_patient, make_program):
    """Half past eleven in the evening in New York is the next day in London."""
    patient = make_patient("Nia", time_zone="America/New_York")
    program = make_program(patient=patient)
    late = MONDAY.replace(hour=4) + dt.timedelta(days=1)
    rate_at = record_measure(
        patient=patient,
        questionnaire=row("pain"),
        answers={"pain": 5},
        point="start",
        client_id=uuid.uuid4(),
        at=late,
    )
    assert rate_at.day == MONDAY.date()
    assert progress_of(program=program, at=late).last == MONDAY.date()
