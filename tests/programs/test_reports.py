"""The report of the practice: who may see what, what is counted, and what is said of it."""

import csv
import datetime as dt
import io
import uuid

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import AccessRecord
from patients.measuring import record_measure
from patients.models import Questionnaire
from tests import reading
from tests.conftest import MONDAY, make_staff
from tests.living import at_day, do_morning, do_session

pytestmark = pytest.mark.django_db
PAGE, FILE = "/clinic/reports/", "/clinic/reports.csv"


@pytest.fixture(autouse=True)
def ten_weeks_later():
    with time_machine.travel(MONDAY + dt.timedelta(weeks=10), tick=False):
        yield


def words(client, person, **query) -> str:
    client.force_login(person)
    page = client.get(PAGE, query)
    assert page.status_code == 200
    return reading.words(page)


def table(client, person, **query) -> list[dict[str, str]]:
    client.force_login(person)
    text = client.get(FILE, query).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def mornings(program, first: int, pain: int) -> None:
    for day in range(first, first + 4):
        do_morning(program, day, usual_pain=pain, pain_this_morning=pain)


def test_pain_is_compared_between_the_first_and_the_last_week(client, physio, program):
    mornings(program, 1, 6)
    mornings(program, 36, 2)
    (desk, whole) = table(client, physio)
    assert desk["Pathway"] == "Desk worker"
    assert (desk["Pain: due"], desk["Pain: both values"]) == ("1", "1")
    # A minus sign would start a formula in a table program.
    assert desk["Pain: mean change"] == "'-4.0"
    assert desk["Pain: improved"] == "1"
    assert desk["Activities: no value at the start"] == "1"
    assert whole["Pathway"] == "All programs"


def test_a_week_with_two_answers_counts_as_missing(client, physio, program):
    mornings(program, 1, 6)
    do_morning(program, 36, usual_pain=2, pain_this_morning=2)
    do_morning(program, 37, usual_pain=2, pain_this_morning=2)
    (desk, _) = table(client, physio)
    assert (desk["Pain: both values"], desk["Pain: no value at the end"]) == ("0", "1")
    assert "1 without an end" in words(client, physio)


def test_activities_are_those_of_the_measure(client, physio, program):
    activities = Questionnaire.objects.current().get(name="activities")
    for day, number, point in ((1, 3, "start"), (43, 7, "week_6")):
        record_measure(
            patient=program.patient,
            questionnaire=activities,
            answers={"activity": [{"name": name, "number": number} for name in "abc"]},
            point=point,
            client_id=uuid.uuid4(),
            at=at_day(day),
        )
    (desk, _) = table(client, physio)
    assert desk["Activities: both values"] == "1"
    assert desk["Activities: mean change"] == "4.0"


def test_adherence_counts_days_asked_for(client, physio, program):
    for day in range(0, 42, 2):
        do_session(program, day)
    (desk, _) = table(client, physio)
    assert desk["Adherence, median"] == "0.5"


def test_who_works_elsewhere_sees_nothing_of_it(client, stranger, program):
    assert "No program began" in words(client, stranger)


def test_front_desk_may_not_and_a_look_is_written_down(client, front_desk, physio, program):
    client.force_login(front_desk)
    assert client.get(PAGE).status_code == 403
    assert client.get(FILE).status_code == 403
    words(client, physio, by="template")
    assert AccessRecord.objects.filter(
        actor=physio, subject_type="report", subject_id="template"
    ).exists()


def test_colleagues_are_compared_for_managers_only(client, physio, manager, program):
    said = words(client, physio, by="physiotherapist")
    assert "By pathway" in said
    assert "By physiotherapist" in words(client, manager, by="physiotherapist")
    assert table(client, manager, by="physiotherapist")[0]["Physiotherapist"] == physio.name


def test_my_caseload_is_mine(client, site, program):
    other = make_staff(site, "physiotherapist", "Jo Park")
    assert "in your caseload" in words(client, other, scope="mine")
    assert "1 program began" in words(client, other)


def test_nonsense_in_the_address_is_left_out(client, physio, program):
    said = words(client, physio, by="x", weeks="99", months="-1", site="abc", scope="x")
    assert "week 6" in said


def test_the_number_of_queries_does_not_grow(client, physio, make_program, make_patient):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            words(client, physio, by="template")
        return len(found)

    make_program(patient=make_patient("Ana"))
    asked()  # signs in
    few = asked()
    for number in range(12):
        make_program(patient=make_patient(f"Ana{number}"))
    assert asked() == few
