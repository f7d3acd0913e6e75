"""What comes back from a page, as a person reads it and as a browser would send it on."""

import html
import re
from typing import Any

from django.forms import BaseForm
from django.http import HttpResponse


def html_of(response: HttpResponse) -> str:
    return response.content.decode()


def words(response: HttpResponse) -> str:
    """Everything a page says, in one line and without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", html_of(response))).split())


def client_id_in(response: HttpResponse) -> str:
    return re.search(r'name="client_id" value="([^"]+)"', html_of(response)).group(1)


def sent_by(form: BaseForm) -> dict[str, Any]:
    """What a browser sends of this form when nobody touches it."""
    data: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if value is True:
            data[field.html_name] = "on"
        elif not (value is None or value is False or value == ""):
            data[field.html_name] = value
    return data
