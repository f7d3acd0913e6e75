"""What an answer of a carrier that speaks HTTP means, whatever asked it."""

import datetime as dt
from email.utils import parsedate_to_datetime

from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown

# Busy and "not now" are clear refusals. After any other 5xx the carrier may well have taken it.
_NOT_NOW = {408, 425, 429, 503}
# Our own key or account is at fault: worth trying again when somebody has put it right.
_OUR_ACCOUNT = {401, 402, 403}
_LONGEST_WAIT_S = 86_400.0


def refusal(
    status: int, carrier: str, retry_after: float | None = None
) -> GatewayError | OutcomeUnknown:
    """The error for an answer with this HTTP status, when it says nothing more exact.

    ``carrier`` in words, such as "text message carrier"; ``retry_after`` in seconds.
    """
    if status < 300:
        return OutcomeUnknown(f"The {carrier} said yes ({status}), but not in a way we can read.")
    if status < 400:
        # Followed, it would carry our secret and the message to wherever it points.
        text = f"The {carrier} sent us to another address ({status}); the settings name an old one."
        return GatewayError(permanent=False, code=str(status), text=text, carrier_away=True)
    if status >= 500 and status not in _NOT_NOW:
        return OutcomeUnknown(f"The {carrier} answered with an error of its own ({status}).")
    if status in _OUR_ACCOUNT:
        text = f"The {carrier} did not accept our account ({status})."
        return GatewayError(permanent=False, code=str(status), text=text, carrier_away=True)
    permanent = status not in _NOT_NOW
    when = "refused the message" if permanent else "put the message off"
    return GatewayError(
        permanent=permanent,
        code=str(status),
        text=f"The {carrier} {when} ({status}).",
        retry_after=None if permanent else retry_after,
    )


def unreachable(carrier: str) -> GatewayError:
    """Not one byte of the message has left us."""
    return GatewayError(
        permanent=False,
        code="unreachable",
        text=f"The {carrier} could not be reached.",
        carrier_away=True,
    )


def unanswered(carrier: str) -> OutcomeUnknown:
    """The message has left us, and no answer came."""
    return OutcomeUnknown(f"The line to the {carrier} broke before it answered.")


def seconds_to_wait(retry_after: str | None, now: dt.datetime) -> float | None:
    """The ``Retry-After`` header (seconds, or a date) in seconds from ``now``, at most a day.

    None when it is not there or says nothing that can be meant. Source: RFC 9110, 10.2.3.
    """
    if not retry_after:
        return None
    said = retry_after.strip()
    if said.isascii() and said.isdigit():
        # More digits than any wait that is meant; int() would take its time over millions.
        return min(float(said[:12]), _LONGEST_WAIT_S)
    try:
        when = parsedate_to_datetime(said)
    except (ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return min(max((when - now).total_seconds(), 0.0), _LONGEST_WAIT_S)
