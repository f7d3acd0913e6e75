"""The pages to read: every language says the same, and nothing frightens or promises."""

import re

import pytest

from programs.reading_pages import PageError, page_in, pages_in, parse_page, read_pages

PAGES = read_pages()
WANTED = {
    "how-it-works",
    "moving-is-safe",
    "why-this-exercise",
    "good-soreness",
    "sitting",
    "lifting",
    "relaxation",
    "when-to-call",
}
# Fear, judgement, a name for an illness, a promise, or one way above the others.
NEVER = {
    "en": re.compile(
        r"\b(damag\w*|unstable|instabil\w*|weak\w*|danger\w*|fail\w*|non-?complian\w*|diagnos\w*"
        r"|fragile|wear and tear|slipped|best|superior|proven|cures?|guarantee\w*)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(dañ\w*|inestab\w*|débil\w*|debilidad\w*|peligr\w*|fracas\w*|fall(?:o|a|ar|aste)"
        r"|incumpl\w*|diagn[oó]st\w*|frágil\w*|desgast\w*|(?:el|la|lo|los|las) mejor(?:es)?"
        r"|superior\w*|(?:com)?probad[oa]\w*|cura\w*|garant\w*)\b",
        re.IGNORECASE,
    ),
}
# The patient is "tú" on every page.
FORMAL = re.compile(r"\b(usted(?:es)?|le ayud\w*|puede usted|su espalda|su fisioterapeuta)\b", re.I)
EACH = [(language, slug) for language in PAGES for slug in PAGES[language]]


def words_of(page) -> list[str]:
    return [page.title, page.lead, *[text for block in page.blocks for text in block.texts]]


def test_all_pages_are_there_in_every_language():
    assert {language: set(pages) for language, pages in PAGES.items()} == {
        "en": WANTED,
        "es": WANTED,
    }


@pytest.mark.parametrize("slug", sorted(WANTED))
def test_a_page_is_built_the_same_in_every_language(slug):
    first, *others = [pages[slug] for pages in PAGES.values()]
    for other in others:
        assert other.shape == first.shape
        assert (other.order, other.following) == (first.order, first.following)
        assert [s.url for s in other.sources] == [s.url for s in first.sources]
        assert (other.pacer, other.exercises, other.calls) == (
            first.pacer,
            first.exercises,
            first.calls,
        )
        same = set(words_of(other)) & set(words_of(first))
        assert not same, "left in the first language"


@pytest.mark.parametrize(("language", "slug"), EACH)
def test_no_page_frightens_judges_or_promises(language, slug):
    found = [NEVER[language].findall(text) for text in words_of(PAGES[language][slug])]
    assert [words for words in found if words] == []


@pytest.mark.parametrize("slug", sorted(WANTED))
def test_spanish_pages_say_tu(slug):
    assert FORMAL.findall(" ".join(words_of(PAGES["es"][slug]))) == []


@pytest.mark.parametrize(("language", "slug"), EACH)
def test_sentences_are_short(language, slug):
    most = 26 if language == "es" else 23
    for text in words_of(PAGES[language][slug]):
        for sentence in re.split(r"(?<=[.!?:])\s", text):
            assert len(sentence.split()) <= most, sentence


def test_a_language_without_pages_reads_english():
    assert page_in("de", "sitting").language == "en"
    assert page_in("es-mx", "sitting").language == "es"
    assert page_in("en", "nothing") is None
    assert [page.order for page in pages_in("es")] == sorted(page.order for page in pages_in("es"))


HEAD = "---\ntitle: T\nlead: L\norder: 1\nsources:\n  - text: S\n---\n"


def test_paragraphs_headings_and_lists_are_read():
    page = parse_page(HEAD + "One\nline.\n\n## Head\n\n- a\n- b\n", "a-page", "en")
    assert [(b.kind, b.texts) for b in page.blocks] == [
        ("paragraph", ("One line.",)),
        ("heading", ("Head",)),
        ("list", ("a", "b")),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No head", "begins with a head"),
        ("---\ntitle: T\n---\nText", "needs title, lead, order and sources"),
        (HEAD.replace("title: T", "title: [T") + "Text", "is not YAML"),
        (HEAD.replace("lead: L", "lead: L\ncolour: red") + "Text", "unknown in the head: colour"),
        (HEAD.replace("text: S", "text: S\n    url: javascript:1") + "Text", "not an address"),
        (HEAD.replace("\n  - text: S", " []") + "Text", "names no source"),
        (HEAD + "Some <b>bold</b> words.", "markup is not read here"),
        (HEAD + "A [link](x).", "markup is not read here"),
        (HEAD + "## Head\nText", "put an empty line around"),
        (HEAD, "has no text"),
    ],
)
def test_what_a_page_cannot_show_is_refused(text, said):
    with pytest.raises(PageError, match=said):
        parse_page(text, "a-page", "en")
