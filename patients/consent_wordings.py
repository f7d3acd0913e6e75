"""What a patient is read or shown when a yes is recorded. Pure: no Django, no clock.

A wording is never changed: a new text is a new version, and every yes names the one it was given
to. ``docs/consent.md`` shows the texts of today.
"""

from dataclasses import dataclass

from clinic.marking import gettext_noop as _

CURRENT = "2026-12"
# The versions whose yes is also one to reminders of appointments; before, it was to routines alone.
WITH_APPOINTMENTS = frozenset({"2026-12"})


@dataclass(frozen=True)
class Wording:
    """The words of one version for one purpose ("record", "email" or "sms")."""

    version: str
    purpose: str
    title: str
    text: str


_RECORD = (
    _("Keeping a record of care"),
    _(
        "We keep what you tell us about your back, your exercises and how they went, so that "
        "your physiotherapist can guide you. People who treat you at this practice can read "
        "it, and we write down who did. You can ask for a copy, and you can ask us to stop."
    ),
)
_WORDINGS = (
    Wording("2026-11", "record", *_RECORD),
    Wording("2026-12", "record", *_RECORD),
    Wording(
        "2026-12",
        "email",
        _("Reminders by e-mail"),
        _(
            "We may write to your e-mail address when your routine for the day is ready, and the "
            "day before an appointment. The message says nothing about your health. You can stop "
            "these at any time."
        ),
    ),
    Wording(
        "2026-12",
        "sms",
        _("Reminders by text message"),
        _(
            "We may send a text message to your phone when your routine for the day is ready, and "
            "the day before an appointment. The message says nothing about your health. You can "
            "stop these at any time."
        ),
    ),
    Wording(
        "2026-11",
        "email",
        _("Reminders by e-mail"),
        _(
            "We may write to your e-mail address when your routine for the day is ready. The "
            "message says nothing about your health. You can stop these at any time."
        ),
    ),
    Wording(
        "2026-11",
        "sms",
        _("Reminders by text message"),
        _(
            "We may send a text message to your phone when your routine for the day is ready. The "
            "message says nothing about your health. You can stop these at any time."
        ),
    ),
)
_BY_KEY = {(wording.purpose, wording.version): wording for wording in _WORDINGS}


def wording(purpose: str, version: str = CURRENT) -> Wording | None:
    """The words of that version; None for one this practice never had."""
    return _BY_KEY.get((purpose, version))
