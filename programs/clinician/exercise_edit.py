"""Writing an exercise: the form with what the patient will see beside it, and its words in other
languages."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from programs import authoring, authoring_rules
from programs.clinician.exercise_form import ExerciseForm
from programs.clinician.exercise_seen import seen_of_content
from programs.clinician.library import open_exercise
from programs.clinician.opening import portal
from programs.form_errors import put_errors
from programs.models import Exercise
from programs.translating import other_languages, save_words, texts_of, written_of


def new(request: HttpRequest) -> HttpResponse:
    """An exercise of the practice's own, from nothing."""
    form = ExerciseForm(request.POST or None, content=None, user=request.user, slug="")
    wants_to_see = request.POST.get("do") == "preview"
    if request.method == "POST" and form.is_valid() and not wants_to_see:
        try:
            draft = authoring.write_exercise(
                content=form.content(),
                by=request.user,
                at=timezone.now(),
                mine=request.POST.get("mine") == "on",
                note=form.cleaned_data["note"],
            )
            messages.success(request, "Saved as a draft.")
            return redirect("admin:library_exercise", slug=draft.exercise.slug)
        except ValidationError as error:
            put_errors(form, error)
    return _page(request, form, None, "", wants_to_see)


def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The draft of the next version; what is prescribed now stays until it is approved."""
    row = open_exercise(request, slug)
    if not authoring.may_edit(row, request.user):
        raise PermissionDenied("A supplied or a colleague’s own exercise is copied, not changed.")
    draft = authoring.draft_of(row)
    form = ExerciseForm(
        request.POST or None, content=written_of(row), user=request.user, slug=row.slug
    )
    wants_to_see = request.POST.get("do") == "preview"
    if request.method == "POST" and form.is_valid() and not wants_to_see:
        try:
            authoring.save_draft(
                exercise=row,
                content=form.content(),
                by=request.user,
                at=timezone.now(),
                note=form.cleaned_data["note"],
                seen=request.POST.get("seen", ""),
            )
            messages.success(request, "Saved as a draft.")
            return redirect(_draft_address(row))
        except ValidationError as error:
            put_errors(form, error)
    seen = draft.changed_at.isoformat() if draft else ""
    return _page(request, form, row, seen, wants_to_see)


def _draft_address(row: Exercise) -> str:
    return f"{reverse('admin:library_exercise', args=[row.slug])}?show=draft"


def preview(request: HttpRequest) -> HttpResponse:
    """What the form would become, for the page beside it; nothing is kept."""
    if request.method != "POST":
        raise Http404
    row = Exercise.objects.visible_to(request.user).filter(slug=request.POST.get("slug")).first()
    content = written_of(row) if row else None
    slug = row.slug if row else ""
    form = ExerciseForm(request.POST, content=content, user=request.user, slug=slug)
    form.is_valid()
    return render(request, "admin/portal/exercise_preview.html", _seen(form, slug, request.POST))


def _seen(form: ExerciseForm, slug: str, data: Any) -> dict[str, Any]:
    content = form.content() if form.is_bound else form.opened
    if "name" not in content:
        return {"seen": None}
    chosen = data.get("look", "1")
    seen = seen_of_content(content, slug or "own")
    level = next((one for one in seen.levels if str(one.row.level) == chosen), None)
    found = [*authoring_rules.problems(content), *authoring_rules.missing(content)]
    return {
        "seen": seen,
        "level": level or (seen.levels[0] if seen.levels else None),
        "to_do": list(dict.fromkeys(words for _, words in found)),
    }


def _page(
    request: HttpRequest, form: ExerciseForm, row: Exercise | None, seen: str, looked: bool
) -> HttpResponse:
    context = {
        "title": f"Change {row.name}" if row else "New exercise",
        "form": form,
        "row": row,
        "seen_at": request.POST.get("seen", seen),
        "look": request.POST.get("look", "1"),
        "looked": looked,
        "preview": _seen(form, row.slug if row else "", request.POST),
    }
    status = 400 if form.is_bound and form.errors and not looked else 200
    return portal.page(request, "admin/portal/exercise_edit.html", context, status=status)


def words(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    """The texts in another language, each beside its English."""
    row = open_exercise(request, slug)
    if language not in other_languages():
        raise Http404
    if not authoring.may_edit(row, request.user):
        raise PermissionDenied("The words of a supplied exercise come with it. Copy it first.")
    draft = authoring.draft_of(row)
    texts = texts_of(written_of(row), language)
    wrong: dict[str, list[str]] = {}
    if request.method == "POST":
        said = {text["place"]: request.POST.get(text["place"], "")[:1000] for text in texts}
        said |= {name: "on" for name in request.POST if name.startswith("still.")}
        try:
            save_words(
                exercise=row,
                language=language,
                said=said,
                by=request.user,
                at=timezone.now(),
                seen=request.POST.get("seen", ""),
            )
            messages.success(request, "Saved in the draft of the next version.")
            return redirect(_draft_address(row))
        except ValidationError as error:
            wrong = getattr(error, "message_dict", None) or {"": error.messages}
        texts = [{**text, "said": said[text["place"]]} for text in texts]
    return portal.page(
        request,
        "admin/portal/exercise_words.html",
        {
            "title": f"{row.name}, in {other_languages()[language]}",
            "row": row,
            "language": language,
            "language_name": other_languages()[language],
            "texts": [{**text, "errors": wrong.get(text["place"], [])} for text in texts],
            "above": [said for place, found in wrong.items() if not place for said in found],
            "done": sum(1 for text in texts if text["said"] and not text["stale"]),
            "seen_at": request.POST.get("seen", draft.changed_at.isoformat() if draft else ""),
        },
        status=400 if wrong else 200,
    )
