"""E-mail by a mail service's own interface: any EMAIL_BACKEND that is not Django's SMTP.

Such a backend (one of django-anymail's) sends one mail at a time and waits for the answer, so
each delivery has a thread and a backend of its own; a backend keeps its line to the service.
"""

import asyncio
import contextlib
import smtplib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.module_loading import import_string
from urllib3.exceptions import NewConnectionError

from clinic.messaging import stencil
from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.http import refusal, seconds_to_wait, unanswered, unreachable
from clinic.models import OutboxMessage

_CARRIER = "e-mail service"
_NAME_LENGTH = OutboxMessage._meta.get_field("carrier").max_length


class ServiceMailGateway:
    def __init__(self) -> None:
        self.lines = settings.EMAIL_CONNECTIONS
        try:
            self.name = import_string(settings.EMAIL_BACKEND).__module__[-_NAME_LENGTH:]
        except (ImportError, AnymailConfigurationError) as error:
            raise _outcome(AnymailConfigurationError()) from error
        # Not every service keeps a word of ours with a mail; the Message-ID has to do then.
        self._takes_metadata = True
        self._threads: ThreadPoolExecutor | None = None
        self._idle: deque[Any] = deque()

    async def deliver(self, message: OutboxMessage, link: str) -> str:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.lines, thread_name_prefix="mail-service")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._deliver, message, link)

    async def close(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)
        while self._idle:
            _hang_up(self._idle.pop())

    def _deliver(self, message: OutboxMessage, link: str) -> str:
        mail = stencil.build(message, link)
        backend = self._take()
        try:
            sent = self._send(backend, mail, message)
        except BaseException:
            _hang_up(backend)
            raise
        self._idle.append(backend)
        if not sent:
            raise GatewayError(
                permanent=False, code="not_taken", text=f"The {_CARRIER} did not take it."
            )
        status = getattr(mail, "anymail_status", None)
        return str((status and status.message_id) or stencil.message_id(message))

    def _take(self) -> Any:
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        try:
            backend = get_connection(fail_silently=False)
            backend.open()
        except (AnymailConfigurationError, smtplib.SMTPException, OSError) as error:
            raise _outcome(error) from error
        line = getattr(backend, "session", None)
        if isinstance(line, requests.Session):
            # Followed, a redirect would carry key and mail to wherever it points.
            line.max_redirects = 0
        return backend

    def _send(self, backend: Any, mail: EmailMultiAlternatives, message: OutboxMessage) -> int:
        """How many the backend says it sent; our errors in place of its own."""
        mail.connection = backend
        if self._takes_metadata:
            mail.metadata = {"outbox": str(message.pk)}
        try:
            try:
                return backend.send_messages([mail]) or 0
            except AnymailUnsupportedFeature:
                # Said while the request was being put together, so nothing has been sent.
                if not self._takes_metadata:
                    raise
                del mail.metadata
                sent = backend.send_messages([mail]) or 0
                self._takes_metadata = False
                return sent
        except (
            AnymailError,
            AnymailConfigurationError,
            requests.RequestException,
            smtplib.SMTPException,
        ) as error:
            raise _outcome(error) from error


def _hang_up(backend: Any) -> None:
    with contextlib.suppress(OSError, smtplib.SMTPException):
        backend.close()


def _outcome(error: Exception) -> GatewayError | OutcomeUnknown:
    """What the library's error says of the mail. Its own text may quote the mail."""
    if isinstance(error, AnymailConfigurationError):
        return GatewayError(
            permanent=False,
            code="configuration",
            text=f"The {_CARRIER} is not set up.",
            carrier_away=True,
        )
    if isinstance(error, AnymailRecipientsRefused):
        return _recipient_refused(error)
    status, headers = _answer_of(error)
    if status is not None:
        wait = seconds_to_wait(headers.get("Retry-After"), timezone.now())
        return refusal(status, _CARRIER, wait)
    cause = _root(error)
    if isinstance(cause, requests.TooManyRedirects) and cause.response is not None:
        return refusal(cause.response.status_code, _CARRIER)
    if isinstance(cause, requests.RequestException):
        return unreachable(_CARRIER) if _never_connected(cause) else unanswered(_CARRIER)
    if isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError | ConnectionRefusedError):
        return unreachable(_CARRIER)
    if isinstance(error, AnymailError) and not isinstance(error, AnymailAPIError):
        # Refused by the library before any request was made.
        return GatewayError(
            permanent=True, code=type(error).__name__, text=f"The {_CARRIER} cannot carry this."
        )
    return unanswered(_CARRIER)


def _recipient_refused(error: AnymailRecipientsRefused) -> GatewayError:
    status = getattr(error.email_message, "anymail_status", None)
    said = set(status.status or ()) if status else set()
    # "rejected" may be our own fault (a sender not verified); "invalid" is the address.
    return GatewayError(
        permanent=True,
        code="recipient_refused",
        text=f"The {_CARRIER} refused the address.",
        dead_address="invalid" in said,
    )


def _answer_of(error: Exception) -> tuple[int | None, Any]:
    """Status and headers of the answer the error is about, if there was one."""
    status = getattr(error, "status_code", None)
    if status is not None:
        return status, getattr(getattr(error, "response", None), "headers", {})
    # boto3's, for Amazon SES.
    answer = getattr(_root(error), "response", None)
    about = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    return about.get("HTTPStatusCode"), about.get("HTTPHeaders", {})


def _root(error: BaseException) -> BaseException:
    """anymail wraps the error of the library below it in one that calls itself the same."""
    while isinstance(error, AnymailError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _never_connected(error: requests.RequestException) -> bool:
    """Whether not one byte can have reached the carrier."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(error, requests.ConnectionError) and isinstance(reason, NewConnectionError)
