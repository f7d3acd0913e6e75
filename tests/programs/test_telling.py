"""A changed routine is told by message: from the editor's box to the outbox and out of it."""

import datetime as dt
import uuid

import pytest
import time_machine
from django.urls import reverse

from clinic.messaging import links, stopping
from clinic.models import AccessRecord, OutboxMessage
from clinic.models.messaging import Channel
from patients.choosing import choose_reminders
from patients.consenting import give_consent, withdraw_consent
from patients.models import Consent
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs import reminder_reasons as why
from programs import reminders, telling
from programs.adjusting import Change, adjust_program, end_program
from programs.models import Proposal
from programs.proposals import accept_proposal
from programs.undoing import undo_answer
from tests.conftest import MONDAY
from tests.living import live_well, report_session
from tests.programs.at_the_desk import NO_TO_ALL, at_address, fresh
from tests.reading import html_of, sent_by, words

Kind, Status = OutboxMessage.Kind, OutboxMessage.Status
HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR
NOON = MONDAY + 4 * HOUR
NIGHT = MONDAY + 14 * HOUR
MORNING = MONDAY + DAY
pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client, physio, program):
    """The second step of the editor at a moment, as a browser sends it; ``tell`` None leaves the
    box alone."""
    client.force_login(physio)
    address = at_address("patient_change", program)

    def send(at=NOON, *, step="issue", tell=None, query="", sets="3", **changes):
        with time_machine.travel(at, tick=False):
            form = client.get(address + query).context["form"]
            first = {"version": form.version.number, "order": list(form.own)}
            first |= sent_by(form) | {"deep-core-hold.sets": sets} | changes
            review = client.post(address + query, first)
            if step == "review":
                return review
            issue = review.context["form"]
            second = {**first, **sent_by(issue), "reason": "Ready for it.", "step": step}
            if "tell" in issue.fields:
                ticked = issue["tell"].value() if tell is None else tell
                second["tell"] = ["false", "on"] if ticked else ["false"]
            elif tell:
                second["tell"] = "on"
            return client.post(address + query, second, follow=True)

    return send


def notices() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(kind=Kind.ROUTINE_CHANGED).order_by("key"))


def fates() -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in notices()]


def objections(at: dt.datetime = NOON) -> set[str]:
    found = reminders.objections(messages=notices(), at=at)
    return {found.get(one.pk, "") for one in notices()}


# --- what the editor writes --------------------------------------------------------------------


def test_given_the_box_is_left_alone_then_each_way_has_one_notice_that_is_due_now(editor, program):
    review = editor(step="review")
    assert "Tell Ana by message that the routine has changed" in words(review)
    assert "By e-mail and text message, now." in words(review)
    response = editor()
    assert "Version 2 is in force. Ana is told by e-mail and text message, now." in words(response)
    mail, text = notices()
    assert [mail.key, text.key] == [
        f"routine_changed:{program.pk}:2:{channel}" for channel in ("email", "sms")
    ]
    for one in (mail, text):
        assert (one.status, one.due_at, one.expires_at) == (Status.DUE, NOON, NOON + 2 * DAY)
        assert (one.subject_type, one.subject_id) == ("patient", str(program.patient_id))
        assert "{link}" in one.text.body and one.link_expires_at >= one.expires_at
        assert not {"Deep core hold", "sets", "Ready"} & set(one.text.body.split())
    assert mail.text.subject_line == "Your routine has changed"
    assert "{stop_link}" in mail.text.body
    assert text.text.body.startswith("Harbour Street: Your routine has changed {link}")
    assert objections() == {""}


def test_given_another_language_then_the_notice_is_in_it(editor, patient):
    patient.language = "de"
    patient.save()
    editor()
    assert notices()[0].text.subject_line == "Ihre Routine hat sich geändert"


def test_given_the_box_is_not_ticked_then_nobody_is_written_to(editor, program):
    response = editor(tell=False)
    assert fresh(program).current_version.number == 2
    assert "is told" not in words(response) and notices() == []


def test_given_a_brake_alone_then_the_box_begins_without_a_tick(editor):
    review = editor(step="review", sets="2", lock="no_progress")
    assert review.context["form"]["tell"].value() is False
    assert 'name="tell" id="id_tell" checked' not in html_of(review)
    editor(sets="2", lock="no_progress")
    assert notices() == []


def test_given_somebody_goes_back_then_the_box_stays_as_it_was_left(editor, client, program):
    back = editor(step="back", tell=False)
    assert ("tell", "false") in back.context["typed"]
    form = back.context["form"]
    again = {"version": 1, "order": list(form.own), **sent_by(form), **dict(back.context["typed"])}
    review = client.post(at_address("patient_change", program), again)
    assert review.context["form"]["tell"].value() is False


def test_given_the_request_comes_twice_then_one_notice(editor, program):
    editor()
    version = fresh(program).current_version
    with time_machine.travel(NOON, tick=False):
        assert telling.tell_of_change(version=version, at=NOON) == []
    assert len(notices()) == 2


def test_given_a_change_that_is_refused_then_no_notice(editor, client, program):
    refused = editor(**{"dead-bug.level": "2"})
    assert refused.status_code == 400
    assert notices() == []


def test_given_another_step_than_the_proposed_then_it_is_told_too(editor, program):
    live_well(program, 0, 9)
    proposal = Proposal.objects.open().get(program=program)
    editor(NOON + 10 * DAY, query=f"?proposal={proposal.pk}")
    assert {one.key.split(":")[2] for one in notices()} == {"2"}


# --- when --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "due_at"),
    [
        (MONDAY, MONDAY),
        (MONDAY - HOUR, MONDAY),
        (NIGHT, MORNING),
        # The last look might come after nine.
        (MONDAY + 12.75 * HOUR, MORNING),
    ],
)
def test_given_quiet_hours_then_the_notice_waits_for_the_next_allowed_hour(editor, at, due_at):
    editor(at)
    assert {one.due_at for one in notices()} == {due_at}
    assert {one.local_date for one in notices()} == {due_at.date()}
    assert objections(due_at) == {""}
    assert objections(MONDAY + 14 * HOUR) == {why.OUTSIDE_HOURS}


def test_given_the_patient_lives_elsewhere_then_their_clocks_count(editor, patient):
    patient.time_zone = "America/Los_Angeles"
    patient.save()
    review = editor(MONDAY + 6 * HOUR, step="review")
    assert "on Mon 2 Mar at 08:00 of the patient’s own time" in words(review)
    editor(MONDAY + 6 * HOUR)
    assert {one.due_at for one in notices()} == {MONDAY + 8 * HOUR}


def test_given_another_hour_for_reminders_then_a_notice_still_goes(editor, patient):
    editor(NIGHT)
    for point in patient.contact_points.all():
        choose_reminders(point=point, time=dt.time(18), by=patient.user, at=NIGHT)
    assert fates() == [(Status.DUE, "")] * 2


# --- who is not written to ---------------------------------------------------------------------


def _no_consent(program, physio):
    for channel in Channel.values:
        withdraw_consent(patient=program.patient, purpose=channel, by=physio, at=MONDAY)


def _stopped(program, physio):
    for point in program.patient.contact_points.all():
        where = {"channel": point.channel, "address": point.address}
        stopping.stop(**where, at=MONDAY, way="text", reason="STOP")


def _no_address(program, physio):
    program.patient.contact_points.update(reminders=False)


def _red_flag(program, physio):
    answer_red_flags(
        patient=program.patient,
        answers={**NO_TO_ALL, REPEATED[0].id: "yes"},
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (_no_consent, "No consent to reminders by e-mail. No consent to reminders by text message"),
        (_stopped, "Ana said no to e-mails on 2 March 2026. Ana said no to text messages on 2 "),
        (_no_address, "No address takes reminders."),
        (_red_flag, "The program is suspended."),
    ],
)
def test_given_the_patient_may_not_be_written_to_then_no_box_but_why(
    editor, program, physio, happens, said
):
    happens(program, physio)
    page = words(editor(step="review", sets="1"))
    assert f"Ana is not told by message. {said}" in page and "Tell Ana" not in page
    # Whatever is sent.
    response = editor(sets="1", tell=True)
    assert response.status_code == 200 and fresh(program).current_version.number == 2
    adjust_program(
        program=program, change=Change(lock="frozen"), by=physio, reason="So.", at=NOON, tell=True
    )
    assert notices() == []


def test_given_consent_to_one_way_then_that_one_alone(editor, program, physio):
    withdraw_consent(patient=program.patient, purpose="sms", by=physio, at=MONDAY)
    assert "By e-mail, now." in words(editor(step="review"))
    editor()
    assert [one.channel for one in notices()] == ["email"]


def test_given_a_program_that_begins_later_then_nothing_is_told_yet(make_program, physio):
    later = make_program(started_on=MONDAY.date() + 7 * DAY)
    said = telling.how_to_tell(program=later, at=NOON)
    assert (said.points, said.why_not) == ((), why.NOT_STARTED)


# --- what happens while it waits ---------------------------------------------------------------


def test_given_stop_while_it_waits_then_it_is_held_back(editor, program):
    editor(NIGHT)
    phone = program.patient.contact_points.get(channel="sms")
    stopping.stop(channel="sms", address=phone.address, at=NIGHT, way="text", reason="STOP")
    mail, text = notices()
    assert (mail.status, text.status) == (Status.DUE, Status.SUPPRESSED)
    assert "said no to text messages" in text.reason


def test_given_consent_withdrawn_and_given_anew_then_only_the_last_word_counts(
    editor, program, physio
):
    editor()
    Consent.objects.filter(purpose="sms").update(
        withdrawn_at=NOON, withdrawn_way="in_person", withdrawn_by=physio
    )
    assert objections() == {"", why.NO_CONSENT[Channel.SMS]}
    give_consent(patient=program.patient, purpose="sms", way="in_person", by=physio, at=NOON)
    assert objections() == {""}


def test_given_two_versions_in_one_evening_then_only_the_newest_is_told(editor):
    editor(NIGHT)
    editor(NIGHT + HOUR, sets="1")
    found = {(one.key.split(":")[2], one.status, one.reason) for one in notices()}
    assert found == {("2", Status.SUPPRESSED, why.CHANGED_AGAIN), ("3", Status.DUE, "")}


def test_given_a_newer_version_by_whomever_then_the_last_look_holds_it_back(editor, program):
    editor(NIGHT)
    version = fresh(program).current_version
    version.pk, version.number = None, 3
    version.save(force_insert=True)
    type(program).objects.filter(pk=program.pk).update(current_version=version)
    assert objections(MORNING) == {why.CHANGED_AGAIN}


def test_given_a_session_with_the_new_version_then_it_is_held_back_at_once(editor, program):
    editor(NIGHT)
    report_session(fresh(program), 0, at=NIGHT, day=NIGHT.date())
    assert fates() == [(Status.SUPPRESSED, why.SESSION_DONE)] * 2


def test_given_a_session_with_the_version_before_then_it_still_goes(editor, program):
    before = program.current_version
    editor(NIGHT)
    session = report_session(fresh(program), 0, at=NIGHT, day=NIGHT.date())
    session.version = before
    session.save()
    OutboxMessage.objects.filter(kind=Kind.ROUTINE_CHANGED).update(
        status=Status.DUE, reason="", wake_at=MORNING, settled_at=None
    )
    reminders.session_recorded(session=session, at=NIGHT)
    assert fates() == [(Status.DUE, "")] * 2
    assert objections(MORNING) == {""}
    session.version = fresh(program).current_version
    session.save()
    assert objections(MORNING) == {why.ALREADY_USED}


def test_given_the_program_ends_or_is_stopped_then_it_is_held_back(editor, program, physio):
    editor(NIGHT)
    type(program).objects.filter(pk=program.pk).update(status="suspended", suspended_for="red_flag")
    assert objections(MORNING) == {why.SUSPENDED}
    end_program(program=program, by=physio, reason="Goals reached.", at=NIGHT)
    assert fates() == [(Status.SUPPRESSED, why.ENDED)] * 2
    assert objections(MORNING) == {why.ENDED}


def test_given_a_step_is_taken_back_then_no_notice_of_what_was_before_it_goes(program, physio):
    live_well(program, 0, 9)
    at = MONDAY + 10 * DAY
    proposal = Proposal.objects.open().get(program=program)
    accepted = accept_proposal(proposal=proposal, by=physio, at=at)
    assert len(telling.tell_of_change(version=accepted, at=at)) == 2
    undo_answer(proposal=proposal, by=physio, at=at + dt.timedelta(minutes=5))
    assert fates() == [(Status.SUPPRESSED, why.CHANGED_AGAIN)] * 2


# --- what it opens, and who sees it ------------------------------------------------------------


def test_given_its_link_then_it_opens_the_page_and_its_stop_link_the_way_out(editor, client):
    editor()
    mail, _ = notices()
    client.logout()
    with time_machine.travel(NOON + HOUR, tick=False):
        assert client.get(f"/r/{links.token_for(mail.pk)}").status_code == 200
        opened = client.post(f"/r/{links.token_for(mail.pk)}", follow=True)
        assert "Deep core hold: sets 3 instead of 2." in words(opened)
    stop_link = links.stop_link_for(mail.pk)
    assert links.message_for_stop(stop_link.rpartition("/")[2]) == mail


def test_given_a_notice_then_the_page_of_messages_names_it_with_its_fate(editor, client, program):
    editor(NIGHT)
    page = words(client.get(reverse("admin:patient_messages", args=[program.patient_id])))
    assert "Notice of a changed routine" in page and "Waiting to go at 08:00" in page
    assert AccessRecord.objects.filter(page="messages").exists()
