"""Texts against what the wire allows, and against Twilio's own client in a loop."""

import statistics

from tests.benchmarks.stage import Stage, in_turn, row, summary
from tests.benchmarks.team import Team
from tests.sinks import Sink

_ANSWER_S, _IN_FLIGHT = 0.05, 100


def slow_carrier(stage: Stage) -> dict[str, object]:
    """A carrier that answers after 50 ms, with 100 requests under way."""
    scale = stage.scale
    count = scale.of(8000)
    bound = _IN_FLIGHT / _ANSWER_S
    with Sink("texts", delay=_ANSWER_S) as sink:
        (figures,) = in_turn(
            scale.runs,
            lambda: stage.product(
                "sms",
                sink,
                count=count,
                processes=scale.sms_processes,
                lines=_IN_FLIGHT // scale.sms_processes,
            ),
        )
    return row(
        "sms_slow_carrier",
        statistics.median(figures) / bound,
        0.9,
        runs=scale.runs,
        detail=(
            f"{summary(figures)} ÷ {bound:,.0f}/s, which is {_IN_FLIGHT} in flight ÷ "
            f"{1000 * _ANSWER_S:g} ms; {count} texts, {scale.sms_processes} process(es), recorded "
            f"before and after, nothing lost or doubled."
        ),
    )


def vs_twilio_client(stage: Stage) -> dict[str, object]:
    """One process of ours against one process with one reused client of Twilio's SDK."""
    scale = stage.scale
    ours, theirs = scale.of(6000), scale.of(2000)
    with Sink("texts") as sink:
        figures = in_turn(
            scale.runs,
            lambda: stage.product("sms", sink, count=ours, processes=1, lines=20),
            lambda: _client(stage, sink, theirs),
        )
    product, client = (statistics.median(side) for side in figures)
    return row(
        "sms_vs_twilio_client",
        product / client,
        1.5,
        runs=scale.runs,
        detail=(
            f"{summary(figures[0])} by the product (1 process, 20 in flight, {ours} texts, "
            f"recorded before and after) ÷ {summary(figures[1])} by a loop with one reused Twilio "
            f"client ({theirs} texts, nothing recorded), both to a stub that answers at once."
        ),
    )


def _client(stage: Stage, sink: Sink, count: int) -> float:
    team = Team("twilio_loop", [[sink.port, count]], stage.environment, stage.log)
    seconds, _ = team.race()
    stage.check(sink, count)
    return count / seconds
