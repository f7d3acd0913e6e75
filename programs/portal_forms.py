"""The forms of the patient's pages: large targets, plain words, nothing typed is lost."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from programs.form_errors import put_errors

CHOICE = {"class": "sb-choice__input"}


class ScaleField(forms.TypedChoiceField):
    """A number from 0 to 10; ``low`` and ``high`` are the words at the two ends."""

    kind = "scale"

    def __init__(
        self, *, low: str | Promise, high: str | Promise, required: bool = True, **kwargs: Any
    ) -> None:
        self.low, self.high = low, high
        super().__init__(
            choices=[(str(n), str(n)) for n in range(11)],
            coerce=int,
            empty_value=None,
            required=required,
            widget=forms.RadioSelect(attrs={"class": "sb-scale__input"}),
            error_messages={
                "required": _about(gettext_lazy("Choose a number: “{question}”"), **kwargs),
                "invalid_choice": gettext_lazy("Choose a number from 0 to 10."),
            },
            **kwargs,
        )


class ChoiceField(forms.TypedChoiceField):
    """A few answers to choose from; ``kind`` "row" puts short ones side by side."""

    def __init__(
        self,
        *,
        choices: Sequence[tuple[str, str | Promise]],
        kind: str = "column",
        required: bool = True,
        **kwargs: Any,
    ) -> None:
        self.kind = kind
        super().__init__(
            choices=choices,
            required=required,
            widget=forms.RadioSelect(attrs=dict(CHOICE)),
            error_messages={
                "required": _about(gettext_lazy("Choose an answer: “{question}”"), **kwargs),
                "invalid_choice": _about(
                    gettext_lazy("Choose one of the answers: “{question}”"), **kwargs
                ),
            },
            **kwargs,
        )


class YesNoField(ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=[("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))],
            kind="row",
            coerce=lambda value: value == "yes",
            empty_value=None,
            **kwargs,
        )


def _about(words: str | Promise, *, label: str | Promise, **_options: Any) -> str | Promise:
    return format_lazy(words, question=label)


class OneUseForm(forms.Form):
    """``client_id`` is made with the empty form; sending it twice is the same as once."""

    use_required_attribute = False
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("client_id", uuid.uuid4())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "client_id" in self.errors:
            # Not the patient's doing: the page goes back with a good one.
            del self.errors["client_id"]
            self.data = self.data.copy()
            self.data["client_id"] = str(uuid.uuid4())
            self.add_error(None, _("The page did not load fully. Please send your answers again."))
        return cleaned

    def answers(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "client_id"}

    def take(self, error: ValidationError) -> None:
        """Show what a verb refused, at its field where it has one."""
        put_errors(self, error)
