"""Reading what people type when they are asked for an e-mail address or a mobile number."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import to_python
from phonenumbers import is_possible_number

from clinic.models.messaging import Channel

_LONGEST = 254


def read_address(typed: str) -> tuple[Channel, str]:
    """The channel and the one spelling of an address. A number without a country code is taken
    for one of the practice's country.

    Raises ValidationError with a sentence for whoever typed it.
    """
    typed = typed.replace("\0", "").strip()
    if not typed:
        raise ValidationError(_("Type your e-mail address or your mobile number."))
    if "@" in typed:
        address = typed.lower()
        try:
            validate_email(address)
        except ValidationError as error:
            raise ValidationError(
                _("This does not look like an e-mail address. It needs an @ in the middle.")
            ) from error
        return Channel.EMAIL, address[:_LONGEST]
    # Django's own list of what is a number is stricter than people's way of writing one.
    number = to_python(re.sub(r"[\s()./\u00a0-]", "", typed)[:40])
    if not number or number.country_code is None or not is_possible_number(number):
        raise ValidationError(
            _(
                "This is neither an e-mail address nor a telephone number. Write a number with its "
                "country code, such as +44 7700 900123."
            )
        )
    return Channel.SMS, number.as_e164


def masked(channel: str, address: str) -> str:
    """Enough of an address to know one's own by, and no more."""
    if channel == Channel.SMS:
        return f"{address[:3]} … {address[-3:]}"
    name, _at, house = address.partition("@")
    return f"{name[:1]}…@{house}"
