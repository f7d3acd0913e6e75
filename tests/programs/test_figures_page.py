"""The figures where people meet them: the tag of the pages, and the page of all figures."""

import re
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from django.urls import reverse
from django.utils import translation

from programs.figures import slugs
from programs.figures.skeleton import PoseError
from programs.models import Exercise
from programs.templatetags import figures as tag


def rendered(inside: str, **context) -> str:
    return Template("{% load figures %}" + inside).render(Context(context))


# --- the tag -----------------------------------------------------------------------------------


def test_the_tag_draws_the_moving_figure_and_both_its_stills():
    drawn = rendered('{% figure "dead-bug" 3 %}')
    root = ElementTree.fromstring(drawn)
    pictures = root.findall(".//svg")
    assert len(pictures) == 3
    assert "animate" in drawn
    names = set(re.findall(r'aria-label="([^"]+)"', drawn))
    assert len(names) == 1
    assert next(iter(names)).startswith("Lying on your back")


def test_an_imported_exercise_leaves_the_page_as_it_is():
    assert rendered('before {% figure "barbell-curl" 1 %}after') == "before after"
    assert rendered('{% figure_words "barbell-curl" 1 %}') == ""


def test_a_figure_that_cannot_be_drawn_leaves_the_page_as_it_is(monkeypatch, caplog):
    def impossible(slug, level):
        raise PoseError("near_leg would have to be 90 long")

    tag._drawn.cache_clear()
    monkeypatch.setattr(tag.poses, "figure", impossible)
    assert rendered('before {% figure "dead-bug" 1 %}after') == "before after"
    assert "cannot be drawn" in caplog.text
    tag._drawn.cache_clear()


@pytest.mark.django_db
def test_the_tag_takes_rows_of_the_library(library):
    exercise = Exercise.objects.get(slug="bird-dog")
    level = exercise.levels.get(level=2)
    assert rendered("{% figure one level %}", one=exercise, level=level) == rendered(
        '{% figure "bird-dog" 2 %}'
    )


def test_the_left_side_is_the_mirror_of_the_right():
    right, left = (
        rendered('{% figure "dead-bug" 3 %}'),
        rendered('{% figure "dead-bug" 3 side="left" %}'),
    )
    assert "matrix(-1 0 0 1 256 0)" in left
    assert "matrix" not in right


def test_stills_and_small_ones_do_not_move():
    for options, pictures in (("stills=True", 2), ("small=True", 1)):
        drawn = rendered('{% figure "bird-dog" 1 ' + options + " %}")
        assert drawn.count("<svg") == pictures
        assert "animate" not in drawn


def test_the_words_are_in_the_readers_language(monkeypatch):
    tag._drawn.cache_clear()
    monkeypatch.setattr(tag, "gettext", lambda text: "Tumbado boca arriba.")
    with translation.override("es"):
        drawn = rendered('{% figure "dead-bug" 1 %}')
    monkeypatch.undo()
    assert 'aria-label="Tumbado boca arriba. Tumbado boca arriba."' in drawn
    with translation.override("en"):
        assert "Lying on your back" in rendered('{% figure "dead-bug" 1 %}')
    tag._drawn.cache_clear()


def test_a_figure_is_drawn_once_and_then_remembered():
    tag._drawn.cache_clear()
    for _ in range(3):
        rendered('{% figure "dead-bug" 1 %}')
    assert tag._drawn.cache_info().misses == 1


# --- the page of all figures ---------------------------------------------------------------------


@pytest.mark.django_db
def test_staff_see_every_figure_with_its_words(client, physio):
    client.force_login(physio)
    page = client.get(reverse("admin:figures")).content.decode()
    assert page.count('class="sb-figure"') == 96
    assert "Dead bug" in page
    assert page.count("Lying on your back, knees over hips and bent.") >= 3


@pytest.mark.django_db
def test_the_page_shows_one_exercise_and_stands_still_when_asked(client, physio):
    client.force_login(physio)
    page = client.get(reverse("admin:figures"), {"exercise": "bird-dog", "show": "still"})
    text = page.content.decode()
    assert text.count("sb-figure sb-figure--still") == 4
    assert "<animate" not in text


@pytest.mark.django_db
def test_an_exercise_without_figures_is_not_found(client, physio):
    client.force_login(physio)
    assert client.get(reverse("admin:figures"), {"exercise": "nothing"}).status_code == 404


@pytest.mark.django_db
def test_the_library_leads_to_the_figures(client, physio):
    client.force_login(physio)
    assert reverse("admin:figures") in client.get(reverse("admin:index")).content.decode()


@pytest.mark.django_db
def test_the_library_has_every_exercise_that_is_drawn(library):
    assert set(slugs()) <= set(Exercise.objects.values_list("slug", flat=True))
