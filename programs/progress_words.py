"""The sentences under a patient's charts: what each of them shows, in whole sentences.

Pure: no Django, no clock. ``Say`` brings the words of the reader's language; without it the
sentences are English. A sentence is never put together from parts, so that every language can
say it its own way.
"""

from collections.abc import Callable
from dataclasses import dataclass

from programs.trends import Rhythm, Trend


def _as_written(words: str) -> str:
    return words


def _by_count(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


def _plain(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace("-", "−")


@dataclass(frozen=True)
class Say:
    """How a reader is spoken to: ``gettext`` and ``ngettext`` of the language, and ``number``,
    which writes 2.5 as the language does."""

    gettext: Callable[[str], str] = _as_written
    ngettext: Callable[[str, str, int], str] = _by_count
    number: Callable[[float], str] = _plain


ENGLISH = Say()


def pain_words(trend: Trend | None, known_days: int, say: Say = ENGLISH) -> list[str]:
    """What the chart of usual pain shows; ``known_days`` is the number of its dots."""
    if trend is None:
        return [_too_early(known_days, say)]
    values = _values(trend, say)
    if trend.verdict == "better":
        shown = say.gettext(
            "Your usual pain went down: from %(first)s in your first week to %(newest)s in your "
            "newest week."
        )
        meaning = say.gettext(
            "A change of %(limit)s points or more counts as clear. So this is a clear change for "
            "the better."
        )
    elif trend.verdict == "worse":
        shown = say.gettext(
            "Your usual pain went up: from %(first)s in your first week to %(newest)s in your "
            "newest week."
        )
        meaning = say.gettext(
            "A change of %(limit)s points or more counts as clear. Your physiotherapist sees this "
            "too and plans with it. Ups and downs are normal on the way."
        )
    else:
        shown = say.gettext(
            "Your usual pain was %(first)s in your first week and %(newest)s in your newest week."
        )
        meaning = say.gettext(
            "A change of less than %(limit)s points counts as about the same. Many people need six "
            "to twelve weeks to see more."
        )
    return [shown % values, meaning % values]


def safety_words(trend: Trend | None, known_days: int, say: Say = ENGLISH) -> list[str]:
    """What the chart of “how safe moving feels” shows."""
    if trend is None:
        return [_too_early(known_days, say)]
    values = _values(trend, say)
    if trend.verdict == "better":
        shown = say.gettext(
            "Moving feels safer: %(first)s in your first week, %(newest)s in your newest week. A "
            "change of %(limit)s points or more counts as clear."
        )
    elif trend.verdict == "worse":
        shown = say.gettext(
            "Moving feels less safe: %(first)s in your first week, %(newest)s in your newest week. "
            "Tell your physiotherapist what worries you. It helps to plan the next step."
        )
    else:
        shown = say.gettext(
            "Moving feels about as safe as at the start: %(first)s in your first week, %(newest)s "
            "in your newest week. A change of less than %(limit)s points counts as about the same."
        )
    return [shown % values]


def stiffness_words(
    *, recent: tuple[int, int], earlier: tuple[int, int], say: Say = ENGLISH
) -> list[str]:
    """``recent`` are (stiffer after, answered) of the last two weeks, ``earlier`` of the two
    before."""
    stiffer, answered = recent
    if not answered:
        return [
            say.gettext(
                "There is no answer about stiffness in the last two weeks. We ask after each "
                "routine."
            )
        ]
    sentences = [
        say.ngettext(
            "In the last two weeks your back was stiffer after %(stiffer)d of %(answered)d "
            "routine.",
            "In the last two weeks your back was stiffer after %(stiffer)d of %(answered)d "
            "routines.",
            answered,
        )
        % {"stiffer": stiffer, "answered": answered}
    ]
    before, of = earlier
    if of:
        sentences.append(
            say.ngettext(
                "In the two weeks before, it was %(stiffer)d of %(answered)d routine.",
                "In the two weeks before, it was %(stiffer)d of %(answered)d routines.",
                of,
            )
            % {"stiffer": before, "answered": of}
        )
    return sentences


def activity_words(*, done: int, partly: int, reported: int, say: Say = ENGLISH) -> list[str]:
    """``done`` whole routines, ``partly`` done ones, ``reported`` of both that no timer saw."""
    if not done + partly:
        return [say.gettext("No routine is recorded yet. The first one makes the first bar.")]
    total = done + partly
    sentences = [
        say.ngettext(
            "You have done %(count)d routine so far.",
            "You have done %(count)d routines so far.",
            total,
        )
        % {"count": total}
    ]
    if partly:
        sentences.append(
            say.ngettext(
                "On %(count)d day you did a part of it. A part counts too.",
                "On %(count)d days you did a part of it. A part counts too.",
                partly,
            )
            % {"count": partly}
        )
    if reported:
        sentences.append(
            say.gettext(
                "The striped parts are routines that you told us about without the step-by-step "
                "pages."
            )
        )
    return sentences


def rhythm_words(rhythm: Rhythm, say: Say = ENGLISH) -> list[str]:
    """What this week and the weeks before come to. Nothing that was missed is counted."""
    week = rhythm.this_week
    sentences = []
    if week.good:
        sentences.append(say.gettext("This week is in rhythm. Anything more is extra."))
    elif week.planned and rhythm.to_go is not None:
        sentences.append(
            say.ngettext(
                "%(count)d more day and this week is in rhythm.",
                "%(count)d more days and this week is in rhythm.",
                rhythm.to_go,
            )
            % {"count": rhythm.to_go}
        )
    else:
        sentences.append(
            say.gettext("A quieter week is all right. Every routine counts, also today’s.")
        )
    if rhythm.run > 1:
        sentences.append(
            say.ngettext(
                "You have %(count)d good week behind you.",
                "You have %(count)d good weeks behind you.",
                rhythm.run,
            )
            % {"count": rhythm.run}
        )
        if rhythm.forgiven:
            sentences.append(say.gettext("A quieter week in between changes nothing."))
    return sentences


def activities_words(
    first: float, newest: float, *, verdict: str, limit: float, say: Say = ENGLISH
) -> list[str]:
    """``first`` and ``newest`` are averages of the patient's own activities, 0–10."""
    values = {
        "first": say.number(first),
        "newest": say.number(newest),
        "limit": say.number(limit),
    }
    if verdict == "better":
        words = say.gettext(
            "On average your activities went up from %(first)s to %(newest)s. A change of "
            "%(limit)s points or more counts as clear, so this is a clear change for the better."
        )
    elif verdict == "worse":
        words = say.gettext(
            "On average your activities went down from %(first)s to %(newest)s. Your "
            "physiotherapist sees this too and plans with it."
        )
    else:
        words = say.gettext(
            "On average your activities were at %(first)s and are at %(newest)s now. A change of "
            "less than %(limit)s points counts as about the same."
        )
    return [words % values]


def _too_early(known_days: int, say: Say) -> str:
    if not known_days:
        return say.gettext("Nothing is known yet. Your first answer makes the first dot.")
    return say.ngettext(
        "There is %(count)d answer so far. With three answers in each of two weeks we can "
        "compare them.",
        "There are %(count)d answers so far. With three answers in each of two weeks we can "
        "compare them.",
        known_days,
    ) % {"count": known_days}


def _values(trend: Trend, say: Say) -> dict[str, str]:
    return {
        "first": say.number(trend.first),
        "newest": say.number(trend.newest),
        "limit": say.number(trend.limit),
    }
