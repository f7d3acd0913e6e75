"""The form of one questionnaire, made from its file in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from patients.measures import NAME_LENGTH, Item, Questionnaire
from programs.portal_forms import ChoiceField, OneUseForm, YesNoField

# Questions of a file may have any id, also one that the form needs for itself.
PREFIX = "q-"


class NumberField(forms.TypedChoiceField):
    """One of the whole numbers of a scale; ``low`` and ``high`` are the words at its ends."""

    kind = "number"

    def __init__(self, *, item: Item, language: str, label: str) -> None:
        numbers = range(item.low, item.high + 1)
        self.first, self.last = (_written(item.low), _written(item.high))
        self.low = item.low_text.read_in(language) if item.low_text else ""
        self.high = item.high_text.read_in(language) if item.high_text else ""
        super().__init__(
            label=label,
            choices=[(str(number), _written(number)) for number in numbers],
            coerce=int,
            empty_value=None,
            required=item.required,
            widget=forms.RadioSelect(attrs={"class": "sb-scale__input"}),
            error_messages={
                "required": _("Choose a number: “%(question)s”") % {"question": label},
                "invalid_choice": _("Choose one of the numbers."),
            },
        )


def _written(number: int) -> str:
    return str(number).replace("-", "−")


class MeasureForm(OneUseForm):
    """``named`` are the names given to things for each question that asks for them, once they are
    known: then the form asks for their numbers."""

    def __init__(
        self,
        *args: Any,
        shape: Questionnaire,
        language: str,
        named: Mapping[str, Sequence[str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.shape, self.language, self.named = shape, language, named
        heading = None
        for item in shape.items:
            fields = list(self._fields_of(item))
            above = item.heading.read_in(language) if item.heading else ""
            if above and above != heading:
                fields[0][1].heading = above
            heading = above
            self.fields.update(fields)

    def _fields_of(self, item: Item) -> Any:
        words = item.text.read_in(self.language)
        name = f"{PREFIX}{item.id}"
        if item.kind == "named":
            for place, given in enumerate(self.named.get(item.id, ())):
                yield f"{name}-{place}", NumberField(item=item, language=self.language, label=given)
        elif item.kind == "scale":
            yield name, NumberField(item=item, language=self.language, label=words)
        elif item.kind == "yes_no":
            yield name, YesNoField(label=words, required=item.required)
        else:
            choices = [(o.code, o.text.read_in(self.language)) for o in item.options]
            yield name, ChoiceField(label=words, choices=choices, required=item.required)

    def answers(self) -> dict[str, Any]:
        """The answers by the ids of the questions; what was left open is left out."""
        found: dict[str, Any] = {}
        for item in self.shape.items:
            name = f"{PREFIX}{item.id}"
            if item.kind == "named":
                given = self.named.get(item.id, ())
                found[item.id] = [
                    {"name": words, "number": self.cleaned_data[f"{name}-{place}"]}
                    for place, words in enumerate(given)
                ]
            elif self.cleaned_data.get(name) not in (None, ""):
                found[item.id] = self.cleaned_data[name]
        return found


class NamesForm(forms.Form):
    """Asks a patient to name things, before asking for their numbers."""

    use_required_attribute = False

    def __init__(self, *args: Any, shape: Questionnaire, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = [item for item in shape.items if item.kind == "named"]
        for item in self.items:
            few, many = item.rows
            words = item.name_text.read_in(language) if item.name_text else ""
            for place in range(many):
                self.fields[f"{PREFIX}{item.id}-name-{place}"] = forms.CharField(
                    label=f"{place + 1}. {words}",
                    help_text="" if place < few else _("You can leave this empty."),
                    max_length=NAME_LENGTH,
                    required=place < few,
                    error_messages={
                        "required": _("Write a few words for each of the first %(few)s.")
                        % {"few": few},
                        "max_length": _("Please use fewer words: up to %(most)s letters.")
                        % {"most": NAME_LENGTH},
                    },
                )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for item in self.items:
            seen: set[str] = set()
            for name in self._names_of(item):
                words = str(cleaned.get(name) or "").casefold()
                if words and words in seen:
                    self.add_error(name, _("You named this one already. Pick another."))
                seen.add(words)
        return cleaned

    def _names_of(self, item: Item) -> list[str]:
        return [f"{PREFIX}{item.id}-name-{place}" for place in range(item.rows[1])]

    def named(self) -> dict[str, list[str]]:
        """What was named, without the rows that were left empty."""
        return {
            item.id: [
                self.cleaned_data[name]
                for name in self._names_of(item)
                if self.cleaned_data.get(name)
            ]
            for item in self.items
        }
