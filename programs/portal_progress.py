"""How far a patient has walked through today's routine, before it is recorded.

Kept in the browser session and for one day and one program version only: what is not recorded
yet is not evidence, and a routine that changed meanwhile is begun anew.
"""

import uuid
from typing import Any

from django.http import HttpRequest

from programs.models import Session
from programs.today import Today

KEY = "routine"


class Progress:
    def __init__(self, request: HttpRequest, today: Today) -> None:
        self._session = request.session
        self.slugs = [item.exercise.slug for item in today.items]
        marks = {"version": today.version.pk, "day": today.day.isoformat()}
        held: dict[str, Any] = request.session.get(KEY) or {}
        if {key: held.get(key) for key in marks} != marks:
            held = {**marks, "client_id": str(uuid.uuid4()), "done": [], "skipped": [], "hurts": ""}
        self._held = held

    @property
    def client_id(self) -> uuid.UUID:
        return uuid.UUID(self._held["client_id"])

    @property
    def done(self) -> set[str]:
        return set(self._held["done"]) & set(self.slugs)

    @property
    def skipped(self) -> set[str]:
        return set(self._held["skipped"]) & set(self.slugs)

    @property
    def hurts(self) -> str:
        """The exercise the patient said hurts, or an empty string."""
        return self._held["hurts"] if self._held["hurts"] in self.slugs else ""

    @property
    def begun(self) -> bool:
        return bool(self.done or self.skipped)

    @property
    def next_number(self) -> int | None:
        """The first exercise (from 1) that is neither done nor skipped; None when none is."""
        for number, slug in enumerate(self.slugs, start=1):
            if slug not in self.done | self.skipped:
                return number
        return None

    def mark(self, slug: str, *, done: bool) -> None:
        for name, wanted in (("done", done), ("skipped", not done)):
            kept = [other for other in self._held[name] if other != slug]
            self._held[name] = [*kept, slug] if wanted else kept
        self._save()

    def mark_hurts(self, slug: str) -> None:
        self._held["hurts"] = slug
        self.mark(slug, done=False)

    def beads(self, current: int) -> list[dict[str, Any]]:
        """One mark per exercise for the line at the top of the page."""
        return [
            {
                "state": "now"
                if number == current
                else "done"
                if slug in self.done
                else "skipped"
                if slug in self.skipped
                else "open"
            }
            for number, slug in enumerate(self.slugs, start=1)
        ]

    def known(self, done: set[str]) -> str:
        """Timed when every exercise that counts as done was walked through page by page."""
        walked = bool(done) and done <= self.done
        return Session.Known.TIMED if walked else Session.Known.SELF_REPORTED

    def forget_hurts(self) -> None:
        self._held["hurts"] = ""
        self._save()

    def _save(self) -> None:
        self._session[KEY] = self._held
