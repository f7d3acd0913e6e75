"""The guide that somebody may ask for before they are a patient: one file for each language.

Pure: no Django, no clock. Mail and page are made of the same words, so they cannot differ.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FIRST = "en"
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """One exercise; ``figure`` is the slug and level of the figure that shows it."""

    title: str
    figure: tuple[str, int]
    do: tuple[str, ...]
    feel: str


@dataclass(frozen=True)
class Guide:
    """``now`` needs the emergency number, ``today`` a professional on the same day."""

    language: str
    title: str
    lead: str
    urgent_title: str
    now_lead: str
    now: tuple[str, ...]
    today_lead: str
    today: tuple[str, ...]
    unsure: str
    wait: str
    steps: tuple[Step, ...]
    stop_title: str
    stop: tuple[str, ...]
    stop_more: str
    following: str


def languages() -> list[str]:
    """The languages it is written in."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def guide_in(language: str, *, emergency: str, practice: str, phone: str) -> Guide:
    """The guide with the numbers of one site; in English where ``language`` has none."""
    plain = language.split("-")[0]
    said = _read(plain if plain in languages() else _FIRST)
    numbers = {"emergency": emergency, "practice": practice, "phone": phone}
    urgent, stop = said["urgent"], said["stop"]
    return Guide(
        language=plain if plain in languages() else _FIRST,
        title=said["title"],
        lead=said["lead"],
        urgent_title=urgent["title"],
        now_lead=_filled(urgent["now_lead"], numbers),
        now=tuple(urgent["now"]),
        today_lead=urgent["today_lead"],
        today=tuple(urgent["today"]),
        unsure=urgent["unsure"],
        wait=urgent["wait"],
        steps=tuple(
            Step(
                title=step["title"],
                figure=(str(step["figure"][0]), int(step["figure"][1])),
                do=tuple(step["do"]),
                feel=step["feel"],
            )
            for step in said["steps"]
        ),
        stop_title=stop["title"],
        stop=tuple(stop["do"]),
        stop_more=stop["more"],
        following=_filled(said["next"], numbers),
    )


def as_text(guide: Guide) -> str:
    """The guide for a mail: paragraphs with an empty line between them."""
    parts = [
        guide.urgent_title,
        guide.now_lead + "\n" + _listed(guide.now),
        guide.today_lead + "\n" + _listed(guide.today),
        guide.unsure + " " + guide.wait,
        guide.title.upper() + "\n" + guide.lead,
    ]
    for number, step in enumerate(guide.steps, 1):
        parts.append(f"{number}. {step.title}\n" + _listed(step.do) + f"\n{step.feel}")
    parts.append(guide.stop_title + "\n" + _listed(guide.stop) + f"\n{guide.stop_more}")
    parts.append(guide.following)
    return "\n\n".join(parts)


def _listed(lines: tuple[str, ...]) -> str:
    return "\n".join(f"– {line}" for line in lines)


def _filled(words: str, numbers: Mapping[str, str]) -> str:
    for name, value in numbers.items():
        words = words.replace(f"{{{name}}}", value.replace("{", "").replace("}", ""))
    return words


@functools.cache
def _read(language: str) -> Any:
    return yaml.safe_load((_FOLDER / f"{language}.yaml").read_text("utf-8"))
