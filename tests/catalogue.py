"""The catalogue of translations: what the sources say, and the files that hold it.

``python -m tests.catalogue`` brings ``locale/*/LC_MESSAGES/django.po`` up to the sources and
compiles it. Neither needs GNU gettext.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
ROOMS = ("clinic", "config", "patients", "programs", "templates")
LANGUAGES = ("es",)
# The name a call goes by → where its context, its sentence and its plural stand.
_CALLS = {
    name + lazy: places
    for name, places in {
        "gettext": (None, 0, None),
        "pgettext": (0, 1, None),
        "ngettext": (None, 0, 1),
        "npgettext": (0, 1, 2),
    }.items()
    for lazy in ("", "_lazy", "_noop")
} | {"_": (None, 0, None)}
_STRING = re.compile(r"""\s*u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\s*,?""")
_IN_TEMPLATE = re.compile(r"\b(?:n?p?gettext|_)\(")


@dataclass(frozen=True, order=True)
class Sentence:
    """One entry of a catalogue; ``plural`` is empty where there is none."""

    text: str
    plural: str = ""
    context: str = ""


def sentences() -> dict[Sentence, list[str]]:
    """Every sentence the sources mark for translation, with the files that have it."""
    found: dict[Sentence, set[str]] = {}
    for path in _sources():
        name = path.relative_to(ROOT).as_posix()
        source = path.read_text("utf-8")
        said = _in_python(source) if path.suffix == ".py" else _in_template(source, name)
        for sentence in said:
            found.setdefault(sentence, set()).add(name)
    return {sentence: sorted(files) for sentence, files in sorted(found.items())}


def po_file(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def key(entry: polib.POEntry) -> Sentence:
    return Sentence(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")


def compiled(language: str) -> bytes:
    """What the compiled file has to hold."""
    return bytes(polib.pofile(str(po_file(language))).to_binary())


def refresh(language: str) -> tuple[int, list[str]]:
    """Bring the catalogue up to the sources; how many sentences it has, and those still open."""
    path = po_file(language)
    held = {key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    catalogue = polib.POFile(wrapwidth=96)
    catalogue.metadata = {
        "Project-Id-Version": "Steadyback",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for sentence, files in sentences().items():
        old = held.get(sentence)
        entry = polib.POEntry(
            msgid=sentence.text,
            msgid_plural=sentence.plural,
            msgctxt=sentence.context or None,
            occurrences=[(file, "") for file in files],
            flags=["python-format"] if "%(" in sentence.text else [],
        )
        if sentence.plural:
            entry.msgstr_plural = (old.msgstr_plural if old else None) or {0: "", 1: ""}
        else:
            entry.msgstr = old.msgstr if old else ""
        catalogue.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))
    path.with_suffix(".mo").write_bytes(compiled(language))
    return len(catalogue), [entry.msgid for entry in catalogue if not entry.translated()]


def _sources() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in (".py", ".html", ".txt") and "migrations" not in path.parts:
                yield path


def _in_python(source: str) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in _CALLS:
                yield from _sentence(name, [_text_of(one) for one in node.args])


def _in_template(source: str, name: str) -> Iterator[Sentence]:
    """Django turns a template into calls that stand in the middle of nonsense; read those."""
    code = templatize(source, origin=name)
    for start in _IN_TEMPLATE.finditer(code):
        called = start.group()[:-1]
        texts: list[str | None] = []
        at = start.end()
        while text := _STRING.match(code, at):
            texts.append(ast.literal_eval(text.group(1)))
            at = text.end()
        yield from _sentence(called, texts)


def _sentence(name: str, texts: list[str | None]) -> Iterator[Sentence]:
    context, text, plural = (
        "" if place is None else texts[place] if place < len(texts) else None
        for place in _CALLS[name]
    )
    if text and context is not None and plural is not None:
        yield Sentence(text, plural, context)


def _text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def main(languages: Iterable[str] = LANGUAGES) -> int:
    still_open = 0
    for language in languages:
        count, missing = refresh(language)
        still_open += len(missing)
        print(f"{language}: {count} sentences, {len(missing)} not translated")
        for text in missing:
            print(f"  {text}")
    return 1 if still_open else 0


if __name__ == "__main__":
    sys.exit(main())
