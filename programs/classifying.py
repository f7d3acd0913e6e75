"""Suggest a movement class for an exercise that somebody else wrote.

Pure: no Django, no clock. Reads rows in the shape that free-exercise-db publishes (``name``,
``category``, ``force``, ``equipment``, ``primaryMuscles``, ``instructions`` …). A suggestion is
never a decision: an imported exercise waits for a clinician, who sees the reasons.

When several classes speak for a row, the one behind the more restrictive gate wins, so that a
wrong suggestion errs towards asking a clinician:

1. ``flexion_loaded`` – needs clearance on every pathway, so a crunch with a twist is a crunch;
2. ``rotation`` – clearance or a late phase, so a kettlebell windmill is not just a hinge;
3. ``hinge_loaded`` – phase 1 or 2, clearance after injury;
4. ``extension``, then ``anti_rotation``, ``anti_extension``, ``hip_hinge``, ``hip_extension`` –
   a phase;
5. ``isometric``, ``release``, ``mobility`` – open, and only where nothing above speaks.

``function`` is what is left: squats, presses, pulls, curls of the arm, walking, jumping. An
exercise for the abdominals about which nothing is known counts as loaded flexion.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRECEDENCE = (
    "flexion_loaded",
    "rotation",
    "hinge_loaded",
    "extension",
    "anti_rotation",
    "anti_extension",
    "hip_hinge",
    "hip_extension",
    "isometric",
    "release",
    "mobility",
)
FALLBACK = "function"


@dataclass(frozen=True)
class Suggestion:
    """A movement class, whether outside load is used, and why, for the clinician to judge."""

    movement_class: str
    loaded: bool
    reasons: list[str]


@dataclass(frozen=True)
class _Name:
    """A name that speaks for a class; ``muscles`` limits it to rows for one of those muscles."""

    movement_class: str
    pattern: re.Pattern[str]
    says: str
    muscles: frozenset[str] = frozenset()


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_TRUNK = frozenset({"abdominals", "lower back", "middle back"})
_ABS = frozenset({"abdominals"})
_HIPS = frozenset({"glutes", "hamstrings"})

_NAMES = (
    _Name(
        "flexion_loaded", _words(r"sit-?ups?|crunch(?:es)?|jackknife|v-?ups?"), "is a trunk curl"
    ),
    _Name("flexion_loaded", _words(r"get-?ups?"), "sits up from the floor under load"),
    _Name("flexion_loaded", _words(r"slams?"), "bends the trunk fast"),
    _Name(
        "flexion_loaded",
        _words(
            r"(?:leg|hip|knee)s?(?:/hip)? raise|pull-ins?|tucks?|pikes?|bottoms up|butt-ups"
            r"|cocoons|otis-up|air bike|heel touchers|elbow to knee|toe touchers|wind sprints"
            r"|(?:scissor|flutter) kicks?"
        ),
        "curls the trunk or lifts the legs from the front",
        _ABS,
    ),
    _Name("flexion_loaded", _words(r"side bends?"), "bends the trunk sideways under load"),
    # "With a twist" turns the forearm when the row is for chest or arms.
    _Name("rotation", _words(r"twists?|rotations?|180'?s"), "turns the trunk", _TRUNK),
    _Name(
        "rotation", _words(r"russian twists?|wood ?chops?|chop and lift|chops"), "turns the trunk"
    ),
    _Name("rotation", _words(r"windmills?"), "turns and bends the trunk"),
    _Name("rotation", _words(r"judo flip|spell caster|sledgehammer"), "turns the trunk"),
    _Name("rotation", _words(r"(?:standing )?cable lift"), "turns the trunk", _ABS),
    _Name("rotation", _words(r"figure 8"), "passes a weight round the legs"),
    _Name(
        "extension",
        _words(r"(?:hyper|back )extensions?|reverse hyper\w*|superman|locust|lower back curl"),
        "lifts the trunk or legs backwards",
    ),
    _Name("extension", _words(r"flutter kicks?"), "lifts the legs backwards", _HIPS),
    _Name(
        "anti_rotation",
        _words(r"pallof\w*|side (?:bridge|plank)|renegade row|bird[- ]?dog"),
        "keeps the trunk from turning or tipping",
    ),
    _Name(
        "anti_extension",
        _words(
            r"planks?|(?:ab )?roll-?outs?|ab roller|dead ?bug|fallout|mountain climbers?"
            r"|spider crawl|body-up"
        ),
        "keeps the trunk from sagging",
    ),
    _Name(
        "hip_extension",
        _words(
            r"bridge|thrusts?|hip lift|kickback|hip extension|glute[- ]ham\w*|butt lift|leg lift"
        ),
        "stretches the hips",
        _HIPS,
    ),
    _Name("isometric", _words(r"isometric(?! wipers)|vacuum"), "holds without moving"),
    _Name("release", _words(r"smr"), "self-massage"),
)

_HINGE = _words(
    r"deadlifts?|good mornings?|rack pulls?|pull through|stiff[- ]leg\w*|stiff legs|romanian"
    r"|(?:kettlebell|vertical) swings?|high pull|snatch|power clean|hang clean|clean(?! grip)"
    r"|atlas stones?|keg load|sandbag load|tire flip|pass between the legs|scoop throw"
    r"|backward medicine ball throw"
)
_BENT_OVER = _words(r"bent[- ]over|t-bar row with handle|long bar row")
_HINGE_TEXT = re.compile(
    r"(?<!small forward )(?<!slight )\bbend(?:ing)?(?: (?!slightly)\w+){0,3} (?:at|from)"
    r" (?:the|your) (?:waist|hips?)\b|\b(?:bend|bent) over\b"
    r"|\btorso (?:\w+ ){0,3}parallel (?:to|with) the (?:floor|ground)\b",
    re.IGNORECASE,
)
_SUPPORTED_TEXT = re.compile(
    r"\b(?:lie|lay|lying|laying|seated|sit(?:ting)? (?:on|at|down)|kneel\w*|for support)\b",
    re.IGNORECASE,
)
_CURL_TEXT = re.compile(
    r"\b(?:flex|curl|crunch|roll)(?:ing|s)?(?: (?:the|your|over|up|upper|at))*"
    r" (?:spine|torso|trunk|body|waist|shoulders)\b|\b(?:as you|to|and|then) sit up\b",
    re.IGNORECASE,
)
_TURN_TEXT = re.compile(
    r"\b(?:rotat|twist|turn)(?:e|es|ing|s)? (?:(?:the|your|upper|entire|whole) )*"
    r"(?:torso|trunk|body|waist|spine|shoulders at)\b"
    r"|\b(?:rotat|twist|turn)(?:e|ing)? (?:at (?:the|your) waist|to (?:the|one) (?:opposite )?side)"
    r"|\b(?:torso|trunk|upper body) (?:to |should )?(?:rotat|twist)\w*"
    r"|\b(?:leg|knee)(?: \w+){0,4} across (?:the|your) (?:back of (?:the|your) )?body\b"
    r"|\bcross(?:ing)? (?:it|(?:one|the|your) leg) over (?:the|your) body\b"
    r"|\blower (?:the|your|both) (?:legs?|knees?) to (?:the|one|your) (?:\w+ )?side\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\bnot|n['’]t|\bavoid|\bwithout|\bno|\bnever|\bprevent)\b[^.]{0,30}$", re.I
)

_LOAD_EQUIPMENT = {
    "barbell": "barbell",
    "dumbbell": "dumbbell",
    "cable": "cable",
    "machine": "machine",
    "kettlebells": "kettlebell",
    "bands": "band",
    "medicine ball": "medicine ball",
    "e-z curl bar": "barbell",
}
_LOAD_CATEGORIES = {"powerlifting", "olympic weightlifting", "strongman"}
_LOAD_NAMES = _words(
    r"weighted|plates?|sled|sandbag|keg|stones?|tire|yoke|harness|bands?|barbell|dumbbell"
    r"|kettlebell|cable|landmine|chains?|sledgehammer|prowler|axle"
)


def suggest_movement_class(row: Mapping[str, Any]) -> Suggestion:
    """Suggest the class and whether outside load is used, with the reasons.

    ``row`` has the fields of free-exercise-db; ``name`` is needed, what else is missing counts as
    unknown. Reasons quote the fields they come from; the first belongs to the suggested class,
    the others name what also spoke.
    """
    name = str(row.get("name") or "")
    muscles = frozenset(row.get("primaryMuscles") or ())
    text = " ".join(row.get("instructions") or ())
    loaded, load_reason = _load(row, name)
    votes: dict[str, list[str]] = {}

    def vote(movement_class: str, reason: str) -> None:
        votes.setdefault(movement_class, []).append(reason)

    for rule in _NAMES:
        found = rule.pattern.search(name)
        if found and (not rule.muscles or rule.muscles & muscles):
            vote(rule.movement_class, f"name: “{found.group()}” {rule.says}")
    _vote_on_hinges(vote, row, name, text, loaded, votes)
    _vote_on_text(vote, row, text, muscles)
    if row.get("equipment") == "foam roll":
        vote("release", "equipment: foam roll")
    if row.get("category") == "stretching" and not re.search(r"\b(?:hops?|squats?)\b", name, re.I):
        vote("mobility", "category: stretching")
    if not votes and muscles & _ABS:
        vote("flexion_loaded", "muscles: abdominals, and nothing says that the trunk stays still")
    if loaded and "hip_extension" in votes and re.search(r"bridge|thrust|hip lift", name, re.I):
        vote("hinge_loaded", f"{votes['hip_extension'][0]}, with load")

    chosen = next((c for c in PRECEDENCE if c in votes), FALLBACK)
    if chosen == "hinge_loaded" and not loaded:
        loaded, load_reason = True, "loaded – a deadlift is never listed without a weight"
    if chosen == FALLBACK:
        reasons = [f"category: {row.get('category') or 'unknown'}, nothing narrower fits"]
    else:
        others = [c for c in PRECEDENCE if c in votes and c != chosen]
        reasons = [*votes[chosen], *(f"also {c} – {votes[c][0]}" for c in others)]
    if load_reason:
        reasons.append(load_reason)
    return Suggestion(chosen, loaded, reasons)


def _load(row: Mapping[str, Any], name: str) -> tuple[bool, str]:
    equipment = row.get("equipment")
    if row.get("category") == "stretching":
        return False, ""
    if equipment in _LOAD_EQUIPMENT:
        return True, f"loaded – equipment: {equipment}"
    if row.get("category") in _LOAD_CATEGORIES:
        return True, f"loaded – category: {row['category']}"
    found = _LOAD_NAMES.search(name)
    return (True, f"loaded – name: “{found.group()}”") if found else (False, "")


def _vote_on_hinges(
    vote: Any,
    row: Mapping[str, Any],
    name: str,
    text: str,
    loaded: bool,
    votes: Mapping[str, list[str]],
) -> None:
    if row.get("category") == "stretching":
        return
    found = _HINGE.search(name)
    if found:
        # Nobody lists a deadlift without a weight, unless it says "body only".
        heavy = loaded or row.get("equipment") == "other"
        vote("hinge_loaded" if heavy else "hip_hinge", f"name: “{found.group()}” bends at the hips")
        return
    found = _BENT_OVER.search(name)
    if found and loaded:
        vote("hinge_loaded", f"name: “{found.group()}” holds the hips bent under load")
        return
    found = _HINGE_TEXT.search(text)
    if found and loaded and not votes and not _SUPPORTED_TEXT.search(text):
        vote("hinge_loaded", f"instructions: “{found.group()}”, under load")


def _vote_on_text(vote: Any, row: Mapping[str, Any], text: str, muscles: frozenset[str]) -> None:
    found = _said(_TURN_TEXT, text)
    if found:
        vote("rotation", f"instructions: “{found}”")
    # Elsewhere the word "curl" is about an arm or a leg.
    if muscles & _ABS or row.get("category") == "plyometrics":
        found = _said(_CURL_TEXT, text)
        if found and row.get("force") != "static":
            vote("flexion_loaded", f"instructions: “{found}”")


def _said(pattern: re.Pattern[str], text: str) -> str:
    """The first words that match and are not forbidden by what stands before them."""
    for found in pattern.finditer(text):
        if not _NEGATED.search(text[: found.start()]):
            return found.group()
    return ""
