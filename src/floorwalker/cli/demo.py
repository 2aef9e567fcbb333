"""``floorwalker demo``: a generated shop with hidden hunters, scanned; and one that asks a server as it goes."""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from floorwalker.cli._output import Json, note, print_json
from floorwalker.scan.export import encode_json, to_json
from floorwalker.scan.job import ScanRequest, run_scan
from floorwalker.scan.report import write_report
from floorwalker.scan.table import print_table
from floorwalker.settings import ScanSettings

DAYS = 8
PROMOTION_DAY = 7


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the log and the report.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="The only source of chance.")] = 11,
    screenshot: Annotated[Path | None, typer.Option(help="Also photograph the report (needs Chromium).")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Start a server on generated traffic and show decisions arriving.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Generate a shop's log with hidden hunters, scan it, and say how many of them were found.

    With --live: simulate a shop and those who prey on it, start a server, tell it the past, ask it about the rest.
    """
    out.mkdir(parents=True, exist_ok=True)
    if live:
        _demonstrate_live(out, seed, as_json)
        return
    from floorwalker.simulation.access_log import Scenario, generate, write_log

    log = out / "access.log.gz"
    first_day = date(2021, 11, 4)
    note(f"generating {DAYS} days of a shop's traffic; 11 November is a promotion day")
    generated = generate(
        Scenario(
            site_family="english_rest", seed=seed, days=DAYS, visitors_per_day=2500, first_day=first_day,
            promotion_days=(PROMOTION_DAY,), surge=2.0, hunters=30,
        )
    )  # fmt: skip
    write_log(generated, log)
    truth = out / "truth.parquet"
    note(f"{len(generated.requests):,} requests in {log}; who is who stands in {truth}, which the scan does not read")
    generated.truth.write_parquet(truth)
    request = ScanRequest(
        paths=(str(log),),
        detect_day=date(first_day.year, first_day.month, first_day.day + PROMOTION_DAY),
        settings=ScanSettings(seed=seed),
        seconds=time.perf_counter,
    )
    outcome = run_scan(request)
    report = out / "report.html"
    write_report(outcome.result, report, mask=False)
    if as_json:
        sys.stdout.buffer.write(encode_json(to_json(outcome.result)))
    else:
        print_table(outcome.result, Console(), top=15, report=report)
        _compare_with_truth(outcome.result.flagged.select("client", "user_agent").unique(), generated.truth)
    if screenshot is not None:
        from floorwalker.evaluation.screenshot import screenshot as photograph

        photograph(report, screenshot, 1280, 1100)
        note(f"photographed to {screenshot}")


def _demonstrate_live(out: Path, seed: int, as_json: bool) -> None:
    from floorwalker.cli.serve import need_serving

    need_serving()
    from floorwalker.cli._demo_screen import LiveScreen, NoScreen
    from floorwalker.cli._live_demo import run_live

    if as_json:
        print_json(run_live(out, seed, NoScreen()))
        return
    screen = LiveScreen(Console())
    screen.finish(run_live(out, seed, screen))


def _compare_with_truth(flagged: pl.DataFrame, truth: pl.DataFrame) -> None:
    known = (
        flagged.join(truth, on=["client", "user_agent"], how="left")
        .group_by("client", "user_agent")
        .agg(pl.col("abusive").any())
    )
    right = int(known["abusive"].fill_null(False).sum())
    print(f"The truth beside it: {right} of the {len(known)} flagged visitors are hidden abusers.")
