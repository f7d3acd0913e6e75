"""Everything about one patient as a zip: to read, for a table program, and for another system."""

import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from clinic.audit import record_access
from clinic.language import page_language
from clinic.models import AccessRecord, User
from clinic.spreadsheets import write_table
from patients.access import require_staff
from patients.models import Patient
from programs.export_tables import check_in_cells, session_cells, tables_of
from programs.export_walk import as_dict, parts_of

_CHUNK = 500
_STYLE = Path(__file__).parent / "static" / "programs" / "export.css"


@transaction.atomic
def export_patient(
    *, patient: Patient, by: User | None, at: dt.datetime, out: IO[bytes], page: str
) -> None:
    """Write the zip to ``out`` and keep that it was taken out.

    ``by`` is the patient, staff of the site, or None for somebody at the server itself; ``page``
    says where. Raises PermissionDenied for anybody else.
    """
    _may_take_out(patient, by)
    record_access(
        actor=by,
        action=AccessRecord.Action.EXPORT,
        subject_type="patient",
        subject_id=patient.pk,
        page=page,
        at=at,
    )
    language = page_language(patient.language)
    with (
        translation.override(language),
        timezone.override(patient.zone),
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole,
    ):
        said = {"patient": patient, "at": at, "language": language}
        page = {**said, "tables": tables_of(patient)}
        for name, text in {
            "README.txt": render_to_string("portal/export_readme.txt", said),
            "record.html": render_to_string("portal/export.html", page),
            "record.css": _STYLE.read_text("utf-8"),
        }.items():
            with _text_in(whole, name, at) as file:
                file.write(text)
        for name, (heads, rows) in {
            "check-ins.csv": check_in_cells(patient),
            "sessions.csv": session_cells(patient),
        }.items():
            with _text_in(whole, name, at) as file:
                write_table(file, heads, rows)
        with _text_in(whole, "data.json", at) as file:
            _write_data(file, patient, at)


def file_name(patient: Patient, at: dt.datetime) -> str:
    """No name and no health in it: it will stand in a list of downloads."""
    return f"steadyback-{patient.local_date(at):%Y-%m-%d}.zip"


def _may_take_out(patient: Patient, by: User | None) -> None:
    if by is None or by.pk == patient.user_id:
        return
    if not by.is_staff:
        raise PermissionDenied("Only the patient or the practice may take a record out.")
    require_staff(by, patient)


def _text_in(whole: zipfile.ZipFile, name: str, at: dt.datetime) -> io.TextIOWrapper:
    entry = zipfile.ZipInfo(name, timezone.localtime(at).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return io.TextIOWrapper(whole.open(entry, "w", force_zip64=True), "utf-8", newline="")


def _write_data(file: IO[str], patient: Patient, at: dt.datetime) -> None:
    """One object: ``tables`` and ``earlier`` map a table's name to its rows.

    Row by row, because years of decisions with their evidence would not fit into a small machine.
    """
    parts = list(parts_of(patient))
    file.write(f'{{"format": "steadyback-export-1", "made_at": {_json(at)}')
    for key, earlier in (("tables", False), ("earlier", True)):
        file.write(f',\n"{key}": {{')
        between = "\n"
        for part in parts:
            if part.earlier != earlier:
                continue
            file.write(f"{between}{_json(part.label)}: [")
            comma = "\n"
            for row in part.rows.iterator(chunk_size=_CHUNK):
                file.write(f"{comma}{_json(as_dict(part, row))}")
                comma = ",\n"
            file.write("]")
            between = ",\n"
        file.write("}")
    file.write("}\n")


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
