"""The outbox: written once, taken once, and only forwards."""

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from clinic.messaging import links, outbox, sending, texts
from clinic.models import Alert, OutboxMessage, Site, Suppression
from clinic.models.messaging import Channel
from tests.clinic.messages import AT, claimed, queued

Status = OutboxMessage.Status
LATER = AT + dt.timedelta(minutes=1)
pytestmark = pytest.mark.django_db


def test_given_the_same_key_twice_then_there_is_one_message_and_it_is_the_first():
    first = queued(key="routine:1:2026-03-02:email", body="one")
    second = queued(key="routine:1:2026-03-02:email", body="two")
    assert (second.pk, second.body) == (first.pk, "one")
    assert OutboxMessage.objects.count() == 1


def test_given_a_message_held_back_then_it_is_settled_with_its_reason_and_never_claimed():
    fields = {field: getattr(queued(), field) for field in ("kind", "channel", "body", "address")}
    message = outbox.queue_message(
        status=Status.SUPPRESSED,
        key="held",
        subject_type="patient",
        subject_id=uuid.uuid4(),
        due_at=AT,
        expires_at=LATER,
        at=AT,
        reason="The program is suspended.",
        **fields,
    )
    assert (message.status, message.reason) == (Status.SUPPRESSED, "The program is suspended.")
    assert message.settled_at == AT
    assert message not in outbox.claim(limit=10, worker="w", at=AT)


def test_given_some_keys_already_written_then_only_the_new_rows_are_said_to_be_written():
    old = queued(key="a")
    copy = {
        field: getattr(old, field)
        for field in (
            "kind", "channel", "subject_type", "subject_id", "address", "body", "due_at",
            "expires_at",
        )
    }  # fmt: skip
    rows = [outbox.draft(key=key, at=AT, **copy) for key in ("a", "b", "c")]
    assert [row.key for row in outbox.write(rows)] == ["b", "c"]


def test_given_a_message_not_due_yet_then_nobody_claims_it():
    queued(due_at=LATER)
    assert outbox.claim(limit=10, worker="w", at=AT) == []


def test_given_a_claim_then_a_second_sender_gets_only_the_rest():
    queued(), queued(), queued()
    first = outbox.claim(limit=2, worker="one", at=AT)
    second = outbox.claim(limit=2, worker="two", at=AT)
    assert (len(first), len(second)) == (2, 1)
    assert not {row.pk for row in first} & {row.pk for row in second}


def test_given_a_morning_full_of_reminders_then_an_alert_to_staff_goes_first():
    for minute in range(3):
        queued(kind="routine_reminder", due_at=AT - dt.timedelta(minutes=minute))
    alert = queued(due_at=AT)
    assert outbox.claim(limit=1, worker="w", at=AT) == [alert]


def _steps(message: OutboxMessage) -> dict[str, bool]:
    where = {"message": message, "carrier": "smtp", "at": LATER}
    return {
        "start": outbox.start_sending(message=message, at=LATER),
        "suppress": outbox.suppress(message=message, reason="no", at=LATER),
        "expire": outbox.expire(message=message, at=LATER),
        "unknown": outbox.mark_unknown(**where, reason="cut"),
        "sent": outbox.mark_sent(**where, reference="r"),
        "failed": outbox.mark_failed(**where, reason="no"),
        "back": outbox.put_back(message=message, reason="later", due_at=LATER),
    }


@pytest.mark.parametrize(
    "final",
    [Status.SENT, Status.DELIVERED, Status.BOUNCED, Status.FAILED, Status.SUPPRESSED,
     Status.EXPIRED],
)  # fmt: skip
def test_given_a_final_state_then_no_step_leads_out_of_it(final):
    message = claimed()
    OutboxMessage.objects.filter(pk=message.pk).update(
        status=final, reason="why", settled_at=AT, claimed_until=None
    )
    assert not any(_steps(message).values())
    message.refresh_from_db()
    assert (message.status, message.settled_at) == (final, AT)


def test_given_a_message_on_the_wire_then_it_can_no_longer_be_held_back_or_expire():
    message = claimed()
    assert outbox.start_sending(message=message, at=AT)
    assert not outbox.suppress(message=message, reason="no", at=AT)
    assert not outbox.expire(message=message, at=AT)
    assert not outbox.start_sending(message=message, at=AT)
    assert (message.status, message.attempts) == (Status.SENDING, 1)


def test_given_a_lease_that_ran_out_before_the_wire_then_the_message_is_due_again():
    message = claimed()
    report = sending.sweep(at=AT + outbox.CLAIM_LEASE)
    assert (report.released, report.unknown) == (1, 0)
    # The late sender, still alive, finds that it has nothing to send any more.
    assert not outbox.start_sending(message=message, at=AT + outbox.CLAIM_LEASE)
    (again,) = outbox.claim(limit=1, worker="w", at=AT + outbox.CLAIM_LEASE)
    assert not outbox.start_sending(message=message, at=AT + outbox.CLAIM_LEASE)
    assert outbox.start_sending(message=again, at=AT + outbox.CLAIM_LEASE)


def test_given_a_lease_that_ran_out_on_the_wire_then_the_outcome_is_unknown_for_good():
    message = claimed()
    outbox.start_sending(message=message, at=AT)
    assert sending.sweep(at=AT + outbox.SENDING_LEASE).unknown == 1
    message.refresh_from_db()
    assert message.status == Status.UNKNOWN
    assert message.reason
    assert outbox.claim(limit=1, worker="w", at=AT + dt.timedelta(hours=1)) == []


def test_given_an_unknown_message_then_its_own_slow_sender_may_still_say_that_it_was_sent():
    message = claimed()
    outbox.start_sending(message=message, at=AT)
    sending.sweep(at=AT + outbox.SENDING_LEASE)
    somebody_else = OutboxMessage.objects.get(pk=message.pk)
    somebody_else.claimed_by = "another"
    where = {"carrier": "smtp", "reference": "r", "at": LATER}
    assert not outbox.mark_sent(message=somebody_else, **where)
    assert outbox.mark_sent(message=message, **where)


def test_given_a_lease_that_still_runs_then_a_sweep_leaves_it_alone():
    claimed()
    assert sending.sweep(at=LATER) == sending.SweepReport(released=0, unknown=0, expired=0)


def test_given_a_due_message_past_its_time_then_the_sweep_settles_it_as_too_late():
    message = queued(expires_at=LATER)
    assert sending.sweep(at=LATER).expired == 1
    message.refresh_from_db()
    assert (message.status, message.settled_at) == (Status.EXPIRED, LATER)


@pytest.mark.database
def test_given_a_state_without_what_it_needs_then_the_database_refuses_it():
    message = queued()
    for change in (
        {"status": "failed", "settled_at": AT},
        {"status": "claimed"},
        {"status": "sent"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            OutboxMessage.objects.filter(pk=message.pk).update(**change)


def test_given_an_address_suppressed_twice_then_the_owners_own_no_stands():
    where = {"channel": Channel.EMAIL, "at": AT}
    outbox.suppress_address(address="Ana@Example.org ", reason="It bounced.", **where)
    outbox.suppress_address(
        address="ana@example.org", reason="She said no.", by_owner=True, **where
    )
    outbox.suppress_address(address="ana@example.org", reason="It bounced again.", **where)
    row = Suppression.objects.get()
    assert (row.reason, row.by_owner) == ("She said no.", True)
    found = outbox.suppressed_addresses([(Channel.EMAIL, "ANA@example.org"), (Channel.SMS, "+44")])
    assert found == {(Channel.EMAIL, "ana@example.org"): "The address is suppressed: She said no."}


# --- links -----------------------------------------------------------------------------------


def _linked(**fields) -> OutboxMessage:
    return queued(kind="routine_reminder", **{"link_expires_at": LATER, **fields})


def test_given_a_token_then_it_finds_its_message_until_its_time_has_passed():
    message = _linked()
    token = links.token_for(message.pk)
    assert links.link_for(message.pk).endswith(f"/r/{token}")
    assert links.message_for(token, AT) == message
    assert links.message_for(token, LATER) is None


def test_given_any_change_to_a_token_then_it_opens_nothing():
    message, other = _linked(), _linked()
    token, second = links.token_for(message.pk), links.token_for(other.pk)
    letters = "AZaz09-_"
    spoilt = [
        token[:place] + letter + token[place + 1 :]
        for place in range(len(token))
        for letter in letters
        if letter != token[place]
    ]
    spoilt += ["", "x", token + "=", token + "A", token[:-1], second[:22] + token[22:], "ü" * 35]
    assert all(links.message_for(wrong, AT) is None for wrong in spoilt)


def test_given_a_message_without_a_link_then_its_token_opens_nothing():
    assert links.message_for(links.token_for(queued(link_expires_at=LATER).pk), AT) is None
    assert links.message_for(links.token_for(_linked(link_expires_at=None).pk), AT) is None


def test_given_a_new_secret_key_then_old_links_work_while_the_old_key_is_kept(settings):
    message = _linked()
    token, old = links.token_for(message.pk), settings.SECRET_KEY
    settings.SECRET_KEY = "the next one"
    assert links.message_for(token, AT) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert links.message_for(token, AT) == message


def test_given_the_table_of_messages_then_no_link_stands_in_it():
    message = _linked(body="Start today's routine:\n{link}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT m::text FROM clinic_outboxmessage m")
        assert links.token_for(message.pk) not in str(cursor.fetchall())


# --- words -----------------------------------------------------------------------------------

NAMES = [
    "Harbour Street",
    "Ö" * 120,
    "Praxis für Rückengesundheit am Hauptbahnhof Nord",
    "عيادة",
    "",
]
# What neither a text nor a subject may ever say.
UNSAID = ["back", "pain", "exercise", "spine", "disc", "score", "phase", "physio"]


@pytest.mark.parametrize("name", NAMES)
def test_given_any_site_name_then_a_text_fits_one_message_with_its_link(name, settings):
    settings.BASE_URL = "https://training.practice.example"
    site = Site(name=name, phone="+44 20 7946 0100")
    _, body = texts.routine_reminder(site=site, channel=Channel.SMS)
    whole = body.replace("{link}", links.link_for(uuid.uuid4()))
    assert len(whole) <= texts.SMS_LENGTH
    assert texts.plain_gsm(whole) == whole
    assert "Your ten minutes for today" in whole
    assert whole.count("https://training.practice.example/r/") == 1


def test_given_a_long_base_address_then_the_link_still_stands_whole(settings):
    settings.BASE_URL = "https://" + "a" * 120 + ".example"
    site = Site(name="Harbour Street", phone="+44 20 7946 0100")
    _, body = texts.routine_reminder(site=site, channel=Channel.SMS)
    assert body == "Your ten minutes for today {link}"


def test_given_a_reminder_then_subject_and_text_carry_no_health_detail():
    site = Site(name="Harbour Street", phone="+44 20 7946 0100")
    subject, mail = texts.routine_reminder(site=site, channel=Channel.EMAIL)
    _, text = texts.routine_reminder(site=site, channel=Channel.SMS)
    for words in (subject, mail, text):
        assert not [word for word in UNSAID if word in words.lower()]
    assert "{link}" in mail
    assert "Harbour Street" in mail and "+44 20 7946 0100" in mail


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [("emergency", "urgent"), ("same_day", "today"), ("soon", "soon"), ("routine", "soon")],
)
def test_given_an_alert_then_the_mail_says_how_urgent_and_where_but_not_who_or_what(
    severity, urgency, settings
):
    alert = Alert(severity=severity, summary="Saddle numbness: Ana Morales")
    subject, body = texts.staff_alert(alert)
    assert subject == f"Someone on your caseload needs you: {urgency}"
    assert f"{settings.BASE_URL}/clinic/" in body
    for words in (subject, body):
        assert not [word for word in ("Ana", "Morales", "numb", "saddle") if word in words]


def test_given_markup_in_a_site_name_then_the_html_part_shows_it_as_text():
    site = Site(name="Back & <b>Bones</b>", phone="1")
    subject, body = texts.routine_reminder(site=site, channel=Channel.EMAIL)
    message = OutboxMessage(subject_line=subject, language="en")
    html = texts.html_of(message, body.replace("{link}", "https://practice.example/r/abc"))
    assert "Back &amp; &lt;b&gt;Bones&lt;/b&gt;" in html
    assert 'href="https://practice.example/r/abc"' in html
    assert ">Start today&#x27;s routine</a>" in html
