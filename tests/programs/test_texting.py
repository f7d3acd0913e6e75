"""What patients report by text message, through the carrier's door, and a phone that is shared."""

import datetime as dt
import threading
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.alerts import acknowledge
from clinic.messaging import incoming
from clinic.messaging.links import token_for
from clinic.models import Alert, IncomingText, OutboxMessage, Suppression
from patients.models import CheckIn, Consent
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.answering import record_session
from programs.models import Program
from programs.today import today_for
from tests.texting import PHONE, TOKEN, post_twilio, text, twilio_fields

LONDON = ZoneInfo("Europe/London")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def carriers(settings):
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.BASE_URL = "https://steadyback.example"


@pytest.fixture
def running(make_program, patient) -> Program:
    """A program that began a week ago."""
    return make_program(patient=patient, at=timezone.now() - dt.timedelta(days=7))


def noon(days: int = 0) -> dt.datetime:
    """A moment at which no day of the patient's is about to change, by the patient's clock."""
    now = timezone.now().astimezone(LONDON)
    return now.replace(hour=12, minute=0, second=0, microsecond=0) + dt.timedelta(days=days)


def received(words: str, *, at: dt.datetime, phone: str = PHONE) -> str:
    return incoming.receive(
        carrier="twilio", reference=str(uuid.uuid4()), address=phone, words=words, at=at
    )


def raise_flag(patient, at: dt.datetime) -> None:
    answers = {question.id: "no" for question in REPEATED} | {"bladder": "yes"}
    answer_red_flags(
        patient=patient, answers=answers, source="button", client_id=uuid.uuid4(), at=at
    )


# --- done ----------------------------------------------------------------------------------------


def test_done_marks_todays_routine_as_self_reported(running):
    reply = text("Done!")
    session = running.sessions.get()
    assert (session.status, session.known) == ("done", "self_reported")
    assert reply == "Thank you, it is saved. Please tell us how it went: {link}"


@pytest.mark.parametrize("hour", [4, 12, 23])
def test_done_by_day_is_for_that_day(running, hour):
    at = noon().replace(hour=hour, minute=30)
    received("done", at=at)
    assert running.sessions.get().day == at.date()


def test_the_link_of_the_reply_opens_the_patients_page(running):
    text("done")
    message = OutboxMessage.objects.get(kind="reply")
    opened = Client().post(f"/r/{token_for(message.pk)}", follow=True)
    assert opened.status_code == 200
    assert opened.request["PATH_INFO"] == "/"


@pytest.mark.parametrize("hour", [0, 3, 4, 12, 23])
def test_done_again_changes_nothing(running, hour):
    at = noon().replace(hour=hour, minute=30)
    received("done", at=at)
    first = running.sessions.get()
    received("DONE", at=at + dt.timedelta(minutes=5))
    session = running.sessions.get()
    assert (session.pk, session.at) == (first.pk, first.at)


def test_the_same_text_again_changes_nothing(running):
    fields = twilio_fields("done")
    for _ in range(3):
        assert post_twilio(fields).status_code == 200
    assert running.sessions.count() == 1
    assert OutboxMessage.objects.filter(kind="reply").count() == 1


def test_done_in_the_night_is_for_the_evening_before(running):
    half_past_midnight = noon().replace(hour=0, minute=30)
    received("done", at=half_past_midnight)
    day = running.patient.local_date(half_past_midnight)
    local = half_past_midnight.astimezone(running.patient.zone)
    assert local.hour < 4
    assert running.sessions.get().day == day - dt.timedelta(days=1)


def test_done_in_the_night_is_for_the_new_day_where_the_evening_before_was_done(running):
    evening = noon(-1).replace(hour=20)
    received("done", at=evening)
    for minute in (30, 40):
        received("done", at=noon().replace(hour=0, minute=minute))
    day = running.patient.local_date(noon())
    assert [session.day for session in running.sessions.all()] == [
        day,
        day - dt.timedelta(days=1),
    ]


def test_done_in_the_night_takes_the_place_of_a_skipped_evening(running):
    record_session(
        program=running,
        day=running.patient.local_date(noon(-1)),
        status="skipped",
        skip_reason="time",
        client_id=uuid.uuid4(),
        known="self_reported",
        at=noon(-1).replace(hour=20),
    )
    received("done", at=noon().replace(hour=0, minute=30))
    assert running.sessions.get().status == "done"


def test_done_before_the_first_day_marks_nothing(make_program, patient):
    start = noon().date() + dt.timedelta(days=3)
    program = make_program(patient=patient, at=noon(), started_on=start)
    assert "nothing to mark" in received("done", at=noon())
    assert not program.sessions.exists()


# --- a number ------------------------------------------------------------------------------------


def test_a_number_is_kept_as_usual_pain_of_today_beside_the_mornings_questions(running):
    at = noon()
    assert received("3", at=at) == "Thank you, it is saved."
    check_in = running.patient.check_ins.get()
    assert (check_in.kind, check_in.usual_pain) == (CheckIn.Kind.TEXT, 3)
    assert check_in.day == running.patient.local_date(at)
    assert today_for(program=running, at=at).morning_due
    assert running.decisions.exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_same_pain_at_once_is_one_check_in(library, make_program, patient):
    program = make_program(patient=patient, at=timezone.now() - dt.timedelta(days=7))
    fields = twilio_fields("4")
    barrier = threading.Barrier(4)

    def bring() -> None:
        try:
            barrier.wait()
            post_twilio(fields)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert program.patient.check_ins.count() == 1
    assert OutboxMessage.objects.filter(kind="reply").count() == 1


@pytest.mark.parametrize("pain", [8, 9, 10])
def test_severe_pain_goes_the_way_of_the_pages_and_the_reply_says_nothing_of_it(
    running, physio, pain
):
    reply = received(f"pain {pain}", at=noon())
    running.refresh_from_db()
    assert running.status == Program.Status.SUSPENDED
    assert Alert.objects.get().severity == "same_day"
    assert reply == (
        "Thank you, it is saved. Please open your page now and read it: {link} "
        "In an emergency call 999."
    )


def test_a_number_without_a_program_is_read_by_the_physiotherapist(patient, physio):
    reply = text("9")
    assert "Ruth Adeyemi will read this" in reply
    assert not patient.check_ins.exists()
    alert = Alert.objects.get()
    assert alert.owner == physio
    assert "“9”" in alert.summary


# --- paused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["done", "4", "It is worse"])
def test_while_a_red_flag_is_open_nothing_is_taken_and_a_person_reads_it(running, words):
    at = noon()
    raise_flag(running.patient, at)
    check_ins = running.patient.check_ins.count()
    reply = received(words, at=at)
    assert reply == (
        "Please read your page now: {link} or call +44 20 7946 0100. In an emergency call 999."
    )
    assert not running.sessions.exists()
    assert running.patient.check_ins.count() == check_ins
    kept = IncomingText.objects.get()
    assert (kept.meaning, kept.words) == ("words", words)
    assert Alert.objects.filter(key__startswith="text:").count() == 1


def test_a_stop_and_help_work_while_exercises_are_paused(running):
    raise_flag(running.patient, noon())
    assert "999" in text("help")
    assert "no more messages" in text("stop")


# --- a phone that is shared ----------------------------------------------------------------------

QUESTION = "Who is this for? Reply A for Anna or B for Ben. In an emergency call 999."


@pytest.fixture
def family(make_patient, make_program):
    started = timezone.now() - dt.timedelta(days=7)
    anna, ben = make_patient("Anna"), make_patient("Ben")
    return (
        make_program(patient=anna, at=started).patient,
        make_program(patient=ben, at=started).patient,
    )


def test_a_family_is_asked_whose_it_is_and_the_answer_does_what_was_asked(family):
    anna, ben = family
    assert received("5", at=noon()) == QUESTION
    assert not CheckIn.objects.exists()
    reply = received("b.", at=noon() + dt.timedelta(minutes=3))
    assert reply == "Thank you, it is saved."
    assert ben.check_ins.get().usual_pain == 5
    assert not anna.check_ins.exists()
    asked, said = IncomingText.objects.order_by("pk")
    assert (asked.subject_id, said.subject_id) == (str(ben.pk), str(ben.pk))
    assert said.meaning == "who"


def test_a_second_text_while_the_question_is_open_waits_for_the_same_answer(family):
    anna, _ = family
    at = noon()
    received("done", at=at)
    assert received("4", at=at + dt.timedelta(minutes=1)) == ""
    received("Anna", at=at + dt.timedelta(minutes=2))
    assert anna.programs.get().sessions.exists()
    assert anna.check_ins.get().usual_pain == 4
    assert received("6", at=at + dt.timedelta(minutes=3)) == QUESTION


def test_without_an_answer_nothing_is_done_and_a_late_answer_is_asked_to_send_again(family):
    at = noon(-1)
    received("done", at=at)
    reply = received("A", at=at + dt.timedelta(hours=5))
    assert "send your first message once more" in reply
    assert not any(p.programs.get().sessions.exists() for p in family)
    assert not CheckIn.objects.exists()


def test_words_nobody_claims_are_read_by_all_their_physiotherapists(family):
    at = noon(-1)
    assert received("My leg feels odd", at=at) == QUESTION
    incoming.hand_on_unclaimed(at=at + dt.timedelta(hours=3))
    assert not Alert.objects.exists()
    assert incoming.hand_on_unclaimed(at=at + dt.timedelta(hours=4)) == 1
    assert incoming.hand_on_unclaimed(at=at + dt.timedelta(hours=5)) == 0
    about = set(Alert.objects.values_list("subject_id", flat=True))
    assert about == {str(patient.pk) for patient in family}
    assert "several people share" in Alert.objects.first().summary


@pytest.mark.parametrize("words", ["9", "pain 7", "8/10"])
def test_much_pain_that_nobody_claims_is_read_by_all_their_physiotherapists(
    client, family, physio, words
):
    at = noon(-1)
    assert received(words, at=at) == QUESTION
    assert incoming.hand_on_unclaimed(at=at + dt.timedelta(hours=3)) == 0
    for hours, handed_on in ((4, 1), (5, 0)):
        assert incoming.hand_on_unclaimed(at=at + dt.timedelta(hours=hours)) == handed_on
    assert not CheckIn.objects.exists()
    assert [alert.severity for alert in Alert.objects.all()] == ["soon", "soon"]
    assert {alert.subject_id for alert in Alert.objects.all()} == {str(p.pk) for p in family}
    client.force_login(physio)
    for patient in family:
        page = client.get(reverse("admin:patient", args=[patient.pk])).content.decode()
        assert f"“{words}”" in page and "Mark as answered" in page


@pytest.mark.parametrize("words", ["6", "0", "done"])
def test_what_needs_nobody_and_nobody_claims_stands_in_the_time_line_without_an_alert(
    client, family, physio, words
):
    at = noon(-1)
    received(words, at=at)
    assert incoming.hand_on_unclaimed(at=at + dt.timedelta(hours=4)) == 0
    assert not Alert.objects.exists()
    client.force_login(physio)
    for patient in family:
        page = client.get(reverse("admin:patient", args=[patient.pk])).content.decode()
        assert f"“{words}”" in page and "from a phone that several people share" in page


def test_a_number_that_somebody_claims_is_theirs_and_stands_in_nobody_elses_time_line(
    client, family, physio
):
    _, ben = family
    received("7", at=noon())
    received("A", at=noon() + dt.timedelta(minutes=1))
    assert incoming.hand_on_unclaimed(at=noon(1)) == 0
    client.force_login(physio)
    page = client.get(reverse("admin:patient", args=[ben.pk])).content.decode()
    assert "“7”" not in page


def test_a_number_of_weeks_ago_is_not_handed_on_anew(family):
    received("9", at=noon(-20))
    assert incoming.hand_on_unclaimed(at=noon()) == 0
    assert not Alert.objects.exists()


def test_words_somebody_claims_are_read_by_theirs_only(family):
    anna, _ = family
    received("My leg feels odd", at=noon())
    assert "will read this" in received("A", at=noon() + dt.timedelta(minutes=1))
    assert Alert.objects.get().subject_id == str(anna.pk)
    assert incoming.hand_on_unclaimed(at=noon(1)) == 0


def test_a_stop_from_a_shared_phone_stops_it_for_everybody_at_once(family):
    reply = text("STOP")
    assert reply.startswith("Harbour Street: done. Nobody on this number gets messages")
    assert Suppression.objects.in_force().filter(address=PHONE, by_owner=True).exists()
    assert not Consent.objects.active().filter(purpose="sms").exists()


def test_each_of_a_family_starts_again_for_themselves(family):
    anna, ben = family
    received("STOP", at=noon())
    assert received("START", at=noon() + dt.timedelta(minutes=1)) == QUESTION
    assert not Consent.objects.active().filter(purpose="sms").exists()
    received("A", at=noon() + dt.timedelta(minutes=2))
    assert Consent.objects.active().filter(purpose="sms", patient=anna).exists()
    assert not Consent.objects.active().filter(purpose="sms", patient=ben).exists()
    assert not Suppression.objects.in_force().filter(address=PHONE).exists()


def test_a_family_that_has_changed_since_reads_the_question_anew(family, make_patient):
    anna, ben = family
    at = noon()
    received("5", at=at)
    anna.contact_points.filter(channel="sms").delete()
    make_patient("Carla")
    assert received("A", at=at + dt.timedelta(minutes=1)) == (
        "Who is this for? Reply A for Ben or B for Carla. In an emergency call 999."
    )
    assert not CheckIn.objects.exists()
    received("A", at=at + dt.timedelta(minutes=2))
    assert ben.check_ins.get().usual_pain == 5


def test_two_of_the_same_name_are_told_apart_by_the_family_name(make_patient):
    make_patient("Hans", family_name="Maier")
    make_patient("Hans", family_name="Weber")
    assert "A for Hans M. or B for Hans W." in text("hello")


def test_a_family_nobody_can_tell_apart_is_read_by_a_person(make_patient):
    make_patient("Hans", family_name="Maier")
    make_patient("Hans", family_name="Meier")
    assert "will read this" in text("7")
    assert Alert.objects.filter(key__startswith="text:").count() == 2
    assert not CheckIn.objects.exists()


def test_a_letter_from_somebody_alone_is_words(patient):
    assert "will read this" in text("A")


# --- answered ------------------------------------------------------------------------------------


def test_answering_a_text_closes_it_those_before_it_and_its_alert(patient, physio):
    text("My knee hurts")
    text("Since Monday")
    alert = Alert.objects.get()
    newest = IncomingText.objects.order_by("-pk").first()
    page = f"/clinic/patients/{patient.pk}/"
    client = Client()
    client.force_login(physio)
    shown = client.get(page).content.decode()
    assert "My knee hurts" in shown
    assert "Since Monday" in shown
    answered = client.post(
        f"{page}texts/{newest.pk}/answered/", {"outcome": "Called back"}, follow=True
    )
    assert answered.status_code == 200
    assert not IncomingText.objects.filter(answered_at=None).exists()
    assert IncomingText.objects.filter(answered_by=physio).count() == 2
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.outcome) == (physio, "Called back")


def test_a_text_that_came_while_the_page_was_open_stays_to_be_answered(patient, physio):
    text("My knee hurts")
    first = IncomingText.objects.get()
    acknowledge(alert=Alert.objects.get(), by=physio, at=timezone.now())
    text("And my back is numb")
    client = Client()
    client.force_login(physio)
    client.post(f"/clinic/patients/{patient.pk}/texts/{first.pk}/answered/")
    assert IncomingText.objects.filter(answered_at=None).get().words == "And my back is numb"
    assert Alert.objects.open().count() == 1


def test_the_front_desk_reads_no_text_and_answers_none(patient, front_desk):
    text("My knee hurts")
    pk = IncomingText.objects.get().pk
    client = Client()
    client.force_login(front_desk)
    page = f"/clinic/patients/{patient.pk}/"
    assert "My knee hurts" not in client.get(page).content.decode()
    assert client.post(f"{page}texts/{pk}/answered/").status_code == 403


def test_a_text_is_answered_on_its_own_patients_page_only(patient, make_patient, physio):
    text("My knee hurts")
    other = make_patient("Olga", phone="+447700900777")
    client = Client()
    client.force_login(physio)
    pk = IncomingText.objects.get().pk
    response = client.post(f"/clinic/patients/{other.pk}/texts/{pk}/answered/")
    assert response.status_code == 404
