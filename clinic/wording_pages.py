"""The words of reminders in the portal: which are in use, and a page to change each of them.

All staff may read what patients are sent; managers change it.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from clinic.messaging import texts, wording
from clinic.messaging.filling import SMS_LENGTH, fill, fill_text, one_line, sent_length
from clinic.models import MessageTemplate, OutboxMessage, Site
from clinic.models.messaging import Channel
from clinic.roles import May, may

# When each kind goes out, in the words of the portal.
_WHEN = {
    "routine_reminder": "At the hour the patient chose, on the days they chose.",
    "second_nudge": "Later the same day, if nothing was recorded and the patient wants it.",
    "silence": "Once, after three days without a word.",
    "routine_changed": "When a clinician changes the routine and chooses to say so by message.",
}
_SAMPLE_LINK = "/r/Kq7dX2mWv0tB9sLcE4nRgY1uJ6hPzA3fTio"


def overview(request: HttpRequest) -> HttpResponse:
    """Kinds by language for one site, or for all that have no words of their own."""
    site = _site(request)
    rows = MessageTemplate.objects.filter(Q(site=site) | Q(site=None)).exclude(body="")
    own: dict[tuple[str, str, str], MessageTemplate] = {}
    for row in sorted(rows, key=lambda row: row.site_id is not None):
        own[row.kind, row.channel, row.language] = row
    shown_for = _example(site)
    kinds = []
    for kind in wording.KINDS:
        lines = []
        for channel in (Channel.EMAIL, Channel.SMS):
            cells = []
            for language, language_name in settings.LANGUAGES:
                row = own.get((kind, channel, language))
                subject, body = texts.finished(
                    kind=kind, channel=channel, site=shown_for, language=language, own=row
                )
                cells.append(
                    {
                        "language": language,
                        "language_name": language_name,
                        "whose": _whose(row),
                        "own": row is not None,
                        "words": subject or body.replace("{link}", "…"),
                        "url": _address(kind, channel, language, site),
                    }
                )
            lines.append({"channel": channel, "cells": cells})
        kinds.append({"kind": kind, "when": _WHEN[kind], "lines": lines})
    return admin.site.page(
        request,
        "admin/portal/wording.html",
        {
            "title": "Message wording",
            "site": site,
            "sites": Site.objects.all(),
            "kinds": kinds,
            "languages": settings.LANGUAGES,
        },
    )


class WordsForm(forms.Form):
    subject_line = forms.CharField(
        label="Subject", required=False, max_length=200, help_text="{practice} may stand in it."
    )
    body = forms.CharField(
        label="Words", required=False, strip=False, max_length=5000, widget=forms.Textarea
    )

    def __init__(self, data: Any = None, *, channel: str, language: str, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        body = self.fields["body"]
        for field in self.fields.values():
            field.widget.attrs["lang"] = language
        if channel == Channel.SMS:
            del self.fields["subject_line"]
            body.widget.attrs["rows"] = 5
            body.help_text = "{practice} and {link} must stand in it; {phone} may."
        else:
            body.widget.attrs["rows"] = 20
            body.help_text = (
                "{practice}, {link} and {stop_link} must stand in it; {phone} may. A line above "
                "{link} becomes the words of the button."
            )

    def words(self) -> tuple[str, str]:
        return self.cleaned_data.get("subject_line", ""), self.cleaned_data.get("body", "")


def edit(request: HttpRequest, kind: str, channel: str, language: str) -> HttpResponse:
    """One kind of message in one language: its words, and how it will look."""
    if not (
        kind in wording.KINDS and channel in Channel.values and language in dict(settings.LANGUAGES)
    ):
        raise Http404
    site = _site(request)
    which = {"site": site, "kind": kind, "channel": channel, "language": language}
    own = texts.own_words(**which)
    form = WordsForm(
        request.POST or None, channel=channel, language=language, initial=_initial(own, which)
    )
    subject, body = form.initial["subject_line"], form.initial["body"]
    refused = False
    if request.method == "POST":
        if not may(request.user, May.MANAGE):
            raise PermissionDenied("Only a manager changes the words of messages.")
        if request.POST.get("does") == "back":
            wording.use_supplied_words(**which, by=request.user, at=timezone.now())
            messages.success(request, "Done. Messages planned from now on use the other words.")
            return redirect(_address(kind, channel, language, site))
        if form.is_valid():
            subject, body = form.words()
            if request.POST.get("does") != "save":
                _show_problems(form, which, subject, body)
            elif _save(request, form, which, subject, body):
                messages.success(request, "Saved. Messages planned from now on use these words.")
                return redirect(_overview(site))
        refused = bool(form.errors) and request.POST.get("does") == "save"
    is_here = own is not None and own.site_id == (site.pk if site else None)
    return admin.site.page(
        request,
        "admin/portal/wording_edit.html",
        {
            "title": OutboxMessage.Kind(kind).label,
            "subtitle": _WHEN[kind],
            "form": form,
            "preview": _preview(channel, language, _example(site), subject, body),
            "channel": channel,
            "channel_name": Channel(channel).label,
            "language": language,
            "language_name": dict(settings.LANGUAGES)[language],
            "site": site,
            "own": own,
            "whose": _whose(own),
            "is_here": is_here,
            "back": "the words for all sites" if site else "the supplied words",
            "overview": _overview(site),
            "others": [
                (name, _address(kind, channel, code, site), code == language)
                for code, name in settings.LANGUAGES
            ],
            "earlier": _earlier(which),
        },
        status=400 if refused else 200,
    )


# --- what the pages need ---------------------------------------------------------------------


def _save(
    request: HttpRequest, form: WordsForm, which: dict[str, Any], subject: str, body: str
) -> bool:
    try:
        wording.edit_template(
            **which, subject_line=subject, body=body, by=request.user, at=timezone.now()
        )
    except ValidationError as error:
        _put(form, error.message_dict)
        return False
    return True


def _show_problems(form: WordsForm, which: dict[str, Any], subject: str, body: str) -> None:
    subject, body = wording.tidy(channel=which["channel"], subject_line=subject, body=body)
    where = {name: which[name] for name in ("site", "channel", "language")}
    _put(form, wording.problems(**where, subject_line=subject, body=body))


def _put(form: WordsForm, found: dict[str, list[str]]) -> None:
    for field, sentences in found.items():
        for sentence in sentences:
            form.add_error(field if field in form.fields else None, sentence)


def _initial(own: MessageTemplate | None, which: dict[str, Any]) -> dict[str, str]:
    """The words in use, before they are filled."""
    if own is not None:
        return {"subject_line": own.subject_line, "body": own.body}
    if which["channel"] == Channel.EMAIL:
        subject, body = texts.supplied_mail(which["kind"], which["language"])
        return {"subject_line": subject, "body": body}
    forms_of_it = texts.supplied_texts(which["kind"], which["language"])
    where = {name: which[name] for name in ("site", "channel", "language")}
    fitting = (
        form for form in forms_of_it if not wording.problems(**where, subject_line="", body=form)
    )
    return {"subject_line": "", "body": next(fitting, forms_of_it[-1])}


def _preview(channel: str, language: str, site: Site, subject: str, body: str) -> dict[str, Any]:
    """How the words look at ``site``, whether or not they may go out."""
    name = texts.shown_name(site, language)
    subject, body = wording.tidy(channel=channel, subject_line=subject, body=body)
    link = settings.BASE_URL + _SAMPLE_LINK
    shown: dict[str, Any] = {"site": site, "name": name, "link": link}
    if channel == Channel.SMS:
        length = texts.link_length()
        text = fill_text(body, practice=name, phone=site.phone, link_length=length)
        if text is None:
            text = fill(one_line(body), practice=name, phone=site.phone)
        count = sent_length(text, length)
        return shown | {
            "parts": text.split("{link}"),
            "count": count,
            "most": SMS_LENGTH,
            "over": max(count - SMS_LENGTH, 0),
        }
    text = fill(body, practice=site.name, phone=site.phone).strip()
    return shown | {
        "subject": fill(subject, practice=name, phone=site.phone),
        "sender": settings.DEFAULT_FROM_EMAIL,
        "paragraphs": texts.paragraphs_of(text),
        "text": text.replace("{link}", link).replace(
            "{stop_link}", settings.BASE_URL + _SAMPLE_LINK.replace("/r/", "/stop/")
        ),
    }


def _earlier(which: dict[str, Any]) -> list[Any]:
    """What stood here before, the newest first, with who changed it and when."""
    row = MessageTemplate.objects.filter(**which).first()
    if row is None:
        return []
    return list(row.events.select_related("edited_by").order_by("-pgh_id")[:10])


def _whose(row: MessageTemplate | None) -> str:
    if row is None:
        return "Supplied"
    return "Own words of this site" if row.site_id else "Own words of the practice"


def _example(site: Site | None) -> Site:
    """The site whose name and number stand in what is shown."""
    return site or Site.objects.first() or Site(name="Your practice", phone="")


def _site(request: HttpRequest) -> Site | None:
    chosen = request.GET.get("site", "")
    if not chosen:
        return None
    site = Site.objects.filter(pk=int(chosen)).first() if _is_key(chosen) else None
    if site is None:
        raise Http404
    return site


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _address(kind: str, channel: str, language: str, site: Site | None) -> str:
    page = reverse("admin:wording_edit", args=[kind, channel, language])
    return page + (f"?site={site.pk}" if site else "")


def _overview(site: Site | None) -> str:
    return reverse("admin:wording") + (f"?site={site.pk}" if site else "")
