"""All figures on one page, for whoever looks whether each shows its exercise."""

from dataclasses import dataclass

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse

from programs.clinician.opening import portal
from programs.figures import slugs
from programs.models import Exercise, ExerciseLevel


@dataclass(frozen=True)
class Drawn:
    """An exercise of the page: its name and the titles of its levels by number."""

    slug: str
    name: str
    levels: list[tuple[int, str]]


def figures(request: HttpRequest) -> HttpResponse:
    """Every level of every exercise, or of ``?exercise=slug``; ``?show=still`` stops them."""
    chosen = request.GET.get("exercise", "")
    if chosen and chosen not in slugs():
        raise Http404
    still = request.GET.get("show") == "still"
    exercises = _exercises()
    return portal.page(
        request,
        "admin/portal/figures.html",
        {
            "title": "Figures",
            "exercises": exercises,
            "shown": [one for one in exercises if not chosen or one.slug == chosen],
            "chosen": chosen,
            "still": still,
        },
    )


def _exercises() -> list[Drawn]:
    """In the order of the files; the name is the library's, where it has the exercise."""
    rows = {
        row.slug: row
        for row in Exercise.objects.filter(slug__in=slugs()).prefetch_related(
            Prefetch("levels", queryset=ExerciseLevel.objects.order_by("level"))
        )
    }
    found = []
    for slug in slugs():
        row = rows.get(slug)
        titles = {level.level: level.title for level in row.levels.all()} if row else {}
        name = row.name if row else slug.replace("-", " ").capitalize()
        found.append(Drawn(slug, name, [(level, titles.get(level, "")) for level in range(1, 5)]))
    return found
