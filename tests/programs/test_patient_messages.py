"""The patient's page: what is sent next and when, and what became of everything so far."""

import datetime as dt
import re

import pytest
import time_machine
from django.utils.html import strip_tags

from clinic.messaging.outbox import suppress_address
from clinic.models import AccessRecord, Receipt
from patients.consenting import withdraw_consent
from patients.models import ContactPoint
from programs.adjusting import end_program
from programs.clinician.patient_messages import PAGE_SIZE, SHOWN
from tests.clinic.kept import Status, kept
from tests.conftest import MONDAY
from tests.living import report_session

pytestmark = pytest.mark.django_db
# Ten to eight on the first morning in London.
NOW = MONDAY - dt.timedelta(minutes=10)


@pytest.fixture(autouse=True)
def early():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def section(client, physio):
    """The words of the section "Reminders", in one line each."""

    def read(patient, person=None) -> str:
        client.force_login(person or physio)
        page = client.get(f"/clinic/patients/{patient.pk}/")
        assert page.status_code == 200
        found = re.search(
            r'aria-labelledby="reminders">(.*?)</section>', page.content.decode(), re.S
        )
        return re.sub(r"\s+", " ", strip_tags(found[1].replace("</", " </"))).replace("&#x27;", "'")

    return read


# --- next ----------------------------------------------------------------------------------------


def test_given_a_program_then_the_next_seven_sends_stand_there_with_channel_and_local_time(
    section, program, patient
):
    text = section(patient)
    coming = text.split("So far")[0]
    assert "Times are the patient’s: Europe/London." in coming
    assert len(re.findall(r"\d\d:\d\d", coming)) == 7
    assert "Mon 2 Mar, 08:00 by e-mail" in coming
    assert "Mon 2 Mar, 08:00 by text message" in coming
    assert "Tue 3 Mar, 08:00 by e-mail" in coming


def test_given_a_patient_far_away_then_times_are_theirs_and_the_zone_is_named(
    section, make_patient, make_program
):
    far = make_patient(time_zone="Pacific/Auckland")
    make_program(patient=far)
    kept(Status.SENT, MONDAY.replace(day=1, hour=19), about=far, carrier="smtp")
    text = section(far)
    assert "Times are the patient’s: Pacific/Auckland." in text
    assert "Tue 3 Mar, 08:00 by e-mail" in text
    assert "Mon 2 Mar, 08:02 Sent 08:02." in text


def test_given_a_wish_for_a_second_nudge_then_it_is_marked_as_such(section, program, patient):
    ContactPoint.objects.filter(patient=patient, channel="sms").update(second_nudge=True)
    assert "second nudge, only if nothing is recorded by then" in section(patient)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("no program", "None: no program."),
        ("no consent", "None: no consent to reminders."),
        ("nowhere", "None: no address takes reminders."),
        ("stop", "None. The address is suppressed: They said stop."),
        ("ended", "None: no program."),
    ],
)
def test_given_that_nothing_comes_then_the_reason_stands_there(
    section, patient, make_program, physio, why, words
):
    if why != "no program":
        program = make_program(patient=patient)
    if why == "no consent":
        for purpose in ("email", "sms"):
            withdraw_consent(patient=patient, purpose=purpose, by=physio, at=NOW)
    elif why == "nowhere":
        patient.contact_points.update(reminders=False)
    elif why == "stop":
        for point in patient.contact_points.all():
            suppress_address(
                channel=point.channel,
                address=point.address,
                reason="They said stop.",
                at=NOW,
                by_owner=True,
            )
    elif why == "ended":
        end_program(program=program, reason="All is well.", by=physio, at=NOW)
    assert words in section(patient)


def test_given_that_todays_went_out_then_next_reminder_says_so(
    client, physio, program, patient, early
):
    for channel, status, reason in [
        ("email", Status.DELIVERED, ""),
        ("sms", Status.SUPPRESSED, "Today's session is done."),
    ]:
        kept(
            status,
            MONDAY,
            about=patient,
            channel=channel,
            reason=reason,
            key=f"routine_reminder:{program.pk}:{MONDAY.date()}:{channel}",
        )
    early.move_to(MONDAY + dt.timedelta(hours=1))
    client.force_login(physio)
    page = client.get(f"/clinic/patients/{patient.pk}/").content.decode()
    side = strip_tags(page.split("Next reminder</h2>")[1].split("</section>")[0])
    assert side.startswith("Tue 3 Mar, 08:00, by e-mail and by text message")
    assert "Today by e-mail: Delivered 08:02." in side
    assert "Today by text message: Held back: Today&#x27;s session is done." in side


def test_given_a_session_already_done_then_today_is_not_announced(section, program, patient, early):
    early.move_to(MONDAY - dt.timedelta(minutes=30))
    report_session(program, 0, at=MONDAY - dt.timedelta(hours=1))
    assert "Mon 2 Mar" not in section(patient).split("So far")[0]


# --- so far --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (Status.SENT, "", "Sent 08:02."),
        (Status.DELIVERED, "", "Delivered 08:02."),
        (Status.BOUNCED, "No such mailbox.", "It came back: No such mailbox."),
        (Status.FAILED, "Refused (550).", "Not sent: Refused (550)."),
        (Status.SUPPRESSED, "Today's session is done.", "Held back: Today's session is done."),
        (Status.EXPIRED, "", "Too late to send."),
        (Status.UNKNOWN, "The line broke.", "We do not know whether it arrived: The line broke."),
        (Status.DUE, "", "Waiting to go at 08:00."),
    ],
)
def test_given_a_message_then_its_fate_and_reason_stand_in_plain_words(
    section, patient, status, reason, words
):
    kept(status, MONDAY, about=patient, reason=reason, carrier="smtp")
    assert words in section(patient)


def test_given_a_carrier_that_was_busy_then_the_next_try_is_named(section, patient):
    kept(
        Status.DUE,
        MONDAY,
        about=patient,
        attempts=1,
        reason="The carrier is busy.",
        wake_at=MONDAY + dt.timedelta(minutes=5),
    )
    assert "Waiting, tried again at 08:05: The carrier is busy." in section(patient)


def test_given_receipts_then_they_stand_behind_a_detail_in_order(client, physio, patient):
    message = kept(Status.DELIVERED, MONDAY, about=patient, carrier="twilio", channel="sms")
    for second, event in [(9, "delivered"), (3, "accepted")]:
        Receipt.objects.create(
            message=message, event=event, received_at=MONDAY + dt.timedelta(seconds=second)
        )
    client.force_login(physio)
    page = client.get(f"/clinic/patients/{patient.pk}/").content.decode()
    details = re.search(r"<details class=\"po-receipts\">(.*?)</details>", page, re.S)[1]
    assert "2 receipts" in details
    assert details.index("Taken by the carrier") < details.index("Delivered")


def test_given_many_messages_then_the_first_ten_and_a_page_with_all_of_them(
    client, physio, patient, section
):
    for day in range(PAGE_SIZE + 1):
        kept(Status.SENT, MONDAY - dt.timedelta(days=day + 1), about=patient)
    assert section(patient).count("Sent 08:02") == SHOWN
    client.force_login(physio)
    page = client.get(f"/clinic/patients/{patient.pk}/").content.decode()
    address = re.search(r'href="([^"]*)">Show all</a>', page)[1]
    first, second = (client.get(address + query).content.decode() for query in ("", "?page=2"))
    assert (first.count("Sent 08:02"), second.count("Sent 08:02")) == (PAGE_SIZE, 1)
    assert AccessRecord.objects.filter(page="messages", subject_id=str(patient.pk)).count() == 2


def test_given_a_late_settlement_then_the_newest_fate_comes_first(section, patient):
    kept(Status.SENT, MONDAY - dt.timedelta(days=1), about=patient, reason="")
    kept(
        Status.UNKNOWN,
        MONDAY - dt.timedelta(days=2),
        about=patient,
        reason="Older, settled later.",
        settled_after_s=47 * 3600,
    )
    text = section(patient)
    assert text.index("Older, settled later.") < text.index("Sent 08:02")


def test_given_nothing_sent_yet_then_that_is_said(section, client, physio, patient):
    assert "Nothing has been sent yet." in section(patient)
    page = client.get(f"/clinic/patients/{patient.pk}/messages/").content.decode()
    assert "Nothing has been sent yet." in page


def test_given_the_front_desk_then_it_reads_fates_but_no_clinical_time_line(
    section, client, front_desk, program, patient
):
    kept(Status.SENT, MONDAY - dt.timedelta(days=1), about=patient)
    assert "Sent 08:02" in section(patient, front_desk)
    assert "Time line" not in client.get(f"/clinic/patients/{patient.pk}/").content.decode()
    assert client.get(f"/clinic/patients/{patient.pk}/messages/").status_code == 200


def test_given_staff_of_another_site_then_there_is_no_such_page(client, stranger, patient):
    client.force_login(stranger)
    assert client.get(f"/clinic/patients/{patient.pk}/messages/").status_code == 404
