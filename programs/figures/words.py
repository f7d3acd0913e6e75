"""What a figure shows, in words a patient reads or hears.

Pure. A description is made of whole sentences: where one begins (``POSITIONS``) and what moves
(``MOVES``); the keys stand beside the poses, so that picture and words come from one place. The
sentences are English; whoever shows them passes in what translates them.
"""

from collections.abc import Callable
from typing import Protocol

Translate = Callable[[str], str]


class Told(Protocol):
    """What of a figure the words are made of: keys of POSITIONS and MOVES."""

    @property
    def says(self) -> tuple[str, ...]: ...


def _(text: str) -> str:
    """Marks a sentence for the translators and leaves it as it is."""
    return text


POSITIONS: dict[str, str] = {
    "supine_tabletop": _("Lying on your back, knees over hips and bent."),
    "supine_tabletop_arms": _(
        "Lying on your back, knees over hips and bent, arms pointing at the ceiling."
    ),
    "all_fours": _("On hands and knees, hands under shoulders, knees under hips."),
    "all_fours_toes": _("On hands and knees, toes tucked under."),
    "supine_bent": _("Lying on your back, knees bent, feet flat."),
    "supine_bridge": _("Lying on your back with your hips lifted, feet flat."),
    "supine_one_foot": _("Lying on your back, one foot flat, the other lifted."),
}
MOVES: dict[str, str] = {
    "heel_taps": _("One heel taps the floor and comes back, then the other."),
    "one_leg_out": _("One leg stretches out low and comes back, then the other."),
    "opposite_out": _(
        "One arm goes back and the opposite leg stretches out. Both come back, then change sides."
    ),
    "opposite_out_slow": _(
        "Very slowly, one arm goes back and the opposite leg stretches out. Both come back, then "
        "change sides."
    ),
    "arm_reaches": _("One arm lifts forward to ear height and comes back, then the other."),
    "leg_reaches": _("One leg slides back and lifts to hip height, then the other."),
    "opposite_reach": _(
        "One arm reaches forward and the opposite leg reaches back. The hips stay level."
    ),
    "opposite_reach_long": _(
        "One arm and the opposite leg reach out and stay there for ten seconds. Then change sides."
    ),
    "hips_lift_little": _("The hips lift a hand's width and come down slowly."),
    "hips_lift_full": _("The hips lift until shoulders, hips and knees are in one line."),
    "hips_lift_one": _("The hips lift on one leg, with the thighs side by side."),
    "march": _("One foot lifts a few centimetres and comes down, then the other."),
}


def describe(told: Told, translate: Translate = _) -> str:
    """The text alternative of a figure. KeyError for a key that has no sentence."""
    sentences = [(POSITIONS | MOVES)[key] for key in told.says]
    return " ".join(translate(sentence) for sentence in sentences)
