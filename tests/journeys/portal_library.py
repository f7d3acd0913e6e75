"""The pages of the library and of templates, busy and wrong, for the look at every page."""

from django.utils import timezone

from clinic.models import User
from programs import authoring, template_authoring
from programs.importing import import_exercises
from programs.models import Exercise, ExerciseVersion, Program, ProgramTemplate
from tests.journeys.looking import Look, send

LONG = "Oberschenkelrückseitenmuskulaturdehnung im Stehen"


def look_at_library(own: Look, writer: User, patient_of: Program) -> None:
    """As ``writer``; ``patient_of`` is a program one of whose exercises gets a newer version."""
    at = timezone.now()
    row = {"id": "Long", "name": LONG, "primaryMuscles": ["hamstrings"], "instructions": ["Bend."]}
    import_exercises(rows=[row], by=None, at=at)
    imported = Exercise.objects.get(name=LONG)
    dead_bug = Exercise.objects.get(slug="dead-bug")
    copied = authoring.copy_exercise(exercise=dead_bug, by=writer, at=at).exercise
    plan = template_authoring.copy_template(
        template=ProgramTemplate.objects.current().get(slug="desk"), by=writer, at=at
    )
    own.at("library", "/clinic/library/")
    own.at("exercise, imported", f"/clinic/library/{imported.slug}/")
    own.at("exercise, a draft", f"/clinic/library/{copied.slug}/")
    own.at("exercise, writing", f"/clinic/library/{copied.slug}/edit/")
    own.at("exercise, wrong", send("/clinic/library/new/", "Save the draft"))
    own.at("exercise, words", f"/clinic/library/{copied.slug}/words/es/")
    own.at("templates", "/clinic/templates/")
    own.at("template", f"/clinic/templates/{plan.pk}/")
    own.at("template, writing", f"/clinic/templates/{plan.pk}/edit/")
    exercise = patient_of.current_version.prescriptions.first().exercise
    _newer(exercise)
    own.at("newer versions", f"/clinic/patients/{patient_of.patient_id}/renew/")


def _newer(exercise: Exercise) -> None:
    at = timezone.now()
    version = ExerciseVersion.objects.create(
        exercise=exercise,
        number=exercise.current.number + 1,
        state=ExerciseVersion.State.APPROVED,
        content={**exercise.current.content, "why": "It is said in other words now."},
        changed_at=at,
        reviewed_at=at,
    )
    Exercise.objects.filter(pk=exercise.pk).update(current=version)
