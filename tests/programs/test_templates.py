"""Program templates in the portal: minutes and gates, versions, review, whose they are."""

import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from programs import authoring, template_authoring
from programs.assigning import assign_program
from programs.loading import load_content
from programs.models import Exercise, ProgramTemplate
from programs.template_authoring import Asked, Plan
from programs.template_rules import Planned, start_of
from tests.conftest import MONDAY
from tests.reading import words


def written(name: str = "Calm start", **changes) -> dict:
    """What the form sends: two exercises for two pathways."""
    return {
        "name": name,
        "pathways": ["chronic", "desk"],
        "starting_phase": "0",
        "horizon_weeks": "8",
        "summary": "For a first week.",
        "patient_summary": "You breathe and move a little. It takes a few minutes.",
        "habits": ["walking"],
        "i1.order": "2",
        "i1.exercise": "pelvic-tilt",
        "i1.level": "1",
        "i1.days": "7",
        "i2.order": "1",
        "i2.exercise": "diaphragmatic-breathing",
        "i2.level": "1",
        "i2.days": "7",
        "i3.exercise": "",
    } | changes


def at(name: str, *more) -> str:
    return reverse(f"admin:{name}", args=more)


def do(client, template, act: str, **fields):
    return client.post(at("template_do", template.pk), {"do": act, **fields}, follow=True)


@pytest.fixture
def own(client, physio, colleague) -> ProgramTemplate:
    """A template that Ruth wrote and Ivo approved."""
    client.force_login(physio)
    client.post(at("template_new"), written())
    template = ProgramTemplate.objects.get(name="Calm start")
    do(client, template, "send")
    client.force_login(colleague)
    do(client, template, "approve")
    client.force_login(physio)
    template.refresh_from_db()
    return template


# --- writing, reviewing, assigning ---------------------------------------------------------------


def test_given_an_approved_template_then_it_is_assigned_in_its_order(own, patient, physio):
    assert own.is_current and own.state == "approved"
    program = assign_program(patient=patient, template=own, by=physio, at=MONDAY)
    slugs = program.current_version.prescriptions.values_list("exercise__slug", flat=True)
    assert list(slugs.order_by("order")) == ["diaphragmatic-breathing", "pelvic-tilt"]


def test_a_program_begins_on_a_pathway_of_its_template_and_after_an_injury_in_phase_0(
    client, physio, colleague, patient
):
    client.force_login(physio)
    pathways = ["desk", "post_injury"]
    client.post(at("template_new"), written(pathways=pathways, starting_phase="2"))
    template = ProgramTemplate.objects.get(name="Calm start")
    do(client, template, "send")
    client.force_login(colleague)
    do(client, template, "approve")
    client.force_login(physio)
    said = {"template": template.slug, "cue_set": "draw_in", "reminder_time": "08:00"}
    said["started_on"] = timezone.localdate().isoformat()
    address = at("patient_assign", patient.pk)
    answer = client.post(address, said | {"pathway": "athlete"})
    assert answer.status_code == 400
    assert "Calm start is made for the pathway Desk worker or Post-injury" in words(answer)
    assert client.post(address, said | {"pathway": "post_injury"}).status_code == 302
    assert patient.programs.get().current_version.phase == 0


def test_a_draft_is_offered_to_nobody(client, physio, colleague, patient):
    client.force_login(physio)
    client.post(at("template_new"), written())
    draft = ProgramTemplate.objects.get(name="Calm start")
    assert draft not in ProgramTemplate.objects.current()
    with pytest.raises(ValidationError, match="not offered"):
        assign_program(patient=patient, template=draft, by=physio, at=MONDAY)
    assert do(client, draft, "approve").status_code == 403
    assert not patient.programs.exists()


def test_given_a_new_version_then_programs_keep_theirs(
    client, own, colleague, make_patient, physio
):
    before = assign_program(patient=make_patient(), template=own, by=physio, at=MONDAY)
    response = client.post(at("template_edit", own.pk), written("Calm start", **{"i1.level": "2"}))
    draft = ProgramTemplate.objects.get(slug=own.slug, state="draft")
    assert (response.status_code, draft.version, draft.is_current) == (302, 2, False)
    assert ProgramTemplate.objects.current().get(slug=own.slug) == own
    do(client, draft, "send")
    client.force_login(colleague)
    do(client, draft, "approve")
    own.refresh_from_db()
    draft.refresh_from_db()
    assert (own.is_current, own.state, draft.is_current) == (False, "approved", True)
    assert before.template == own
    assert before.current_version.prescriptions.get(exercise__slug="pelvic-tilt").level == 1
    after = assign_program(patient=make_patient("Leo"), template=draft, by=physio, at=MONDAY)
    assert after.current_version.prescriptions.get(exercise__slug="pelvic-tilt").level == 2


def test_given_back_and_discarded_leaves_what_is_in_use(client, own, colleague, physio):
    client.post(at("template_edit", own.pk), written(horizon_weeks="10"))
    draft = ProgramTemplate.objects.get(slug=own.slug, version=2)
    do(client, draft, "send")
    client.force_login(colleague)
    do(client, draft, "return", note="Eight weeks are enough.")
    client.force_login(physio)
    assert "Eight weeks are enough." in words(client.get(at("template", draft.pk)))
    do(client, draft, "discard")
    assert list(ProgramTemplate.objects.filter(slug=own.slug)) == [own]


def test_a_retired_template_is_not_assigned_and_can_come_back(client, own, patient, physio):
    do(client, own, "retire")
    own.refresh_from_db()
    assert not own.is_current
    with pytest.raises(ValidationError, match="not offered"):
        assign_program(patient=patient, template=own, by=physio, at=MONDAY)
    assert "Calm start" in words(client.get(at("templates") + "?show=retired"))
    do(client, own, "restore")
    own.refresh_from_db()
    assert own.is_current


def test_a_supplied_template_is_copied_and_loading_leaves_the_copy_alone(client, physio, colleague):
    client.force_login(physio)
    desk = ProgramTemplate.objects.current().get(slug="desk")
    assert client.get(at("template_edit", desk.pk)).status_code == 403
    do(client, desk, "copy")
    copy = ProgramTemplate.objects.get(copied_from=desk)
    assert (copy.name, copy.items.count()) == ("Desk worker, our version", desk.items.count())
    report = load_content(at=MONDAY)
    assert (report.added, report.changed, report.kept) == (0, 0, [])
    copy.refresh_from_db()
    assert copy.state == "draft"
    ProgramTemplate.objects.filter(pk=desk.pk).update(is_current=False)
    ProgramTemplate.objects.create(
        slug="desk", version=9, name="Desk", state="approved", is_current=True, origin="supplied"
    )
    assert "which has a newer version now" in words(client.get(at("template", copy.pk)))


def test_what_is_mine_stays_mine_until_shared(client, physio, colleague, patient):
    client.force_login(physio)
    client.post(at("template_new"), written(mine="on"))
    template = ProgramTemplate.objects.get(name="Calm start")
    client.force_login(colleague)
    assert client.get(at("template", template.pk)).status_code == 404
    client.force_login(physio)
    do(client, template, "send")
    client.force_login(colleague)
    do(client, template, "approve")
    assert client.get(at("template", template.pk)).status_code == 404
    template.refresh_from_db()
    with pytest.raises(ValidationError, match="not offered"):
        assign_program(patient=patient, template=template, by=colleague, at=MONDAY)
    with pytest.raises(PermissionDenied):
        template_authoring.retire_template(template=template, by=colleague, at=MONDAY)
    client.force_login(physio)
    do(client, template, "share")
    client.force_login(colleague)
    assert client.get(at("template", template.pk)).status_code == 200


def test_given_a_private_template_with_private_exercises_then_a_colleague_approves_it(
    client, physio, colleague
):
    client.force_login(physio)
    client.post(at("template_new"), written(mine="on"))
    template = ProgramTemplate.objects.get(name="Calm start")
    Exercise.objects.filter(slug="pelvic-tilt").update(owner=physio)
    do(client, template, "send")
    client.force_login(colleague)
    assert client.get(at("template", template.pk)).status_code == 200
    do(client, template, "approve")
    template.refresh_from_db()
    assert (template.state, template.reviewed_by) == ("approved", colleague)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"patient_summary": "The best way to a strong back."}, "“best” can frighten"),
        ({"patient_summary": ""}, "Say to the patient"),
        ({"pathways": []}, "at least one pathway"),
        ({"i1.exercise": "", "i2.exercise": ""}, "at least one exercise"),
        ({"i1.exercise": "diaphragmatic-breathing"}, "stands in the list twice"),
        ({"i1.exercise": "hip-thrust", "i1.level": "3"}, "at most 3 days a week"),
        ({"i1.days": "9"}, "1 to 7 days"),
        ({"horizon_weeks": "99"}, "52"),
    ],
)
def test_what_cannot_be_is_refused(client, physio, changes, said):
    client.force_login(physio)
    response = client.post(at("template_new"), written(**changes))
    assert response.status_code == 400
    assert said in words(response)
    assert not ProgramTemplate.objects.filter(name="Calm start").exists()


def test_an_exercise_of_one_person_alone_is_not_for_the_practice(own, physio):
    mine = Exercise.objects.get(slug="pelvic-tilt")
    Exercise.objects.filter(pk=mine.pk).update(owner=physio, origin="practice")
    plan = template_authoring.plan_of(own)
    with pytest.raises(ValidationError, match="belongs to one person alone"):
        template_authoring.write_template(plan=plan, by=physio, at=MONDAY)
    made = template_authoring.write_template(plan=plan, by=physio, at=MONDAY, mine=True)
    with pytest.raises(ValidationError, match="belongs to one person alone"):
        template_authoring.share_template(template=made, by=physio, at=MONDAY)


def test_a_retired_exercise_is_named_and_keeps_the_template_from_patients(
    client, own, physio, patient
):
    Exercise.objects.filter(slug="pelvic-tilt").update(review_state="retired")
    assert "It cannot be assigned as it is" in words(client.get(at("template", own.pk)))
    with pytest.raises(ValidationError, match="was retired"):
        assign_program(patient=patient, template=own, by=physio, at=MONDAY)
    assert not patient.programs.exists()


@pytest.mark.parametrize("who", ["manager", "front_desk"])
def test_nobody_but_a_clinician_writes(client, own, who, request):
    user = request.getfixturevalue(who)
    client.force_login(user)
    assert client.get(at("template_new")).status_code == 403
    assert do(client, own, "retire").status_code == 403
    with pytest.raises(PermissionDenied):
        template_authoring.write_template(
            plan=Plan("A plan", "", "You move.", ["desk"], 0, 8, items=[Asked("cat-cow", 1, 7)]),
            by=user,
            at=MONDAY,
        )


# --- minutes and gates ---------------------------------------------------------------------------


def test_the_page_counts_minutes_and_names_what_waits(client, physio):
    client.force_login(physio)
    response = client.post(
        at("template_preview"),
        written(**{"i3.exercise": "chop-and-lift", "i3.level": "1", "i3.days": "3"}),
        headers={"X-Live": "1"},
    )
    text = words(response)
    assert "Chronic pain" in text and "Desk worker" in text
    assert re.search(r"\d+ min a day", text)
    assert "Chop and lift waits for" in text and "a clinician’s clearance" in text
    assert not ProgramTemplate.objects.filter(name="Calm start").exists()


def planned(**changes) -> Planned:
    return Planned(
        **{
            "exercise": "one",
            "name": "One",
            "level": 1,
            "movement_class": "mobility",
            "loaded": False,
            "first_phase": 0,
            "days_per_week": 7,
            "seconds": 300,
            "order": 1,
            **changes,
        }
    )


def test_minutes_are_those_of_the_routine():
    start = start_of([planned()], pathway="desk", phase=0)
    assert (start.average, start.least, start.most, start.waiting) == (5, 5, 5, ())
    loaded = planned(exercise="two", order=2, loaded=True, days_per_week=3)
    both = start_of([planned(), loaded], pathway="desk", phase=0)
    assert (both.least, both.most) == (5, 10)


@given(
    st.lists(
        st.builds(
            planned,
            exercise=st.text("abcdef", min_size=1, max_size=6),
            movement_class=st.sampled_from(["mobility", "rotation", "hip_hinge", "function"]),
            first_phase=st.integers(0, 3),
            days_per_week=st.integers(1, 7),
            seconds=st.integers(10, 900),
            loaded=st.booleans(),
        ),
        max_size=8,
        unique_by=lambda item: item.exercise,
    ),
    st.sampled_from(["chronic", "desk", "athlete", "post_injury"]),
    st.integers(0, 3),
)
def test_every_item_is_either_in_the_routine_or_named_with_what_it_waits_for(items, pathway, phase):
    start = start_of(items, pathway=pathway, phase=phase)
    waiting = {one.exercise for one in start.waiting}
    assert waiting <= {item.exercise for item in items}
    assert all(one.needs for one in start.waiting)
    assert bool(start.minutes) == bool(len(items) - len(waiting))
    assert start.least <= start.average <= start.most


def test_there_is_one_rule_of_who_may_approve(physio, colleague):
    with pytest.raises(PermissionDenied):
        authoring.check_reviewer(author=physio, state="in_review", by=physio, note="Mine.")
    with pytest.raises(ValidationError, match="not sent it"):
        authoring.check_reviewer(author=physio, state="draft", by=colleague, note="")
    authoring.check_reviewer(author=physio, state="in_review", by=colleague, note="")
