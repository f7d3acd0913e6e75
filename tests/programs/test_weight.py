"""The first page is light: it opens on a slow line, on a cheap telephone."""

import gzip
import re
import uuid
from pathlib import Path
from urllib.parse import urljoin

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.test import Client

from patients.red_flagging import answer_red_flags
from patients.red_flags import REPEATED
from programs.today import program_for, routine_for
from tests.living import at_day

LIMIT = 60_000
LINKED = re.compile(r'<(?:link|script)[^>]+?(?:href|src)="(/static/[^"]+|/[^"]+\.webmanifest)"')
# What a script or a stylesheet asks for in its turn.
ASKED_FOR = re.compile(r"""(?:from|import)\s*\(?["'](\.[^"']+)["']|url\(["']?([^"')]+)["']?\)""")


def weight(content: bytes) -> int:
    return len(gzip.compress(content, 6, mtime=0))


def files_of(page: str) -> set[str]:
    """Every static file that a first visit fetches, and what those ask for."""
    found: set[str] = set()
    waiting = [address for address in LINKED.findall(page) if address.startswith("/static/")]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        found.add(address)
        if address.endswith((".js", ".css")):
            for groups in ASKED_FOR.findall(read(address).decode()):
                asked = next(filter(None, groups))
                if not asked.startswith("data:"):
                    waiting.append(urljoin(address, asked))
    return found


def read(address: str) -> bytes:
    path = finders.find(address.removeprefix("/static/"))
    assert path, f"{address} is not there"
    return Path(path).read_bytes()


@pytest.mark.django_db
def test_the_first_page_with_its_figures_is_under_60_kb(make_program, client: Client):
    heaviest = 0
    for template in ("desk", "stability-first", "athlete"):
        program = make_program(template)
        client.force_login(program.patient.user)
        days = range(7)
        most = max(
            days,
            key=lambda n: len(
                routine_for(program=program_for(program.patient), day=at_day(n).date())
            ),
        )
        answer_red_flags(
            patient=program.patient,
            answers={question.id: "no" for question in REPEATED},
            source="weekly",
            client_id=uuid.uuid4(),
            at=at_day(most),
        )
        with time_machine.travel(at_day(most), tick=False):
            response = client.get("/")
        page = response.content.decode()
        assert "<svg" in page and "sb-figure" in page
        parts = {"the page": weight(response.content)}
        parts |= {address: weight(read(address)) for address in files_of(page)}
        heaviest = max(heaviest, sum(parts.values()))
        assert sum(parts.values()) < LIMIT, sorted(parts.items(), key=lambda p: -p[1])
    print(f"Heaviest first page: {heaviest} bytes compressed")
