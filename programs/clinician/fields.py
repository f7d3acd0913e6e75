"""Fields that several forms of the clinician share."""

from typing import Any

from django import forms

REASON_HINT = "Kept with the version; patients do not see it."


class PortalForm(forms.Form):
    """A form whose “required” says which field it speaks of, since errors also stand in a list."""

    def full_clean(self) -> None:
        for field in self.fields.values():
            if field.error_messages["required"] == forms.Field.default_error_messages["required"]:
                field.error_messages["required"] = f"{field.label}: please fill this in."
        super().full_clean()


def whole_number(text: str) -> int | None:
    """The number that a browser sent as a key; None for anything PostgreSQL could not hold.

    Some digits ("²") are digits to Python and still no numbers; a bigint has 18 safe ones.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


class Scale(forms.IntegerField):
    """A figure from 0 to 10, typed; ``low`` and ``high`` say what the ends mean."""

    def __init__(self, *, low: str = "", high: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 0)
        kwargs.setdefault("max_value", 10)
        if low:
            kwargs.setdefault("help_text", f"0 {low}, 10 {high}")
        wrong = f"{kwargs['label'].removesuffix(', 0–10')}: write a number from 0 to 10."
        kwargs.setdefault(
            "error_messages",
            dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong),
        )
        super().__init__(**kwargs)


def reason_field(label: str, *, required: str = "Say why.", help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
        help_text=help_text,
        error_messages={"required": required},
    )


def date_field(label: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs
    )


def time_field(label: str, **kwargs: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **kwargs
    )
