"""Which gateway a practice gets, and what it hears when there is none."""

import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from clinic.messaging.gateways import GatewayError, gateway_for
from clinic.models import DemoDelivery
from clinic.models.messaging import Channel
from tests.clinic.carrying import LINK, NUMBER, deliver, text
from tests.faults.carriers import environment


class Pigeon:
    """A gateway as a practice may write its own."""

    name = "pigeon"
    lines = 1

    async def deliver(self, message, link):
        return f"pigeon for {message.address}"

    async def close(self):
        pass


class Unwilling(Pigeon):
    def __init__(self):
        raise KeyError("number of a patient")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SMS_GATEWAY": ""}, "No text message carrier is set up."),
        ({"SMS_GATEWAY": "pigeon"}, "“pigeon” is not a text message carrier we know."),
        (
            {"SMS_GATEWAY": f"{__name__}.Raven"},
            f"“{__name__}.Raven” is not a text message carrier we know.",
        ),
        (
            {
                "SMS_GATEWAY": "twilio",
                "TWILIO_ACCOUNT_SID": "AC1",
                "TWILIO_AUTH_TOKEN": "",
                "TWILIO_FROM": "+15005550006",
            },
            "Twilio is not set up: TWILIO_AUTH_TOKEN is missing.",
        ),
        (
            {"SMS_GATEWAY": "demo", "DEMO": False, "TESTING": False},
            "The demo carrier works only in a demo practice.",
        ),
        ({"SMS_GATEWAY": "http", "SMS_HTTP_METHOD": "GET"}, "SMS_HTTP_URL must be the whole"),
    ],
)
def test_given_no_working_carrier_then_it_says_so(settings, changes, words):
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(GatewayError) as refused:
        gateway_for(Channel.SMS)
    assert refused.value.permanent
    assert refused.value.text.startswith(words)


def test_given_a_class_of_the_practices_own_then_it_carries_the_texts(settings):
    settings.SMS_GATEWAY = f"{__name__}.Pigeon"
    assert deliver(gateway_for(Channel.SMS), text()) == f"pigeon for {NUMBER}"
    call_command("check")


def test_given_a_class_of_the_practices_own_that_breaks_then_only_its_channel_waits(settings):
    settings.SMS_GATEWAY = f"{__name__}.Unwilling"
    with pytest.raises(GatewayError) as unwilling:
        gateway_for(Channel.SMS)
    assert (unwilling.value.permanent, unwilling.value.carrier_away) == (False, True)
    assert unwilling.value.text == f"“{__name__}.Unwilling” could not be started (KeyError)."


def test_given_an_e_mail_backend_that_is_not_there_then_the_carrier_is_away(settings):
    settings.EMAIL_BACKEND = "no.such.Backend"
    with pytest.raises(GatewayError) as away:
        gateway_for(Channel.EMAIL)
    assert (away.value.permanent, away.value.carrier_away) == (False, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SMS_GATEWAY": "pigeon"}, "not “pigeon”"),
        ({"SMS_GATEWAY": f"{__name__}.Raven"}, f"not there: {__name__}.Raven."),
        ({"EMAIL_BACKEND": "no.such.Backend"}, "not there: no.such.Backend."),
        ({"SMS_IN_FLIGHT": 0}, "SMS_IN_FLIGHT must be at least 1."),
    ],
)
def test_given_a_carrier_that_cannot_be_meant_then_nothing_starts(settings, changes, words):
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(SystemCheckError, match=words):
        call_command("check")


@pytest.mark.queue
def test_given_settings_that_cannot_be_meant_then_a_worker_says_so_and_ends():
    worker = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency=1"],
        env=environment(0, SMS_GATEWAY="pigeon"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert worker.returncode == 1
    assert "SMS_GATEWAY must be twilio, http, demo, or a class of your own" in worker.stderr


# The gateway writes from a thread of its own, which a test's transaction would not let it see.
@pytest.mark.django_db(transaction=True)
def test_given_the_demo_carrier_then_a_text_is_on_the_demo_page_once(settings):
    settings.SMS_GATEWAY, settings.DEMO = "demo", True
    reference = deliver(gateway_for(Channel.SMS), text())
    delivery = DemoDelivery.objects.get()
    assert delivery.reference == reference
    assert (delivery.address, delivery.channel) == (NUMBER, "sms")
    assert delivery.text.endswith(LINK)
