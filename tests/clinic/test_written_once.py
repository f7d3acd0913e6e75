"""Questions whose SQL is written once give what the query gives, seen by whoever watches."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.test.utils import CaptureQueriesContext

from clinic.models import User
from clinic.written_once import all_but, together, written_once
from patients.models import CheckIn, Patient
from tests.living import at_day

DAYS = [at_day(day).date() for day in range(4)]


@written_once
def answers_between(patient: uuid.UUID, first: dt.date, last: dt.date) -> QuerySet[CheckIn]:
    return CheckIn.objects.filter(patient_id=patient, day__range=(first, last))


@written_once
def days_since(patient: uuid.UUID, since: dt.datetime) -> QuerySet[CheckIn, dt.date]:
    return CheckIn.objects.filter(patient_id=patient, at__gte=since).values_list("day", flat=True)


@written_once
def with_people(number: str) -> QuerySet[Patient]:
    answered = CheckIn.objects.filter(patient=OuterRef("pk"))
    unread = [f"physiotherapist__{name}" for name in all_but(User, "name")]
    rows = Patient.objects.filter(number=number).select_related("site", "physiotherapist")
    return rows.annotate(answered=Exists(answered)).defer(*unread)


@pytest.fixture
def answered(patient: Patient) -> Patient:
    for day in DAYS:
        CheckIn.objects.create(
            patient=patient,
            kind=CheckIn.Kind.DAILY,
            client_id=uuid.uuid4(),
            day=day,
            at=dt.datetime.combine(day, dt.time(9), dt.UTC),
            usual_pain=3,
        )
    return patient


def everything(rows: list[CheckIn]) -> list[dict[str, object]]:
    return [{field.name: getattr(row, field.attname) for field in row._meta.fields} for row in rows]


def test_given_other_values_then_the_same_statement_gives_other_rows(answered):
    for first in DAYS:
        for last in DAYS:
            by_query = answered.check_ins.filter(day__range=(first, last))
            assert everything(answers_between(answered.pk, first, last)) == everything(by_query)
    assert answers_between(uuid.uuid4(), DAYS[0], DAYS[-1]) == []
    assert answers_between.first(uuid.uuid4(), DAYS[0], DAYS[-1]) is None
    assert answers_between.first(answered.pk, DAYS[0], DAYS[-1]).day == DAYS[-1]


def test_given_a_list_of_values_then_they_are_what_the_query_gives(answered):
    noon = dt.datetime.combine(DAYS[1], dt.time(12), dt.UTC)
    assert days_since(answered.pk, since=noon) == DAYS[:1:-1]


def test_given_related_rows_then_they_come_with_the_same_question(answered):
    with CaptureQueriesContext(connection) as asked:
        [found] = with_people(answered.number)
        names = (found.site.name, found.physiotherapist.name)
    assert names == (answered.site.name, answered.physiotherapist.name)
    assert found.answered is True
    assert len(asked) == 1, "and whoever counts queries sees it"
    assert found.physiotherapist.email == answered.physiotherapist.email, "what was left out too"


def test_given_several_questions_together_then_each_has_its_answer(answered):
    noon = dt.datetime.combine(DAYS[2], dt.time(12), dt.UTC)
    with CaptureQueriesContext(connection) as asked:
        all_of_them, newest, nobody = together(
            answers_between.about(answered.pk, DAYS[0], DAYS[-1]),
            days_since.about(answered.pk, noon),
            with_people.about("no such number"),
        )
    assert [row.day for row in all_of_them] == DAYS[::-1]
    assert (newest, nobody) == ([DAYS[3]], [])
    assert len(asked) == 3
    assert sum("patients_checkin" in query["sql"] for query in asked) == 3


def test_given_a_question_asked_twice_then_the_server_keeps_its_plan(answered):
    days_since(answered.pk, at_day(0))
    days_since(answered.pk, at_day(1))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements"
            " WHERE NOT from_sql AND statement LIKE %s",
            ["%patients_checkin%"],
        )
        assert cursor.fetchone()[0] >= 2


def test_given_somebody_forbids_queries_then_these_are_forbidden_too(answered):
    def forbid(*given: object) -> None:
        raise PermissionError

    with connection.execute_wrapper(forbid), pytest.raises(PermissionError):
        days_since(answered.pk, at_day(0))
    with connection.execute_wrapper(forbid), pytest.raises(PermissionError):
        together(days_since.about(answered.pk, at_day(0)))
    assert days_since(answered.pk, at_day(0)), "and nothing is left behind"


def test_given_a_query_that_cannot_be_kept_then_it_says_so(answered):
    @written_once
    def with_more(patient: uuid.UUID) -> QuerySet[Patient]:
        return Patient.objects.filter(pk=patient).prefetch_related("check_ins")

    @written_once
    def by_choice(patient: uuid.UUID, newest: str) -> QuerySet[CheckIn]:
        rows = CheckIn.objects.filter(patient_id=patient)
        return rows.order_by("-day") if newest else rows

    @written_once
    def by_list(patients: list[uuid.UUID]) -> QuerySet[CheckIn]:
        return CheckIn.objects.filter(patient_id__in=patients)

    @written_once
    def summed(patient: uuid.UUID) -> QuerySet[CheckIn, dict[str, int]]:
        return CheckIn.objects.filter(patient_id=patient).values("kind").annotate(n=Count("pk"))

    for question, value in (
        (with_more, (answered.pk,)),
        (by_choice, (answered.pk, "yes")),
        (by_list, ([answered.pk],)),
        (summed, (answered.pk,)),
    ):
        with pytest.raises(TypeError):
            question(*value)
