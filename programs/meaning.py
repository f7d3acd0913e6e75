"""What a check-in means in plain words, beside what the rules decide. Pure: no Django, no clock.

Never a diagnosis and never blame: what is usual, and what helps. What a decision has said already
is not said twice.
"""

from collections.abc import Collection
from dataclasses import dataclass

from clinic.marking import gettext_noop as _
from patients.asking_schedule import HIGH_STRESS, NOT_SAFE, POOR_SLEEP

# More is a wall of words.
MOST = 2
RISE = 2


@dataclass(frozen=True)
class Answers:
    """The answers as a check-in has them, 0–10 or None. ``pain_before`` of a morning is that
    before yesterday's session."""

    pain_before: int | None = None
    pain_during: int | None = None
    pain_this_morning: int | None = None
    soreness: str = ""
    stiffer_after: bool | None = None
    neck_tension: bool | None = None
    sleep: int | None = None
    stress: int | None = None
    feels_safe: int | None = None


@dataclass(frozen=True)
class Meaning:
    """``read`` is the slug of a page that says more, or "". ``rules`` say the same already."""

    words: str
    read: str = ""
    rules: frozenset[str] = frozenset()


PULL = Meaning(
    _(
        "A pull on one side is something we watch closely. If it spreads down the leg, or your "
        "leg feels numb, use “Something feels seriously wrong”."
    ),
    read="good-soreness",
)
TOO_MUCH = Meaning(
    _("That was more pain than we aim for. You did right to say so."),
    rules=frozenset({"R03", "R07"}),
)
SORER = Meaning(
    _("A sorer morning can follow a new exercise. It says “a little less”, not “stop moving”."),
    read="good-soreness",
    rules=frozenset({"R08", "R13"}),
)
EVEN = Meaning(
    _("Being sore about the same on both sides is normal. It usually fades in two or three days."),
    read="good-soreness",
    rules=frozenset({"R17"}),
)
STIFFER = Meaning(
    _("Feeling stiffer afterwards is an early sign to go gently. Easy movement helps."),
    rules=frozenset({"R09", "R14"}),
)
NECK = Meaning(
    _("Your neck helped more than it needs to. Let your head rest, and breathe calmly."),
    rules=frozenset({"R11", "R15"}),
)
NOT_SURE_OF_MOVING = Meaning(
    _("Many people feel careful about moving. It grows easier in small steps that feel safe."),
    read="moving-is-safe",
    rules=frozenset({"R19"}),
)
TIRED = Meaning(
    _("Little sleep or a lot of stress can make a back more tender. An easy day counts too."),
    read="relaxation",
    rules=frozenset({"R20"}),
)
SETTLED = Meaning(_("Your back settled overnight. That is a good sign."))
ACCEPTABLE = Meaning(
    _("Some pain while you exercise is all right, as long as it settles by the next morning."),
    read="good-soreness",
    rules=frozenset({"R23"}),
)
COMFORTABLE = Meaning(
    _("That much pain while you exercise is fine. You are working at a good level.")
)


def meaning_of(
    answers: Answers, *, comfortable: int, ceiling: int, rules: Collection[str] = ()
) -> list[Meaning]:
    """At most ``MOST`` sentences, what matters most first.

    ``comfortable`` and ``ceiling`` are the pain during exercise up to which a step forward, and
    the same step again, are all right; ``rules`` are those of the decision shown beside it.
    """
    during, morning, before = answers.pain_during, answers.pain_this_morning, answers.pain_before
    rise = None if morning is None or before is None else morning - before
    found = [
        (answers.soreness == "one_sided", PULL),
        (during is not None and during > ceiling, TOO_MUCH),
        (rise is not None and rise >= RISE, SORER),
        (answers.soreness == "even", EVEN),
        (bool(answers.stiffer_after), STIFFER),
        (bool(answers.neck_tension), NECK),
        (answers.feels_safe is not None and answers.feels_safe <= NOT_SAFE, NOT_SURE_OF_MOVING),
        (_tired(answers), TIRED),
        (rise is not None and rise <= 0, SETTLED),
        (during is not None and comfortable < during <= ceiling, ACCEPTABLE),
        (during is not None and during <= comfortable, COMFORTABLE),
    ]
    said = [meaning for holds, meaning in found if holds and not meaning.rules & set(rules)]
    return said[:MOST]


def _tired(answers: Answers) -> bool:
    poor_sleep = answers.sleep is not None and answers.sleep <= POOR_SLEEP
    return poor_sleep or (answers.stress is not None and answers.stress >= HIGH_STRESS)
