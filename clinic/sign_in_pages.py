"""The patient's way in: an address, the code that was sent there, and whose page it is.

What happens to an address that nobody knows, and to one that somebody knows, looks the same until
a right code was typed. What a try has come to is kept in the browser session.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from allauth.account.internal.flows.login import (
    get_authentication_records,
    perform_login,
    record_authentication,
)
from allauth.account.models import Login
from allauth.core import ratelimit
from django import forms
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.addresses import masked, read_address
from clinic.models import User
from clinic.models.messaging import Channel
from clinic.sign_in_codes import VALID_FOR, Account, accounts_at, is_right, send_code, ways_to

TRY = "sign_in_try"
MOST_WRONG, MOST_AGAIN = 3, 2


class AddressForm(forms.Form):
    use_required_attribute = False

    address = forms.CharField(
        label=gettext_lazy("E-mail address or mobile number"),
        max_length=254,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username webauthn",
                "inputmode": "email",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "address" in cleaned:
            try:
                cleaned["channel"], cleaned["address"] = read_address(cleaned["address"])
            except ValidationError as error:
                self.add_error("address", error)
        return cleaned


class CodeForm(forms.Form):
    use_required_attribute = False

    code = forms.CharField(
        label=gettext_lazy("Your code, 6 figures"),
        max_length=20,
        error_messages={"required": gettext_lazy("Type the code.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


# --- asking ------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Type an address; a code goes there if it is one we know."""
    onward = onward_of(request)
    if request.user.is_authenticated:
        return redirect(onward or "/")
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        channel, address = form.cleaned_data["channel"], form.cleaned_data["address"]
        accounts = accounts_at(channel, address)
        answer = start_try(request, channel, address, accounts, shown=address, onward=onward)
        if answer is not None:
            return answer
        form.add_error(None, too_many())
    status = 400 if form.errors else 200
    return render(
        request,
        "account/request_login_code.html",
        {"form": form, "next": onward},
        status=status,
    )


def start_try(
    request: HttpRequest,
    channel: str,
    address: str,
    accounts: Sequence[Account],
    *,
    shown: str,
    onward: str = "",
    only: Sequence[int] | None = None,
) -> HttpResponse | None:
    """Send a code and lead to the page for it; None when too many were asked for.

    ``only`` (keys of users) is set where it is known who is meant, and said so: of those the code
    lets in nobody else. ``shown`` is how the page names the address.
    """
    if not ratelimit.consume(request, action="request_login_code", key=f"{channel}:{address}"):
        return None
    at = timezone.now()
    message_id = send_code(channel=channel, address=address, accounts=accounts, at=at)
    request.session[TRY] = {
        "channel": str(channel),
        "address": address,
        "shown": shown,
        "only": None if only is None else list(only),
        "message": str(message_id) if message_id else "",
        "at": at.isoformat(),
        "id": get_random_string(16),
        "again": 0,
        "right": False,
        "next": onward,
    }
    return redirect("account_confirm_login_code")


def too_many() -> str:
    return _("Too many codes were asked for. Wait a few minutes. Then try again.")


# --- typing the code ---------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Type the code. Three wrong ones, or fifteen minutes, end the try."""
    held = request.session.get(TRY)
    if not held:
        return redirect("account_request_login_code")
    if held["right"]:
        return redirect("sign_in_choose")
    if _is_over(held):
        return _end(request, _("This code is too old now. Ask for a new one."))
    if request.method == "POST" and request.POST.get("action") == "again":
        return _send_again(request, held)
    if request.method == "POST" and request.POST.get("action") == "other":
        request.session.pop(TRY, None)
        return redirect("account_request_login_code")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = _times_typed(held)
        if typed > MOST_WRONG:
            return _end(request, _three_wrong())
        accounts = _let_in(held)
        message_id = uuid.UUID(held["message"]) if held["message"] else None
        if is_right(message_id=message_id, typed=form.cleaned_data["code"]) and accounts:
            return _welcome(request, held, accounts)
        if typed == MOST_WRONG:
            return _end(request, _three_wrong())
        form.add_error("code", _("This is not the code. Look at the newest message from us."))
    context = {
        "form": form,
        "held": held,
        "by_text": held["channel"] == Channel.SMS,
        "can_send_again": held["again"] < MOST_AGAIN,
    }
    status = 400 if form.errors else 200
    return render(request, "account/confirm_login_code.html", context, status=status)


def _times_typed(held: dict[str, Any]) -> int:
    """How often a code was typed in this try, this time included. Not counted in the session:
    requests sent all at once would each find it as it was before."""
    key = f"sign_in_typed:{held['id']}"
    # Longer than a try can last with all its new codes.
    cache.add(key, 0, timeout=VALID_FOR.total_seconds() * (MOST_AGAIN + 2))
    return cache.incr(key)


def _three_wrong() -> str:
    return _("That was not the code, three times. Ask for a new one.")


def _send_again(request: HttpRequest, held: dict[str, Any]) -> HttpResponse:
    key = f"{held['channel']}:{held['address']}"
    if held["again"] >= MOST_AGAIN or not ratelimit.consume(
        request, action="request_login_code", key=key
    ):
        return _end(request, too_many())
    at = timezone.now()
    message_id = send_code(
        channel=held["channel"], address=held["address"], accounts=_let_in(held), at=at
    )
    held |= {
        "message": str(message_id) if message_id else "",
        "at": at.isoformat(),
        "again": held["again"] + 1,
    }
    request.session[TRY] = held
    return redirect("account_confirm_login_code")


def _let_in(held: dict[str, Any]) -> list[Account]:
    """Whom the address lets in now; since the code was sent somebody may have been removed."""
    accounts = accounts_at(held["channel"], held["address"])
    if held["only"] is None:
        return accounts
    return [account for account in accounts if account.user.pk in held["only"]]


def _is_over(held: dict[str, Any]) -> bool:
    sent_at = parse_datetime(held["at"])
    return sent_at is None or timezone.now() - sent_at > VALID_FOR


def _end(request: HttpRequest, words: str) -> HttpResponse:
    held = request.session.pop(TRY, None) or {}
    form = AddressForm()
    context = {"form": form, "problem": words, "next": held.get("next", "")}
    return render(request, "account/request_login_code.html", context, status=400)


# --- who of the family -------------------------------------------------------------------------


def _welcome(
    request: HttpRequest, held: dict[str, Any], accounts: Sequence[Account]
) -> HttpResponse:
    if len(accounts) == 1:
        return _sign_in(request, held, accounts[0].user)
    held |= {"right": True, "at": timezone.now().isoformat()}
    request.session[TRY] = held
    return redirect("sign_in_choose")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Several people share the address: which of them is it? Asked after the right code only."""
    held = request.session.get(TRY)
    if not held or not held["right"]:
        return redirect("account_request_login_code")
    if _is_over(held):
        return _end(request, _("That took too long. Ask for a new code."))
    accounts = _let_in(held)
    if request.method == "POST":
        for account in accounts:
            if str(account.user.pk) == request.POST.get("who"):
                return _sign_in(request, held, account.user)
    status = 400 if request.method == "POST" else 200
    people = [account.user for account in accounts]
    return render(request, "account/choose_who.html", {"people": people}, status=status)


def _sign_in(request: HttpRequest, held: dict[str, Any], user: User) -> HttpResponse:
    request.session.pop(TRY, None)
    record_authentication(request, user, method="code")
    onward = held["next"]
    if request.user.is_authenticated and request.user.pk == user.pk:
        return redirect(onward or "/")
    return perform_login(request, Login(user=user, redirect_url=onward or None))


# --- a person who is known already -------------------------------------------------------------


def offer_codes(
    request: HttpRequest, user: User, *, template: str, onward: str = "", **context: Any
) -> HttpResponse:
    """A page that offers to send a code to one known person; it shows no whole address.

    A post with ``way`` (the number of an address) sends it.
    """
    ways = ways_to(user)
    if request.method == "POST":
        number = request.POST.get("way", "")
        if number.isdecimal() and int(number) < len(ways):
            channel, address = ways[int(number)]
            accounts = [a for a in accounts_at(channel, address) if a.user.pk == user.pk]
            shown = masked(channel, address)
            answer = start_try(
                request, channel, address, accounts, shown=shown, onward=onward, only=[user.pk]
            )
            if answer is not None:
                return answer
        context["problem"] = too_many()
    shown_ways = [
        {"number": number, "by_text": channel == Channel.SMS, "shown": masked(channel, address)}
        for number, (channel, address) in enumerate(ways)
    ]
    status = 400 if request.method == "POST" else 200
    return render(request, template, {"ways": shown_ways, "next": onward, **context}, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """Prove once more who one is, before the way of signing in is changed."""
    return offer_codes(
        request, request.user, template="account/code_again.html", onward=onward_of(request)
    )


# --- signed in a moment ago --------------------------------------------------------------------


def signed_in_lately(request: HttpRequest, at: dt.datetime) -> bool:
    """Whether whoever holds this device proved in the last quarter of an hour who they are."""
    newest = max((r["at"] for r in get_authentication_records(request, request.user)), default=0)
    return at.timestamp() - newest < VALID_FOR.total_seconds()


def onward_of(request: HttpRequest) -> str:
    """Where to go afterwards, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours and wanted.startswith("/") else ""
