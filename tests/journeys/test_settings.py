"""Settings and one's own data, on a phone, by plain forms; and “Try it” with scripts."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from clinic.models import Alert
from patients.models import ErasureRequest
from tests.journeys import pages
from tests.journeys.conftest import Practice

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

ANA = "ana@patients.example"


def go(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("link", name=re.compile(f"^{name}")).click()
        expect(pages.heading(page, re.compile(f"{name}$"))).to_be_visible()


def test_given_no_script_when_settings_change_then_pages_follow_and_the_record_comes_whole(
    practice: Practice, on_phone, make_patient, make_program, manager
):
    make_program(patient=make_patient("Ana", email=ANA))
    phone = on_phone(java_script_enabled=False)
    pages.sign_in_by_code(phone, ANA, practice.mails)
    go(phone, "Settings", "Letters and colours")
    pages.choose(phone, "How large should the letters be?", "Largest")
    pages.choose(phone, "Which colours do you like?", "Dark")
    pages.button(phone, "Save").click()
    expect(phone.get_by_role("status")).to_contain_text("Largest letters")
    expect(phone.locator("html")).to_have_attribute("data-text", "largest")
    expect(phone.locator("html")).to_have_attribute("data-theme", "dark")

    go(phone, "During the routine")
    phone.get_by_label("Play a tone at each step").uncheck()
    pages.choose(phone, "How should we show weights?", "Pounds (lb)")
    pages.button(phone, "Save").click()
    expect(phone.get_by_role("status")).to_contain_text("Sound off")
    expect(phone.get_by_role("status")).to_contain_text("Pounds")

    go(phone, "My data")
    with phone.expect_download() as download:
        pages.button(phone, "Download my data").click()
    content = Path(download.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        data = json.loads(whole.read("data.json"))
    assert data["tables"]["patients.Preferences"][0]["units"] == "lb"
    assert data["tables"]["clinic.AccessRecord"][-1]["action"] == "export"

    pages.link(phone, "Read what can go, and ask").click()
    phone.get_by_label("Would you like to say why?").fill("I moved away.")
    pages.button(phone, "Ask for deletion").click()
    expect(phone.get_by_role("main")).to_contain_text("answers within one month")
    assert Alert.objects.get().owner == manager
    pages.button(phone, "I changed my mind: keep my data").click()
    expect(phone.get_by_role("main")).to_contain_text("Nothing was deleted")
    assert not ErasureRequest.objects.open().exists()

    phone.goto("/settings/language/")
    pages.choose(phone, "Which language do you read best?", "Español")
    pages.button(phone, "Save").click()
    expect(phone.locator("html")).to_have_attribute("lang", "es")
    phone.goto("/account/logout/")
    phone.get_by_role("main").get_by_role("button").click()
    phone.goto("/account/login/code/")
    # The device remembers how its owner reads, and nothing else.
    expect(phone.locator("html")).to_have_attribute("data-text", "largest")


def test_given_a_script_when_somebody_tries_it_then_the_page_says_what_this_device_can_do(
    practice: Practice, on_phone, make_patient, make_program
):
    make_program(patient=make_patient("Ana", email=ANA))
    phone = on_phone()
    pages.sign_in_by_code(phone, ANA, practice.mails)
    phone.goto("/settings/session/")
    said = phone.get_by_role("group", name="How should we guide you?").get_by_role("status")
    pages.button(phone, "Try it").click()
    expect(said).to_have_text("That is how it will be.")
    phone.get_by_label("Read the steps out loud").check()
    pages.button(phone, "Try it").click()
    # The browser of a test has no voices; a telephone that has none says so as well.
    expect(said).to_have_text("This device cannot read out loud in your language.")
    for name in ("Play a tone at each step", "Vibrate with the tone", "Read the steps out loud"):
        phone.get_by_label(name).uncheck()
    pages.button(phone, "Try it").click()
    expect(said).to_have_text("Nothing is ticked, so it stays quiet.")
