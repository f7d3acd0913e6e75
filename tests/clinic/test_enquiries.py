"""Enquiries from the public form: what is kept, what goes out, what is turned away."""

import datetime as dt
import re

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from clinic import enquiries, guide
from clinic.messaging import links, outbox
from clinic.models import Enquiry, OutboxMessage
from programs.content_files import BANNED_WORDS
from programs.content_words import BANNED
from programs.figures import poses
from tests.conftest import MONDAY

pytestmark = pytest.mark.django_db

GUIDE, CONFIRM = OutboxMessage.Kind.ENQUIRY_GUIDE, OutboxMessage.Kind.ENQUIRY_CONFIRM
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nobody_asked_before(monkeypatch):
    cache.clear()
    monkeypatch.setattr("clinic.enquire_pages.wake_sender", lambda: None)


@pytest.fixture
def visitor(site) -> Client:
    return Client(REMOTE_ADDR="198.51.100.7")


def opened(visitor: Client, at: dt.datetime = MONDAY) -> str:
    with time_machine.travel(at, tick=False):
        page = visitor.get("/enquire/").content.decode()
    return re.search(r'name="form_token" value="([^"]+)"', page).group(1)


def filled(where, **fields) -> dict[str, str]:
    return {
        "wish": "call_back",
        "given_name": "Ilse",
        "family_name": "Okonkwo",
        "email": "ilse@mail.example",
        "phone": "",
        "site": str(where.pk),
        "words": "After five, please",
        "agreed": "on",
        "website": "",
        **fields,
    }


def send(visitor: Client, where, *, after: dt.timedelta = MINUTE, token: str = "", **fields):
    token = token or opened(visitor)
    with time_machine.travel(MONDAY + after, tick=False):
        return visitor.post("/enquire/", filled(where, form_token=token, **fields))


def confirm_link() -> str:
    message = OutboxMessage.objects.get(kind=CONFIRM)
    return links.link_of(message).partition("localhost:8000")[2] or links.link_of(message)


def test_given_a_filled_form_then_it_is_kept_and_one_mail_asks_for_the_address(visitor, site):
    answer = send(visitor, site, wish="guide")
    assert answer.status_code == 302
    assert answer["Location"] == "/enquire/sent/?by=mail"
    enquiry = Enquiry.objects.get()
    assert (enquiry.name, enquiry.words) == ("Ilse Okonkwo", "After five, please")
    assert enquiry.confirmed_at is None
    message = OutboxMessage.objects.get()
    assert (message.kind, message.address) == (CONFIRM, "ilse@mail.example")
    assert "Ilse" not in message.text.body + message.text.subject_line
    assert "five" not in message.text.body


def test_given_the_link_when_a_scanner_opens_it_then_only_the_button_confirms(visitor, site):
    send(visitor, site, wish="guide")
    with time_machine.travel(MONDAY + MINUTE, tick=False):
        for _ in range(3):
            assert visitor.get(confirm_link()).status_code == 200
        assert Enquiry.objects.get().confirmed_at is None
        assert not OutboxMessage.objects.filter(kind=GUIDE).exists()
        for _ in range(2):
            assert visitor.post(confirm_link()).status_code == 200
        assert Enquiry.objects.get().confirmed_at == MONDAY + MINUTE
        sent = OutboxMessage.objects.get(kind=GUIDE)
        assert "Call 999 now" in sent.text.body
        page = visitor.get(links.link_of(sent).split("8000")[-1])
    assert page.status_code == 200
    said = page.content.decode()
    assert said.index("999") < said.index("Breathe low and slow")
    assert said.count("<svg") > 2


def test_given_a_link_that_is_wrong_old_or_for_something_else_then_it_opens_nothing(visitor, site):
    send(visitor, site, wish="guide")
    message = OutboxMessage.objects.get()
    link = confirm_link()
    with time_machine.travel(MONDAY + MINUTE, tick=False):
        assert visitor.post(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 404
        assert visitor.get(link.replace("/enquire/confirm/", "/guide/")).status_code == 404
        token = links.token_for(message.pk)
        assert visitor.post(f"/enquire/confirm/{token}").status_code == 404
    with time_machine.travel(MONDAY + dt.timedelta(days=8), tick=False):
        assert visitor.post(link).status_code == 404
    assert Enquiry.objects.get().confirmed_at is None


def test_given_the_same_form_twice_then_it_is_kept_once(visitor, site):
    token = opened(visitor)
    first = send(visitor, site, token=token)
    again = send(visitor, site, token=token, words="Something else")
    assert (first.status_code, again.status_code) == (302, 302)
    assert Enquiry.objects.get().words == "After five, please"
    assert OutboxMessage.objects.count() == 1


def test_given_a_program_that_fills_every_field_then_it_is_thanked_and_nothing_is_kept(
    visitor, site
):
    answer = send(visitor, site, website="https://pills.example")
    assert answer.status_code == 302
    assert not Enquiry.objects.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("after", "words"),
    [(dt.timedelta(seconds=1), "very quick"), (dt.timedelta(hours=3), "open for a long time")],
)
def test_given_a_form_too_quick_or_too_old_then_it_is_shown_once_more(visitor, site, after, words):
    answer = send(visitor, site, after=after)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Enquiry.objects.exists()
    token = re.search(r'name="form_token" value="([^"]+)"', answer.content.decode()).group(1)
    assert send(visitor, site, token=token, after=after + MINUTE).status_code == 302


@pytest.mark.parametrize("token", ["", "x", "abc:1abc:seal", "0" * 500])
def test_given_a_made_up_token_then_nothing_is_kept(visitor, site, token):
    assert send(visitor, site, token=token or " ").status_code == 400
    assert not Enquiry.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("given_name", ""),
        ("given_name", "see www.pills.example"),
        ("family_name", "me@pills.example"),
        ("family_name", "x" * 81),
        ("email", "no-address"),
        ("phone", "call me"),
        ("words", "x" * 601),
        ("wish", "everything"),
        ("site", "999999"),
        ("agreed", ""),
    ],
)
def test_given_something_wrong_then_it_is_said_and_nothing_is_kept(visitor, site, field, value):
    answer = send(visitor, site, **{field: value})
    assert answer.status_code == 400
    assert "sb-error" in answer.content.decode()
    assert not Enquiry.objects.exists()


def test_given_no_way_to_answer_or_a_guide_without_mail_then_it_is_said(visitor, site):
    assert "so that we can answer" in send(visitor, site, email="").content.decode()
    answer = send(visitor, site, email="", phone="07700 900123", wish="guide")
    assert "We send the guide by e-mail" in answer.content.decode()


def test_given_one_address_again_and_again_then_it_gets_no_more_mails(visitor, site):
    other = Client(REMOTE_ADDR="203.0.113.9")
    codes = [send(who, site).status_code for who in (visitor, visitor, other)]
    assert codes == [302, 302, 429]
    assert OutboxMessage.objects.count() == 2


def test_given_a_mobile_only_then_nobody_is_written_to_and_staff_see_it_unconfirmed(
    visitor, site, client, front_desk
):
    answer = send(visitor, site, email="", phone="07700 900123")
    assert answer["Location"].endswith("by=tel")
    assert Enquiry.objects.get().phone == "+447700900123"
    assert not OutboxMessage.objects.exists()
    client.force_login(front_desk)
    page = client.get("/clinic/enquiries/").content.decode()
    assert "by telephone only, not confirmed" in page
    assert "After five, please" in page


def test_given_a_closed_address_then_its_mail_is_held_back_and_the_page_says_the_same(
    visitor, site, settings
):
    outbox.suppress_address(
        channel="email", address="ilse@mail.example", reason="Bounced.", at=MONDAY
    )
    assert send(visitor, site)["Location"] == "/enquire/sent/?by=mail"


@pytest.mark.parametrize("language", guide.languages())
def test_given_a_language_then_the_guide_says_the_same_frightens_nobody_and_has_its_figures(
    language,
):
    numbers = {"emergency": "999", "practice": "Harbour Street", "phone": "+44 20 7946 0100"}
    english, other = (guide.guide_in(code, **numbers) for code in ("en", language))
    assert other.language == language
    for field in ("now", "today", "steps", "stop"):
        assert len(getattr(other, field)) == len(getattr(english, field))
    for ours, theirs in zip(english.steps, other.steps, strict=True):
        assert (ours.figure, len(ours.do)) == (theirs.figure, len(theirs.do))
        assert poses.figure(*ours.figure) is not None
    words = guide.as_text(other)
    assert not BANNED.get(language, BANNED_WORDS).search(words)
    assert "{" not in words
    assert words.index("999") < words.index(other.steps[0].title)


# --- verbs ---------------------------------------------------------------------------------------


@pytest.fixture
def make_enquiry(site):
    def make(**fields) -> Enquiry:
        number = Enquiry.objects.count()
        return enquiries.make_enquiry(
            **{
                "site": site,
                "wish": "call_back",
                "given_name": "Ilse",
                "family_name": "Okonkwo",
                "email": f"ilse{number}@mail.example",
                "form_token": f"form-{number}",
                "agreed": True,
                "at": MONDAY,
                **fields,
            }
        )

    return make


def test_only_staff_of_the_site_handle_an_enquiry_and_two_of_them_not_differently(
    make_enquiry, front_desk, physio, stranger
):
    enquiry = make_enquiry()
    with pytest.raises(PermissionDenied):
        enquiries.answer_enquiry(enquiry=enquiry, by=stranger, at=MONDAY)
    enquiries.answer_enquiry(enquiry=enquiry, by=front_desk, at=MONDAY)
    enquiries.answer_enquiry(enquiry=enquiry, by=physio, at=MONDAY)
    with pytest.raises(ValidationError, match="Felix Brandt has handled this"):
        enquiries.close_enquiry(enquiry=enquiry, reason="no_longer", by=physio, at=MONDAY)
    enquiry.refresh_from_db()
    assert enquiry.handled_by == front_desk


def test_given_spam_then_its_waiting_mail_stays_here(make_enquiry, front_desk):
    enquiry = make_enquiry()
    enquiries.mark_spam(enquiry=enquiry, by=front_desk, at=MONDAY)
    assert OutboxMessage.objects.get().status == OutboxMessage.Status.SUPPRESSED


def test_given_time_then_what_nobody_needs_is_gone(make_enquiry, front_desk):
    never = make_enquiry()
    callable_still = make_enquiry(phone="+447700900123")
    answered = enquiries.confirm_enquiry(enquiry=make_enquiry(), at=MONDAY)
    enquiries.answer_enquiry(enquiry=answered, by=front_desk, at=MONDAY)
    waiting = enquiries.confirm_enquiry(enquiry=make_enquiry(), at=MONDAY)
    OutboxMessage.objects.update(status="sent", wake_at=None, settled_at=MONDAY)

    assert enquiries.forget_old(at=MONDAY + dt.timedelta(days=13)) == 0
    assert enquiries.forget_old(at=MONDAY + dt.timedelta(days=15)) == 1
    assert not Enquiry.objects.filter(pk=never.pk).exists()
    assert OutboxMessage.objects.get(subject_id=str(never.pk)).address == ""
    callable_still.refresh_from_db()
    assert (callable_still.email, callable_still.phone) == ("", "+447700900123")
    assert enquiries.forget_old(at=MONDAY + dt.timedelta(days=91)) == 1
    assert set(Enquiry.objects.all()) == {callable_still, waiting}
