"""What became of a request to a carrier that speaks HTTP."""

import requests
from anymail.exceptions import AnymailError
from urllib3.exceptions import NewConnectionError

from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown

# Busy and "not now" are clear refusals. After any other 5xx the carrier may well have taken it.
_NOT_NOW = {408, 425, 429, 503}
# Our own key or account is at fault: worth trying again when somebody has put it right.
_OUR_ACCOUNT = {401, 402, 403}


def as_outcome(error: Exception, carrier: str) -> GatewayError | OutcomeUnknown:
    """The error to raise for a failed request. ``error`` is of requests or built upon it."""
    status = getattr(error, "status_code", None)
    if status is not None:
        return refusal(status, carrier)
    # anymail wraps the error of requests in one that calls itself the same.
    cause: BaseException | None = error
    while isinstance(cause, AnymailError) and cause.__cause__ is not None:
        cause = cause.__cause__
    if not isinstance(cause, requests.RequestException):
        # Refused by the library before any request was made.
        return GatewayError(
            permanent=True, code=type(error).__name__, text=f"The {carrier} cannot carry this."
        )
    if _never_connected(cause):
        return GatewayError(
            permanent=False,
            code="unreachable",
            text=f"The {carrier} could not be reached.",
            carrier_away=True,
        )
    return OutcomeUnknown(f"The line to the {carrier} broke before it answered.")


def refusal(status: int, carrier: str) -> GatewayError | OutcomeUnknown:
    """The error for an answer with this HTTP status, when it says nothing more exact."""
    if status >= 500 and status not in _NOT_NOW:
        return OutcomeUnknown(f"The {carrier} answered with an error of its own ({status}).")
    if status in _OUR_ACCOUNT:
        text = f"The {carrier} did not accept our account ({status})."
        return GatewayError(permanent=False, code=str(status), text=text, carrier_away=True)
    permanent = status not in _NOT_NOW
    when = "refused the message" if permanent else "put the message off"
    return GatewayError(
        permanent=permanent, code=str(status), text=f"The {carrier} {when} ({status})."
    )


def _never_connected(error: BaseException) -> bool:
    """Whether not one byte can have reached the carrier."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(error, requests.ConnectionError) and isinstance(reason, NewConnectionError)
