"""``floorwalker bench``: speed on this machine."""

from __future__ import annotations

import inspect
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, note, print_json, report_document
from floorwalker.errors import UsageError
from floorwalker.registry import list_parts, load_part

BENCHMARKS = "floorwalker.evaluation.benchmarks"


def bench(
    name: Annotated[str, typer.Argument(help="What to measure; `list` names the benchmarks.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where generated logs go and stay; a temporary folder without it.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Runs of each command, in turn.", min=1)] = 5,
    seconds: Annotated[
        float | None, typer.Option(help="Length of one run, where the benchmark measures for a time.", min=1.0)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a figure misses its bar.")] = False,
    as_json: Json = False,
) -> None:
    """Measure speed as ratios within one interleaved run."""
    from floorwalker.evaluation.document import make_document

    known = list_parts(BENCHMARKS)
    if name == "list":
        print_json({"benchmarks": known}) if as_json else print("\n".join(known))
        return
    if name not in known:
        raise UsageError(f"unknown benchmark {name!r}", allowed=", ".join(known))
    measure = load_part(BENCHMARKS, name).run
    options: dict[str, Any] = {}
    if seconds is not None:
        if "seconds" not in inspect.signature(measure).parameters:
            raise UsageError(f"--seconds for the benchmark {name!r}", allowed="benchmarks that measure for a time")
        options["seconds"] = seconds
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="floorwalker-bench-") as temporary:
        outcome = measure(
            folder=folder or Path(temporary), clock=time.perf_counter, rounds=rounds, progress=note, **options
        )
    document = make_document(name, outcome, seconds=time.perf_counter() - start)
    # What counts is the measured processes' memory, not that of the one that started them.
    document["peak_memory_mb"] = outcome["metrics"].get("peak_memory_mb", document["peak_memory_mb"])
    report_document(document, as_json=as_json, check=check)
