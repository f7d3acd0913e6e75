"""The patient's settings: what the pages sound, look and measure like, and where to find the rest.

Each page is one form with one button; the first page says what was saved.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic.language import NAMES, page_language
from patients.models import Preferences
from patients.preferring import choose_preferences
from programs.form_errors import put_errors
from programs.portal_access import patient_required
from programs.portal_forms import ChoiceField


class PreferencesForm(forms.Form):
    """Some of ``patients.models.Preferences``, by their names."""

    use_required_attribute = False

    def keep(self, request: HttpRequest) -> bool:
        """Keep what was chosen; False, with the errors in place, when it cannot be."""
        try:
            choose_preferences(
                patient=request.patient,
                by=None if request.pass_only else request.user,
                at=timezone.now(),
                **self.cleaned_data,
            )
        except ValidationError as error:
            put_errors(self, error)
            return False
        return True


class SessionForm(PreferencesForm):
    sound = forms.BooleanField(label=gettext_lazy("Play a tone at each step"), required=False)
    vibration = forms.BooleanField(label=gettext_lazy("Vibrate with the tone"), required=False)
    voice = forms.BooleanField(label=gettext_lazy("Read the steps out loud"), required=False)
    hand = ChoiceField(
        label=gettext_lazy("Which hand holds your phone?"),
        choices=Preferences.Hand.choices,
        kind="row",
    )
    units = ChoiceField(
        label=gettext_lazy("How should we show weights?"),
        choices=Preferences.Units.choices,
        kind="row",
    )

    SWITCHES = ("sound", "vibration", "voice")


class ReadingForm(PreferencesForm):
    text_size = ChoiceField(
        label=gettext_lazy("How large should the letters be?"),
        choices=Preferences.TextSize.choices,
    )
    theme = ChoiceField(
        label=gettext_lazy("Which colours do you like?"), choices=Preferences.Theme.choices
    )


@dataclass(frozen=True)
class Row:
    """One line of the first page: where it leads, and how things stand, each a whole phrase."""

    address: str
    title: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    title: str
    rows: list[Row]


@require_safe
@patient_required(by_link=True, by_carer=False)
def settings_home(request: HttpRequest) -> HttpResponse:
    """Every setting with how it stands; ``kept`` names the one that was just saved."""
    likes = Preferences.of(request.patient)
    spoken = {
        "session": session_words(likes),
        "reading": reading_words(likes),
        "language": (NAMES[page_language(get_language())],),
    }
    return render(
        request,
        "portal/settings.html",
        {
            "groups": [group for group in _groups(request, spoken) if group.rows],
            "kept": spoken.get(request.GET.get("kept", "")),
        },
    )


def session_words(likes: Preferences) -> tuple[str, ...]:
    return (
        _("Sound on") if likes.sound else _("Sound off"),
        _("Vibration on") if likes.vibration else _("Vibration off"),
        _("Voice on") if likes.voice else _("Voice off"),
        likes.get_hand_display(),
        likes.get_units_display(),
    )


def reading_words(likes: Preferences) -> tuple[str, ...]:
    sizes = {
        Preferences.TextSize.NORMAL: _("Normal letters"),
        Preferences.TextSize.LARGE: _("Large letters"),
        Preferences.TextSize.LARGEST: _("Largest letters"),
    }
    themes = {
        Preferences.Theme.SYSTEM: _("Colours like my device"),
        Preferences.Theme.LIGHT: _("Light colours"),
        Preferences.Theme.DARK: _("Dark colours"),
    }
    return sizes[Preferences.TextSize(likes.text_size)], themes[Preferences.Theme(likes.theme)]


def _groups(request: HttpRequest, spoken: dict[str, tuple[str, ...]]) -> list[Group]:
    own = [
        _row("portal_carers", _("People who help me")),
        _row("passkeys", _("Sign in with your device’s lock")),
        _row("portal_data", _("My data"), (_("Download it, or ask us to delete it"),)),
    ]
    return [
        Group(
            _("Your routine"),
            [
                Row(
                    reverse("portal_reminders"),
                    _("My reminders"),
                    (_("When and how we remind you"),),
                ),
                Row(
                    reverse("portal_settings_session"),
                    _("During the routine"),
                    spoken["session"],
                ),
            ],
        ),
        Group(
            _("These pages"),
            [
                Row(
                    reverse("portal_settings_reading"), _("Letters and colours"), spoken["reading"]
                ),
                Row(reverse("portal_settings_language"), _("Language"), spoken["language"]),
            ],
        ),
        # A reminder's link opens the routine; what is the patient's alone needs a sign-in.
        Group(_("You"), [] if request.pass_only else [row for row in own if row]),
    ]


def _row(name: str, title: str, values: tuple[str, ...] = ()) -> Row | None:
    """A line to a page that this installation may not have."""
    try:
        return Row(reverse(name), title, values)
    except NoReverseMatch:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True, by_carer=False)
def session(request: HttpRequest) -> HttpResponse:
    """Tone, vibration and voice during the routine; the hand, and the unit of weights."""
    return _form_page(request, SessionForm, "session")


@require_http_methods(["GET", "HEAD", "POST"])
@patient_required(by_link=True, by_carer=False)
def reading(request: HttpRequest) -> HttpResponse:
    """How large the letters are, and in which colours."""
    return _form_page(request, ReadingForm, "reading")


@require_safe
@patient_required(by_link=True, by_carer=False)
def language(request: HttpRequest) -> HttpResponse:
    """Which language the pages speak; the switch itself is the one at the foot of every page."""
    after = f"{reverse('portal_settings')}?{urlencode({'kept': 'language'})}"
    return render(
        request,
        "portal/settings_language.html",
        {"names": list(NAMES.items()), "spoken": page_language(get_language()), "after": after},
    )


def _form_page(request: HttpRequest, kind: type[PreferencesForm], part: str) -> HttpResponse:
    likes = Preferences.of(request.patient)
    initial: dict[str, Any] = {name: getattr(likes, name) for name in kind.base_fields}
    form = kind(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid() and form.keep(request):
        return redirect(f"{reverse('portal_settings')}?{urlencode({'kept': part})}")
    return render(
        request,
        f"portal/settings_{part}.html",
        {"form": form},
        status=400 if form.errors else 200,
    )
