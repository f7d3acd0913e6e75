"""Makes the demo practice: sites, staff and patients who live their days.

Deterministic: the same number of patients, days, seed and last day give the same practice.
"""

import datetime as dt
import hashlib
import json
import uuid
import zoneinfo
from collections.abc import Iterator
from decimal import Decimal
from random import Random

from django.db import transaction

from clinic import alerts
from clinic.models import Alert, Role, Site, User
from clinic.quiet_hours import local_moment
from patients import screening
from patients.consenting import give_consent
from patients.injuring import record_injury, set_limits
from patients.models import Consent, Patient, RedFlagScreening
from patients.red_flagging import answer_red_flags
from patients.red_flags import QUESTIONS, REPEATED
from patients.registering import record_intake, register_patient
from programs.answering import answer_after_session, answer_morning, record_session
from programs.assigning import assign_program
from programs.criteria import criteria_for
from programs.demo.courses import COURSES, Course, Day
from programs.demo.desk import fill_desk
from programs.demo.measures import answer_measures
from programs.demo.messages import settle_alerts, tell_alerts, went_out, write_reminders
from programs.models import Program, ProgramTemplate, Proposal
from programs.post_injury import is_post_injury, tick_criteria
from programs.proposals import accept_proposal, decline_proposal
from programs.today import program_for

PASSWORD = "steady demo practice"
MORNING, EVENING, NOON = dt.time(7, 30), dt.time(18, 30), dt.time(12, 30)

STAFF = (
    ("ruth@practice.example", "Ruth Adeyemi", Role.PHYSIOTHERAPIST),
    ("jonas@practice.example", "Jonas Lindqvist", Role.PHYSIOTHERAPIST),
    ("mei@practice.example", "Mei Tanaka", Role.PHYSIOTHERAPIST),
    ("felix@practice.example", "Felix Brandt", Role.FRONT_DESK),
    ("mona@practice.example", "Mona Castellanos", Role.MANAGER),
)

# Long and short, left to right and right to left: the pages must carry them all.
GIVEN = (
    "Ana Maximiliane Samuel Priya نور Tomasz Grace Omar Ingrid Luca Aisha Henrik Chloé Dmitri "
    "Wanjiru Noa Mateus Freya Yusuf Elif Björn Sofia Kwame Linh Hannah Rafael Zofia Arjun Maeve"
).split()
FAMILY = (
    "Morales Oberlandesgerichtspräsidentin-Wagenknecht Okafor Raman الحسيني Kowalski Whitfield "
    "Haddad Sørensen Bianchi Rahman Nyström Lefèvre Volkov Njoroge Peretz Carvalho Macleod Demir "
    "Yılmaz Halvorsen Petrova Mensah Nguyen Fischer Duarte Nowak Iyer Byrne"
).split()


@transaction.atomic
def build_practice(*, patients: int, days: int, seed: int, last_day: dt.date) -> None:
    """Make a whole practice whose last lived day is ``last_day`` (a local day of each patient)."""
    sites, staff = _people()
    physios = [user for user in staff if user.role == Role.PHYSIOTHERAPIST]
    for index in range(patients):
        # A chance of each patient's own, so that one more patient changes nobody else.
        chance = Random(f"{seed}:{index}")
        course = COURSES[index % len(COURSES)]
        # Most are the first physiotherapist's, so that her board shows every kind of need.
        physio = physios[0] if index % 4 < 3 else physios[1 + index % 2]
        program = _live(course, index, chance, sites[index % len(sites)], physio, days, last_day)
        write_reminders(program=program, last_day=last_day, index=index, seed=seed)
    tell_alerts(last_day=last_day)
    settle_alerts(last_day=last_day)
    fill_desk(sites=sites, staff=staff, last_day=last_day)


def _people() -> tuple[list[Site], list[User]]:
    sites = [
        Site.objects.create(
            name="Harbour Street",
            address="12 Harbour Street",
            time_zone="Europe/London",
            phone="+44 20 7946 0100",
            emergency_number="999",
            urgent_number="111",
        ),
        Site.objects.create(
            name="Mill Lane",
            address="3 Mill Lane",
            time_zone="Europe/London",
            phone="+44 20 7946 0200",
            emergency_number="999",
            urgent_number="111",
        ),
    ]
    staff = []
    for email, name, role in STAFF:
        user = User.objects.create_user(email, PASSWORD, name=name, role=role)
        user.sites.set(sites)
        staff.append(user)
    _stand_in_for_each_other([user for user in staff if user.role == Role.PHYSIOTHERAPIST])
    return sites, staff


def _stand_in_for_each_other(physios: list[User]) -> None:
    """Numbers from the range that is kept for stories, and a usual cover for everybody."""
    for place, physio in enumerate(physios):
        physio.mobile = f"+44770090099{place}"
        physio.usual_cover = physios[(place + 1) % len(physios)]
        physio.save(update_fields=["mobile", "usual_cover"])


def _live(
    course: Course,
    index: int,
    chance: Random,
    site: Site,
    physio: User,
    days: int,
    last_day: dt.date,
) -> Program:
    length = min(days, course.weeks * 7)
    if length > 14:
        # Not everybody began on the same day.
        length -= chance.randrange(0, length // 4)
    first_day = last_day - dt.timedelta(days=length - 1)
    patient = _register(course, index, chance, site, physio, first_day)
    at = local_moment(first_day, dt.time(6), patient.zone)
    template = ProgramTemplate.objects.current().get(slug=course.template)
    program = assign_program(
        patient=patient, template=template, by=physio, at=at, pathway=course.pathway
    )
    for number, day in enumerate(_days(first_day, last_day)):
        _clinician(program, course, physio, chance, day, left=(last_day - day).days)
        _day(program, course.live(course, number, length - 1, chance), index, day, number)
        _measures(program, course, index, day, number)
    return program


def _days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for offset in range((last - first).days + 1):
        yield first + dt.timedelta(days=offset)


def _register(
    course: Course, index: int, chance: Random, site: Site, physio: User, first_day: dt.date
) -> Patient:
    given, family = GIVEN[index % len(GIVEN)], FAMILY[(index + index // len(GIVEN)) % len(FAMILY)]
    at = local_moment(first_day, dt.time(5), zoneinfo.ZoneInfo(site.time_zone))
    email = "ana@patients.example" if index == 0 else f"patient{index + 1}@patients.example"
    patient = register_patient(
        site=site,
        physiotherapist=physio,
        given_name=given,
        family_name=family,
        email=email,
        phone=f"+4477009{index:05d}",
        date_of_birth=dt.date(chance.randrange(1948, 2004), chance.randrange(1, 13), 11),
        reminder_time=dt.time(chance.choice((8, 8, 9, 12, 18))),
        by=physio,
        at=at,
    )
    for purpose in Consent.Purpose.values:
        if purpose != Consent.Purpose.SMS or chance.random() < 0.7:
            give_consent(
                patient=patient, purpose=purpose, way=Consent.Way.IN_PERSON, by=physio, at=at
            )
    answers = {
        "pain_now": course.pain,
        "usual_pain": course.pain,
        "pain_weeks": 8,
        "sitting_hours": 4,
        "stress": chance.randrange(2, 7),
        "sleep": chance.randrange(4, 9),
        "feels_safe": chance.randrange(5, 9),
        "recent_injury": False,
        "signs": {"ache_after_sitting_or_standing": chance.randrange(2, 6)},
        "imbalances": ("tight_hip_flexors",),
        "goals": ("less_pain",),
    }
    record_intake(
        patient=patient,
        answers=screening.IntakeAnswers(**(answers | course.intake)),
        red_flag_answers={question.id: "no" for question in QUESTIONS},
        by=physio,
        at=at,
    )
    if course.pathway == "post_injury":
        _injury(patient, physio, first_day, at)
    return patient


def _injury(patient: Patient, physio: User, first_day: dt.date, at: dt.datetime) -> None:
    injury = record_injury(
        patient=patient,
        kind="disc",
        words="Something went in my back when I lifted the washing machine.",
        happened_on=first_day - dt.timedelta(days=40),
        precautions="No long sitting. Stop at any leg pain.",
        surgeon_words="Conservative treatment. No bending under load for three months.",
        cleared_by="Dr Osei, spinal surgeon",
        cleared_on=first_day - dt.timedelta(days=7),
        review_on=first_day + dt.timedelta(days=42),
        by=physio,
        at=at,
    )
    set_limits(
        injury=injury,
        classes=["flexion_loaded", "rotation"],
        until=first_day + dt.timedelta(days=90),
        said_by="Dr Osei",
        by=physio,
        at=at,
    )
    set_limits(injury=injury, max_load_kg=Decimal(5), said_by="Dr Osei", by=physio, at=at)


def _clinician(
    program: Program, course: Course, physio: User, chance: Random, day: dt.date, *, left: int
) -> None:
    """The physiotherapist looks at alerts and proposals every few days, as one with eighty
    patients does; what came up in the last days still waits for her."""
    if left > 4 and chance.random() < 0.6:
        for alert in Alert.objects.about("patient", program.patient_id).open():
            went_out("alert", alert.pk)
            alerts.acknowledge(
                alert=alert,
                by=physio,
                at=local_moment(day, dt.time(6, 15), program.patient.zone),
                kind=Alert.Outcome.CONTACTED,
                outcome="Spoke on the phone.",
            )
    if chance.random() < 0.5 or (course.clinician_waits and left < 10):
        return
    proposal = program.proposals.open().select_related("decision").first()
    if proposal is None:
        return
    at = local_moment(day, dt.time(6, 30), program.patient.zone)
    if chance.random() < 0.1:
        decline_proposal(proposal=proposal, by=physio, reason="Wait until the next visit.", at=at)
    else:
        _tick(program, proposal, physio, at)
        accept_proposal(proposal=proposal, by=physio, at=at)


def _tick(program: Program, proposal: Proposal, physio: User, at: dt.datetime) -> None:
    """What a phase after an injury waits for was looked at in the room."""
    phase = proposal.decision.step["phase"]
    if phase is not None and is_post_injury(program_for(program.patient).current_version):
        criteria = [one.slug for one in criteria_for(phase)]
        tick_criteria(program=program, phase=phase, criteria=criteria, by=physio, at=at)


def _day(program: Program, lived: Day, index: int, day: dt.date, number: int) -> None:
    program = program_for(program.patient)
    if program is None or program.status != Program.Status.ACTIVE:
        return
    zone = program.patient.zone

    def client_id(what: str) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"demo:{index}:{day}:{what}")

    if number and number % 7 == 0 and lived.morning is not None:
        _questions(program.patient, client_id("weekly"), local_moment(day, MORNING, zone))
    if number and lived.morning is not None:
        answer_morning(
            program=program,
            client_id=client_id("morning"),
            at=local_moment(day, MORNING, zone),
            **lived.morning,
        )
    if lived.red_flag is not None:
        _questions(
            program.patient,
            client_id("flag"),
            local_moment(day, NOON, zone),
            flag=lived.red_flag,
        )
        return
    program = program_for(program.patient)
    if lived.session is None or program.status != Program.Status.ACTIVE:
        return
    session = record_session(
        program=program,
        day=day,
        status=lived.session,
        client_id=client_id("session"),
        known="timed",
        at=local_moment(day, EVENING, zone),
        skip_reason=lived.skip_reason,
    )
    if lived.session != "skipped" and lived.after is not None:
        answer_after_session(
            session=session,
            client_id=client_id("after"),
            at=local_moment(day, EVENING, zone) + dt.timedelta(minutes=12),
            **lived.after,
        )


def _measures(program: Program, course: Course, index: int, day: dt.date, number: int) -> None:
    running = program_for(program.patient)
    if running is not None and running.status == Program.Status.ACTIVE:
        answer_measures(
            program=running, index=index, day=day, number=number, start_pain=course.pain
        )


def _questions(
    patient: Patient, client_id: uuid.UUID, at: dt.datetime, flag: str | None = None
) -> None:
    answers = {question.id: "no" for question in REPEATED}
    source = RedFlagScreening.Source.WEEKLY
    if flag is not None:
        answers[flag] = "yes"
        source = RedFlagScreening.Source.BUTTON
    answer_red_flags(patient=patient, answers=answers, source=source, client_id=client_id, at=at)


def digest() -> str:
    """A short fingerprint of what every patient went through, without database keys."""
    lines = []
    for patient in Patient.objects.order_by("number"):
        lines.append([patient.number, patient.name, str(patient.date_of_birth)])
        for program in patient.programs.order_by("started_on"):
            lines += [
                [v.number, v.cause, v.phase, v.reason, v.at.isoformat()]
                for v in program.versions.order_by("number")
            ]
            lines += [
                [p["version__number"], p["exercise__slug"], p["level"], p["reps"], p["hold_s"]]
                for p in program.current_version.prescriptions.values(
                    "version__number", "exercise__slug", "level", "reps", "hold_s"
                )
            ]
            lines += [[str(s.day), s.status, s.items] for s in program.sessions.order_by("day")]
            lines += [
                [d.outcome, d.rules, d.handling, d.at.isoformat()]
                for d in program.decisions.order_by("at", "pk")
            ]
        lines += [
            [c.kind, str(c.day), c.usual_pain, c.pain_during, c.soreness]
            for c in patient.check_ins.order_by("at", "pk")
        ]
        lines += [[m.title, str(m.day), m.scores] for m in patient.measures.order_by("at", "title")]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]
