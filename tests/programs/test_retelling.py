"""What was said in English is said again in another language, whole or not at all."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from programs import reasons
from programs.retelling import STEPS, retell

NAMES = {"Dead bug": "Bicho muerto", "Bird dog": "Perro-pájaro", "Plank": "Plancha"}
SENTENCES = (*reasons.REASONS.values(), *reasons.SAID)


def spanish(text: str, **whole: str) -> str:
    with translation.override("es"):
        return retell(text, say=translation.gettext, names=NAMES, whole=whole, point=",")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_given_a_sentence_of_the_rules_then_it_is_said_in_spanish(sentence):
    assert spanish(sentence) != sentence


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("Dead bug goes one level easier.", "Bicho muerto: bajamos un nivel."),
        ("We do a little less of Bird dog.", "Perro-pájaro: hacemos un poco menos."),
        ("Plank rests for now.", "Plancha: descansa por ahora."),
        ("Plank and Dead bug rest for now.", "Plancha y Bicho muerto: descansan por ahora."),
        ("Dead bug: 8 times instead of 6.", "Bicho muerto: 8 veces en vez de 6."),
        (
            "Plank: hold for 20 seconds instead of 15.",
            "Plancha: mantén 20 segundos en vez de 15.",
        ),
        ("Plank: 4.5 kg instead of 4 kg.", "Plancha: 4,5 kg en vez de 4 kg."),
        (
            "Dead bug goes up to level 3. New: Bird dog, Plank.",
            "Bicho muerto: subes al nivel 3. Nuevo: Perro-pájaro, Plancha.",
        ),
    ],
)
def test_given_a_step_then_the_exercise_has_its_own_name(english, expected):
    assert spanish(english) == expected


@given(st.lists(st.sampled_from([*SENTENCES, "Dead bug goes one level easier."]), max_size=5))
def test_given_several_sentences_then_each_is_said_in_its_turn(sentences):
    assert spanish(" ".join(sentences)) == " ".join(spanish(one) for one in sentences)


@given(st.text(max_size=80))
def test_given_words_of_a_clinician_then_they_stay_as_written(text):
    written = f"{text} knee"
    assert spanish(written) == written
    assert spanish(f"{reasons.CHANGED} {written}") == f"{reasons.CHANGED} {written}"


def test_given_a_text_known_whole_then_it_is_taken_whole():
    assert spanish("A summary.", **{"A summary.": "Un resumen."}) == "Un resumen."


def test_given_the_ladder_then_every_sentence_of_it_is_known():
    """Each sentence that ``programs.ladder`` can build, built once and said again."""
    values = {"level": 2, "reps": 8, "hold": 20, "load": "4.5", "before": 6, "exercise": "Plank"}
    values |= {"first": "Plank", "second": "Dead bug", "exercises": "Plank, Dead bug"}
    values |= {"sets": 3, "days": 4}
    for sentence in STEPS:
        built = sentence % values
        assert spanish(built) != built, built
