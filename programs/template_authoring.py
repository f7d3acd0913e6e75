"""Writing program templates in the portal: drafts, their review, versions, retiring.

A version that was approved is never edited; the next one is a row of its own, and programs keep
the one they came from.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max

from clinic.models import User
from programs.authoring import check_reviewer, own_slug
from programs.authoring_rules import MAX_LOADED_DAYS
from programs.models import Exercise, HabitTask, Pathway, ProgramTemplate, TemplateItem
from programs.patient_words import banned_in, cue_set_of, kind_refusal

State = ProgramTemplate.State
MOST_ITEMS = 16


@dataclass(frozen=True)
class Asked:
    """One item: exercise by slug, level 1 to 4, days a week 1 to 7."""

    exercise: str
    level: int
    days_per_week: int


@dataclass(frozen=True)
class Plan:
    """What a template says. ``items`` stand in the order of the routine."""

    name: str
    summary: str
    patient_summary: str
    pathways: list[str]
    starting_phase: int
    horizon_weeks: int
    habits: list[str] = field(default_factory=list)
    items: Sequence[Asked] = ()


# What of a plan stands on the template's own row.
PLAN_FIELDS = tuple(part.name for part in fields(Plan) if part.name != "items")


@transaction.atomic
def write_template(*, plan: Plan, by: User, at: dt.datetime, mine: bool = False) -> ProgramTemplate:
    """A new template of the practice, or of ``by`` alone, as a draft.

    Raises PermissionDenied for who is no clinician and ValidationError for what cannot be: an
    unknown or unapproved exercise, a word patients should not read, nothing to do.
    """
    _require_clinician(by)
    owner = by if mine else None
    exercises = _checked(plan, owner=owner, by=by)
    template = ProgramTemplate(slug=_slug(plan.name), version=1, owner=owner)
    return _write(template, plan, exercises, by, at)


@transaction.atomic
def save_template(
    *, template: ProgramTemplate, plan: Plan, by: User, at: dt.datetime, seen: str = ""
) -> ProgramTemplate:
    """Write the draft: ``template`` itself while it is one, else the next version of it.

    ``seen`` is the ISO moment at which the draft was last changed when the author opened it.
    """
    template = _editable(template, by)
    draft = draft_of(template)
    if draft is not None:
        _refuse_foreign(draft, by)
        if seen and draft.changed_at and seen != draft.changed_at.isoformat():
            raise ValidationError(
                "This draft was saved from another page meanwhile. Open it again and repeat your "
                "change, so that nothing is lost."
            )
    exercises = _checked(plan, owner=template.owner, by=by)
    if draft is None:
        newest = ProgramTemplate.objects.filter(slug=template.slug).aggregate(n=Max("version"))["n"]
        draft = ProgramTemplate(
            slug=template.slug,
            version=newest + 1,
            owner=template.owner,
            copied_from=template.copied_from,
            sources=template.sources,
            words=template.words if template.patient_summary == plan.patient_summary else {},
        )
    elif draft.patient_summary != plan.patient_summary:
        draft.words = {}
    return _write(draft, plan, exercises, by, at)


@transaction.atomic
def copy_template(
    *, template: ProgramTemplate, by: User, at: dt.datetime, mine: bool = False
) -> ProgramTemplate:
    """A draft that begins as a copy and remembers what it was copied from."""
    _require_clinician(by)
    _refuse_hidden(template, by)
    copy = ProgramTemplate(
        slug=_slug(template.name),
        version=1,
        owner=by if mine else None,
        copied_from=template,
        sources=template.sources,
        words=template.words,
    )
    plan = plan_of(template, name=f"{template.name}, our version"[:120])
    exercises = _checked(plan, owner=copy.owner, by=by)
    return _write(copy, plan, exercises, by, at)


@transaction.atomic
def send_template(*, template: ProgramTemplate, by: User, at: dt.datetime) -> ProgramTemplate:
    """Ask a colleague to look at the draft."""
    template = _editable(template, by)
    _refuse_foreign(template, by)
    if template.state != State.DRAFT:
        raise ValidationError("This template is not a draft.")
    template.state, template.changed_at = State.IN_REVIEW, at
    template.save(update_fields=["state", "changed_at"])
    return template


@transaction.atomic
def approve_template(
    *, template: ProgramTemplate, by: User, at: dt.datetime, note: str = "", seen: str = ""
) -> ProgramTemplate:
    """Make the draft the version that is assigned from now on; who may, as for exercises."""
    _require_clinician(by)
    template = _locked(template)
    _refuse_hidden(template, by)
    if template.state not in (State.DRAFT, State.IN_REVIEW):
        raise ValidationError("There is nothing to approve: it is approved already, or retired.")
    if seen and template.changed_at and seen != template.changed_at.isoformat():
        raise ValidationError("The draft has changed since you opened it. Read it again first.")
    check_reviewer(author=template.author, state=template.state, by=by, note=note)
    # What its owner alone may use is no obstacle to the colleague who approves it.
    _checked(plan_of(template), owner=template.owner, by=template.owner or by)
    ProgramTemplate.objects.filter(slug=template.slug, is_current=True).update(is_current=False)
    template.state, template.is_current = State.APPROVED, True
    template.reviewed_by, template.reviewed_at = by, at
    template.review_note = note.strip()
    template.save(
        update_fields=["state", "is_current", "reviewed_by", "reviewed_at", "review_note"]
    )
    return template


@transaction.atomic
def return_template(
    *, template: ProgramTemplate, by: User, at: dt.datetime, note: str
) -> ProgramTemplate:
    """Give a draft in review back to its author, with what is to be changed."""
    _require_clinician(by)
    template = _locked(template)
    _refuse_hidden(template, by)
    if template.state != State.IN_REVIEW:
        raise ValidationError("This template is not in review.")
    if not note.strip():
        raise ValidationError({"note": "Say what should be changed."})
    template.state, template.changed_at = State.DRAFT, at
    template.reviewed_by, template.review_note = by, note.strip()
    template.save(update_fields=["state", "changed_at", "reviewed_by", "review_note"])
    return template


@transaction.atomic
def discard_template(*, template: ProgramTemplate, by: User, at: dt.datetime) -> None:
    """Throw a draft away. What was approved before it stays."""
    template = _editable(template, by)
    _refuse_foreign(template, by)
    if template.state not in (State.DRAFT, State.IN_REVIEW):
        raise ValidationError("Only a draft can be discarded.")
    template.delete()


@transaction.atomic
def retire_template(*, template: ProgramTemplate, by: User, at: dt.datetime) -> ProgramTemplate:
    """Offer the template no longer. Programs that came from it go on."""
    template = _editable(template, by)
    if not template.is_current:
        raise ValidationError("Only the version in use can be retired.")
    template.state, template.is_current = State.RETIRED, False
    template.save(update_fields=["state", "is_current"])
    return template


@transaction.atomic
def bring_back_template(*, template: ProgramTemplate, by: User, at: dt.datetime) -> ProgramTemplate:
    """Offer a retired template again."""
    template = _editable(template, by)
    if template.state != State.RETIRED:
        raise ValidationError("This template is not retired.")
    if ProgramTemplate.objects.filter(slug=template.slug, is_current=True).exists():
        raise ValidationError("A newer version of it is in use.")
    template.state, template.is_current = State.APPROVED, True
    template.save(update_fields=["state", "is_current"])
    return template


@transaction.atomic
def share_template(*, template: ProgramTemplate, by: User, at: dt.datetime) -> ProgramTemplate:
    """Give one's own template, in all its versions, to the practice."""
    template = _editable(template, by)
    _checked(plan_of(template), owner=None, by=by)
    ProgramTemplate.objects.filter(slug=template.slug).update(owner=None)
    template.owner = None
    return template


# --- what others ask ---------------------------------------------------------------------------


def plan_of(template: ProgramTemplate, **changed: Any) -> Plan:
    """What the template says now."""
    return Plan(
        **{
            **{name: getattr(template, name) for name in PLAN_FIELDS},
            "items": [
                Asked(item.exercise.slug, item.level, item.days_per_week)
                for item in template.items.select_related("exercise")
            ],
            **changed,
        }
    )


def draft_of(template: ProgramTemplate) -> ProgramTemplate | None:
    """The open draft among the versions of this template."""
    return ProgramTemplate.objects.filter(
        slug=template.slug, state__in=(State.DRAFT, State.IN_REVIEW)
    ).first()


def may_edit(template: ProgramTemplate, user: User) -> bool:
    return (
        user.is_clinician
        and template.origin != ProgramTemplate.Origin.SUPPLIED
        and template.owner_id in (None, user.pk)
    )


# --- what is refused ---------------------------------------------------------------------------


def _require_clinician(by: User) -> None:
    if not by.is_clinician:
        raise PermissionDenied("Only a physiotherapist writes and reviews templates.")


def _refuse_hidden(template: ProgramTemplate, by: User) -> None:
    if not ProgramTemplate.objects.visible_to(by).filter(pk=template.pk).exists():
        raise PermissionDenied("This template belongs to a colleague alone.")


def _refuse_foreign(draft: ProgramTemplate, by: User) -> None:
    if draft.author_id not in (None, by.pk) and draft.author.is_active:
        raise PermissionDenied(f"{draft.author.name} is writing this draft.")


def _locked(template: ProgramTemplate) -> ProgramTemplate:
    found = ProgramTemplate.objects.select_for_update(of=("self",)).filter(pk=template.pk).first()
    if found is None:
        raise ValidationError("This draft is gone already.")
    return found


def _editable(template: ProgramTemplate, by: User) -> ProgramTemplate:
    _require_clinician(by)
    template = _locked(template)
    if template.origin == ProgramTemplate.Origin.SUPPLIED:
        raise ValidationError("A supplied template stays as it is. Copy it and change the copy.")
    if not may_edit(template, by):
        raise PermissionDenied("This template belongs to a colleague alone.")
    return template


def _checked(plan: Plan, *, owner: User | None, by: User) -> dict[str, Exercise]:
    """The exercises of the plan by slug; ValidationError by field for everything that is wrong."""
    found: dict[str, list[str]] = {}

    def say(place: str, words: str) -> None:
        found.setdefault(place, []).append(words)

    if len(plan.name.strip()) < 3:
        say("name", "Give it a name.")
    for place, text in (("name", plan.name), ("patient_summary", plan.patient_summary)):
        word = banned_in(text)
        if word:
            say(place, kind_refusal(word))
    cue = cue_set_of(plan.patient_summary)
    if cue:
        say("patient_summary", f"“{cue[0]}” belongs to one cue set; the summary is for both.")
    if not plan.patient_summary.strip():
        say("patient_summary", "Say to the patient what they will do, in two or three sentences.")
    if not plan.pathways:
        say("pathways", "Choose at least one pathway.")
    elif not set(plan.pathways) <= set(Pathway.values):
        say("pathways", "There is no such pathway.")
    if plan.starting_phase not in range(4):
        say("starting_phase", "A phase is from 0 to 3.")
    if not 1 <= plan.horizon_weeks <= 52:
        say("horizon_weeks", "Look back after 1 to 52 weeks.")
    _check_habits(plan, say)
    return _check_items(plan, owner, by, say, found)


def _check_habits(plan: Plan, say: Any) -> None:
    habits = {row.slug: row for row in HabitTask.objects.filter(slug__in=plan.habits)}
    for slug in plan.habits:
        row = habits.get(slug)
        if row is None:
            say("habits", f"There is no habit task “{slug}”.")
        elif not set(plan.pathways) <= set(row.pathways):
            say("habits", f"“{row.title}” is not for every pathway you chose.")


def _check_items(
    plan: Plan, owner: User | None, by: User, say: Any, found: dict[str, list[str]]
) -> dict[str, Exercise]:
    slugs = [item.exercise for item in plan.items]
    if not slugs:
        say("items", "Add at least one exercise.")
    if len(slugs) > MOST_ITEMS:
        say("items", f"At most {MOST_ITEMS} exercises.")
    exercises = {
        row.slug: row
        for row in Exercise.objects.visible_to(by).filter(slug__in=slugs).prefetch_related("levels")
    }
    for slug in dict.fromkeys(slugs):
        row = exercises.get(slug)
        if row is None or row.review_state != Exercise.ReviewState.APPROVED:
            say("items", f"{row or slug} is not approved, so it cannot be prescribed.")
        elif slugs.count(slug) > 1:
            say("items", f"{row} stands in the list twice.")
        elif row.owner_id is not None and (owner is None or row.owner_id != owner.pk):
            say("items", f"{row} belongs to one person alone. Share it with the practice first.")
    for item in plan.items:
        row = exercises.get(item.exercise)
        if row is None:
            continue
        level = next((one for one in row.levels.all() if one.level == item.level), None)
        if level is None:
            say("items", f"{row} has no level {item.level}.")
        elif level.loaded and item.days_per_week > MAX_LOADED_DAYS:
            say("items", f"{row}: with a load at most {MAX_LOADED_DAYS} days a week.")
        if not 1 <= item.days_per_week <= 7:
            say("items", f"{row}: 1 to 7 days a week.")
    if found:
        raise ValidationError(found)
    return exercises


def _slug(name: str) -> str:
    # Slugs of templates are shorter than those of exercises.
    whole = own_slug(name)
    return f"{whole[:42].rstrip('-')}-{whole[-6:]}" if len(whole) > 50 else whole


def _write(
    template: ProgramTemplate,
    plan: Plan,
    exercises: dict[str, Exercise],
    by: User,
    at: dt.datetime,
) -> ProgramTemplate:
    for name in PLAN_FIELDS:
        value = getattr(plan, name)
        setattr(template, name, value.strip() if isinstance(value, str) else value)
    template.author, template.changed_at = by, at
    template.state, template.is_current = State.DRAFT, False
    template.save()
    template.items.all().delete()
    TemplateItem.objects.bulk_create(
        TemplateItem(
            template=template,
            exercise=exercises[item.exercise],
            level=item.level,
            days_per_week=item.days_per_week,
            order=order,
        )
        for order, item in enumerate(plan.items, start=1)
    )
    return template
