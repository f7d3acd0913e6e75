"""``manage.py seed_demo``: fill an empty practice with made-up people."""

import datetime as dt
import time

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from patients.models import Patient
from programs.demo.practice import build_practice, digest
from programs.models import ProgramTemplate


class Command(BaseCommand):
    help = "Makes a deterministic practice whose patients have lived through their days."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--patients", type=int, default=18)
        parser.add_argument("--days", type=int, default=28)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--last-day",
            type=dt.date.fromisoformat,
            default=None,
            help="the last day that is lived, yesterday when left out",
        )

    def handle(self, *, patients: int, days: int, seed: int, last_day, **options) -> None:
        if patients < 1 or days < 1:
            raise CommandError("Give at least one patient and one day.")
        if Patient.objects.exists():
            self.stdout.write(f"The practice has patients already: {digest()}. Nothing changed.")
            return
        if not ProgramTemplate.objects.current().exists():
            raise CommandError("Run load_content first: there is no template to assign.")
        started = time.monotonic()
        last_day = last_day or timezone.now().date() - dt.timedelta(days=1)
        build_practice(patients=patients, days=days, seed=seed, last_day=last_day)
        took = time.monotonic() - started
        self.stdout.write(
            f"{patients} patients lived {days} days until {last_day}: {digest()} ({took:.0f} s)."
        )
