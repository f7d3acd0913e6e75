"""The demo practice: the same twice, and each course reaches what it promises."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import transaction

from clinic.models import Enquiry, OutboxMessage
from patients.models import Appointment, Patient
from programs.caseload import rows_for
from programs.demo.courses import COURSES
from programs.demo.practice import build_practice, digest
from programs.models import Program, ProgramVersion, Proposal
from programs.reminders import plan_reminders

PATIENTS, DAYS = 12, 21
LAST_DAY = dt.date(2026, 3, 30)
NEXT_MORNING = dt.datetime(2026, 3, 31, 8, 0, tzinfo=dt.UTC)


class _Enough(Exception):
    pass


def build(**changes: int) -> str:
    options = {"patients": PATIENTS, "days": DAYS, "seed": 1, **changes}
    build_practice(**options, last_day=LAST_DAY)
    return digest()


def build_and_forget(**changes: int) -> str:
    found = ""
    try:
        with transaction.atomic():
            found = build(**changes)
            raise _Enough
    except _Enough:
        return found


def test_given_the_same_seed_twice_then_the_same_practice(library):
    first = build_and_forget(days=9)
    assert not Patient.objects.exists()
    assert build_and_forget(days=9) == first


def test_given_another_seed_then_another_practice_and_one_more_patient_changes_nobody(library):
    assert build_and_forget(patients=2, days=8) != build_and_forget(patients=2, days=8, seed=2)

    def first_two() -> list[list]:
        return [
            [p.number, p.name, *p.check_ins.order_by("at").values_list("day", "usual_pain")]
            for p in Patient.objects.order_by("number")[:2]
        ]

    with transaction.atomic():
        build(patients=2, days=8)
        two = first_two()
        transaction.set_rollback(True)
    build(patients=3, days=8)
    assert first_two() == two


@pytest.fixture
def lived(library) -> dict[str, Patient]:
    """One patient per course, by the course's name, on the morning after the last day."""
    build()
    patients = list(Patient.objects.order_by("number"))
    assert len(patients) == len(COURSES) == PATIENTS
    return dict(zip((course.name for course in COURSES), patients, strict=True))


def test_each_course_reaches_what_it_promises(lived):
    needs = {row.patient.pk: row.need.key for row in rows_for(lived.values(), at=NEXT_MORNING)}

    def program(name: str) -> Program:
        return lived[name].programs.get()

    flagged = program("red flag")
    assert (flagged.status, flagged.suspended_for) == ("suspended", Program.SuspendedFor.RED_FLAG)
    assert lived["red flag"].red_flags.open().get().severity == "emergency"
    assert needs[lived["red flag"].pk] == "stopped"

    waiting = program("after an injury, waiting")
    assert waiting.proposals.get(status=Proposal.Status.OPEN).decision.outcome == "PROGRESS"
    assert needs[lived["after an injury, waiting"].pk] == "waiting"
    # After an injury nothing went up without a named clinician.
    assert not waiting.versions.filter(cause=ProgramVersion.Cause.POLICY_RAISED).exists()

    assert program("flaring").decisions.filter(outcome="REGRESS").exists()

    silent = lived["fading out"].check_ins.order_by("-day").first()
    assert (NEXT_MORNING.date() - silent.day).days > 3
    assert needs[lived["fading out"].pk] == "long_silent"

    improved = program("improving, chronic")
    accepted = improved.versions.get(cause=ProgramVersion.Cause.ACCEPTED)
    assert accepted.by == lived["improving, chronic"].physiotherapist
    pains = list(
        lived["improving, chronic"]
        .check_ins.filter(usual_pain__isnull=False)
        .order_by("day")
        .values_list("usual_pain", flat=True)
    )
    assert pains[-1] < pains[0]

    pulled = program("one-sided pull")
    assert pulled.versions.filter(cause=ProgramVersion.Cause.RULE_LOWERED, by=None).exists()
    assert pulled.suspended_for == Program.SuspendedFor.RULE
    assert "R04" in pulled.decisions.filter(outcome="STOP").get().rules
    assert program("fearful").decisions.filter(rules__contains="R19").exists()
    assert (NEXT_MORNING.date() - program("just started").started_on).days <= 7


def test_given_patients_already_then_seeding_again_changes_nothing(library, capsys):
    options = {"patients": 2, "days": 3, "seed": 1, "last_day": LAST_DAY}
    call_command("seed_demo", **options)
    made = digest()
    call_command("seed_demo", **options)
    assert digest() == made
    assert "Nothing changed" in capsys.readouterr().out


def test_given_the_days_lived_then_their_reminders_have_fates_and_planning_finds_none_too_late(
    lived,
):
    past = OutboxMessage.objects.filter(kind="routine_reminder")
    assert past.count() > 200
    assert not past.filter(status="due").exists()
    assert past.filter(status="suppressed", reason="The program is suspended.").exists()
    report = plan_reminders(at=NEXT_MORNING)
    assert report.expired == 0
    assert report.due > 0


def test_given_the_days_lived_then_the_desk_has_appointments_and_enquiries(lived):
    today = Appointment.objects.filter(starts_at__date=NEXT_MORNING.date())
    assert today.count() >= 4
    assert {row.status for row in today} <= {"planned", "cancelled"}
    past = Appointment.objects.filter(starts_at__date__lte=LAST_DAY)
    assert past.filter(status="attended").exists()
    assert not past.filter(status="planned").exists()
    assert Enquiry.objects.waiting().count() == 3
    assert set(Enquiry.objects.values_list("state", flat=True)) == {"new", "answered", "spam"}
    mails = OutboxMessage.objects.filter(subject_type="enquiry")
    assert set(mails.values_list("status", flat=True)) == {"sent"}
