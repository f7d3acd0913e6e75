"""Exercises of the practice's own, written through the pages of the library."""

from django.urls import reverse

from programs.clinician.exercise_form import LEVELS
from programs.models import Exercise


def written(name: str = "Wall lean", **changes) -> dict:
    """What the form sends for an exercise with one level."""
    data = {
        "name": name,
        "movement_class": "mobility",
        "first_phase": "0",
        "why": "It lets your back move a little, without any load.",
        "alternative": "",
        "muscles": ["multifidus"],
        "l1.title": "Lean with both hands",
        "l1.figure": "cat-cow:1",
        "l1.set_up": "Stand one step from a wall with both hands on it.",
        "l1.cues": "Bend your arms slowly.\nLet your chest come near the wall.\nPush back again.",
        "l1.feel": "A gentle pull along your back.",
        "l1.not_feel": "No sharp pain. If it comes, step nearer to the wall.",
    }
    for number in LEVELS:
        data |= {
            f"l{number}.sets": "2",
            f"l{number}.reps_from": "6",
            f"l{number}.reps_to": "10",
            f"l{number}.reps_step": "2",
            f"l{number}.hold_from": "0",
            f"l{number}.hold_to": "0",
            f"l{number}.hold_step": "0",
            f"l{number}.days_per_week": "7",
            f"l{number}.seconds_per_rep": "4",
            f"l{number}.rest_s": "20",
        }
    return data | changes


def at(name: str, exercise: Exercise | None = None, *more) -> str:
    return reverse(f"admin:{name}", args=[exercise.slug, *more] if exercise else [])


def do(client, exercise, act: str, **fields):
    return client.post(at("library_do", exercise), {"do": act, **fields}, follow=True)
