"""The walls of the house: imports, model relations, migrations, glossary, files of one room."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import ForeignKey, ManyToManyField, OneToOneField

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["clinic", "patients", "programs"]
SOURCES = [
    path
    for room in [*ROOMS, "config"]
    for path in sorted((ROOT / room).rglob("*.py"))
    if "migrations" not in path.parts
]


def test_rooms_import_one_way_and_rules_know_no_django():
    # In a process of its own: it sets up logging anew, and what other tests log would be lost.
    look = (
        "import sys; from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(no_cache=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_model_relation_runs_upward():
    height = {room: place for place, room in enumerate(ROOMS)}
    wrong = []
    for model in apps.get_models():
        here = model._meta.app_label
        if here not in height:
            continue
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey | OneToOneField | ManyToManyField):
                there = field.related_model._meta.app_label
                if height.get(there, -1) > height[here]:
                    wrong.append(f"{model.__name__}.{field.name} → {there}")
    assert wrong == []


@pytest.mark.django_db
def test_no_change_of_a_model_is_without_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_pure_rules_read_no_clock():
    pure = [
        "programs/progression.py",
        "programs/gates.py",
        "programs/ladder.py",
        "programs/adherence.py",
        "programs/asked_for.py",
        "programs/cadence.py",
        "programs/routine.py",
        "programs/classifying.py",
        "programs/charts.py",
        "programs/threshold_words.py",
        "programs/policy_checks.py",
        "programs/policy_files.py",
        "programs/comparing.py",
        "programs/simulating.py",
        "programs/trends.py",
        "programs/progress_words.py",
        "patients/measures.py",
        "patients/screening.py",
        "patients/red_flags.py",
        "patients/asking_schedule.py",
        "programs/needs.py",
        "programs/sparklines.py",
        "programs/limits.py",
        "programs/overrides.py",
        "programs/taper.py",
        "programs/difference.py",
        "programs/criteria.py",
        "programs/outcomes.py",
        "programs/authoring_rules.py",
        "programs/template_rules.py",
        "patients/csv_files.py",
        "patients/import_cells.py",
        "clinic/duty.py",
        "clinic/escalation.py",
        "clinic/opening.py",
        "clinic/quiet_hours.py",
    ]
    for name in pure:
        calls = {
            node.func.attr
            for node in ast.walk(ast.parse((ROOT / name).read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not calls & {"now", "today", "utcnow"}, f"{name} reads a clock"


# The words of the glossary that names must not use, with what to say instead (docs/glossary.md).
WORDS_TO_AVOID = {
    "client": "patient",
    "customer": "patient",
    "workout": "routine",
    "movement_type": "movement class",
    "protocol": "program template",
    "recommendation": "decision",
    "tenant": "site",
    "organisation": "practice",
    "provider": "staff",
}
# Not a patient: the device that sends, and a library's own argument.
ALLOWED_NAMES = {"client_id", "client", "http_client", "protocol"}


def test_names_are_the_words_of_the_glossary():
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                words = re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", node.name).lower())
                wrong += [
                    f"{path.relative_to(ROOT)}: {node.name}: say “{WORDS_TO_AVOID[word]}”"
                    for word in words
                    if word in WORDS_TO_AVOID and node.name not in ALLOWED_NAMES
                ]
    assert wrong == []


def test_no_file_is_a_warehouse():
    long = [
        f"{path.relative_to(ROOT)} ({len(path.read_text().splitlines())})"
        for path in SOURCES
        if len(path.read_text().splitlines()) > 500
    ]
    assert long == []


def test_every_module_says_why_it_exists():
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


PATIENT_TEXTS = [
    *sorted((ROOT / "templates" / "portal").rglob("*.html")),
    *sorted((ROOT / "templates" / "account").rglob("*.*")),
    *sorted((ROOT / "templates" / "email").rglob("*.*")),
    *sorted((ROOT / "templates" / "sms").rglob("*.*")),
    ROOT / "programs" / "progression.py",
    ROOT / "patients" / "red_flags.py",
    ROOT / "programs" / "meaning.py",
    ROOT / "programs" / "answer_forms.py",
]
NEVER_SAID = re.compile(
    r"\b(damag\w*|unstable|weak|dangerous|non-compliant|diagnos\w*)\b", re.IGNORECASE
)


@pytest.mark.parametrize("path", PATIENT_TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_patients_never_read_a_word_that_frightens(path):
    text = path.read_text()
    if path.suffix == ".py":
        text = " ".join(
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        text = text.replace(ast.get_docstring(ast.parse(path.read_text())) or "", "")
    assert NEVER_SAID.findall(text) == []


def test_pages_have_no_inline_script_or_style():
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group(0)[:40]}"
        for path in (ROOT / "templates").rglob("*.html")
        if "email" not in path.parts
        for found in re.finditer(
            r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", path.read_text()
        )
    ]
    assert wrong == []
