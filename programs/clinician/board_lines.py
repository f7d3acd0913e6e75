"""One row of the board as HTML.

Drawn here and not by a template: fifty of them are most of the page, and the page is opened
thirty times a day. Everything that comes from the record is escaped where it is put in.
"""

import datetime as dt
import functools
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from clinic.templatetags.look import decision_mark, icon
from programs import sparklines
from programs.clinician.board_query import Shown
from programs.models import CaseloadRow, Pathway
from programs.needs import NEED

_ANY = uuid.UUID(int=0)
_ANY_PROPOSAL = 987654321
_NONE = '<span class="sb-soft">–</span>'
_PATHWAYS = dict(Pathway.choices)


@dataclass(frozen=True)
class Setting:
    """What all rows of a page have in common. ``names`` are shown where several physiotherapists'
    patients stand together."""

    at: dt.datetime
    zone: dt.tzinfo
    may_decide: bool
    names: Mapping[int, str]
    back: str = ""


def lines(rows: Iterable[CaseloadRow | Shown], setting: Setting) -> SafeString:
    return mark_safe("".join(line(row, setting) for row in rows))


def line(row: CaseloadRow | Shown, on: Setting) -> str:
    return (
        f'<tr class="po-row po-row--{row.need}" id="n-{escape(row.number)}" data-row tabindex="-1">'
        f"{_who(row, on)}{_why(row, on)}{_step(row, on)}{_figures(row)}</tr>"
    )


def done_line(row: CaseloadRow | Shown, on: Setting, *, said: str, undo: bool) -> str:
    """The row of somebody who was just answered; ``said`` is what happened, in words."""
    acts = ""
    if undo:
        address = _address("board_undo", row, row.proposal_id)
        acts = (
            f'<div class="po-acts"><button class="po-act" type="submit" form="board-act" '
            f'formaction="{address}" data-do="undo" '
            f'aria-label="Undo, {escape(row.name)}">Undo</button></div>'
        )
    return (
        f'<tr class="po-row po-row--done" id="n-{escape(row.number)}" data-row tabindex="-1" '
        f'data-said="{escape(said)}">{_who(row, on)}'
        f'<td class="po-row__why" colspan="2">{_icon("done")} {escape(said)}{acts}</td>'
        f"{_figures(row)}</tr>"
    )


def _who(row: CaseloadRow | Shown, on: Setting) -> str:
    sub = f'<span class="sb-num">{escape(row.number)}</span>'
    if row.pathway:
        sub += f" · {_PATHWAYS[row.pathway]}, phase {row.phase}"
    if on.names:
        sub += f" · {escape(on.names.get(row.physiotherapist_id, ''))}"
    return (
        f'<th scope="row" class="po-row__who"><a href="{_address("patient", row)}" data-do="open">'
        f'<bdi>{escape(row.name)}</bdi></a><span class="po-row__sub">{sub}</span></th>'
    )


def _why(row: CaseloadRow | Shown, on: Setting) -> str:
    sub = ""
    if row.need == "overdue" and row.since:
        sub = f"due {_moment(row.since, on)}"
    elif row.since:
        sub = f"since {_moment(row.since, on)}"
    if row.need == "stopped" and row.due_at:
        due = "overdue since" if row.due_at < on.at else "see by"
        sub += f" · {due} {_moment(row.due_at, on)}"
    if row.snoozed_until:
        until = row.snoozed_until.astimezone(on.zone)
        return (
            f'<td class="po-row__why">Until {until.day} {until:%b}: {escape(row.snooze_reason)}'
            f'<span class="po-row__sub">{escape(row.snoozed_by)} · {escape(row.reason)}</span></td>'
        )
    sub = f'<span class="po-row__sub">{sub}</span>' if sub else ""
    return f'<td class="po-row__why">{escape(row.reason)}{sub}</td>'


def _step(row: CaseloadRow | Shown, on: Setting) -> str:
    mark = _mark(row.outcome) if row.outcome else ""
    words = f'<span class="po-row__words">{escape(row.step)}</span>' if row.step else ""
    acts = _acts(row, on) if on.may_decide else ""
    return f'<td class="po-row__step">{mark or (_NONE if not words else "")}{words}{acts}</td>'


def _acts(row: CaseloadRow | Shown, on: Setting) -> str:
    acts, name = "", escape(row.name)
    if row.proposal_id and row.need == "waiting":
        if row.may_bulk:
            acts = (
                f'<button class="po-act po-act--main" type="submit" form="board-act" '
                f'formaction="{_address("board_accept", row, row.proposal_id)}" data-do="accept" '
                f'aria-label="Accept, {name}">Accept</button>'
            )
        else:
            acts = (
                f'<a class="po-act" href="{_address("patient", row)}" data-do="accept" '
                f'aria-label="Look and decide, {name}">Look and decide</a>'
            )
        acts += (
            f'<a class="po-act" href="{_address("patient_change", row)}?proposal={row.proposal_id}"'
            f' data-do="change" aria-label="Change, {name}">Change</a>'
            f'<a class="po-act" href="{_address("board_decline", row, row.proposal_id)}'
            f'?back={on.back}" data-do="decline" aria-label="Decline, {name}">Decline</a>'
        )
    if row.snoozed_until:
        acts += (
            f'<button class="po-act" type="submit" form="board-act" '
            f'formaction="{_address("board_wake", row)}" data-do="snooze" '
            f'aria-label="Wake, {name}">Wake</button>'
        )
    elif NEED[row.need].snoozable:
        acts += (
            f'<a class="po-act" href="{_address("board_snooze", row)}?back={on.back}" '
            f'data-do="snooze" aria-label="Snooze, {name}">Snooze</a>'
        )
    return f'<div class="po-acts">{acts}</div>' if acts else ""


def _figures(row: CaseloadRow | Shown) -> str:
    pain = "–" if row.usual_pain is None else row.usual_pain
    done = "–" if row.adherence is None else row.adherence
    days = "–" if row.silent_days is None else row.silent_days
    return (
        f'<td class="sb-num" data-label="Pain 0–10"><span class="po-figure">{pain}</span>'
        f"{_pain_line(tuple(row.pain_trend))}</td>"
        f'<td class="sb-num" data-label="Done 14 d, %"><span class="po-figure">{done}</span>'
        f"{_done_line(tuple(row.done_trend))}</td>"
        f'<td class="sb-num" data-label="Answer d ago"><span class="po-figure">{days}</span></td>'
    )


# What a line looks like depends on its values alone, and whole caseloads share a few.
@functools.lru_cache(maxsize=4096)
def _pain_line(values: tuple[int | None, ...]) -> str:
    return _svg("pain", sparklines.pain_path(values), sparklines.pain_words(values))


@functools.lru_cache(maxsize=4096)
def _done_line(values: tuple[int | None, ...]) -> str:
    return _svg("done", sparklines.done_path(values), sparklines.done_words(values))


def _svg(name: str, path: str, words: str) -> str:
    if not path:
        return ""
    return (
        f'<svg class="po-spark po-spark--{name}" viewBox="0 0 {sparklines.WIDTH} '
        f'{sparklines.HEIGHT}" width="{sparklines.WIDTH}" height="{sparklines.HEIGHT}" role="img" '
        f'aria-label="{words}" focusable="false"><path d="{path}"/></svg>'
    )


@functools.lru_cache(maxsize=8)
def _mark(outcome: str) -> str:
    return str(decision_mark(outcome, False))


@functools.lru_cache(maxsize=8)
def _icon(name: str) -> str:
    return str(icon(name))


def _moment(moment: dt.datetime, on: Setting) -> str:
    local = moment.astimezone(on.zone)
    return f"{local.day} {local:%b, %H:%M}"


@functools.lru_cache(maxsize=16)
def _pattern(name: str, with_proposal: bool) -> str:
    more = [_ANY_PROPOSAL] if with_proposal else []
    address = reverse(f"admin:{name}", args=[_ANY, *more])
    return address.replace(str(_ANY), "{0}").replace(str(_ANY_PROPOSAL), "{1}")


def _address(name: str, row: CaseloadRow | Shown, proposal: int | None = None) -> str:
    return _pattern(name, proposal is not None).format(row.patient_id, proposal)
