"""A carrier described by settings: what it is asked, what its answers mean, what is refused."""

import json
import re
import shlex
import urllib.parse

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from hypothesis import given
from hypothesis import strategies as st

from clinic.messaging.gateways import GatewayError, OutcomeUnknown, gateway_for
from clinic.messaging.gateways.description import PLACES, read_description, value_at
from clinic.messaging.gateways.http_line import HttpLine
from clinic.messaging.links import status_callback_for
from clinic.models.messaging import Channel
from tests.clinic.carrying import LINK, NUMBER, carry, deliver, text
from tests.faults.carriers import CUT, TextServer

JSON_FIELDS = {
    "messages": [{"destinations": ["{to}"], "sender": "{from}", "content": {"body": "{text}"}}],
    "ttl": "{valid_for_s}",
    "ref": "outbox-{id}",
    "report": {"url": "{callback}"},
    "flash": False,
    "priority": 2,
}


def describe(settings, **description) -> None:
    settings.SMS_GATEWAY = "http"
    for name, value in description.items():
        said = value if isinstance(value, str) else json.dumps(value)
        setattr(settings, f"SMS_HTTP_{name}", said)


@pytest.fixture
def carrier(settings):
    with TextServer() as server:
        describe(
            settings,
            URL=f"{server.url}/v2/messages",
            HEADERS={"Authorization": "Bearer secret"},
            FIELDS=JSON_FIELDS,
            FROM="Harbour St",
            SECRET="shared",
            SUCCESS="200,202 messages.0.state=queued|sent",
            REFERENCE="messages.0.id",
            ERROR="messages.0.error.code",
            PERMANENT="TOO_LONG, 17",
            DEAD_NUMBER="LANDLINE,unknown_number",
            STOPPED="OPTED_OUT",
        )
        yield server


@pytest.fixture
def form_carrier(carrier, settings):
    describe(
        settings,
        FORMAT="form",
        FIELDS={
            "msisdn": "{to_digits}",
            "message": "{text}",
            "ttl": "{valid_for_s}",
            "flash": True,
        },
        SUCCESS="200 result=0",
        REFERENCE="",
        ERROR="result",
    )
    return carrier


def yes(state: str = "queued", **more) -> tuple[int, dict]:
    return 202, {"messages": [{"state": state, "id": "their-1", **more}]}


def no(code: object, status: int = 400) -> tuple[int, dict]:
    return status, {"messages": [{"error": {"code": code, "text": f"{NUMBER} is wrong"}}]}


def fate(message=None):
    (what,) = carry(gateway_for(Channel.SMS), message or text())
    return what


# --- the request -----------------------------------------------------------------------------


def test_given_a_description_in_json_then_the_request_is_filled_as_it_says(carrier):
    carrier.will(yes())
    message = text()
    assert deliver(gateway_for(Channel.SMS), message) == "their-1"
    ((method, path, headers),) = carrier.asked
    assert (method, path) == ("POST", "/v2/messages")
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Type"] == "application/json"


def test_given_values_then_each_is_in_its_place_and_of_its_kind(carrier):
    carrier.will(CUT)
    message = text()
    carry(gateway_for(Channel.SMS), message)
    (asked,) = carrier.taken
    assert 7100 < asked.pop("ttl") <= 7200
    words = f"Harbour Street: Your ten minutes for today {LINK}"
    assert asked == {
        "messages": [
            {"destinations": [NUMBER], "sender": "Harbour St", "content": {"body": words}}
        ],
        "ref": f"outbox-{message.pk}",
        "report": {"url": status_callback_for(message.pk, "sms")},
        "flash": False,
        "priority": 2,
    }


def test_given_a_practice_the_carrier_cannot_reach_then_the_callback_is_left_out(carrier, settings):
    settings.TESTING = settings.DEMO = False
    settings.BASE_URL = "http://localhost:8000"
    carrier.will(CUT)
    fate()
    assert carrier.taken[0]["report"] == {}


def test_given_a_description_as_a_form_then_it_is_a_form_by_the_method_it_names(
    form_carrier, settings
):
    settings.SMS_HTTP_METHOD = "put"
    form_carrier.will(CUT)
    fate(text(body="10 % & {to} + {link}"))
    (fields,) = form_carrier.taken
    assert 7100 < int(fields.pop("ttl")) <= 7200
    assert fields == {
        "msisdn": NUMBER.removeprefix("+"),
        "message": f"10 % & {{to}} + {LINK}",
        "flash": "true",
    }
    assert form_carrier.asked[0][0] == "PUT"
    assert form_carrier.asked[0][2]["Content-Type"] == "application/x-www-form-urlencoded"


def test_given_a_form_without_a_reference_then_our_own_id_is_the_reference(form_carrier):
    form_carrier.will((200, {"result": 0}))
    message = text()
    assert deliver(gateway_for(Channel.SMS), message) == str(message.pk)


_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["{to}", '"},{"', "&to=1", "{text}{text}", "\\", "\x00\n"]
)


@given(values=st.fixed_dictionaries(dict.fromkeys(PLACES, _ANY_TEXT)), as_form=st.booleans())
def test_given_any_values_then_they_are_data_and_never_syntax(values, as_form):
    from django.test import override_settings

    template = {"a": "{to}", "b": "<{text}|{from}>", "c": "{id}{id}"}
    with override_settings(
        SMS_HTTP_URL="https://carrier.example/",
        SMS_HTTP_FORMAT="form" if as_form else "json",
        SMS_HTTP_FIELDS=json.dumps(template),
        SMS_HTTP_FROM="x",
    ):
        body = read_description().body(values)
    asked = (
        dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        if as_form
        else json.loads(body)
    )
    assert asked == {
        "a": values["to"],
        "b": f"<{values['text']}|{values['from']}>",
        "c": values["id"] * 2,
    }


# --- the answer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "permanent", "dead_address", "by_owner"),
    [
        (no("LANDLINE"), True, True, False),
        (no("unknown_number", 200), True, True, False),
        (no("OPTED_OUT"), True, True, True),
        (no("TOO_LONG"), True, False, False),
        (no(17), True, False, False),
        (no("SOMETHING"), True, False, False),
        (no("SOMETHING", 200), False, False, False),
        (no("SOMETHING", 429), False, False, False),
        (no(f"{NUMBER} is wrong", 200), False, False, False),
        ((403, "no"), False, False, False),
        ((404, "<html>"), True, False, False),
        ((307, "", {"Location": "http://127.0.0.1:9/"}), False, False, False),
    ],
)
def test_given_a_no_then_its_code_says_what_kind_it_is(
    carrier, answer, permanent, dead_address, by_owner
):
    carrier.will(answer)
    error = fate()
    assert isinstance(error, GatewayError)
    assert (error.permanent, error.dead_address, error.by_owner) == (
        permanent, dead_address, by_owner,
    )  # fmt: skip
    assert "900123" not in error.text + error.code
    assert len(carrier.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (202, "<html>Welcome to the hotel's network</html>"),
        (202, {"messages": []}),
        (202, {"messages": [{"state": "queued"}]}),
        (200, {"messages": [{"state": "thinking", "id": "1"}]}),
        (201, {"messages": [{"state": "queued", "id": "1"}]}),
        (500, {"messages": [{"error": {"code": "SOMETHING"}}]}),
        b"HTTP/1.1 202 ACCEPTED\r\nContent-Length: 500\r\n\r\n{",
        CUT,
    ],
)
def test_given_what_the_description_does_not_explain_then_nobody_knows(carrier, answer):
    carrier.will(answer)
    assert isinstance(fate(), OutcomeUnknown)
    assert len(carrier.asked) == 1


def test_given_the_same_value_for_yes_and_error_then_yes_goes_first(form_carrier, settings):
    settings.SMS_HTTP_PERMANENT = "0,9"
    form_carrier.will((200, {"result": "0"}), (200, {"result": 9}))
    assert isinstance(fate(), str)
    assert fate().permanent


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_JSON, st.text())
def test_given_any_answer_and_any_path_then_there_is_a_text_or_nothing(said, path):
    assert isinstance(value_at(said, path), str | None)


def test_given_a_path_then_it_walks_objects_and_lists():
    said = {"a": [{"b": True}, {"b": 1.5, "0": None}], "c": {"0": "x"}}
    assert value_at(said, "a.0.b") == "true"
    assert value_at(said, "a.1.b") == "1.5"
    assert value_at(said, "c.0") == "x"
    for nothing in ("a", "a.2.b", "a.b", "a.1.0", "c.0.d", "d", "a.-1.b", "a.²"):
        assert value_at(said, nothing) is None


# --- a description that cannot be meant ------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"URL": ""}, "SMS_HTTP_URL must be the whole address"),
        ({"URL": "carrier.example/send"}, "SMS_HTTP_URL must be the whole address"),
        ({"URL": "https://[oops/"}, "SMS_HTTP_URL must be the whole address"),
        ({"URL": "https://träger.example/"}, "SMS_HTTP_URL must be the whole address"),
        ({"URL": "http://carrier.example/"}, "SMS_HTTP_URL must begin with https://"),
        ({"URL": "https://me:key@carrier.example/"}, "SMS_HTTP_URL must not hold the account"),
        ({"METHOD": "GET"}, "SMS_HTTP_METHOD must be POST or PUT."),
        ({"FORMAT": "xml"}, "SMS_HTTP_FORMAT must be json or form."),
        ({"HEADERS": "Authorization: x"}, "SMS_HTTP_HEADERS must be a JSON object"),
        ({"HEADERS": {"X": 1}}, "SMS_HTTP_HEADERS must be a JSON object"),
        ({"HEADERS": {"X": "hidden\r\nY: 1"}}, "SMS_HTTP_HEADERS: “X” cannot be sent"),
        ({"HEADERS": {"Content-Length": "5"}}, "SMS_HTTP_HEADERS: “Content-Length” is set by"),
        ({"FIELDS": ""}, "SMS_HTTP_FIELDS must be a JSON object"),
        ({"FIELDS": ["{to}", "{text}"]}, "SMS_HTTP_FIELDS must be a JSON object"),
        ({"FIELDS": {"a": "{to}"}}, "SMS_HTTP_FIELDS must say where the words go: {text}."),
        ({"FIELDS": {"a": "{text}"}}, "SMS_HTTP_FIELDS must say where the number goes"),
        (
            {"FIELDS": {"a": "{to}", "b": ["{text}", {"c": "{name}"}]}},
            "SMS_HTTP_FIELDS: “{name}” is not one of {to}, ",
        ),
        (
            {"FORMAT": "form", "FIELDS": {"a": "{to}", "b": ["{text}"]}},
            "SMS_HTTP_FIELDS: a form cannot carry “b”",
        ),
        ({"FROM": ""}, "SMS_HTTP_FIELDS has {from}, so SMS_HTTP_FROM"),
        ({"SECRET": ""}, "SMS_HTTP_FIELDS has {callback}, so SMS_HTTP_SECRET"),
        ({"SUCCESS": "yes"}, "SMS_HTTP_SUCCESS must be statuses"),
        ({"SUCCESS": "404"}, "SMS_HTTP_SUCCESS must be statuses"),
        ({"SUCCESS": "200 a..b=1"}, "SMS_HTTP_SUCCESS names a place"),
        ({"REFERENCE": "a."}, "SMS_HTTP_REFERENCE names a place"),
        ({"ERROR": ""}, "SMS_HTTP_PERMANENT needs SMS_HTTP_ERROR"),
    ],
)
def test_given_a_description_that_cannot_be_meant_then_nothing_starts_and_a_sentence_says_why(
    carrier, settings, changes, sentence
):
    call_command("check")
    describe(settings, **changes)
    with pytest.raises(SystemCheckError) as refused:
        call_command("check")
    assert sentence in str(refused.value)
    assert "Bearer secret" not in str(refused.value) and "hidden" not in str(refused.value)
    with pytest.raises(GatewayError) as unusable:
        gateway_for(Channel.SMS)
    assert unusable.value.text.startswith(sentence)
    assert carrier.asked == []


def test_given_several_mistakes_then_each_has_its_sentence(carrier, settings):
    describe(settings, METHOD="GET", FORMAT="xml", SUCCESS="")
    with pytest.raises(SystemCheckError) as refused:
        call_command("check")
    assert str(refused.value).count("SMS_HTTP_") == 3


# --- the document ----------------------------------------------------------------------------

DOCUMENT = (settings.BASE_DIR / "docs" / "carriers.md").read_text()


def blocks(title: str) -> list[str]:
    """The four blocks of an example: settings, request, a yes, a no."""
    section = re.split(r"^##+ ", DOCUMENT.partition(f"### {title}\n")[2], flags=re.MULTILINE)[0]
    return re.findall(r"^```\w+\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("title", ["Example: JSON", "Example: a form"])
def test_given_an_example_of_the_document_then_it_asks_and_understands_as_it_says(settings, title):
    described, request, yes_said, no_said = blocks(title)
    for line in shlex.split(described):
        name, _, value = line.partition("=")
        assert hasattr(settings, name)
        setattr(settings, name, value)
    call_command("check")
    pk = "3f0c9a52-8f3e-4f63-9a53-2b1c7f0d6c11"
    about = read_description()
    body = about.body(
        {
            "to": NUMBER,
            "to_digits": NUMBER.removeprefix("+"),
            "from": settings.SMS_HTTP_FROM,
            "text": "Your ten minutes for today: https://physio.example/r/x",
            "id": pk,
            "valid_for_s": 7200,
            "callback": f"https://physio.example/hooks/sms/status/{pk}",
        }
    ).decode()
    if settings.SMS_HTTP_FORMAT == "json":
        assert json.loads(body) == json.loads(request)
    else:
        assert body == request.strip()
    status = min(about.statuses)
    assert about.succeeded(status, json.loads(yes_said))
    assert value_at(json.loads(yes_said), about.reference_at)
    assert not about.succeeded(status, json.loads(no_said))
    assert value_at(json.loads(no_said), about.error_at) in about.dead_number


def test_given_the_class_of_the_document_then_it_carries_a_text(settings):
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    room: dict = {}
    exec(code.replace("…", "key"), room)
    with TextServer() as server:
        gateway = room["HeronGateway"]()
        gateway._line = HttpLine(carrier="c", url=server.url, headers={}, lines=1)
        server.will((200, "OK 17"))
        assert deliver(gateway, text()) == "17"
        server.will((400, ""))
        with pytest.raises(GatewayError):
            deliver(gateway, text())


def test_given_the_settings_then_the_document_names_each():
    named = set(re.findall(r"SMS_HTTP_[A-Z_]+|TWILIO_[A-Z_]+", DOCUMENT))
    # Those of receipts and of incoming texts have a document of their own.
    elsewhere = ("SMS_HTTP_IN_", "SMS_HTTP_STATUS_", "SMS_HTTP_SIGNATURE_HEADER")
    for name in dir(settings):
        if name.startswith(("SMS_HTTP_", "TWILIO_")) and not name.startswith(elsewhere):
            assert name in named
