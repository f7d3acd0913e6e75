"""What carriers say of a message, in our words: pure tables, no database, no clock.

Each door translates its carrier's words into one of our events and keeps the carrier's code.
``verdict`` says what event and code mean: how far the message came, in words a receptionist
understands, and whether the address may still be written to.

Twilio's codes: https://www.twilio.com/docs/api/errors
"""

import dataclasses
import re
from collections.abc import Mapping

# From what a carrier has taken to what is known best of it. ``bounced`` is a no for good that
# comes back after the mail provider had said yes: it knows more than ``delivered`` did. A
# temporary one (``undelivered``) after ``delivered`` is as a rule an absence note.
ACCEPTED, DEFERRED, SENT = "accepted", "deferred", "sent"
COMPLAINED, UNSUBSCRIBED = "complained", "unsubscribed"
REFUSED, UNDELIVERED, DELIVERED, BOUNCED = "refused", "undelivered", "delivered", "bounced"
# Not a carrier's word but the practice's, after somebody has asked the patient.
PATIENT_GOT_IT = "patient_got_it"

_RANK = {
    # On the way. A complaint tells that it went out, and no more of how it fared.
    ACCEPTED: 1,
    DEFERRED: 1,
    SENT: 1,
    COMPLAINED: 1,
    UNSUBSCRIBED: 1,
    REFUSED: 2,
    UNDELIVERED: 3,
    DELIVERED: 4,
    PATIENT_GOT_IT: 4,
    BOUNCED: 5,
}
EVENTS = frozenset(_RANK)
_STATUS = {1: "sent", 2: "failed", 3: "bounced", 4: "delivered", 5: "bounced"}

# More of the practice's own words, about a message whose fate stays unknown.
LEFT, SENT_AGAIN = "left_as_it_is", "sent_again"
IN_WORDS = {
    ACCEPTED: "Taken by the carrier",
    DEFERRED: "Put off by the receiver",
    SENT: "On its way",
    COMPLAINED: "Reported as unwanted",
    UNSUBSCRIBED: "Told to stop",
    REFUSED: "Refused",
    UNDELIVERED: "Could not be delivered",
    DELIVERED: "Delivered",
    BOUNCED: "Sent back for good",
    PATIENT_GOT_IT: "The patient got it, staff say",
    LEFT: "Left as it is by staff",
    SENT_AGAIN: "Sent again by staff",
}

# Codes that close an address for good, and those that the person has given the carrier.
_NOT_THERE = "There is no such number, or it is no longer in use."
_NO_TEXTS = "The number is a landline, or its network takes no texts."
_CLOSES = {
    "30005": _NOT_THERE,
    "30006": _NO_TEXTS,
    "21211": "The phone number is not valid.",
    "21217": "The phone number is not valid.",
    "21614": "The number cannot receive texts.",
    "bounced_before": "The address has sent our mail back before.",
    "invalid": "There is no such address.",
}
_BY_OWNER = {
    "21610": "The person has told the carrier STOP.",
    "spam": "The person has reported our mail as unwanted.",
    "unsubscribed": "The person has told the carrier to stop.",
}
# Said of the person's phone or mailbox, but it may pass: only several in a row close an address.
_WEARS_OUT = {
    "30003": "The phone could not be reached. It may have been switched off.",
    "mailbox": "The mailbox did not take it. It may be full.",
}
# Neither the person nor the number is the reason, so the address stays open.
_OTHER = {
    "30001": "The carrier had too many texts to send.",
    "30002": "The carrier has closed our account.",
    "30004": "The network blocked the text.",
    "30007": "The network took the text for advertising and held it back.",
    "30008": "The network did not say why.",
    "30009": "Part of the text got lost.",
    "30010": "The text costs more than our account allows.",
    "30022": "We have sent more texts than our number may.",
    "30023": "We have sent more texts in a day than our number may.",
    "30032": "Our sender number is not confirmed yet.",
    "30034": "Our sender number is not registered for this country.",
    "30036": "It could not be delivered in time.",
    "21408": "Our account may not send texts to this country.",
    "21606": "Our sender number cannot send texts.",
    "21612": "There is no way for a text from our number to this one.",
    "21617": "The text is too long.",
    "blocked": "The mail service held the mail back.",
}
_USUAL = {
    REFUSED: "The carrier did not take it, and did not say why.",
    UNDELIVERED: "It could not be delivered. The carrier did not say why.",
    BOUNCED: "The address does not take messages.",
    COMPLAINED: "The person has reported our mail as unwanted.",
    UNSUBSCRIBED: "The person has told the carrier to stop.",
}
WORN_OUT = "Three messages in a row could not be delivered."


@dataclasses.dataclass(frozen=True)
class Said:
    """One word of a carrier: our event, and the carrier's code or ours for it."""

    event: str
    code: str = ""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """``rank`` and ``status``: how far the message came. ``reason``: why it came no further.

    ``closes``: why the address must not be written to again, if so; ``by_owner``: because the
    person wants it so; ``wears_out``: several such words in a row close it.
    """

    rank: int
    status: str
    reason: str = ""
    closes: str = ""
    by_owner: bool = False
    wears_out: bool = False


def verdict(event: str, code: str = "") -> Verdict:
    """What one event of ``EVENTS`` with its code means."""
    rank = _RANK[event]
    by_owner = event in (COMPLAINED, UNSUBSCRIBED) or (code in _BY_OWNER and rank in (2, 3, 5))
    reason = closes = ""
    if rank in (2, 3, 5):
        known = _BY_OWNER | _CLOSES | _WEARS_OUT | _OTHER
        reason = known.get(code) or _USUAL[event]
    if by_owner:
        closes = _BY_OWNER.get(code) or _USUAL[event]
    elif event == BOUNCED or (code in _CLOSES and rank in (2, 3)):
        closes = reason
    return Verdict(
        rank=rank,
        status=_STATUS[rank],
        reason=reason,
        closes=closes,
        by_owner=by_owner,
        wears_out=event == UNDELIVERED and code in _WEARS_OUT,
    )


# --- Twilio ----------------------------------------------------------------------------------

_TWILIO = {
    "accepted": ACCEPTED,
    "scheduled": ACCEPTED,
    "queued": ACCEPTED,
    "sending": ACCEPTED,
    "sent": SENT,
    "delivered": DELIVERED,
    "read": DELIVERED,
    "undelivered": UNDELIVERED,
    "failed": REFUSED,
    "canceled": REFUSED,
}


def of_twilio(status: str, code: str | int | None) -> Said | None:
    """Twilio's MessageStatus with its ErrorCode; None for a status it does not have."""
    event = _TWILIO.get(status)
    if event is None:
        return None
    return Said(event, str(code or "")[:20] if event in (UNDELIVERED, REFUSED) else "")


# --- a plain HTTP carrier --------------------------------------------------------------------

_PLAIN = {
    **{event: event for event in EVENTS - {PATIENT_GOT_IT, COMPLAINED}},
    "queued": ACCEPTED,
    "failed": REFUSED,
    "rejected": REFUSED,
    "expired": UNDELIVERED,
    "stopped": UNSUBSCRIBED,
}


def of_plain(word: str, code: str, words: Mapping[str, str]) -> Said | None:
    """A plain carrier's word. ``words`` are the practice's own: their word to one of our events.

    None when neither they nor the usual words know it.
    """
    word = word.strip().lower()
    event = words.get(word) or _PLAIN.get(word)
    return Said(event, code.strip()[:20]) if event in EVENTS else None


# --- e-mail services, as django-anymail names their events -----------------------------------

_ANYMAIL = {
    "queued": ACCEPTED,
    "sent": SENT,
    "deferred": DEFERRED,
    "delivered": DELIVERED,
    "failed": REFUSED,
    "complained": COMPLAINED,
    "unsubscribed": UNSUBSCRIBED,
}
_REJECTED = {
    "spam": "spam",
    "unsubscribed": "unsubscribed",
    "bounced": "bounced_before",
    "invalid": "invalid",
    "blocked": "blocked",
}
# An enhanced or plain SMTP code of the 400s is a "not now" (RFC 3463, RFC 5321).
_NOT_NOW = re.compile(r"\b4(\d\d\b|\.\d{1,3}\.\d{1,3}\b)")
_FOR_GOOD = re.compile(r"\b5(\d\d\b|\.\d{1,3}\.\d{1,3}\b)")
# What services call a bounce that may pass: Postmark, Amazon (whose kind of absence notes is among
# them) and Resend, Brevo and Mandrill, MailerSend, and SparkPost's classes.
_SOFT = {"softbounce", "transient", "undetermined", "soft_bounce", "activity.soft_bounced"}
_SOFT |= {"soft", "20", "21", "22", "23", "24", "40", "70"}


def of_anymail(
    event_type: str, reject_reason: str | None = None, *, kind: str = "", answer: str = ""
) -> Said | None:
    """A tracking event. ``kind`` is the service's own word for a bounce, ``answer`` the mail
    server's. None for what is not about delivery: who opens or clicks is not our business.
    """
    if event_type == "rejected":
        code = _REJECTED.get(reject_reason or "", "")
        return Said(REFUSED, code)
    if event_type == "bounced":
        if reject_reason == "invalid":
            return Said(BOUNCED, "invalid")
        if reject_reason == "spam" or reject_reason == "blocked":
            return Said(UNDELIVERED, "blocked")
        soft = is_soft(kind) or reject_reason in ("timed_out", "other")
        told = bool(_NOT_NOW.search(answer)) and not _FOR_GOOD.search(answer)
        return Said(UNDELIVERED, "mailbox") if soft or told else Said(BOUNCED)
    event = _ANYMAIL.get(event_type)
    return Said(event) if event else None


def is_soft(kind: str) -> bool:
    """Whether a service calls a bounce by this word when it may pass."""
    return kind.lower() in _SOFT
