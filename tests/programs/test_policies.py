"""Policies: drafted, checked, rehearsed over the past, published; old decisions keep theirs."""

import datetime as dt
import threading
from dataclasses import asdict

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from clinic.models import AccessRecord
from programs.adjusting import adjust_program
from programs.models import Decision, Policy, PolicyDraft, Rehearsal
from programs.policies import begin_draft, change_draft, discard_draft, publish_draft, renew_draft
from programs.rehearsing import rehearse, rehearse_draft
from programs.thresholds import DEFAULT_POLICIES
from programs.versioning import Change, PrescriptionChange
from tests.conftest import MONDAY
from tests.living import at_day, do_morning, do_session, live_well, report_session
from tests.publishing import draft, publish

pytestmark = pytest.mark.django_db

DAY = MONDAY.date()


def rehearsed(made: PolicyDraft, by) -> Rehearsal:
    return rehearse_draft(draft=made, since=DAY, by=by, at=MONDAY)


def test_a_published_draft_decides_from_then_on_and_older_decisions_keep_their_version(
    program, physio, manager
):
    live_well(program, 0, 2)
    before = program.decisions.first()
    policy = publish("desk", {"min_days_at_level": 2}, drafted_by=physio, by=manager, at=MONDAY)
    do_morning(program, 3)
    after = program.decisions.first()
    assert (policy.version, after.policy) == (2, policy)
    assert Decision.objects.get(pk=before.pk).policy.version == 1


def test_only_a_manager_publishes(library, physio, manager):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    rehearsed(made, physio)
    with pytest.raises(PermissionDenied):
        publish_draft(draft=made, reason="Sooner.", by=physio, at=MONDAY)
    assert publish_draft(draft=made, reason="Sooner.", by=manager, at=MONDAY).version == 2


def test_front_desk_drafts_nothing(library, front_desk):
    with pytest.raises(PermissionDenied):
        begin_draft(pathway="desk", by=front_desk, at=MONDAY)


def test_nothing_is_published_that_was_not_rehearsed_exactly_so(library, physio, manager):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="not been rehearsed"):
        publish_draft(draft=made, reason="Calmer.", by=manager, at=MONDAY)
    rehearsed(made, physio)
    change_draft(draft=made, thresholds={"max_effort": 5}, reason="Calmer.", by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="changed after it was rehearsed"):
        publish_draft(draft=made, reason="Calmer.", by=manager, at=MONDAY)
    assert Policy.objects.filter(pathway="desk").count() == 1


def test_a_draft_that_changes_nothing_is_not_published(library, physio, manager):
    made = draft("desk", {}, by=physio, at=MONDAY)
    rehearsed(made, physio)
    with pytest.raises(ValidationError, match="changes nothing"):
        publish_draft(draft=made, reason="Calmer.", by=manager, at=MONDAY)


def test_load_may_grow_more_easily_only_where_a_physiotherapist_says_so(library, physio, manager):
    made = draft("desk", {"max_effort": 8, "min_days_at_level": 9}, by=manager, at=MONDAY)
    rehearsed(made, manager)
    with pytest.raises(ValidationError, match="loosens Effort"):
        publish_draft(draft=made, reason="Sooner.", by=manager, at=MONDAY)
    theirs = begin_draft(pathway="desk", by=physio, at=MONDAY, like=made.whole)
    assert theirs.thresholds == {"max_effort": 8, "min_days_at_level": 9}
    rehearsed(theirs, physio)
    assert publish_draft(draft=theirs, reason="Sooner.", by=manager, at=MONDAY).version == 2


def test_after_an_injury_looser_than_supplied_needs_a_reason_of_its_own(library, physio, manager):
    looser = {"progress_max_pain": 3}
    made = draft("post_injury", looser, by=physio, at=MONDAY)
    rehearsed(made, physio)
    with pytest.raises(ValidationError, match="reason of its own"):
        publish_draft(draft=made, reason="Sooner.", by=manager, at=MONDAY)
    said = {"reason": "Sooner.", "looser_because": "The surgeons agree."}
    change_draft(draft=made, thresholds=looser, by=physio, at=MONDAY, **said)
    assert publish_draft(draft=made, reason="Sooner.", by=manager, at=MONDAY).version == 2


def test_who_comes_second_is_told_whose_version_came_first(library, physio, manager):
    first = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    second = draft("desk", {"min_days_at_level": 9}, by=manager, at=MONDAY)
    for made in (first, second):
        rehearsed(made, physio)
    publish_draft(draft=first, reason="Calmer.", by=manager, at=MONDAY)
    with pytest.raises(ValidationError, match="Mona Lindqvist published version 2 while"):
        publish_draft(draft=second, reason="Calmer.", by=manager, at=MONDAY)
    renewed = renew_draft(draft=second, by=manager, at=MONDAY)
    assert renewed.whole["max_effort"] == 6
    assert renewed.thresholds == {"min_days_at_level": 9}
    rehearsed(renewed, manager)
    assert publish_draft(draft=renewed, reason="Calmer.", by=manager, at=MONDAY).version == 3


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_make_one_version(library, physio, manager):
    mades = [
        draft("desk", {"max_effort": 6}, by=physio, at=MONDAY),
        draft("desk", {"min_days_at_level": 9}, by=manager, at=MONDAY),
    ]
    for made in mades:
        rehearsed(made, physio)
    heard: list[str] = []

    def press(made: PolicyDraft) -> None:
        try:
            publish_draft(draft=made, reason="Calmer.", by=manager, at=MONDAY)
            heard.append("published")
        except ValidationError as error:
            heard.append(error.messages[0])
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[made]) for made in mades]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(words[:9] for words in heard) == ["Mona Lind", "published"]
    assert Policy.objects.filter(pathway="desk").count() == 2


def test_a_draft_published_twice_is_one_version(library, physio, manager):
    publish("desk", {"max_effort": 6}, drafted_by=physio, by=manager, at=MONDAY)
    made = PolicyDraft.objects.get()
    with pytest.raises(ValidationError, match="Not open any more: published"):
        publish_draft(draft=made, reason="Calmer.", by=manager, at=MONDAY)


def test_a_way_back_is_a_new_draft_from_an_older_version(library, physio, manager):
    publish("desk", {"max_effort": 6}, drafted_by=physio, by=manager, at=MONDAY)
    old = Policy.objects.get(pathway="desk", version=1)
    back = begin_draft(pathway="desk", by=physio, at=MONDAY, like=old.thresholds)
    assert back.thresholds == {"max_effort": 7}
    assert back.whole == old.thresholds


def test_a_draft_is_its_authors_and_one_per_pathway(library, physio, manager):
    mine = begin_draft(pathway="desk", by=physio, at=MONDAY)
    assert begin_draft(pathway="desk", by=physio, at=MONDAY) == mine
    with pytest.raises(PermissionDenied):
        change_draft(draft=mine, thresholds={}, reason="So.", by=manager, at=MONDAY)
    change_draft(draft=mine, thresholds={"max_effort": 6}, reason="So.", by=physio, at=MONDAY)
    other = asdict(DEFAULT_POLICIES["desk"]) | {"max_effort": 5}
    with pytest.raises(ValidationError, match="a draft for this pathway already"):
        begin_draft(pathway="desk", by=physio, at=MONDAY, like=other)
    discard_draft(draft=mine, by=manager, at=MONDAY)
    assert begin_draft(pathway="desk", by=physio, at=MONDAY) != mine


def test_nonsense_is_refused_and_nothing_of_it_kept(library, physio):
    made = draft("desk", {"max_effort": 6}, by=physio, at=MONDAY)
    with pytest.raises(ValidationError) as refused:
        change_draft(
            draft=made,
            thresholds={"max_effort": 5, "pain_ceiling": 2},
            reason="So.",
            by=physio,
            at=MONDAY,
        )
    assert "progress_max_pain" in refused.value.message_dict
    assert PolicyDraft.objects.get().thresholds == {"max_effort": 6}


# --- over the practice's own past --------------------------------------------------------------


@pytest.fixture
def past(make_program, make_patient):
    """One patient who does well for a week, and one who was sore during on day 4."""
    well = make_program(patient=make_patient("Ana"))
    live_well(well, 0, 6)
    sore = make_program(patient=make_patient("Ben"))
    live_well(sore, 0, 3)
    do_morning(sore, 4)
    do_session(sore, 4, pain_during=5)
    return well, sore


def in_force() -> Policy:
    return Policy.objects.in_force("desk")


def rehearse_(since: dt.date = DAY, **thresholds):
    whole = in_force().thresholds | thresholds
    return rehearse(against=in_force(), thresholds=whole, since=since)


def test_the_policy_in_force_rehearsed_says_what_was_said(past):
    tally = rehearse_()
    assert tally.decisions == Decision.objects.filter(policy__pathway="desk").count() > 10
    assert tally.programs == 2
    assert (tally.unreadable, tally.unlike, tally.already) == (0, 0, 0)
    assert (tally.all, tally.contact, tally.rules, tally.turns) == ({}, 0, 0, [])


def test_a_stricter_ceiling_would_have_lowered_the_load_of_whom_it_hurt(past):
    _, sore = past
    tally = rehearse_(pain_ceiling=4)
    assert tally.first == {"HOLD>REGRESS": 1}
    turn = tally.turns[0]
    assert Decision.objects.get(pk=turn.ref).program == sore
    assert (turn.old_rules[0], turn.new_rules) == ("R23", ("R07",))


def test_fewer_days_would_have_moved_somebody_up_earlier(past):
    well, _ = past
    tally = rehearse_(min_days_at_level=4, min_sessions_at_level=3)
    assert tally.first == {"HOLD>PROGRESS": 1}
    first = Decision.objects.get(pk=tally.turns[0].ref)
    assert (first.program, first.outcome) == (well, "HOLD")


def test_a_rehearsal_begins_on_its_day(past):
    tally = rehearse_(since=DAY + dt.timedelta(days=5), pain_ceiling=4)
    assert (tally.programs, tally.first) == (1, {})


def test_evidence_of_an_older_form_is_counted_and_not_guessed(past):
    newest = Decision.objects.first()
    evidence = {k: v for k, v in newest.evidence.items() if k != "poor_recovery_days"}
    fields = ("program", "version", "policy", "at", "day", "outcome", "rules", "fired", "contact")
    kept = {name: getattr(newest, name) for name in fields}
    said = {"approval": "none", "handling": "noted", "patient_text": "x"}
    Decision.objects.create(**kept, **said, evidence=evidence)
    Decision.objects.create(**kept, **said, evidence=newest.evidence | {"sessions": [1]})
    Decision.objects.create(**kept, **said, evidence=newest.evidence | {"usual_pain_now": "3"})
    assert rehearse_().unreadable == 3


def test_what_was_acted_on_stays_settled_in_a_rehearsal(make_program, physio):
    program = make_program("stability-first", pathway="chronic")
    higher = {slug: PrescriptionChange(level=2) for slug in ("dead-bug", "bird-dog")}
    change = Change(phase=1, prescriptions=higher)
    adjust_program(program=program, change=change, by=physio, reason="Seen.", at=at_day(0))
    do_session(program, 1)
    asked_for = {item["exercise"] for item in report_session(program, 2).items}
    sore = next(slug for slug in higher if slug in asked_for)
    do_session(program, 2, pain_during=7, exercise=sore)
    do_morning(program, 3)
    lowered = program.decisions.filter(handling=Decision.Handling.APPLIED)
    assert [d.outcome for d in lowered] == ["REGRESS"]
    assert program.decisions.first().outcome == "HOLD"
    policy = Policy.objects.in_force("chronic")
    tally = rehearse(against=policy, thresholds=policy.thresholds, since=DAY)
    assert (tally.decisions, tally.unlike, tally.all) == (program.decisions.count(), 0, {})


def test_a_rehearsal_is_kept_written_down_and_never_changed(past, physio):
    made = draft("desk", {"pain_ceiling": 4}, by=physio, at=MONDAY)
    kept = rehearsed(made, physio)
    assert kept.found["first"] == {"HOLD>REGRESS": 1}
    assert len(kept.courses) == 6
    look = AccessRecord.objects.get(page="rehearsal")
    assert (look.actor, look.subject_id) == (physio, str(made.pk))
    kept.since = DAY - dt.timedelta(days=1)
    with pytest.raises(Exception, match="Cannot update"):
        kept.save()


def test_a_past_too_long_to_wait_for_is_refused_in_words(past, physio, monkeypatch):
    monkeypatch.setattr("programs.rehearsing.MOST_AT_ONCE", 3)
    made = draft("desk", {"pain_ceiling": 4}, by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="too many to wait for"):
        rehearsed(made, physio)
    assert not Rehearsal.objects.exists()


def test_a_rehearsal_asks_the_database_once_however_many_decisions(
    past, django_assert_max_num_queries
):
    with django_assert_max_num_queries(4):
        rehearse_(pain_ceiling=4)
