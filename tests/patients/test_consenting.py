"""Yes and no to messages: who said it, how, and who cannot take it back."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from clinic.messaging import outbox, stopping
from clinic.models import OutboxMessage, Suppression
from clinic.signals import address_started
from patients import consent_wordings
from patients.choosing import want_reminders
from patients.consenting import (
    give_consent,
    own_no,
    start_messages,
    stop_messages,
    withdraw_consent,
)
from patients.contacting import remove_contact_point
from patients.models import Consent, ContactPoint, Refusal
from patients.registering import add_contact_point
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
PHONE = "+447700900123"
Status = OutboxMessage.Status


def waiting(patient, channel="sms", address=PHONE, kind="routine_reminder"):
    return outbox.queue_message(
        key=f"{kind}:{patient.pk}:{channel}:{address}",
        kind=kind,
        channel=channel,
        body="Your ten minutes {link}",
        subject_type="patient",
        subject_id=patient.pk,
        address=address,
        due_at=MONDAY,
        expires_at=MONDAY + 9 * HOUR,
        at=MONDAY,
    )


def fate(message):
    message.refresh_from_db()
    return message.status, message.reason


def has_yes(patient, channel="sms"):
    return Consent.objects.active().filter(patient=patient, purpose=channel).exists()


def closed(address=PHONE, channel="sms"):
    return Suppression.objects.in_force().filter(channel=channel, address=address).exists()


@pytest.fixture
def family(make_patient):
    """Two patients who share a telephone."""
    return make_patient("Ana"), make_patient("Ben")


# --- the patient's own no ----------------------------------------------------------------------


def test_given_a_no_on_the_page_then_yes_ends_the_address_closes_and_what_waits_stays(patient):
    message = waiting(patient)
    assert stop_messages(
        patient=patient, channel="sms", at=MONDAY + HOUR, way="web", by=patient.user
    )
    consent = patient.consents.get(purpose="sms")
    assert (consent.withdrawn_at, consent.withdrawn_way) == (MONDAY + HOUR, "web")
    assert consent.withdrawn_by == patient.user
    assert fate(message)[0] == Status.SUPPRESSED
    assert "The patient said no to text messages." in fate(message)[1]
    assert closed()
    assert has_yes(patient, "email"), "the other channel goes on"
    again = stop_messages(patient=patient, channel="sms", at=MONDAY, way="web", by=patient.user)
    assert not again, "saying it twice is no news"


def test_given_a_patient_without_sign_in_then_a_stop_by_text_says_it_was_the_patient(
    make_patient,
):
    patient = make_patient()
    # Registered before everybody with a telephone could sign in.
    patient.user = None
    patient.save()
    stop_messages(patient=patient, channel="sms", at=MONDAY, way="text")
    consent = patient.consents.get(purpose="sms")
    assert (consent.withdrawn_by, consent.withdrawn_way) == (None, "text")
    anew = start_messages(patient=patient, channel="sms", at=MONDAY + HOUR, way="text")
    assert (anew.recorded_by, anew.way) == (None, "text")
    assert anew.wording_version == consent_wordings.CURRENT


def test_given_a_shared_phone_then_one_no_leaves_the_other_person_their_messages(family):
    ana, ben = family
    hers, his = waiting(ana), waiting(ben)
    stop_messages(patient=ana, channel="sms", at=MONDAY, way="web", by=ana.user)
    assert fate(hers)[0] == Status.SUPPRESSED
    assert fate(his) == (Status.DUE, "")
    assert not closed() and has_yes(ben) and not has_yes(ana)
    stop_messages(patient=ben, channel="sms", at=MONDAY, way="web", by=ben.user)
    assert fate(his)[0] == Status.SUPPRESSED
    assert closed(), "nobody is left who wants them"
    start_messages(patient=ana, channel="sms", at=MONDAY + HOUR, way="web", by=ana.user)
    assert not closed() and has_yes(ana)
    assert not has_yes(ben), "her yes is not his"


def test_given_no_yes_ever_then_a_no_still_stands_against_staff(make_patient, physio):
    patient = make_patient(consents=["record"])
    assert stop_messages(patient=patient, channel="sms", at=MONDAY, way="text")
    with pytest.raises(ValidationError):
        give_consent(patient=patient, purpose="sms", way="paper", by=physio, at=MONDAY + HOUR)


@pytest.mark.parametrize(
    ("way", "who"), [("web", "physio"), ("web", None), ("text", "physio"), ("link", "other")]
)
def test_given_somebody_else_then_the_patients_own_no_and_yes_are_not_theirs(
    patient, make_patient, physio, way, who
):
    by = {"physio": physio, None: None, "other": make_patient("Ben").user}[who]
    for verb in (stop_messages, start_messages):
        with pytest.raises(PermissionDenied):
            verb(patient=patient, channel="sms", at=MONDAY, way=way, by=by)
    assert has_yes(patient) and not Refusal.objects.exists()


def test_given_a_way_that_staff_write_down_then_it_is_not_the_patients_own(patient):
    with pytest.raises(ValueError, match="own hand"):
        stop_messages(patient=patient, channel="sms", at=MONDAY, way="paper", by=patient.user)


# --- staff against a patient's no --------------------------------------------------------------


def test_given_a_patients_no_then_no_way_of_staff_undoes_it(patient, physio):
    stop_messages(patient=patient, channel="sms", at=MONDAY + HOUR, way="web", by=patient.user)
    said = (
        "Ana said no to text messages on 2 March 2026. Only Ana can turn them on again, on the "
        "page “My reminders” or by texting START."
    )
    with pytest.raises(ValidationError, match=said):
        give_consent(patient=patient, purpose="sms", way="in_person", by=physio, at=MONDAY + HOUR)
    point = patient.contact_points.get(channel="sms")
    want_reminders(point=point, wanted=False, by=physio, at=MONDAY + HOUR)
    with pytest.raises(ValidationError, match=said):
        want_reminders(point=point, wanted=True, by=physio, at=MONDAY + HOUR)
    # Another number, or the same one once more, changes nothing about the person's no.
    remove_contact_point(point=point, by=physio, at=MONDAY + HOUR)
    for number in (PHONE, "+447700900456"):
        add_contact_point(patient=patient, channel="sms", address=number, by=physio)
        with pytest.raises(ValidationError, match=said):
            give_consent(patient=patient, purpose="sms", way="paper", by=physio, at=MONDAY + HOUR)
    assert not has_yes(patient)
    assert start_messages(
        patient=patient, channel="sms", at=MONDAY + 2 * HOUR, way="web", by=patient.user
    )
    assert own_no(patient=patient, channel="sms") is None


def test_given_a_number_whose_owner_said_no_then_a_newcomer_has_to_say_yes_alone(
    make_patient, physio
):
    first = make_patient("Ana")
    stop_messages(patient=first, channel="sms", at=MONDAY, way="text")
    second = make_patient("Ben", consents=["record", "email"])
    with pytest.raises(ValidationError, match="The owner of this number said no"):
        give_consent(patient=second, purpose="sms", way="paper", by=physio, at=MONDAY)
    start_messages(patient=second, channel="sms", at=MONDAY + HOUR, way="web", by=second.user)
    assert has_yes(second) and not has_yes(first)
    with pytest.raises(ValidationError, match="Only Ana"):
        give_consent(patient=first, purpose="sms", way="paper", by=physio, at=MONDAY + HOUR)


def test_given_staff_wrote_the_no_down_then_they_may_write_a_new_yes(patient, physio):
    message = waiting(patient)
    assert withdraw_consent(patient=patient, purpose="sms", by=physio, at=MONDAY)
    assert fate(message) == (
        Status.SUPPRESSED,
        "The patient withdrew consent to these reminders.",
    )
    consent = patient.consents.get(purpose="sms")
    assert (consent.withdrawn_by, consent.withdrawn_way) == (physio, "in_person")
    give_consent(patient=patient, purpose="sms", way="paper", by=physio, at=MONDAY + HOUR)
    assert has_yes(patient)


def test_given_a_patient_or_a_way_of_their_own_then_staffs_verbs_refuse(patient, physio):
    for verb in (give_consent, withdraw_consent):
        with pytest.raises(PermissionDenied):
            verb(patient=patient, purpose="sms", way="paper", by=patient.user, at=MONDAY)
        with pytest.raises(ValidationError, match="in person or on paper"):
            verb(patient=patient, purpose="sms", way="text", by=physio, at=MONDAY)


# --- stop and start from outside ---------------------------------------------------------------


def test_given_the_owner_of_a_phone_says_stop_then_everybody_there_is_stopped(family):
    ana, ben = family
    messages = [waiting(ana), waiting(ben)]
    assert stopping.stop(
        channel="sms", address=PHONE, at=MONDAY, way="text", reason="STOP by text."
    )
    assert [fate(message)[0] for message in messages] == [Status.SUPPRESSED] * 2
    assert not has_yes(ana) and not has_yes(ben)
    assert {refusal.patient for refusal in Refusal.objects.in_force()} == {ana, ben}


def test_given_one_of_a_family_says_stop_then_the_address_stays_open(family):
    ana, ben = family
    hers, his = waiting(ana), waiting(ben)
    whole = stopping.stop(
        channel="sms",
        address=PHONE,
        at=MONDAY,
        way="text",
        reason="STOP by text.",
        subject=("patient", str(ana.pk)),
    )
    assert not whole and not closed()
    assert (fate(hers)[0], fate(his)[0]) == (Status.SUPPRESSED, Status.DUE)
    assert not has_yes(ana) and has_yes(ben)


def test_given_a_start_by_text_then_only_who_had_said_stop_gets_messages_again(
    make_patient, physio
):
    ana, ben, cleo = (make_patient(name) for name in ("Ana", "Ben", "Cleo"))
    stop_messages(patient=ana, channel="sms", at=MONDAY, way="text")
    withdraw_consent(patient=ben, purpose="sms", by=physio, at=MONDAY)
    address_started.send(None, channel="sms", address=PHONE, at=MONDAY + HOUR, way="text")
    assert has_yes(ana) and has_yes(cleo) and not has_yes(ben)
    assert ana.consents.active().get(purpose="sms").way == "text"
    refusal = ana.refusals.get()
    assert (refusal.lifted_at, refusal.lifted_way) == (MONDAY + HOUR, "text")


def test_given_one_of_a_family_says_start_then_only_that_one_gets_messages_again(family):
    ana, ben = family
    stopping.stop(channel="sms", address=PHONE, at=MONDAY, way="text", reason="STOP by text.")
    outbox.lift_suppression(channel="sms", address=PHONE, at=MONDAY + HOUR)
    address_started.send(
        None,
        channel="sms",
        address=PHONE,
        at=MONDAY + HOUR,
        way="text",
        subject=("patient", str(ben.pk)),
    )
    assert has_yes(ben) and not has_yes(ana)


def test_given_a_mail_unsubscribed_in_another_spelling_then_it_is_the_same_person(make_patient):
    patient = make_patient(email="ana@example.org")
    ContactPoint.objects.filter(channel="email").update(address="Ana@Example.org")
    assert stopping.stop(
        channel="email", address=" ANA@example.org", at=MONDAY, way="link", reason="By a link."
    )
    consent = patient.consents.get(purpose="email")
    assert (consent.withdrawn_way, consent.withdrawn_by) == ("link", patient.user)


def test_given_an_address_that_is_nobodys_then_a_stop_and_a_start_find_nobody(patient):
    stopping.stop(channel="sms", address="+447700900999", at=MONDAY, way="text", reason="STOP")
    address_started.send(None, channel="sms", address="+447700900999", at=MONDAY, way="text")
    assert has_yes(patient) and not Refusal.objects.exists()


# --- what the database itself keeps ------------------------------------------------------------


@pytest.mark.database
@pytest.mark.parametrize(
    "change",
    [
        {"withdrawn_at": MONDAY},
        {"withdrawn_at": MONDAY, "withdrawn_way": "web"},
        {"withdrawn_way": "text"},
        {"recorded_by": None},
        {"recorded_by": None, "way": "web"},
    ],
)
def test_given_a_yes_or_no_of_nobody_then_the_database_refuses_it(patient, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        patient.consents.filter(purpose="sms").update(**change)


@pytest.mark.database
@pytest.mark.parametrize(
    "fields", [{"way": "in_person"}, {"way": "web", "lifted_at": MONDAY, "lifted_way": "paper"}]
)
def test_given_a_refusal_that_staff_would_write_then_the_database_refuses_it(patient, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Refusal.objects.create(patient=patient, channel="sms", said_at=MONDAY, **fields)


@pytest.mark.parametrize("purpose", Consent.Purpose.values)
def test_given_a_purpose_then_todays_wording_of_it_can_be_shown(purpose):
    found = consent_wordings.wording(purpose)
    assert found.text and found.version == consent_wordings.CURRENT
    assert consent_wordings.wording(purpose, "1999-01") is None


def test_given_todays_wordings_then_the_documentation_shows_the_same():
    page = (Path(__file__).parents[2] / "docs" / "consent.md").read_text()
    assert f"version {consent_wordings.CURRENT}" in page
    for purpose in Consent.Purpose.values:
        found = consent_wordings.wording(purpose)
        assert f"**{found.title}.** {found.text}" in page
