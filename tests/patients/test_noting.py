"""Notes of staff: kept as written, corrected by another note, never changed."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.utils import DatabaseError

from patients.models import ClinicalNote
from patients.noting import LONGEST, write_note
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(patient, physio):
    def write_(text="Lifts her child daily.", **options):
        return write_note(
            **{
                "patient": patient,
                "text": text,
                "client_id": uuid.uuid4(),
                "by": physio,
                "at": MONDAY,
                **options,
            }
        )

    return write_


def test_a_note_keeps_who_and_when(write, physio):
    note = write("  Lifts her child daily.\0 ")
    assert (note.text, note.by, note.at) == ("Lifts her child daily.", physio, MONDAY)


def test_the_same_form_sent_twice_is_one_note(write):
    client_id = uuid.uuid4()
    assert write(client_id=client_id) == write("Typed anew.", client_id=client_id)
    assert ClinicalNote.objects.get().text == "Lifts her child daily."


def test_a_correction_leaves_the_note_and_stands_in_for_it(write):
    first = write()
    second = write("Lifts her dog daily.", corrects=first)
    first.refresh_from_db()
    assert first.text == "Lifts her child daily." and first.corrected_by == second
    with pytest.raises(ValidationError, match="corrected already"):
        write("No, a cat.", corrects=first)


def test_nobody_changes_a_note_not_even_by_hand(write):
    note = write()
    with pytest.raises(DatabaseError), transaction.atomic():
        ClinicalNote.objects.filter(pk=note.pk).update(text="Something else.")
    assert ClinicalNote.objects.get().text == "Lifts her child daily."


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (LONGEST + 1)])
def test_what_is_no_note_is_refused_and_nothing_kept(write, text):
    with pytest.raises(ValidationError):
        write(text)
    assert not ClinicalNote.objects.exists()


def test_a_note_of_another_patient_is_not_corrected_here(write, make_patient):
    other = write(patient=make_patient("Bo"))
    with pytest.raises(ValidationError, match="another patient"):
        write(corrects=other)


def test_the_front_desk_and_other_sites_write_none(write, front_desk, stranger):
    for somebody in (front_desk, stranger):
        with pytest.raises(PermissionDenied):
            write(by=somebody)
