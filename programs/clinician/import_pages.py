"""The portal's pages of an import: choose a file, say what its columns are, look, import."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from clinic.audit import record_access
from clinic.models import AccessRecord, Role, Site, User
from clinic.spreadsheets import write_table
from patients.csv_files import MAX_BYTES, MAX_ROWS, Table
from patients.import_cells import DATE_FORMS, FIELDS
from patients.import_drafts import (
    change_draft,
    discard_draft,
    import_draft,
    plan_of,
    start_draft,
    table_of,
)
from patients.importing import REPORT_HEADS, ImportRefused, Report, check
from patients.models import ImportDraft
from patients.models.consent import RECORDED_WAYS
from programs.clinician.fields import PortalForm
from programs.clinician.opening import portal
from programs.form_errors import put_errors

_PREVIEWED, _REPORTED = 8, 200
_NO_FILE = "Choose a file."


class FileForm(PortalForm):
    file = forms.FileField(
        label="CSV file",
        help_text=f"Up to {MAX_BYTES // 1024 // 1024} MB and {MAX_ROWS:,} rows. The first row has "
        "the names of the columns.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        error_messages={
            "required": _NO_FILE,
            "invalid": _NO_FILE,
            "missing": _NO_FILE,
            "empty": "The file is empty.",
        },
    )


class PlanForm(PortalForm):
    """Which column is what, and what stands where a row says nothing."""

    date_form = forms.ChoiceField(
        label="Dates are written like",
        choices=[("", "Choose"), *((key, words) for key, (words, _) in DATE_FORMS.items())],
        required=False,
    )
    site = forms.ModelChoiceField(
        label="Site, where no column says it",
        queryset=Site.objects.none(),
        required=False,
        empty_label="Must stand in the file",
    )
    physiotherapist = forms.ModelChoiceField(
        label="Physiotherapist, where no column says it",
        queryset=User.objects.none(),
        required=False,
        empty_label="Must stand in the file",
    )
    way = forms.ChoiceField(
        label="How they agreed, where no column says it",
        choices=[("", "Must stand in the file"), *((w.value, w.label) for w in RECORDED_WAYS)],
        required=False,
    )
    duplicates = forms.ChoiceField(
        label="People who are there already",
        choices=[("refuse", "Stop the import"), ("skip", "Leave out")],
        required=False,
    )

    def __init__(self, data: Any = None, *, heads: list[str], user: User, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        sites = Site.objects.all() if user.is_superuser else user.sites.all()
        self.fields["site"].queryset = sites
        self.fields["physiotherapist"].queryset = User.objects.filter(
            role=Role.PHYSIOTHERAPIST, is_active=True, sites__in=sites
        ).distinct()
        places = [("", "Not in the file"), *((str(n), head) for n, head in enumerate(heads))]
        for field in FIELDS:
            self.fields[f"column_{field.name}"] = forms.ChoiceField(
                label=field.label, choices=places, required=False, help_text=field.hint
            )

    def column_fields(self) -> list[Any]:
        return [self[f"column_{field.name}"] for field in FIELDS]

    def chosen(self) -> tuple[dict[str, int], dict[str, str]]:
        """Columns and choices as a draft keeps them."""
        said = self.cleaned_data
        columns = {
            field.name: int(said[f"column_{field.name}"])
            for field in FIELDS
            if said[f"column_{field.name}"]
        }
        choices = {name: said[name] for name in ("date_form", "way", "duplicates")}
        for name in ("site", "physiotherapist"):
            choices[name] = str(said[name].pk) if said[name] else ""
        return columns, choices


def choose_file(request: HttpRequest) -> HttpResponse:
    """The first step; a file that can be read opens the second."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        content = upload.read(MAX_BYTES + 1)
        try:
            draft = start_draft(
                file_name=upload.name, content=content, by=request.user, at=timezone.now()
            )
            return redirect("admin:import_draft", pk=draft.pk)
        except ValidationError as error:
            put_errors(form, error)
    own = ImportDraft.objects.filter(owner=request.user).defer("content")
    return portal.page(
        request,
        "admin/portal/import.html",
        {
            "title": "Import patients",
            "form": form,
            "fields": FIELDS,
            "open": own.filter(imported_at=None, expires_at__gt=timezone.now()).exclude(
                content=b""
            ),
            "done": own.filter(imported_at__isnull=False)[:5],
        },
        status=400 if form.errors else 200,
    )


def draft(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The file as it would be read, and what is wrong with it; ``does`` says what is wanted."""
    found = _own(request, pk)
    if found.imported_at is not None:
        if request.method == "POST":
            return redirect("admin:import_draft", pk=pk)
        return portal.page(
            request, "admin/portal/import_done.html", {"title": "Imported", "draft": found}
        )
    if not found.is_open or found.expires_at <= timezone.now():
        messages.info(request, "This file is not here any more. Choose it again.")
        return redirect("admin:import")
    does = request.POST.get("does", "")
    form = _form(request, found, request.POST if does == "plan" else None)
    try:
        if does == "plan" and form.is_valid():
            columns, choices = form.chosen()
            change_draft(draft=found, columns=columns, choices=choices, by=request.user)
            return redirect("admin:import_draft", pk=pk)
        if does == "drop":
            discard_draft(draft=found, by=request.user)
            messages.success(request, f"{found.file_name} is thrown away. Nothing was imported.")
            return redirect("admin:import")
        if does == "import":
            import_draft(draft=found, by=request.user, at=timezone.now())
            return redirect("admin:import_draft", pk=pk)
    except ImportRefused as refused:
        return _look(request, found, form, refused.report, " ".join(refused.messages))
    except ValidationError as error:
        put_errors(form, error)
    return _look(request, found, form)


def report_csv(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The report per row, for a table program."""
    found = _own(request, pk)
    if not found.is_open:
        raise Http404
    report, _problems = _checked(request, found, table_of(found))
    record_access(
        actor=request.user,
        action=AccessRecord.Action.EXPORT,
        subject_type="import",
        subject_id=found.pk,
        page="import_report",
        at=timezone.now(),
    )
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="import-report.csv"'
    response["Cache-Control"] = "private, no-store"
    write_table(response, REPORT_HEADS, report.rows())
    return response


# --- inside ------------------------------------------------------------------------------------


def _own(request: HttpRequest, pk: uuid.UUID) -> ImportDraft:
    found = ImportDraft.objects.filter(owner=request.user, pk=pk).select_related("owner").first()
    if found is None:
        raise Http404
    return found


def _form(request: HttpRequest, found: ImportDraft, data: Any) -> PlanForm:
    initial = {f"column_{name}": str(place) for name, place in found.columns.items()}
    initial |= {name: value for name, value in found.choices.items() if value}
    return PlanForm(data, heads=found.heads, user=request.user, initial=initial)


def _checked(
    request: HttpRequest, found: ImportDraft, table: Table
) -> tuple[Report, dict[str, list[str]]]:
    """The report, and what is missing before there can be one."""
    plan = plan_of(found)
    try:
        return check(table=table, plan=plan, by=request.user, at=timezone.now()), {}
    except ValidationError as error:
        return Report(), error.message_dict


def _look(
    request: HttpRequest,
    found: ImportDraft,
    form: PlanForm,
    report: Report | None = None,
    refused: str = "",
) -> HttpResponse:
    table = table_of(found)
    missing: dict[str, list[str]] = {}
    if report is None:
        report, missing = _checked(request, found, table)
    record_access(
        actor=request.user,
        action=AccessRecord.Action.READ,
        subject_type="import",
        subject_id=found.pk,
        page="import",
        at=timezone.now(),
    )
    shown = [field for field in FIELDS if field.name in found.columns]
    rows = report.rows()
    is_wrong = bool(form.errors or refused)
    context = {
        "title": "Import patients",
        "draft": found,
        "table": table,
        "form": form,
        "choices": [form[name] for name in PlanForm.base_fields],
        "missing": [words for said in missing.values() for words in said],
        "report": report,
        "rows": rows[:_REPORTED],
        "more": max(0, len(rows) - _REPORTED),
        "refused": refused,
        "heads": [field.label for field in shown],
        "preview": [
            (person.line, [_as_read(person, field.name) for field in shown])
            for person in report.people[:_PREVIEWED]
        ],
        "unread": [
            head for place, head in enumerate(table.heads) if place not in found.columns.values()
        ],
        "choose": bool(missing or form.errors),
    }
    return portal.page(
        request, "admin/portal/import_draft.html", context, status=400 if is_wrong else 200
    )


def _as_read(person: Any, name: str) -> str:
    """A cell as it will be kept: a date spelled out, a number in its international form."""
    if name in ("consent_wording", "consent_way"):
        return person.cells.get(name, "")
    if name.startswith("consent_"):
        agreed = person.consents.get(name.removeprefix("consent_"))
        return f"{agreed.at:%-d %b %Y}" if agreed else ""
    value = person.values.get(name)
    if value in (None, ""):
        return ""
    if name == "date_of_birth":
        return f"{value:%-d %b %Y}"
    if name == "reminder_time":
        return f"{value:%H:%M}"
    return str(value)
