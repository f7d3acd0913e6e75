"""``python -m tests.benchmarks``: every figure against its yardstick, into var/bench.json."""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import claim_rows, email_rows, promptness, sms_rows
from tests.benchmarks.stage import NotCounted, Scale, Stage, row, stage

RESULTS = Path(__file__).resolve().parent.parent.parent / "var" / "bench.json"
_PATIENTS = 30_000


def _planning(on: Stage) -> dict[str, object]:
    """Measured by its own module, which needs a practice of a million patients."""
    measured = importlib.import_module("tests.benchmarks.planning")
    return dict(measured.run(on.scale.runs))


def _patient_pages(name: str) -> Callable[[Stage], dict[str, object]]:
    """A row of a module that knows the product's tables, which a stage has to set up first."""
    return lambda on: getattr(importlib.import_module("tests.benchmarks.patient_pages"), name)(on)


def _board(name: str) -> Callable[[Stage], dict[str, object]]:
    return lambda on: getattr(importlib.import_module("tests.benchmarks.board"), name)(on)


# In the order of the table that docs/benchmarks.md explains. The board and planning come last: they
# leave practices of another size behind.
ROWS: dict[str, Callable[[Stage], dict[str, object]]] = {
    "email_vs_smtplib": email_rows.vs_smtplib,
    "email_slow_carrier": email_rows.slow_carrier,
    "email_vs_post_office": email_rows.vs_post_office,
    "email_vs_task_per_reminder": email_rows.vs_task_per_reminder,
    "sms_slow_carrier": sms_rows.slow_carrier,
    "sms_vs_twilio_client": sms_rows.vs_twilio_client,
    "claim_vs_bare": claim_rows.vs_bare,
    "due_to_accepted_p99_s": promptness.due_to_accepted,
    "today_vs_floor": _patient_pages("today_vs_floor"),
    "check_in_vs_floor": _patient_pages("check_in_vs_floor"),
    "check_in_write": _patient_pages("check_in_write"),
    # The first of them begins with a small practice and leaves a large one to the others.
    "board_growth": _board("growth"),
    "board_sql_vs_bare": _board("sql_vs_bare"),
    "board_vs_drf_floor": _board("vs_drf_floor"),
    "planning_vs_insert_select": _planning,
}


def main() -> int:
    arguments = _arguments()
    chosen = arguments.only or list(ROWS)
    scale = Scale(
        runs=arguments.runs,
        processes=arguments.processes,
        connections=arguments.connections,
        worker_processes=arguments.worker_processes,
        worker_connections=arguments.worker_connections,
        sms_processes=arguments.sms_processes,
        share=arguments.share,
    )
    rows, missing = [], []
    begun = time.monotonic()
    with stage(scale, max(scale.of(_PATIENTS), 200)) as on:
        for name in chosen:
            since = time.monotonic()
            try:
                measured = ROWS[name](on)
            except ModuleNotFoundError as error:
                print(f"{name}: left out ({error})", flush=True)
                missing.append(name)
                continue
            except NotCounted as error:
                measured = row(name, 0.0, 0.0, runs=0, detail=f"Void: {error}.")
                missing.append(name)
            rows.append(measured)
            _print(measured, time.monotonic() - since)
    _write(rows, keep=bool(arguments.only))
    print(f"{len(rows)} rows in {time.monotonic() - begun:.0f} s, written to {RESULTS.name}")
    return 1 if missing else 0


def _print(measured: dict[str, object], seconds: float) -> None:
    sign = "at least" if measured["better"] == "higher" else "at most"
    print(
        f"{measured['name']:<28} {measured['ratio']:>8} ({sign} {measured['goal']}, "
        f"{measured['runs']} runs, {seconds:.0f} s)\n    {measured['detail']}",
        flush=True,
    )


def _write(rows: list[dict[str, object]], *, keep: bool) -> None:
    """The file with these rows; with ``keep`` the others it had stay."""
    found = json.loads(RESULTS.read_text()) if keep and RESULTS.exists() else []
    fresh = {measured["name"] for measured in rows}
    rows = [measured for measured in found if measured["name"] not in fresh] + rows
    order = list(ROWS)
    rows.sort(key=lambda measured: order.index(str(measured["name"])))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(ROWS), metavar="NAME")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processes", type=int, default=1, help="senders on both sides")
    parser.add_argument("--connections", type=int, default=16, help="for each of them")
    parser.add_argument("--worker-processes", type=int, default=2, help="of the product's worker")
    parser.add_argument("--worker-connections", type=int, default=32, help="for each of them")
    parser.add_argument("--sms-processes", type=int, default=1, help="that share 100 in flight")
    parser.add_argument("--share", type=float, default=1.0, help="of the messages, to try it out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
