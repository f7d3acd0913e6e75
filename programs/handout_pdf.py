"""The routine as a PDF: the same paper as the print page, with the figures as vectors.

The letters are FiraGO (open font licence), which knows Latin, Cyrillic, Greek, Arabic, Hebrew,
Georgian, Thai and Devanagari. What it cannot write stands as “?”, and in place of a name the
number of the record: the print page, which has the reader's own fonts, writes every name.
"""

import atexit
import functools
import io
import logging
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import segno
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from programs.figures import still
from programs.handout import Handout, Row

if TYPE_CHECKING:
    from fpdf import FPDF

FAMILY = "FiraGO"
# Millimetres on A4.
MARGIN, WIDTH = 15.0, 180.0
FIGURE, GAP = 34.0, 1.0
BOX = 6.2
# Letters from here to there are written from right to left or joined (Hebrew to Thai and beyond).
_JOINED = re.compile("[\u0590-\u109f\ufb1d-\ufdff\ufe70-\ufeff]")
_LOOK = {
    "f-near": 'fill="#1c1c1c"',
    "f-body": 'fill="#666666"',
    "f-far": 'fill="#b4b4b4"',
    "f-tint": 'fill="#3fb3a6"',
    "f-solid": 'fill="#d4d4d4"',
    "f-soft": 'fill="#ececec" stroke="#8a8a8a" stroke-width="1.2"',
    "f-mat": 'fill="#ececec"',
    "f-ball": 'fill="#ececec" stroke="#8a8a8a" stroke-width="2"',
    "f-iron": 'fill="#8a8a8a"',
    "f-hole": 'fill="#ffffff" stroke="#8a8a8a" stroke-width="1.6"',
    "f-knob": 'fill="#ffffff" stroke="#8a8a8a" stroke-width="1.6"',
}
_LINES = {
    "f-floor": ("#8a8a8a", 1.6),
    "f-prop": ("#8a8a8a", 3.6),
    "f-post": ("#d4d4d4", 5),
    "f-band": ("#8a8a8a", 2.4),
    "f-stick": ("#8a8a8a", 3.2),
    "f-arrow": ("#0b5d57", 2.4),
    "f-spine": ("#ffffff", 0.7),
}


def handout_pdf(handout: Handout) -> bytes:
    """The PDF in the language that is active."""
    pdf = _paper(handout)
    _head(pdf, handout)
    if handout.stopped is not None:
        _stopped(pdf, handout)
    else:
        for row in handout.rows:
            _row(pdf, row)
        _when_to_stop(pdf, handout)
        _diary(pdf)
    return bytes(pdf.output())


def _paper(handout: Handout) -> "FPDF":
    # Imported here: reading fonts is of no use to the processes that never make a PDF.
    from fpdf import FPDF

    # It tells of every table of a font that it made smaller.
    logging.getLogger("fontTools").setLevel(logging.WARNING)

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(FAMILY, "", 8.5)
            site = writable(handout.patient.site.name)
            version = _("Version %(n)s") % {"n": handout.version.number}
            self.cell(WIDTH / 2, 5, f"{site} · {handout.patient.site.phone}")
            self.cell(WIDTH / 2, 5, f"{version} · {self.page_no()}", align="R")

    pdf = Paper(format="A4")
    pdf.set_margins(MARGIN, MARGIN)
    pdf.set_auto_page_break(True, 16)
    joined = bool(_JOINED.search(handout.patient.name + handout.patient.site.name))
    for style, path in _font_files(joined).items():
        pdf.add_font(FAMILY, style, path)
    pdf.set_title(_("Your routine"))
    pdf.set_lang(get_language() or "en")
    pdf.set_text_shaping(joined)
    pdf.add_page()
    return pdf


# --- the parts, from the top -------------------------------------------------------------------


def _head(pdf: "FPDF", handout: Handout) -> None:
    patient = handout.patient
    code = io.BytesIO()
    segno.make(handout.address, error="m", micro=False).save(
        code, kind="svg", border=0, omitsize=True
    )
    code.seek(0)
    pdf.image(code, x=MARGIN + WIDTH - 26, y=MARGIN, w=26)
    pdf.set_font(FAMILY, "", 8.5)
    pdf.set_xy(MARGIN + WIDTH - 34, MARGIN + 27)
    pdf.cell(34, 4, _("Your way in"), align="R")
    pdf.set_xy(MARGIN, MARGIN)
    pdf.set_font(FAMILY, "", 10)
    _text(pdf, writable(patient.site.name), 5, WIDTH - 34)
    pdf.set_font(FAMILY, "B", 22)
    _text(pdf, _("Your routine"), 10, WIDTH - 34)
    pdf.set_font(FAMILY, "B", 12)
    _text(pdf, name_of(patient.name, patient.number), 6, WIDTH - 34)
    pdf.set_font(FAMILY, "", 10)
    said = _("Version %(n)s") % {"n": handout.version.number}
    _text(pdf, f"{said} · {date_format(handout.on, 'DATE_FORMAT')}", 5, WIDTH - 34)
    pdf.set_y(max(pdf.get_y() + 4, MARGIN + 34))


def _stopped(pdf: "FPDF", handout: Handout) -> None:
    assert handout.stopped is not None
    pdf.set_font(FAMILY, "B", 16)
    _text(pdf, _("Your exercises are paused"), 8)
    pdf.set_font(FAMILY, "", 13)
    for words in (handout.stopped.text, handout.stopped.own):
        if words:
            _text(pdf, writable(words), 7)
    _calls(pdf, handout.stopped.calls)


def _row(pdf: "FPDF", row: Row) -> None:
    item, left = row.item, MARGIN + 2 * FIGURE + GAP + 4
    wide = MARGIN + WIDTH - left
    slug, level = item.exercise.slug, item.level.level
    borrowed = getattr(item.level, "figure", "")
    if borrowed:
        slug, _colon, number = borrowed.partition(":")
        level = int(number) if number.isdigit() else 0
    frames = [still(slug, level, which) for which in ("start", "end")]
    lines = [item.level.set_up, *item.cues] if item.level.set_up else list(item.cues)
    if row.equipment:
        lines.append(_("You need") + ": " + row.equipment)
    pdf.set_font(FAMILY, "", 10)
    tall = sum(
        pdf.multi_cell(wide, 4.6, writable(line), dry_run=True, output="HEIGHT", align="L")
        for line in lines
    )
    if pdf.will_page_break(max(tall + 13, 24) + BOX + 8):
        pdf.add_page()
    top = pdf.get_y()
    pdf.set_draw_color(160)
    pdf.line(MARGIN, top, MARGIN + WIDTH, top)
    for place, frame in enumerate(frames):
        if frame:
            drawn = io.BytesIO(_inked(frame).encode())
            x = MARGIN + place * (FIGURE + GAP)
            pdf.image(drawn, x=x, y=top + 2, w=FIGURE, h=21, keep_aspect_ratio=True)
    pdf.set_xy(left, top + 2)
    pdf.set_font(FAMILY, "B", 12)
    pdf.multi_cell(wide, 5.5, f"{row.number}  {writable(item.exercise.name)}", align="L")
    pdf.set_x(left)
    pdf.set_font(FAMILY, "B", 10)
    pdf.multi_cell(wide, 5, writable(f"{item.dose_text}, {row.days}"), align="L")
    pdf.set_font(FAMILY, "", 10)
    for line in lines:
        pdf.set_x(left)
        pdf.multi_cell(wide, 4.6, writable(line), align="L")
    _boxes(pdf, max(pdf.get_y(), top + 24) + 1.5)


def _boxes(pdf: "FPDF", top: float) -> None:
    """Two weeks to tick, with the first letters of the days."""
    pdf.set_font(FAMILY, "", 7)
    pdf.set_draw_color(0)
    x = MARGIN
    for day in range(14):
        if day == 7:
            x += 4
        pdf.rect(x, top, BOX, BOX)
        pdf.set_xy(x, top + 0.3)
        pdf.set_text_color(120)
        pdf.cell(BOX, 3, day_letters()[day % 7], align="C")
        x += BOX + 1.6
    pdf.set_text_color(0)
    pdf.set_xy(MARGIN, top + BOX + 3)


def _when_to_stop(pdf: "FPDF", handout: Handout) -> None:
    if pdf.will_page_break(60):
        pdf.add_page()
    pdf.ln(2)
    pdf.set_font(FAMILY, "B", 13)
    _text(pdf, _("When to stop"), 7)
    pdf.set_font(FAMILY, "", 11)
    for line in handout.when_to_stop:
        _text(pdf, "•  " + line, 5.5)
    _calls(pdf, handout.calls)


def _calls(pdf: "FPDF", numbers: object) -> None:
    pdf.ln(1)
    for call in numbers:  # type: ignore[attr-defined]
        pdf.set_font(FAMILY, "B", 13)
        _text(pdf, writable(f"{call.label}: {call.number}"), 7)


def _diary(pdf: "FPDF") -> None:
    """Two weeks of answers, as the check-in asks them."""
    heads = diary_heads()
    wide = WIDTH - 22
    pdf.add_page()
    pdf.set_font(FAMILY, "B", 13)
    _text(pdf, _("How did it go?"), 8)
    pdf.set_font(FAMILY, "", 10)
    _text(pdf, diary_words(), 5)
    pdf.ln(2)
    cell = wide / len(heads)
    pdf.set_font(FAMILY, "", 7.5)
    top = pdf.get_y()
    for place, head in enumerate([_("Day"), *heads]):
        x = MARGIN if place == 0 else MARGIN + 22 + (place - 1) * cell
        pdf.set_xy(x, top)
        pdf.multi_cell(22 if place == 0 else cell, 3.6, head, align="L" if place == 0 else "C")
    pdf.set_y(top + 23)
    for _day in range(14):
        pdf.cell(22, 9.5, "", border=1)
        for _column in heads:
            pdf.cell(cell, 9.5, "", border=1)
        pdf.ln()


# --- words, letters, pictures ------------------------------------------------------------------


def diary_words() -> str:
    """What the diary asks for, in one sentence."""
    return _("Write a line for each day. Numbers go from 0 (none) to 10 (the most).")


def diary_heads() -> list[str]:
    """The columns of the diary, in the order of the check-in."""
    return [
        _("Done? yes, in part, no"),
        _("Pain before"),
        _("Most pain during"),
        _("How hard"),
        _("Good form? yes, no"),
        _("Stiffer after? yes, no"),
        _("Tense neck? yes, no"),
        _("Sore? no, both sides, left, right"),
        _("Pain next morning"),
        _("Usual pain next morning"),
        _("Sore next morning? no, both sides, left, right"),
    ]


def day_letters() -> list[str]:
    """Monday to Sunday, two letters each."""
    return [_("Mo"), _("Tu"), _("We"), _("Th"), _("Fr"), _("Sa"), _("Su")]


def _text(pdf: "FPDF", words: str, line: float, wide: float = WIDTH) -> None:
    pdf.set_x(MARGIN)
    pdf.multi_cell(wide, line, words, align="L", new_x="LMARGIN", new_y="NEXT")


def writable(words: str) -> str:
    """The words with “?” for every letter the font has not."""
    known = _letters()
    return "".join(c if ord(c) in known or c.isspace() else "?" for c in words)


def name_of(name: str, number: str) -> str:
    """The name, or where the font cannot write it the number of the record."""
    return name if writable(name) == name else number


def _inked(svg: str) -> str:
    """A figure with its colours written out: a PDF has no style sheet."""

    def look(found: re.Match[str]) -> str:
        css = found.group(1)
        if css in _LINES:
            colour, wide = _LINES[css]
            return (
                f'fill="none" stroke="{colour}" stroke-width="{wide}" stroke-linecap="round"'
                ' stroke-linejoin="round"'
            )
        return _LOOK.get(css, 'fill="#666666"')

    return re.sub(r'class="(f-[a-z]+)"', look, svg)


@functools.cache
def _font_files(joined: bool) -> dict[str, Path]:
    """The two weights as files, for as long as the process lives.

    Without ``joined`` the tables that shape such scripts are left out: reading them takes longer
    than all the rest of a paper.
    """
    import pymupdf_fonts
    from fontTools.ttLib import TTFont

    folder = Path(tempfile.mkdtemp(prefix="steadyback-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = {}
    for style, name in (("", "figo"), ("B", "figbo")):
        found[style] = folder / f"{name}.ttf"
        whole = pymupdf_fonts.myfont(name)
        if joined:
            found[style].write_bytes(whole)
            continue
        with TTFont(io.BytesIO(whole)) as font:
            for table in ("GSUB", "GPOS", "GDEF"):
                if table in font:
                    del font[table]
            font.save(found[style])
    return found


@functools.cache
def _letters() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(_font_files(joined=False)[""], lazy=True) as font:
        return frozenset(font.getBestCmap())
