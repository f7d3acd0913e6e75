"""The patient's page: why somebody is needed, the course, the time line, notes. Always as many
queries, however long the record is."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic import standstill
from clinic.roles import May
from patients.models import CheckIn, ClinicalNote
from programs.caseload_rows import settle_all
from programs.clinician import panels
from programs.clinician.course import course_of
from programs.clinician.timeline import KINDS, time_line
from programs.models import Decision, Policy, Program, Proposal, Session
from programs.proposals import accept_proposal
from tests.conftest import MONDAY
from tests.living import GOOD_AFTER, GOOD_MORNING, at_day, do_session, live_well, report_session
from tests.reading import words

pytestmark = pytest.mark.django_db
# More than this is read twice for nothing.
MOST_QUERIES = 45


@pytest.fixture
def opened(client, physio):
    client.force_login(physio)

    def open_(program, **query):
        return client.get(reverse("admin:patient", args=[program.patient_id]), query)

    return open_


def a_long_record(program: Program, days: int, more: int = 0) -> None:
    """``days`` lived days that end yesterday, with a decision and two sets of answers each, and
    ``more`` daily ones."""
    version, items = program.current_version, report_session(program, 0).items
    today = program.patient.local_date(timezone.now())
    first = today - dt.timedelta(days=days)
    Program.objects.filter(pk=program.pk).update(started_on=first)
    policy = Decision.objects.create(
        program=program, version=version, policy=_policy(), **_said(first)
    ).policy
    program.sessions.all().delete()
    CheckIn.objects.filter(patient=program.patient).delete()
    after, nights, mornings, sessions, decisions = [], [], [], [], []
    for number in range(days):
        day = first + dt.timedelta(days=number)
        at = dt.datetime.combine(day, dt.time(18), dt.UTC)
        same = {"patient": program.patient, "at": at}
        a = CheckIn(**same, kind="after_session", day=day, client_id=uuid.uuid4(), **GOOD_AFTER)
        m = CheckIn(
            **same,
            kind="next_morning",
            day=day + dt.timedelta(days=1),
            client_id=uuid.uuid4(),
            **GOOD_MORNING,
        )
        after.append(a)
        mornings += [
            CheckIn(**same, kind="daily", day=day, client_id=uuid.uuid4(), **GOOD_MORNING)
            for _ in range(more)
        ]
        nights.append(m)
        decisions.append(Decision(program=program, version=version, policy=policy, **_said(day)))
        eased = [{**item, "done": False, "left_out": "time"} for item in items]
        sessions.append(
            Session(
                program=program,
                version=version,
                day=day,
                status="partly",
                known="timed",
                items=eased,
                client_id=uuid.uuid4(),
                at=at,
            )
        )
    CheckIn.objects.bulk_create(after)
    CheckIn.objects.bulk_create(nights + mornings)
    for session, a, m in zip(sessions, after, nights, strict=True):
        session.after_check_in, session.morning_check_in = a, m
    Session.objects.bulk_create(sessions)
    Decision.objects.bulk_create(decisions)
    settle_all(at=timezone.now())


def _policy() -> Policy:
    return Policy.objects.in_force("desk")


def _said(day: dt.date) -> dict:
    return {
        "at": dt.datetime.combine(day, dt.time(18, 1), dt.UTC),
        "day": day,
        "outcome": "HOLD",
        "rules": ["R28"],
        "fired": [],
        "contact": "none",
        "approval": "none",
        "handling": "noted",
        "evidence": {},
        "patient_text": "",
    }


def queries(opened, program, **query) -> int:
    # Remembered for some seconds, which may end between two counts.
    standstill.forget()
    with CaptureQueriesContext(connection) as asked:
        assert opened(program, **query).status_code == 200
    return len(asked)


def test_as_many_queries_for_three_thousand_answers_as_for_thirty(
    opened, make_program, make_patient
):
    short, long = (make_program(patient=make_patient(name)) for name in ("Ida", "Lou"))
    a_long_record(short, 15)
    a_long_record(long, 200, more=13)
    for kind in ("", "answers"):
        # What a process reads once is read.
        opened(short, kind=kind)
    counted = queries(opened, short)
    assert counted == queries(opened, long) <= MOST_QUERIES
    assert queries(opened, short, kind="answers") == queries(opened, long, kind="answers")


def test_the_time_line_is_paged_whole_and_once(program):
    a_long_record(program, 60)
    seen, before = [], None
    while True:
        line = time_line(patient=program.patient, before=before)
        seen += line.entries
        before = line.older
        if before is None:
            break
    kinds = [entry.kind for entry in seen]
    assert kinds.count("session") == 60
    assert kinds.count("check-in") == program.patient.check_ins.count() == 120
    assert kinds.count("decision") == program.decisions.count()
    assert [e.at for e in seen] == sorted((e.at for e in seen), reverse=True)


def test_given_a_kind_then_only_that_and_the_way_on_keeps_it(opened, program):
    a_long_record(program, 60)
    response = opened(program, kind="sessions")
    assert {entry.kind for entry in response.context["line"].entries} == {"session"}
    assert "?kind=sessions&amp;before=" in response.content.decode()
    assert opened(program, kind="nonsense").context["kind"] == ""


def test_every_kind_can_be_asked_for(program):
    live_well(program, 0, 9)
    for kind in KINDS:
        time_line(patient=program.patient, kind=kind)


def test_a_pull_is_drawn_on_its_side_with_the_exercise_it_points_at(opened, program):
    report_session(program, 0)
    slug = program.sessions.get().items[-1]["exercise"]
    do_session(program, 0, soreness="one_sided", side="left", place="buttock", exercise=slug)
    response = opened(program)
    [picture] = response.context["pictures"]
    assert (picture.side, picture.place, picture.exercise) == ("left", "buttock", slug)
    html = response.content.decode()
    assert 'role="img" aria-label="Left buttock"' in html
    assert html.count('class="bf-here"') == 1


def test_a_proposal_shows_its_exercise_and_its_version_is_drawn_into_the_course(
    opened, program, physio
):
    live_well(program, 0, 9)
    proposal = Proposal.objects.open().select_related("decision").get(program=program)
    response = opened(program)
    [shown] = response.context["step_figures"]
    assert shown.exercise == proposal.decision.step["exercise"]
    assert "sb-figure--still" in response.content.decode()
    accept_proposal(proposal=proposal, by=physio, at=at_day(9, 20))
    program = Program.objects.whole().get(pk=program.pk)
    course = course_of(program=program, at=at_day(13))
    assert [mark.label for mark in course.pain.chart.marks] == ["2"]
    assert [mark.label for mark in course.done.marks] == ["2"]
    assert course.done_words.startswith("10 done, 0 in part, of ")


# --- notes ---------------------------------------------------------------------------------------


def send_note(client, program, text, **more):
    address = reverse("admin:patient_note", args=[program.patient_id])
    return client.post(address, {"client_id": str(uuid.uuid4()), "text": text, **more})


def test_a_note_is_written_shown_and_corrected(client, opened, program, physio):
    opened(program)
    response = send_note(client, program, "Holiday from the 9th.")
    assert response.status_code == 302 and response.url.endswith("#notes")
    first = ClinicalNote.objects.get()
    form = opened(program, correct=first.pk).context["note_form"]
    assert form["text"].value() == "Holiday from the 9th."
    send_note(client, program, "Holiday from the 19th.", corrects=first.pk)
    response = opened(program)
    assert [note.text for note in response.context["notes"]] == ["Holiday from the 19th."]
    # Both stay in the record.
    line = [e.title for e in opened(program, kind="notes").context["line"].entries]
    assert line[0].startswith("Note, corrects that of") and line[1] == "Note, corrected since"


def test_an_empty_note_is_refused_in_words(client, opened, program):
    opened(program)
    response = send_note(client, program, "   ")
    assert response.status_code == 400 and "Write the note first." in words(response)
    assert not ClinicalNote.objects.exists()


def test_what_is_typed_into_a_note_is_never_markup(client, opened, program):
    opened(program)
    send_note(client, program, "<script>alert(1)</script>\nsecond line")
    html = opened(program).content.decode()
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html


def test_the_front_desk_neither_reads_nor_writes_notes(client, program, physio, front_desk):
    client.force_login(physio)
    send_note(client, program, "Afraid of lifting.")
    client.force_login(front_desk)
    address = reverse("admin:patient", args=[program.patient_id])
    assert "Afraid of lifting." not in client.get(address).content.decode()
    assert send_note(client, program, "Hello.").status_code == 403


# --- panels --------------------------------------------------------------------------------------


def test_a_panel_with_nothing_to_say_is_not_shown(program, physio, monkeypatch):
    said = [
        ("a", May.SEE_CLINICAL, lambda *_, **__: None),
        ("b", May.SEE_CLINICAL, lambda *_, **__: {"n": 1}),
        ("c", May.MANAGE, lambda *_, **__: {"n": 2}),
    ]
    monkeypatch.setattr(panels, "PANELS", said)
    [shown] = panels.panels_of(program.patient, program, user=physio, at=MONDAY)
    assert (shown.template, shown.panel) == ("admin/portal/panel_b.html", {"n": 1})
