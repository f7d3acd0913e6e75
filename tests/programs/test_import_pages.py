"""Importing patients through the portal's pages and at the command line."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from patients.models import ImportDraft, Patient
from tests.patients.import_files import HEADS, as_file, people, with_broken

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, front_desk, physio):
    client.force_login(front_desk)
    return client


def upload(client, content: bytes, name: str = "people.csv"):
    return client.post("/clinic/import/", {"file": SimpleUploadedFile(name, content)})


def begun(client, content: bytes) -> str:
    answer = upload(client, content)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return answer["Location"]


def plan(client, address: str, **changes):
    page = client.get(address)
    form = page.context["form"]
    said = {bound.name: bound.value() or "" for bound in form}
    return client.post(address, {**said, "does": "plan", **changes})


def test_given_a_file_then_it_is_mapped_looked_at_and_imported_once(desk, site):
    address = begun(desk, as_file(people(30), encoding="utf-8-sig"))
    page = desk.get(address).content.decode()
    assert "Import 30 patients" in page
    assert plan(desk, address, site="").status_code == 302
    assert "Choose a site: no column says it." in desk.get(address).content.decode()
    assert plan(desk, address, site=str(site.pk)).status_code == 302
    page = desk.get(address).content.decode()
    assert "Import 30 patients" in page
    assert "Dörte" in page
    assert "4 Apr 1943" in page
    assert "+447700900003" in page
    for _ in range(2):
        assert desk.post(address, {"does": "import"}).status_code == 302
    assert Patient.objects.filter(site=site).count() == 30
    assert "30 patients imported" in desk.get(address).content.decode()
    assert bytes(ImportDraft.objects.get().content) == b""


def test_given_broken_rows_then_nothing_is_imported_and_the_report_names_each(desk):
    rows = people(100)
    expected = with_broken(rows, every=5)
    address = begun(desk, as_file(rows))
    plan(desk, address)
    page = desk.get(address).content.decode()
    assert "Nothing can be imported yet" in page
    assert "Import 80 patients" not in page
    assert "=HYPERLINK(1)" in page
    answer = desk.post(address, {"does": "import"})
    assert answer.status_code == 400
    assert "20 rows are wrong" in answer.content.decode()
    assert not Patient.objects.exists()
    report = desk.get(f"{address}report.csv").content.decode()
    for line, words in expected.items():
        assert any(row.startswith(f"{line},wrong,") and words in row for row in report.split("\n"))
    assert "'=HYPERLINK(1)" in report


def test_given_other_columns_then_the_file_is_read_that_way(desk):
    heads = ("A", "B", "C", "D", "E", "F")
    address = begun(desk, as_file(people(3), heads=heads))
    assert "Choose the column with the given name." in desk.get(address).content.decode()
    answer = plan(
        desk,
        address,
        column_given_name="0",
        column_family_name="1",
        column_date_of_birth="2",
        date_form="dmy",
    )
    assert answer.status_code == 302
    assert "Import 3 patients" in desk.get(address).content.decode()
    twice = plan(desk, address, column_email="0")
    assert twice.status_code == 302
    assert "another field has this column already" in desk.get(address).content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04xlsx", "Save it as “CSV UTF-8”"),
        (b"a;b\nc;d" + b"x" * (5 * 1024 * 1024), "larger than 5 MB"),
    ],
)
def test_given_a_file_that_cannot_be_read_then_the_page_says_why(desk, content, words):
    answer = upload(desk, content)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not ImportDraft.objects.exists()


def test_given_somebody_elses_draft_then_it_is_not_there(desk, client, physio, patient):
    address = begun(desk, as_file(people(2)))
    for other in (physio, patient.user):
        client.force_login(other)
        for where in (address, f"{address}report.csv"):
            assert client.get(where).status_code in (403, 404)
        assert client.post(address, {"does": "import"}).status_code in (403, 404)
    assert Patient.objects.count() == 1


def test_given_a_draft_thrown_away_then_its_file_is_gone(desk):
    address = begun(desk, as_file(people(2)))
    assert desk.post(address, {"does": "drop"}).status_code == 302
    assert bytes(ImportDraft.objects.get().content) == b""
    assert desk.get(address).status_code == 302


@pytest.mark.parametrize("number", [30, 90])
def test_given_more_rows_then_looking_asks_the_database_no_more_often(
    desk, number, django_assert_max_num_queries
):
    address = begun(desk, as_file(people(number)))
    plan(desk, address)
    with django_assert_max_num_queries(40):
        assert desk.get(address).status_code == 200


# --- the command line --------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    def write(rows):
        path = tmp_path / "people.csv"
        path.write_bytes(as_file(rows))
        return path

    return write


def test_given_a_dry_run_then_nothing_changes_and_then_everybody_is_there(
    file, manager, physio, tmp_path
):
    path, out = file(people(10)), io.StringIO()
    call_command("import_patients", path, "--dry-run", "--dates=dmy", stdout=out)
    assert "10 would be imported" in out.getvalue()
    assert f"E-mail: {HEADS[3]}" in out.getvalue()
    assert not Patient.objects.exists()
    call_command("import_patients", path, "--dates=dmy", stdout=out)
    assert Patient.objects.count() == 10
    with pytest.raises(CommandError, match="10 rows are wrong"):
        call_command("import_patients", path, "--dates=dmy", stdout=out)
    with pytest.raises(CommandError, match="No row is left"):
        call_command("import_patients", path, "--dates=dmy", "--duplicates=skip", stdout=out)


def test_given_broken_rows_then_the_command_says_which_and_fails(file, manager, physio, tmp_path):
    rows, out = people(100), io.StringIO()
    expected = with_broken(rows, every=5)
    report = tmp_path / "report.csv"
    with pytest.raises(CommandError, match="20 rows are wrong"):
        call_command("import_patients", file(rows), "--dates=dmy", f"--report={report}", stdout=out)
    assert all(f"Line {line}, wrong" in out.getvalue() for line in expected)
    assert report.read_text("utf-8").count("\n") >= 21
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--by=nobody@practice.example", "nobody of the staff"),
        ("--site=Elsewhere", "works at no site"),
        ("--physiotherapist=x@y.example", "no physiotherapist"),
        ("--column=email=Nowhere", "no column"),
        ("--column=shoe=E-Mail", "the fields are"),
    ],
)
def test_given_an_option_that_fits_nothing_then_the_command_says_so(
    file, manager, physio, option, words
):
    with pytest.raises(CommandError, match=words):
        call_command("import_patients", file(people(1)), option, stdout=io.StringIO())


def test_the_page_stands_among_the_records(desk):
    assert reverse("admin:import") in desk.get("/clinic/").content.decode()
