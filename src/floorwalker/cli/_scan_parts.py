"""The steps of ``floorwalker scan`` that need the clock, the terminal or the network."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from floorwalker.cli._output import note, print_json
from floorwalker.errors import FloorwalkerError
from floorwalker.features.network import load_networks
from floorwalker.scan.blocklist import build_blocklist, format_blocklist
from floorwalker.scan.frames import other_visitors
from floorwalker.scan.job import ScanOutcome, ScanRequest, run_scan
from floorwalker.scan.labelling import compare_detectors, read_labels, write_sample
from floorwalker.scan.report import write_report
from floorwalker.scan.result import ScanResult

PROGRESS_AFTER_SECONDS = 2.0
PROGRESS_EVERY_SECONDS = 0.2


def run_with_progress(request: ScanRequest) -> ScanOutcome:
    """Run the scan; on a terminal, work longer than two seconds shows how far it is."""
    if not sys.stderr.isatty():
        return run_scan(request)
    start = time.perf_counter()
    shown = 0.0

    def progress(lines: int, size_bytes: int) -> None:
        nonlocal shown
        now = time.perf_counter()
        if now - start >= PROGRESS_AFTER_SECONDS and now - shown >= PROGRESS_EVERY_SECONDS:
            shown = now
            rate = size_bytes / 1e6 / max(now - start, 1e-9)
            sys.stderr.write(f"\r{lines:,} lines, {size_bytes / 1e6:,.0f} MB read, {rate:,.0f} MB/s ")
            sys.stderr.flush()

    try:
        return run_scan(request, progress=progress)
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")


def save_report(result: ScanResult, path: Path, mask: bool, table_file: str = "") -> Path:
    """Write the report; a folder that cannot be written is said clearly."""
    try:
        write_report(result, path, mask=mask, table_file=table_file)
    except OSError as error:
        raise FloorwalkerError(
            f"cannot write the report to {path}: {error.strerror}",
            fix="give --report a path you may write, or --no-report",
        ) from error
    return path


def make_blocklist(kind: str, outcome: ScanOutcome, request: ScanRequest, hours: float) -> str:
    """The blocklist's text; what it would have hit and what was withheld goes to standard error."""
    blocklist = build_blocklist(
        outcome.result,
        networks=request.networks or load_networks(),
        own_addresses=request.own_addresses,
        trusted_proxies=request.trusted_proxies,
        now=datetime.now(UTC),
        lifetime_hours=hours,
        others=other_visitors(outcome.days, outcome.judgement),
    )
    for line in blocklist.summary():
        note(line)
    return format_blocklist(blocklist, kind)


def write_sheet(result: ScanResult, shown: ScanResult | None, path: Path, size: int, seed: int) -> None:
    """Write the sheet to label by hand; `shown` is the masked result where addresses shall not be shown."""
    rows = write_sample(result, path, n=size, seed=seed, shown=shown)
    note(f"{rows} visitors to label in {path}: fill the column 'label', then scan again with --labels {path}")


def judge_by_labels(path: Path, request: ScanRequest, outcome: ScanOutcome, *, as_json: bool) -> None:
    """Paper B's tables 3 and 4: every detector against the labels, with and without merged routes."""
    comparison = compare_detectors(request, outcome, read_labels(path))
    if as_json:
        print_json(comparison.to_json())
    else:
        comparison.print()


def make_resolver() -> Callable[[str], str | None]:
    """Reverse look-up whose answer's forward look-up leads back to the address; None where it does not."""

    def resolve(address: str) -> str | None:
        try:
            name = socket.gethostbyaddr(address)[0]
            forward = {info[4][0] for info in socket.getaddrinfo(name, None)}
        except OSError:
            return None
        return name if address in forward else None

    return resolve
