"""The steps of an import in the portal: a file comes in, is mapped, is imported or thrown away.

The file lies in a table of its own between the steps, for its owner only and for a day.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from clinic.models import Role, Site, User
from clinic.roles import May, may
from patients.csv_files import FileProblem, Table, read_table
from patients.import_cells import BY_NAME, DATE_FORMS, guess_columns, guess_date_form
from patients.import_people import DATES
from patients.importing import Plan, import_patients
from patients.models import ImportDraft
from patients.models.consent import RECORDED_WAYS

KEPT_FOR = dt.timedelta(hours=24)
# How long it is remembered how the files of a person are to be read.
REMEMBERED_FOR = dt.timedelta(days=365)
_CHOICES = ("date_form", "site", "physiotherapist", "way", "duplicates")


@transaction.atomic
def start_draft(*, file_name: str, content: bytes, by: User, at: dt.datetime) -> ImportDraft:
    """Keep a file that can be read, with a guess at its columns, or the columns that ``by`` chose
    for the last file with the same heads. Raises ValidationError when it cannot be read."""
    if not may(by, May.REGISTER):
        raise PermissionDenied("Only staff may take patients in.")
    try:
        table = read_table(content)
    except FileProblem as problem:
        raise ValidationError({"file": str(problem)}) from problem
    heads = list(table.heads)
    before = (
        ImportDraft.objects.filter(owner=by, heads=heads).exclude(choices={}).defer("content")
    ).first()
    if before is not None:
        columns, choices = before.columns, before.choices
    else:
        columns = guess_columns(heads)
        dates = [cell for name in DATES if name in columns for cell in table.column(columns[name])]
        choices = {"date_form": guess_date_form(dates)} if dates else {}
        sites, staff = _choosable(by)
        for name, options in (("site", sites), ("physiotherapist", staff)):
            if len(options) == 1:
                # Nobody else it could be.
                choices[name] = str(options[0].pk)
    return ImportDraft.objects.create(
        owner=by,
        file_name=(file_name.strip() or "patients.csv")[-200:],
        content=content,
        heads=heads,
        columns=columns,
        choices=choices,
        made_at=at,
        expires_at=at + KEPT_FOR,
    )


@transaction.atomic
def change_draft(
    *, draft: ImportDraft, columns: Mapping[str, int], choices: Mapping[str, str], by: User
) -> ImportDraft:
    """Read the file another way. Raises ValidationError for what is no field and no choice."""
    draft = _held(draft, by)
    if not draft.is_open:
        raise ValidationError("This file is not here any more. Choose it again.")
    if not set(columns) <= set(BY_NAME) or not set(choices) <= set(_CHOICES):
        raise ValidationError("That was not one of the choices on this page.")
    draft.columns = {name: int(place) for name, place in columns.items()}
    draft.choices = dict(choices)
    draft.save(update_fields=["columns", "choices"])
    return draft


@transaction.atomic
def import_draft(*, draft: ImportDraft, by: User, at: dt.datetime) -> ImportDraft:
    """Import the whole file, once: a draft that was imported is returned as it is.

    Raises ImportRefused with the report of the rows that are in the way, and then nothing has
    changed.
    """
    draft = _held(draft, by)
    if draft.imported_at is not None:
        return draft
    if not draft.is_open or draft.expires_at <= at:
        raise ValidationError("This file is not here any more. Choose it again.")
    report = import_patients(table=table_of(draft), plan=plan_of(draft), by=by, at=at)
    draft.content = b""
    draft.imported_at, draft.imported = at, len(report.people)
    draft.skipped = len(report.skipped)
    draft.save(update_fields=["content", "imported_at", "imported", "skipped"])
    return draft


@transaction.atomic
def discard_draft(*, draft: ImportDraft, by: User) -> None:
    """Throw the file away; how it was to be read is remembered."""
    draft = _held(draft, by)
    draft.content = b""
    draft.save(update_fields=["content"])


@transaction.atomic
def forget_old(*, at: dt.datetime) -> int:
    """Empty files whose time is over, and forget how very old ones were read; how many files."""
    emptied = (
        ImportDraft.objects.filter(expires_at__lte=at).exclude(content=b"").update(content=b"")
    )
    ImportDraft.objects.filter(made_at__lte=at - REMEMBERED_FOR).delete()
    return emptied


# --- reading -------------------------------------------------------------------------------------


def table_of(draft: ImportDraft) -> Table:
    return read_table(bytes(draft.content))


def plan_of(draft: ImportDraft) -> Plan:
    """The plan as it was chosen; what is no longer there stands as not chosen."""
    chosen: dict[str, Any] = draft.choices
    sites, staff = _choosable(draft.owner)
    site = sites.filter(pk=chosen.get("site") or None).first()
    date_form = chosen.get("date_form", "")
    way = chosen.get("way", "")
    return Plan(
        columns=dict(draft.columns),
        date_form=date_form if date_form in DATE_FORMS else "",
        site=site,
        physiotherapist=staff.filter(pk=chosen.get("physiotherapist") or None).first(),
        way=way if way in RECORDED_WAYS else "",
        duplicates="skip" if chosen.get("duplicates") == "skip" else "refuse",
    )


def _choosable(by: User) -> tuple[QuerySet[Site], QuerySet[User]]:
    """The sites and physiotherapists that may stand for rows that name none."""
    sites = Site.objects.all() if by.is_superuser else by.sites.all()
    staff = User.objects.filter(role=Role.PHYSIOTHERAPIST, is_active=True, sites__in=sites)
    return sites, staff.distinct()


def _held(draft: ImportDraft, by: User) -> ImportDraft:
    if draft.owner_id != by.pk or not may(by, May.REGISTER):
        raise PermissionDenied("This file belongs to somebody else.")
    return (
        ImportDraft.objects.select_for_update(of=["self"]).select_related("owner").get(pk=draft.pk)
    )
