"""No line of the log says what a person wrote, whatever goes wrong."""

import logging

import pytest
from django.conf import settings
from django.db import IntegrityError

from config.logs import WithoutWords

SECRET = "Failing row contains (pain_during 9, numb since Tuesday)"


def line(message: str, *args: object) -> str:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise IntegrityError(SECRET) from error
    except IntegrityError as error:
        found = (type(error), error, error.__traceback__)
    record = logging.LogRecord("any", logging.ERROR, __file__, 1, message, args, found)
    # As another handler leaves it behind.
    record.exc_text = f"Traceback: {SECRET}"
    return WithoutWords("%(levelname)s %(message)s").format(record)


def test_given_an_exception_then_its_kind_and_lines_are_written_and_not_its_text():
    said = line("Internal Server Error: %s", "/check-in/after/")
    assert "Internal Server Error: /check-in/after/" in said
    assert "IntegrityError ← ValueError" in said and "test_logs.py" in said
    assert "numb" not in said


def test_given_a_failed_task_then_its_line_has_no_text_of_the_exception_either():
    exc = f"IntegrityError({SECRET!r})"
    said = line("Task %(name)s raised unexpected: %(exc)s", {"name": "consider_all", "exc": exc})
    assert "Task consider_all raised unexpected: IntegrityError ← ValueError" in said
    assert "numb" not in said


def test_given_the_settings_then_nothing_else_writes_errors_down():
    """Django's own handler would mail the whole request to the administrators."""
    assert settings.LOGGING["formatters"]["line"]["()"] == "config.logs.WithoutWords"
    assert logging.getLogger("django").handlers == []
    assert settings.CELERY_WORKER_HIJACK_ROOT_LOGGER is False


@pytest.mark.parametrize("name", ["django.request", "django.db.backends", "celery.app.trace"])
def test_given_any_logger_then_its_lines_go_to_the_one_console(name):
    logger = logging.getLogger(name)
    # A NullHandler, which Celery adds once it has run, writes nothing.
    writing = [h for h in logger.handlers if not isinstance(h, logging.NullHandler)]
    assert logger.propagate and not writing
