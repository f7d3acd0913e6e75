"""The library of exercises in the portal: the list, one exercise, and what is done with it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from clinic.roles import May, may
from programs import authoring, authoring_rules
from programs.clinician.exercise_form import PHASES, worded
from programs.clinician.exercise_seen import seen_of
from programs.clinician.opening import portal
from programs.exercise_versions import exercise_at
from programs.models import (
    Exercise,
    ExerciseLevel,
    ExerciseVersion,
    Prescription,
    Program,
    ProgramTemplate,
    TemplateItem,
)
from programs.models.library import MovementClass
from programs.reviewing import approve_exercise, sign_exercise
from programs.translating import languages_of

PER_PAGE = 24
State = Exercise.ReviewState
STATES = {
    "approved": "Approved",
    "review": "In review",
    "draft": "Drafts",
    "suggested": "Suggested",
    "retired": "Retired",
}
OWNERS = {"supplied": "Supplied", "practice": "Practice", "mine": "Mine", "imported": "Imported"}


def library(request: HttpRequest) -> HttpResponse:
    """The exercises this person may see; ``q``, ``class``, ``phase``, ``things``, ``state`` and
    ``owner`` narrow the list, a value that is none of them leaves it as it is."""
    asked = {name: request.GET.get(name, "") for name in _NARROW}
    asked["q"] = request.GET.get("q", "").strip()[:80]
    if asked["state"] not in STATES:
        asked["state"] = ""
    everything = Exercise.objects.visible_to(request.user)
    rows = _narrowed(everything, asked, request.user)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    counts = everything.order_by().aggregate(
        waiting=Count("pk", filter=_state("review"), distinct=True),
        suggested=Count("pk", filter=_state("suggested"), distinct=True),
    )
    return portal.page(
        request,
        "admin/portal/library.html",
        {
            "title": "Library",
            "page": page,
            "cards": [_card(row) for row in page],
            "page_query": "?" + urlencode({name: said for name, said in asked.items() if said}),
            "asked": asked,
            "narrowed": any(asked.values()),
            "counts": counts,
            "classes": MovementClass.choices,
            "phases": PHASES,
            "things": [(one, worded(one)) for one in (*authoring_rules.EQUIPMENT, "none")],
            "states": STATES.items(),
            "owners": OWNERS.items(),
            "may_write": may(request.user, May.DECIDE),
        },
    )


def _state(name: str) -> Q:
    if name == "review":
        return Q(review_state=State.IN_REVIEW) | Q(versions__state=ExerciseVersion.State.IN_REVIEW)
    if name == "draft":
        return Q(review_state=State.DRAFT) | Q(versions__state=ExerciseVersion.State.DRAFT)
    return Q(review_state={"suggested": State.TO_REVIEW}.get(name, name))


def _owner(name: str, user: Any) -> Q:
    if name == "mine":
        return Q(owner=user)
    origin = {"practice": "practice", "imported": "imported", "supplied": "supplied"}[name]
    return Q(origin=origin, owner__isnull=True)


# How each word of the address narrows the list.
_NARROW = {
    "class": lambda value, _: Q(movement_class=value) | Q(levels__movement_class=value),
    "phase": lambda value, _: Q(first_phase=int(value)),
    "things": lambda value, _: Q(equipment=[]) if value == "none" else Q(equipment__contains=value),
    "state": lambda value, _: _state(value),
    "owner": _owner,
}
_KNOWN = {
    "class": set(MovementClass.values),
    "phase": {"0", "1", "2", "3"},
    "things": {*authoring_rules.EQUIPMENT, "none"},
    "state": set(STATES),
    "owner": set(OWNERS),
}


def _narrowed(rows: QuerySet[Exercise], asked: dict[str, str], user: Any) -> QuerySet[Exercise]:
    for name, narrow in _NARROW.items():
        if asked[name] in _KNOWN[name]:
            rows = rows.filter(narrow(asked[name], user))
        else:
            asked[name] = ""
    if not asked["state"] and asked["owner"] != "imported":
        # What nobody has reviewed comes when it is asked for: hundreds of rows at the first import.
        rows = rows.exclude(review_state__in=(State.TO_REVIEW, State.RETIRED))
    for word in asked["q"].split():
        rows = rows.filter(
            Q(name__icontains=word) | Q(slug__icontains=word) | Q(muscles__icontains=word)
        )
    open_draft = ExerciseVersion.objects.filter(exercise=OuterRef("pk")).exclude(
        state=ExerciseVersion.State.APPROVED
    )
    return (
        rows.distinct()
        .order_by("name", "pk")
        .annotate(has_draft=Exists(open_draft))
        .select_related("copied_from__exercise", "owner")
        .prefetch_related(Prefetch("levels", queryset=ExerciseLevel.objects.order_by("level")))
    )


def _card(row: Exercise) -> dict[str, Any]:
    levels = list(row.levels.all())
    source = row.copied_from
    return {
        "row": row,
        "address": reverse("admin:library_exercise", args=[row.slug]),
        "level": next((level for level in levels if level.figure), levels[0] if levels else 1),
        "count": len(levels),
        "newer": source is not None and source.exercise.current_id != source.pk,
    }


# --- one exercise ------------------------------------------------------------------------------


def exercise(request: HttpRequest, slug: str) -> HttpResponse:
    """An exercise as patients get it, its open draft with what changes, and its history."""
    row = open_exercise(request, slug)
    draft = authoring.draft_of(row)
    current = row.current
    reviewing = draft is not None and (current is None or request.GET.get("show") == "draft")
    shown = exercise_at(draft if reviewing else current) if draft or current else row
    user = request.user
    clinician = may(user, May.DECIDE)
    before = current.content if current else None
    changes = authoring_rules.differences(before, draft.content) if draft else []
    source = row.copied_from
    newer = None
    if source is not None and source.exercise.current_id != source.pk and source.exercise.current:
        newer = authoring_rules.differences(source.content, source.exercise.current.content)
    return portal.page(
        request,
        "admin/portal/exercise.html",
        {
            "title": row.name,
            "row": row,
            "draft": draft,
            "reviewing": reviewing,
            "shown": seen_of(shown),
            "muscles": [worded(one) for one in shown.muscles],
            "equipment": [worded(one) for one in shown.equipment],
            "changes": changes,
            "missing": authoring_rules.missing(draft.content) if draft else [],
            "newer": newer,
            "versions": row.versions.filter(state=ExerciseVersion.State.APPROVED).select_related(
                "author", "reviewed_by"
            )[:20],
            "templates": _templates_with(row, user),
            "programs": _running_with(row),
            "languages": languages_of(shown),
            "classes": MovementClass.choices,
            "can": {
                "edit": clinician and authoring.may_edit(row, user) and _free(draft, user),
                "copy": clinician,
                "send": clinician and _mine(draft, user) and draft.state == "draft",
                "review": clinician
                and draft is not None
                and draft.state == "in_review"
                and not _mine(draft, user),
                "approve_alone": clinician
                and _mine(draft, user)
                and not authoring.others_review(draft.author),
                "discard": clinician and _mine(draft, user),
                "retire": clinician
                and authoring.may_edit(row, user)
                and row.review_state == State.APPROVED,
                "restore": clinician and row.review_state == State.RETIRED,
                "share": clinician and row.owner_id == user.pk,
                "sign": clinician
                and row.origin == Exercise.Origin.SUPPLIED
                and row.review_state == State.APPROVED
                and row.reviewed_by_id is None,
                "approve_import": clinician and row.review_state == State.TO_REVIEW,
            },
        },
    )


def _mine(draft: ExerciseVersion | None, user: Any) -> bool:
    return draft is not None and draft.author_id == user.pk


def _free(draft: ExerciseVersion | None, user: Any) -> bool:
    return (
        draft is None
        or draft.author is None
        or draft.author == user
        or (not draft.author.is_active)
    )


def _templates_with(row: Exercise, user: Any) -> QuerySet[TemplateItem]:
    return TemplateItem.objects.filter(
        exercise=row,
        template__is_current=True,
        template__in=ProgramTemplate.objects.visible_to(user),
    ).select_related("template")


def _running_with(row: Exercise) -> dict[str, int]:
    """How many running programs have the exercise, and how many of these an older version."""
    now = Program.objects.running().values("current_version")
    return Prescription.objects.filter(exercise=row, version__in=now).aggregate(
        all=Count("pk"), older=Count("pk", filter=~Q(exercise_version=row.current_id))
    )


def open_exercise(request: HttpRequest, slug: str) -> Exercise:
    """The exercise, if this person may see it; else as if there were none."""
    row = (
        Exercise.objects.visible_to(request.user)
        .select_related(
            "current", "regress_to", "owner", "reviewed_by", "copied_from__exercise__current"
        )
        .filter(slug=slug)
        .first()
    )
    if row is None:
        raise Http404
    return row


# --- what is done with it ----------------------------------------------------------------------


def do(request: HttpRequest, slug: str) -> HttpResponse:
    """One act on an exercise, named by ``do`` in the form; then back to its page."""
    row = open_exercise(request, slug)
    act = _ACTS.get(request.POST.get("do", "")) if request.method == "POST" else None
    if act is None:
        return redirect("admin:library_exercise", slug=slug)
    try:
        where, said = act(request, row)
        messages.success(request, said)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        where = reverse("admin:library_exercise", args=[slug])
    return redirect(where)


def _page_of(row: Exercise) -> str:
    return reverse("admin:library_exercise", args=[row.slug])


def _act(verb: Any, said: str, *fields: str) -> Any:
    def act(request: HttpRequest, row: Exercise) -> tuple[str, str]:
        more = {name: request.POST.get(name, "") for name in fields}
        verb(exercise=row, by=request.user, at=timezone.now(), **more)
        return _page_of(row), said

    return act


def _copy(request: HttpRequest, row: Exercise) -> tuple[str, str]:
    made = authoring.copy_exercise(
        exercise=row,
        by=request.user,
        at=timezone.now(),
        mine=request.POST.get("mine") == "on",
    )
    return reverse("admin:library_edit", args=[made.exercise.slug]), f"Copied from {row.name}."


def _discard(request: HttpRequest, row: Exercise) -> tuple[str, str]:
    gone = authoring.discard_draft(exercise=row, by=request.user, at=timezone.now())
    return reverse("admin:library") if gone else _page_of(row), "The draft is discarded."


def _approve_import(request: HttpRequest, row: Exercise) -> tuple[str, str]:
    approve_exercise(
        exercise=row,
        movement_class=request.POST.get("movement_class") or row.movement_class,
        by=request.user,
        at=timezone.now(),
    )
    return _page_of(row), f"{row.name} may be prescribed."


def _sign(request: HttpRequest, row: Exercise) -> tuple[str, str]:
    sign_exercise(exercise=row, by=request.user, at=timezone.now())
    return _page_of(row), f"{row.name} now has your name under it."


_ACTS = {
    "copy": _copy,
    "send": _act(authoring.send_for_review, "Sent for review. A colleague approves it."),
    "approve": _act(
        authoring.approve_draft, "Approved. It is what is prescribed from now on.", "note", "seen"
    ),
    "return": _act(authoring.return_draft, "Given back to its author.", "note"),
    "discard": _discard,
    "retire": _act(authoring.retire_exercise, "Retired. Programs that have it keep it."),
    "restore": _act(authoring.bring_back_exercise, "Back in the library."),
    "share": _act(authoring.share_exercise, "It belongs to the practice now."),
    "approve_import": _approve_import,
    "sign": _sign,
}
