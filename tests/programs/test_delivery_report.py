"""The manager's delivery report: every message counted once, under its day, carrier and reason."""

import csv
import datetime as dt
import io
import re

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic import health, standstill
from clinic.models import AccessRecord, Alert, OutboxMessage, Role
from clinic.spreadsheets import harmless
from patients import delivery
from programs.clinician.delivery import without_addresses
from tests.clinic.kept import Status, kept
from tests.conftest import MONDAY, make_staff

pytestmark = pytest.mark.django_db
NOW = MONDAY + dt.timedelta(days=6, hours=10)
PAGE, LIST, FILE = "/clinic/delivery/", "/clinic/delivery/messages/", "/clinic/delivery.csv"


@pytest.fixture(autouse=True)
def on_sunday():
    standstill.forget()
    with time_machine.travel(NOW, tick=False):
        yield
    standstill.forget()


@pytest.fixture
def week(patient) -> None:
    """Monday: one of each fate, and a held-back text; Tuesday: two more sent."""
    reasons = {
        Status.SUPPRESSED: "Today's session is done.",
        Status.FAILED: "The carrier refused it (550).",
        Status.BOUNCED: "No such mailbox.",
        Status.UNKNOWN: "The line broke.",
    }
    went = {Status.SENT, Status.DELIVERED, Status.FAILED, Status.BOUNCED, Status.UNKNOWN}
    for status in (*went, Status.SUPPRESSED, Status.EXPIRED, Status.DUE):
        kept(
            status,
            MONDAY,
            about=patient,
            reason=reasons.get(status, ""),
            carrier="smtp" if status in went else "",
        )
    kept(Status.SUPPRESSED, MONDAY, about=patient, channel="sms", reason="Outside quiet hours.")
    for hour in (1, 2):
        at = MONDAY + dt.timedelta(days=1, hours=hour)
        kept(Status.SENT, at, about=patient, channel="sms", carrier="twilio")


def shown(client, person, address=PAGE) -> str:
    client.force_login(person)
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def line(text: str, head: str) -> list[int]:
    """The numbers of a table's row that begins with ``head``."""
    row = re.search(
        rf"<tr><th scope=\"row\"><a[^>]*>{re.escape(head)}</a></th>(.*?)</tr>", text, re.S
    )
    assert row, head
    return [int(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<td.*?</td>", row[1], re.S)]


def file(client, person, query="") -> list[dict[str, str]]:
    client.force_login(person)
    answer = client.get(FILE + query)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# --- numbers -----------------------------------------------------------------------------------


def test_given_a_week_then_every_day_carrier_and_reason_has_its_numbers(client, manager, week):
    text = shown(client, manager)
    # sent, delivered, bounced, not sent, unknown, too late, held back, waiting, all
    assert line(text, "Mon 2 Mar") == [1, 1, 1, 1, 1, 1, 2, 1, 9]
    assert line(text, "Tue 3 Mar") == [2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert line(text, "Sun 8 Mar") == [0] * 9
    assert line(text, "E-mail, smtp") == [1, 1, 1, 1, 1, 0, 0, 0, 5]
    assert line(text, "Text message, twilio") == [2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert line(text, "E-mail, no carrier asked") == [0, 0, 0, 0, 0, 1, 1, 1, 3]
    for reason in ("Outside quiet hours.", "No such mailbox.", "The line broke."):
        assert reason in text
    assert "Of 8 messages meant to have gone out, 4 did (50.0 %)." in text
    assert "1 message of unknown outcome." in text


def test_given_a_channel_a_carrier_or_a_day_then_the_report_is_narrowed(client, manager, week):
    assert line(shown(client, manager, PAGE + "?channel=sms"), "Mon 2 Mar")[-1] == 1
    assert line(shown(client, manager, PAGE + "?carrier=twilio"), "Mon 2 Mar")[-1] == 0
    assert line(shown(client, manager, PAGE + "?carrier=none"), "Mon 2 Mar")[-1] == 4
    one_day = shown(client, manager, PAGE + "?day=2026-03-03")
    assert "Mon 2 Mar" not in one_day
    assert line(one_day, "Tue 3 Mar")[-1] == 2


@pytest.mark.parametrize("days", [7, 30, 90])
def test_given_a_choice_of_days_then_just_those_count(client, manager, patient, days):
    last = NOW.replace(hour=8)
    for ago in (0, days - 1, days):
        kept(Status.SENT, last - dt.timedelta(days=ago), about=patient, carrier="smtp")
    text = shown(client, manager, f"{PAGE}?days={days}")
    assert line(text, "E-mail, smtp")[0] == 2
    assert text.count('<tr><th scope="row">') == days + 1


def test_given_nothing_yet_then_the_page_says_so(client, manager):
    assert "No message was meant to go out in this time." in shown(client, manager)


@pytest.mark.parametrize(
    "query",
    ["days=1", "days=x", "day=yesterday", "day=9999-12-31", "channel=fax", "site=none", "fate=x",
     "carrier=%27%3B", "reason=%00".replace("%00", "%0A"), "page=-1"],
)  # fmt: skip
def test_given_an_address_that_means_nothing_then_the_pages_still_answer(
    client, manager, week, query
):
    for address in (PAGE, LIST, FILE):
        client.force_login(manager)
        assert client.get(f"{address}?{query}").status_code == 200


def test_given_a_reminder_at_the_edge_of_two_days_then_it_counts_on_the_patients_own_day(
    client, manager, make_patient
):
    far = make_patient(time_zone="Pacific/Auckland")
    # Eight on Tuesday morning there, Monday evening here.
    kept(Status.SENT, MONDAY.replace(hour=19), about=far, carrier="smtp")
    assert line(shown(client, manager), "Tue 3 Mar")[0] == 1


def test_given_an_alert_late_at_night_then_it_counts_on_the_day_of_the_sites_clock(
    client, manager, site
):
    site.time_zone = "America/New_York"
    site.save()
    kept(Status.SENT, MONDAY.replace(day=4, hour=3), carrier="smtp")
    assert line(shown(client, manager), "Tue 3 Mar")[0] == 1


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from([s for s in Status.values if s not in ("claimed", "sending")]),
            st.sampled_from(["email", "sms"]),
            st.sampled_from(["", "smtp", "twilio"]),
        ),
        max_size=12,
    )
)
def test_given_any_messages_then_each_is_counted_once(rows, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        OutboxMessage.objects.all().delete()
        for day, status, channel, carrier in rows:
            at = MONDAY + dt.timedelta(days=day)
            kept(status, at, channel=channel, carrier=carrier, reason="Because.", subject_type="x")
        question = delivery.Question(
            first=MONDAY.date() + dt.timedelta(days=2),
            last=MONDAY.date() + dt.timedelta(days=6),
            zone="Europe/London",
        )
        counted = delivery.counts(question)
        expected = [row for row in rows if 2 <= row[0] <= 6]
        assert sum(count.number for count in counted) == len(expected) == delivery.total(question)
        assert len(delivery.keys(question, offset=0, limit=50)) == len(expected)
        for count in counted:
            of_fate = [row for row in expected if row[1] in count.fate.statuses]
            assert count.number <= len(of_fate)


# --- the lists behind --------------------------------------------------------------------------


def test_given_a_number_then_its_list_has_just_those_messages(client, manager, week, patient):
    text = shown(client, manager, LIST + "?fate=held")
    assert "2 messages, newest first" in text
    assert text.count("Held back: ") == 2
    assert f"/clinic/patients/{patient.pk}/messages/" in text
    assert "ana@patients.example" not in text
    only = shown(client, manager, LIST + "?fate=held&reason=Outside+quiet+hours.")
    assert "1 message, newest first" in only
    assert AccessRecord.objects.filter(actor=manager, subject_type="messages").count() == 2


def test_given_every_number_of_the_report_then_its_list_is_as_long(client, manager, week):
    text = shown(client, manager)
    links = re.findall(rf'href="({LIST}[^"]*)">([\d,]+)</a>', text)
    assert len(links) > 20
    for address, number in set(links):
        found = shown(client, manager, address.replace("&amp;", "&"))
        assert f"{number} message{'' if number == '1' else 's'}, newest first" in found, address


def test_given_many_messages_then_the_list_has_pages(client, manager, patient):
    for minute in range(61):
        kept(Status.SENT, MONDAY + dt.timedelta(minutes=minute), about=patient, carrier="smtp")
    first = shown(client, manager, LIST + "?fate=sent")
    assert "Page 1 of 2" in first
    second = shown(client, manager, LIST + "?fate=sent&page=2")
    assert second.count("Routine reminder") == 1


# --- sites ---------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(make_patient, other_site, stranger, week):
    """A patient and an alert of the other site, each with a message on Monday."""
    patient = make_patient(
        "Bjorn", family_name="Anderswo", site=other_site, physiotherapist=stranger
    )
    alert = Alert.objects.create(
        severity="same_day",
        subject_type="patient",
        subject_id=str(patient.pk),
        site=other_site,
        owner=stranger,
        summary="x",
        key="x",
        raised_at=MONDAY,
        due_at=MONDAY,
    )
    kept(Status.SENT, MONDAY, about=patient, carrier="smtp")
    kept(Status.SENT, MONDAY, carrier="smtp", subject_id=str(alert.pk))
    return patient


def test_given_a_manager_of_one_site_then_messages_of_the_other_count_nowhere(
    client, manager, elsewhere
):
    assert line(shown(client, manager), "Mon 2 Mar")[0] == 1
    found = shown(client, manager, LIST + "?fate=sent")
    assert "Anderswo" not in found
    assert "3 messages, newest first" in found
    assert sum(int(row["Messages"]) for row in file(client, manager)) == 11


def test_given_a_manager_of_both_then_she_reads_all_or_one(client, manager, elsewhere, other_site):
    manager.sites.add(other_site)
    assert line(shown(client, manager), "Mon 2 Mar")[0] == 3
    one = shown(client, manager, f"{PAGE}?site={other_site.pk}")
    assert line(one, "Mon 2 Mar")[0] == 2
    assert "Anderswo" in shown(client, manager, f"{LIST}?site={other_site.pk}&fate=sent")


def test_given_a_site_that_is_not_hers_then_asking_for_it_changes_nothing(
    client, manager, elsewhere, other_site
):
    assert line(shown(client, manager, f"{PAGE}?site={other_site.pk}"), "Mon 2 Mar")[0] == 1


@pytest.mark.parametrize("role", ["physio", "front_desk"])
def test_given_another_role_then_the_report_is_closed(client, request, role):
    client.force_login(request.getfixturevalue(role))
    for address in (PAGE, LIST, FILE):
        assert client.get(address).status_code == 403
    assert "/clinic/delivery/" not in client.get("/clinic/").content.decode()


def test_given_a_manager_without_a_site_then_there_is_nothing_to_read(client, site, week):
    nobody = make_staff(site, Role.MANAGER, "Nora Keins")
    nobody.sites.clear()
    assert "No message was meant to go out" in shown(client, nobody)


# --- the file ------------------------------------------------------------------------------------


def test_given_the_file_then_it_has_the_same_numbers_and_no_person(client, manager, week, patient):
    rows = file(client, manager)
    assert sum(int(row["Messages"]) for row in rows) == 11
    assert {row["Day"] for row in rows} == {"2026-03-02", "2026-03-03"}
    assert rows[-1].keys() == {"Day", "Channel", "Carrier", "Fate", "Reason", "Messages"}
    whole = str(rows)
    assert patient.family_name not in whole
    assert "@" not in whole
    assert len(file(client, manager, "?channel=sms")) == 2


def test_given_a_reason_with_an_address_or_a_formula_then_the_file_has_neither(
    client, manager, patient
):
    kept(Status.FAILED, MONDAY, about=patient, reason="=1+1 <ana@x.example> +44 7700 900123 no")
    [row] = file(client, manager)
    assert row["Reason"] == "'=1+1 <(address)> (number) no"


@given(st.text(max_size=20))
def test_given_any_words_then_no_cell_begins_as_a_formula(words):
    assert harmless(words)[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert harmless(words).removeprefix("'") == words.removeprefix("'") or words.startswith("'")
    assert "@a.b" not in without_addresses(f"{words.strip()} x@a.b")


def test_given_the_banner_then_it_leads_a_manager_here(client, manager):
    health.beat(at=timezone.now() - dt.timedelta(hours=1))
    assert f'<a href="{PAGE}">Delivery report</a>' in shown(client, manager, "/clinic/")
