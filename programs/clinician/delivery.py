"""The delivery report: for managers, how messages fared by day, carrier and reason."""

import csv
import dataclasses
import datetime as dt
import re
import uuid
import zoneinfo
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic.admin import sites_of
from clinic.audit import record_access
from clinic.messaging.fates import FATE, FATES, in_words, moment_of
from clinic.models import AccessRecord, OutboxMessage, Site
from clinic.models.messaging import Channel
from clinic.spreadsheets import MARK, harmless
from patients import delivery
from patients.delivery import Question
from patients.models import Patient
from programs.clinician import delivery_tables as tables
from programs.clinician.opening import portal

PERIODS = (7, 30, 90)
PAGE_SIZE = 60
# In an address: the messages that no carrier was asked to take.
NO_CARRIER = "none"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the address of the page asks for; "" where it asks for everything."""

    days: int = PERIODS[0]
    day: str = ""
    channel: str = ""
    carrier: str = ""
    site: str = ""
    fate: str = ""
    reason: str = ""

    def query(self, **changes: object) -> str:
        """The same question with changes, as an address says it."""
        parts = dataclasses.asdict(dataclasses.replace(self, **changes))
        if parts["days"] == PERIODS[0]:
            del parts["days"]
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    @property
    def narrowed(self) -> bool:
        return bool(self.day or self.carrier)


def report(request: HttpRequest) -> HttpResponse:
    """Totals, a picture, and tables by day, carrier and reason, each number a way to its rows."""
    asked, question, sites = _read(request, of_rows=False)
    counts = delivery.counts(question)
    length = (question.last - question.first).days + 1
    days = [question.last - dt.timedelta(days=number) for number in range(length)]
    by_day = tables.grouped(counts, lambda count: count.day)
    by_carrier = tables.grouped(counts, lambda count: (count.channel, count.carrier))
    return portal.page(
        request,
        "admin/portal/delivery.html",
        {
            "title": "Delivery report",
            "asked": asked,
            "question": question,
            "sites": sites,
            "periods": [(days, asked.query(days=days, day="")) for days in PERIODS],
            "channels": [
                (key, word, asked.query(channel=key))
                for key, word in [("", "All"), *Channel.choices]
            ],
            "whole_query": asked.query(day="", carrier=""),
            "list_url": reverse("admin:delivery_messages"),
            "csv_url": reverse("admin:delivery_csv") + asked.query(),
            "fates": FATES,
            "total": sum(count.number for count in counts),
            "totals": tables.cells(counts, asked),
            "sentence": tables.sentence(counts),
            "chart": tables.chart(by_day, days[::-1]) if length > 1 else None,
            "days": [
                (day, asked.query(day=day), tables.cells(by_day.get(day, []), asked, day=day))
                for day in days
            ],
            "carriers": [
                (
                    Channel(channel).label,
                    carrier,
                    asked.query(channel=channel, carrier=carrier or NO_CARRIER),
                    tables.cells(found, asked, channel=channel, carrier=carrier or NO_CARRIER),
                )
                for (channel, carrier), found in sorted(by_carrier.items())
            ],
            "reasons": tables.reasons(counts, asked),
            "unknown": sum(count.number for count in counts if count.fate.key == "unknown"),
        },
    )


def report_csv(request: HttpRequest) -> HttpResponse:
    """The same counts as a file: no address, no name, and nothing a table program would run."""
    _, question, _ = _read(request, of_rows=False)
    name = f"delivery-{question.first:%Y-%m-%d}-to-{question.last:%Y-%m-%d}.csv"
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    response.write(MARK)
    writer = csv.writer(response)
    writer.writerow(["Day", "Channel", "Carrier", "Fate", "Reason", "Messages"])
    for count in delivery.counts(question):
        writer.writerow(
            [
                count.day.isoformat(),
                Channel(count.channel).label,
                harmless(count.carrier),
                count.fate.word,
                harmless(without_addresses(count.reason)),
                count.number,
            ]
        )
    return response


def without_addresses(words: str) -> str:
    """Reasons name no address; should a carrier's words ever bring one, it stays here."""
    words = re.sub(r"[^\s<>]+@[^\s<>]+", "(address)", words)
    return re.sub(r"\+?\d[\d ().-]{6,}\d", "(number)", words)


def behind(request: HttpRequest) -> HttpResponse:
    """The messages behind a number, newest first; a patient is a way to their page."""
    asked, question, _ = _read(request, of_rows=True)
    page = Paginator(_Rows(question), PAGE_SIZE).get_page(request.GET.get("page"))
    found = list(page.object_list)
    patients = Patient.objects.visible_to(request.user).in_bulk(
        [uuid.UUID(row.subject_id) for row in found if row.subject_type == "patient"]
    )
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="messages",
        subject_id="delivery",
        page="delivery",
        at=timezone.now(),
    )
    return portal.page(
        request,
        "admin/portal/delivery_messages.html",
        {
            "title": _title(asked),
            "asked": asked,
            "question": question,
            "rows": [
                {
                    "message": row,
                    "at": moment_of(row),
                    "fate": in_words(row),
                    "patient": patients.get(uuid.UUID(row.subject_id))
                    if row.subject_type == "patient"
                    else None,
                }
                for row in found
            ],
            "page": page,
            "page_query": asked.query(),
            "back": reverse("admin:delivery_report") + asked.query(fate="", reason=""),
        },
    )


class _Rows:
    """The messages of a question as a paginator wants them: a length and slices."""

    def __init__(self, question: Question) -> None:
        self._question = question

    def count(self) -> int:
        return delivery.total(self._question)

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[OutboxMessage]:
        keys = delivery.keys(self._question, offset=part.start, limit=part.stop - part.start)
        found = OutboxMessage.objects.in_bulk(keys)
        return [found[key] for key in keys if key in found]


def _title(asked: Asked) -> str:
    words = FATE[asked.fate].word if asked.fate else "Messages"
    return f"{words}: {asked.reason}" if asked.reason else words


def _read(request: HttpRequest, *, of_rows: bool) -> tuple[Asked, Question, list[Site]]:
    """The address as words and as a question, and the sites to choose from if there are several.

    What it asks for wrongly is left out. The fate and the reason narrow lists of rows only.
    """
    said = request.GET
    mine = list(sites_of(request.user).order_by("name"))
    site = next((one for one in mine if str(one.pk) == said.get("site")), None)
    zone = site.time_zone if site else timezone.get_current_timezone_name()
    days = next((days for days in PERIODS if str(days) == said.get("days")), PERIODS[0])
    day = _day(said.get("day", ""))
    asked = Asked(
        days=days,
        day=day.isoformat() if day else "",
        channel=_one_of(said.get("channel"), Channel.values),
        carrier=said.get("carrier", "")[:40],
        site=str(site.pk) if site else "",
        fate=_one_of(said.get("fate"), FATE) if of_rows else "",
        reason=said.get("reason", "")[:200] if of_rows else "",
    )
    last = day or timezone.localdate(timezone=zoneinfo.ZoneInfo(zone))
    if site:
        sites = [site.pk]
    else:
        # Who works everywhere also reads of what belongs to no site.
        everywhere = len(mine) == Site.objects.count()
        sites = None if everywhere else [one.pk for one in mine]
    question = Question(
        first=day or last - dt.timedelta(days=days - 1),
        last=last,
        zone=zone,
        sites=sites,
        channel=asked.channel or None,
        carrier={"": None, NO_CARRIER: ""}.get(asked.carrier, asked.carrier),
        fate=asked.fate or None,
        reason=asked.reason or None,
    )
    return asked, question, mine if len(mine) > 1 else []


def _one_of(said: str | None, allowed: object) -> str:
    return said if said and said in allowed else ""


def _day(said: str) -> dt.date | None:
    """A day of this century; anything else is none."""
    try:
        day = dt.date.fromisoformat(said)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None
