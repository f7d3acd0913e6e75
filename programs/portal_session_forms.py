"""The forms of the routine: what was done of it, exercise by exercise, or why it was not."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from programs import happened
from programs.items import Item
from programs.models import Session
from programs.portal_forms import ChoiceField, OneUseForm

DID = (
    (happened.DONE, gettext_lazy("I did it")),
    (happened.EASIER, gettext_lazy("I did the easier form")),
)
LEFT_OUT = (
    ("hurt_little", gettext_lazy("I left it out: it hurt a little")),
    ("hurt_lot", gettext_lazy("I left it out: it hurt a lot")),
    (happened.PULL, gettext_lazy("I left it out: a pull down my leg, or numbness")),
    ("time", gettext_lazy("I left it out: no time")),
    ("tired", gettext_lazy("I left it out: too tired")),
    ("unwell", gettext_lazy("I left it out: not well")),
    ("unsure", gettext_lazy("I left it out: not sure how to do it")),
    ("other", gettext_lazy("I left it out: another reason")),
)


def field_of(slug: str) -> str:
    """The name of the field about one exercise."""
    return f"how-{slug}"


class RoutineForm(OneUseForm):
    """One answer per exercise; ``all`` is the button that answers for every one of them.

    ``timed`` is sent by the guided session when it counted through everything that was done,
    ``short`` when it was the five-minute version.
    """

    short = forms.BooleanField(required=False, widget=forms.HiddenInput)
    timed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, items: Sequence[Item], short: Sequence[Item], **kwargs: Any
    ) -> None:
        """``items`` is the whole day, ``short`` its five-minute version, empty if it has none."""
        super().__init__(*args, **kwargs)
        self.items = short if short and self._is_short() else items
        for item in self.items:
            slug = item.exercise.slug
            did = DID if item.easier else DID[:1]
            self.fields[field_of(slug)] = forms.ChoiceField(
                label=item.exercise.name,
                choices=[("", _("Not said yet")), *did, *LEFT_OUT],
                required=False,
                error_messages={"invalid_choice": _("Choose one of the answers.")},
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not any(self.how.values()):
            self.add_error(None, _("Say what you did, or that you cannot do it today."))
        return cleaned

    def _is_short(self) -> bool:
        return bool(self.fields["short"].clean(self["short"].value()))

    @property
    def rows(self) -> list[forms.BoundField]:
        """The questions about the exercises, in their order."""
        return [self[field_of(item.exercise.slug)] for item in self.items]

    @property
    def how(self) -> Mapping[str, str]:
        """Exercise → what became of it, for everything that was asked about."""
        slugs = [item.exercise.slug for item in self.items]
        if self.data.get("all"):
            return dict.fromkeys(slugs, happened.DONE)
        return {slug: self.cleaned_data.get(field_of(slug), "") for slug in slugs}


class SkipForm(OneUseForm):
    skip_reason = ChoiceField(
        label=gettext_lazy("What keeps you from it?"), choices=Session.SkipReason.choices
    )


def session_id(program_id: uuid.UUID, day: object) -> uuid.UUID:
    """The id of a day's session, the same on every device: two that report it report one."""
    return uuid.uuid5(program_id, f"session {day}")
