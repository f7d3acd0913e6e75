"""The words of reminders: which are used, and managers who change them in the portal."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from clinic.messaging import texts
from clinic.messaging.wording import edit_template, use_supplied_words
from clinic.models import Alert, MessageTemplate, MessageText, OutboxMessage, Site
from clinic.signals import names_not_to_say
from programs.models import Exercise
from tests.reading import words

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
SMS = "{practice}: a moment for yourself {link}"
MAIL = "Hello,\n\nOpen it:\n{link}\n\nCall {practice}.\n\nStop these e-mails:\n{stop_link}"
KIND = OutboxMessage.Kind.ROUTINE_REMINDER


@pytest.fixture
def write(manager):
    def write(site=None, kind=KIND, channel="sms", language="en", subject="", body=SMS, by=None):
        return edit_template(
            site=site,
            kind=kind,
            channel=channel,
            language=language,
            subject_line=subject,
            body=body,
            by=by or manager,
            at=NOW,
        )

    return write


def text(site, kind=KIND, channel="sms", language="en") -> MessageText:
    return texts.text_for(kind=kind, channel=channel, site=site, language=language)


def page(kind=KIND, channel="sms", language="en", site=None) -> str:
    address = reverse("admin:wording_edit", args=[kind, channel, language])
    return address + (f"?site={site.pk}" if site else "")


# --- which words go out ----------------------------------------------------------------------


def test_given_no_own_words_then_the_supplied_ones_go_out_in_the_language(site):
    assert text(site).body.startswith("Harbour Street: Your ten minutes for today {link}")
    assert "Ihre zehn Minuten" in text(site, language="de").body
    assert "Tus diez minutos" in text(site, channel="email", language="es").body
    assert text(site, language="de").language == "de"


@pytest.mark.parametrize(("language", "written"), [("de-AT", "de"), ("fr", "en"), ("", "en")])
def test_given_a_language_without_words_then_its_nearest_or_english_is_used(
    site, language, written
):
    found = text(site, language=language)
    assert found == text(site, language=written)
    assert found.language == written


def test_given_own_words_then_those_of_the_site_go_before_those_of_the_practice(
    site, other_site, write
):
    write(body="{practice}: for everybody {link}")
    write(site=site, body="{practice}: for us {link}")
    assert text(site).body == "Harbour Street: for us {link}"
    assert text(other_site).body == "Mill Lane: for everybody {link}"
    assert "zehn Minuten" in text(site, language="de").body
    assert "still here" in text(site, kind="second_nudge").body


def test_the_same_words_are_kept_once(site):
    before = MessageText.objects.count()
    first, second = text(site), text(site)
    assert first == second
    assert MessageText.objects.count() == before + 1


def test_given_changed_words_then_a_planned_message_keeps_its_own(site, write):
    planned = text(site)
    write()
    assert text(site) != planned
    planned.refresh_from_db()
    assert "Your ten minutes" in planned.body


def test_given_a_name_that_tells_of_health_then_texts_and_subjects_do_without(site, write):
    write(channel="email", subject="{practice}: today", body=MAIL)
    Site.objects.filter(pk=site.pk).update(name="The Back Pain Clinic")
    site.refresh_from_db()
    assert text(site).body.startswith("Your practice: Your ten minutes")
    assert text(site, language="de").body.startswith("Ihre Praxis: ")
    mail = text(site, channel="email")
    assert mail.subject_line == "Your practice: today"
    assert "Call The Back Pain Clinic." in mail.body


def test_given_a_site_that_got_a_long_name_then_own_words_too_long_give_way(site, write, settings):
    settings.BASE_URL = "https://" + "a" * 60 + ".example"
    write(body="{practice}: " + "x" * 30 + " {link}")
    assert "xxx" in text(site).body
    settings.BASE_URL = "https://" + "a" * 100 + ".example"
    assert text(site).body == "Your ten minutes for today {link}"


def test_a_mail_has_one_button_and_a_small_link_to_stop(site):
    kept = text(site, channel="email")
    body = kept.body.replace("{link}", "https://a.example/r/x").replace(
        "{stop_link}", "https://a.example/stop/x"
    )
    html = texts.html_of(kept, body)
    assert html.count('class="button"') == 1
    assert '\nhref="https://a.example/r/x"\n>Start today&#x27;s routine</a>' in html
    assert '\nhref="https://a.example/stop/x"\n>Change or stop these e-mails</a>' in html
    assert '<html lang="en">' in html


def test_given_markup_in_a_site_name_then_the_html_part_shows_it_as_text(site):
    Site.objects.filter(pk=site.pk).update(name="Mind & <b>Bones</b>")
    site.refresh_from_db()
    kept = text(site, channel="email")
    assert "Mind &amp; &lt;b&gt;Bones&lt;/b&gt;" in texts.html_of(kept, kept.body)


def test_given_a_name_that_looks_like_a_place_then_nothing_else_is_filled(site):
    Site.objects.filter(pk=site.pk).update(name="{link} {stop_link}")
    site.refresh_from_db()
    for channel in ("email", "sms"):
        kept = text(site, channel=channel)
        assert kept.body.count("{link}") == 1
        assert kept.body.count("{stop_link}") == (channel == "email")


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [("emergency", "urgent"), ("same_day", "today"), ("soon", "soon"), ("routine", "soon")],
)
def test_given_an_alert_then_the_mail_says_how_urgent_and_where_but_not_who_or_what(
    severity, urgency, settings
):
    subject, body = texts.staff_alert(Alert(severity=severity, summary="Saddle numbness: Ana M."))
    assert subject == f"Someone on your caseload needs you: {urgency}"
    assert f"{settings.BASE_URL}/clinic/" in body
    for said in (subject, body):
        assert not [word for word in ("Ana", "numb", "saddle") if word in said]


# --- changing them ---------------------------------------------------------------------------


def test_only_a_manager_changes_words(site, write, physio, front_desk):
    for person in (physio, front_desk):
        with pytest.raises(PermissionDenied):
            write(by=person)
        with pytest.raises(PermissionDenied):
            use_supplied_words(
                site=None, kind=KIND, channel="sms", language="en", by=person, at=NOW
            )
    assert not MessageTemplate.objects.exists()


def test_every_change_and_every_way_back_is_kept(site, write, manager):
    row = write()
    write(body="{practice}: {link} again")
    use_supplied_words(site=None, kind=KIND, channel="sms", language="en", by=manager, at=NOW)
    row.refresh_from_db()
    assert "Your ten minutes" in text(site).body
    said = row.events.order_by("pgh_id").values_list("body", "edited_by")
    assert list(said) == [
        (SMS, manager.pk),
        ("{practice}: {link} again", manager.pk),
        ("", manager.pk),
    ]


def test_going_back_from_nothing_leaves_nothing(manager):
    use_supplied_words(site=None, kind=KIND, channel="sms", language="en", by=manager, at=NOW)
    assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"kind": "staff_alert"}, {"channel": "fax"}, {"language": "fr"}]
)
def test_given_a_message_that_has_no_words_to_change_then_it_is_refused(site, write, changes):
    with pytest.raises(ValidationError):
        write(**changes)


def test_every_name_of_the_library_is_refused(site, write):
    names = list(Exercise.objects.values_list("name", flat=True))
    assert len(names) >= 24
    for name in names:
        with pytest.raises(ValidationError):
            write(channel="email", subject=f"Time for {name.lower()}s", body=MAIL)


def test_given_a_new_exercise_then_its_name_is_refused_at_once(site, write):
    body = "{practice}: time for the wall angel {link}"
    write(body=body)
    Exercise.objects.create(slug="wall-angel", name="Wall angel", movement_class="mobility")
    with pytest.raises(ValidationError, match="wall angel"):
        write(body=body)


def test_given_the_spanish_name_of_an_exercise_then_it_is_refused_in_any_language(site, write):
    Exercise.objects.filter(slug="chest-opener").update(words={"es": {"name": "La gran concha"}})
    for language in ("en", "es"):
        with pytest.raises(ValidationError, match="gran concha"):
            write(body="{practice}: la gran concha {link}", language=language)


def test_given_no_room_above_then_the_rules_still_hold(site, write, monkeypatch):
    monkeypatch.setattr(names_not_to_say, "receivers", [])
    with pytest.raises(ValidationError):
        write(body="{practice}: your back {link}")


# --- the pages -------------------------------------------------------------------------------


def test_given_own_words_then_the_list_says_whose_are_in_use(client, manager, site, write):
    client.force_login(manager)
    address = reverse("admin:wording")
    assert "Own words" not in words(client.get(address))
    write(site=site, body="{practice}: only here {link}")
    write(channel="email", subject="For everybody", body=MAIL)
    at_site = words(client.get(address + f"?site={site.pk}"))
    assert "Harbour Street: only here" in at_site and "Own words of this site" in at_site
    assert "For everybody" in at_site and "Own words of the practice" in at_site
    everywhere = words(client.get(address))
    assert "only here" not in everywhere and "For everybody" in everywhere
    assert words(client.get(reverse("admin:index"))).count("Message wording") == 1


def test_a_manager_previews_and_saves_a_text(client, manager, site):
    client.force_login(manager)
    assert "Harbour Street: Your ten minutes for today" in words(client.get(page()))
    shown = client.post(page(), {"does": "preview", "body": SMS})
    assert shown.status_code == 200
    said = words(shown)
    assert "Harbour Street: a moment for yourself http://localhost:8000/r/" in said
    length = len("Harbour Street: a moment for yourself ") + texts.link_length()
    assert f"{length} of 160" in said
    assert not MessageTemplate.objects.exists()
    saved = client.post(page(), {"does": "save", "body": SMS}, follow=True)
    assert "Saved." in words(saved)
    row = MessageTemplate.objects.get()
    assert (row.body, row.edited_by, row.site) == (SMS, manager, None)
    assert "changed by Mona Lindqvist" in words(client.get(page()))


def test_a_manager_saves_a_mail_for_one_site_and_goes_back(client, manager, site, other_site):
    client.force_login(manager)
    where = page(channel="email", language="de", site=site)
    typed = MAIL.replace("\n", "\r\n") + "  \r\n"
    client.post(where, {"does": "save", "subject_line": "Hallo ", "body": typed})
    row = MessageTemplate.objects.get()
    assert (row.site, row.language, row.subject_line, row.body) == (site, "de", "Hallo", MAIL)
    assert "Open it" in text(site, channel="email", language="de").body
    shown = words(client.get(where))
    assert "Go back to the words for all sites" in shown and "Earlier words" in shown
    client.post(where, {"does": "back"})
    assert "Ihre zehn Minuten" in text(site, channel="email", language="de").body
    assert "Go back to" not in words(client.get(where))


@pytest.mark.parametrize("does", ["save", "preview"])
@pytest.mark.parametrize(
    ("channel", "data", "said"),
    [
        ("sms", {"body": "{practice}: your back pain {link}"}, "“back”"),
        ("sms", {"body": "{practice}: dead bugs today {link}"}, "“dead bugs”"),
        ("sms", {"body": "{practice}: you are at 7/10 {link}"}, "“7/10”"),
        ("sms", {"body": "{practice}: " + "go " * 60 + "{link}"}, "Too long"),
        ("sms", {"body": ""}, "Write the words"),
        ("email", {"subject_line": "Your sciatica", "body": MAIL}, "“sciatica”"),
        ("email", {"subject_line": "x" * 201, "body": MAIL}, "200 characters"),
        ("email", {"subject_line": "Hello", "body": "<b>Hi</b>"}, "is HTML"),
    ],
)
def test_given_words_that_are_refused_then_they_stay_on_the_page_with_the_reason(
    client, manager, site, channel, data, said, does
):
    client.force_login(manager)
    response = client.post(page(channel=channel), {"does": does, **data})
    assert response.status_code == (400 if does == "save" else 200)
    assert said in words(response)
    for field, typed in data.items():
        assert response.context["form"][field].value() == typed
    assert not MessageTemplate.objects.exists()


def test_given_markup_in_the_words_then_the_preview_shows_it_as_text(client, manager, site):
    client.force_login(manager)
    body = MAIL.replace("Hello", "<script>x</script>")
    response = client.post(
        page(channel="email"), {"does": "preview", "subject_line": "Hello", "body": body}
    )
    assert "<script>x" not in response.content.decode()
    assert "&lt;script&gt;x" in response.content.decode()


def test_colleagues_read_the_words_and_cannot_change_them(client, site, physio, front_desk):
    for person in (physio, front_desk):
        client.force_login(person)
        assert client.get(reverse("admin:wording")).status_code == 200
        shown = client.get(page())
        assert shown.status_code == 200
        assert "Your ten minutes for today" in words(shown)
        assert "<textarea" not in shown.content.decode()
        for does in ("save", "preview", "back"):
            assert client.post(page(), {"does": does, "body": SMS}).status_code == 403
    assert not MessageTemplate.objects.exists()


def test_a_patient_finds_no_words(client, program):
    client.force_login(program.patient.user)
    assert client.get(page()).status_code == 403
    assert client.get(reverse("admin:wording")).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        page(kind="staff_alert"),
        page(channel="fax"),
        page(language="fr"),
        page() + "?site=99999",
        page() + "?site=²",
        page() + "?site=x",
        page() + "?site=" + "9" * 30,
    ],
)
def test_given_an_address_of_nothing_then_it_is_not_found(client, manager, site, address):
    client.force_login(manager)
    assert client.get(address).status_code == 404
    assert client.post(address, {"does": "save", "body": SMS}).status_code == 404


def test_given_a_name_that_tells_of_health_then_the_page_says_what_stands_instead(
    client, manager, site
):
    Site.objects.filter(pk=site.pk).update(name="Spine Centre")
    client.force_login(manager)
    said = words(client.get(page(site=site)))
    assert "tells what people are treated for" in said and "“Your practice”" in said
