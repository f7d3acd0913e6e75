"""Sign-in of staff by password and second factor, and what else the practice tells django-allauth.

Patients and carers come in by a code: ``sign_in_pages``. Anybody may use a passkey: ``passkeys``.
"""

import logging
import smtplib
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, ResetPasswordForm
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by the practice, for people it knows."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/clinic/" if request.user.is_staff else "/"

    def send_mail(self, template_prefix: str, email: str, context_: dict[str, Any]) -> None:
        """Send at once, by the practice's own mail server. Only links for a staff password go
        this way; codes go through the outbox.

        When it fails the page says the same as ever: it comes for addresses that nobody knows too.
        """
        try:
            super().send_mail(template_prefix, email, context_)
        except (smtplib.SMTPException, OSError) as error:
            # Never the address or the text: only what kind of trouble it is.
            log.error("A sign-in message could not be sent: %s", type(error).__name__)


class SecondFactor(DefaultMFAAdapter):
    """A second factor is for staff. A patient's passkey is another way in, not a second step."""

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        return getattr(user, "is_staff", False) and super().is_mfa_enabled(user, types)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        # The host of our own address, whatever a proxy made of the request's.
        return {"id": urlsplit(settings.BASE_URL).hostname or "localhost", "name": "Steadyback"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        # What the device shows when it asks which passkey to use.
        return {
            # As allauth reads it when somebody comes with the passkey.
            "id": user_pk_to_url_str(user).encode(),
            "display_name": user.name,
            "name": user.email or user.name,
        }


class StaffLoginForm(LoginForm):
    """The password form. It opens for staff only, whatever password a patient may have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_email(self, field="login")
        self.fields["password"].help_text = ""
        self.fields["password"].error_messages["required"] = _("Type your password.")
        self.fields["remember"].label = _("Keep me signed in on this computer")

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
    form.fields[field].label = _("E-mail address")
    form.fields[field].error_messages["required"] = _("Type your e-mail address.")
    form.fields[field].error_messages["invalid"] = _(
        "This does not look like an e-mail address. It needs an @, as in name@example.org."
    )
