"""The form in which a program template is written: what it says, then one row per exercise."""

from typing import Any

from django import forms

from programs.assigning import first_phase
from programs.clinician.exercise_form import PHASES
from programs.clinician.exercise_seen import seconds_of
from programs.clinician.fields import PortalForm
from programs.models import Exercise, HabitTask, Pathway
from programs.template_authoring import MOST_ITEMS, Asked, Plan
from programs.template_rules import Planned, Start, start_of

MORE_ROWS = 3


class TemplateForm(PortalForm):
    """Says as ``plan()`` what was written. Rows without an exercise count for nothing; their
    number at the left is the order of the routine."""

    name = forms.CharField(label="Name", max_length=120)
    pathways = forms.MultipleChoiceField(
        label="For", choices=Pathway.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    starting_phase = forms.TypedChoiceField(label="Starts in phase", choices=PHASES, coerce=int)
    horizon_weeks = forms.IntegerField(
        label="Look back after, weeks", min_value=1, max_value=52, initial=12
    )
    summary = forms.CharField(
        label="For physiotherapists",
        required=False,
        max_length=1200,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What it is for, what it leaves out, what the evidence is.",
    )
    patient_summary = forms.CharField(
        label="For the patient",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What they will do and how often, in short sentences.",
    )
    habits = forms.MultipleChoiceField(
        label="Habit tasks, one each day in turn",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any = None, *, plan: Plan | None, user: Any) -> None:
        self.opened = plan
        initial: dict[str, Any] = {}
        items = list(plan.items) if plan else []
        if plan:
            initial = {name: getattr(plan, name) for name in self.base_fields}
        self.exercises = {
            row.slug: row
            for row in Exercise.objects.offered_to(user).order_by("name").prefetch_related("levels")
        }
        self.rows = self._count(data, len(items))
        for number in range(1, self.rows + 1):
            item = items[number - 1] if number <= len(items) else None
            initial |= {
                f"i{number}.order": number,
                f"i{number}.exercise": item.exercise if item else "",
                f"i{number}.level": item.level if item else 1,
                f"i{number}.days": item.days_per_week if item else 7,
            }
        super().__init__(data, initial=initial)
        self.fields["habits"].choices = [
            (row.slug, row.title) for row in HabitTask.objects.order_by("title")
        ]
        choices = [("", "–"), *((slug, row.name) for slug, row in self.exercises.items())]
        gone = [item.exercise for item in items if item.exercise not in self.exercises]
        choices += [(slug, f"{slug} (not approved)") for slug in gone]
        for number in range(1, self.rows + 1):
            self._add_row(number, choices)

    @staticmethod
    def _count(data: Any, there: int) -> int:
        """As many rows as came back, or as there are and some empty ones."""
        if data is not None:
            sent = [int(key[1:-9]) for key in data if _is_row(key)]
            return min(max([*sent, 1]), MOST_ITEMS)
        return min(there + MORE_ROWS, MOST_ITEMS)

    def _add_row(self, number: int, choices: list[tuple[str, str]]) -> None:
        place = f"i{number}."
        self.fields[place + "order"] = forms.IntegerField(
            label=f"Place of row {number}", min_value=1, max_value=99, required=False
        )
        self.fields[place + "exercise"] = forms.ChoiceField(
            label=f"Exercise of row {number}", choices=choices, required=False
        )
        self.fields[place + "level"] = forms.TypedChoiceField(
            label=f"Level of row {number}",
            choices=[(n, str(n)) for n in range(1, 5)],
            coerce=int,
            empty_value=1,
            required=False,
        )
        self.fields[place + "days"] = forms.IntegerField(
            label=f"Days a week of row {number}",
            min_value=1,
            max_value=7,
            required=False,
            error_messages=dict.fromkeys(
                ("invalid", "min_value", "max_value"), f"Row {number}: 1 to 7 days a week."
            ),
        )

    def lines(self) -> list[dict[str, Any]]:
        return [
            {name: self[f"i{number}.{name}"] for name in ("order", "exercise", "level", "days")}
            | {"number": number}
            for number in range(1, self.rows + 1)
        ]

    def items(self) -> list[Asked]:
        said = self.cleaned_data
        rows = []
        for number in range(1, self.rows + 1):
            slug = said.get(f"i{number}.exercise")
            if slug:
                asked = Asked(
                    slug, said.get(f"i{number}.level") or 1, said.get(f"i{number}.days") or 7
                )
                rows.append((said.get(f"i{number}.order") or number, number, asked))
        return [asked for _, _, asked in sorted(rows, key=lambda row: row[:2])]

    def plan(self) -> Plan:
        said = self.cleaned_data
        return Plan(
            name=said["name"],
            summary=said["summary"],
            patient_summary=said["patient_summary"],
            pathways=said["pathways"],
            starting_phase=said["starting_phase"],
            horizon_weeks=said["horizon_weeks"],
            habits=said["habits"],
            items=self.items(),
        )

    def starts(self) -> list[tuple[str, Start]]:
        """How it begins on each of its pathways, as far as the form says it."""
        if self.is_bound:
            items = self.items()
            pathways = self.cleaned_data.get("pathways") or []
            phase = self.cleaned_data.get("starting_phase") or 0
        else:
            items = list(self.opened.items) if self.opened else []
            pathways = self.opened.pathways if self.opened else []
            phase = self.opened.starting_phase if self.opened else 0
        return starts_of(items, self.exercises, pathways, phase)


def _is_row(key: str) -> bool:
    return key.startswith("i") and key.endswith(".exercise") and key[1:-9].isdigit()


def starts_of(
    items: list[Asked], exercises: dict[str, Exercise], pathways: list[str], phase: int
) -> list[tuple[str, Start]]:
    """Label of the pathway and the first two weeks on it; items of unknown exercises or levels
    are left out."""
    planned = []
    for order, item in enumerate(items, start=1):
        row = exercises.get(item.exercise)
        level = (
            next((one for one in row.levels.all() if one.level == item.level), None)
            if row
            else None
        )
        if row is None or level is None:
            continue
        planned.append(
            Planned(
                exercise=row.slug,
                name=row.name,
                level=item.level,
                movement_class=level.movement_class,
                loaded=level.loaded,
                first_phase=row.first_phase,
                days_per_week=min(item.days_per_week, level.days_per_week),
                seconds=seconds_of(level),
                order=order,
            )
        )
    labels = dict(Pathway.choices)
    return [
        (labels[pathway], start_of(planned, pathway=pathway, phase=first_phase(pathway, phase)))
        for pathway in pathways
        if pathway in labels
    ]
