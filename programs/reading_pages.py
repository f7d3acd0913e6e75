"""The short reading pages: ``programs/content/pages/<language>/<slug>.md``.

Pure: no Django, no clock. A file has a head in YAML and a body of paragraphs, headings (``## ``)
and lists (``- ``), nothing else: no markup inside a sentence, so that there is nothing to escape
and two languages can be compared line by line. The templates escape every word.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PAGES_DIR = Path(__file__).resolve().parent / "content" / "pages"
FIRST_LANGUAGE = "en"
_SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
_MARKUP = re.compile(r"[<>`*_\[\]|]|https?:")
_HEAD = {"title", "lead", "order", "sources", "next", "pacer", "exercises", "calls"}


class PageError(Exception):
    """A page cannot be shown. Says which file and what is the matter."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")


@dataclass(frozen=True)
class Block:
    """``kind`` is paragraph or heading with one text in ``texts``, or list with one per line."""

    kind: str
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.texts[0]


@dataclass(frozen=True)
class Source:
    text: str
    url: str = ""


@dataclass(frozen=True)
class Page:
    """``following`` are slugs of pages to read next. ``pacer`` shows a breath to follow,
    ``exercises`` the patient's own exercises, ``calls`` the numbers of the patient's site."""

    slug: str
    language: str
    title: str
    lead: str
    order: int
    blocks: tuple[Block, ...]
    sources: tuple[Source, ...]
    following: tuple[str, ...]
    pacer: bool = False
    exercises: bool = False
    calls: bool = False

    @property
    def shape(self) -> list[tuple[str, int]]:
        """What the body is made of, the same in every language."""
        return [(block.kind, len(block.texts)) for block in self.blocks]


@functools.cache
def read_pages(folder: Path = PAGES_DIR) -> Mapping[str, Mapping[str, Page]]:
    """All pages by language and slug, in their order. Raises PageError at the first that is not
    right: a head that lacks something, markup in the text, a page to read next that is not there.
    """
    found: dict[str, dict[str, Page]] = {}
    for place in sorted(folder.iterdir()):
        pages = [
            parse_page(path.read_text("utf-8"), path.stem, place.name)
            for path in sorted(place.glob("*.md"))
        ]
        found[place.name] = {page.slug: page for page in sorted(pages, key=lambda p: p.order)}
    for language, by_slug in found.items():
        for page in by_slug.values():
            for slug in page.following:
                if slug not in by_slug or slug == page.slug:
                    raise PageError(f"{language}/{page.slug}.md", f"next: there is no “{slug}”")
    return found


def pages_in(language: str) -> list[Page]:
    """Every page in ``language`` ("es", "es-mx"), or in English where it is not written yet."""
    known = read_pages()
    own = known.get(language) or known.get(language.split("-")[0]) or {}
    return [own.get(slug, page) for slug, page in known[FIRST_LANGUAGE].items()]


def page_in(language: str, slug: str) -> Page | None:
    return next((page for page in pages_in(language) if page.slug == slug), None)


def parse_page(text: str, slug: str, language: str) -> Page:
    """One page from the text of its file. Raises PageError."""
    file = f"{language}/{slug}.md"
    if not _SLUG.fullmatch(slug):
        raise PageError(file, "a file is named in small letters and hyphens")
    parts = text.split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise PageError(file, "begins with a head between two lines of three hyphens")
    try:
        head = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise PageError(file, f"the head is not YAML: {error}") from error
    if not isinstance(head, dict) or not {"title", "lead", "order", "sources"} <= set(head):
        raise PageError(file, "the head needs title, lead, order and sources")
    if set(head) - _HEAD:
        raise PageError(file, f"unknown in the head: {', '.join(sorted(set(head) - _HEAD))}")
    page = Page(
        slug=slug,
        language=language,
        title=str(head["title"]),
        lead=str(head["lead"]),
        order=int(head["order"]),
        blocks=tuple(_blocks(parts[2], file)),
        sources=tuple(_sources(head["sources"], file)),
        following=tuple(map(str, head.get("next", ()))),
        **{name: bool(head.get(name)) for name in ("pacer", "exercises", "calls")},
    )
    if not page.blocks:
        raise PageError(file, "has no text")
    return page


def _sources(entries: Any, file: str) -> list[Source]:
    if not isinstance(entries, list) or not entries:
        raise PageError(file, "names no source")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or not entry.get("text") or set(entry) - {"text", "url"}:
            raise PageError(file, "a source has a text and, if there is one, a url")
        url = str(entry.get("url", ""))
        if url and not re.fullmatch(r"https://[^\s\"'<>]+", url):
            raise PageError(file, f"not an address: {url}")
        found.append(Source(str(entry["text"]), url))
    return found


def _blocks(body: str, file: str) -> list[Block]:
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", body.strip()):
        lines = [line.strip() for line in chunk.splitlines() if line.strip()]
        if not lines:
            continue
        wrong = next((line for line in lines if _MARKUP.search(line)), None)
        if wrong:
            raise PageError(file, f"markup is not read here: {wrong[:40]}")
        if lines[0].startswith("## ") and len(lines) == 1:
            blocks.append(Block("heading", (lines[0][3:].strip(),)))
        elif all(line.startswith("- ") for line in lines):
            blocks.append(Block("list", tuple(line[2:].strip() for line in lines)))
        elif lines[0].startswith(("#", "- ")):
            raise PageError(file, f"put an empty line around: {lines[0][:40]}")
        else:
            blocks.append(Block("paragraph", (" ".join(lines),)))
    return blocks
