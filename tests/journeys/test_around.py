"""Where patients come from: somebody enquires and is taken on; a whole practice moves in."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from clinic.models import Enquiry
from patients.models import Patient
from tests.clinic.enquiring import some_enquiries
from tests.journeys import pages
from tests.journeys.conftest import Practice, Worker
from tests.journeys.looking import Look, sign_in
from tests.patients.import_files import as_file, people, with_broken

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]

ILSE = "ilse@mail.example"


def links_in(practice: Practice, address: str) -> list[str]:
    words = "\n".join(pages.text_of(mail) for mail in pages.mails_to(practice.mails, address))
    return re.findall(r"https?://\S+/(?:enquire/confirm|guide)/[\w-]+", words)


def test_given_a_stranger_who_wants_the_guide_then_it_comes_and_the_desk_takes_them_on(
    practice: Practice, worker: Worker, on_phone, at_desk, front_desk, physio, monkeypatch
):
    monkeypatch.setattr("clinic.enquire_pages.TOO_SOON_S", -1)
    phone: Page = on_phone(java_script_enabled=False)
    phone.goto("/")
    pages.link(phone, "Not a patient yet? Write to us").click()
    pages.choose(phone, "I would like", "The guide “Set your core”")
    phone.get_by_label("First name").fill("Ilse")
    phone.get_by_label("Family name").fill("Okonkwo")
    phone.get_by_label("E-mail address").fill(ILSE)
    phone.get_by_label("You may use this to answer me.").check()
    pages.button(phone, "Send").click()
    expect(pages.heading(phone, "One more step: look at your e-mails")).to_be_visible()

    worker.run("clinic.tasks.send_due")
    (confirm,) = links_in(practice, ILSE)
    phone.goto(confirm)
    pages.button(phone, "Yes, it is mine").click()
    expect(pages.heading(phone, "Thank you. Your address is confirmed.")).to_be_visible()
    worker.run("clinic.tasks.send_due")
    phone.goto(links_in(practice, ILSE)[-1])
    expect(pages.heading(phone, "Set your core")).to_be_visible()
    expect(phone.get_by_role("link", name=re.compile("999"))).to_be_visible()

    desk: Page = at_desk()
    sign_in(desk, front_desk)
    desk.goto("/clinic/")
    desk.get_by_role("link", name=re.compile("^Enquiries")).first.click()
    expect(desk.get_by_text("address confirmed")).to_be_visible()
    desk.get_by_role("button", name=re.compile("^Make a patient.*Ilse Okonkwo")).click()
    expect(desk.get_by_role("status")).to_contain_text("Ilse Okonkwo is registered as P-00001.")
    assert Patient.objects.get().user.email == ILSE
    assert Enquiry.objects.get().state == "registered"


def test_given_500_patients_with_20_broken_rows_then_each_is_named_and_the_mended_file_comes_in(
    practice: Practice, at_desk, front_desk, physio, tmp_path: Path
):
    rows, broken = people(500), people(500)
    expected = with_broken(broken, every=25)
    file = tmp_path / "patients.csv"
    desk: Page = at_desk(meets=(400,))
    sign_in(desk, front_desk)

    file.write_bytes(as_file(broken, encoding="utf-8-sig"))
    choose(desk, file)
    table = desk.get_by_role("region", name="Row by row")
    expect(table.get_by_role("row")).to_have_count(21)
    for line, words in expected.items():
        row = table.get_by_role("row").filter(
            has=desk.get_by_role("rowheader", name=str(line), exact=True)
        )
        expect(row).to_contain_text(words)
    expect(desk.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
    with desk.expect_download() as report:
        pages.link(desk, "Report as CSV").click()
    assert report.value.path().read_text("utf-8-sig").count("wrong") == 20
    assert not Patient.objects.exists()

    file.write_bytes(as_file(rows, encoding="utf-8-sig"))
    choose(desk, file)
    pages.button(desk, "Import 500 patients").click()
    expect(pages.heading(desk, "500 patients imported")).to_be_visible()
    assert Patient.objects.count() == 500


def choose(desk: Page, file: Path) -> None:
    desk.goto("/clinic/import/")
    desk.get_by_label("CSV file").set_input_files(file)
    pages.button(desk, "Read the file").click()
    expect(desk.get_by_text(re.compile("^500 rows"))).to_be_visible()


def test_every_page_around(practice: Practice, look, front_desk, physio, make_patient, tmp_path):
    make_patient("Ada", email="ada@mail.example")
    confirm, guide = some_enquiries(physio.sites.get())
    stranger: Look = look()
    stranger.at("enquiring", "/enquire/")
    stranger.at("enquiring, wrong", press_send)
    stranger.at("enquired", "/enquire/sent/?by=mail")
    stranger.at("confirming", confirm.removeprefix(settings.BASE_URL))
    stranger.at("link that is no longer good", "/enquire/confirm/nothing")
    stranger.at("the guide", guide.removeprefix(settings.BASE_URL))
    desk: Look = look(front_desk)
    desk.at("enquiries", "/clinic/enquiries/")
    desk.at("enquiries, closing one", open_closing)
    desk.at("enquiries, none done", "/clinic/enquiries/?show=done")
    desk.at("importing", "/clinic/import/")
    rows = people(60)
    with_broken(rows, 3)
    file = tmp_path / "patients.csv"
    file.write_bytes(as_file(rows))
    desk.at("import, rows wrong", read(file))
    file.write_bytes(as_file(people(30)))
    desk.at("import, ready", read(file))
    desk.at("imported", import_all)
    wrong = [*stranger.wrong, *desk.wrong]
    assert not wrong, "\n" + "\n".join(wrong)


def press_send(page: Page) -> None:
    page.goto("/enquire/")
    pages.button(page, "Send").click()
    expect(page.get_by_role("alert")).to_be_visible()


def open_closing(page: Page) -> None:
    page.goto("/clinic/enquiries/")
    page.get_by_text("Close", exact=False).first.click()


def read(file: Path):
    def visit(page: Page) -> None:
        page.goto("/clinic/import/")
        page.get_by_label("CSV file").set_input_files(file)
        pages.button(page, "Read the file").click()
        page.get_by_text("How the file is read").click()
        expect(pages.button(page, "Read it this way")).to_be_visible()

    return visit


def import_all(page: Page) -> None:
    page.goto("/clinic/import/")
    page.get_by_role("main").get_by_role("link", name=re.compile("patients.csv")).first.click()
    pages.button(page, "Import 30 patients").click()
    expect(pages.heading(page, "30 patients imported")).to_be_visible()
