"""Every sentence a patient can see is there in Spanish, and nothing of it stands in a script."""

import re
from pathlib import Path

import polib
import pytest

from programs.content_words import BANNED
from tests import catalogue

SPANISH = polib.pofile(str(catalogue.po_file("es")))
# What has to be the same in both languages: gaps, and the marks around them.
PARTS = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+[^>]*>")
STATIC = [catalogue.ROOT / "clinic/static/clinic", catalogue.ROOT / "programs/static/programs"]
# Loaded by the portal of the staff or by the demo's mailbox only.
STAFF_STYLES = {"portal.css", "wording.css", "demo.css"}
# Left and right of the screen; a style says start and end instead.
PHYSICAL = re.compile(
    r"(?:margin|padding|border|inset)-(?:left|right)\b|(?<![\w-])(?:left|right)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b|border-(?:top|bottom)-(?:left|right)-radius"
)
# Two words or more that begin like a sentence.
SENTENCE = re.compile(r"""(["'`])([A-Z][a-z’']+(?: [a-zA-Z’']+)+[.!?]?)\1""")


def pairs(entry: polib.POEntry) -> list[tuple[str, str]]:
    """English beside Spanish; the last of both where there is a plural."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid, entry.msgstr_plural[0]), (entry.msgid_plural, entry.msgstr_plural[1])]


def test_given_a_sentence_in_the_sources_then_spanish_says_it_too():
    said = {catalogue.key(entry) for entry in SPANISH if entry.translated()}
    missing = [sentence.text for sentence in catalogue.sentences() if sentence not in said]
    assert not missing, f"make words, then translate: {missing}"


def test_given_the_catalogue_then_nothing_in_it_is_left_over_or_only_guessed():
    known = set(catalogue.sentences())
    over = [entry.msgid for entry in SPANISH if catalogue.key(entry) not in known or entry.fuzzy]
    assert not over, f"make words: {over}"


def test_given_a_gap_in_english_then_spanish_has_the_same_one():
    wrong = [
        (english, spanish)
        for entry in SPANISH
        for english, spanish in pairs(entry)
        if sorted(PARTS.findall(english)) != sorted(PARTS.findall(spanish))
    ]
    assert not wrong


def test_given_spanish_then_it_frightens_nobody():
    found = [
        (match.group(), text)
        for entry in SPANISH
        for _, text in pairs(entry)
        if (match := BANNED["es"].search(text))
    ]
    assert not found


def test_given_the_catalogue_then_the_compiled_one_says_the_same():
    compiled = catalogue.po_file("es").with_suffix(".mo").read_bytes()
    assert compiled == catalogue.compiled("es"), "make words"


@pytest.mark.parametrize("path", sorted(p for d in STATIC for p in d.rglob("*.js")), ids=str)
def test_given_a_script_then_it_has_no_sentences_of_its_own(path: Path):
    code = re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text("utf-8"), flags=re.S | re.M)
    assert not [found.group(2) for found in SENTENCE.finditer(code)]


@pytest.mark.parametrize(
    "path",
    sorted(p for d in STATIC for p in d.rglob("*.css") if p.name not in STAFF_STYLES),
    ids=str,
)
def test_given_a_style_then_it_fits_both_directions_of_writing(path: Path):
    code = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    assert not PHYSICAL.findall(code)
