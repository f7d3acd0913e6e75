"""The same thing sent twice at the same instant, on real PostgreSQL: one row, one action."""

import json
import threading
import uuid
from collections.abc import Callable

import pytest
import time_machine
from django.db import connections
from django.test import Client

from clinic.models import Alert
from patients.models import CheckIn, RedFlag, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.adjusting import adjust_program, reopen_program
from programs.assigning import assign_program
from programs.models import Decision, Program, ProgramTemplate, Proposal, Session
from programs.proposals import accept_proposal, decline_proposal
from programs.versioning import Change
from tests.living import GOOD_AFTER, GOOD_MORNING, at_day, live_well, report_session

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each call answered, or the exception it ended in; all start at the same moment."""
    gate = threading.Barrier(len(calls))
    found: list[object] = [None] * len(calls)

    def run(number: int, call: Callable[[], object]) -> None:
        try:
            gate.wait(10)
            found[number] = call()
        except Exception as error:
            found[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


@pytest.fixture
def day_two():
    with time_machine.travel(at_day(1, 18), tick=False):
        yield


def browsers(program: Program, count: int = 4) -> list[Client]:
    made = [Client(raise_request_exception=False) for _ in range(count)]
    for browser in made:
        browser.force_login(program.patient.user)
    return made


def sent_by_all(program: Program, path: str, body: dict) -> list[int]:
    def send(browser: Client) -> Callable[[], int]:
        kind = "application/json"
        return lambda: (
            browser.post(f"/api/v1/{path}/", json.dumps(body), content_type=kind).status_code
        )

    return sorted(at_once(*[send(browser) for browser in browsers(program)]))


def test_given_the_same_post_four_times_at_once_then_one_row_of_each(day_two, program):
    made = {200, 201}
    body = {"client_id": str(uuid.uuid4()), "status": "done"}
    assert set(sent_by_all(program, "sessions", body)) <= made
    session = Session.objects.get()
    body = {**GOOD_AFTER, "client_id": str(uuid.uuid4()), "session": str(session.pk)}
    assert set(sent_by_all(program, "check-ins", body)) <= made
    body = {**GOOD_MORNING, "client_id": str(uuid.uuid4())}
    assert set(sent_by_all(program, "check-ins", body)) <= made
    assert CheckIn.objects.count() == 2
    answers = {question.id: "no" for question in REPEATED} | {"bladder": "yes"}
    body = {"client_id": str(uuid.uuid4()), "answers": answers}
    assert set(sent_by_all(program, "red-flags", body)) <= made
    assert RedFlagScreening.objects.count() == RedFlag.objects.count() == 1
    assert Alert.objects.filter(key__startswith="red_flag").count() == 1
    assert Decision.objects.filter(handling="suspended").count() == 1


def test_given_two_days_reported_at_once_by_different_ids_then_one_session(day_two, program):
    def report(browser: Client) -> Callable[[], int]:
        body = {"client_id": str(uuid.uuid4()), "status": "done"}
        kind = "application/json"
        return lambda: (
            browser.post("/api/v1/sessions/", json.dumps(body), content_type=kind).status_code
        )

    assert all(code < 300 for code in at_once(*map(report, browsers(program))))
    assert Session.objects.count() == 1


def test_given_a_form_sent_twice_at_once_then_one_check_in(day_two, program):
    clear = {question.id: "no" for question in REPEATED}
    answer_red_flags(
        patient=program.patient,
        answers=clear,
        source="weekly",
        client_id=uuid.uuid4(),
        at=at_day(1),
    )
    report_session(program, 1)
    sent = {"client_id": str(uuid.uuid4()), "pain_before": 2, "pain_during": 2, "effort": 5}
    sent |= {"form_kept": "yes", "stiffer_after": "no", "neck_tension": "no", "soreness": "none"}
    found = at_once(
        *[lambda b=browser: b.post("/check-in/after/", sent).url for browser in browsers(program)]
    )
    assert set(found) == {f"/check-in/result/{sent['client_id']}/"}
    assert CheckIn.objects.count() == 1


def test_given_an_accept_and_a_decline_at_once_then_one_answer_stands(program, physio):
    live_well(program, 0, 8)
    proposal = Proposal.objects.get()
    asked = {"proposal": proposal, "by": physio, "at": at_day(9)}
    before = program.versions.count()
    found = at_once(
        lambda: accept_proposal(**asked),
        lambda: accept_proposal(**asked),
        lambda: decline_proposal(reason="Not yet.", **asked),
    )
    refused = [answer for answer in found if isinstance(answer, Exception)]
    assert len(refused) == 2 and all("answered already" in str(error) for error in refused)
    assert program.versions.count() == before + 1
    proposal.refresh_from_db()
    assert proposal.status in (Proposal.Status.ACCEPTED, Proposal.Status.DECLINED)


@pytest.mark.parametrize("attempt", range(3))
def test_given_an_accept_while_the_program_is_changed_then_no_stale_step_is_taken(
    program, physio, attempt
):
    live_well(program, 0, 8)
    proposal = Proposal.objects.get()
    found = at_once(
        lambda: accept_proposal(proposal=proposal, by=physio, at=at_day(9)),
        lambda: adjust_program(
            program=program, change=Change(lock="frozen"), by=physio, reason="Rest.", at=at_day(9)
        ),
    )
    numbers = list(program.versions.order_by("number").values_list("number", "cause"))
    assert not isinstance(found[1], Exception)
    accepted = not isinstance(found[0], Exception)
    assert numbers == [
        (1, "assigned"),
        *([(2, "accepted")] if accepted else []),
        (3 if accepted else 2, "changed"),
    ]


def flag(program_or_patient, at) -> Callable[[], object]:
    answers = {question.id: "no" for question in REPEATED} | {"bladder": "yes"}
    return lambda: answer_red_flags(
        patient=program_or_patient,
        answers=answers,
        source="button",
        client_id=uuid.uuid4(),
        at=at,
    )


@pytest.mark.parametrize("attempt", range(3))
def test_given_a_flag_while_a_program_is_assigned_then_none_runs_beside_it(
    patient, physio, library, attempt
):
    template = ProgramTemplate.objects.current().get(slug="desk")
    at_once(
        lambda: assign_program(patient=patient, template=template, by=physio, at=at_day(0)),
        flag(patient, at_day(0)),
    )
    assert RedFlag.objects.open().count() == 1
    assert not Program.objects.active().exists()


@pytest.mark.parametrize("attempt", range(3))
def test_given_a_flag_while_a_program_is_reopened_then_it_closes_both_or_stays_shut(
    program, physio, attempt
):
    flag(program.patient, at_day(0))()
    found = at_once(
        lambda: reopen_program(program=program, by=physio, reason="Seen.", at=at_day(1)),
        flag(program.patient, at_day(1)),
    )
    assert not any(isinstance(answer, Exception) for answer in found)
    program.refresh_from_db()
    assert not (program.status == "active" and program.patient.red_flags.open().exists())
