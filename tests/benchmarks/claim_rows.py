"""Claiming and marking against claiming alone, by two workers on one queue."""

import statistics

from tests.benchmarks.stage import NotCounted, Stage, in_turn, row, summary
from tests.benchmarks.team import Team

_WORKERS, _BATCH = 2, 400


def vs_bare(stage: Stage) -> dict[str, object]:
    """The ledger's claim and its mark that a message goes on the wire, without a carrier."""
    scale = stage.scale
    count = scale.of(30_000)
    figures = in_turn(
        scale.runs,
        lambda: _race(stage, "claim_and_mark", count, 1, status="sending"),
        lambda: _race(stage, "claim_only", count, status="claimed"),
        lambda: _race(stage, "claim_and_mark", count, 0, status="claimed"),
    )
    product, bare, unmarked = (statistics.median(side) for side in figures)
    return row(
        "claim_vs_bare",
        product / bare,
        0.7,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0], ' rows/s')} claimed and marked as on the wire ÷ "
            f"{summary(figures[1], ' rows/s')} claimed by one bare statement that returns them; "
            f"{count} rows, {_WORKERS} workers, batches of {_BATCH}, one commit for each step, "
            "no row twice. The product's own claim, with its lease, the look at closed addresses "
            f"and without the mark: {summary(figures[2], ' rows/s')}; with the mark it does "
            f"{product / unmarked:.2f} of that."
        ),
    )


def _race(stage: Stage, worker: str, count: int, *more: int, status: str) -> float:
    from django.utils import timezone

    from clinic.models import OutboxMessage
    from tests import seeding

    seeding.empty_outbox()
    seeding.queue_reminders("email", text=seeding.long_text(), at=timezone.now(), limit=count)
    stage.settle()
    team = Team(worker, [[_BATCH, *more]] * _WORKERS, stage.environment, stage.log)
    seconds, said = team.race()
    taken = [key for one in said for key in one["taken"]]
    there = OutboxMessage.objects.filter(status=status).count()
    if len(taken) != count or len(set(taken)) != count or there != count:
        raise NotCounted(f"{len(taken)} claimed, {len(set(taken))} of them once, {there} marked")
    return count / seconds
