"""The public pages around an enquiry: the form, the confirmed address, the guide.

Anybody may open them, so they tell nobody whether an address is known, and they cost whoever
misuses them more than they cost us: a field that only programs fill, a form that must be neither
too quick nor too old and is good once, limits by caller, network and address given. No other
service is asked.
"""

import ipaddress
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django import forms
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clinic import enquiries
from clinic.guide import guide_in
from clinic.language import page_language
from clinic.messaging import links
from clinic.models import Enquiry, OutboxMessage, Site
from clinic.models.messaging import Channel
from clinic.sign_in_codes import wake_sender

Kind = OutboxMessage.Kind

# Nobody reads and fills the form sooner than this; an older one is shown once more.
TOO_SOON_S, TOO_OLD_S = 3, 2 * 60 * 60
_SALT = "clinic.enquire"
# What one household or office shares, and what one provider hands to one customer.
_NETWORK = {4: 24, 6: 56}


class EnquiryForm(forms.Form):
    """``website`` is for programs only: whoever fills it is thanked, and nothing is kept."""

    use_required_attribute = False

    wish = forms.ChoiceField(
        label=gettext_lazy("I would like"),
        choices=Enquiry.Wish.choices,
        widget=forms.RadioSelect(attrs={"class": "sb-choice__input"}),
        error_messages={"required": gettext_lazy("Choose what you would like.")},
    )
    given_name = forms.CharField(
        label=gettext_lazy("First name"),
        max_length=80,
        error_messages={"required": gettext_lazy("Write your first name.")},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        label=gettext_lazy("Family name"),
        max_length=80,
        error_messages={"required": gettext_lazy("Write your family name.")},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "email",
                "inputmode": "email",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    phone = forms.CharField(
        label=gettext_lazy("Mobile number"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    site = forms.ModelChoiceField(
        label=gettext_lazy("Where"), queryset=Site.objects.none(), empty_label=None
    )
    words = forms.CharField(
        label=gettext_lazy("A few words, if you like"),
        help_text=gettext_lazy(
            "For example when we can reach you. Please write nothing about your health here."
        ),
        max_length=600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    agreed = forms.BooleanField(
        label=gettext_lazy("You may use this to answer me."),
        required=False,
    )
    website = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    form_token = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, sites: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wish"].kind = "column"
        self.fields["site"].queryset = sites
        if len(sites) == 1:
            self.fields["site"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        """Everything that is wrong is said at once."""
        said = super().clean()
        names = ("wish", "given_name", "family_name", "email", "phone", "agreed")
        asked = {name: said.get(name) or "" for name in names}
        for name, words in enquiries.problems(**{**asked, "agreed": bool(asked["agreed"])}).items():
            if name not in self.errors:
                self.add_error(name, words)
        return said


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enquire(request: HttpRequest) -> HttpResponse:
    """Ask for a call back, a first meeting or the guide."""
    sites = Site.objects.order_by("name")
    if not sites:
        raise Http404
    first = {"form_token": _new_token(), "site": sites[0]}
    form = EnquiryForm(request.POST or None, sites=sites, initial=first)
    status = 200
    if request.method == "POST":
        if form.data.get("website"):
            return redirect("enquire_sent")
        status = 400
        if form.is_valid() and (answer := _take(request, form)) is not None:
            return answer
        if _is_limit(form):
            status = 429
    context = {"form": form, "sites": sites, "done_days": enquiries.DONE_KEPT_DAYS}
    context["unconfirmed_days"] = enquiries.UNCONFIRMED_KEPT_DAYS
    return render(request, "portal/enquire.html", context, status=status)


@never_cache
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Thanks. It looks the same for everybody; ``by`` says only whether a mail is to be opened."""
    return render(request, "portal/enquire_sent.html", {"by_mail": request.GET.get("by") != "tel"})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Is the address theirs? Programs open every link in a mail, so only the button says yes."""
    at = timezone.now()
    enquiry = _behind(Kind.ENQUIRY_CONFIRM, token)
    if enquiry is None:
        return render(request, "portal/enquire_gone.html", status=404)
    translation.activate(page_language(enquiry.language))
    if request.method != "POST" and not enquiry.is_confirmed:
        return render(request, "portal/enquire_confirm.html")
    if request.method == "POST":
        enquiry = enquiries.confirm_enquiry(enquiry=enquiry, at=at)
        wake_sender()
    context = {"guide": enquiry.wish == Enquiry.Wish.GUIDE, "site": enquiry.site}
    return render(request, "portal/enquire_confirmed.html", context)


@never_cache
@require_safe
def guide(request: HttpRequest, token: str) -> HttpResponse:
    """The guide with its figures, for whoever got the link to it by mail."""
    enquiry = _behind(Kind.ENQUIRY_GUIDE, token)
    if enquiry is None:
        return render(request, "portal/enquire_gone.html", status=404)
    language = page_language(enquiry.language)
    translation.activate(language)
    site = enquiry.site
    shown = guide_in(
        language, emergency=site.emergency_number, practice=site.name, phone=site.phone
    )
    return render(request, "portal/guide.html", {"guide": shown, "site": site})


# --- taking it ---------------------------------------------------------------------------------


def _take(request: HttpRequest, form: EnquiryForm) -> HttpResponse | None:
    """Keep a form that is filled rightly; None, and the reason in the form, when not."""
    nonce = _nonce(form)
    if nonce is None:
        return None
    said = dict(form.cleaned_data)
    said.pop("website")
    said["form_token"] = nonce
    language = page_language(translation.get_language())
    known = Enquiry.objects.filter(form_token=nonce).exists()
    if not known and not _within_limits(request, said):
        form.add_error(
            None,
            forms.ValidationError(
                _("There were too many of these from here. Please wait a while, or call us."),
                code="limit",
            ),
        )
        return None
    try:
        enquiry = enquiries.make_enquiry(at=timezone.now(), language=language, **said)
    except ValidationError as error:
        form.add_error(None, error)
        return None
    wake_sender()
    return redirect(f"{_address_of_thanks()}?by={'mail' if enquiry.email else 'tel'}")


def _address_of_thanks() -> str:
    return redirect("enquire_sent").url


def _new_token() -> str:
    return signing.TimestampSigner(salt=_SALT).sign(get_random_string(24))


def _nonce(form: EnquiryForm) -> str | None:
    """What names this form, when it was opened long enough ago and not too long."""
    signer = signing.TimestampSigner(salt=_SALT)
    token = form.cleaned_data["form_token"]
    try:
        nonce = signer.unsign(token, max_age=TOO_OLD_S)
    except signing.BadSignature:
        form.data = form.data.copy()
        form.data["form_token"] = _new_token()
        form.add_error(
            None, _("This page was open for a long time. Please look at it again and send it.")
        )
        return None
    try:
        signer.unsign(token, max_age=TOO_SOON_S)
    except signing.SignatureExpired:
        return nonce
    form.add_error(None, _("That was very quick. Please press the button once more."))
    return None


def _within_limits(request: HttpRequest, said: dict[str, Any]) -> bool:
    for channel, address in (
        (Channel.EMAIL, said["email"].strip().lower()),
        (Channel.SMS, "".join(filter(str.isdigit, said["phone"]))[-9:]),
    ):
        if address and not ratelimit.consume(
            request, action="enquire", key=f"{channel.value}:{address}"
        ):
            return False
    return ratelimit.consume(request, action="enquire_network", key=_network_of(request))


def _network_of(request: HttpRequest) -> str:
    try:
        caller = ipaddress.ip_address(get_adapter().get_client_ip(request))
    except (ValueError, PermissionDenied):
        return "unknown"
    return str(ipaddress.ip_network((caller, _NETWORK[caller.version]), strict=False))


def _is_limit(form: EnquiryForm) -> bool:
    return form.has_error("__all__", code="limit")


def _behind(kind: str, token: str) -> Enquiry | None:
    message = links.message_for_enquiry(kind, token, timezone.now())
    return enquiries.of_message(message) if message else None
