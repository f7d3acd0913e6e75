"""E-mail, through whatever EMAIL_BACKEND the practice has set.

Over SMTP the line may break, and then it matters when: before the text was handed over nothing
can have been sent, afterwards nobody knows. A backend of an e-mail service (anymail) speaks HTTP,
where the same question is asked of its exceptions.
"""

import smtplib
from email.utils import parseaddr

import requests
from anymail.exceptions import AnymailConfigurationError, AnymailError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from clinic.messaging import texts
from clinic.messaging.gateways.errors import GatewayError, OutcomeUnknown
from clinic.messaging.gateways.http import as_outcome
from clinic.models import OutboxMessage

# Service not available, closing the channel (RFC 5321, 4.2.1).
_CLOSING = 421


class _Watched:
    """Remembers of an SMTP line whether the whole text, with its final dot, has left us."""

    handed_over = False
    _in_data = False

    def data(self, msg):
        self.handed_over, self._in_data = False, True
        try:
            return super().data(msg)
        finally:
            self._in_data = False

    def send(self, s):
        super().send(s)
        # Commands are written as text, the message itself as bytes.
        if self._in_data and isinstance(s, bytes):
            self.handed_over = True


class _WatchedSMTP(_Watched, smtplib.SMTP):
    pass


class _WatchedSMTPS(_Watched, smtplib.SMTP_SSL):
    pass


class _SMTPBackend(EmailBackend):
    @property
    def connection_class(self):
        return _WatchedSMTPS if self.use_ssl else _WatchedSMTP


class EmailGateway:
    """One connection for a whole batch; a line the server has dropped in between is renewed."""

    def __init__(self) -> None:
        backend = get_connection(fail_silently=False)
        # Exactly Django's own: a backend derived from it keeps its own ways.
        if type(backend) is EmailBackend:
            backend = _SMTPBackend(fail_silently=False)
        self._backend = backend
        self._fresh = True
        self.name = "smtp" if isinstance(backend, EmailBackend) else type(backend).__module__[-40:]

    def deliver(self, message: OutboxMessage, link: str) -> str:
        mail = build(message, link)
        mail.connection = self._backend
        if isinstance(self._backend, EmailBackend):
            return self._by_smtp(mail)
        return self._by_service(mail)

    def close(self) -> None:
        self._fresh = True
        try:
            self._backend.close()
        except OSError:
            # Saying goodbye on a broken line; the socket is closed all the same.
            self._backend.connection = None

    def _by_smtp(self, mail: EmailMultiAlternatives) -> str:
        try:
            self._fresh = bool(self._backend.open()) or self._fresh
        except OSError as error:
            self.close()
            code = getattr(error, "smtp_code", None)
            raise GatewayError(
                permanent=False,
                code=str(code or type(error).__name__),
                text="The mail server could not be reached.",
                carrier_away=True,
            ) from error
        line = self._backend.connection
        line.handed_over = False
        try:
            self._backend.send_messages([mail])
        except smtplib.SMTPServerDisconnected as error:
            return self._cut(mail, error)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise self._refused(mail, code, "the address") from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code == _CLOSING and not self._fresh:
                return self._once_more(mail)
            raise self._refused(mail, error.smtp_code, "our sender address") from error
        except smtplib.SMTPResponseException as error:
            self._forget_transaction()
            raise self._refused(mail, error.smtp_code, "the message") from error
        except smtplib.SMTPNotSupportedError as error:
            raise GatewayError(
                permanent=True,
                code="not_supported",
                text="The mail server cannot carry this address.",
            ) from error
        except OSError as error:
            return self._cut(mail, error)
        self._fresh = False
        return mail.extra_headers["Message-ID"]

    def _cut(self, mail: EmailMultiAlternatives, error: OSError) -> str:
        line = self._backend.connection
        handed_over = line is not None and line.handed_over
        if not handed_over and not self._fresh:
            return self._once_more(mail)
        self.close()
        if handed_over:
            raise OutcomeUnknown(
                "The line broke after the mail was handed over, before the server answered."
            ) from error
        raise GatewayError(
            permanent=False,
            code="line_cut",
            text="The mail server closed the line before the mail was handed over.",
        ) from error

    def _forget_transaction(self) -> None:
        """smtplib leaves a mail whose DATA was refused half open; the next one would stumble."""
        try:
            self._backend.connection.rset()
        except OSError:
            self.close()

    def _once_more(self, mail: EmailMultiAlternatives) -> str:
        """Servers close a line after some messages or some idle time: take a new one, once."""
        self.close()
        return self._by_smtp(mail)

    def _refused(self, mail: EmailMultiAlternatives, code: int, what: str) -> GatewayError:
        self._fresh = False
        if code == _CLOSING:
            self.close()
        permanent = 500 <= code < 600
        when = "refused" if permanent else "put off"
        return GatewayError(
            permanent=permanent, code=str(code), text=f"The mail server {when} {what} ({code})."
        )

    def _by_service(self, mail: EmailMultiAlternatives) -> str:
        try:
            sent = self._backend.send_messages([mail])
        except AnymailConfigurationError as error:
            raise GatewayError(
                permanent=False,
                code="configuration",
                text="The e-mail service is not set up.",
                carrier_away=True,
            ) from error
        except (AnymailError, requests.RequestException) as error:
            raise as_outcome(error, "e-mail service") from error
        if not sent:
            raise GatewayError(
                permanent=False, code="not_taken", text="The e-mail service did not take it."
            )
        status = getattr(mail, "anymail_status", None)
        return (status and status.message_id) or mail.extra_headers["Message-ID"]


def message_id(message: OutboxMessage) -> str:
    """The mail's Message-ID: the same however often it is built, so that a receipt finds it."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{message.pk}@{domain}>"


def build(message: OutboxMessage, link: str) -> EmailMultiAlternatives:
    """The mail with both parts. A header that would break the mail is refused for good."""
    body = message.body.replace("{link}", link)
    if "\n" in message.subject_line or "\r" in message.subject_line:
        raise GatewayError(
            permanent=True, code="bad_subject", text="The subject has more than one line."
        )
    mail = EmailMultiAlternatives(
        subject=message.subject_line,
        body=body,
        to=[message.address],
        headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(texts.html_of(message, body), "text/html")
    return mail
