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
    with Sink("library_mail") as sink:
        product, bare, size = _against_smtplib(stage, sink, count)
    with Sink("mail") as lean:
        lean_product, lean_bare, _ = _against_smtplib(stage, lean, count)
    lean_ratio = statistics.median(lean_product) / statistics.median(lean_bare)
    return row(
        "email_vs_smtplib",
        statistics.median(product) / statistics.median(bare),
        0.9,
        runs=stage.scale.runs,
        detail=(
            f"{_sides(stage, product, bare, count, size)}. The sink is aiosmtpd, a mail server as "
            f"others run it. At our own sink, which costs next to nothing: "
            f"{summary(lean_product)} ÷ {summary(lean_bare)} = {lean_ratio:.2f}."
        ),
    )


def slow_carrier(stage: Stage) -> dict[str, object]:
    """The same where a carrier takes 5 ms for every answer."""
    count = stage.scale.of(8000)
    with Sink("mail", delay=_SLOW_S) as sink:
        product, bare, size = _against_smtplib(stage, sink, count)
    return row(
        "email_slow_carrier",
        statistics.median(product) / statistics.median(bare),
        0.95,
        runs=stage.scale.runs,
        detail=(
            f"{_sides(stage, product, bare, count, size)}, {1000 * _SLOW_S:g} ms for every answer."
        ),
    )


def vs_post_office(stage: Stage) -> dict[str, object]:
    """django-post_office sends mails that stand finished in its own table."""
    scale = stage.scale
    # A morning's queue: theirs grows slower with the number that waits.
    theirs, tuned, ours = scale.of(3000), scale.of(3000), scale.of(2 * scale.mails)
    with Sink("mail") as sink:
        figures = in_turn(
            scale.runs,
            lambda: _worker(stage, sink, ours),
            lambda: _post_office(stage, sink, theirs, {}, processes=1),
            lambda: _post_office(
                stage,
                sink,
                tuned,
                {
                    "BATCH_SIZE": tuned,
                    "THREADS_PER_PROCESS": scale.worker_connections,
                    "LOG_LEVEL": 0,
                },
                processes=scale.worker_processes,
            ),
        )
    product, default, best = (statistics.median(side) for side in figures)
    return row(
        "email_vs_post_office",
        product / default,
        10,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0])} by the product ({_worker_shape(stage)}, {ours} mails) ÷ "
            f"{summary(figures[1])} by django-post_office with its defaults (1 process, 5 "
            f"threads, batches of 100, {theirs} mails). Tuned ({scale.worker_processes} processes, "
            f"{scale.worker_connections} threads each, one batch, no log rows, {tuned} mails): "
            f"{summary(figures[2])}, the product {product / best:.1f} times that."
        ),
    )


def vs_task_per_reminder(stage: Stage) -> dict[str, object]:
    """One Celery task for each reminder, with its own connection and its row in a log."""
    scale = stage.scale
    theirs, ours = scale.of(1000), scale.of(2 * scale.mails)
    with Sink("mail") as sink:
        figures = in_turn(
            scale.runs,
            lambda: _worker(stage, sink, ours),
            lambda: _tasks(stage, sink, theirs),
        )
    product, tasks = (statistics.median(side) for side in figures)
    return row(
        "email_vs_task_per_reminder",
        product / tasks,
        15,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0])} by the product ({_worker_shape(stage)}, {ours} mails) ÷ "
            f"{summary(figures[1])} by one Celery task per reminder (a worker with 2 processes, "
            f"CELERY_DB_REUSE_MAX set, tasks waiting in the broker, {theirs} mails)."
        ),
    )


def _against_smtplib(stage: Stage, sink: Sink, count: int) -> tuple[list[float], list[float], int]:
    """Mails a second of both sides, and the size of a mail in bytes."""
    product, bare = in_turn(
        stage.scale.runs,
        lambda: _product(stage, sink, count),
        lambda: _smtplib(stage, sink, count),
    )
    return product, bare, len(stage.last.sample)


def _sides(stage: Stage, product: list[float], bare: list[float], count: int, size: int) -> str:
    return (
        f"{summary(product)} by the product ÷ {summary(bare)} by bare smtplib; medians of "
        f"{stage.scale.runs} runs (lowest to highest), {count} mails of {size} bytes, "
        f"{_shape(stage)} on both sides, nothing lost or doubled"
    )


def _shape(stage: Stage) -> str:
    return f"{stage.scale.processes} processes × {stage.scale.connections} connections"


def _worker_shape(stage: Stage) -> str:
    scale = stage.scale
    return f"{scale.worker_processes} processes × {scale.worker_connections} connections"


def _worker(stage: Stage, sink: Sink, count: int) -> float:
    """The product as its worker runs it; the peers may have as many processes."""
    scale = stage.scale
    return stage.product(
        "email",
        sink,
        count=count,
        processes=scale.worker_processes,
        lines=scale.worker_connections,
    )


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
