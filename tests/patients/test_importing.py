"""Taking patients in from a table: what is read, what is refused, and that it is all or nothing."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import AccessRecord
from patients import import_drafts
from patients.consenting import stop_messages
from patients.csv_files import FileProblem, read_table
from patients.import_cells import (
    DATE_FORMS,
    CellProblem,
    guess_columns,
    guess_date_form,
    read_date,
    read_name,
    read_time,
)
from patients.importing import ImportRefused, Plan, check, import_patients
from patients.models import Consent, ImportDraft, Patient
from tests.conftest import MONDAY
from tests.patients.import_files import HEADS, as_file, people, person, with_broken

CONSENTS = (*HEADS, "consent record", "consent email", "consent sms", "wording", "consent way")


def plan_for(table, site, physio, **options) -> Plan:
    return Plan(
        **{
            "columns": guess_columns(table.heads),
            "date_form": "dmy",
            "site": site,
            "physiotherapist": physio,
            **options,
        }
    )


@pytest.fixture
def look(site, physio):
    def look_(rows, heads=HEADS, **options):
        table = read_table(as_file(rows, heads=heads))
        return check(
            table=table, plan=plan_for(table, site, physio, **options), by=physio, at=MONDAY
        )

    return look_


@pytest.fixture
def take(site, physio):
    def take_(rows, heads=HEADS, **options):
        table = read_table(as_file(rows, heads=heads))
        plan = plan_for(table, site, physio, **options)
        return import_patients(table=table, plan=plan, by=physio, at=MONDAY)

    return take_


def said(report) -> dict[int, str]:
    return {p.line: f"{p.label}: {p.words}" for p in [*report.problems, *report.skipped]}


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_given_any_usual_file_then_the_same_people_are_read(encoding, delimiter):
    rows = [["Jürgen", "Höß, Ägidius", "1.2.1980", "", "", ""]]
    table = read_table(as_file(rows, delimiter=delimiter, encoding=encoding))
    assert table.heads == HEADS
    assert table.lines[0].cells[:2] == ("Jürgen", "Höß, Ägidius")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"name\nx", "only one column"),
        (b"a,b\n", "nothing below"),
        (b"PK\x03\x04...", "table program"),
        ("a,b\nc,d".encode("utf-16"), "plain text"),
        (b"a,b\n\x00,d", "plain text"),
        (b"a,b\n\x8d\xff,d", "cannot be read"),
        (b'a,b\nc,"d', "Line 2: a quotation mark"),
        (b"a,b\n" + b"x" * 1001 + b",1", "Line 2: a cell"),
        (b"a,b\n" + b"1,2\n" * 5001, "5,000 rows"),
        (b"a,b\n" + b"x" * (5 * 1024 * 1024), "larger than 5 MB"),
        (b"a," * 90 + b"b\n1,2", "80 columns"),
    ],
)
def test_given_a_file_that_cannot_be_read_then_it_says_why(content, words):
    with pytest.raises(FileProblem, match=words):
        read_table(content)


def test_given_a_cell_of_several_lines_then_later_rows_keep_their_line_numbers():
    table = read_table(b'a,b\n"one\ntwo",2\n\n3,4\n')
    assert [(line.number, line.cells) for line in table.lines] == [
        (2, ("one two", "2")),
        (5, ("3", "4")),
    ]


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=5), max_size=6))
def test_given_any_cells_then_reading_what_was_written_gives_them_back_or_a_sentence(rows):
    content = as_file(rows, heads=("a", "b", "c", "d", "e"))
    try:
        table = read_table(content)
    except FileProblem as problem:
        assert str(problem)
        return
    wanted = [tuple(" ".join(cell.split()) for cell in row) for row in rows]
    assert [line.cells for line in table.lines] == [row for row in wanted if any(row)]


@given(st.binary(max_size=300))
def test_given_any_bytes_then_they_are_a_table_or_a_sentence(content):
    try:
        assert read_table(content).lines
    except FileProblem as problem:
        assert str(problem)


# --- cells --------------------------------------------------------------------------------------


@given(st.dates(dt.date(1900, 1, 1)), st.sampled_from(sorted(DATE_FORMS)), st.sampled_from("./-"))
def test_given_a_day_in_its_form_then_it_is_that_day(day, form, mark):
    parts = {"dmy": (day.day, day.month, day.year), "mdy": (day.month, day.day, day.year)}
    words = mark.join(map(str, parts.get(form, (day.year, day.month, day.day))))
    assert read_date(words, form) == day


@given(st.text(max_size=30), st.sampled_from(sorted(DATE_FORMS)))
def test_given_any_words_then_they_are_a_day_or_a_sentence(words, form):
    try:
        assert isinstance(read_date(words, form), dt.date)
    except CellProblem as problem:
        assert str(problem).endswith(".")


@given(st.text(max_size=100))
def test_given_any_words_then_no_name_is_a_formula_or_hides_a_letter(words):
    for read in (read_name, read_time):
        try:
            found = read(words)
        except CellProblem as problem:
            assert str(problem).endswith(".")
        else:
            assert read is read_time or found[0] not in "=+@"


def test_given_dates_that_two_forms_can_read_then_none_is_guessed():
    assert guess_date_form(["3/4/1980", "5/6/1981"]) == ""
    assert guess_date_form(["3/4/1980", "31/6/1981", "13/12/1990"]) == "dmy"
    assert guess_date_form(["3/4/1980", "12/31/1981"]) == "mdy"
    assert guess_date_form(["1980-04-03", "soon"]) == "ymd"
    assert guess_date_form([]) == ""


@pytest.mark.parametrize(
    "heads",
    [
        ("Given name", "Surname", "DOB", "E-mail address", "Mobile number"),
        ("Vorname", "Name", "Geb.-Datum", "E-Mail-Adresse", "Handynummer"),
        ("Nombre", "Apellidos", "Fecha de nacimiento", "Correo electrónico", "Teléfono móvil"),
    ],
)
def test_given_heads_in_three_languages_then_the_columns_are_found(heads):
    names = ("given_name", "family_name", "date_of_birth", "email", "phone")
    assert guess_columns(heads) == dict(zip(names, range(5), strict=True))


# --- rows ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_given_twenty_broken_rows_then_each_is_named_and_nobody_is_there(take, look):
    rows = people(100)
    expected = with_broken(rows, every=5)
    report = look(rows)
    assert sorted(expected) == sorted({problem.line for problem in report.problems})
    for line, words in expected.items():
        assert words in said(report)[line]
    with pytest.raises(ImportRefused, match="20 rows are wrong"):
        take(rows)
    assert not Patient.objects.exists()


@pytest.mark.django_db
def test_given_good_rows_then_all_are_patients_as_if_registered_one_by_one(take, site, physio):
    take(people(12))
    assert Patient.objects.count() == 12
    found = Patient.objects.get(number="P-00004")
    assert (found.name, found.language, found.physiotherapist) == ("Dörte Dvořák D", "de", physio)
    assert found.date_of_birth == dt.date(1943, 4, 4)
    assert found.time_zone == site.time_zone
    assert {p.address for p in found.contact_points.all()} == {
        "person3@mail.example",
        "+447700900003",
    }
    assert found.user.email == "person3@mail.example"
    assert not Consent.objects.exists()
    assert AccessRecord.objects.filter(page="import", actor=physio).count() == 1


@pytest.mark.django_db
def test_given_consents_then_only_those_with_day_wording_and_way_are_written_down(take, look):
    heads = CONSENTS
    good = [*person(1), "3.2.2026", "4.2.2026", "", "2026-11", "on paper"]
    take([good, [*person(2), "", "", "", "", ""]], heads=heads)
    given = {(c.purpose, c.way, c.wording_version) for c in Consent.objects.all()}
    assert given == {("record", "paper", "2026-11"), ("email", "paper", "2026-11")}
    record = Consent.objects.get(purpose="record")
    assert record.given_at.date() == dt.date(2026, 2, 3)

    wrong = look(
        [
            [*person(3), "3.2.2026", "", "", "", "on paper"],
            [*person(4), "3.2.2026", "", "", "2026-11", ""],
            [*person(5), "3.2.2026", "", "", "1999-01", "on paper"],
            [*person(6), "yes", "", "", "2026-11", "on paper"],
            [*person(7)[:4], "", "en", "", "", "3.2.2026", "2026-11", "paper"],
            [*person(8), "3.2.2027", "", "", "2026-11", "shouted"],
        ],
        heads=heads,
    )
    words = said(wrong)
    assert sorted(words) == [2, 3, 4, 5, 6, 7]
    assert "which text" in words[2]
    assert "in person or on paper" in words[3]
    assert "no wording this practice has had" in words[4]
    assert "not a date" in words[5]
    assert "needs an address" in words[6]


@pytest.mark.django_db
def test_given_an_own_no_at_the_address_then_a_file_brings_no_yes_to_it(look, make_patient):
    patient = make_patient(email="person1@mail.example", phone="")
    stop_messages(patient=patient, channel="email", at=MONDAY, way="web", by=patient.user)
    patient.contact_points.all().delete()
    patient.user = None
    patient.save()
    row = [*person(1), "3.2.2026", "3.2.2026", "", "2026-11", "on paper"]
    row[3] = "PERSON1@mail.example"
    report = look([row], heads=CONSENTS)
    assert any("only the owner says yes again" in p.words for p in report.problems)


@pytest.mark.django_db
def test_given_people_who_are_there_already_then_they_are_named_and_refused_or_skipped(
    take, look, make_patient, other_site, stranger
):
    heads = (*HEADS, "Nr")
    make_patient("Ada", family_name="Abel A", number="X-1", date_of_birth=dt.date(1940, 1, 1))
    make_patient("Zoe", email="person1@mail.example")
    elsewhere = make_patient("Far", site=other_site, physiotherapist=stranger, by=stranger)
    rows = [
        [*person(0), ""],
        [*person(1), ""],
        [*person(2), elsewhere.number],
        [*person(3), "N-3"],
        [*person(4)[:5], "en", "N-3"],
        [*person(3)[:3], "", "", "", ""],
        [*person(5)[:4], person(3)[4], "en", ""],
    ]
    report = look(rows, heads=heads)
    words = said(report)
    assert sorted(words) == [2, 3, 4, 6, 7]
    assert "X-1, Ada Abel A has the same name and date of birth" in words[2]
    assert "Zoe Morales has the same e-mail" in words[3]
    assert "a patient of another site has the same number" in words[4]
    assert "line 5 has the same number" in words[6]
    assert "line 5 has the same name and date" in words[7]

    report = take(rows, heads=heads, duplicates="skip")
    assert [p.line for p in report.people] == [5, 8]
    assert sorted(p.line for p in report.skipped) == [2, 3, 4, 6, 7]


@pytest.mark.django_db
def test_given_an_address_of_staff_or_a_site_of_others_then_the_row_is_wrong(
    look, physio, other_site, stranger
):
    heads = (*HEADS, "Site", "Physio")
    first, second, third = person(1), person(2), person(3)
    first[3] = physio.email.upper()
    report = look(
        [
            [*first, "", ""],
            [*second, other_site.name, ""],
            [*third, "harbour  street", stranger.email],
        ],
        heads=heads,
    )
    words = said(report)
    assert "member of staff" in words[2]
    assert "none of your sites" in words[3]
    assert "physiotherapist at your sites" in words[4]


# --- drafts -------------------------------------------------------------------------------------


@pytest.fixture
def draft(site, physio):
    def draft_(rows, by=physio) -> ImportDraft:
        found = import_drafts.start_draft(
            file_name="people.csv", content=as_file(rows), by=by, at=MONDAY
        )
        choices = {"date_form": "dmy", "site": str(site.pk), "physiotherapist": str(physio.pk)}
        return import_drafts.change_draft(
            draft=found, columns=found.columns, choices=choices, by=by
        )

    return draft_


@pytest.mark.django_db
def test_given_a_draft_confirmed_twice_then_it_is_imported_once_and_its_file_is_gone(draft, physio):
    held = draft(people(5))
    for _ in range(2):
        done = import_drafts.import_draft(draft=held, by=physio, at=MONDAY)
        assert (done.imported, bytes(done.content)) == (5, b"")
    assert Patient.objects.count() == 5


@pytest.mark.django_db
def test_given_the_next_file_with_the_same_heads_then_it_is_read_the_same_way(draft, physio, site):
    first = draft(people(2))
    columns = {**first.columns, "phone": 3, "email": 4}
    import_drafts.change_draft(draft=first, columns=columns, choices=first.choices, by=physio)
    second = import_drafts.start_draft(
        file_name="b.csv", content=as_file(people(3)), by=physio, at=MONDAY
    )
    assert second.columns == columns
    assert second.choices["site"] == str(site.pk)


@pytest.mark.django_db
def test_given_a_day_then_a_file_that_was_left_lying_is_emptied(draft, physio):
    held = draft(people(2))
    assert import_drafts.forget_old(at=MONDAY + dt.timedelta(hours=23)) == 0
    assert import_drafts.forget_old(at=MONDAY + dt.timedelta(hours=25)) == 1
    held.refresh_from_db()
    assert not held.is_open
