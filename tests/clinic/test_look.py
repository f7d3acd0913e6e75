"""The design language: contrast, the two dark sets, strict policy, pages for what goes wrong."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from clinic.templatetags import look

STATIC = settings.BASE_DIR / "clinic" / "static" / "clinic"
# Mail programs have no policy of ours and know no style sheet but the one inside.
TEMPLATES = sorted(
    path
    for path in (settings.BASE_DIR / "templates").rglob("*.html")
    if path.parent.name != "email"
)
BLOCK = re.compile(r"([^{}]+)\{([^{}]*)\}")
TEXT_PAIRS = [
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "sunken"),
    ("ink-soft", "paper"),
    ("ink-soft", "surface"),
    ("ink-soft", "sunken"),
    ("accent", "paper"),
    ("accent", "surface"),
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("ink", "accent-soft"),
    ("on-stop", "stop"),
    ("on-stop", "stop-strong"),
    ("stop", "sunken"),
    *((name, f"{name}-soft") for name in ("progress", "hold", "regress", "stop")),
    *((name, ground) for name in ("hold", "regress", "stop") for ground in ("paper", "surface")),
    *(("ink", f"{name}-soft") for name in ("progress", "hold", "regress", "stop")),
]
LINE_PAIRS = [("line-strong", "paper"), ("line-strong", "surface"), ("focus", "paper")]


def tokens() -> dict[str, dict[str, str]]:
    css = re.sub(r"/\*.*?\*/", "", (STATIC / "tokens.css").read_text(), flags=re.S)
    found: dict[str, dict[str, str]] = {}
    for selector, body in BLOCK.findall(css):
        name = re.sub(r"\s+", " ", selector).strip()
        found.setdefault(name, dict(re.findall(r"--sb-([\w-]+):\s*([^;]+);", body)))
    return found


LIGHT = tokens()[":root"]
DARK = {**LIGHT, **tokens()[':root[data-theme="dark"]']}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "ground", "least"),
    [*((*pair, 4.5) for pair in TEXT_PAIRS), *((*pair, 3.0) for pair in LINE_PAIRS)],
)
def test_every_pair_of_colours_can_be_told_apart(mode, front, ground, least):
    colours = LIGHT if mode == "light" else DARK
    assert contrast(colours[front], colours[ground]) >= least


def test_the_device_and_the_portal_switch_to_the_same_dark():
    by_device = tokens()[':root:not([data-theme="light"])']
    assert by_device == tokens()[':root[data-theme="dark"]']


def test_components_use_tokens_and_no_raw_colours():
    for name in ("base.css", "patient.css"):
        css = (STATIC / name).read_text()
        raw = [c for c in re.findall(r"#[0-9a-fA-F]{3,8}\b", css) if c != "#fff"]
        assert raw == []
        used = set(re.findall(r"var\(--sb-([\w-]+)", css))
        assert used <= set(LIGHT)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.name))
def test_no_template_needs_what_the_policy_forbids(path: Path):
    text = path.read_text()
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
    assert not re.search(r"""(?:src|href)=["']https?:""", text)


@pytest.mark.parametrize("outcome", ["PROGRESS", "HOLD", "REGRESS", "STOP"])
def test_a_decision_has_colour_shape_and_word(outcome):
    mark = look.decision_mark(outcome)
    assert f"sb-decision--{outcome.lower()}" in mark
    assert "<svg" in mark
    assert f">{outcome.capitalize()}<" in mark


def test_the_four_shapes_differ():
    shapes = {look.ICONS[shape] for shape, _word in look.DECISIONS.values()}
    assert len(shapes) == 4


def test_a_page_that_is_not_there_shows_a_way_on(client, db):
    page = client.get("/there/is/nothing/here/")
    assert page.status_code == 404
    assert "This page is not here" in page.content.decode()
    assert "Back to the start" in page.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_pages_for_trouble_need_no_database_and_name_the_way_to_help(name):
    page = render_to_string(f"{name}.html")
    assert "Call your practice, or the emergency number" in page
    assert "<h1" in page
