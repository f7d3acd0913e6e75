"""Everything about one patient as a file: whole, the patient's alone, and written down."""

import csv
import io
import json
import uuid
import zipfile
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db.models import ForeignKey

from clinic.messaging import outbox
from clinic.models import AccessRecord, IncomingText, OutboxMessage
from patients.models import Patient
from patients.preferring import choose_preferences
from programs.export_walk import LEFT_OUT, ROOMS, parts_of, rows_of
from programs.exporting import export_patient
from tests.conftest import MONDAY
from tests.living import do_session, live_well

pytestmark = pytest.mark.django_db

# Tables that hang on nobody although a column's name could make one think so.
_NOT_OF_A_PATIENT: set[str] = set()


def taken_out(patient: Patient, **options) -> zipfile.ZipFile:
    out = io.BytesIO()
    export_patient(
        **{
            "patient": patient,
            "by": patient.user,
            "at": MONDAY,
            "out": out,
            "page": "my_data",
            **options,
        }
    )
    return zipfile.ZipFile(out)


def data_of(patient: Patient) -> dict:
    return json.loads(taken_out(patient).read("data.json"))


def table(whole: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    text = whole.read(name).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


# --- that nothing is forgotten -----------------------------------------------------------------


def test_every_table_that_hangs_on_a_patient_is_taken_out_or_left_out_for_a_reason(patient):
    """A new table with a relation to a patient, or with the usual columns for one, must appear."""
    covered = {model._meta.label for model in rows_of(patient)} | set(LEFT_OUT)
    missing = []
    for model in apps.get_models():
        if model._meta.app_label not in ROOMS or model._meta.label in _NOT_OF_A_PATIENT:
            continue
        fields = model._meta.concrete_fields
        leads_there = any(
            isinstance(f, ForeignKey) and f.related_model._meta.label in covered - {"clinic.User"}
            for f in fields
            if f.name != "pgh_context"
        )
        named = {f.name for f in fields} & {"subject_id", "patient_id"}
        if (leads_there or named) and model._meta.label not in covered:
            missing.append(model._meta.label)
    assert missing == []


def test_what_is_left_out_exists_and_has_a_reason():
    for label, why in LEFT_OUT.items():
        assert apps.get_model(label)
        assert len(why.split()) > 3


def test_no_secret_leaves(patient):
    for part in parts_of(patient):
        for field in part.fields:
            assert field.name not in ("password", "data", "digest", "key"), part.label
            assert "token" not in field.name and "secret" not in field.name, part.label


# --- what is in it -----------------------------------------------------------------------------


def test_the_file_holds_what_the_patient_did_and_said(program):
    patient = program.patient
    do_session(program, 0, note="Better since the garden.")
    whole = taken_out(patient)
    assert {"README.txt", "record.html", "record.css", "check-ins.csv", "sessions.csv"} < set(
        whole.namelist()
    )
    data = json.loads(whole.read("data.json"))
    tables = data["tables"]
    assert tables["patients.Patient"][0]["number"] == patient.number
    assert len(tables["programs.Session"]) == 1
    notes = [row["note"] for row in tables["patients.CheckIn"]]
    assert "Better since the garden." in notes
    assert tables["programs.ProgramVersion"][0]["by"] == "Ruth Adeyemi"
    assert data["earlier"]["programs.ProgramEvent"]
    page = whole.read("record.html").decode()
    assert "Better since the garden." in page
    assert patient.name in page and "Your sessions" in page
    assert "script" not in page and "style=" not in page


def test_the_tables_have_a_row_for_each_answer_and_each_exercise(program):
    live_well(program, 0, 2)
    whole = taken_out(program.patient)
    answers = table(whole, "check-ins.csv")
    assert len(answers) == program.patient.check_ins.count()
    assert {row["Day"] for row in answers} >= {"2026-03-02", "2026-03-03"}
    exercises = table(whole, "sessions.csv")
    assert len(exercises) == sum(len(s.items) for s in program.sessions.all())
    assert exercises[0]["Done"] == "Yes"


def test_a_note_is_no_formula_for_a_table_program(program):
    do_session(program, 0, note="=HYPERLINK(1)")
    rows = table(taken_out(program.patient), "check-ins.csv")
    assert "'=HYPERLINK(1)" in {row["Note"] for row in rows}


def test_words_of_markup_stay_words(program):
    do_session(program, 0, note="<script>alert(1)</script>")
    page = taken_out(program.patient).read("record.html").decode()
    assert "&lt;script&gt;" in page and "<script" not in page


def test_messages_are_in_it_without_their_links(program):
    patient = program.patient
    OutboxMessage.objects.create(
        key=uuid.uuid4().hex,
        kind=OutboxMessage.Kind.ROUTINE_REMINDER,
        channel="email",
        subject_type="patient",
        subject_id=patient.pk,
        address="ana@patients.example",
        text=outbox.keep_text(channel="email", body="Time for your routine: {link}"),
        due_at=MONDAY,
        wake_at=MONDAY,
        expires_at=MONDAY,
        created_at=MONDAY,
    )
    whole = taken_out(patient)
    messages = json.loads(whole.read("data.json"))["tables"]["clinic.OutboxMessage"]
    assert messages[0]["text"] == "Time for your routine: {link}"
    assert "/r/" not in whole.read("record.html").decode()


def test_nothing_of_another_patient_is_in_it(make_patient, make_program):
    mine, other = make_program("desk"), make_program("desk")
    for program in (mine, other):
        do_session(program, 0, note=f"Only about {program.patient.number}.")
    # The family's telephone: a text nobody claimed may be the other's.
    IncomingText.objects.create(
        carrier="demo",
        carrier_reference="1",
        address="+447700900123",
        words="A private word",
        meaning="words",
        received_at=MONDAY,
    )
    whole = taken_out(mine.patient)
    for name in whole.namelist():
        text = whole.read(name).decode("utf-8-sig")
        assert other.patient.number not in text, name
        assert str(other.patient.pk) not in text, name
        assert "A private word" not in text, name


def test_the_words_are_the_patient_s_language_and_unit(program, monkeypatch):
    patient = program.patient
    choose_preferences(patient=patient, by=patient.user, at=MONDAY, units="lb")
    spoken = []
    from programs import exporting

    override = exporting.translation.override
    monkeypatch.setattr(
        exporting.translation, "override", lambda code: spoken.append(code) or override(code)
    )
    patient.language = "es"
    taken_out(patient)
    assert spoken == ["es"]


def test_numbers_come_as_they_are_kept(program):
    data = data_of(program.patient)
    for row in data["tables"]["programs.Prescription"]:
        assert row["load_kg"] is None or Decimal(row["load_kg"])
        assert isinstance(row["sets"], int)


# --- who may, and that it is kept --------------------------------------------------------------


def test_who_took_it_out_is_written_down_and_in_the_file_itself(patient):
    page = taken_out(patient).read("record.html").decode()
    kept = AccessRecord.objects.get(action="export")
    assert (kept.actor, kept.subject_id, kept.page) == (patient.user, str(patient.pk), "my_data")
    assert "Who opened your record" in page


def test_staff_of_another_site_and_other_patients_take_nothing_out(patient, stranger, make_patient):
    for somebody in (stranger, make_patient("Ben").user):
        with pytest.raises(PermissionDenied):
            taken_out(patient, by=somebody)
    assert not AccessRecord.objects.filter(action="export").exists()


# --- at the server -----------------------------------------------------------------------------


def test_the_command_writes_the_file_once(patient, physio, tmp_path, capsys):
    file = tmp_path / "ana.zip"
    call_command("export_patient", patient.number, by=physio.email, output=file)
    assert zipfile.is_zipfile(file)
    assert AccessRecord.objects.get(action="export").actor == physio
    with pytest.raises(CommandError, match="already there"):
        call_command("export_patient", patient.number, output=file)


def test_without_a_name_it_is_kept_that_it_was_at_the_server(patient, tmp_path):
    call_command("export_patient", str(patient.pk), output=tmp_path / "a.zip")
    kept = AccessRecord.objects.get(action="export")
    assert kept.actor is None and str(kept).startswith("At the server")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["nobody"], "There is no patient nobody"),
        (["{number}", "--format", "fhir"], "not written yet"),
        (["{number}", "--by", "nobody@practice.example"], "no member of staff"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_file(
    patient, tmp_path, monkeypatch, asked, words
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=words):
        call_command("export_patient", *(a.format(number=patient.number) for a in asked))
    assert list(tmp_path.iterdir()) == []


def test_a_member_of_staff_of_another_site_leaves_no_file(patient, stranger, tmp_path):
    with pytest.raises(CommandError, match="site"):
        call_command("export_patient", patient.number, by=stranger.email, output=tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []
