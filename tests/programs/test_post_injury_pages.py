"""The queue after an injury and the page of an injury, through the doors people use."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.models import AccessRecord
from patients.injuring import record_injury, set_limits
from programs.criteria import criteria_for
from programs.models import CriterionMark, Program
from programs.post_injury import tick_criteria
from programs.post_injury_queue import lines_for
from tests.conftest import MONDAY
from tests.living import at_day, live_well
from tests.programs.at_the_desk import whole_form
from tests.reading import html_of, words

TODAY = MONDAY.date()
INJURY = {
    "does": "injury",
    "kind": "fracture",
    "happened_on": "2026-01-05",
    "words": "I fell from the ladder.",
    "precautions": "No jumping.",
}


@pytest.fixture
def hurt(make_program) -> Program:
    return make_program("post-injury", pathway="post_injury")


@pytest.fixture
def desk(client, physio):
    client.force_login(physio)
    return client


def page(name, program) -> str:
    return reverse(f"admin:{name}", args=[program.patient_id])


def test_an_injury_is_recorded_and_shown(desk, hurt):
    response = desk.post(page("patient_injury", hurt), INJURY, follow=True)
    text = words(response)
    assert "I fell from the ladder." in text and "Fracture" in text
    assert "Entered by Ruth Adeyemi" in text
    desk.post(page("patient_injury", hurt), INJURY | {"words": "I fell off the ladder."})
    text = words(desk.get(page("patient_injury", hurt)))
    assert text.index("I fell off the ladder.") < text.index("I fell from the ladder.")
    assert hurt.patient.injuries.count() == 1


def test_a_wrong_injury_keeps_what_was_typed(desk, hurt):
    response = desk.post(page("patient_injury", hurt), INJURY | {"happened_on": "2199-01-01"})
    assert response.status_code == 400
    assert "The injury lies in the future." in words(response)
    assert "I fell from the ladder." in response.content.decode()
    assert not hurt.patient.injuries.exists()


def test_limits_are_set_and_lifted_with_a_reason(desk, hurt):
    desk.post(page("patient_injury", hurt), INJURY)
    said = {"does": "limits", "classes": ["rotation"], "max_load_kg": "5", "said_by": "Dr Osei"}
    text = words(desk.post(page("patient_injury", hurt), said, follow=True))
    assert "No load above 5 kg" in text and "set by Dr Osei" in text
    limit = hurt.patient.injuries.get().limits.get(kind="load")
    lift = {"does": "lift", "limit": limit.pk}
    refused = desk.post(page("patient_injury", hurt), lift)
    assert refused.status_code == 400 and "Say why the limit ends" in words(refused)
    text = words(
        desk.post(
            page("patient_injury", hurt), lift | {"reason": "Letter of 3 March."}, follow=True
        )
    )
    assert "Lifted: No load above 5 kg." in text and "Letter of 3 March." in text


def test_no_limit_at_all_is_refused(desk, hurt):
    desk.post(page("patient_injury", hurt), INJURY)
    response = desk.post(page("patient_injury", hurt), {"does": "limits"})
    assert response.status_code == 400 and "Choose at least one limit." in words(response)


def test_the_queue_names_what_is_open_and_ticks_it(desk, hurt, physio):
    text = words(desk.get(reverse("admin:post_injury")))
    assert "injury not on the record" in text
    assert "0 /5 for phase 1" in text or "0/5" in text.replace(" ", "")
    said = {"does": "tick", "phase": 1, "back": "queue", "words": "Seen on Monday."}
    slugs = [one.slug for one in criteria_for(1)]
    response = desk.post(page("patient_criteria", hurt), said | {"criterion": slugs[:2]})
    assert response.status_code == 302 and response.url.endswith(f"#p-{hurt.patient.number}")
    text = words(desk.get(reverse("admin:post_injury")))
    assert "2/5" in text.replace(" ", "") and "Seen on Monday." in text
    desk.post(page("patient_criteria", hurt), said | {"criterion": slugs[:2]})
    assert CriterionMark.objects.count() == 2


def test_what_the_answers_say_stands_beside_each_criterion(hurt):
    live_well(hurt, 0, 6)
    [line] = lines_for([Program.objects.whole().get(pk=hurt.pk)], at=at_day(7))
    said = {state.criterion.slug: state.reading for state in line.states}
    assert said["pain_below_ceiling"].words == "pain during 2 and 2; ceiling 3"
    assert said["pain_below_ceiling"].fits
    assert (
        said["time_at_level"].words == "7 days (needs 14), 7 sessions (needs 6) since the last step"
    )
    assert said["time_at_level"].fits is False
    assert said["calm_mornings"].words == "none of 6 mornings in 14 days 2 or more up"
    assert said["neutral_control"].words == "moved as described in 2 of the last 2 sessions"
    assert not any(state.met for state in line.states)


def test_ticking_nothing_says_so(desk, hurt):
    response = desk.post(page("patient_criteria", hurt), {"does": "tick", "phase": 1})
    assert response.status_code == 400 and "Choose what you checked." in words(response)


@pytest.mark.parametrize("phase", ["", "9", "x", "11", "٣"])
def test_a_phase_that_is_none_is_refused(desk, hurt, phase):
    data = {"does": "tick", "phase": phase, "criterion": "time_at_level"}
    assert desk.post(page("patient_criteria", hurt), data).status_code == 400


def test_taking_back_and_going_without_need_words(desk, hurt, physio):
    tick_criteria(program=hurt, phase=1, criteria=["time_at_level"], by=physio, at=MONDAY)
    for does, slug in (("take_back", "time_at_level"), ("without", "calm_mornings")):
        data = {"does": does, "phase": 1, "criterion": slug}
        assert desk.post(page("patient_criteria", hurt), data).status_code == 400
        desk.post(page("patient_criteria", hurt), data | {"words": "Talked it over."})
    text = words(desk.get(page("patient_injury", hurt)))
    assert "gone without: Ruth Adeyemi" in text and "taken back: Talked it over." in text


def test_the_queue_is_in_order_of_who_waits(desk, make_program, make_patient, physio):
    calm, due, _ = (
        make_program("post-injury", patient=make_patient(name), pathway="post_injury")
        for name in ("Calm", "Due", "Unknown")
    )
    for program, review in ((calm, 400), (due, -1)):
        record_injury(
            patient=program.patient,
            kind="disc",
            words="Lifted.",
            happened_on=TODAY,
            review_on=dt.date.today() + dt.timedelta(days=review),  # noqa: DTZ011
            by=physio,
            at=MONDAY,
        )
    text = words(desk.get(reverse("admin:post_injury")))
    places = [text.index(f"{name} Morales") for name in ("Due", "Unknown", "Calm")]
    assert places == sorted(places)
    assert "review was due" in text


def test_the_queue_keeps_its_number_of_queries(desk, make_program, make_patient, physio):
    def add(name):
        program = make_program("post-injury", patient=make_patient(name), pathway="post_injury")
        injury = record_injury(
            patient=program.patient,
            kind="disc",
            words=name,
            happened_on=TODAY,
            by=physio,
            at=MONDAY,
        )
        set_limits(injury=injury, classes=["rotation"], by=physio, at=MONDAY)
        tick_criteria(program=program, phase=1, criteria=["time_at_level"], by=physio, at=MONDAY)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert desk.get(reverse("admin:post_injury")).status_code == 200
        return sum("patients_" in query["sql"] for query in found)

    add("One")
    queries()
    few = queries()
    for number in range(6):
        add(f"More{number}")
    assert queries() == few


def test_another_site_finds_nothing(client, stranger, hurt):
    client.force_login(stranger)
    assert "Morales" not in words(client.get(reverse("admin:post_injury") + "?scope=site"))
    assert client.get(page("patient_injury", hurt)).status_code == 404
    data = {"does": "tick", "phase": 1, "criterion": "time_at_level"}
    assert client.post(page("patient_criteria", hurt), data).status_code == 404


def test_a_manager_reads_and_does_not_write(client, manager, hurt):
    client.force_login(manager)
    assert "Tick what you checked" not in words(client.get(reverse("admin:post_injury")))
    assert client.post(page("patient_injury", hurt), INJURY).status_code == 403
    assert client.post(page("patient_criteria", hurt), {"does": "tick"}).status_code == 403


def test_the_front_desk_opens_none_of_it(client, front_desk, hurt):
    client.force_login(front_desk)
    assert client.get(reverse("admin:post_injury")).status_code == 403
    assert client.get(page("patient_injury", hurt)).status_code == 403


def test_every_look_is_written_down(desk, hurt, physio):
    desk.get(reverse("admin:post_injury"))
    desk.get(page("patient_injury", hurt))
    pages = AccessRecord.objects.filter(actor=physio).values_list("page", flat=True)
    assert set(pages) == {"post_injury", "injury"}


def test_the_patients_page_says_what_the_next_phase_waits_for(desk, hurt, physio):
    desk.post(page("patient_injury", hurt), INJURY)
    desk.post(page("patient_injury", hurt), {"does": "limits", "classes": ["rotation"]})
    text = words(desk.get(page("patient", hurt)))
    assert re.search(r"Before phase 1: 0 of 5 ticked", text)
    assert "No rotation" in text and "Fracture" in text


def test_other_pathways_have_no_injury_panel_and_no_criteria(desk, program):
    assert "Before phase" not in words(desk.get(page("patient", program)))
    assert desk.post(page("patient_criteria", program), {"does": "tick"}).status_code == 404


def test_given_open_criteria_when_the_phase_is_raised_then_the_way_to_them_is_shown(desk, hurt):
    data = whole_form(desk, hurt, phase=hurt.current_version.phase + 1, reason="Ready.")
    response = desk.post(page("patient_change", hurt), data)
    said = words(response)
    assert "waits for criteria that nobody has ticked" in said
    assert f'href="{page("patient_injury", hurt)}"' in html_of(response)
    assert "No reason opens this" not in said
    assert "Issue version" not in said
