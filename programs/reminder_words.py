"""What the page of the reminders says of each channel: whole sentences, not sentences with a gap,
because other languages bend the word that would go into it."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic.models.messaging import Channel

Words = str | Promise


@dataclass(frozen=True)
class CardWords:
    """The sentences of one channel."""

    title: Words
    turned_on: Words
    turned_off: Words
    save_for: Words
    turn_on: Words
    turn_off: Words
    not_sent: Words


CARD_WORDS: dict[str, CardWords] = {
    Channel.SMS: CardWords(
        title=_("Text messages"),
        turned_on=_("Saved. We send you text messages."),
        turned_off=_("Saved. We send you no more text messages."),
        save_for=_("Save for text messages"),
        turn_on=_("Turn on text messages"),
        turn_off=_("Turn off text messages"),
        not_sent=_("We do not send you text messages now."),
    ),
    Channel.EMAIL: CardWords(
        title=_("E-mails"),
        turned_on=_("Saved. We send you e-mails."),
        turned_off=_("Saved. We send you no more e-mails."),
        save_for=_("Save for e-mails"),
        turn_on=_("Turn on e-mails"),
        turn_off=_("Turn off e-mails"),
        not_sent=_("We do not send you e-mails now."),
    ),
}
