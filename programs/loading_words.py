"""Bring the supplied words in other languages into the library."""

from collections.abc import Mapping

from programs.content_files import Content
from programs.content_words import ContentWords, Words
from programs.models import Exercise, ExerciseLevel, HabitTask, ProgramTemplate


def load_words(content: Content, words: Mapping[str, ContentWords]) -> int:
    """Write the words of every language to the rows they were written for; returns how many
    rows changed. Rows that the practice made its own, or of another version, stay as they are:
    their words would say something else than the row.
    """
    changed = 0
    versions = {item["slug"]: item["version"] for item in content.exercises}
    ours = [
        row
        for row in Exercise.objects.filter(origin=Exercise.Origin.SUPPLIED, slug__in=versions)
        if row.version == versions[row.slug]
    ]
    for row in ours:
        changed += _write(row, {name: said.exercises[row.slug] for name, said in words.items()})
    levels = ExerciseLevel.objects.filter(exercise__in=ours).select_related("exercise")
    for level in levels:
        key = (level.exercise.slug, level.level)
        changed += _write(level, {name: said.levels[key] for name, said in words.items()})
    texts = {item["slug"]: item["text"] for item in content.habits}
    for habit in HabitTask.objects.filter(slug__in=texts):
        if habit.text == texts[habit.slug]:
            said = {name: each.habits[habit.slug] for name, each in words.items()}
            changed += _write(habit, said)
    summaries = {item["slug"]: item["patient_summary"] for item in content.templates}
    for plan in ProgramTemplate.objects.filter(slug__in=summaries):
        if plan.patient_summary == summaries[plan.slug]:
            said = {name: each.templates[plan.slug] for name, each in words.items()}
            changed += _write(plan, said)
    return changed


def _write(row: Exercise | ExerciseLevel | HabitTask | ProgramTemplate, words: Words) -> int:
    """Write what differs and nothing else, so that history shows real changes only."""
    if not words or row.words == words:
        return 0
    row.words = words
    row.save(update_fields=["words"])
    return 1
