"""Questionnaire files: what is right is read whole, what is wrong is said with its place."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.measuring import SUPPLIED
from patients.questionnaires import QuestionnaireError, read_questionnaire
from tests.patients.questionnaire_files import choice, questionnaire, scale


def problems_of(data: object) -> list[str]:
    with pytest.raises(QuestionnaireError) as caught:
        read_questionnaire(data)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_is_read_with_its_questions_its_scores_and_when_it_is_asked():
    read = read_questionnaire(questionnaire())
    assert [item.id for item in read.items] == ["a", "b", "c", "d"]
    assert [option.value for option in read.item("a").options] == [0, 1, 2, 3]
    assert (read.item("d").low, read.item("d").high) == (0, 10)
    assert read.asked == ("start", "week_12")
    assert [score.id for score in read.scores] == ["total", "part"]


def test_a_group_lends_its_questions_a_heading_and_words_alone_are_no_question():
    group = {"linkId": "g", "type": "group", "text": "At night", "item": [scale("n1"), scale("n2")]}
    words = {"linkId": "w", "type": "display", "text": "Almost done."}
    data = questionnaire(item=[group, words, scale("last")])
    data["scoring"]["scores"] = [{"id": "all", "title": "All"}]
    read = read_questionnaire(data)
    assert [(i.id, i.heading.own if i.heading else "") for i in read.items] == [
        ("n1", "At night"),
        ("n2", "At night"),
        ("last", ""),
    ]
    assert read.scores[0].items == ("n1", "n2", "last")


def test_translations_come_along_and_the_own_language_stands_in_for_a_missing_one():
    item = scale("d") | {
        "_text": {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/translation",
                    "extension": [
                        {"url": "lang", "valueCode": "es"},
                        {"url": "content", "valueString": "¿Cuánto?"},
                    ],
                }
            ]
        }
    }
    data = questionnaire(item=[item])
    data["scoring"]["scores"] = [{"id": "all", "title": "All"}]
    text = read_questionnaire(data).item("d").text
    assert text.read_in("es-MX") == "¿Cuánto?"
    assert text.read_in("de") == "How much, d?"


@pytest.mark.parametrize("path", sorted(SUPPLIED.glob("*.json")), ids=lambda path: path.stem)
def test_every_supplied_questionnaire_is_right_and_speaks_spanish(path):
    read = read_questionnaire(json.loads(path.read_text("utf-8")))
    assert read.name == path.stem
    texts = [read.title, read.description, *[score.title for score in read.scores]]
    for item in read.items:
        texts += [item.text, item.low_text, item.high_text]
        texts += [text for text in (item.name_text, item.number_text) if text]
    for text in texts:
        assert text is not None and text.own and text.others.get("es"), path.name


def test_the_example_in_the_manual_is_right():
    manual = Path(__file__).parents[2] / "docs" / "measures.md"
    example = manual.read_text("utf-8").split("```json\n")[1].split("```")[0]
    assert read_questionnaire(json.loads(example)).scores[0].factor == 2


def change(path: str, value: object) -> dict:
    """The small questionnaire with one thing changed; ``path`` such as "item.0.text"."""
    data: dict = copy.deepcopy(questionnaire())
    *way, last = path.split(".")
    place = data
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[int(last) if last.isdigit() else last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("resourceType", "Patient", "resourceType: should be “Questionnaire”."),
        ("name", "House Scale", "name: write small letters"),
        ("version", 1, "version: write the version as text"),
        ("title", " ", "title: write some words."),
        ("item", [], "item: write a list with at least one question."),
        ("item.0.text", "", "item 1 (a), text: write some words."),
        ("item.1.linkId", "a", "item 2 (a): this linkId stands twice."),
        ("item.1.linkId", "1st", "item 2: linkId: write a letter"),
        ("item.2.type", "quantity", "item 3 (c): type 'quantity' is not known"),
        ("item.0.answerOption", [], "item 1 (a), answerOption: write at least two answers."),
        ("item.0.answerOption.1", 3, "item 1 (a), answer 2: needs a valueCoding"),
        ("item.3", scale("d", 5, 5), "item 4 (d): runs from 5 to 5"),
        ("scoring", None, "scoring: is missing"),
        ("scoring.asked", "start", "scoring, asked: write a list"),
        ("scoring.asked", ["week_5"], "scoring, asked: 'week_5' is none of"),
        ("scoring.scores.0.items", ["z"], "score 1 (total), items: 'z' is not the linkId"),
        ("scoring.scores.0.items", [["a"]], "score 1 (total), items: ['a'] is not the linkId"),
        ("scoring.scores.0.method", "median", "score 1 (total), method: is 'median'"),
        ("scoring.scores.0.factor", "2", "score 1 (total), factor: write a number."),
        ("scoring.scores.0.missing.rule", "guess", "score 1 (total), missing, rule: is 'guess'"),
        ("scoring.scores.0.bands.1.from", 3, "band 2: begins before the one above it ends."),
        ("scoring.scores.1.id", "total", "score 2: id: write a word that no other score has."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(path, value, said):
    found = problems_of(change(path, value))
    assert any(said in problem for problem in found), found


def test_everything_that_is_wrong_is_said_at_once():
    data = change("title", "")
    data["item"][0]["text"] = ""
    data["scoring"]["scores"][0]["factor"] = "2"
    assert len(problems_of(data)) == 3


def test_an_answer_without_a_number_cannot_be_scored():
    item = choice("a")
    del item["answerOption"][2]["valueCoding"]["extension"]
    assert any(
        "'a' has an answer without a number" in p for p in problems_of(change("item.0", item))
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = [
    "resourceType", "name", "version", "title", "_title", "description", "language", "item",
    "item.0", "item.0.linkId", "item.0.type", "item.0.text", "item.0._text", "item.0.answerOption",
    "item.0.answerOption.0", "item.0.answerOption.0.valueCoding", "item.3.extension", "item.3.item",
    "item.3.repeats", "scoring", "scoring.asked", "scoring.change", "scoring.position",
    "scoring.scores", "scoring.scores.0", "scoring.scores.0.items", "scoring.scores.0.missing",
    "scoring.scores.0.decimals", "scoring.scores.0.bands", "scoring.scores.0.bands.0",
]  # fmt: skip


@given(place=st.sampled_from(PLACES), value=JSON)
def test_whatever_stands_in_a_file_it_is_read_or_refused_in_words(place, value):
    data = change(place, value)
    try:
        read = read_questionnaire(data)
    except QuestionnaireError as error:
        assert error.problems and all(p.place and p.matter for p in error.problems)
    else:
        assert read.items and read.scores


@given(JSON)
def test_any_json_is_refused_in_words(value):
    assert problems_of(value)
