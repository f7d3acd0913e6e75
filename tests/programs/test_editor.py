"""The routine editor: what it does without a script, what it refuses, and what it tells whom."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import AccessRecord, Alert
from patients import red_flagging
from patients.red_flags import REPEATED
from programs import following_up, taper
from programs.adjusting import Change, PrescriptionChange, adjust_program, end_program
from programs.difference import Line, Shape, for_clinician, for_patient
from programs.models import Program
from programs.obstacles import obstacles_to
from programs.positions import prescriptions_of
from programs.raising import is_raised
from programs.reasons import UNCHANGED
from programs.retelling import retell
from programs.today import routine_for
from programs.upkeep import build_again, keep_up
from programs.versioning import draft_version
from tests.conftest import MONDAY
from tests.living import live_well
from tests.reading import sent_by

NO_TO_ALL = {question.id: "no" for question in REPEATED}
TODAY = MONDAY.date()


@pytest.fixture
def editor(client, physio, program):
    """Send the editor's form as it was opened, with changes; returns the response."""
    client.force_login(physio)
    address = reverse("admin:patient_change", args=[program.patient_id])

    def send(_query="", **changes):
        form = client.get(address).context["form"]
        own = {"version": form.version.number, "order": list(form.own)}
        return client.post(address + _query, own | sent_by(form) | changes)

    return send


def rows(response) -> list[str]:
    return [line.slug for line in response.context["form"].lines()]


def fresh(program) -> Program:
    return Program.objects.whole().get(pk=program.pk)


# --- without a script ------------------------------------------------------------------------


def test_a_button_moves_a_row_and_keeps_what_was_typed(editor, program):
    response = editor(move="cat-cow:up", **{"cat-cow.reps": "7"})
    assert response.status_code == 200
    assert rows(response)[0] == "cat-cow"
    assert response.context["form"]["cat-cow.reps"].value() == "7"
    assert fresh(program).current_version.number == 1


def test_an_exercise_takes_the_place_of_another(editor, program):
    response = editor(step="add", add="glute-bridge", in_place_of="dead-bug")
    found = rows(response)
    assert found.index("glute-bridge") == found.index("dead-bug") + 1
    form = response.context["form"]
    assert form["dead-bug.remove"].value()
    assert form["glute-bridge.sets"].value() == "2"


def test_an_order_of_ones_own_is_the_patients_from_then_on(editor, program):
    own = [p.exercise.slug for p in prescriptions_of(program.current_version)]
    turned = own[::-1]
    response = editor(order=turned, moved="1", step="issue", reason="Ball first.")
    assert response.status_code == 302
    version = fresh(program).current_version
    assert version.own_order
    assert [p.exercise.slug for p in prescriptions_of(version)] == turned
    day = [i.exercise.slug for i in routine_for(program=fresh(program), day=TODAY)]
    assert day == [slug for slug in turned if slug in day]


def test_minutes_stand_beside_the_form_before_anything_is_typed(client, editor, program):
    look = client.get(reverse("admin:patient_change", args=[program.patient_id])).context["look"]
    assert look.empty and len(look.week) == 7 and all(0 < day.minutes <= 11 for day in look.week)


def test_what_changes_is_read_before_it_is_issued(editor, program):
    response = editor(step="check", **{"deep-core-hold.sets": "3"})
    assert [said.words for said in response.context["look"].said] == ["Deep core hold: sets 2 → 3"]
    words = response.context["form"]["patient_reason"].value()
    assert words == "Deep core hold: sets 3 instead of 2."
    assert fresh(program).current_version.number == 1


# --- gates -----------------------------------------------------------------------------------


def test_a_gate_opens_with_a_reason_and_no_further_than_its_level(editor, program, physio):
    refused = editor(step="issue", reason="Strong.", **{"dead-bug.level": "2"})
    assert refused.status_code == 400
    said = {"override.dead-bug": "Holds the brace well."}
    assert editor(step="issue", reason="Strong.", **{"dead-bug.level": "2"}, **said)
    version = fresh(program).current_version
    [kept] = version.overrides
    assert (kept["exercise"], kept["level"], kept["reason"]) == (
        "dead-bug",
        2,
        "Holds the brace well.",
    )
    assert kept["needs"] == "phase 1" and kept["version"] == version.number == 2
    week = {
        item.exercise.slug
        for n in range(7)
        for item in routine_for(program=fresh(program), day=TODAY + dt.timedelta(days=n))
    }
    assert "dead-bug" in week and "bird-dog" not in week
    higher = Change(prescriptions={"dead-bug": PrescriptionChange(level=3)})
    with pytest.raises(ValidationError, match="waits for phase 1"):
        adjust_program(program=program, change=higher, by=physio, reason="More.", at=MONDAY)


def test_an_override_sinks_with_its_level_and_ends_with_its_exercise(program, physio):
    def adjust(**said):
        change = Change(**said)
        return adjust_program(
            program=program, change=change, by=physio, reason="So it is.", at=MONDAY
        )

    adjust(
        prescriptions={"dead-bug": PrescriptionChange(level=3)}, overrides={"dead-bug": "Strong."}
    )
    lower = adjust(prescriptions={"dead-bug": PrescriptionChange(level=1)})
    assert [one["level"] for one in lower.overrides] == [1]
    with pytest.raises(ValidationError, match="waits for phase 1"):
        adjust(prescriptions={"dead-bug": PrescriptionChange(level=2)})
    assert adjust(remove=["dead-bug"]).overrides == []


def test_with_an_open_red_flag_a_program_only_asks_for_less(editor, program):
    red_flagging.answer_red_flags(
        patient=program.patient,
        answers={**NO_TO_ALL, "infection": "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    more = editor(step="issue", reason="More.", **{"deep-core-hold.sets": "3"})
    assert more.status_code == 400 and "A red flag is open" in more.content.decode()
    less = editor(step="issue", reason="Less.", **{"deep-core-hold.sets": "1"})
    assert less.status_code == 302


@pytest.mark.parametrize(
    "more",
    [
        {"phase": 2},
        {"clearances": ["rotation"]},
        {"pain_ceiling": 6},
        {"pain_ceiling": None},
        {"lock": "none"},
        {"auto_policy": True},
        {"maintenance": False},
        {"taper": []},
        {"prescriptions": {"dead-bug": PrescriptionChange(level=1, sets=6)}},
        {"prescriptions": {"dead-bug": PrescriptionChange(level=1, reps=30)}},
        {"prescriptions": {"dead-bug": PrescriptionChange(level=1, load_kg=Decimal(20))}},
    ],
    ids=str,
)
def test_nothing_is_loosened_while_a_red_flag_is_open(program, physio, more):
    def adjust(**said):
        return adjust_program(
            program=program, change=Change(**said), by=physio, reason="So.", at=MONDAY
        )

    adjust(
        phase=1,
        pain_ceiling=2,
        prescriptions={"dead-bug": PrescriptionChange(level=2)},
        overrides={"dead-bug": "Seen in the room."},
    )
    keep_up(program=program, by=physio, reason="Reached.", days=(3, 1), at=MONDAY)
    red_flagging.answer_red_flags(
        patient=program.patient,
        answers={**NO_TO_ALL, "infection": "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    with pytest.raises(ValidationError, match="A red flag is open"):
        adjust(**more)
    with pytest.raises(ValidationError, match="A red flag is open"):
        build_again(program=program, by=physio, reason="More sport.", at=MONDAY)
    assert fresh(program).current_version.number == 3
    adjust(phase=0, lock="frozen", prescriptions={"dead-bug": PrescriptionChange(level=1)})


def test_of_two_at_once_only_the_first_is_issued(program, physio):
    # Both had looked at version 1 when they pressed the button.
    said = {"program": program, "by": physio, "reason": "So.", "at": MONDAY, "seen": 1}
    adjust_program(change=Change(phase=1), **said)
    for verb, more in (
        (adjust_program, {"change": Change(phase=2)}),
        (keep_up, {}),
        (build_again, {}),
    ):
        with pytest.raises(ValidationError, match=r"version 2, by .* then change it again"):
            verb(**said, **more)
    assert fresh(program).current_version.number == 2


# --- beginning from another program ----------------------------------------------------------


def test_an_edit_begins_from_somebody_elses_routine_and_the_look_is_kept(
    client, editor, program, make_program, make_patient, physio
):
    other = make_program("athlete", patient=make_patient("Bo"), pathway="athlete")
    client.force_login(physio)
    address = reverse("admin:patient_change", args=[program.patient_id])
    found = client.get(address, {"find": "bo"}).context["sources"].found
    assert [one.pk for one in found] == [other.pk]
    form = client.get(address, {"like": str(other.patient_id)}).context["form"]
    theirs = {p.exercise.slug: p for p in prescriptions_of(other.current_version)}
    assert {line.slug for line in form.lines()} >= set(theirs)
    assert form["dead-bug.level"].value() == theirs["dead-bug"].level
    assert form["cat-cow.remove"].value() and form["phase"].value() == 0
    assert AccessRecord.objects.filter(page="clone", subject_id=str(other.patient_id)).exists()


def test_a_program_of_another_site_is_no_beginning(client, editor, program, physio, stranger):
    address = reverse("admin:patient_change", args=[program.patient_id])
    client.force_login(physio)
    for query in ({"like": str(uuid.uuid4())}, {"like": "x"}, {"version": "99"}, {"version": "x"}):
        assert client.get(address, query).status_code == 404


# --- upkeep, taper, the end ------------------------------------------------------------------


def test_a_taper_takes_days_away_and_nothing_rises_in_maintenance(program, physio):
    live_well(program, 0, 9)
    version = keep_up(
        program=program,
        by=physio,
        reason="Goals reached.",
        days=(3, 1),
        weeks_each=1,
        at=MONDAY + dt.timedelta(days=10),
    )
    assert version.lock == "no_progress" and version.maintenance_since is not None
    current, first = fresh(program), TODAY + dt.timedelta(days=10)
    done = [
        sum(
            bool(routine_for(program=current, day=first + dt.timedelta(days=7 * w + n)))
            for n in range(7)
        )
        for w in range(3)
    ]
    assert done == [3, 1, 1]
    assert not program.proposals.open().exists()
    back = build_again(
        program=program, by=physio, reason="More sport.", at=MONDAY + dt.timedelta(11)
    )
    assert (back.lock, back.taper, back.maintenance_since) == ("none", [], None)
    with pytest.raises(ValidationError):
        build_again(program=program, by=physio, reason="Twice.", at=MONDAY + dt.timedelta(12))


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.integers(1, 12),
    st.integers(0, 400),
    st.integers(0, 400),
)
def test_a_taper_never_gives_a_day_back(days, weeks, one, other):
    steps, wrong = taper.schedule(days, first=TODAY, weeks_each=weeks)
    assert bool(wrong) != bool(steps)
    stored = taper.as_json(steps)
    sooner, later = sorted((one, other))
    then, now = (taper.days_on(stored, TODAY + dt.timedelta(days=n)) for n in (sooner, later))
    assert not steps or (then is not None and now is not None and now <= then)


def test_the_end_says_goodbye_and_asks_to_look_again(client, program, physio):
    follow_up = TODAY + dt.timedelta(days=60)
    end_program(
        program=program,
        by=physio,
        reason="Goals reached.",
        outcome="reached",
        farewell="Well done, Ana.",
        follow_up_on=follow_up,
        at=MONDAY,
    )
    farewell = following_up.farewell_for(program.patient)
    assert farewell.words == "Well done, Ana."
    assert "Cat-cow" in [item.exercise.name for item in farewell.items]
    for day in (59, 60, 61):
        following_up.raise_due(at=MONDAY + dt.timedelta(days=day))
    [alert] = Alert.objects.filter(key__startswith="follow-up:")
    assert alert.owner == physio and alert.raised_at.date() == follow_up


def test_the_end_names_what_is_missing(client, program, physio):
    client.force_login(physio)
    address = reverse("admin:patient_end", args=[program.patient_id])
    summary = client.get(address).context["summary"]
    assert summary.missing and all(figure.missing for figure in summary.missing)
    yesterday = {"reason": "Done.", "outcome": "reached", "follow_up_on": "2020-01-01"}
    assert client.post(address, yesterday).status_code == 400
    assert fresh(program).status == "active"


def test_where_reminders_go_is_chosen_with_the_program(client, make_patient, physio):
    patient = make_patient("Cy")
    client.force_login(physio)
    address = reverse("admin:patient_assign", args=[patient.pk])
    mail = patient.contact_points.get(channel="email")
    data = {
        "template": "desk",
        "pathway": "desk",
        "cue_set": "draw_in",
        "started_on": "2026-12-01",
        "reminder_time": "09:00",
        "channels": [str(mail.pk)],
    }
    live = client.post(reverse("admin:patient_assign_live", args=[patient.pk]), data)
    assert "Desk" in live.content.decode() and "<html" not in live.content.decode()
    today = patient.local_date(dt.datetime.now(dt.UTC))
    assert client.post(address, data | {"started_on": today.isoformat()}).status_code == 302
    wanted = dict(patient.contact_points.values_list("channel", "reminders"))
    assert wanted == {"email": True, "sms": False}


# --- any change ------------------------------------------------------------------------------

lines = st.builds(
    Line,
    slug=st.sampled_from("abcdef"),
    name=st.sampled_from(["Dead bug", "Bird dog"]),
    level=st.integers(1, 4),
    title=st.just("on the back"),
    sets=st.integers(1, 3),
    reps=st.integers(1, 9),
    hold_s=st.integers(0, 9),
    days=st.integers(1, 7),
    paused=st.booleans(),
    shown=st.booleans(),
)
shapes = st.builds(
    Shape,
    phase=st.integers(0, 3),
    lock=st.sampled_from(["none", "frozen"]),
    maintenance=st.booleans(),
    lines=st.lists(lines, unique_by=lambda line: line.slug, max_size=5).map(tuple),
)


@given(shapes, shapes)
def test_every_difference_is_said_to_the_clinician_and_told_to_the_patient(before, after):
    said = for_clinician(before, after)
    compared = {line.slug: line for line in before.lines} != {
        line.slug: line for line in after.lines
    }
    told = for_patient(before, after)
    assert told and all(sentence.endswith(".") for sentence in told)
    if before == after:
        assert said == [] and told == [UNCHANGED]
    if (before.phase, before.lock, before.maintenance) != (
        after.phase,
        after.lock,
        after.maintenance,
    ):
        assert said
    assert compared or not any(one.kind in ("new", "gone") for one in said)
    # Each sentence is known, so that it can be said again in another language.
    names = {"Dead bug": "Bicho muerto", "Bird dog": "Perro"}
    spoken = retell(" ".join(told), say=lambda words: words, names=names, whole={})
    assert "Dead bug" not in spoken and "Bird dog" not in spoken


wishes = st.dictionaries(
    st.sampled_from(["dead-bug", "bird-dog", "pallof-press", "cat-cow", "deep-core-hold"]),
    st.builds(
        PrescriptionChange,
        level=st.none() | st.integers(1, 3),
        sets=st.none() | st.integers(1, 4),
        paused=st.none() | st.booleans(),
    ),
    max_size=3,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wishes,
    st.lists(st.sampled_from(["glute-bridge", "side-plank", "chop-lift"]), unique=True, max_size=2),
    st.sampled_from([None, "Seen in the practice.", "   "]),
)
def test_no_closed_step_is_issued_without_its_reason_and_nothing_rises_unasked(
    program, physio, prescriptions, add, reason
):
    before = fresh(program).current_version
    known = {p.exercise.slug for p in prescriptions_of(before)}
    change = Change(prescriptions=prescriptions, add=[slug for slug in add if slug not in known])
    try:
        draft = draft_version(program=before.program, change=change, at=MONDAY)
        blocked = obstacles_to(before, draft, today=TODAY)
        if reason is not None:
            change.overrides = {one.exercise: reason for one in blocked}
        after = adjust_program(program=program, change=change, by=physio, reason="So.", at=MONDAY)
    except ValidationError:
        assert fresh(program).current_version.pk == before.pk
        return
    given_for = {one["exercise"] for one in after.overrides if one["version"] == after.number}
    assert given_for == {one.exercise for one in blocked}
    assert not blocked or (reason and reason.strip())
    stood = {p.exercise.slug: p for p in prescriptions_of(before)}
    for now in prescriptions_of(after):
        slug = now.exercise.slug
        if slug in stood and slug not in prescriptions:
            assert not is_raised(stood[slug], now)
        assert slug in stood or slug in change.add
