"""What the rules and the verbs told a patient, said again in another language.

Decisions and versions keep their words in English, as they were said on the day. A text made of
sentences that are known here is said again in the reader's language; any other (what a clinician
wrote) stays as written, whole. Pure: no Django, no clock.
"""

import functools
import re
from collections.abc import Callable, Mapping

from clinic.marking import gettext_noop as _
from programs.reasons import REASONS, SAID

# The sentences of ``programs.ladder`` about one step, and of ``programs.difference``.
STEPS: tuple[str, ...] = (
    _("%(exercise)s goes one level easier."),
    _("We do a little less of %(exercise)s."),
    _("%(exercise)s rests for now."),
    _("%(first)s and %(second)s rest for now."),
    _("%(exercise)s: %(reps)s times instead of %(before)s."),
    _("%(exercise)s: hold for %(hold)s seconds instead of %(before)s."),
    _("%(exercise)s: %(load)s kg instead of %(before)s kg."),
    _("%(exercise)s goes up to level %(level)s."),
    _("New: %(exercises)s."),
    _("%(exercise)s is back."),
    _("%(exercise)s leaves your routine."),
    _("%(exercise)s goes back to level %(level)s."),
    _("%(exercise)s: sets %(sets)s instead of %(before)s."),
    _("%(exercise)s: days a week %(days)s instead of %(before)s."),
    _("Step by step you exercise on fewer days, down to %(days)s a week."),
)
_EXERCISES = ("exercise", "first", "second", "exercises")
_PLACE = re.compile(r"%\((\w+)\)s")


def retell(
    text: str,
    *,
    say: Callable[[str], str],
    names: Mapping[str, str],
    whole: Mapping[str, str],
    point: str = ".",
) -> str:
    """The text by ``say`` (gettext of the language); ``names`` are the exercises' names there by
    their English ones, ``whole`` known texts that are no sentences of ours, ``point`` the
    language's decimal sign."""
    if text in whole:
        return whole[text]
    said: list[str] = []
    rest = text.strip()
    while rest:
        found = _first(rest, tuple(sorted(names)))
        if found is None:
            return text
        sentence, values, length = found
        if values:
            values = {name: _named(name, value, names, point) for name, value in values.items()}
            said.append(say(sentence) % values)
        else:
            said.append(say(sentence))
        rest = rest[length:].lstrip()
    return " ".join(said)


def _named(place: str, value: str, names: Mapping[str, str], point: str) -> str:
    if place not in _EXERCISES:
        return value.replace(".", point)
    return ", ".join(names.get(name, name) for name in value.split(", "))


def _first(text: str, names: tuple[str, ...]) -> tuple[str, dict[str, str], int] | None:
    """The known sentence this text begins with, what stands in its gaps, and how long it is."""
    for sentence in (*REASONS.values(), *SAID):
        if text.startswith(sentence):
            return sentence, {}, len(sentence)
    for sentence, pattern in _patterns(names):
        match = pattern.match(text)
        if match:
            return sentence, match.groupdict(), match.end()
    return None


@functools.lru_cache(maxsize=8)
def _patterns(names: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """The sentences about a step as patterns, longest exercise names first."""
    name = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True)) or "(?!)"

    def gap(place: str) -> str:
        if place == "exercises":
            return rf"(?P<exercises>(?:{name})(?:, (?:{name}))*)"
        inside = name if place in _EXERCISES else r"[\d.]+?"
        return f"(?P<{place}>{inside})"

    found = []
    for sentence in STEPS:
        parts = _PLACE.split(sentence)
        pattern = "".join(
            re.escape(part) if index % 2 == 0 else gap(part) for index, part in enumerate(parts)
        )
        found.append((sentence, re.compile(pattern)))
    return found
