"""The red-flag questions and what an answer to them means.

Pure: no Django, no clock. Any single yes or "not sure" counts: sources differ on how many signs
are needed, so the careful reading is taken (clinical content document, §3). The wording is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from clinic.marking import gettext_noop as _

Severity = Literal["emergency", "same_day"]
ANSWERS = ("yes", "no", "not_sure")
# Beside a yes or a not-sure only: the person asked for help before the end of the questions.
LEFT_OUT = "left_out"


@dataclass(frozen=True)
class Question:
    """One question; ``severity`` None asks for a clinician's look, not for a stop."""

    id: str
    severity: Severity | None
    text: str
    short: str


QUESTIONS: tuple[Question, ...] = (
    Question(
        "saddle_numbness",
        "emergency",
        _(
            "Do you have new numbness, tingling or a changed feeling between your legs, around "
            "your genitals, back passage or buttocks? You may notice it when you wipe."
        ),
        "Saddle numbness",
    ),
    Question(
        "bladder",
        "emergency",
        _(
            "Do you have new trouble peeing: starting, stopping, feeling it, knowing that your "
            "bladder is full, or leaking?"
        ),
        "Bladder change",
    ),
    Question(
        "bowel",
        "emergency",
        _("Have you newly lost control of your bowels, or the feeling when you open them?"),
        "Bowel change",
    ),
    Question(
        "sexual_function",
        "emergency",
        _("Is there a new change in sexual function or in genital feeling?"),
        "Change in sexual function",
    ),
    Question(
        "leg_weakness",
        "emergency",
        _(
            "Is a leg or foot newly losing strength, or getting worse? Does a foot drag, are both "
            "legs affected, or are you suddenly unsteady when you walk?"
        ),
        "Leg or foot losing strength",
    ),
    Question(
        "sudden_severe_with_collapse",
        "emergency",
        _(
            "Do you have sudden, very strong back or belly pain together with fainting, chest pain "
            "or trouble breathing?"
        ),
        "Sudden severe pain with collapse, chest pain or breathlessness",
    ),
    Question(
        "after_a_blow",
        "same_day",
        _(
            "Did strong back pain start after a fall, a crash or a blow? Or after a small knock, "
            "if you have osteoporosis or take steroid tablets?"
        ),
        "Strong pain after trauma",
    ),
    Question(
        "infection",
        "same_day",
        _(
            "Do you have a fever, chills or sweats? Or a recent infection, a low immune system, or "
            "have you injected drugs?"
        ),
        "Possible infection",
    ),
    Question(
        "cancer",
        "same_day",
        _("Have you ever had cancer, and is this pain new or different?"),
        "Cancer history with new pain",
    ),
    Question(
        "weight_loss",
        "same_day",
        _("Are you losing weight without trying?"),
        "Unexplained weight loss",
    ),
    Question(
        "constant_pain",
        "same_day",
        _(
            "Is the pain there day and night and no position eases it? Is it in several places? Or "
            "has the shape of your spine changed lately?"
        ),
        "Constant pain, several places or new spine shape",
    ),
    Question(
        "spreading_numbness",
        "same_day",
        _("Is numbness or a feeling of pins and needles in a leg spreading or getting worse?"),
        "Spreading leg numbness",
    ),
    Question(
        "age_of_onset",
        None,
        _("Did you first have back pain before you were 20, or after you were 50?"),
        "First back pain before 20 or after 50",
    ),
)

BY_ID: dict[str, Question] = {question.id: question for question in QUESTIONS}
# Age at the first pain does not change from week to week: it is asked at intake only.
REPEATED: tuple[Question, ...] = tuple(q for q in QUESTIONS if q.severity is not None)


@dataclass(frozen=True)
class Assessment:
    """``severity`` is the strongest raised, or None. ``raised`` holds the answers that count;
    ``review`` the questions a clinician should look at without a stop."""

    severity: Severity | None
    raised: dict[str, str]
    review: tuple[str, ...]


def complete(answers: Mapping[str, str]) -> dict[str, str]:
    """The repeated questions as far as they were answered. One yes is enough to get help: what
    was left out is kept as left out, never as an answer nobody gave."""
    if all(answer == "no" for answer in answers.values()):
        return dict(answers)
    return {question.id: LEFT_OUT for question in REPEATED} | dict(answers)


def assess(answers: Mapping[str, str], *, questions: tuple[Question, ...] = REPEATED) -> Assessment:
    """Say what these answers mean. Raises ValueError for an unknown or a missing answer."""
    known = {question.id for question in questions}
    for question_id, answer in answers.items():
        if question_id not in known:
            raise ValueError(f"There is no question “{question_id}”.")
        if answer not in (*ANSWERS, LEFT_OUT):
            raise ValueError(f"“{answer}” is not an answer: yes, no or not_sure.")
    raised_any = any(answer in ("yes", "not_sure") for answer in answers.values())
    for question in questions:
        answer = answers.get(question.id, LEFT_OUT)
        if question.id not in answers or (answer == LEFT_OUT and not raised_any):
            raise ValueError(f"The question “{question.short}” is not answered.")
    counting = {qid: answer for qid, answer in answers.items() if answer in ("yes", "not_sure")}
    raised = {qid: answer for qid, answer in counting.items() if BY_ID[qid].severity}
    # Beside a raised flag an emergency question without an answer is read the careful way.
    open_questions = [qid for qid, answer in answers.items() if answer == LEFT_OUT and raised]
    severities = {BY_ID[qid].severity for qid in (*raised, *open_questions)}
    severity: Severity | None = None
    if "emergency" in severities:
        severity = "emergency"
    elif "same_day" in severities:
        severity = "same_day"
    review = tuple(qid for qid in counting if BY_ID[qid].severity is None)
    return Assessment(severity=severity, raised=raised, review=review)
