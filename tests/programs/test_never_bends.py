"""What never bends, held against arbitrary histories lived through the database."""

import itertools
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.adjusting import Change, adjust_program, reopen_program
from programs.answering import answer_after_session, answer_morning, record_session
from programs.assigning import assign_program
from programs.models import Program, ProgramTemplate, ProgramVersion
from programs.positions import prescriptions_of, standing_of
from programs.proposals import accept_proposal, decline_proposal
from programs.raising import is_raised
from programs.today import today_for
from tests.conftest import MONDAY
from tests.living import at_day

pytestmark = [pytest.mark.django_db, pytest.mark.database]

# Mostly calm days, so that histories get far enough for something to be at stake.
low = st.sampled_from([0, 1, 2, 2, 2, 3, 4, 6, 9])
rarely = st.sampled_from([False] * 9 + [True])
soreness = st.sampled_from(["none"] * 9 + ["even", "one_sided"])

day = st.fixed_dictionaries(
    {
        "skip_days": st.sampled_from([0] * 8 + [1, 5]),
        "morning": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"pain_this_morning": low, "usual_pain": low, "soreness": soreness}
            ),
            st.just({"pain_this_morning": 2, "usual_pain": 2, "soreness": "none"}),
        ),
        "session": st.sampled_from(["done"] * 6 + ["partly", "skipped", None]),
        "after": st.one_of(
            st.none(),
            st.just(
                {
                    "pain_before": 2,
                    "pain_during": 2,
                    "effort": 5,
                    "form_kept": True,
                    "stiffer_after": False,
                    "neck_tension": False,
                    "soreness": "none",
                }
            ),
            st.fixed_dictionaries(
                {
                    "pain_before": low,
                    "pain_during": low,
                    "effort": st.integers(3, 9),
                    "form_kept": rarely.map(lambda lost: not lost),
                    "stiffer_after": rarely,
                    "neck_tension": rarely,
                    "soreness": soreness,
                }
            ),
        ),
        "flag": st.sampled_from([None] * 14 + ["yes", "not_sure"]),
        "clinician": st.sampled_from(
            ["nothing"] * 6 + ["accept", "decline", "freeze", "unlock", "reopen"]
        ),
    }
)


@settings(
    max_examples=25,
    deadline=None,
    # Shrinking a history through the database takes minutes and explains little more.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    template=st.sampled_from(["desk", "post-injury", "athlete", "stability-first"]),
    auto_policy=st.booleans(),
    days=st.lists(day, min_size=3, max_size=14),
)
def test_no_history_bends_what_never_bends(make_patient, physio, template, auto_policy, days):
    with transaction.atomic():
        program = assign_program(
            patient=make_patient(uuid.uuid4().hex[:8]),
            template=ProgramTemplate.objects.current().get(slug=template),
            by=physio,
            at=MONDAY,
        )
        if auto_policy and program.current_version.pathway != "post_injury":
            adjust_program(
                program=program, change=Change(auto_policy=True), by=physio, reason="x", at=MONDAY
            )
        number = 0
        for lived in days:
            number += 1 + lived["skip_days"]
            live(program, physio, number, lived)
            check_page(program, number)
        check_versions(program)
        check_decisions(program)
        transaction.set_rollback(True)


def live(program: Program, physio, number: int, lived: dict) -> None:
    program.refresh_from_db()
    if lived["morning"] is not None:
        attempt(answer_morning, program=program, at=at_day(number), **told(lived["morning"]))
    if lived["flag"]:
        answers = {q.id: "no" for q in REPEATED} | {"saddle_numbness": lived["flag"]}
        answer_red_flags(
            patient=program.patient,
            answers=answers,
            source="button",
            client_id=uuid.uuid4(),
            at=at_day(number, 12),
        )
    if lived["session"]:
        session = attempt(
            record_session,
            program=program,
            day=at_day(number).date(),
            status=lived["session"],
            known="timed",
            skip_reason="time" if lived["session"] == "skipped" else "",
            client_id=uuid.uuid4(),
            at=at_day(number, 17),
        )
        if session is not None and lived["after"] is not None:
            attempt(
                answer_after_session,
                session=session,
                at=at_day(number, 18),
                **told(lived["after"]),
            )
    act(program, physio, number, lived["clinician"])


def told(answers: dict) -> dict:
    side = {"side": "left"} if answers["soreness"] == "one_sided" else {}
    return {**answers, **side, "client_id": uuid.uuid4()}


def attempt(verb, **arguments):
    """A refusal is an answer too: what is paused stays paused."""
    try:
        with transaction.atomic():
            return verb(**arguments)
    except ValidationError:
        return None


def act(program: Program, physio, number: int, what: str) -> None:
    at = at_day(number, 20)
    proposal = program.proposals.open().first()
    if what == "accept" and proposal:
        attempt(accept_proposal, proposal=proposal, by=physio, at=at)
    elif what == "decline" and proposal:
        attempt(decline_proposal, proposal=proposal, by=physio, reason="Wait", at=at)
    elif what in ("freeze", "unlock"):
        lock = "frozen" if what == "freeze" else "none"
        attempt(
            adjust_program, program=program, change=Change(lock=lock), by=physio, reason="x", at=at
        )
    elif what == "reopen":
        attempt(reopen_program, program=program, by=physio, reason="Examined", at=at)


def check_page(program: Program, number: int) -> None:
    program = Program.objects.whole().get(pk=program.pk)
    today = today_for(program=program, at=at_day(number, 21))
    if program.patient.red_flags.open().exists():
        assert today.items == [], "no exercise is shown while a red flag is open"
        assert program.status == Program.Status.SUSPENDED
    if program.status == Program.Status.ACTIVE:
        assert today.items, "a routine is never empty"
    else:
        assert today.items == []


def check_versions(program: Program) -> None:
    versions = list(program.versions.order_by("number"))
    assert [v.number for v in versions] == list(range(1, len(versions) + 1))
    for before, after in itertools.pairwise(versions):
        if after.by is not None:
            continue
        assert before.lock == ProgramVersion.Lock.NONE or raised_nothing(before, after)
        assert before.lock != ProgramVersion.Lock.FROZEN, "frozen: only a clinician moves it"
        if after.cause == ProgramVersion.Cause.RULE_LOWERED:
            assert raised_nothing(before, after), "a rule only ever lowers"
            assert after.phase == before.phase
        else:
            assert after.cause == ProgramVersion.Cause.POLICY_RAISED
            assert before.auto_policy and after.policy_approved_by is not None
            assert after.pathway != "post_injury"
            assert after.phase == before.phase, "a new phase is a clinician's"
            assert not opened_classes(after) - opened_classes(before), "so is a new class"


def raised_nothing(before: ProgramVersion, after: ProgramVersion) -> bool:
    known = {p.exercise_id: p for p in prescriptions_of(before)}
    return all(
        p.exercise_id in known and not is_raised(known[p.exercise_id], p)
        for p in prescriptions_of(after)
    )


def opened_classes(version: ProgramVersion) -> frozenset[str]:
    return standing_of(version, today=version.at.date(), calm_fortnight=True).opened_classes


def check_decisions(program: Program) -> None:
    for decision in program.decisions.select_related("version"):
        evidence = decision.evidence
        if decision.outcome == "PROGRESS":
            assert evidence["red_flag"] is None
            assert evidence["days_since_last_check_in"] <= 3
            assert evidence["adherence"] is not None
            assert all(s["pain_next_morning"] is not None for s in evidence["sessions"][-2:])
            applied = decision.handling == "applied"
            assert not applied or decision.approval == "policy"
        assert decision.rules and decision.policy_id
        assert all(rule["answers"] or rule["rule"] == "R28" for rule in decision.fired)
