"""What became of each exercise: the easier form, what was left out, and what rules make of it."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs import happened
from programs.answering import answer_after_session, record_session
from programs.asking import questions_due
from programs.clinician.timeline import time_line
from programs.evidence import gather
from programs.models import Program, Session
from programs.routine import SHORT_S, TOLERANCE_S, less
from programs.thresholds import DEFAULT_POLICIES
from programs.today import routine_for, short_of
from tests.living import GOOD_AFTER, at_day, do_morning, do_session, report_session

doses = st.tuples(st.integers(1, 10), st.integers(1, 60), st.integers(0, 600))


@given(doses)
def test_less_is_never_more_and_never_nothing(dose):
    sets, reps, hold_s = less(*dose)
    assert all(0 <= new <= old for new, old in zip((sets, reps, hold_s), dose, strict=True))
    assert sets >= 1 and reps >= 1
    assert (hold_s > 0) == (dose[2] > 0)
    assert 2 * sets * reps >= dose[0] * dose[1]


@given(
    st.lists(st.sampled_from(["", *happened.ALL]), min_size=1, max_size=8),
    st.booleans(),
)
def test_every_answer_is_kept_with_its_exercise_and_nothing_is_raised(answers, has_easier):
    asked = [{"exercise": f"e{n}", "level": 2, "sets": 2} for n in range(len(answers))]
    easier = {f"e{n}": {"level": 1, "sets": 1} for n in range(len(answers)) if has_easier}
    how = {f"e{n}": said for n, said in enumerate(answers)}
    if happened.EASIER in answers and not has_easier:
        with pytest.raises(ValueError, match="easier"):
            happened.items_after(asked, how, easier)
        return
    items = happened.items_after(asked, how, easier)
    for item, said in zip(items, answers, strict=True):
        assert item["done"] == (said in ("done", "easier"))
        assert ("did" in item) == (said == "easier")
        assert bool(item.get("left_out")) == (said not in ("", "done", "easier"))
    assert happened.felt_a_pull(items) == ("pull" in answers)
    assert happened.all_as_asked(items) == ("easier" not in answers)


def test_the_worst_of_what_hurt_comes_first():
    asked = [{"exercise": name} for name in "abc"]
    items = happened.items_after(asked, {"a": "hurt_little", "b": "pull", "c": "hurt_lot"}, {})
    assert happened.hurt_most(items) == "b"
    assert happened.hurt_most(asked) == ""


@given(st.lists(st.sampled_from(["", *happened.ALL]), min_size=1, max_size=8))
def test_a_reason_for_nothing_is_one_of_a_skipped_day_and_never_hides_an_answer(answers):
    why = happened.why_nothing({f"e{n}": said for n, said in enumerate(answers)})
    if why:
        assert why in Session.SkipReason.values
        assert not set(answers) & {"", "done", "easier", "hurt_lot", "pull"}
        assert (why == "pain") == ("hurt_little" in answers)


# --- in a program ------------------------------------------------------------------------------


def whole(program: Program) -> Program:
    return Program.objects.whole().get(pk=program.pk)


def do_as(program: Program, number: int, **but: str):
    """The routine of a day, all of it done but for what ``but`` names by its slug."""
    items = routine_for(program=whole(program), day=at_day(number).date())
    how = {i.exercise.slug: "done" for i in items} | {
        k.replace("_", "-"): v for k, v in but.items()
    }
    done = all(said in happened.DID for said in how.values())
    return report_session(program, number, status="done" if done else "partly", how=how)


@pytest.mark.django_db
def test_no_easier_form_asks_for_more_than_the_prescribed_one(make_program):
    for template in ("desk", "athlete", "posterior-chain", "stability-first"):
        program = whole(make_program(template))
        for number in range(7):
            for item in routine_for(program=program, day=at_day(number).date()):
                if item.easier is None:
                    continue
                assert item.easier.level.level <= item.level.level
                assert item.easier.dose.sets <= item.dose.sets
                assert (item.easier.dose.load_kg or 0) <= (item.dose.load_kg or 0)
                assert item.easier.easier is None


@pytest.mark.django_db
def test_the_five_minute_version_is_a_part_of_the_day_that_fits(make_program):
    program = whole(make_program("desk"))
    for number in range(14):
        day = at_day(number).date()
        items = routine_for(program=program, day=day)
        short = short_of(items, program=program, day=day)
        slugs = [item.exercise.slug for item in items]
        assert [s for s in slugs if s in {i.exercise.slug for i in short}] == [
            item.exercise.slug for item in short
        ]
        if short:
            assert sum(item.seconds for item in short) <= SHORT_S + TOLERANCE_S == 300
        else:
            assert sum(item.seconds for item in items) <= 300


@pytest.mark.django_db
def test_sessions_in_the_easier_form_never_earn_a_step(make_program):
    eased, as_asked = make_program("stability-first"), make_program("stability-first")
    for program in (eased, as_asked):
        for number in range(12):
            if number:
                do_morning(program, number)
            if program is eased:
                items = routine_for(program=whole(program), day=at_day(number).date())
                but = {i.exercise.slug: "easier" for i in items if i.easier}
                session = do_as(program, number, **but)
                answer_well(session)
            else:
                do_session(program, number)
    assert as_asked.decisions.filter(outcome="PROGRESS").exists()
    assert not eased.decisions.filter(outcome="PROGRESS").exists()
    found = gather(whole(eased), policy=DEFAULT_POLICIES["chronic"], at=at_day(12))
    assert found.evidence.sessions_at_level == 0
    assert not any(session.completed for session in found.evidence.sessions)


def answer_well(session) -> None:
    answer_after_session(
        session=session, client_id=uuid.uuid4(), at=session.at + dt.timedelta(hours=1), **GOOD_AFTER
    )


@pytest.mark.django_db
def test_a_pull_asks_the_safety_questions_until_they_are_answered(program):
    def answer(hour: int) -> None:
        answer_red_flags(
            patient=program.patient,
            answers={q.id: "no" for q in REPEATED},
            source="weekly",
            client_id=uuid.uuid4(),
            at=at_day(0, hour),
        )

    answer(10)
    assert not questions_due(program, at_day(0, 11))
    do_as(program, 0, cat_cow="pull")
    assert questions_due(program, at_day(0, 18))
    answer(19)
    assert not questions_due(program, at_day(0, 20))


@pytest.mark.django_db
def test_the_clinician_reads_what_was_eased_and_why_something_was_left_out(program):
    do_as(program, 0, cat_cow="easier", **{"hip-flexor-stretch": "hurt_lot"})
    (entry,) = [e for e in time_line(patient=program.patient).entries if e.kind == "session"]
    said = " ".join(entry.detail)
    assert "Easier form: Cat-cow" in said
    assert "Left out, hurt a lot: Front-of-hip stretch" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"handstand": "done"}, "done"),
        ({"cat-cow": "upside down"}, "how"),
        ({"cat-cow": "hurt_little"}, "status"),
        ({"cat-cow": "time"}, "status"),
        ({}, "status"),
    ],
)
def test_answers_that_cannot_be_are_refused_and_nothing_is_kept(program, how, field):
    with pytest.raises(ValidationError) as refused:
        record_session(
            program=program,
            day=at_day(0).date(),
            status="partly",
            client_id=uuid.uuid4(),
            known="timed",
            at=at_day(0),
            how=how,
        )
    assert field in refused.value.error_dict
    assert not program.sessions.exists()
