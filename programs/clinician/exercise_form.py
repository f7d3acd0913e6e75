"""The form in which an exercise is written: what it is, then up to four levels."""

from typing import Any

from django import forms

from programs import authoring_rules
from programs.clinician.fields import PortalForm
from programs.exercise_versions import Content
from programs.figures import slugs as drawn
from programs.models import Exercise
from programs.models.library import MovementClass
from programs.patient_words import LEVEL_LISTS, LEVEL_TEXTS

PHASES = [(0, "0 Activate"), (1, "1 Stabilise"), (2, "2 Strengthen"), (3, "3 Daily life")]
LEVELS = (1, 2, 3, 4)
_DOSE = {
    "sets": ("Sets", 2),
    "reps_from": ("Repetitions from", 6),
    "reps_to": ("to", 10),
    "reps_step": ("in steps of", 2),
    "hold_from": ("Hold from, s", 0),
    "hold_to": ("to, s", 0),
    "hold_step": ("in steps of, s", 0),
    "days_per_week": ("Days a week", 7),
    "seconds_per_rep": ("Seconds to move, each repetition", 4),
    "rest_s": ("Rest after a set, s", 20),
}
_TICKS = {
    "per_side": "Each side",
    "alternate": "The sides take turns",
    "loaded": "With outside load",
}
_CUES = {
    "cues": ("Cues, one on a line", "What to do, in order. “Set your core” is for both cue sets."),
    "cues_draw_in": ("Only for “draw in”", "Up to two lines."),
    "cues_fill_out": ("Only for “fill outward”", "Up to two lines."),
}


def worded(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(label: str, rows: int, limit: int, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=limit,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class ExerciseForm(PortalForm):
    """Says as ``content()`` what ``exercise_versions`` keeps. What the form does not show (words
    in other languages, sources) comes from the content it was opened with."""

    name = forms.CharField(label="Name", max_length=60)
    movement_class = forms.ChoiceField(
        label="Movement class",
        choices=MovementClass.choices,
        help_text="Gates look at it.",
    )
    first_phase = forms.TypedChoiceField(label="First phase", choices=PHASES, coerce=int)
    regress_to = forms.ModelChoiceField(
        label="When level 1 is too much",
        queryset=Exercise.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label="Nothing easier",
    )
    why = _text("Why the patient does it", 2, 260, "One or two sentences.")
    alternative = _text("Without the equipment", 2, 240)
    muscles = forms.MultipleChoiceField(
        label="Muscles", required=False, widget=forms.CheckboxSelectMultiple
    )
    equipment = forms.MultipleChoiceField(
        label="Equipment", required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label="What changes, for the colleague who reviews it", required=False, max_length=300
    )

    def __init__(self, data: Any = None, *, content: Content | None, user: Any, slug: str) -> None:
        self.opened = content or {"words": {}, "sources": [], "levels": []}
        super().__init__(data, initial=self._initial())
        easier = Exercise.objects.offered_to(user).exclude(slug=slug)
        self.fields["regress_to"].queryset = easier
        # A muscle or thing that an import named, and we have no word for, stays to choose.
        for name, ours in (
            ("muscles", authoring_rules.MUSCLES),
            ("equipment", authoring_rules.EQUIPMENT),
        ):
            known = list(dict.fromkeys([*ours, *self.opened.get(name, [])]))
            self.fields[name].choices = [(one, worded(one)) for one in known]
        for number in LEVELS:
            self._add_level(number)

    def _initial(self) -> dict[str, Any]:
        initial = {name: self.opened.get(name) for name in self.base_fields if name in self.opened}
        for level in self.opened["levels"]:
            for name, value in level.items():
                said = "\n".join(value) if name in LEVEL_LISTS else value
                initial[f"l{level['level']}.{name}"] = said
            if not level["figure"] and self.opened.get("slug") in drawn():
                initial[f"l{level['level']}.figure"] = f"{self.opened['slug']}:{level['level']}"
        for number in LEVELS:
            initial.setdefault(f"l{number}.movement_class", "")
            for name, (_, start) in _DOSE.items():
                initial.setdefault(f"l{number}.{name}", start)
        for level in self.opened["levels"]:
            if level["movement_class"] == self.opened.get("movement_class"):
                initial[f"l{level['level']}.movement_class"] = ""
        return initial

    def _add_level(self, number: int) -> None:
        said = f"Level {number}"
        add = self.fields
        place = f"l{number}."
        add[place + "title"] = forms.CharField(
            label="Title", required=False, max_length=60, help_text=""
        )
        add[place + "figure"] = forms.ChoiceField(
            label="Figure", required=False, choices=figure_choices()
        )
        add[place + "movement_class"] = forms.ChoiceField(
            label="Class of this level",
            required=False,
            choices=[("", "As the exercise"), *MovementClass.choices],
        )
        add[place + "set_up"] = _text("Set-up", 2, 260)
        for name, (label, hint) in _CUES.items():
            add[place + name] = _text(label, 4 if name == "cues" else 2, 600, hint)
        add[place + "feel"] = _text("You should feel", 2, 260)
        add[place + "not_feel"] = _text("You should not feel, and what to do then", 2, 260)
        for name, (label, _) in _DOSE.items():
            add[place + name] = forms.IntegerField(
                label=label,
                min_value=0,
                max_value=600,
                error_messages=dict.fromkeys(
                    ("required", "invalid", "min_value", "max_value"),
                    f"{said}, {label.lower()}: write a whole number.",
                ),
            )
        for name, label in _TICKS.items():
            add[place + name] = forms.BooleanField(label=label, required=False)

    def levels(self) -> list[dict[str, Any]]:
        """The fields of each level for the page, with whether anything stands there."""
        found = []
        for number in LEVELS:
            fields = {
                name: self[f"l{number}.{name}"]
                for name in ("title", "figure", "movement_class", "set_up", "feel", "not_feel")
            }
            fields |= {name: self[f"l{number}.{name}"] for name in _CUES}
            filled = bool(self[f"l{number}.title"].value() or self[f"l{number}.cues"].value())
            wrong = any(self[f"l{number}.{name}"].errors for name in self._level_names())
            found.append(
                {
                    "number": number,
                    "fields": fields,
                    "dose": [self[f"l{number}.{name}"] for name in _DOSE],
                    "ticks": [self[f"l{number}.{name}"] for name in _TICKS],
                    "title": self[f"l{number}.title"].value() or "",
                    "open": wrong or number == 1,
                    "filled": filled,
                    "wrong": wrong,
                }
            )
        return found

    @staticmethod
    def _level_names() -> list[str]:
        return [
            "title",
            "figure",
            "movement_class",
            "set_up",
            "feel",
            "not_feel",
            *_CUES,
            *_DOSE,
            *_TICKS,
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        filled = [number for number in LEVELS if self._is_filled(number)]
        if filled and filled != list(LEVELS[: len(filled)]):
            gap = next(number for number in LEVELS if number not in filled)
            self.add_error(f"l{gap}.title", f"Level {gap} is empty, and a later one is not.")
        return said

    def _is_filled(self, number: int) -> bool:
        texts = (*LEVEL_TEXTS, *LEVEL_LISTS)
        return any(self.cleaned_data.get(f"l{number}.{name}") for name in texts)

    def content(self) -> Content:
        """What was written, in the shape that a version keeps. For a form that is not right yet,
        what is right of it, and what it was opened with for the rest."""
        said = {name: self._as_sent(name) for name in self.fields}
        said |= self.cleaned_data
        opened = {level["level"]: level for level in self.opened["levels"]}
        content: Content = {
            "name": (said["name"] or "").strip(),
            "movement_class": said["movement_class"] or MovementClass.FUNCTION,
            "first_phase": said["first_phase"] or 0,
            "muscles": said["muscles"] or [],
            "equipment": said["equipment"] or [],
            "alternative": (said["alternative"] or "").strip(),
            "why": (said["why"] or "").strip(),
            "regress_to": getattr(said["regress_to"], "slug", said["regress_to"]) or None,
            "words": self.opened["words"],
            "sources": self.opened["sources"],
            "levels": [],
        }
        for number in LEVELS:
            if self._is_filled(number):
                content["levels"].append(self._level(number, opened.get(number, {}), said, content))
        return content

    def _as_sent(self, name: str) -> Any:
        """A text as it was sent, right or wrong; for anything else what the form began with."""
        field = self.fields[name]
        if type(field) is forms.CharField:
            return self[name].value() or ""
        return self.get_initial_for_field(field, name)

    def _level(
        self, number: int, opened: dict[str, Any], whole: dict[str, Any], content: Content
    ) -> dict[str, Any]:
        said = {name: whole[f"l{number}.{name}"] for name in self._level_names()}
        level: dict[str, Any] = {
            name: [line.strip() for line in (value or "").splitlines() if line.strip()]
            if name in LEVEL_LISTS
            else value.strip()
            if isinstance(value, str)
            else value
            for name, value in said.items()
        }
        level["level"] = number
        level["movement_class"] = level["movement_class"] or content["movement_class"]
        if level["movement_class"] == MovementClass.HINGE_LOADED:
            level["loaded"] = True
        kept = [one for one in opened.get("equipment", []) if one in content["equipment"]]
        level["equipment"] = kept if opened else content["equipment"]
        level["words"] = opened.get("words", {})
        return level


def figure_choices() -> list[tuple[str, Any]]:
    """None, then every drawn level of every exercise, by exercise."""
    drawings: list[tuple[str, Any]] = [("", "None")]
    for slug in drawn():
        name = slug.replace("-", " ").capitalize()
        drawings.append((name, [(f"{slug}:{n}", f"{name}, {n}") for n in LEVELS]))
    return drawings
