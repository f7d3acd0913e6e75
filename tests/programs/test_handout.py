"""The routine on paper: complete, in the patient's language, and empty while a red flag is open."""

import uuid

import pypdfium2
import pytest
from django.urls import reverse
from django.utils import translation

from clinic.models import AccessRecord
from patients import red_flagging
from patients.models import Patient
from patients.red_flags import REPEATED
from patients.sign_in_sheets import make_sheet
from programs.handout import DAYS, handout_of
from programs.handout_pdf import handout_pdf, name_of
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db


def paper(client, program, name="patient_handout"):
    return client.get(reverse(f"admin:{name}", args=[program.patient_id]))


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def raise_red_flag(patient: Patient) -> None:
    answers = {question.id: "no" for question in REPEATED} | {"bladder": "yes"}
    red_flagging.answer_red_flags(
        patient=patient,
        answers=answers,
        source="button",
        client_id=uuid.uuid4(),
        at=MONDAY,
    )


@pytest.fixture
def at_work(client, physio):
    client.force_login(physio)
    return client


def names(program) -> list[str]:
    return [row.item.exercise.name for row in handout_of(program=program, at=MONDAY).rows]


def test_the_page_holds_every_open_exercise_with_boxes_and_numbers(at_work, program):
    html = paper(at_work, program).content.decode()
    rows = handout_of(program=program, at=MONDAY).rows
    assert rows
    for row in rows:
        assert row.item.exercise.name in html and row.item.dose_text in html
        assert row.item.cues[0] in html
    assert html.count('class="ho-ticks"') == len(rows)
    assert html.count("<span>Mo</span>") == 2 * len(rows) and DAYS == 14
    assert "999" in html and program.patient.site.phone in html
    assert "Version 1" in html and 'class="sheet__qr"' in html
    # Paper does not move.
    assert "<animate" not in html and "sb-figure__stills" in html


def test_what_waits_for_a_gate_or_is_paused_is_not_on_paper(program):
    prescribed = program.current_version.prescriptions.count()
    assert 0 < len(names(program)) < prescribed


def test_every_print_is_written_down(at_work, program, physio):
    paper(at_work, program)
    paper(at_work, program, "patient_handout_pdf")
    printed = AccessRecord.objects.filter(action="print", page="handout", actor=physio)
    assert printed.count() == 2


def test_the_pdf_holds_the_same_with_figures_as_vectors(at_work, program):
    response = paper(at_work, program, "patient_handout_pdf")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="routine-v1.pdf"'
    assert "no-store" in response["Cache-Control"]
    said = text_of(response.content)
    for name in names(program):
        assert name in said
    assert "999" in said and "When to stop" in said and "Version 1" in said
    with pypdfium2.PdfDocument(response.content) as document:
        kinds = [thing.type for thing in document[0].get_objects(max_depth=6)]
    assert kinds.count(pypdfium2.raw.FPDF_PAGEOBJ_PATH) > 50
    assert pypdfium2.raw.FPDF_PAGEOBJ_IMAGE not in kinds


def test_while_a_red_flag_is_open_no_exercise_is_on_paper(at_work, program):
    listed = names(program)
    raise_red_flag(program.patient)
    html = paper(at_work, program).content.decode()
    said = text_of(paper(at_work, program, "patient_handout_pdf").content)
    for name in listed:
        assert name not in html and name not in said
    assert "sb-figure" not in html.split("<main")[1]
    for text in (html, said):
        assert "999" in text and "Your exercises are paused" in text


def test_it_speaks_the_patients_language(at_work, program):
    Patient.objects.filter(pk=program.patient_id).update(language="es")
    html = paper(at_work, program).content.decode()
    assert '<html lang="es"' in html
    with translation.override("es"):
        assert names(program)[0] in html
    assert "For staff: print this page" in html


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Łucja Ζωή", True),
        ("نور الحسيني", True),
        ("נועה לוי", True),
        ("สมชาย", True),
        ("田中 美咲", False),
        ("A‮b\U0001f600", False),
    ],
)
def test_a_name_in_any_script_makes_a_paper(make_program, make_patient, name, written):
    given, _space, family = name.partition(" ")
    patient = make_patient(given, family_name=family or "Li", email="x@patients.example")
    program = make_program(patient=patient)
    pdf = handout_pdf(handout_of(program=program, at=MONDAY))
    assert pdf.startswith(b"%PDF") and names(program)[0] in text_of(pdf)
    assert (name_of(patient.name, patient.number) == patient.name) is written
    if not written:
        assert patient.number in text_of(pdf)


def test_the_code_leads_to_the_sign_in_sheet_in_force(program, physio):
    assert not handout_of(program=program, at=MONDAY).sheet
    make_sheet(patient=program.patient, by=physio, at=MONDAY)
    found = handout_of(program=program, at=MONDAY)
    assert found.sheet and "/in/" in found.address


def test_without_a_program_the_way_leads_back(at_work, patient):
    response = at_work.get(reverse("admin:patient_handout", args=[patient.pk]), follow=True)
    assert "There is no program to print yet." in response.content.decode()


def test_others_get_no_paper(client, program, front_desk, stranger, patient):
    for user, status in ((front_desk, 403), (stranger, 404), (patient.user, 403)):
        client.force_login(user)
        assert paper(client, program).status_code == status
        assert paper(client, program, "patient_handout_pdf").status_code == status


# --- the patient's own door ----------------------------------------------------------------------


def test_patients_print_their_own_routine(client, program):
    client.force_login(program.patient.user)
    response = client.get(reverse("portal_print"))
    html = response.content.decode()
    assert names(program)[0] in html and "For staff" not in html
    assert "no-store" in response["Cache-Control"]
    pdf = client.get(reverse("portal_print_pdf"))
    assert pdf["Content-Type"] == "application/pdf"
    raise_red_flag(program.patient)
    assert names(program) == []
    assert "sb-figure" not in client.get(reverse("portal_print")).content.decode().split("<main")[1]


def test_without_a_program_patients_are_led_to_today(client, patient):
    client.force_login(patient.user)
    for name in ("portal_print", "portal_print_pdf"):
        assert client.get(reverse(name)).url == "/"
