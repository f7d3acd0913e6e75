"""Which texts of an exercise patients read, and the words that they do not. Pure: no Django,
no clock.

What a file ships with and what a physiotherapist writes in the library are held to one list
(docs/content.md, "The language").
"""

import re
from collections.abc import Iterable

# The fields that patients read: of an exercise, of a level, and the lists of lines of a level.
EXERCISE_TEXTS = ("name", "why", "alternative")
LEVEL_TEXTS = ("title", "set_up", "feel", "not_feel")
LEVEL_LISTS = ("cues", "cues_draw_in", "cues_fill_out")

# Words that frighten, judge or promise.
BANNED_WORDS = re.compile(
    r"\b(damag\w*|unstable|instability|danger\w*|weak|weaker|weakness\w*|fail\w*"
    r"|non-?complian\w*|fragile|wear and tear|slipped|best|proven|cures?|guarantee\w*)\b",
    re.IGNORECASE,
)
BANNED = {
    "en": BANNED_WORDS,
    "es": re.compile(
        r"\b(dañ\w*|inestab\w*|peligr\w*|débil\w*|debilidad\w*|fracas\w*|fall(?:o|os|ar|aste|ado)"
        r"|incumpl\w*|frágil\w*|desgast\w*|hernia\w*|mejor método|demostrad\w*|cura(?:r|s|mos)?"
        r"|garantiz\w*|garantía\w*)\b",
        re.IGNORECASE,
    ),
}
# The two ways to set the core; a text that belongs to both plans uses neither vocabulary.
CUE_SET_WORDS = {
    "draw_in": re.compile(r"\b(navel|zip|hollow\w*|draw\w*(?: \w+){0,3} (?:in|up))\b", re.I),
    "fill_out": re.compile(
        r"\b(fill\w*|brac(?:e|ing)|full all the way round|widen\w*|fullness|pressure)\b", re.I
    ),
}
# What one may say instead, by how the word begins.
_INSTEAD = (
    ("damag", "“irritated” or “sensitive”"),
    ("unstab", "“not steady yet”"),
    ("instab", "“not steady yet”"),
    ("danger", "what to do instead, and when to stop"),
    ("weak", "“not used to this yet”"),
    ("fail", "“not today”"),
    ("fragile", "“sensitive”"),
    ("wear", "“changes that come with age”"),
    ("slipped", "nothing about discs: it is no diagnosis"),
    ("best", "why it may suit this person"),
    ("proven", "why it may suit this person"),
    ("cure", "what it may help with"),
    ("guarantee", "what it may help with"),
)


def banned_in(text: str, language: str = "en") -> str | None:
    """The first word of ``text`` that patients should not read, or None. A language without a
    list of its own is held to the English one."""
    found = BANNED.get(language, BANNED_WORDS).search(text)
    return found.group() if found else None


def kind_refusal(word: str) -> str:
    """What the author is told: which word, why, and what to say instead where there is a way."""
    said = f"“{word}” can frighten or judge somebody in pain."
    begins = next((way for start, way in _INSTEAD if word.lower().startswith(start)), "")
    return f"{said} Say {begins}." if begins else f"{said} Say it another way."


def cue_set_of(text: str, *, own: str | None = None) -> tuple[str, str] | None:
    """The first word of ``text`` that belongs to a cue set other than ``own``, with that set."""
    for cue_set, words in CUE_SET_WORDS.items():
        found = words.search(text) if cue_set != own else None
        if found:
            return found.group(), cue_set
    return None


def longest_sentence(text: str) -> int:
    """Words in the longest sentence of ``text``; patients read up to 25."""
    sentences: Iterable[str] = re.split(r"[.!?…]+", text)
    return max((len(sentence.split()) for sentence in sentences), default=0)
