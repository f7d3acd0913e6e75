"""``manage.py load_content``: bring the supplied content and policies into the practice."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from patients.measuring import load_supplied
from patients.questionnaires import QuestionnaireError
from programs.content_files import ContentError
from programs.loading import load_content
from programs.policies import ensure_policies


class Command(BaseCommand):
    help = (
        "Load the supplied exercises, habit tasks, templates, policies and questionnaires. May be "
        "run again."
    )

    def handle(self, *args: object, **options: object) -> None:
        try:
            report = load_content(at=timezone.now())
            policies = ensure_policies(at=timezone.now())
            measures = load_supplied(at=timezone.now())
        except (ContentError, QuestionnaireError) as error:
            raise CommandError(f"Nothing was loaded. {error}") from error
        self.stdout.write(
            f"Content: {report}. Policies: {policies} published. Questionnaires: {measures} added."
        )
