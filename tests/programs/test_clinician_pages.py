"""The patient's page in the portal and the board: what they show, and to whom."""

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import AccessRecord
from patients import red_flagging
from patients.red_flags import REPEATED
from programs.clinician.fields import whole_number
from programs.models import Exercise, Proposal
from programs.rule_words import RULES, answer_words
from tests.clinic.kept import kept
from tests.conftest import MONDAY, make_staff
from tests.living import at_day, do_morning, do_session, report_session
from tests.programs.at_the_desk import NO_TO_ALL, at_address
from tests.reading import words

# --- reading ---------------------------------------------------


def test_the_proposal_stands_first_with_the_answers_that_fired_it(visit, proposed, program):
    response = visit(program)
    text = words(response)
    step = proposed.decision.step["words"]
    assert text.index(step) < text.index("Program Version 1")
    assert "Two good sessions running" in text
    days = [program.started_on + dt.timedelta(days=n) for n in (0, 9)]
    session_days = {line.when for rule in response.context["fired"] for line in rule.lines}
    assert len(session_days) == 2 and all(" session" in when for when in session_days)
    assert days[0] < program.sessions.first().day <= days[1]
    assert "pain during 2, effort 5, next morning 2" in text
    assert "policy, version 1" in text


def test_a_pull_names_its_side_and_exercise(visit, program):
    report_session(program, 0)
    exercise = Exercise.objects.get(slug=program.sessions.get().items[0]["exercise"])
    do_session(program, 0, soreness="one_sided", side="left", exercise=exercise.slug)
    do_morning(program, 1)
    text = words(visit(program))
    assert f"pull on one side (left, {exercise.name})" in text


def test_a_red_flag_stands_above_everything_with_its_alert(visit, proposed, program):
    red_flagging.answer_red_flags(
        patient=program.patient,
        answers={**NO_TO_ALL, "bladder": "not_sure"},
        source="button",
        client_id=uuid.uuid4(),
        at=at_day(10),
    )
    text = words(visit(program))
    assert text.index("Stopped: red flag") < text.index("Bladder change (not sure)")
    assert text.index("Bladder change (not sure)") < text.index("Time line")
    assert "Reopen the program" in text and "Accept" not in text
    assert "None while the program is suspended." in text


def test_an_exercise_says_what_it_waits_for(visit, program):
    assert "waits for phase 1" in words(visit(program))


def test_given_exercises_of_later_phases_then_the_editor_says_of_each_what_the_page_says(
    visit, make_program
):
    program = make_program("stability-first")
    page = {one.prescription.exercise.slug: one for one in visit(program).context["shown"]}
    editor = visit(program, "patient_change").context["form"].lines()
    assert {line.slug: line.waits_for for line in editor} == {
        slug: one.waits_for for slug, one in page.items()
    }
    phases = [one for one in page.values() if one.waits_for.startswith("phase")]
    assert len(phases) > 1


def test_the_time_line_tells_everything_once_newest_first(visit, proposed, program, patient):
    kept(
        "suppressed",
        at_day(9, 7),
        about=patient,
        channel="sms",
        reason="Today's session is done.",
        settled_after_s=90,
    )
    seen, before = [], None
    for _ in range(10):
        response = visit(program, before=before.isoformat()) if before else visit(program)
        line = response.context["line"]
        seen += line.entries
        before = line.older
        if before is None:
            break
    assert [entry.at for entry in seen] == sorted((e.at for e in seen), reverse=True)
    kinds = [entry.kind for entry in seen]
    assert kinds.count("session") == program.sessions.count() == 10
    assert kinds.count("check-in") == patient.check_ins.count() == 19
    assert kinds.count("decision") == program.decisions.count()
    assert kinds.count("version") == 1
    [message] = [entry for entry in seen if entry.kind == "message"]
    assert message.title == "Routine reminder by text message: held back"
    assert message.detail == ("Today's session is done.",)
    # Not when it was due: when its fate was settled.
    assert message.at == at_day(9, 7) + dt.timedelta(seconds=90)


@pytest.mark.parametrize("before", ["nonsense", "2026-03-02T08:00:00", "2026-99-99T00:00:00Z"])
def test_a_moment_that_is_none_shows_the_newest(visit, program, before):
    response = visit(program, before=before)
    assert response.status_code == 200 and response.context["before"] is None


def test_every_look_is_written_down(visit, program, physio):
    visit(program)
    visit(program, "patient_change")
    looks = AccessRecord.objects.filter(actor=physio, subject_id=str(program.patient_id))
    assert sorted(looks.values_list("page", flat=True)) == ["change", "patient"]


def test_another_site_finds_nothing_and_nothing_is_written(client, stranger, program):
    client.force_login(stranger)
    for name in ("patient", "patient_change", "patient_record", "patient_assign", "patient_end"):
        assert client.get(at_address(name, program)).status_code == 404
    assert client.post(at_address("patient_reopen", program), {"reason": "x"}).status_code == 404
    assert not AccessRecord.objects.filter(subject_type="patient").exists()


def test_the_front_desk_sees_how_to_reach_somebody_and_nothing_clinical(
    client, front_desk, proposed, program
):
    client.force_login(front_desk)
    text = words(client.get(at_address("patient", program)))
    assert "+447700900123" in text and "Morales" in text
    for clinical in ("Desk worker", "Usual pain", "Deep core", "Progress", "Next morning"):
        assert clinical not in text
    assert words(client.get("/clinic/")).count("Morales") == 1


def test_a_manager_reads_without_answering(client, manager, proposed, program):
    client.force_login(manager)
    text = words(client.get(at_address("patient", program)))
    assert proposed.decision.step["words"] in text and "Accept" not in text
    accept = at_address("patient_accept", program, proposed.pk)
    assert client.post(accept).status_code == 403
    assert Proposal.objects.open().count() == 1


# --- the board as a page ---------------------------------------------------


def test_the_board_narrows_by_need_and_keeps_the_rest_of_the_question(client, visit, program):
    report_session(program, 0)
    visit(program)
    response = client.get("/clinic/", {"need": "long_silent", "pathway": "desk", "q": "mora"})
    assert [chip["need"].key for chip in response.context["chips"]] == ["long_silent"]
    assert "pathway=desk" in response.context["all_query"]
    assert "need" not in response.context["all_query"]
    assert "Morales" in words(response)
    assert "Nobody here fits" in words(client.get("/clinic/", {"q": "nobody at all"}))
    assert client.get("/clinic/", {"need": "<x>", "scope": "all", "page": "x"}).status_code == 200


def test_my_caseload_and_the_whole_site(client, visit, program, make_patient, site):
    colleague = make_staff(site, "physiotherapist", "Ida Colleague")
    make_patient("Theirs", physiotherapist=colleague)
    visit(program)
    assert "Theirs" not in words(client.get("/clinic/"))
    assert "Theirs" in words(client.get("/clinic/", {"scope": "site"}))
    client.force_login(colleague)
    assert "Theirs" in words(client.get("/clinic/"))


def test_looking_at_the_board_is_written_down(client, visit, program):
    visit(program)
    client.get("/clinic/", {"scope": "site"})
    look = AccessRecord.objects.get(subject_type="caseload")
    assert (look.subject_id, look.page) == ("site", "board")
    assert look.at <= timezone.now()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("pain_during", 6, "pain during 6"),
        ("pain_next_morning", None, "next morning not known"),
        ("weekly_median_pain", 4.5, "median usual pain 4.5"),
        ("weekly_median_pain", 5.0, "median usual pain 5"),
        ("adherence", 0.43, "adherence 43 %"),
        ("days_since_last_check_in", None, "no answer yet"),
        ("sessions_at_level", 1, "1 session at this level"),
        ("days_at_level", 3, "3 days at this level"),
        ("form_kept", False, "form not kept"),
        ("blocked_by_gate", "flexion_loaded", "gate: flexion loaded"),
        ("lock", "frozen", "lock: frozen"),
        ("red_flag", "same_day", "a same-day answer is open"),
    ],
)
def test_each_answer_has_a_clinicians_words(field, value, said):
    assert answer_words(field, value) == said


def test_every_rule_has_a_name():
    assert list(RULES) == [f"R{number:02d}" for number in range(1, 29)]


# --- odd keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ["²", "٣", "9" * 19, "9" * 5000, "-1", " 1", "", "x"])
def test_given_an_odd_key_when_read_then_it_is_no_number(odd):
    assert whole_number(odd) is None
    assert whole_number("0042") == 42 and whole_number("9" * 18) == 10**18 - 1


@pytest.mark.parametrize("odd", ["²", "9" * 30])
def test_given_an_odd_key_when_sent_then_no_page_breaks(visit, client, program, odd):
    assert visit(program, "patient_change", proposal=odd).status_code == 404
    assert visit(program, "patient_change", version=odd).status_code == 404
    assert client.post(reverse("admin:board_together"), {"proposal": odd}).status_code == 302
    red_flagging.answer_red_flags(
        patient=program.patient,
        answers=NO_TO_ALL | {REPEATED[0].id: "yes"},
        source="weekly",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    sent = {"reason": "Seen.", "flag": odd}
    assert client.post(at_address("patient_reopen", program), sent).status_code == 400
    program.refresh_from_db()
    assert program.status == "suspended"
