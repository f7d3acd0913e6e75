"""Answers that waited on a device for a line, sent to the page they were given on.

A replay is the same POST as the form would have made, with two headers: how many seconds ago it
was answered, and for whom. The page keeps it as it keeps every answer; here stands only what the
device is told in place of a page: kept, or why not, in words.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from html.parser import HTMLParser

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import CheckIn, Patient, RedFlagScreening
from programs.models import Session
from programs.portal_access import account_of, as_visitor, private, visitor_of

AGO, ACCOUNT = "X-Answered-Ago", "X-Answered-By"
# No device holds answers for longer; a larger number is not one.
LONGEST_S = 366 * 24 * 3600
# The list in templates/forms/errors.html.
_WORDS_IN = "sb-errors__list"


def take_replays(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a POST with ``X-Answered-Ago`` gets its answer as JSON.

    ``{"kept": true, "next": address or null}`` with 200, also for what was kept before; 400 with
    ``words`` for what a page refuses; 401 when nobody is signed in; 409 when somebody else is.
    Troubles of the server (500 and above) and its limits (403, 429) come as they are: the device
    tries again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or AGO not in request.headers:
            return get_response(request)
        at = timezone.now()
        refused = _refusal(request, at)
        if refused is not None:
            return refused
        response = get_response(request)
        if response.status_code >= 500 or response.status_code in (403, 429):
            return response
        patient = getattr(request, "patient", None)
        if patient is None:
            return _say(401, kept=False)
        if _is_kept(patient, request):
            return _say(200, kept=True, next=response.get("Location"))
        return _say(400, kept=False, words=_words(response))

    return middleware


def _refusal(request: HttpRequest, at: dt.datetime) -> HttpResponse | None:
    """Why nothing of this is looked at; else the request knows when it was answered."""
    try:
        ago = float(request.headers[AGO])
    except ValueError:
        ago = -1
    if not 0 <= ago <= LONGEST_S:
        return _say(400, kept=False, words=[_("It is not known when you gave these answers.")])
    visitor = visitor_of(request, at=at)
    if visitor is None:
        return _say(401, kept=False)
    with as_visitor(request, visitor):
        account = account_of(request)
    if request.headers.get(ACCOUNT) != account:
        return _say(409, kept=False)
    request.given_at = at - dt.timedelta(seconds=ago)
    return None


def _is_kept(patient: Patient, request: HttpRequest) -> bool:
    try:
        client_id = uuid.UUID(request.POST.get("client_id", ""))
    except ValueError:
        return False
    # An id that stands for another day's answers does not stand for these; in the night a
    # check-in may still belong to the day before.
    day = patient.local_date(request.given_at)
    days = [day, day - dt.timedelta(days=1)]
    mine = [
        Session.objects.filter(program__patient=patient, client_id=client_id, day=day),
        CheckIn.objects.filter(patient=patient, client_id=client_id, day__in=days),
        RedFlagScreening.objects.filter(patient=patient, client_id=client_id),
        # Other answers under an id that is used already are kept under an id of their own.
        RedFlagScreening.objects.filter(patient=patient, at=request.given_at),
    ]
    return any(kept.exists() for kept in mine)


def _words(response: HttpResponse) -> list[str]:
    """The page's own words for what is wrong."""
    if response.status_code >= 400 and not response.streaming:
        reader = _ErrorList()
        reader.feed(response.content.decode(response.charset or "utf-8", "replace"))
        if reader.words:
            return reader.words
    return [_("This could not be added to that day. Perhaps that day is saved already.")]


class _ErrorList(HTMLParser):
    """The lines of the list of errors at the top of a form."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._inside = self._line = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "ul" and _WORDS_IN in (dict(attrs).get("class") or "").split():
            self._inside = True
        elif tag == "li" and self._inside:
            self.words.append("")
            self._line = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "ul":
            self._inside = False
        elif tag == "li":
            self._line = False

    def handle_data(self, data: str) -> None:
        if self._inside and self._line:
            self.words[-1] = f"{self.words[-1]} {data.strip()}".strip()


def _say(status: int, **said: object) -> HttpResponse:
    return private(JsonResponse(said, status=status))
