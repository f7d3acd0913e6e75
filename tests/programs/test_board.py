"""The board as its readers use it: finding, answering in place, undoing, putting off."""

import datetime as dt
import re

import pgtrigger
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import alerts
from clinic.models import AccessRecord, Alert, Role
from patients.models import Patient
from programs import caseload_rows
from programs.clinician.board_query import COUNTED, PAGE_SIZE, count_words
from programs.models import (
    CaseloadMark,
    CaseloadRow,
    ProgramVersion,
    Proposal,
    SavedView,
    Session,
    Snooze,
)
from programs.positions import prescriptions_of
from programs.undoing import UNDO_WITHIN
from tests.conftest import make_staff
from tests.living import at_day, live_well, report_session
from tests.reading import words

pytestmark = pytest.mark.django_db
LIVE = {"X-Live": "1"}


@pytest.fixture
def clock():
    with time_machine.travel(at_day(9, 20), tick=False) as traveller:
        yield traveller


@pytest.fixture
def desk(client, physio, clock):
    client.force_login(physio)
    return client


@pytest.fixture
def waiting(program):
    live_well(program, 0, 9)
    return Proposal.objects.open().select_related("program__patient", "decision").get()


def address(name, proposal, *, of_patient=False):
    more = [] if of_patient else [proposal.pk]
    return reverse(f"admin:{name}", args=[proposal.program.patient_id, *more])


def names(response) -> list[str]:
    return re.findall(r"<bdi>([^<]*)</bdi></a>", response.content.decode())


# --- reading -------------------------------------------------------------------------------------


def test_a_row_says_why_what_next_and_how_it_has_been(desk, waiting):
    page = desk.get("/clinic/")
    said = words(page)
    assert "Two good sessions running (R26)" in said
    assert waiting.decision.step["words"] in said
    assert "pain from 2 to 2 over 14 days, always 2, 9 days known" in page.content.decode()
    assert "routine done on 10 of 10 days" in page.content.decode()
    assert "A snooze ends on its day" in said


@pytest.mark.parametrize("search", ["morales", "Ana Mor", "P-00", "07700 900123", "+44 7700"])
def test_a_patient_is_found_by_name_number_and_telephone(desk, patient, make_patient, search):
    make_patient("Bo", family_name="Quist", phone="+33612345678", number="X-1")
    assert names(desk.get("/clinic/", {"q": search})) == ["Ana Morales"]


def test_the_whole_site_is_narrowed_to_one_physiotherapist(desk, site, patient, make_patient):
    ida = make_staff(site, Role.PHYSIOTHERAPIST, "Ida Colleague")
    make_patient("Theirs", physiotherapist=ida)
    assert len(names(desk.get("/clinic/?scope=site"))) == 2
    assert names(desk.get(f"/clinic/?scope=site&who={ida.pk}")) == ["Theirs Morales"]
    assert names(desk.get(f"/clinic/?who={ida.pk}")) == ["Ana Morales"]


def test_nobody_of_another_site_is_on_the_board(client, clock, waiting, stranger):
    client.force_login(stranger)
    for query in ("", "?scope=site", "?q=morales", "?scope=site&q=07700900123"):
        assert names(client.get(f"/clinic/{query}")) == []


def test_somebody_without_a_site_sees_nobody(client, clock, waiting, physio):
    physio.sites.clear()
    client.force_login(physio)
    assert names(client.get("/clinic/?scope=site")) == []
    assert names(client.get("/clinic/")) == []


def fill(patient, count: int) -> None:
    """So many patients like this one, with rows like this one's, by the database itself."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for model, own, which in [
            (Patient, {"id": "gen_random_uuid()", "user_id": "NULL", "number": "'F-' || n"}, "id"),
            (CaseloadRow, {"patient_id": "other.id", "number": "other.number"}, "patient_id"),
        ]:
            fields = [f.column for f in model._meta.concrete_fields]
            if model is CaseloadRow:
                fields.remove("id")
                source = "JOIN patients_patient other ON other.number LIKE 'F-%%'"
            else:
                source = f"CROSS JOIN generate_series(1, {count}) n"
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({', '.join(map(quote, fields))})"
                f" SELECT {', '.join(own.get(f, 'one.' + quote(f)) for f in fields)}"
                f" FROM {model._meta.db_table} one {source} WHERE one.{which} = %s",
                [patient.pk],
            )
    CaseloadMark.objects.all().delete()


def test_thirty_patients_cost_as_many_queries_as_three_thousand(desk, waiting):
    def queries(query="") -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(f"/clinic/{query}").status_code == 200
        # Whether reminders go out is asked of the database once in a while.
        return sum("programs_" in query["sql"] for query in captured)

    def all_of_them() -> list[int]:
        return [queries(), queries("?scope=site"), queries("?need=waiting&pathway=desk")]

    desk.get("/clinic/")
    fill(waiting.program.patient, 30)
    few = all_of_them()
    Patient.objects.filter(number__startswith="F-").delete()
    fill(waiting.program.patient, 3_000)
    assert all_of_them() == few == [3, 3, 3]
    page = desk.get("/clinic/")
    assert f"{count_words(COUNTED + 1)}" in words(page)
    assert len(names(page)) == PAGE_SIZE
    second = desk.get("/clinic/?page=2")
    assert not set(re.findall(r"n-F-\d+", page.content.decode())) & set(
        re.findall(r"n-F-\d+", second.content.decode())
    )


def test_a_manager_reads_and_answers_nothing(client, clock, waiting, manager):
    client.force_login(manager)
    page = client.get("/clinic/")
    assert "Ana Morales" in words(page)
    assert "Accept" not in words(page) and "Snooze" not in words(page)
    for name in ("board_accept", "board_undo"):
        assert client.post(address(name, waiting)).status_code == 403
    assert client.post(address("board_snooze", waiting, of_patient=True)).status_code == 403
    assert client.get(reverse("admin:board_together")).status_code == 403


def test_the_front_desk_sees_names_and_nothing_clinical(client, clock, waiting, front_desk):
    client.force_login(front_desk)
    said = words(client.get("/clinic/"))
    assert "Ana Morales" in said and "R26" not in said and "Waiting" not in said
    assert client.post(reverse("admin:board_keep_view"), {"name": "x"}).status_code == 403


# --- answering in place --------------------------------------------------------------------------


def test_accepting_without_a_script_comes_back_to_the_same_place_with_an_undo(desk, waiting):
    back = "?scope=site&need=waiting"
    answer = desk.post(address("board_accept", waiting), {"back": back})
    number = waiting.program.patient.number
    assert answer.url == f"/clinic/{back}&undo={waiting.pk}#n-{number}"
    page = desk.get(answer.url)
    assert "Accepted for Ana Morales" in words(page)
    assert address("board_undo", waiting) in page.content.decode()


def test_accepting_in_place_answers_with_the_one_row(desk, waiting):
    answer = desk.post(address("board_accept", waiting), headers=LIVE)
    assert answer.status_code == 200
    body = answer.content.decode()
    assert body.startswith("<tr") and body.count("<tr") == 1
    assert "Version 2." in body and address("board_undo", waiting) in body
    waiting.refresh_from_db()
    assert waiting.status == Proposal.Status.ACCEPTED


def test_a_double_tap_makes_one_version_and_says_so(desk, waiting):
    desk.post(address("board_accept", waiting), headers=LIVE)
    again = desk.post(address("board_accept", waiting), headers=LIVE)
    assert again.status_code == 409
    assert "answered already" in words(again)
    assert waiting.program.versions.count() == 2


@pytest.mark.parametrize("back", ["//elsewhere.example", "https://elsewhere.example", "?a\n", "\\"])
def test_the_way_back_leads_nowhere_else(desk, waiting, back):
    answer = desk.post(address("board_accept", waiting), {"back": back})
    assert answer.url.startswith("/clinic/?undo=")


def test_declining_asks_for_the_reason_and_comes_back(desk, waiting):
    asked = desk.get(address("board_decline", waiting) + "?back=%3Fneed%3Dwaiting")
    assert waiting.decision.step["words"] in words(asked)
    empty = desk.post(address("board_decline", waiting), {"reason": " ", "back": "?need=waiting"})
    assert empty.status_code == 400
    assert "Say why the step is not taken." in words(empty)
    answer = desk.post(
        address("board_decline", waiting), {"reason": "A busy week", "back": "?need=waiting"}
    )
    assert answer.url.startswith(f"/clinic/?need=waiting&undo={waiting.pk}#n-")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.answer_reason) == ("declined", "A busy week")


# --- undoing -------------------------------------------------------------------------------------


def accepted(desk, waiting):
    desk.post(address("board_accept", waiting), headers=LIVE)
    waiting.refresh_from_db()
    return waiting


def doses(version):
    return [
        (p.exercise.slug, p.level, p.sets, p.reps, p.hold_s, p.since, p.raised_on, p.paused)
        for p in prescriptions_of(version)
    ]


def test_undo_restores_the_version_before_by_a_new_one_and_opens_the_proposal(
    desk, waiting, physio
):
    before = waiting.program.current_version
    accepted(desk, waiting)
    answer = desk.post(address("board_undo", waiting), headers=LIVE)
    assert "the proposal is open again" in answer.content.decode()
    versions = list(ProgramVersion.objects.filter(program=waiting.program).order_by("number"))
    assert [version.number for version in versions] == [1, 2, 3]
    assert doses(versions[2]) == doses(before) != doses(versions[1])
    assert versions[2].step_since == before.step_since
    assert (versions[2].by, versions[2].reason[:10]) == (physio, "Taken back")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.answered_by, waiting.resulting_version) == ("open", None, None)
    # And it can be accepted once more
    assert desk.post(address("board_accept", waiting), headers=LIVE).status_code == 200


def test_undo_is_over_after_ten_minutes(desk, waiting, clock):
    accepted(desk, waiting)
    clock.shift(UNDO_WITHIN + dt.timedelta(seconds=1))
    answer = desk.post(address("board_undo", waiting), headers=LIVE)
    assert answer.status_code == 409 and "ten minutes" in words(answer)
    waiting.refresh_from_db()
    assert waiting.status == "accepted"


def test_undo_is_over_once_the_patient_has_used_the_step(desk, waiting):
    accepted(desk, waiting)
    Session.objects.filter(program=waiting.program, day=at_day(9).date()).delete()
    waiting.program.refresh_from_db()
    report_session(waiting.program, 9)
    answer = desk.post(address("board_undo", waiting), headers=LIVE)
    assert answer.status_code == 409 and "has used the new step" in words(answer)


def test_only_who_accepted_may_take_it_back(desk, client, waiting, site):
    accepted(desk, waiting)
    client.force_login(make_staff(site, Role.PHYSIOTHERAPIST, "Ida Colleague"))
    assert client.post(address("board_undo", waiting)).status_code == 403
    waiting.refresh_from_db()
    assert waiting.status == "accepted"


# --- several together ----------------------------------------------------------------------------


@pytest.fixture
def several(make_program, make_patient):
    def make(count: int) -> list[Proposal]:
        for number in range(count):
            live_well(make_program(patient=make_patient(f"P{number}")), 0, 9)
        return list(Proposal.objects.open().select_related("program__patient", "decision"))

    return make


def test_every_case_is_shown_with_its_step_and_answers_and_may_be_left_out(desk, several):
    first, second, third = several(3)
    page = desk.get(reverse("admin:board_together"))
    for proposal in (first, second, third):
        assert f'value="{proposal.pk}"' in page.content.decode()
    said = words(page)
    assert said.count("Two good sessions running (R26)") == 3
    assert "pain during 2" in said and ", session" in said
    desk.post(reverse("admin:board_together"), {"proposal": [first.pk, third.pk]})
    found = dict(Proposal.objects.values_list("pk", "status"))
    assert (found[first.pk], found[second.pk], found[third.pk]) == ("accepted", "open", "accepted")
    told = words(desk.get(reverse("admin:board_together")))
    assert told.count("accepted, version 2.") == 2
    looks = AccessRecord.objects.filter(page="together")
    assert looks.filter(subject_id=str(first.program.patient_id)).exists()


def test_one_that_is_refused_holds_up_no_other(desk, several, physio):
    first, second = several(2)
    alerts.raise_alert(
        severity=Alert.Severity.ROUTINE,
        subject_type="patient",
        subject_id=first.program.patient_id,
        site=first.program.patient.site,
        owner=physio,
        summary="Call back",
        key="by-hand",
        at=at_day(9, 19),
    )
    assert f'value="{first.pk}"' not in desk.get(reverse("admin:board_together")).content.decode()
    desk.post(reverse("admin:board_together"), {"proposal": [first.pk, second.pk]})
    found = dict(Proposal.objects.values_list("pk", "status"))
    assert (found[first.pk], found[second.pk]) == ("open", "accepted")
    assert "not accepted. An alert is open." in words(desk.get(reverse("admin:board_together")))


def test_after_an_injury_no_step_is_accepted_with_others(desk, make_program, make_patient):
    hurt = make_program("post-injury", patient=make_patient("Hurt"), pathway="post_injury")
    live_well(hurt, 0, 18)
    proposal = Proposal.objects.open().get(program=hurt)
    page = desk.get("/clinic/")
    assert "Look and decide" in words(page) and "board-act" in page.content.decode()
    desk.post(reverse("admin:board_together"), {"proposal": [proposal.pk]})
    proposal.refresh_from_db()
    assert proposal.status == "open"
    told = words(desk.get(reverse("admin:board_together")))
    assert "After an injury every step is decided" in told


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"phase_change": True}, "A new phase is decided"),
        ({"opens_class": True}, "A new movement class is decided"),
    ],
)
def test_what_belongs_to_the_patients_page_is_not_accepted_by_one_key(desk, waiting, step, why):
    decision = waiting.decision
    decision.step = decision.step | step
    with pgtrigger.ignore("programs.Decision:stored_whole"):
        decision.save(update_fields=["step"])
    caseload_rows.touch([waiting.program.patient_id])
    page = desk.get("/clinic/").content.decode()
    assert address("board_accept", waiting) not in page
    assert "Look and decide" in page
    refused = desk.post(address("board_accept", waiting), headers=LIVE)
    assert refused.status_code == 409
    assert why in words(refused)
    waiting.refresh_from_db()
    assert waiting.status == "open"


def test_nobody_accepts_for_another_site(client, clock, waiting, stranger):
    client.force_login(stranger)
    client.post(reverse("admin:board_together"), {"proposal": [waiting.pk]})
    assert client.post(address("board_accept", waiting)).status_code == 404
    waiting.refresh_from_db()
    assert waiting.status == "open"


# --- putting off, and views ----------------------------------------------------------------------


def test_a_snooze_from_the_board_says_until_when_why_and_by_whom(desk, waiting, physio):
    place = address("board_snooze", waiting, of_patient=True)
    assert "Two good sessions" in words(desk.get(place))
    wrong = desk.post(place, {"until": "2026-03-01", "reason": "Away"})
    assert wrong.status_code == 400 and "Choose a day from tomorrow on." in words(wrong)
    desk.post(place, {"until": "2026-03-15", "reason": "Away until then", "back": "?scope=site"})
    said = words(desk.get("/clinic/"))
    assert "Until 15 Mar: Away until then" in said and physio.name in said
    assert "Snoozed 1" in said
    desk.post(address("board_wake", waiting, of_patient=True))
    assert "Until 15 Mar" not in words(desk.get("/clinic/"))
    assert Snooze.objects.get().ended_at is not None


def test_a_view_is_kept_under_its_name_and_let_go(desk, waiting, physio, client, manager):
    desk.post(
        reverse("admin:board_keep_view"), {"name": " My  desk ", "back": "?pathway=desk&page=2"}
    )
    view = SavedView.objects.get()
    assert (view.user, view.name) == (physio, "My desk")
    page = desk.get("/clinic/")
    assert "My desk" in words(page)
    forget = reverse("admin:board_forget_view", args=[view.pk])
    client.force_login(manager)
    assert "My desk" not in words(client.get("/clinic/"))
    assert client.post(forget).status_code == 404
    client.force_login(physio)
    client.post(forget)
    assert not SavedView.objects.exists()


def test_a_name_with_markup_stays_words(desk, make_patient):
    make_patient("<b>Bo</b>", family_name='"><script>', email="bo@patients.example")
    body = desk.get("/clinic/").content.decode()
    assert "<b>Bo" not in body and '"><script>' not in body
    assert "&lt;b&gt;Bo&lt;/b&gt;" in body
    caseload_rows.settle_all(at=at_day(9, 21))
