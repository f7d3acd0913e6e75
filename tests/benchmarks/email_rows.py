"""E-mail against bare smtplib, against a slow carrier, and against two usual ways to do it."""

import json
import statistics

from tests.benchmarks.stage import Stage, in_turn, row, summary
from tests.benchmarks.team import Team
from tests.sinks import Sink

_SLOW_S = 0.005


def vs_smtplib(stage: Stage) -> dict[str, object]:
    """Rendered, intent and outcome committed, against loops that only send."""
    count = stage.scale.of(stage.scale.mails)
    return _against_smtplib(stage, "email_vs_smtplib", 0.9, count=count, delay=0.0)


def slow_carrier(stage: Stage) -> dict[str, object]:
    """The same where a carrier takes 5 ms for every answer."""
    return _against_smtplib(
        stage, "email_slow_carrier", 0.95, count=stage.scale.of(4000), delay=_SLOW_S
    )


def vs_post_office(stage: Stage) -> dict[str, object]:
    """django-post_office sends mails that stand finished in its own table."""
    scale = stage.scale
    # A morning's queue: theirs grows slower with the number that waits.
    theirs, tuned, ours = scale.of(3000), scale.of(3000), scale.of(scale.mails)
    with Sink("mail") as sink:
        figures = in_turn(
            scale.runs,
            lambda: _product(stage, sink, ours),
            lambda: _post_office(stage, sink, theirs, {}, processes=1),
            lambda: _post_office(
                stage,
                sink,
                tuned,
                {"BATCH_SIZE": tuned, "THREADS_PER_PROCESS": scale.connections, "LOG_LEVEL": 0},
                processes=scale.processes,
            ),
        )
    product, default, best = (statistics.median(side) for side in figures)
    return row(
        "email_vs_post_office",
        product / default,
        10,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0])} by the product ({_shape(stage)}, {ours} mails) ÷ "
            f"{summary(figures[1])} by django-post_office with its defaults (1 process, 5 "
            f"threads, batches of 100, {theirs} mails). Tuned ({scale.processes} processes, "
            f"{scale.connections} threads, one batch, no log rows, {tuned} mails): "
            f"{summary(figures[2])}, the product {product / best:.1f} times that."
        ),
    )


def vs_task_per_reminder(stage: Stage) -> dict[str, object]:
    """One Celery task for each reminder, with its own connection and its row in a log."""
    scale = stage.scale
    theirs, ours = scale.of(1000), scale.of(scale.mails)
    with Sink("mail") as sink:
        figures = in_turn(
            scale.runs,
            lambda: _product(stage, sink, ours),
            lambda: _tasks(stage, sink, theirs),
        )
    product, tasks = (statistics.median(side) for side in figures)
    return row(
        "email_vs_task_per_reminder",
        product / tasks,
        15,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0])} by the product ({_shape(stage)}, {ours} mails) ÷ "
            f"{summary(figures[1])} by one Celery task per reminder (a worker with 2 processes, "
            f"CELERY_DB_REUSE_MAX set, tasks waiting in the broker, {theirs} mails)."
        ),
    )


def _against_smtplib(
    stage: Stage, name: str, goal: float, *, count: int, delay: float
) -> dict[str, object]:
    scale = stage.scale
    with Sink("mail", delay=delay) as sink:
        figures = in_turn(
            scale.runs,
            lambda: _product(stage, sink, count),
            lambda: _smtplib(stage, sink, count),
        )
        size = len(stage.last.sample)
    product, bare = (statistics.median(side) for side in figures)
    slow = f", {1000 * delay:g} ms for every answer" if delay else ""
    return row(
        name,
        product / bare,
        goal,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0])} by the product ÷ {summary(figures[1])} by bare smtplib; "
            f"medians of {scale.runs} runs (lowest to highest), {count} mails of {size} bytes, "
            f"{_shape(stage)} on both sides{slow}, nothing lost or doubled."
        ),
    )


def _shape(stage: Stage) -> str:
    return f"{stage.scale.processes} processes × {stage.scale.connections} connections"


def _product(stage: Stage, sink: Sink, count: int) -> float:
    scale = stage.scale
    return stage.product(
        "email", sink, count=count, processes=scale.processes, lines=scale.connections
    )


def _smtplib(stage: Stage, sink: Sink, count: int) -> float:
    scale, mail = stage.scale, stage.a_mail()
    each = count // scale.processes
    numbers = [each] * (scale.processes - 1) + [count - each * (scale.processes - 1)]
    team = Team(
        "bare_smtp",
        [
            [sink.port, scale.connections, mail, place * each, number]
            for place, number in enumerate(numbers)
        ],
        stage.environment,
        stage.log,
    )
    seconds, _ = team.race()
    stage.last = stage.check(sink, count)
    return count / seconds


def _post_office(
    stage: Stage, sink: Sink, count: int, options: dict[str, object], *, processes: int
) -> float:
    team = Team(
        "post_office",
        [[stage.a_mail(), count, processes]],
        {
            **stage.environment,
            **stage.mail_to(sink, 1),
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.post_office_settings",
            "POST_OFFICE_OPTIONS": json.dumps(options),
        },
        stage.log,
    )
    seconds, _ = team.race()
    stage.check(sink, count)
    return count / seconds


def _tasks(stage: Stage, sink: Sink, count: int) -> float:
    team = Team(
        "tasks",
        [[stage.a_mail(), count]],
        {**stage.environment, **stage.mail_to(sink, 1)},
        stage.log,
    )
    seconds, _ = team.race()
    stage.check(sink, count)
    return count / seconds
