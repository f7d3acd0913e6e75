"""How a plain HTTP carrier wants to be asked and what its answers mean, as the settings say it.

The settings are read whole before anything is sent, and every mistake in them has a sentence.
docs/carriers.md explains each of them with examples.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

# What a field may hold of a message.
PLACES = ("to", "to_digits", "from", "text", "id", "valid_for_s", "callback")
_PLACE = re.compile(r"\{([^{}]*)\}")
_SUCCESS = re.compile(r"(2\d\d(?:\s*,\s*2\d\d)*)(?:\s+([^\s=]+)=(\S.*))?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# What belongs to the request itself, and would break it if it were set by hand.
_OURS = {"content-length", "host", "transfer-encoding", "connection", "accept-encoding"}
_CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
# Left out of the request, with its field.
_NOTHING = object()

Values = Mapping[str, str | int | None]


class WrongDescription(Exception):
    """``sentences`` says of each mistake what to put right."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclasses.dataclass(frozen=True)
class Description:
    url: str
    method: str
    headers: dict[str, str]
    body: Callable[[Values], bytes]
    statuses: frozenset[int]
    # Where an answer says yes, and the values that mean it; empty when the status says it all.
    success_at: str
    success_values: frozenset[str]
    reference_at: str
    error_at: str
    permanent: frozenset[str]
    dead_number: frozenset[str]
    stopped: frozenset[str]

    def succeeded(self, status: int, said: object) -> bool:
        if status not in self.statuses:
            return False
        return not self.success_at or value_at(said, self.success_at) in self.success_values


def value_at(said: object, path: str) -> str | None:
    """The value at a path such as ``messages.0.status`` in an answer, as text.

    None when there is nothing, or something that is no single value.
    """
    here = said
    for step in path.split("."):
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and step.isascii() and step.isdigit() and len(step) < 6:
            here = here[int(step)] if int(step) < len(here) else None
        else:
            return None
    if isinstance(here, bool):
        return str(here).lower()
    return str(here) if isinstance(here, str | int | float) else None


def read_description() -> Description:
    """The description in the settings. WrongDescription lists everything that is wrong in it."""
    wrong: list[str] = []
    url = _read_url(wrong)
    method = settings.SMS_HTTP_METHOD.upper()
    if method not in ("POST", "PUT"):
        # A GET has number and words in its address, and addresses are logged on their way.
        wrong.append("SMS_HTTP_METHOD must be POST or PUT.")
    if settings.SMS_HTTP_FORMAT not in _CONTENT_TYPES:
        wrong.append("SMS_HTTP_FORMAT must be json or form.")
    headers = _read_headers(wrong)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = _CONTENT_TYPES.get(settings.SMS_HTTP_FORMAT, "")
    body = _read_fields(wrong)
    success = _SUCCESS.fullmatch(settings.SMS_HTTP_SUCCESS.strip())
    if success is None:
        wrong.append(
            "SMS_HTTP_SUCCESS must be statuses from 200 to 299, such as “200,201”, and may go on "
            "with a place in the answer and its values, such as “200 messages.0.status=0|ok”."
        )
    statuses, success_at, values = success.groups() if success else ("", "", "")
    lists = _read_error_lists(wrong)
    paths = {
        "SMS_HTTP_SUCCESS": success_at or "",
        "SMS_HTTP_REFERENCE": settings.SMS_HTTP_REFERENCE.strip(),
        "SMS_HTTP_ERROR": settings.SMS_HTTP_ERROR.strip(),
    }
    for name, path in paths.items():
        if path and not all(path.split(".")):
            wrong.append(f"{name} names a place in the answer, such as “messages.0.id”.")
    if wrong:
        raise WrongDescription(wrong)
    return Description(
        url=url,
        method=method,
        headers=headers,
        body=body,
        statuses=frozenset(int(status) for status in statuses.split(",")),
        success_at=paths["SMS_HTTP_SUCCESS"],
        success_values=frozenset(value.strip() for value in (values or "").split("|")),
        reference_at=paths["SMS_HTTP_REFERENCE"],
        error_at=paths["SMS_HTTP_ERROR"],
        **lists,
    )


def _read_url(wrong: list[str]) -> str:
    url = settings.SMS_HTTP_URL.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    is_host = host and re.fullmatch(r"[\w.:-]+", host, re.ASCII)
    if not is_host or parts.scheme not in ("https", "http"):
        wrong.append(
            "SMS_HTTP_URL must be the whole address texts are sent to, such as "
            "“https://api.carrier.example/messages”."
        )
    elif parts.scheme == "http" and host not in ("127.0.0.1", "::1", "localhost"):
        wrong.append("SMS_HTTP_URL must begin with https://, as numbers and words go there.")
    if parts.username or parts.password:
        wrong.append("SMS_HTTP_URL must not hold the account; put it into SMS_HTTP_HEADERS.")
    return url


def _read_headers(wrong: list[str]) -> dict[str, str]:
    headers = _json("SMS_HTTP_HEADERS", settings.SMS_HTTP_HEADERS or "{}")
    if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
        wrong.append(
            "SMS_HTTP_HEADERS must be a JSON object of texts, such as "
            '{"Authorization": "Bearer …"}.'
        )
        return {}
    for name, value in headers.items():
        # The value may be a secret, so no sentence quotes it.
        if not _HEADER_NAME.fullmatch(name) or not value.isprintable() or not value.isascii():
            wrong.append(f"SMS_HTTP_HEADERS: “{name}” cannot be sent as a header.")
        elif name.lower() in _OURS:
            wrong.append(f"SMS_HTTP_HEADERS: “{name}” is set by Steadyback itself.")
    return dict(headers)


def _read_error_lists(wrong: list[str]) -> dict[str, frozenset[str]]:
    lists = {}
    for name in ("permanent", "dead_number", "stopped"):
        setting = f"SMS_HTTP_{name.upper()}"
        said = getattr(settings, setting)
        lists[name] = frozenset(value.strip() for value in said.split(",") if value.strip())
        if lists[name] and not settings.SMS_HTTP_ERROR.strip():
            wrong.append(f"{setting} needs SMS_HTTP_ERROR, the place of the code in the answer.")
    return lists


def _read_fields(wrong: list[str]) -> Callable[[Values], bytes]:
    template = _json("SMS_HTTP_FIELDS", settings.SMS_HTTP_FIELDS)
    if not isinstance(template, dict) or not template:
        wrong.append(
            "SMS_HTTP_FIELDS must be a JSON object with the fields of the request, such as "
            '{"to": "{to}", "text": "{text}"}.'
        )
        return lambda values: b""
    places = set(_places_in(template))
    for unknown in sorted(places - set(PLACES)):
        known = ", ".join(f"{{{name}}}" for name in PLACES)
        wrong.append(f"SMS_HTTP_FIELDS: “{{{unknown}}}” is not one of {known}.")
    if not places & {"to", "to_digits"}:
        wrong.append("SMS_HTTP_FIELDS must say where the number goes: {to} or {to_digits}.")
    if "text" not in places:
        wrong.append("SMS_HTTP_FIELDS must say where the words go: {text}.")
    if "from" in places and not settings.SMS_HTTP_FROM:
        wrong.append("SMS_HTTP_FIELDS has {from}, so SMS_HTTP_FROM must name the sender.")
    if "callback" in places and not settings.SMS_HTTP_SECRET:
        wrong.append(
            "SMS_HTTP_FIELDS has {callback}, so SMS_HTTP_SECRET must be the secret the carrier "
            "signs its calls with."
        )
    if settings.SMS_HTTP_FORMAT == "form":
        for name, value in template.items():
            if isinstance(value, dict | list) or value is None:
                wrong.append(f"SMS_HTTP_FIELDS: a form cannot carry “{name}”, which is no text.")
        return lambda values: _as_form(_filled(template, values))
    return lambda values: json.dumps(_filled(template, values), separators=(",", ":")).encode()


def _json(setting: str, said: str) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return None


def _places_in(node: object) -> list[str]:
    if isinstance(node, str):
        return _PLACE.findall(node)
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [place for part in inner for place in _places_in(part)]


def _filled(node: Any, values: Values) -> Any:
    """The template with the message in it. Values are put in once and never read as template."""
    if isinstance(node, str):
        alone = _PLACE.fullmatch(node)
        if alone:
            value = values[alone[1]]
            return _NOTHING if value is None else value
        return _PLACE.sub(lambda place: str(values[place[1]] or ""), node)
    if isinstance(node, dict):
        parts = ((name, _filled(part, values)) for name, part in node.items())
        return {name: part for name, part in parts if part is not _NOTHING}
    if isinstance(node, list):
        return [part for part in (_filled(part, values) for part in node) if part is not _NOTHING]
    return node


def _as_form(fields: dict[str, Any]) -> bytes:
    plain = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in fields.items()
    }
    return urlencode(plain).encode("ascii")
