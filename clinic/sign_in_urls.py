"""Addresses of signing in and out. The practice keeps accounts, so what would let people make or
rename their own is closed."""

from django.urls import include, path

from clinic.sign_in import kept_by_practice

urlpatterns = [
    path("email/", kept_by_practice, name="account_email"),
    path("confirm-email/", kept_by_practice, name="account_email_verification_sent"),
    path("confirm-email/<str:key>/", kept_by_practice, name="account_confirm_email"),
    path("password/set/", kept_by_practice, name="account_set_password"),
    path("", include("allauth.urls")),
]
