"""A patient's record: whole or not at all, reachable, and with the consent that was given."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from clinic.models import User
from patients.consenting import give_consent, withdraw_consent
from patients.models import Consent, ContactPoint, IntakeScreening, Patient
from patients.red_flags import QUESTIONS
from patients.registering import (
    record_intake,
    register_patient,
)
from patients.screening import IntakeAnswers
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db


def register(site, physio, **fields) -> Patient:
    return register_patient(
        **{
            "site": site,
            "physiotherapist": physio,
            "given_name": "Ana",
            "family_name": "Morales",
            "by": physio,
            "at": MONDAY,
            **fields,
        }
    )


def test_a_patient_gets_a_number_a_zone_and_a_way_to_sign_in(site, physio):
    first = register(site, physio, email="Ana@Example.org", phone="07700 900123")
    second = register(site, physio, given_name="Ben")
    assert (first.number, second.number) == ("P-00001", "P-00002")
    assert first.time_zone == "Europe/London"
    assert first.user.email == "ana@example.org" and not first.user.has_usable_password()
    assert {p.address for p in first.contact_points.all()} == {"ana@example.org", "+447700900123"}
    assert second.user is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"given_name": " "}, "given_name"),
        ({"email": "not an address"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"date_of_birth": dt.date(2031, 1, 1)}, "date_of_birth"),
        ({"date_of_birth": dt.date(1850, 1, 1)}, "date_of_birth"),
        ({"reminder_time": dt.time(3)}, "reminder_time"),
    ],
)
def test_what_cannot_be_right_is_refused_by_field_and_nothing_is_made(site, physio, fields, named):
    before = (Patient.objects.count(), User.objects.count(), ContactPoint.objects.count())
    with pytest.raises(ValidationError) as refused:
        register(site, physio, **fields)
    assert named in refused.value.message_dict
    assert (Patient.objects.count(), User.objects.count(), ContactPoint.objects.count()) == before


def test_an_address_belongs_to_one_person_whatever_its_case(site, physio):
    register(site, physio, email="ana@example.org")
    with pytest.raises(ValidationError, match="has this address already"):
        register(site, physio, email="ANA@example.org")


def test_only_staff_make_records(site, physio, patient):
    with pytest.raises(PermissionDenied):
        register(site, physio, by=patient.user)


@pytest.mark.database
def test_consent_keeps_wording_way_and_person_and_a_no_ends_it(site, physio):
    patient = register(site, physio)
    consent = give_consent(patient=patient, purpose="sms", way="paper", by=physio, at=MONDAY)
    assert (consent.wording_version, consent.recorded_by) == ("2026-12", physio)
    assert (
        give_consent(patient=patient, purpose="sms", way="paper", by=physio, at=MONDAY) == consent
    )
    assert withdraw_consent(patient=patient, purpose="sms", by=physio, at=MONDAY)
    assert not Consent.objects.active().filter(patient=patient).exists()
    again = give_consent(patient=patient, purpose="sms", way="in_person", by=physio, at=MONDAY)
    assert again != consent, "a new yes is a new row"


def answers(**fields) -> IntakeAnswers:
    return IntakeAnswers(
        **{
            "pain_now": 4,
            "usual_pain": 4,
            "pain_weeks": 8,
            "sitting_hours": 8,
            "stress": 4,
            "sleep": 6,
            "feels_safe": 6,
            "recent_injury": False,
            **fields,
        }
    )


def no_flags() -> dict[str, str]:
    return {question.id: "no" for question in QUESTIONS}


def test_an_intake_ends_in_an_explained_suggestion_never_in_a_program(patient, physio):
    intake = record_intake(
        patient=patient, answers=answers(), red_flag_answers=no_flags(), by=physio, at=MONDAY
    )
    assert (intake.suggestion["pathway"], intake.suggestion["template"]) == ("desk", "desk")
    assert intake.suggestion["reasons"]
    assert not patient.programs.exists()


def test_a_red_flag_in_the_intake_opens_at_once(patient, physio):
    record_intake(
        patient=patient,
        answers=answers(),
        red_flag_answers=no_flags() | {"infection": "not_sure"},
        by=physio,
        at=MONDAY,
    )
    assert patient.red_flags.open().get().severity == "same_day"


def test_an_intake_with_a_hole_or_nonsense_is_refused_whole(patient, physio):
    for bad in (
        {"answers": answers(sitting_hours=30), "red_flag_answers": no_flags()},
        {"answers": answers(goals=("fly",)), "red_flag_answers": no_flags()},
        {"answers": answers(), "red_flag_answers": {}},
    ):
        with pytest.raises(ValidationError):
            record_intake(patient=patient, by=physio, at=MONDAY, **bad)
    assert not IntakeScreening.objects.exists()
