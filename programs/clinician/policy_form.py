"""The form of a policy draft: every threshold that a rule reads, with what it means."""

from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from programs.clinician.fields import PortalForm, reason_field
from programs.models import PolicyDraft
from programs.policy_checks import (
    Caution,
    Change,
    cautions,
    difference,
    needs_its_own_reason,
    nonsense,
)
from programs.threshold_words import GROUPS, Group, Threshold, all_thresholds
from programs.thresholds import DEFAULT_POLICIES

PERIODS = [("28", "4 weeks"), ("84", "12 weeks"), ("182", "6 months"), ("365", "a year")]
LONGEST = 3650


@dataclass(frozen=True)
class Line:
    """One threshold of the page: its field, what it is now and was supplied as, and whether the
    draft as it is kept changes it."""

    threshold: Threshold
    field: BoundField
    now: str
    supplied: str
    changed: bool

    @property
    def unit(self) -> str:
        return unit_of(self.threshold)


@dataclass(frozen=True)
class Seen:
    """What the draft on the page comes to; ``wrong`` are the thresholds that cannot be meant."""

    changes: list[Change]
    cautions: list[Caution]
    wrong: list[str]
    needs_reason: bool


def unit_of(threshold: Threshold) -> str:
    return f"% {threshold.unit}" if threshold.kind == "share" else threshold.unit


class DraftForm(PortalForm):
    """``draft`` as it stands fills the fields; shares are typed in percent."""

    reason = reason_field(
        "Why the thresholds change",
        help_text="Everybody who decides reads it in the history of the policy.",
    )
    looser_because = forms.CharField(
        label="Why looser than supplied is safe after an injury",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2000,
    )
    period = forms.ChoiceField(label="Rehearse over the last", choices=PERIODS, required=False)

    def __init__(self, data: Any = None, *, draft: PolicyDraft) -> None:
        whole = draft.whole
        initial = {t.name: _typed(t, whole[t.name]) for t in all_thresholds()}
        said = {"reason": draft.reason, "looser_because": draft.looser_because, "period": "84"}
        super().__init__(data, initial=initial | said)
        self.draft = draft
        for threshold in all_thresholds():
            self.fields[threshold.name] = _field(threshold)
        if draft.pathway == "post_injury":
            self.fields["auto_policy_offered"].disabled = True
        else:
            del self.fields["looser_because"]
        self.order_fields([*(t.name for t in all_thresholds()), "reason"])

    @property
    def groups(self) -> list[tuple[Group, list[Line]]]:
        now, supplied = self.draft.based_on.thresholds, asdict(DEFAULT_POLICIES[self.draft.pathway])
        kept = self.draft.whole
        return [
            (
                group,
                [
                    Line(
                        threshold=t,
                        field=self[t.name],
                        now=t.said(now[t.name]),
                        supplied=t.said(supplied[t.name]),
                        changed=kept[t.name] != now[t.name],
                    )
                    for t in group.thresholds
                ],
            )
            for group in GROUPS
        ]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        # Contradictions are looked for once every figure can be read.
        if not any(t.name in self.errors for t in all_thresholds()):
            for name, words in nonsense(self.draft.pathway, self._whole(said)).items():
                self.add_error(name if name in self.fields else None, words)
        return said

    def thresholds(self) -> dict[str, Any]:
        """What the draft is to hold, as ``change_draft`` takes it."""
        return {t.name: _stored(t, self.cleaned_data[t.name]) for t in all_thresholds()}

    def _whole(self, said: dict[str, Any]) -> dict[str, Any]:
        typed = {t.name: _stored(t, said[t.name]) for t in all_thresholds()}
        return {**self.draft.based_on.thresholds, **typed}

    def seen(self) -> Seen:
        """The readable difference, whether or not the words below it are written yet."""
        names = {t.name for t in all_thresholds()}
        wrong = [words for name in self.errors if name in names for words in self.errors[name]]
        if wrong:
            return Seen([], [], wrong, False)
        whole = self._whole(self.cleaned_data) if self.is_bound else self.draft.whole
        return seen(self.draft, whole)


def seen(draft: PolicyDraft, whole: dict[str, Any]) -> Seen:
    """What a whole set of thresholds comes to against the policy the draft is based on."""
    return Seen(
        changes=difference(draft.based_on.thresholds, whole),
        cautions=cautions(draft.pathway, whole),
        wrong=[],
        needs_reason=bool(needs_its_own_reason(draft.pathway, whole)),
    )


def _field(threshold: Threshold) -> forms.Field:
    said: dict[str, Any] = {"label": threshold.title, "help_text": threshold.meaning}
    if threshold.kind == "switch":
        return forms.BooleanField(required=False, **said)
    low, high = _typed(threshold, threshold.low), _typed(threshold, threshold.high)
    words = f"{threshold.title}: write a number from {low:g} to {high:g}."
    kind = forms.FloatField if threshold.kind == "points" else forms.IntegerField
    field = kind(
        min_value=low,
        max_value=high,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), words),
        **said,
    )
    field.widget.attrs["inputmode"] = "decimal" if threshold.kind == "points" else "numeric"
    if threshold.kind == "points":
        field.widget.attrs["step"] = "0.5"
    return field


def _typed(threshold: Threshold, value: Any) -> Any:
    """As it is typed: shares in percent."""
    return round(value * 100) if threshold.kind == "share" else value


def _stored(threshold: Threshold, typed: Any) -> Any:
    if threshold.kind == "share":
        return typed / 100
    if threshold.kind == "points" and typed == int(typed):
        return int(typed)
    return typed
