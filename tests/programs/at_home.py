"""What a patient has and sends at home, for the tests of their pages."""

import datetime as dt
import re
import uuid

from django.test import Client
from django.utils.html import escape

from patients.models import RedFlag
from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.models import Exercise, Program
from programs.today import today_for
from tests.conftest import MONDAY

TUESDAY = MONDAY + dt.timedelta(days=1)
ALL_NO = {question.id: "no" for question in REPEATED}
AFTER = {
    "pain_before": "2",
    "pain_during": "2",
    "effort": "5",
    "form_kept": "yes",
    "stiffer_after": "no",
    "neck_tension": "no",
    "soreness": "none",
}
MORNING = {"pain_this_morning": "2", "usual_pain": "2", "soreness": "none"}


def safe(patient, at: dt.datetime = MONDAY, **raised: str) -> RedFlag | None:
    return answer_red_flags(
        patient=patient,
        answers={**ALL_NO, **raised},
        source="weekly",
        client_id=uuid.uuid4(),
        at=at,
    )


def items_of(program: Program, at: dt.datetime = MONDAY):
    return today_for(program=program, at=at).items


def answers(page, *done, **more: str) -> dict[str, str]:
    """The form of the routine, as sent by a patient who did these exercises."""
    hidden = re.findall(r'<input type="hidden" name="(client_id|short)" value="([^"]*)"', page.text)
    return {**dict(hidden), **hows(*((item, "done") for item in done)), **more}


def hows(*pairs) -> dict[str, str]:
    return {f"how-{item.exercise.slug}": said for item, said in pairs}


def do_routine(client: Client, program: Program) -> None:
    client.post("/routine/", answers(client.get("/routine/"), *items_of(program)))


def assert_no_exercise(page) -> None:
    text = page.content.decode().lower()
    for slug, name in Exercise.objects.values_list("slug", "name"):
        assert slug not in text
        assert escape(name).lower() not in text
