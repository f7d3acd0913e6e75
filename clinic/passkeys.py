"""Passkeys: signing in with the lock of one's own phone or computer.

A passkey asks for the person's finger, face or PIN, so it is enough by itself, for staff too.
django-allauth keeps and checks them; the pages and their script are ours.
"""

import json
from typing import Any
from urllib.parse import urlencode

from allauth.account.models import Login
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.sign_in_pages import AddressForm, onward_of, signed_in_lately, too_many

MOST = 10
# What the library raises, among others, at a credential that no device would send.
_NONSENSE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_DEVICES = {
    "iPhone": gettext_lazy("iPhone"),
    "iPad": gettext_lazy("iPad"),
    "Android": gettext_lazy("Android phone"),
    "Windows": gettext_lazy("Windows computer"),
    "Macintosh": gettext_lazy("Mac"),
}


class NameForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(
        label=gettext_lazy("A name for it, so that you know it again"),
        max_length=60,
        error_messages={"required": gettext_lazy("Give it a name, such as “My phone”.")},
    )


# --- signing in ----------------------------------------------------------------------------------


@never_cache
@require_safe
def options(request: HttpRequest) -> JsonResponse:
    """What the browser needs to ask for a passkey. It is the same for everybody."""
    if not ratelimit.consume(request, action="login"):
        return JsonResponse({"detail": too_many()}, status=429)
    return JsonResponse(auth.begin_authentication(user=None))


@never_cache
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let in whoever's passkey signed what ``options`` asked."""
    onward = onward_of(request)
    if request.user.is_authenticated:
        return redirect(onward or "/")
    if not ratelimit.consume(request, action="login"):
        return _not_in(request, too_many(), onward)
    form = LoginWebAuthnForm(request.POST)
    try:
        fits = form.is_valid()
    except _NONSENSE:
        fits = False
    if not fits:
        return _not_in(
            request, _("That passkey does not fit. You can sign in with a code."), onward
        )
    authenticator = form.cleaned_data["credential"]
    login = Login(user=authenticator.user, redirect_url=onward or None)
    return perform_passwordless_login(request, authenticator, login)


def _not_in(request: HttpRequest, words: str, onward: str) -> HttpResponse:
    context = {"form": AddressForm(), "problem": words, "next": onward}
    return render(request, "account/request_login_code.html", context, status=400)


# --- one's own -----------------------------------------------------------------------------------


@never_cache
@login_required
@require_safe
def passkeys(request: HttpRequest) -> HttpResponse:
    """The passkeys of whoever is signed in."""
    return _page(request)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Make a passkey on this device. Only right after signing in."""
    again = _prove_again(request)
    if again is not None:
        return again
    if _own(request).count() >= MOST:
        return _page(request, problem=_("You have many already. Remove one first."))
    form = NameForm(request.POST or None, initial={"name": _device(request)})
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            _keep(request, form.cleaned_data["name"])
        except ValidationError:
            problem = _("That did not work. Nothing was changed. Please try again.")
        else:
            return redirect(f"{reverse('passkeys')}?{urlencode({'done': 'added'})}")
    context = {
        "form": form,
        "problem": problem,
        "options": json.dumps(auth.begin_registration(request.user, True)),
    }
    status = 400 if problem or form.errors else 200
    return render(request, "account/passkey_add.html", context, status=status)


def _keep(request: HttpRequest, name: str) -> None:
    try:
        credential = json.loads(request.POST.get("credential", ""))
        auth.parse_registration_response(credential)
        binding = auth.complete_registration(credential)
    except _NONSENSE as error:
        raise ValidationError("Not a credential.") from error
    if not binding.is_user_verified():
        # Without finger, face or PIN whoever holds the device would be enough.
        raise ValidationError("Nobody was verified.")
    with transaction.atomic():
        auth.WebAuthn.add(request.user, name, credential)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Name one of one's passkeys anew, or remove it (``does``). The last one may go too."""
    found = _own(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    again = _prove_again(request)
    if again is not None:
        return again
    form = NameForm(request.POST or None, initial={"name": found.wrap().name})
    done = ""
    if request.method == "POST" and request.POST.get("does") == "remove":
        found.delete()
        done = "removed"
    elif request.method == "POST" and form.is_valid():
        found.data["name"] = form.cleaned_data["name"]
        found.save(update_fields=["data"])
        done = "named"
    if done:
        return redirect(f"{reverse('passkeys')}?{urlencode({'done': done})}")
    context = {"form": form, "passkey": found}
    status = 400 if form.errors else 200
    return render(request, "account/passkey_change.html", context, status=status)


# --- inside --------------------------------------------------------------------------------------


def _own(request: HttpRequest) -> QuerySet[Authenticator]:
    found = Authenticator.objects.filter(user=request.user, type=Authenticator.Type.WEBAUTHN)
    return found.order_by("created_at")


def _page(request: HttpRequest, problem: str = "") -> HttpResponse:
    done = {
        "added": _("Done. From now on you can sign in here without a code."),
        "named": _("The new name is saved."),
        "removed": _("Removed. It no longer opens your pages."),
    }
    context: dict[str, Any] = {
        "passkeys": _own(request),
        "problem": problem,
        "done": done.get(request.GET.get("done", ""), ""),
    }
    return render(request, "account/passkeys.html", context, status=400 if problem else 200)


def _prove_again(request: HttpRequest) -> HttpResponse | None:
    """None right after signing in; otherwise the way to prove once more who one is."""
    if signed_in_lately(request, timezone.now()):
        return None
    name = "account_reauthenticate" if request.user.has_usable_password() else "sign_in_again"
    return redirect(f"{reverse(name)}?{urlencode({'next': request.path})}")


def _device(request: HttpRequest) -> str:
    agent = request.headers.get("User-Agent", "")
    return next((str(name) for sign, name in _DEVICES.items() if sign in agent), _("My device"))
