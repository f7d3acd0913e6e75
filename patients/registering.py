"""Making a patient's record: person, contact points and intake screening."""

import datetime as dt
import uuid
from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import IntegerField, Max
from django.db.models.functions import Cast, Substr
from django.utils.formats import date_format

from clinic.models import Role, Site, User
from clinic.models.messaging import Channel
from patients import red_flagging, screening
from patients.choosing import check_reminder_time
from patients.models import ContactPoint, IntakeScreening, Patient, RedFlagScreening
from patients.red_flags import QUESTIONS, assess

_NUMBER_LOCK = 7_301


@transaction.atomic
def register_patient(
    *,
    site: Site,
    physiotherapist: User,
    given_name: str,
    family_name: str,
    by: User,
    at: dt.datetime,
    email: str = "",
    phone: str = "",
    date_of_birth: dt.date | None = None,
    time_zone: str = "",
    language: str = "en",
    reminder_time: dt.time | None = None,
    number: str = "",
    refuse_namesake: bool = False,
) -> Patient:
    """Make a record, its contact points and, with an e-mail address, the way to sign in.

    With ``refuse_namesake`` somebody of the same name at a site of ``by`` stands in the way: most
    often it is the same person, or the same form sent twice. Raises ValidationError with a message
    per field, and then nothing is made.
    """
    _must_be_staff(by)
    email = email.strip().lower()
    patient = build_patient(
        site=site,
        physiotherapist=physiotherapist,
        given_name=given_name,
        family_name=family_name,
        date_of_birth=date_of_birth,
        time_zone=time_zone,
        language=language,
        reminder_time=reminder_time,
        number=number or next_number(),
        at=at,
    )
    patient.full_clean(exclude=["user"])
    # After the number was taken: who registers the same person at this moment has come to an end.
    if refuse_namesake and (known := _namesake(patient, by)):
        born = f", born {date_format(known.date_of_birth)}" if known.date_of_birth else ""
        raise ValidationError(
            {"somebody_else": f"{known.name} is here already: {known.number}{born}."}
        )
    if email:
        patient.user = _account_with(email, patient.name)
    patient.save()
    if email:
        add_contact_point(
            patient=patient, channel=Channel.EMAIL, address=email, by=by, at_hour=reminder_time
        )
    if phone:
        add_contact_point(
            patient=patient, channel=Channel.SMS, address=phone, by=by, at_hour=reminder_time
        )
    return patient


def _namesake(patient: Patient, by: User) -> Patient | None:
    """The newest patient of the same name whom ``by`` may know of."""
    return (
        Patient.objects.visible_to(by)
        .filter(
            given_name__iexact=patient.given_name.strip(),
            family_name__iexact=patient.family_name.strip(),
        )
        .order_by("-created_at")
        .first()
    )


def build_patient(
    *,
    site: Site,
    physiotherapist: User,
    given_name: str,
    family_name: str,
    number: str,
    at: dt.datetime,
    date_of_birth: dt.date | None = None,
    time_zone: str = "",
    language: str = "en",
    reminder_time: dt.time | None = None,
) -> Patient:
    """A record that is not kept yet, as far as it can be checked without the database.

    Raises ValidationError with a message per field.
    """
    if not physiotherapist.is_clinician:
        raise ValidationError({"physiotherapist": "Choose a physiotherapist."})
    if date_of_birth and date_of_birth >= at.date():
        raise ValidationError({"date_of_birth": "The date of birth lies in the future."})
    if date_of_birth and date_of_birth.year < at.year - 120:
        raise ValidationError({"date_of_birth": "The date of birth is too long ago."})
    if reminder_time is not None:
        check_reminder_time(site, reminder_time)
    check_language(language)
    patient = Patient(
        number=number,
        site=site,
        physiotherapist=physiotherapist,
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        date_of_birth=date_of_birth,
        time_zone=time_zone or site.time_zone,
        language=language,
        created_at=at,
    )
    patient.clean_fields(exclude=["user", "site", "physiotherapist"])
    return patient


def first_hour(site: Site) -> dt.time:
    """When the first reminder of a day goes to an address for which nobody said an hour."""
    return max(ContactPoint._meta.get_field("reminder_time").default, site.quiet_start)


def _account_with(email: str, name: str) -> User:
    """The account of a new patient: a new one, or the one they have as somebody's carer."""
    known = User.objects.with_email(email)
    if known is None:
        return User.objects.create_user(email, name=name, role=Role.PATIENT)
    if known.role != Role.CARER:
        raise ValidationError({"email": "Somebody in this practice has this address already."})
    known.role, known.name, known.is_active = Role.PATIENT, name, True
    known.save(update_fields=["role", "name", "is_active"])
    return known


def check_language(language: str) -> None:
    """Refuse a language in which there are no words for messages."""
    if language not in dict(settings.LANGUAGES):
        known = ", ".join(name for _, name in settings.LANGUAGES)
        raise ValidationError({"language": f"Messages can be written in: {known}."})


def next_number() -> str:
    """The next free patient number, such as P-00042. Call inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NUMBER_LOCK])
    highest = Patient.objects.filter(number__regex=r"^P-\d{1,9}$").aggregate(
        highest=Max(Cast(Substr("number", 3), IntegerField()))
    )["highest"]
    return f"P-{(highest or 0) + 1:05d}"


@transaction.atomic
def add_contact_point(
    *,
    patient: Patient,
    channel: str,
    address: str,
    by: User,
    reminders: bool = True,
    at_hour: dt.time | None = None,
) -> ContactPoint:
    """Add an address; a telephone number is kept in its international form.

    Without ``at_hour`` reminders go there at the hour and on the days of the first address.
    """
    _must_be_staff(by)
    point = ContactPoint(patient=patient, channel=channel, address=address, reminders=reminders)
    first = patient.contact_points.first()
    if at_hour is not None:
        point.reminder_time = at_hour
    elif first is not None:
        point.reminder_time, point.reminder_days = first.reminder_time, first.reminder_days
    else:
        point.reminder_time = first_hour(patient.site)
    try:
        point.full_clean()
    except ValidationError as error:
        field = "email" if channel == Channel.EMAIL else "phone"
        raise ValidationError({field: error.messages}) from error
    point.save()
    if patient.user is None:
        # Whoever can be reached can be sent a code.
        patient.user = User.objects.create_user(None, name=patient.name, role=Role.PATIENT)
        patient.save(update_fields=["user"])
    return point


@transaction.atomic
def record_intake(
    *,
    patient: Patient,
    answers: screening.IntakeAnswers,
    red_flag_answers: Mapping[str, str],
    by: User,
    at: dt.datetime,
) -> IntakeScreening:
    """Keep a screening whole, with what it suggests. A raised red flag opens at once.

    Raises ValidationError for answers that cannot be right. Nothing is assigned here.
    """
    _must_be_staff(by)
    found = screening.problems(answers)
    if found:
        raise ValidationError(found)
    try:
        assessment = assess(red_flag_answers, questions=QUESTIONS)
    except ValueError as error:
        raise ValidationError({"red_flags": str(error)}) from error
    intake = IntakeScreening.objects.create(
        patient=patient,
        answers=answers.as_dict(),
        red_flag_answers=dict(red_flag_answers),
        suggestion=screening.suggest(answers, review=assessment.review).as_dict(),
        taken_at=at,
        taken_by=by,
    )
    red_flagging.answer_red_flags(
        patient=patient,
        answers=red_flag_answers,
        source=RedFlagScreening.Source.INTAKE,
        client_id=uuid.uuid5(uuid.NAMESPACE_URL, f"intake:{intake.pk}"),
        at=at,
        questions=QUESTIONS,
    )
    return intake


def _must_be_staff(by: User) -> None:
    if not by.is_staff:
        raise PermissionDenied("Only staff may do this.")
