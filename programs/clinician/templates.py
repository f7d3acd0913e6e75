"""Program templates in the portal: the list, one template, writing one, and its review."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from clinic.roles import May, may
from programs import authoring
from programs import template_authoring as verbs
from programs.clinician.opening import portal
from programs.clinician.template_form import TemplateForm, starts_of
from programs.form_errors import put_errors
from programs.models import HabitTask, Pathway, Program, ProgramTemplate

State = ProgramTemplate.State
PATHWAYS = dict(Pathway.choices)


def templates(request: HttpRequest) -> HttpResponse:
    """The templates this person may see, one card for each: what is in use, what is in work, and
    with ``?show=retired`` what is not offered any more."""
    retired = request.GET.get("show") == "retired"
    seen = ProgramTemplate.objects.visible_to(request.user)
    open_states = (State.DRAFT, State.IN_REVIEW)
    current = ProgramTemplate.objects.filter(slug=OuterRef("slug"), is_current=True)
    wanted = (Q(state=State.RETIRED) & ~Exists(current) if retired else Q(is_current=True)) | (
        Q(state__in=open_states) & ~Exists(current) if not retired else Q(pk__in=[])
    )
    drafts = ProgramTemplate.objects.filter(slug=OuterRef("slug"), state__in=open_states)
    rows = (
        seen.filter(wanted)
        .annotate(has_draft=Exists(drafts), waits=Exists(drafts.filter(state=State.IN_REVIEW)))
        .select_related("owner", "copied_from")
        .prefetch_related("items__exercise__levels")
        .order_by("name", "-version")
    )
    return portal.page(
        request,
        "admin/portal/templates.html",
        {
            "title": "Templates",
            "cards": [_card(row) for row in rows],
            "retired": retired,
            "may_write": may(request.user, May.DECIDE),
        },
    )


def _card(row: ProgramTemplate) -> dict[str, Any]:
    items = list(row.items.all())
    shown = []
    for item in items:
        level = next((one for one in item.exercise.levels.all() if one.level == item.level), None)
        shown.append((item, level))
    return {
        "row": row,
        "shown": shown[:6],
        "more": max(0, len(shown) - 6),
        "count": len(items),
        "pathways": [PATHWAYS.get(one, one) for one in row.pathways],
        "starts": _starts(row),
    }


def _starts(row: ProgramTemplate) -> list[Any]:
    items = list(row.items.all())
    asked = [verbs.Asked(i.exercise.slug, i.level, i.days_per_week) for i in items]
    exercises = {item.exercise.slug: item.exercise for item in items}
    return starts_of(asked, exercises, row.pathways, row.starting_phase)


# --- one template ------------------------------------------------------------------------------


def template(request: HttpRequest, pk: int) -> HttpResponse:
    row = open_template(request, pk)
    user = request.user
    clinician = may(user, May.DECIDE)
    mine = row.author_id == user.pk
    draft = verbs.draft_of(row)
    open_ = row.state in (State.DRAFT, State.IN_REVIEW)
    source = row.copied_from
    newer = None
    if source is not None and not source.is_current:
        newer = ProgramTemplate.objects.filter(slug=source.slug, is_current=True).first()
    items = [
        (item, next((one for one in item.exercise.levels.all() if one.level == item.level), None))
        for item in row.items.select_related("exercise").prefetch_related("exercise__levels")
    ]
    versions = (
        ProgramTemplate.objects.visible_to(user)
        .filter(slug=row.slug)
        .exclude(pk=row.pk)
        .select_related("reviewed_by")
        .order_by("-version")
    )
    return portal.page(
        request,
        "admin/portal/template.html",
        {
            "title": row.name,
            "row": row,
            "items": items,
            "gone": [i.exercise for i, _ in items if i.exercise.review_state != "approved"],
            "pathways": [PATHWAYS.get(one, one) for one in row.pathways],
            "starts": _starts(
                ProgramTemplate.objects.prefetch_related("items__exercise__levels").get(pk=row.pk)
            ),
            "habits": HabitTask.objects.filter(slug__in=row.habits),
            "draft": draft if draft and draft.pk != row.pk else None,
            "newer": newer,
            "versions": versions,
            "programs": Program.objects.running().filter(template=row).count(),
            "can": {
                "edit": clinician
                and verbs.may_edit(row, user)
                and (not open_ or mine)
                and (draft is None or draft.author_id == user.pk),
                "copy": clinician,
                "send": clinician
                and mine
                and row.state == State.DRAFT
                and authoring.others_review(row.author),
                "review": clinician and row.state == State.IN_REVIEW and not mine,
                "approve_alone": clinician
                and mine
                and open_
                and not authoring.others_review(row.author),
                "discard": clinician and mine and open_,
                "retire": clinician and verbs.may_edit(row, user) and row.is_current,
                "restore": clinician and verbs.may_edit(row, user) and row.state == State.RETIRED,
                "share": clinician and row.owner_id == user.pk,
            },
        },
    )


def open_template(request: HttpRequest, pk: int) -> ProgramTemplate:
    """The template, if this person may see it; else as if there were none."""
    row = (
        ProgramTemplate.objects.visible_to(request.user)
        .select_related("owner", "author", "reviewed_by", "copied_from")
        .annotate(items_count=Count("items"))
        .filter(pk=pk)
        .first()
    )
    if row is None:
        raise Http404
    return row


# --- writing -----------------------------------------------------------------------------------


def new(request: HttpRequest) -> HttpResponse:
    form = TemplateForm(request.POST or None, plan=None, user=request.user)
    if _wants_to_save(request) and form.is_valid():
        try:
            row = verbs.write_template(
                plan=form.plan(),
                by=request.user,
                at=timezone.now(),
                mine=request.POST.get("mine") == "on",
            )
            messages.success(request, "Saved as a draft.")
            return redirect("admin:template", pk=row.pk)
        except ValidationError as error:
            put_errors(form, error)
    return _page(request, form, None, "")


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft, or the next version of what is in use."""
    row = open_template(request, pk)
    if not verbs.may_edit(row, request.user):
        raise PermissionDenied("A supplied or a colleague’s own template is copied, not changed.")
    draft = verbs.draft_of(row)
    form = TemplateForm(request.POST or None, plan=verbs.plan_of(draft or row), user=request.user)
    if _wants_to_save(request) and form.is_valid():
        try:
            saved = verbs.save_template(
                template=row,
                plan=form.plan(),
                by=request.user,
                at=timezone.now(),
                seen=request.POST.get("seen", ""),
            )
            messages.success(request, "Saved as a draft.")
            return redirect("admin:template", pk=saved.pk)
        except ValidationError as error:
            put_errors(form, error)
    seen = draft.changed_at.isoformat() if draft and draft.changed_at else ""
    return _page(request, form, row, seen)


def preview(request: HttpRequest) -> HttpResponse:
    """Minutes and gates of what the form says; nothing is kept."""
    if request.method != "POST":
        raise Http404
    form = TemplateForm(request.POST, plan=None, user=request.user)
    form.is_valid()
    return render(request, "admin/portal/template_starts.html", {"starts": form.starts()})


def _wants_to_save(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("do") != "preview"


def _page(
    request: HttpRequest, form: TemplateForm, row: ProgramTemplate | None, seen: str
) -> HttpResponse:
    looked = request.POST.get("do") == "preview"
    if looked:
        form.is_valid()
    return portal.page(
        request,
        "admin/portal/template_edit.html",
        {
            "title": f"Change {row.name}" if row else "New template",
            "form": form,
            "row": row,
            "seen_at": request.POST.get("seen", seen),
            "looked": looked,
            "starts": form.starts() if not form.is_bound or hasattr(form, "cleaned_data") else [],
        },
        status=400 if form.is_bound and form.errors and not looked else 200,
    )


# --- what is done with it ----------------------------------------------------------------------


def do(request: HttpRequest, pk: int) -> HttpResponse:
    """One act on a template, named by ``do`` in the form; then back to its page."""
    row = open_template(request, pk)
    act = _ACTS.get(request.POST.get("do", "")) if request.method == "POST" else None
    if act is None:
        return redirect("admin:template", pk=pk)
    try:
        where, said = act(request, row)
        messages.success(request, said)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        where = reverse("admin:template", args=[pk])
    return redirect(where)


def _act(verb: Any, said: str, *fields: str) -> Any:
    def act(request: HttpRequest, row: ProgramTemplate) -> tuple[str, str]:
        more = {name: request.POST.get(name, "") for name in fields}
        verb(template=row, by=request.user, at=timezone.now(), **more)
        return reverse("admin:template", args=[row.pk]), said

    return act


def _copy(request: HttpRequest, row: ProgramTemplate) -> tuple[str, str]:
    mine = request.POST.get("mine") == "on"
    made = verbs.copy_template(template=row, by=request.user, at=timezone.now(), mine=mine)
    return reverse("admin:template_edit", args=[made.pk]), f"Copied from {row.name}."


def _discard(request: HttpRequest, row: ProgramTemplate) -> tuple[str, str]:
    verbs.discard_template(template=row, by=request.user, at=timezone.now())
    return reverse("admin:templates"), "The draft is discarded."


_ACTS = {
    "copy": _copy,
    "send": _act(verbs.send_template, "Sent for review. A colleague approves it."),
    "approve": _act(
        verbs.approve_template, "Approved. It is what is assigned from now on.", "note", "seen"
    ),
    "return": _act(verbs.return_template, "Given back to its author.", "note"),
    "discard": _discard,
    "retire": _act(verbs.retire_template, "Retired. Programs that came from it go on."),
    "restore": _act(verbs.bring_back_template, "It is offered again."),
    "share": _act(verbs.share_template, "It belongs to the practice now."),
}
