"""After an injury: limits close gates, criteria hold a phase back, and only a clinician moves."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from patients.injuring import change_injury, lift_limit, record_injury, set_limits
from patients.models.injury import CLOSABLE
from programs.adjusting import Change, PrescriptionChange, adjust_program, reopen_program
from programs.criteria import Answers, criteria, criteria_for, read
from programs.gates import GateFacts
from programs.ladder import Standing, step_up
from programs.limits import limits_on, words_of
from programs.models import CriterionMark, Program, Proposal
from programs.models.library import MovementClass
from programs.positions import prescriptions_of, standing_of
from programs.post_injury import ask_for, go_without, marks_of, states_of, take_back, tick_criteria
from programs.proposals import accept_proposal
from programs.today import today_for
from tests.conftest import MONDAY
from tests.living import at_day, live_well
from tests.programs.test_gates_and_ladder import positions as any_positions

TODAY = MONDAY.date()
FIRST = [one.slug for one in criteria_for(1)]


@pytest.fixture
def hurt(make_program) -> Program:
    return make_program("post-injury", pathway="post_injury")


@pytest.fixture
def injury(hurt, physio):
    return record_injury(
        patient=hurt.patient,
        by=physio,
        at=MONDAY,
        kind="disc",
        words="Something went when I lifted the bath.",
        happened_on=TODAY - dt.timedelta(weeks=6),
    )


def fresh(program) -> Program:
    return Program.objects.whole().get(pk=program.pk)


def tick_all(program, by, phase=1, at=MONDAY):
    slugs = [one.slug for one in criteria_for(phase)]
    return tick_criteria(program=program, phase=phase, criteria=slugs, by=by, at=at)


def raise_phase(program, by, phase=1, at=MONDAY):
    return adjust_program(
        program=program, change=Change(phase=phase), by=by, reason="Good control.", at=at
    )


# --- criteria ------------------------------------------------------------------------------------


def test_a_phase_waits_until_every_criterion_is_ticked(hurt, physio):
    with pytest.raises(ValidationError, match="Gentle deep-core hold"):
        raise_phase(hurt, physio)
    tick_criteria(program=hurt, phase=1, criteria=FIRST[1:], by=physio, at=MONDAY)
    with pytest.raises(ValidationError) as refused:
        raise_phase(hurt, physio)
    [words] = refused.value.message_dict["phase"]
    assert "Gentle deep-core hold" in words and "Pain during" not in words
    assert fresh(hurt).current_version.number == 1
    tick_criteria(program=hurt, phase=1, criteria=FIRST[:1], by=physio, at=MONDAY)
    assert raise_phase(hurt, physio).phase == 1


def waiting_phase(hurt, physio) -> Proposal:
    """A proposal to begin phase 1: the hold is mastered, three good weeks were lived."""
    mastered = PrescriptionChange(level=2, hold_s=10, reps=6)
    adjust_program(
        program=hurt,
        change=Change(prescriptions={"deep-core-hold": mastered}),
        by=physio,
        reason="Seen in the room.",
        at=MONDAY,
    )
    live_well(fresh(hurt), 0, 20)
    proposal = Proposal.objects.open().select_related("decision").get(program=hurt)
    assert proposal.decision.step["kind"] == "phase"
    return proposal


def test_the_proposed_phase_is_refused_as_well(hurt, physio):
    proposal = waiting_phase(hurt, physio)
    with pytest.raises(ValidationError, match="criteria that nobody has ticked"):
        accept_proposal(proposal=proposal, by=physio, at=at_day(21))
    tick_all(hurt, physio)
    assert accept_proposal(proposal=proposal, by=physio, at=at_day(21)).phase == 1


def test_two_phases_at_once_need_the_criteria_of_both(hurt, physio):
    tick_all(hurt, physio)
    with pytest.raises(ValidationError, match="Phase 2 waits"):
        raise_phase(hurt, physio, 2)


def test_going_without_one_needs_a_reason_and_is_kept(hurt, physio):
    tick_criteria(program=hurt, phase=1, criteria=FIRST[1:], by=physio, at=MONDAY)
    said = {"program": hurt, "phase": 1, "criterion": FIRST[0], "by": physio, "at": MONDAY}
    with pytest.raises(ValidationError, match="Say why"):
        go_without(reason="  ", **said)
    go_without(reason="Holds 8 s, steady.", **said)
    assert raise_phase(hurt, physio).phase == 1
    mark = CriterionMark.objects.get(deed="overridden")
    assert (mark.by, mark.note) == (physio, "Holds 8 s, steady.")


def test_what_is_taken_back_holds_the_phase_again(hurt, physio):
    tick_all(hurt, physio)
    take_back(
        program=hurt, phase=1, criterion=FIRST[2], reason="Sore on Friday.", by=physio, at=MONDAY
    )
    with pytest.raises(ValidationError, match="Pain during"):
        raise_phase(hurt, physio)
    deeds = list(CriterionMark.objects.filter(criterion=FIRST[2]).values_list("deed", flat=True))
    assert deeds == ["taken_back", "ticked"]


def test_a_clinicians_own_criterion_holds_too(hurt, physio):
    tick_all(hurt, physio)
    ask_for(program=hurt, phase=1, words="Puts on socks without help", by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="Puts on socks"):
        raise_phase(hurt, physio)
    tick_criteria(program=hurt, phase=1, criteria=["own"], by=physio, at=MONDAY)
    [*_, own] = states_of(marks_of([hurt.pk])[hurt.pk], 1)
    assert own.met and own.criterion.words == "Puts on socks without help"
    assert raise_phase(hurt, physio).phase == 1


def test_ticking_twice_is_one_tick(hurt, physio):
    assert len(tick_all(hurt, physio)) == len(FIRST)
    assert tick_all(hurt, physio) == []


def test_a_step_back_asks_for_everything_again(hurt, physio):
    tick_all(hurt, physio)
    raise_phase(hurt, physio)
    adjust_program(program=hurt, change=Change(phase=0), by=physio, reason="Too early.", at=MONDAY)
    with pytest.raises(ValidationError, match="criteria"):
        raise_phase(hurt, physio)


def test_a_stop_asks_for_everything_again(hurt, physio):
    tick_all(hurt, physio)
    Program.objects.filter(pk=hurt.pk).update(status="suspended", suspended_for="rule")
    reopen_program(program=hurt, by=physio, reason="Looked at it.", at=MONDAY)
    with pytest.raises(ValidationError, match="criteria"):
        raise_phase(hurt, physio)


def test_only_clinicians_of_the_site_tick(hurt, manager, stranger):
    for somebody in (manager, stranger):
        with pytest.raises(PermissionDenied):
            tick_all(hurt, somebody)
    assert not CriterionMark.objects.exists()


def test_criteria_of_another_phase_or_pathway_are_refused(hurt, program, physio):
    with pytest.raises(ValidationError, match="phase 0"):
        tick_criteria(program=hurt, phase=3, criteria=["limits_over"], by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="does not belong"):
        tick_criteria(program=hurt, phase=1, criteria=["limits_over"], by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="after an injury"):
        tick_all(program, physio)


def test_other_pathways_change_phase_without_criteria(program, physio):
    assert raise_phase(program, physio).phase == 1


@pytest.mark.database
def test_a_mark_is_never_changed(hurt, physio):
    [mark, *_] = tick_all(hurt, physio)
    with pytest.raises(DatabaseError), transaction.atomic():
        CriterionMark.objects.filter(pk=mark.pk).update(note="something else")


# --- what the answers say ------------------------------------------------------------------------


def test_every_criterion_has_a_source_and_reads_something_known():
    assert {one.phase for one in criteria()} == {1, 2, 3}
    assert all(one.source and one.words for one in criteria())
    for one in criteria():
        assert (read(one, Answers()) is not None) == bool(one.reads)


@given(
    pains=st.lists(st.none() | st.integers(0, 10), max_size=2),
    rises=st.lists(st.none() | st.integers(-10, 10), max_size=14),
    ceiling=st.integers(2, 6),
)
def test_silence_never_fits_a_criterion(pains, rises, ceiling):
    answers = Answers(pains=tuple(pains), rises=tuple(rises), ceiling=ceiling)
    by_slug = {one.slug: one for one in criteria_for(1)}
    pain = read(by_slug["pain_below_ceiling"], answers)
    assert (pain.fits is True) == (
        len(pains) == 2 and all(p is not None and p <= ceiling for p in pains)
    )
    mornings = read(by_slug["calm_mornings"], answers)
    known = [rise for rise in rises if rise is not None]
    assert (mornings.fits is True) == (bool(known) and max(known) < 2)


# --- limits --------------------------------------------------------------------------------------


def limit_rows():
    days = st.none() | st.integers(-30, 30).map(
        lambda n: (TODAY + dt.timedelta(days=n)).isoformat()
    )
    amounts = st.decimals(0, 60, places=1).map(str)
    return st.lists(
        st.one_of(
            st.fixed_dictionaries(
                {
                    "kind": st.just("closed"),
                    "movement_class": st.sampled_from(sorted(CLOSABLE)),
                    "amount": st.none(),
                    "until": days,
                }
            ),
            st.fixed_dictionaries(
                {
                    "kind": st.just("load"),
                    "movement_class": st.just(""),
                    "amount": amounts,
                    "until": days,
                }
            ),
        ),
        max_size=4,
    )


def with_load(position, load_kg):
    """The same exercise with weights in hand; None leaves it as it is."""
    if load_kg is None:
        return position
    rungs = tuple(replace(rung, loaded=True) for rung in position.rungs)
    return replace(position, rungs=rungs, load_kg=load_kg)


loads = st.lists(st.none() | st.decimals(1, 60, places=1), min_size=5, max_size=5)
loaded_positions = st.builds(
    lambda found, kilograms: [with_load(p, kg) for p, kg in zip(found, kilograms, strict=False)],
    any_positions,
    loads,
)


@given(
    stored=limit_rows(),
    positions=loaded_positions,
    pathway=st.sampled_from(["chronic", "desk", "athlete", "post_injury"]),
    phase=st.integers(0, 3),
)
def test_no_step_is_ever_proposed_against_a_limit(stored, positions, pathway, phase):
    limits = limits_on(stored, TODAY)
    facts = GateFacts(
        pathway=pathway,
        phase=phase,
        clearances=frozenset({"rotation", "flexion_loaded", "hinge_loaded"}),
        weeks_in_program=50,
        calm_fortnight=True,
        limits=limits,
    )
    standing = Standing(facts, tuple(positions))
    for position in standing.open_positions():
        rung = position.rung
        assert not limits.against(rung.movement_class, loaded=rung.loaded, load_kg=position.load_kg)
    step = step_up(standing)
    if step is None or step.blocked_by or not step.exercise:
        return
    position = next(p for p in positions if p.exercise == step.exercise)
    rung = position.rung_at(step.level or position.level)
    load = Decimal(step.load_kg) if step.load_kg else position.load_kg
    assert not limits.against(rung.movement_class, loaded=rung.loaded, load_kg=load)


@given(stored=limit_rows(), day=st.integers(-40, 40))
def test_a_limit_holds_through_its_last_day_and_no_longer(stored, day):
    today = TODAY + dt.timedelta(days=day)
    closed = {name for name, _ in limits_on(stored, today).closed}
    for row in stored:
        if row["kind"] == "closed" and (row["until"] is None or row["until"] >= today.isoformat()):
            assert row["movement_class"] in closed
    if not stored:
        assert words_of(limits_on(stored, today)) == []


def test_closable_classes_are_movement_classes():
    assert set(CLOSABLE) < set(MovementClass.values)


def test_a_limit_takes_an_exercise_out_of_the_day_at_once(hurt, injury, physio):
    tick_all(hurt, physio)
    raise_phase(hurt, physio)

    def shown(at=MONDAY):
        return {i.exercise.slug for i in today_for(program=fresh(hurt), at=at).items}

    assert "dead-bug" in shown()
    [limit] = set_limits(
        injury=injury,
        classes=["anti_extension"],
        until=TODAY + dt.timedelta(days=6),
        by=physio,
        at=MONDAY,
    )
    assert "dead-bug" not in shown()
    assert "dead-bug" in shown(at_day(7))
    lift_limit(limit=limit, reason="Surgeon’s letter.", by=physio, at=MONDAY)
    assert "dead-bug" in shown()


def test_a_clinician_raises_nothing_against_a_limit(hurt, injury, physio):
    tick_all(hurt, physio)
    raise_phase(hurt, physio)
    set_limits(injury=injury, classes=["anti_extension"], by=physio, at=MONDAY)
    change = Change(prescriptions={"dead-bug": PrescriptionChange(reps=9)})
    with pytest.raises(ValidationError, match="a limit stands against it"):
        adjust_program(program=hurt, change=change, by=physio, reason="More.", at=MONDAY)
    less = Change(prescriptions={"dead-bug": PrescriptionChange(paused=True, pause_reason="x")})
    adjust_program(program=hurt, change=less, by=physio, reason="Rest.", at=MONDAY)


def test_the_strictest_pain_ceiling_counts(hurt, injury, physio):
    set_limits(injury=injury, pain_ceiling=2, by=physio, at=MONDAY)
    live_well(hurt, 0, 3)
    evidence = hurt.decisions.first().evidence
    assert evidence["pain_ceiling"] == 2
    limits = limits_on(fresh(hurt).patient.limits, TODAY)
    assert limits.strictest_ceiling(None, 3) == 2
    assert limits_on([], TODAY).strictest_ceiling(None, 3) is None


def test_limits_cost_no_query_of_their_own(hurt, injury, physio, django_assert_num_queries):
    set_limits(injury=injury, classes=["rotation"], by=physio, at=MONDAY)
    program = fresh(hurt)
    prescriptions_of(program.current_version)
    with django_assert_num_queries(0):
        standing = standing_of(program.current_version, today=TODAY)
    assert standing.facts.limits.closed == (("rotation", ""),)


def test_setting_the_same_limit_twice_is_one_limit(hurt, injury, physio):
    for _ in range(2):
        set_limits(injury=injury, classes=["rotation"], by=physio, at=MONDAY)
    assert injury.limits.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "classes"),
        ({"classes": ["breathing"]}, "classes"),
        ({"max_load_kg": Decimal(-1)}, "max_load_kg"),
        ({"pain_ceiling": 9}, "pain_ceiling"),
        ({"classes": ["rotation"], "until": TODAY - dt.timedelta(days=1)}, "until"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(injury, physio, wrong, field):
    with pytest.raises(ValidationError) as refused:
        set_limits(injury=injury, by=physio, at=MONDAY, **wrong)
    assert field in refused.value.message_dict
    assert not injury.limits.exists()


def test_lifting_needs_a_reason(injury, physio):
    [limit] = set_limits(injury=injury, classes=["rotation"], by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="Say why"):
        lift_limit(limit=limit, reason=" ", by=physio, at=MONDAY)


# --- the injury ----------------------------------------------------------------------------------


def test_an_injury_keeps_its_earlier_words(injury, physio):
    change_injury(injury=injury, by=physio, at=MONDAY, words="The lower disc, on the left.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM patients_injuryevent ORDER BY pgh_id")
        words = [row[0] for row in cursor.fetchall()]
    assert words == ["Something went when I lifted the bath.", "The lower disc, on the left."]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"words": " "}, "words"),
        ({"happened_on": TODAY + dt.timedelta(days=1)}, "happened_on"),
        ({"cleared_by": "Dr Osei"}, "cleared_by"),
        ({"kind": "curse"}, "kind"),
    ],
)
def test_an_injury_that_cannot_be_is_refused(hurt, physio, wrong, field):
    said = {"kind": "disc", "words": "Lifted.", "happened_on": TODAY} | wrong
    with pytest.raises(ValidationError) as refused:
        record_injury(patient=hurt.patient, by=physio, at=MONDAY, **said)
    assert field in refused.value.message_dict
    assert not hurt.patient.injuries.exists()
