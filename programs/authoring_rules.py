"""What an exercise written in the portal must be. Pure: no Django, no clock.

``content`` has the shape of ``programs.exercise_versions.content_of``. A problem is a pair of the
place (``"why"``, ``"l2.cues"``: level 2, cues) and what is the matter, in the author's words. What
must be right at every saving stands in ``problems``; what may still be empty in a draft, but not
when it goes to a colleague, in ``missing``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from programs.patient_words import (
    EXERCISE_TEXTS,
    LEVEL_LISTS,
    LEVEL_TEXTS,
    banned_in,
    cue_set_of,
    kind_refusal,
    longest_sentence,
)

MUSCLES = (
    "diaphragm",
    "transversus_abdominis",
    "pelvic_floor",
    "multifidus",
    "rectus_abdominis",
    "obliques",
    "quadratus_lumborum",
    "erector_spinae",
    "gluteus_maximus",
    "gluteus_medius",
    "hamstrings",
    "quadriceps",
    "hip_flexors",
    "pectorals",
    "trapezius",
    "shoulders",
    "deep_neck_flexors",
    "foot",
)
EQUIPMENT = (
    "band",
    "ball",
    "small_ball",
    "chair",
    "wall",
    "bench",
    "dowel",
    "weight",
    "strap",
    "roller",
    "step",
)
# Resistance work is never planned on two days running (clinical content, conflict C5).
MAX_LOADED_DAYS = 3
LONGEST_SENTENCE = 25
# What a prescription can hold: sets, repetitions, seconds.
LIMITS = {
    "sets": (1, 6, "Sets"),
    "reps_from": (1, 30, "Repetitions"),
    "reps_to": (1, 30, "Repetitions"),
    "hold_from": (0, 300, "Hold"),
    "hold_to": (0, 300, "Hold"),
    "days_per_week": (1, 7, "Days a week"),
    "seconds_per_rep": (1, 60, "Seconds for each repetition"),
    "rest_s": (0, 300, "Rest"),
}
CUE_SETS = {"draw_in": "draw in", "fill_out": "fill outward"}

Content = Mapping[str, Any]
Problem = tuple[str, str]


def problems(content: Content) -> list[Problem]:
    """Everything that keeps this content from being saved."""
    found: list[Problem] = []
    for place, text in patient_texts(content):
        found += _word_problems(place, text, content)
    for level in content["levels"]:
        found += _dose_problems(level)
    titles = [level["title"].strip().lower() for level in content["levels"]]
    for level, title in zip(content["levels"], titles, strict=True):
        if title and titles.count(title) > 1:
            found.append((f"l{level['level']}.title", "Two levels have the same title."))
    return found


def missing(content: Content) -> list[Problem]:
    """What a draft still lacks before somebody can review it."""
    found: list[Problem] = []
    if not content["why"].strip():
        found.append(("why", "Say in a sentence why the patient does this."))
    if not content["muscles"]:
        found.append(("muscles", "Name the muscles that work."))
    if content["equipment"] and not content["alternative"].strip():
        found.append(("alternative", "Say what to do without the equipment."))
    if not content["levels"]:
        found.append(("l1.title", "Write at least the first level."))
    for level in content["levels"]:
        place = f"l{level['level']}"
        if not level["title"].strip():
            found.append((f"{place}.title", f"Level {level['level']}: give it a title."))
        if not level["set_up"].strip():
            found.append((f"{place}.set_up", f"Level {level['level']}: say how to set up."))
        if not level["cues"]:
            found.append((f"{place}.cues", f"Level {level['level']}: write its cues."))
        if not level["feel"].strip():
            found.append((f"{place}.feel", f"Level {level['level']}: say what it feels like."))
        if not level["not_feel"].strip():
            found.append(
                (
                    f"{place}.not_feel",
                    f"Level {level['level']}: say what it should not feel like, and what to do "
                    "then.",
                )
            )
        if bool(level["cues_draw_in"]) != bool(level["cues_fill_out"]):
            found.append(
                (
                    f"{place}.cues_draw_in",
                    f"Level {level['level']}: write a cue for both cue sets, or for neither.",
                )
            )
    return found


def patient_texts(content: Content) -> Iterator[tuple[str, str]]:
    """Every text that a patient reads, with its place."""
    for name in EXERCISE_TEXTS:
        yield name, content[name]
    for level in content["levels"]:
        for name in LEVEL_TEXTS:
            yield f"l{level['level']}.{name}", level[name]
        for name in LEVEL_LISTS:
            for cue in level[name]:
                yield f"l{level['level']}.{name}", cue


def _word_problems(place: str, text: str, content: Content) -> Iterator[Problem]:
    word = banned_in(text)
    if word:
        yield place, kind_refusal(word)
    own = next((cue_set for cue_set in CUE_SETS if place.endswith(f"cues_{cue_set}")), None)
    # A ball has a pressure of its own that sets no core.
    if content["movement_class"] != "release":
        other = cue_set_of(text, own=own)
        if other:
            yield (
                place,
                f"“{other[0]}” belongs to the cue set “{CUE_SETS[other[1]]}”. Write it in the "
                "cues of that set, so that nobody reads both.",
            )
    count = longest_sentence(text)
    if count > LONGEST_SENTENCE:
        yield place, f"A sentence of {count} words: patients read up to {LONGEST_SENTENCE}."


def _dose_problems(level: Mapping[str, Any]) -> Iterator[Problem]:
    place = f"l{level['level']}"
    for name, (low, high, what) in LIMITS.items():
        if not low <= level[name] <= high:
            yield f"{place}.{name}", f"{what}: from {low} to {high}."
    for name, what in (("reps", "Repetitions"), ("hold", "Hold")):
        start, end, step = level[f"{name}_from"], level[f"{name}_to"], level[f"{name}_step"]
        if end < start:
            yield f"{place}.{name}_to", f"{what}: the top is below the start."
        elif start != end and (step < 1 or (end - start) % step):
            yield (
                f"{place}.{name}_step",
                f"{what}: {end} is not reached from {start} in steps of {step}.",
            )
        elif start == end and step:
            yield f"{place}.{name}_step", f"{what}: start and top are the same, so the step is 0."
    if level["reps_from"] < level["reps_to"] and level["hold_from"] < level["hold_to"]:
        yield f"{place}.hold_to", "Repetitions and hold both rise: one at a time."
    if level["alternate"] and not level["per_side"]:
        yield f"{place}.alternate", "Sides take turns only where the dose is for each side."
    loaded = level["loaded"] or level["movement_class"] == "hinge_loaded"
    if loaded and level["days_per_week"] > MAX_LOADED_DAYS:
        yield (
            f"{place}.days_per_week",
            f"With a load at most {MAX_LOADED_DAYS} days a week, so that a day of rest lies "
            "between.",
        )


# --- what differs ----------------------------------------------------------------------------

_WORDS = {
    "name": "Name",
    "movement_class": "Movement class",
    "first_phase": "First phase",
    "muscles": "Muscles",
    "equipment": "Equipment",
    "alternative": "Without the equipment",
    "why": "Why",
    "regress_to": "Easier exercise",
    "title": "Title",
    "loaded": "Outside load",
    "set_up": "Set-up",
    "cues": "Cues",
    "cues_draw_in": "Cues, draw in",
    "cues_fill_out": "Cues, fill outward",
    "feel": "Feel",
    "not_feel": "Not feel",
    "figure": "Figure",
    "sets": "Sets",
    "reps_from": "Repetitions from",
    "reps_to": "Repetitions to",
    "reps_step": "Repetitions, step",
    "hold_from": "Hold from, s",
    "hold_to": "Hold to, s",
    "hold_step": "Hold, step, s",
    "per_side": "Each side",
    "alternate": "Sides take turns",
    "days_per_week": "Days a week",
    "seconds_per_rep": "Seconds for each repetition",
    "rest_s": "Rest, s",
}


def differences(before: Content | None, after: Content) -> list[tuple[str, str, str]]:
    """What changed from one content to another: label, before, after, in the order of the form.
    Nothing where there was no ``before``."""
    if before is None:
        return []
    found = [
        (_WORDS[name], _said(before[name]), _said(after[name]))
        for name in _WORDS
        if name in after and name != "levels" and before.get(name) != after[name]
    ]
    old = {level["level"]: level for level in before["levels"]}
    new = {level["level"]: level for level in after["levels"]}
    for number in sorted(old.keys() | new.keys()):
        if number not in new or number not in old:
            there = old.get(number) or new[number]
            said = (there["title"], "") if number in old else ("", there["title"])
            found.append((f"Level {number}", *said))
            continue
        found += [
            (
                f"Level {number}: {word[0].lower()}{word[1:]}",
                _said(old[number][name]),
                _said(new[number][name]),
            )
            for name, word in _WORDS.items()
            if name in new[number] and old[number].get(name) != new[number][name]
        ]
    languages = sorted(before.get("words", {}).keys() | after.get("words", {}).keys())
    found += [
        (f"Words in another language ({language})", "", "changed")
        for language in languages
        if _spoken(before, language) != _spoken(after, language)
    ]
    return found


def _spoken(content: Content, language: str) -> list[Any]:
    levels = [level["words"].get(language) for level in content["levels"]]
    return [content["words"].get(language), *levels]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " · ".join(str(one).replace("_", " ") for one in value)
    return "" if value is None else str(value)
