"""Addresses of signing in and out. The practice keeps accounts, so what would let people make or
rename their own is closed."""

from django.urls import include, path

from clinic import passkeys, sign_in_pages
from clinic.sign_in import kept_by_practice

urlpatterns = [
    path("login/code/", sign_in_pages.ask, name="account_request_login_code"),
    path("login/code/confirm/", sign_in_pages.confirm, name="account_confirm_login_code"),
    path("login/code/who/", sign_in_pages.choose, name="sign_in_choose"),
    path("again/", sign_in_pages.again, name="sign_in_again"),
    path("passkeys/", passkeys.passkeys, name="passkeys"),
    path("passkeys/add/", passkeys.add, name="passkey_add"),
    path("passkeys/<int:pk>/", passkeys.change, name="passkey_change"),
    path("passkeys/options/", passkeys.options, name="passkey_options"),
    path("passkeys/sign-in/", passkeys.sign_in, name="passkey_sign_in"),
    # In place of allauth's own pages for the same.
    path("2fa/webauthn/", passkeys.passkeys, name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", passkeys.add, name="mfa_add_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/remove/", passkeys.change, name="mfa_remove_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/edit/", passkeys.change, name="mfa_edit_webauthn"),
    path("email/", kept_by_practice, name="account_email"),
    path("confirm-email/", kept_by_practice, name="account_email_verification_sent"),
    path("confirm-email/<str:key>/", kept_by_practice, name="account_confirm_email"),
    path("password/set/", kept_by_practice, name="account_set_password"),
    path("", include("allauth.urls")),
]
