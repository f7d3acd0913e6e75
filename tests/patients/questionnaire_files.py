"""Small questionnaires for tests, in the shape that a practice would load."""

from typing import Any

VALUE = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
WORDS = ("never", "sometimes", "often", "always")


def choice(id: str, *, required: bool = True) -> dict[str, Any]:
    """A question answered never (0) to always (3)."""
    return {
        "linkId": id,
        "type": "choice",
        "text": f"How often, {id}?",
        "required": required,
        "answerOption": [
            {
                "valueCoding": {
                    "code": word,
                    "display": word.capitalize(),
                    "extension": [{"url": VALUE, "valueDecimal": weight}],
                }
            }
            for weight, word in enumerate(WORDS)
        ],
    }


def scale(id: str, low: int = 0, high: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "linkId": id,
        "type": "integer",
        "text": f"How much, {id}?",
        "extension": [
            {"url": f"http://hl7.org/fhir/StructureDefinition/{name}", "valueInteger": value}
            for name, value in (("minValue", low), ("maxValue", high))
        ],
        **more,
    }


def questionnaire(**changes: Any) -> dict[str, Any]:
    """Four questions with a total that is doubled, and a part score of the last two."""
    data: dict[str, Any] = {
        "resourceType": "Questionnaire",
        "name": "house-scale",
        "version": "1",
        "title": "House scale",
        "item": [choice("a", required=False), choice("b", required=False), choice("c"), scale("d")],
        "scoring": {
            "asked": ["start", "week_12"],
            "higher_is": "worse",
            "change": {"points": 4},
            "scores": [
                {
                    "id": "total",
                    "title": "Total",
                    "items": ["a", "b", "c"],
                    "method": "sum",
                    "factor": 2,
                    "missing": {"rule": "skip", "at_most": 1},
                    "bands": [
                        {"from": 0, "to": 5.9, "title": "little"},
                        {"from": 6, "to": 18, "title": "much"},
                    ],
                },
                {"id": "part", "title": "Part", "items": ["c", "d"], "method": "mean"},
            ],
        },
    }
    return {**data, **changes}
