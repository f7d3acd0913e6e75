"""The pages of alerts: what waits for whom, one to its outcome, absences, and the report."""

import csv
import datetime as dt
import html
import io
import re
import uuid

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from clinic import alerts
from clinic.models import Absence, AccessRecord, Alert, Role, User
from patients.appointing import make_appointment
from patients.contacting import change_record
from patients.models import Patient
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.adjusting import reopen_program
from programs.models import Program
from programs.today import today_for
from tests.conftest import MONDAY, make_staff
from tests.living import do_morning, do_session
from tests.reading import html_of, words

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_nine():
    with time_machine.travel(MONDAY + HOUR, tick=False) as clock:
        yield clock


@pytest.fixture
def colleague(site) -> User:
    return make_staff(site, Role.PHYSIOTHERAPIST, "Jonas Weber")


@pytest.fixture
def alert(patient) -> Alert:
    return raised(patient)


def raised(patient, severity="same_day", number=1, **fields) -> Alert:
    return alerts.raise_alert(
        **{
            "severity": severity,
            "subject_type": "patient",
            "subject_id": patient.pk,
            "site": patient.site,
            "owner": patient.physiotherapist,
            "summary": "Saddle numbness",
            "key": f"by-hand:{number}",
            "at": MONDAY,
            **fields,
        }
    )


def act(client, alert: Alert, what: str, **said):
    return client.post(reverse(f"admin:alert_{what}", args=[alert.pk]), said, follow=True)


# --- the list --------------------------------------------------------------------------------


def test_given_my_alert_then_the_list_says_how_long_there_is_and_the_head_counts_it(
    client, physio, alert
):
    client.force_login(physio)
    page = html_of(client.get("/clinic/alerts/"))
    assert "3 h left" in page and "Ana Morales" in page and "Saddle numbness" in page
    assert 'Alerts <span class="sb-badge sb-num">1<' in page
    assert AccessRecord.objects.filter(subject_id="alerts", actor=physio).exists()


def test_given_an_alert_of_a_colleague_then_it_is_in_the_list_of_the_site_and_not_mine(
    client, colleague, alert
):
    client.force_login(colleague)
    assert "Nothing waits for you" in html_of(client.get("/clinic/alerts/"))
    page = html_of(client.get("/clinic/alerts/?scope=site"))
    assert "Ana Morales" in page and "Ruth Adeyemi" in page


def test_given_many_alerts_then_the_list_asks_no_more_than_for_one(
    client, physio, make_patient, django_assert_max_num_queries
):
    client.force_login(physio)
    for number in range(12):
        raised(make_patient(f"P{number}"), number=number)
    with django_assert_max_num_queries(22):
        client.get("/clinic/alerts/")


def test_given_another_site_or_the_front_desk_then_there_is_no_alert_to_see(
    client, stranger, front_desk, alert
):
    client.force_login(stranger)
    assert "Ana" not in html_of(client.get("/clinic/alerts/?scope=site"))
    assert client.get(reverse("admin:alert", args=[alert.pk])).status_code == 404
    assert act(client, alert, "seen").status_code == 404
    client.force_login(front_desk)
    assert client.get("/clinic/alerts/").status_code == 403
    assert act(client, alert, "seen").status_code == 403
    alert.refresh_from_db()
    assert not alert.is_seen


# --- one -------------------------------------------------------------------------------------


def test_given_an_alert_then_its_page_tells_who_was_told_and_what_became_of_it(
    client, physio, alert
):
    client.force_login(physio)
    page = html_of(client.get(reverse("admin:alert", args=[alert.pk])))
    assert "It was raised" in page and "Ruth Adeyemi" in page and "Waiting to go at 08:00" in page
    assert AccessRecord.objects.filter(subject_id=str(alert.subject_id), page="alert").exists()


def test_given_an_alert_that_is_told_again_then_its_pages_say_on_which_day(client, physio, alert):
    client.force_login(physio)
    listed = words(client.get("/clinic/alerts/"))
    assert "Told once Mon 2 Mar, 08:00 ." in listed and "Next Mon 2 Mar, 10:00 :" in listed
    page = words(client.get(reverse("admin:alert", args=[alert.pk])))
    assert "If nobody opens it Mon 2 Mar, 10:00 :" in page


def test_given_somebody_was_first_then_the_second_is_told_kindly_who(
    client, physio, colleague, alert
):
    client.force_login(colleague)
    assert "Noted: you have seen it" in html_of(act(client, alert, "seen"))
    client.force_login(physio)
    assert "Jonas Weber was first and has it in hand" in html_of(act(client, alert, "seen"))
    alert.refresh_from_db()
    assert alert.acknowledged_by == colleague


def test_given_an_outcome_then_it_is_closed_with_it_and_a_second_changes_nothing(
    client, physio, colleague, alert
):
    client.force_login(physio)
    page = act(client, alert, "close", kind="no_action", words="")
    assert page.status_code == 400
    assert "why nothing was needed" in html_of(page)
    page = act(client, alert, "close", kind="contacted", words="Rang her, all is well")
    assert "Closed, with its outcome" in html_of(page)
    client.force_login(colleague)
    assert "Ruth Adeyemi closed it before you" in html_of(
        act(client, alert, "close", kind="referred", words="")
    )
    alert.refresh_from_db()
    assert (alert.outcome_kind, alert.outcome) == ("contacted", "Rang her, all is well")
    assert "Rang her" in html_of(client.get("/clinic/alerts/?scope=site&state=closed"))


def test_given_it_was_seen_then_the_patients_page_asks_for_the_outcome_until_there_is_one(
    client, physio, program, alert
):
    client.force_login(physio)
    where = reverse("admin:patient", args=[alert.subject_id])
    assert "Say what came of it" not in html_of(client.get(where))
    act(client, alert, "seen")
    assert "Say what came of it" in html_of(client.get(where))
    act(client, alert, "close", kind="contacted")
    assert "Say what came of it" not in html_of(client.get(where))


def test_given_a_colleague_chosen_with_a_reason_then_it_is_theirs(client, physio, colleague, alert):
    client.force_login(physio)
    wrong = act(client, alert, "reassign", to=physio.pk, reason="")
    assert wrong.status_code == 400
    page = act(client, alert, "reassign", to=colleague.pk, reason="Knows her knee")
    assert "Jonas Weber answers it now" in html_of(page)
    assert "Given from Ruth Adeyemi to Jonas Weber" in html_of(page)


def test_given_a_way_back_that_is_not_ours_then_it_is_not_taken(client, physio, alert):
    client.force_login(physio)
    for wrong in ("//evil.example/clinic/", "https://evil.example/clinic/", "/clinic\\@evil"):
        answer = client.post(
            reverse("admin:alert_seen", args=[alert.pk]), {"back": wrong}, follow=False
        )
        assert answer.url == reverse("admin:alert", args=[alert.pk])


# --- absences --------------------------------------------------------------------------------


def enter(client, **said):
    fields = {"does": "absence", "first_day": "2026-03-02", "last_day": "2026-03-04", **said}
    return client.post("/clinic/absences/", fields, follow=True)


def test_given_an_absence_entered_then_alerts_are_covered_at_once_and_back_again(
    client, physio, colleague, alert
):
    client.force_login(physio)
    page = enter(client, user=physio.pk, cover=colleague.pk, reason="Course")
    assert "Entered. While Ruth Adeyemi is away: Jonas Weber answers." in words(page)
    assert "Ruth Adeyemi Mon 2 Mar to Wed 4 Mar Jonas Weber answers · Course" in words(page)
    alert.refresh_from_db()
    assert alert.on_duty == colleague
    entered = Absence.objects.get()
    assert (entered.begins_at, entered.ends_at) == (MONDAY - 8 * HOUR, MONDAY + 64 * HOUR)
    client.post(reverse("admin:absence_end", args=[entered.pk]))
    alert.refresh_from_db()
    assert alert.on_duty == physio


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (("2026-03-01", "2026-03-09"), "is not there then; Mona Lindqvist answers."),
        (
            ("2026-03-04", "2026-03-09"),
            "is not there for part of it; Jonas Weber answers; from Wed 4 Mar: Mona Lindqvist.",
        ),
    ],
)
def test_given_a_cover_who_is_away_too_then_the_page_names_who_really_answers(
    client, physio, colleague, manager, theirs, said
):
    client.force_login(colleague)
    enter(client, user=colleague.pk, first_day=theirs[0], last_day=theirs[1])
    client.force_login(physio)
    page = words(enter(client, user=physio.pk, cover=colleague.pk))
    assert f"Entered. While Ruth Adeyemi is away: Jonas Weber {said}" in page
    assert page.count(said.removesuffix(".")) == 2


def test_given_a_cover_who_works_at_one_of_two_sites_then_each_site_says_who_answers(
    client, physio, colleague, manager, other_site
):
    physio.sites.add(other_site)
    client.force_login(physio)
    page = words(enter(client, user=physio.pk, cover=colleague.pk))
    assert (
        "Harbour Street: Jonas Weber answers / Mill Lane: Ruth Adeyemi, although away, answers."
        in page
    )


def test_given_somebody_who_stands_in_then_their_own_absence_says_who_answers_now(
    client, physio, colleague, manager
):
    client.force_login(physio)
    enter(client, user=physio.pk, cover=colleague.pk)
    client.force_login(colleague)
    page = words(enter(client, user=colleague.pk))
    assert "Entered. While Jonas Weber is away: Mona Lindqvist answers." in page
    assert (
        "While Ruth Adeyemi is away: Jonas Weber is not there then; Mona Lindqvist answers." in page
    )


def test_given_appointments_in_the_time_then_entering_it_says_how_many(
    client, physio, patient, manager
):
    make_appointment(
        patient=patient,
        physiotherapist=physio,
        starts_at=MONDAY + 28 * HOUR,
        minutes=30,
        by=physio,
        at=MONDAY,
    )
    client.force_login(physio)
    assert "1 appointment stands in this time." in words(enter(client, user=physio.pk))


def test_given_wrong_days_then_the_form_says_so_at_the_field(client, physio):
    client.force_login(physio)
    page = enter(client, user=physio.pk, first_day="2026-03-09")
    assert page.status_code == 400
    assert "ends before it begins" in html_of(page)
    assert enter(client, user=physio.pk, last_day="9999-12-31").status_code == 400
    assert not Absence.objects.exists()


def test_given_a_colleague_then_only_a_manager_enters_their_absence(
    client, physio, colleague, manager
):
    client.force_login(physio)
    assert enter(client, user=colleague.pk).status_code == 400
    client.force_login(manager)
    enter(client, user=colleague.pk)
    assert Absence.objects.get().entered_by == manager


def test_given_a_number_then_it_is_kept_as_carriers_want_it(client, physio, colleague):
    client.force_login(physio)
    said = {"does": "reach", "mobile": "+44 7700 900111", "usual_cover": colleague.pk}
    client.post("/clinic/absences/", said)
    physio.refresh_from_db()
    assert (physio.mobile, physio.usual_cover) == ("+447700900111", colleague)
    wrong = client.post("/clinic/absences/", {"does": "reach", "mobile": "07700"})
    assert wrong.status_code == 400
    assert "country code" in html_of(wrong)


def test_given_an_account_closed_in_the_portal_then_its_alerts_are_somebody_elses_at_once(
    client, physio, manager, site, alert
):
    client.force_login(manager)
    client.post(
        reverse("admin:clinic_user_change", args=[physio.pk]),
        {"name": physio.name, "email": physio.email, "role": physio.role, "sites": [site.pk]},
    )
    alert.refresh_from_db()
    assert alert.on_duty == manager
    page = html_of(client.get("/clinic/alerts/"))
    assert "Left behind" in page and "1 alert, 1 patient" in page


# --- the report ------------------------------------------------------------------------------


@pytest.fixture
def month(patient, physio, other_site, stranger):
    """Ten seen after 10, 20, … 100 minutes, one never, one not due, one of another site."""
    for number in range(1, 11):
        made = raised(patient, "emergency", number, at=MONDAY - dt.timedelta(days=number))
        alerts.acknowledge(
            alert=made, by=physio, at=made.raised_at + number * dt.timedelta(minutes=10)
        )
    raised(patient, "emergency", 11, at=MONDAY - dt.timedelta(days=3))
    raised(patient, "emergency", 12, at=MONDAY + 0.5 * HOUR)
    raised(patient, "soon", 13, site=other_site, owner=stranger)
    raised(patient, "emergency", 14, at=MONDAY - dt.timedelta(days=200))


def test_given_a_month_then_the_report_counts_everything_and_leaves_nothing_out(
    client, manager, month
):
    client.force_login(manager)
    page = client.get("/clinic/reports/alerts/")
    (group,) = [row.times for _, rows in page.context["tables"][:1] for row in rows]
    assert (group.raised, group.seen, group.open_, group.late) == (12, 10, 2, 1)
    assert group.median == dt.timedelta(minutes=55)
    assert group.ninth == dt.timedelta(minutes=91)
    # Six in time, four late, one never seen; the one that is not due is judged later.
    assert (group.in_time, group.judged, group.share) == (6, 11, 55)
    assert [word for word, _ in page.context["tables"]] == ["Severity", "Physiotherapist", "Site"]
    table = list(csv.reader(io.StringIO(html_of(client.get("/clinic/reports/alerts.csv")))))
    assert table[1][1:] == ["Emergency", "12", "10", "55", "91", "11", "6", "2", "1", "0"]


def test_given_a_physiotherapist_then_the_report_is_of_their_own_alone(
    client, physio, colleague, month
):
    client.force_login(physio)
    assert client.get("/clinic/reports/alerts/").context["total"] == 12
    client.force_login(colleague)
    page = client.get("/clinic/reports/alerts/?days=365&site=x")
    assert page.context["total"] == 0
    assert "No alert was raised" in html_of(page)


# --- what the patient reads ------------------------------------------------------------------


def flagged(patient, what="bowel") -> Alert:
    answer_red_flags(
        patient=patient,
        answers={question.id: "yes" if question.id == what else "no" for question in REPEATED},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )
    return Alert.objects.filter(key__startswith="red_flag:").latest("pk")


def stopped(client, patient) -> Alert:
    """The patient has answered yes, and reads what to do."""
    client.force_login(patient.user)
    return flagged(patient)


def test_given_nobody_has_seen_it_then_the_patient_reads_when_the_practice_is_there(
    client, program, at_nine
):
    stopped(client, program.patient)
    assert "The practice is open until 18:00" in html_of(client.get("/"))
    at_nine.move_to(MONDAY + 14 * HOUR)
    page = html_of(client.get("/"))
    assert "opens on Tuesday 3 March at 08:00" in page and "Nobody watches at night" in page


def test_given_it_was_seen_then_the_part_that_stands_open_says_by_whom(client, program, physio):
    alert = stopped(client, program.patient)
    assert "Nobody has opened it yet" in html_of(client.get("/seen/"))
    alerts.acknowledge(alert=alert, by=physio, at=timezone.now())
    part = html_of(client.get("/seen/"))
    assert "Seen by <bdi>Ruth Adeyemi</bdi> on Monday 2 March at 09:00." in part
    assert "owel" not in part
    reopen_program(program=program, by=physio, reason="Seen and cleared", at=timezone.now())
    assert client.get("/seen/").status_code == 204


@pytest.mark.parametrize("why", ["flag", "rule"])
def test_given_another_alert_then_the_stop_page_never_calls_that_one_seen_instead(
    client, program, physio, colleague, why
):
    patient = program.patient
    if why == "flag":
        mine = stopped(client, patient)
    else:
        do_session(program, 0, soreness="one_sided", side="left")
        do_morning(program, 1)
        do_session(program, 1, soreness="one_sided", side="left")
        mine = Alert.objects.get(key__startswith=f"rule:{program.pk}:", key__contains=":STOP:")
        client.force_login(patient.user)
    text = raised(patient, severity="soon", at=timezone.now())
    alerts.acknowledge(alert=text, by=colleague, at=timezone.now())
    assert "Nobody has opened it yet" in html_of(client.get("/seen/"))
    assert seen_in_api(program) is None
    if why == "flag":
        second = flagged(patient, "saddle_numbness")
        alerts.acknowledge(alert=second, by=colleague, at=timezone.now())
        assert "Nobody has opened it yet" in html_of(client.get("/seen/"))
    alerts.acknowledge(alert=mine, by=physio, at=timezone.now() + HOUR)
    raised(patient, severity="soon", number=2, at=timezone.now() + HOUR)
    for address in ("/", "/seen/"):
        assert "Seen by <bdi>Ruth Adeyemi</bdi> on Monday 2 March at 10:00." in html_of(
            client.get(address)
        )
    assert seen_in_api(program) == physio


def test_given_a_text_was_seen_later_then_staff_read_who_saw_the_stop(
    client, program, physio, colleague, at_nine
):
    stop = flagged(program.patient)
    alerts.acknowledge(alert=stop, by=physio, at=timezone.now(), outcome="Called her.")
    text = raised(program.patient, severity="soon", at=timezone.now() + HOUR)
    alerts.acknowledge(alert=text, by=colleague, at=timezone.now() + HOUR, outcome="Read.")
    client.force_login(colleague)
    page = html_of(client.get(reverse("admin:patient", args=[program.patient_id])))
    part = re.search(r'<section class="po-stop".*?</section>', page, re.DOTALL)[0]
    assert "Seen by Ruth Adeyemi, Mon 2 Mar, 09:00: Called her." in part
    assert "Jonas Weber" not in part


def seen_in_api(program) -> User | None:
    found = Program.objects.whole().get(pk=program.pk)
    seen = today_for(program=found, at=timezone.now()).seen
    return seen and seen.by


def test_given_nobody_signed_in_then_nothing_is_said_of_who_has_seen_what(client, alert):
    assert client.get("/seen/").status_code == 302


# --- who moves -------------------------------------------------------------------------------


def test_given_a_patient_who_moves_then_open_alerts_go_along_and_the_new_site_reopens(
    program, physio, stranger, other_site
):
    patient = program.patient
    alert, text = flagged(patient), raised(patient, severity="soon")
    Patient.objects.filter(pk=patient.pk).update(site=other_site)
    patient.refresh_from_db()
    # Somebody who works at the new site only may reopen, wherever the alert still stands.
    with transaction.atomic():
        reopen_program(program=program, by=stranger, reason="Looked at", at=timezone.now())
        alert.refresh_from_db()
        assert (alert.resolved_by, alert.site_id) == (stranger, physio.sites.get().pk)
        transaction.set_rollback(True)
    physio.sites.add(other_site)
    change_record(patient=patient, by=physio, at=timezone.now(), physiotherapist=stranger)
    for moved in (alert, text):
        moved.refresh_from_db()
        assert (moved.site, moved.owner, moved.on_duty) == (other_site, stranger, stranger)
        last = moved.steps.last()
        assert (last.why, last.person) == ("handed_over", stranger)


def test_given_a_program_is_reopened_then_only_the_alerts_of_its_stop_that_were_read_close(
    client, program, physio, at_nine
):
    patient = program.patient
    flag, rule = flagged(patient), raised(patient, key=f"rule:{program.pk}:1:STOP:R03")
    text = raised(patient, severity="soon", key="text:7:1")
    wish = raised(patient, severity="routine", key="erasure:1")
    other = raised(patient, key=f"rule:{uuid.uuid4()}:1:STOP:R03")
    client.force_login(physio)
    page = html_of(client.get(reverse("admin:patient", args=[patient.pk])))
    read_at = html.unescape(re.search(r'name="read_at" value="([^"]+)"', page)[1])
    at_nine.shift(HOUR)
    late = raised(patient, key=f"rule:{program.pk}:1:STOP:R05", at=timezone.now())
    at_nine.shift(HOUR)
    said = {"reason": "Looked at", "flag": patient.red_flags.get().pk, "read_at": read_at}
    client.post(reverse("admin:patient_reopen", args=[patient.pk]), said)
    program.refresh_from_db()
    assert program.status == Program.Status.ACTIVE
    assert set(Alert.objects.unresolved()) == {text, wish, other, late}
    assert not Alert.objects.unresolved().filter(pk__in=[flag.pk, rule.pk]).exists()
