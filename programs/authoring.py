"""Writing exercises in the portal: drafts, their review, copies, retiring.

An exercise that is prescribed is never edited: a draft of its next version stands beside it until
somebody else approves it, and programs that have an older version keep that.
"""

import datetime as dt
import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import slugify

from clinic.models import Role, User
from programs import authoring_rules
from programs.exercise_versions import Content, content_of, next_number, write_rows
from programs.models import Exercise, ExerciseVersion
from programs.patient_words import EXERCISE_TEXTS, LEVEL_LISTS, LEVEL_TEXTS

State = ExerciseVersion.State
LEVEL_LANGUAGE_FIELDS = (*LEVEL_TEXTS, *LEVEL_LISTS)


@transaction.atomic
def write_exercise(
    *, content: Content, by: User, at: dt.datetime, mine: bool = False, note: str = ""
) -> ExerciseVersion:
    """A new exercise of the practice, or of ``by`` alone when ``mine``, as a draft.

    Raises PermissionDenied for who is no clinician, ValidationError by place (see
    ``authoring_rules``) for what patients should not read or a dose that cannot be.
    """
    _require_clinician(by)
    _refuse_problems(content)
    exercise = Exercise.objects.create(
        slug=own_slug(content["name"]),
        name=content["name"],
        movement_class=content["movement_class"],
        origin=Exercise.Origin.PRACTICE,
        review_state=Exercise.ReviewState.DRAFT,
        owner=by if mine else None,
    )
    return _open_draft(exercise, content, by, at, note)


@transaction.atomic
def copy_exercise(
    *, exercise: Exercise, by: User, at: dt.datetime, mine: bool = False
) -> ExerciseVersion:
    """A draft that begins as a copy of ``exercise``, its figures and its words in other languages
    included. It remembers what it was copied from."""
    _require_clinician(by)
    _refuse_hidden(exercise, by)
    content = content_of(exercise) if exercise.current is None else dict(exercise.current.content)
    content["levels"] = [
        {**level, "figure": level["figure"] or f"{exercise.slug}:{level['level']}"}
        for level in content["levels"]
    ]
    _keep_english(content)
    made = Exercise.objects.create(
        slug=own_slug(exercise.name),
        name=f"{exercise.name}, our version"[:160],
        movement_class=content["movement_class"],
        origin=Exercise.Origin.PRACTICE,
        review_state=Exercise.ReviewState.DRAFT,
        owner=by if mine else None,
        copied_from=exercise.current,
    )
    content["name"] = made.name
    return _open_draft(made, content, by, at, f"Copied from {exercise.name}")


@transaction.atomic
def save_draft(
    *,
    exercise: Exercise,
    content: Content,
    by: User,
    at: dt.datetime,
    note: str = "",
    seen: str = "",
) -> ExerciseVersion:
    """Write the draft of the next version, opening it where there is none.

    ``seen`` is the ISO moment at which the draft was last changed when the author opened it; when
    it has changed since, nothing is written. A draft that was in review goes back to its author.
    """
    exercise = _editable(exercise, by)
    draft = draft_of(exercise)
    if draft is not None and draft.author_id != by.pk and draft.author and draft.author.is_active:
        raise ValidationError(
            f"{draft.author.name} is writing version {draft.number}. Ask them to finish or discard."
        )
    if draft is not None and seen and seen != draft.changed_at.isoformat():
        raise ValidationError(
            "This draft was saved from another page meanwhile. Open it again and repeat your "
            "change, so that nothing is lost."
        )
    _refuse_problems(content)
    _refuse_circle(exercise, content["regress_to"])
    if draft is None:
        return _open_draft(exercise, content, by, at, note)
    draft.content = _whole(exercise, content)
    draft.author, draft.changed_at, draft.note = by, at, note.strip()
    draft.state = State.DRAFT
    draft.save(update_fields=["content", "author", "changed_at", "note", "state"])
    _mirror(exercise, draft)
    return draft


@transaction.atomic
def send_for_review(*, exercise: Exercise, by: User, at: dt.datetime) -> ExerciseVersion:
    """Ask a colleague to look at the draft; nothing may be missing from it."""
    exercise = _editable(exercise, by)
    draft = _own_draft(exercise, by)
    _refuse_unready(draft.content)
    draft.state, draft.changed_at = State.IN_REVIEW, at
    draft.save(update_fields=["state", "changed_at"])
    _mirror(exercise, draft)
    return draft


@transaction.atomic
def approve_draft(
    *, exercise: Exercise, by: User, at: dt.datetime, note: str = "", seen: str = ""
) -> ExerciseVersion:
    """Make the draft the version that is prescribed from now on.

    By another clinician than its author; by the author only where the practice has no other
    clinician, with a reason in ``note``. ``seen`` as in ``save_draft``: what is approved is what
    was read.
    """
    _require_clinician(by)
    exercise = _locked(exercise)
    _refuse_hidden(exercise, by)
    draft = draft_of(exercise)
    if draft is None:
        raise ValidationError("There is nothing to approve: the draft is gone or approved already.")
    if seen and seen != draft.changed_at.isoformat():
        raise ValidationError("The draft has changed since you opened it. Read it again first.")
    check_reviewer(author=draft.author, state=draft.state, by=by, note=note)
    _refuse_problems(draft.content)
    _refuse_unready(draft.content)
    _refuse_circle(exercise, draft.content["regress_to"])
    write_rows(exercise, draft.content)
    draft.state = State.APPROVED
    draft.reviewed_by, draft.reviewed_at, draft.review_note = by, at, note.strip()
    draft.content = content_of(Exercise.objects.select_related("regress_to").get(pk=exercise.pk))
    draft.save(update_fields=["state", "reviewed_by", "reviewed_at", "review_note", "content"])
    exercise.current, exercise.version = draft, draft.number
    exercise.review_state = Exercise.ReviewState.APPROVED
    exercise.reviewed_by, exercise.reviewed_at = by, at
    exercise.save(
        update_fields=["current", "version", "review_state", "reviewed_by", "reviewed_at"]
    )
    return draft


@transaction.atomic
def return_draft(*, exercise: Exercise, by: User, at: dt.datetime, note: str) -> ExerciseVersion:
    """Give a draft in review back to its author, with what is to be changed."""
    _require_clinician(by)
    exercise = _locked(exercise)
    _refuse_hidden(exercise, by)
    draft = draft_of(exercise)
    if draft is None or draft.state != State.IN_REVIEW:
        raise ValidationError("This draft is not in review.")
    if not note.strip():
        raise ValidationError({"note": "Say what should be changed."})
    draft.state, draft.changed_at = State.DRAFT, at
    draft.reviewed_by, draft.review_note = by, note.strip()
    draft.save(update_fields=["state", "changed_at", "reviewed_by", "review_note"])
    _mirror(exercise, draft)
    return draft


@transaction.atomic
def discard_draft(*, exercise: Exercise, by: User, at: dt.datetime) -> bool:
    """Throw the open draft away; True when the exercise was nothing but that draft and is gone."""
    exercise = _editable(exercise, by)
    draft = _own_draft(exercise, by)
    draft.delete()
    if exercise.current_id is not None:
        return False
    if exercise.origin == Exercise.Origin.PRACTICE:
        exercise.delete()
        return True
    exercise.review_state = Exercise.ReviewState.TO_REVIEW
    exercise.save(update_fields=["review_state"])
    return False


@transaction.atomic
def retire_exercise(*, exercise: Exercise, by: User, at: dt.datetime) -> Exercise:
    """Offer the exercise to nobody new. Programs that have it keep it."""
    exercise = _editable(exercise, by)
    if exercise.review_state != Exercise.ReviewState.APPROVED:
        raise ValidationError("Only an approved exercise can be retired.")
    exercise.review_state = Exercise.ReviewState.RETIRED
    exercise.save(update_fields=["review_state"])
    return exercise


@transaction.atomic
def bring_back_exercise(*, exercise: Exercise, by: User, at: dt.datetime) -> Exercise:
    """Offer a retired exercise again, as it was approved."""
    exercise = _editable(exercise, by)
    if exercise.review_state != Exercise.ReviewState.RETIRED or exercise.current_id is None:
        raise ValidationError("This exercise is not retired.")
    exercise.review_state = Exercise.ReviewState.APPROVED
    exercise.save(update_fields=["review_state"])
    return exercise


@transaction.atomic
def share_exercise(*, exercise: Exercise, by: User, at: dt.datetime) -> Exercise:
    """Give one's own exercise to the whole practice."""
    exercise = _editable(exercise, by)
    exercise.owner = None
    exercise.save(update_fields=["owner"])
    return exercise


# --- what others ask ---------------------------------------------------------------------------


def draft_of(exercise: Exercise) -> ExerciseVersion | None:
    """The open draft, being written or in review."""
    return (
        exercise.versions.exclude(state=State.APPROVED)
        .select_related("author", "reviewed_by")
        .first()
    )


def may_edit(exercise: Exercise, user: User) -> bool:
    """Whether ``user`` may write this exercise: not a supplied one, and not a colleague's own."""
    return (
        user.is_clinician
        and exercise.origin != Exercise.Origin.SUPPLIED
        and exercise.owner_id in (None, user.pk)
    )


def others_review(author: User | None) -> bool:
    """Whether the practice has another clinician than ``author`` who can look at a draft."""
    clinicians = User.objects.filter(is_active=True, role=Role.PHYSIOTHERAPIST)
    return clinicians.exclude(pk=author.pk if author else None).exists()


def check_reviewer(*, author: User | None, state: str, by: User, note: str) -> None:
    """Refuse an approval by the author where somebody else can look at it."""
    if author is not None and author.pk == by.pk:
        if others_review(author):
            raise PermissionDenied("Somebody else than the author approves it. Ask a colleague.")
        if not note.strip():
            raise ValidationError(
                {"note": "You are the only physiotherapist here: say why it is right as it is."}
            )
    elif state != State.IN_REVIEW:
        raise ValidationError("Its author has not sent it for review yet.")


def own_slug(name: str) -> str:
    """A key of the practice's own; those of supplied content never begin with "own-"."""
    return f"own-{slugify(name)[:80] or 'exercise'}-{uuid.uuid4().hex[:6]}"


# --- what is refused ---------------------------------------------------------------------------


def _require_clinician(by: User) -> None:
    if not by.is_clinician:
        raise PermissionDenied("Only a physiotherapist writes and reviews exercises.")


def _refuse_hidden(exercise: Exercise, by: User) -> None:
    if not Exercise.objects.visible_to(by).filter(pk=exercise.pk).exists():
        raise PermissionDenied("This exercise belongs to a colleague alone.")


def _locked(exercise: Exercise) -> Exercise:
    return (
        Exercise.objects.select_for_update(of=("self",))
        .select_related("current", "regress_to")
        .get(pk=exercise.pk)
    )


def _editable(exercise: Exercise, by: User) -> Exercise:
    _require_clinician(by)
    exercise = _locked(exercise)
    if exercise.origin == Exercise.Origin.SUPPLIED:
        raise ValidationError("A supplied exercise stays as it is. Copy it and change the copy.")
    if not may_edit(exercise, by):
        raise PermissionDenied("This exercise belongs to a colleague alone.")
    return exercise


def _own_draft(exercise: Exercise, by: User) -> ExerciseVersion:
    draft = draft_of(exercise)
    if draft is None:
        raise ValidationError("There is no draft of this exercise.")
    if draft.author_id not in (None, by.pk) and draft.author.is_active:
        raise PermissionDenied(f"{draft.author.name} is writing this draft.")
    return draft


def _refuse_problems(content: Content) -> None:
    _raise(authoring_rules.problems(content))


def _refuse_unready(content: Content) -> None:
    _raise(authoring_rules.missing(content))


def _raise(found: list[authoring_rules.Problem]) -> None:
    said: dict[str, list[str]] = {}
    for place, words in found:
        if words not in said.setdefault(place, []):
            said[place].append(words)
    if said:
        raise ValidationError(said)


def _refuse_circle(exercise: Exercise, easier: str | None) -> None:
    seen = {exercise.slug}
    while easier:
        if easier in seen:
            raise ValidationError({"regress_to": "These exercises would lead back to each other."})
        seen.add(easier)
        easier = (
            Exercise.objects.filter(slug=easier).values_list("regress_to__slug", flat=True).first()
        )


# --- writing -----------------------------------------------------------------------------------


def _open_draft(
    exercise: Exercise, content: Content, by: User, at: dt.datetime, note: str
) -> ExerciseVersion:
    draft = ExerciseVersion.objects.create(
        exercise=exercise,
        number=next_number(exercise),
        content=_whole(exercise, content),
        note=note.strip(),
        author=by,
        changed_at=at,
    )
    _mirror(exercise, draft)
    return draft


def _whole(exercise: Exercise, content: Content) -> Content:
    return {**content, "slug": exercise.slug, "origin": exercise.origin}


def _mirror(exercise: Exercise, draft: ExerciseVersion) -> None:
    """While nothing of an exercise is approved, the library shows its draft."""
    if exercise.current_id is not None:
        return
    if exercise.origin == Exercise.Origin.PRACTICE:
        write_rows(exercise, draft.content)
    exercise.review_state = draft.state
    exercise.save(update_fields=["review_state"])


def _keep_english(content: Content) -> None:
    """Write beside the words in other languages which English they translate."""
    _put_english(content, EXERCISE_TEXTS)
    for level in content["levels"]:
        _put_english(level, LEVEL_LANGUAGE_FIELDS)


def _put_english(row: dict[str, Any], fields: tuple[str, ...]) -> None:
    row["words"] = {
        language: words
        if "of" in words
        else {**words, "of": {name: row[name] for name in fields if name in words}}
        for language, words in row["words"].items()
    }
