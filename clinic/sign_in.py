"""Sign-in: patients by a code sent to them, staff by password and second factor.

django-allauth does the work; here stand only the practice's own rules for it.
"""

import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, RequestLoginCodeForm, ResetPasswordForm
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clinic.models import Role

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by the practice, for people it knows."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/clinic/" if request.user.is_staff else "/"

    def send_mail(self, template_prefix: str, email: str, context_: dict[str, Any]) -> None:
        """Send at once, by the practice's own mail server; when that fails, the page says so."""
        try:
            super().send_mail(template_prefix, email, context_)
        except (smtplib.SMTPException, OSError) as error:
            # Never the address or the text: only what kind of trouble it is.
            log.error("A sign-in message could not be sent: %s", type(error).__name__)
            page = render(context.request, "account/not_sent.html", status=503)
            raise ImmediateHttpResponse(page) from error


class PatientCodeForm(RequestLoginCodeForm):
    """Codes by e-mail are for patients. For staff a mailbox alone must not open the portal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_email(self)

    def clean_email(self) -> str:
        email = super().clean_email()
        if self._user is not None and self._user.role != Role.PATIENT:
            # As for an unknown address: the page says the same, and nothing is sent.
            self._user = None
        return email


class StaffLoginForm(LoginForm):
    """The password form. It opens for staff only, whatever password a patient may have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_email(self, field="login")
        self.fields["password"].help_text = ""
        self.fields["password"].error_messages["required"] = "Type your password."
        self.fields["remember"].label = "Keep me signed in on this computer"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if getattr(self, "user", None) is not None and not self.user.is_staff:
            self.user = None
            raise self._wrong()
        return cleaned

    def _wrong(self) -> Exception:
        from allauth.account.adapter import get_adapter

        return get_adapter().validation_error("email_password_mismatch")


class StaffResetForm(ResetPasswordForm):
    """Only staff have passwords; to anybody else the page says the same and sends nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_email(self)

    def clean_email(self) -> str:
        email = super().clean_email()
        self.users = [user for user in self.users if user.is_staff]
        return email


@require_GET
@login_required
def kept_by_practice(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Stands where allauth would let people change the address they sign in with."""
    return render(request, "account/email_by_practice.html", status=403)


def _name_email(form: Any, field: str = "email") -> None:
    form.fields[field].label = "E-mail address"
    form.fields[field].error_messages["required"] = "Type your e-mail address."
    form.fields[field].error_messages["invalid"] = (
        "This does not look like an e-mail address. It needs an @, as in name@example.org."
    )
