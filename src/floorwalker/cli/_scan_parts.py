"""The steps of ``floorwalker scan`` that need the clock, the terminal or the network."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from floorwalker.cli._output import note, print_json
from floorwalker.errors import FloorwalkerError, InputError, UsageError
from floorwalker.features.network import load_networks
from floorwalker.features.network.ranges import read_prefixes
from floorwalker.features.routes.roles import read_roles
from floorwalker.scan.blocklist import build_blocklist, format_blocklist
from floorwalker.scan.frames import other_visitors
from floorwalker.scan.job import ScanOutcome, ScanRequest, run_scan
from floorwalker.scan.labelling import compare_detectors, write_sample
from floorwalker.scan.labels import Labels
from floorwalker.scan.phrases import say_count
from floorwalker.scan.report import write_report
from floorwalker.scan.result import ScanResult
from floorwalker.sources.access_log import STDIN, expand_paths

PROGRESS_AFTER_SECONDS = 2.0
PROGRESS_EVERY_SECONDS = 0.2


def run_with_progress(request: ScanRequest) -> ScanOutcome:
    """Run the scan; on a terminal, work longer than two seconds shows how far it is."""
    check_own_addresses(request.own_addresses)
    if sys.stderr is None or not sys.stderr.isatty():
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


def check_outputs(logs: Sequence[str], outputs: Sequence[tuple[str, Path]]) -> None:
    """What cannot be written, or would be written over a log, is said before gigabytes are read.

    Parameters
    ----------
    logs : paths and patterns as given.
    outputs : the option that names a file, and the file.

    Raises
    ------
    UsageError : an output is one of the logs or another output, or its folder does not exist.
    """
    read = [Path(name) for name in expand_paths(logs) if name != STDIN]
    seen: dict[Path, str] = {}
    for option, path in outputs:
        target = path.resolve() if not _is_loop(path) else path.absolute()
        if any(target == log.resolve() or (target.exists() and target.samefile(log)) for log in read):
            raise UsageError(f"{option} {path} is a log that is read", fix="give another file to write")
        if target in seen:
            raise UsageError(f"{option} and {seen[target]} both name {path}", fix="give each its own file")
        seen[target] = option
        if not target.parent.is_dir():
            raise UsageError(f"{option} {path}: there is no folder {path.parent}", fix="make it, or name another")


def _is_loop(path: Path) -> bool:
    try:
        path.resolve(strict=True)
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError):
        return True
    return False


def check_own_addresses(given: Sequence[str]) -> None:
    """A misspelt address is said before gigabytes are read; `UsageError` names all of them."""
    wrong = [given[row] for row in read_prefixes(given)[2]]
    if wrong:
        raise UsageError(
            f"--own-address {', '.join(map(repr, wrong))}",
            allowed="an address, or address/length such as 192.0.2.0/24 or 2001:db8::/32",
        )


def read_role_file(path: Path) -> dict[str, str]:
    """The file that `--roles` names; its faults are wrong use, named with their lines."""
    try:
        return read_roles(path)
    except InputError as error:
        lines = _lines_of(path, error.given)
        given = f"{error.given} ({lines})" if lines else error.given
        raise UsageError(given, allowed=error.allowed, fix=error.fix) from error


def _lines_of(path: Path, message: str) -> str:
    """Where the patterns that a message quotes stand in the file, or nothing where that cannot be said."""
    try:
        written = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    places = [
        f"line {number}"
        for number, line in enumerate(written, start=1)
        if (key := line.partition("=")[0].strip().strip("\"'")) and f"{key!r} " in message
    ]
    return ", ".join(places)


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
    told = say_count(rows, "visitor")
    note(f"{told} to label in {path}: fill the column 'label', then scan again with --labels {path}")


def judge_by_labels(labels: Labels, request: ScanRequest, outcome: ScanOutcome, *, as_json: bool) -> None:
    """Paper B's tables 3 and 4: every detector against the labels, with and without merged routes."""
    comparison = compare_detectors(request, outcome, labels)
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
