"""What a clinician answers and changes on the patient's page, and what is refused."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import Alert
from patients import red_flagging
from tests.conftest import MONDAY
from tests.programs.at_the_desk import NO_TO_ALL, at_address, fresh, whole_form
from tests.reading import html_of, words

# --- the three answers ---------------------------------------------------


def test_accepting_takes_one_button(client, visit, proposed, program, physio):
    visit(program)
    response = client.post(at_address("patient_accept", program, proposed.pk), follow=True)
    assert "version 2 now" in words(response)
    version = fresh(program).current_version
    assert (version.number, version.cause, version.by) == (2, "accepted", physio)


def test_accepting_twice_says_that_it_is_answered(client, visit, proposed, program):
    visit(program)
    client.post(at_address("patient_accept", program, proposed.pk))
    response = client.post(at_address("patient_accept", program, proposed.pk))
    assert response.status_code == 400
    assert "answered already" in words(response)
    assert fresh(program).current_version.number == 2


def test_declining_needs_a_reason_and_keeps_what_was_typed(client, visit, proposed, program):
    visit(program)
    address = at_address("patient_decline", program, proposed.pk)
    response = client.post(address, {"reason": "   "})
    assert response.status_code == 400
    assert "Say why the step is not taken." in words(response)
    client.post(address, {"reason": "Holiday next week."})
    version = fresh(program).current_version
    assert (version.cause, version.reason) == ("declined", "Holiday next week.")


def test_changing_a_proposal_is_prefilled_with_its_step(client, visit, proposed, program):
    response = visit(program, "patient_change", proposal=proposed.pk)
    step = proposed.decision.step
    form = response.context["form"]
    field = next(name for name in ("reps", "hold_s", "level") if step[name] is not None)
    assert form[f"{step['exercise']}.{field}"].value() == step[field]


def test_another_step_than_the_proposed_one(client, visit, proposed, program):
    visit(program)
    data = whole_form(client, program, reason="Pain on Tuesday.", lock="no_progress")
    data["deep-core-hold.paused"] = "on"
    address = f"{at_address('patient_change', program)}?proposal={proposed.pk}"
    response = client.post(address, data)
    assert response.status_code == 302
    proposed.refresh_from_db()
    assert proposed.status == "changed"
    version = fresh(program).current_version
    assert (version.cause, version.lock) == ("changed", "no_progress")
    paused = version.prescriptions.filter(paused=True)
    assert [p.exercise.slug for p in paused] == ["deep-core-hold"]


def test_a_proposal_answered_elsewhere_is_not_answered_again(client, visit, proposed, program):
    visit(program)
    client.post(at_address("patient_accept", program, proposed.pk))
    address = f"{at_address('patient_change', program)}?proposal={proposed.pk}"
    assert "Not open any more" in words(client.get(address, follow=True))
    assert client.get(f"{at_address('patient_change', program)}?proposal=999").status_code == 404


# --- adjusting without a proposal ---------------------------------------------------


def test_only_what_differs_is_changed(client, visit, program):
    visit(program)
    before = {
        p.exercise_id: (p.level, p.sets, p.reps, p.hold_s)
        for p in fresh(program).current_version.prescriptions.all()
    }
    client.post(
        at_address("patient_change", program),
        whole_form(
            client,
            program,
            reason="More holds.",
            patient_reason="We add one round.",
            pain_ceiling=4,
            clearances=["rotation"],
            **{"deep-core-hold.sets": 3},
        ),
    )
    version = fresh(program).current_version
    assert (version.number, version.pain_ceiling, version.clearances) == (2, 4, ["rotation"])
    assert version.patient_reason == "We add one round."
    after = {p.exercise_id: p for p in version.prescriptions.select_related("exercise")}
    changed = [
        p for p in after.values() if (p.level, p.sets, p.reps, p.hold_s) != before[p.exercise_id]
    ]
    assert [(p.exercise.slug, p.sets) for p in changed] == [("deep-core-hold", 3)]


def test_another_level_starts_at_its_own_dose(client, visit, program):
    visit(program)
    data = whole_form(client, program, reason="Ready.", **{"deep-core-hold.level": 2})
    client.post(at_address("patient_change", program), data)
    prescription = fresh(program).current_version.prescriptions.get(exercise__slug="deep-core-hold")
    rung = prescription.exercise.levels.get(level=2)
    assert (prescription.level, prescription.reps, prescription.hold_s) == (
        2,
        rung.reps_from,
        rung.hold_from,
    )


def test_an_exercise_comes_and_goes(client, visit, program):
    visit(program)
    data = whole_form(client, program, reason="Tight hips.")
    slugs = set(
        fresh(program).current_version.prescriptions.values_list("exercise__slug", flat=True)
    )
    choices = client.get(at_address("patient_change", program)).context["form"].fields["add"]
    free = choices.queryset.filter(first_phase=0, movement_class="mobility").first()
    data["order"] = free.slug
    data["deep-core-hold.remove"] = "on"
    client.post(at_address("patient_change", program), data)
    now = set(fresh(program).current_version.prescriptions.values_list("exercise__slug", flat=True))
    assert now == slugs - {"deep-core-hold"} | {free.slug}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": "", "deep-core-hold.sets": "3"}, "Say why you change it."),
        ({"reason": "x"}, "Nothing differs from version 1 yet."),
        ({"reason": "x", "deep-core-hold.sets": "44"}, "Deep core hold: sets from 1 to 10."),
        ({"reason": "x", "deep-core-hold.reps": "many"}, "Deep core hold: write a whole number"),
        ({"reason": "x", "dead-bug.level": "2"}, "Dead bug at level 2 waits for phase 1"),
        ({"reason": "x", "phase": "7"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_said_and_kept(client, visit, program, wrong, said):
    visit(program)
    data = whole_form(client, program, **({"patient_reason": "Typed with care."} | wrong))
    response = client.post(at_address("patient_change", program), data)
    assert response.status_code == 400
    assert said in words(response)
    assert "Typed with care." in response.content.decode()
    assert fresh(program).current_version.number == 1


def test_a_form_opened_before_somebody_elses_change_changes_nothing(client, visit, program):
    visit(program)
    data = whole_form(client, program, reason="First.", lock="frozen")
    client.post(at_address("patient_change", program), data)
    response = client.post(at_address("patient_change", program), data | {"reason": "Second."})
    assert response.status_code == 400
    assert "has changed while this page was open" in words(response)
    assert fresh(program).current_version.number == 2


def test_after_an_injury_there_is_no_policy_to_switch_on(client, visit, make_program):
    program = make_program("post-injury", pathway="post_injury")
    response = visit(program, "patient_change")
    assert "auto_policy" not in response.context["form"].fields


# --- stopped, reopened, ended ---------------------------------------------------


def test_seen_then_reopened_with_a_reason(client, visit, program, physio):
    red_flagging.answer_red_flags(
        patient=program.patient,
        answers={**NO_TO_ALL, "infection": "yes"},
        source="check_in",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    visit(program)
    alert = Alert.objects.open().get()
    client.post(at_address("patient_seen", program, alert.pk), {"outcome": "Called."})
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.outcome) == (physio, "Called.")
    assert "Seen by Ruth Adeyemi" in words(visit(program))
    address = at_address("patient_reopen", program)
    response = client.post(address, {"reason": ""})
    assert response.status_code == 400
    assert fresh(program).status == "suspended"
    flag = program.patient.red_flags.get()
    client.post(address, {"reason": "Cold, no fever. Seen today.", "flag": flag.pk})
    assert fresh(program).status == "active"
    assert not program.patient.red_flags.open().exists()


def stop_for(patient, question: str = "infection") -> None:
    red_flagging.answer_red_flags(
        patient=patient,
        answers={**NO_TO_ALL, question: "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )


def test_given_a_reopened_program_then_its_page_says_who_reopened_it_and_no_stop(
    client, visit, program
):
    visit(program)
    stop_for(program.patient)
    flag = program.patient.red_flags.get()
    response = client.post(
        at_address("patient_reopen", program),
        {"reason": "A cold, seen today.", "flag": flag.pk},
        follow=True,
    )
    version = fresh(program).current_version
    state = html_of(response).partition('aria-labelledby="state"')[2].partition("</section>")[0]
    headline, _, behind = state.partition("<details")
    when = f"{timezone.localtime(version.at):%a %-d %b, %H:%M}"
    assert f"Reopened by Ruth Adeyemi, {when}" in headline
    assert "A cold, seen today." in headline
    assert "sb-decision--stop" not in headline and "suspended" not in headline
    assert "The stop of" in behind


def test_given_a_second_window_when_reopened_in_the_first_then_the_second_says_so(
    client, visit, program
):
    visit(program)
    stop_for(program.patient)
    flag, address = program.patient.red_flags.get(), at_address("patient_reopen", program)
    client.post(address, {"reason": "A cold, seen today.", "flag": flag.pk})
    when = f"{timezone.localtime(fresh(program).current_version.at):%a %-d %b, %H:%M}"
    response = client.post(address, {"reason": "Called her, all well.", "flag": flag.pk})
    assert response.status_code == 400
    said = words(response)
    assert f"Reopened already by Ruth Adeyemi, {when}." in said
    assert "Called her, all well." in said
    assert f"Reopened already by Ruth Adeyemi, {when}." in words(client.post(address))
    assert fresh(program).current_version.number == 2


def test_given_a_closed_red_flag_and_no_program_when_closed_again_then_the_page_says_so(
    client, physio, make_patient
):
    client.force_login(physio)
    patient = make_patient("Bo")
    address = reverse("admin:patient_reopen", args=[patient.pk])
    assert client.post(address, {"reason": "A cold."}).status_code == 404
    stop_for(patient)
    sent = {"reason": "A cold.", "flag": patient.red_flags.get().pk}
    client.post(address, sent)
    response = client.post(address, sent)
    assert response.status_code == 400
    assert "The red flag is closed already: Ruth Adeyemi" in words(response)


def test_given_a_proposal_accepted_in_another_window_when_declined_then_the_reason_is_shown(
    client, visit, proposed, program
):
    visit(program)
    client.post(at_address("patient_accept", program, proposed.pk))
    address = at_address("patient_decline", program, proposed.pk)
    response = client.post(address, {"reason": "Holiday next week."})
    assert response.status_code == 400
    said = words(response)
    assert "This proposal is answered already: accepted by Ruth Adeyemi." in said
    assert "Holiday next week." in said
    assert "answered already" in words(client.post(address, {"reason": ""}))
    assert fresh(program).current_version.cause == "accepted"


def test_given_an_alert_closed_by_a_colleague_when_seen_then_what_was_written_is_not_lost(
    client, visit, program
):
    visit(program)
    stop_for(program.patient)
    address = at_address("patient_seen", program, Alert.objects.open().get().pk)
    client.post(address, {"outcome": "Called."})
    response = client.post(address, {"outcome": "Left a message."}, follow=True)
    assert "Closed already by Ruth Adeyemi. What you wrote: “Left a message.”" in words(response)
    assert Alert.objects.get().outcome == "Called."


def test_a_red_flag_that_came_in_meanwhile_is_never_closed_unread(client, visit, program):
    def answer(question: str) -> None:
        red_flagging.answer_red_flags(
            patient=program.patient,
            answers={**NO_TO_ALL, question: "yes"},
            source="button",
            client_id=uuid.uuid4(),
            at=MONDAY,
        )

    answer("infection")
    visit(program)
    seen = program.patient.red_flags.get()
    answer("saddle_numbness")
    response = client.post(
        at_address("patient_reopen", program), {"reason": "A cold.", "flag": seen.pk}
    )
    assert response.status_code == 400
    assert "A newer red flag has come in" in words(response)
    assert fresh(program).status == "suspended"
    assert program.patient.red_flags.open().count() == 2


def test_an_alert_of_somebody_else_is_not_found_on_this_page(client, visit, program, make_patient):
    other = make_patient("Bo")
    red_flagging.answer_red_flags(
        patient=other,
        answers={**NO_TO_ALL, "infection": "yes"},
        source="check_in",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    visit(program)
    alert = Alert.objects.open().get()
    assert client.post(at_address("patient_seen", program, alert.pk)).status_code == 404
    alert.refresh_from_db()
    assert alert.acknowledged_at is None


def test_ending_asks_why(client, visit, program):
    visit(program)
    address = at_address("patient_end", program)
    assert client.post(address, {"reason": ""}).status_code == 400
    client.post(address, {"reason": "Goals reached.", "outcome": "reached"})
    assert fresh(program).status == "ended"
    text = words(visit(program))
    assert "Goals reached." in text and "Take the intake" in text


def test_answers_go_by_post_only(client, visit, proposed, program):
    visit(program)
    for name, more in [
        ("patient_accept", [proposed.pk]),
        ("patient_decline", [proposed.pk]),
        ("patient_reopen", []),
    ]:
        assert client.get(at_address(name, program, *more)).status_code == 405
    assert fresh(program).current_version.number == 1
