"""What the doors of the handout answer: the print page and the PDF."""

import io

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe

from programs.handout import Handout
from programs.handout_pdf import day_letters, diary_heads, diary_words, handout_pdf


def print_page(request: HttpRequest, handout: Handout, *, for_staff: bool) -> HttpResponse:
    """Black on white, in the language that is active. ``for_staff`` shows them the way back."""
    context = {
        "handout": handout,
        "patient": handout.patient,
        "for_staff": for_staff,
        "qr": _drawn(handout.address),
        "days": day_letters() * 2,
        "lines": handout.ticks,
        "diary_heads": diary_heads(),
        "diary_words": diary_words(),
    }
    response = render(request, "print/handout.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def pdf_page(handout: Handout) -> HttpResponse:
    """The PDF, under a name that says nothing of anybody."""
    response = HttpResponse(handout_pdf(handout), content_type="application/pdf")
    name = f"routine-v{handout.version.number}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _drawn(address: str) -> SafeString:
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawing, kind="svg", xmldecl=False, svgns=False, omitsize=True, svgclass="sheet__qr"
    )
    return mark_safe(drawing.getvalue().decode())
