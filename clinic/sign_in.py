"""Sign-in: patients by a code sent to them, staff by password and second factor.

django-allauth does the work; here stand only the practice's own rules for it.
"""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, RequestLoginCodeForm
from django.http import HttpRequest

from clinic.models import Role


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by the practice, for people it knows."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/clinic/" if request.user.is_staff else "/"


class PatientCodeForm(RequestLoginCodeForm):
    """Codes by e-mail are for patients. For staff a mailbox alone must not open the portal."""

    def clean_email(self) -> str:
        email = super().clean_email()
        if self._user is not None and self._user.role != Role.PATIENT:
            # As for an unknown address: the page says the same, and nothing is sent.
            self._user = None
        return email


class StaffLoginForm(LoginForm):
    """The ordinary password form; patients have no password, so it is staff's alone."""
