"""The demonstration's second part: a server, a shop that asks it, and decisions as they arrive."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from floorwalker.cli._output import note
from floorwalker.errors import InputError
from floorwalker.simulation.small_shop import SmallShop, TracedEvent, generate_events

DAYS = 7
LIVE_HOURS = 6
DAY = 86_400_000_000
BODY = 5000
ASKED = frozenset(
    {
        "sign_up", "login_failed", "login_succeeded", "add_to_cart", "coupon_redeem", "checkout", "payment_declined",
        "review", "refund_requested",
    }
)  # fmt: skip
"""What the shop waits for an answer about; everything else it only tells."""


@dataclass
class Told:
    """What was asked and answered.

    Parameters
    ----------
    met : abusive accounts that a decision other than `allow` would have met, by campaign.
    abusers : abusive accounts of each campaign.
    touched, honest : honest accounts that would have been met, and all of them.
    milliseconds : how long each answer took.
    """

    met: dict[str, set[str]] = field(default_factory=dict)
    abusers: dict[str, set[str]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    honest: set[str] = field(default_factory=set)
    milliseconds: list[float] = field(default_factory=list)


def run_live(out: Path, seed: int, *, show: bool = True) -> dict[str, Any]:
    """Start a server in a folder of its own, tell it a week of a small shop, ask it about the last evening.

    Parameters
    ----------
    out : the installation goes into `floorwalker-demo-shop` below it, made anew.
    seed : of the shop's traffic.
    show : print decisions as they arrive.
    """
    now = time.time_ns() // 1000
    traced = generate_events(SmallShop(first_at=now - DAYS * DAY, days=DAYS, seed=seed))
    folder = out / "floorwalker-demo-shop"
    if folder.exists():
        shutil.rmtree(folder)
    key = _make_key(folder)
    with _served(folder) as port:
        note(f"a server listens on port {port}; {DAYS} days of a small shop are told to it")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        since = now - LIVE_HOURS * 3_600_000_000
        begin = time.perf_counter()
        past = [one for one in traced if one.event.at < since]
        for start in range(0, len(past), BODY):
            _tell(connection, key, past[start : start + BODY])
        seconds = time.perf_counter() - begin
        note(f"{len(past):,} events in {seconds:.1f} s; now the last {LIVE_HOURS} hours, one question after the other")
        told = _ask(connection, key, [one for one in traced if one.event.at >= since], show)
        connection.close()
    return _summary(told, len(traced), len(past) / max(seconds, 1e-9))


def _ask(connection: http.client.HTTPConnection, key: str, traced: Sequence[TracedEvent], show: bool) -> Told:
    told = Told()
    shown: set[tuple[str, str]] = set()
    waiting: list[TracedEvent] = []
    for one in traced:
        account = one.event.account or ""
        (told.abusers.setdefault(one.actor, set()) if one.abuse_type else told.honest).add(account)
        if one.event.type not in ASKED:
            waiting.append(one)
            continue
        if waiting:
            _tell(connection, key, waiting)
            waiting = []
        begin = time.perf_counter()
        answer = _post(connection, key, "/v1/decisions", msgspec.json.encode(one.event), "application/json")
        told.milliseconds.append(1000.0 * (time.perf_counter() - begin))
        private = answer["private"]
        if private["intended"] in ("allow", "observe"):
            continue
        (told.met.setdefault(one.actor, set()) if one.abuse_type else told.touched).add(account)
        cause = private["reasons"][0]
        if show and (cause["code"], one.actor) not in shown:
            shown.add((cause["code"], one.actor))
            clock = time.strftime("%H:%M:%S", time.localtime(one.event.at / 1e6))
            print(
                f"  {clock}  {one.event.type:<17} {private['intended']:<12} risk {private['risk']:>3}  {cause['code']}"
            )
            print(f"{'':30}{cause['text']}")
    return told


def _summary(told: Told, events: int, rate: float) -> dict[str, Any]:
    every = sorted(told.milliseconds)
    campaigns = {
        name: {"accounts": len(accounts), "met": len(told.met.get(name, set()))}
        for name, accounts in sorted(told.abusers.items())
    }
    return {
        "events": events,
        "events_per_second": round(rate),
        "decisions": len(every),
        "median_ms": round(every[len(every) // 2], 2),
        "p99_ms": round(every[int(0.99 * (len(every) - 1))], 2),
        "campaigns": campaigns,
        "honest_customers": len(told.honest),
        "honest_touched": len(told.touched),
    }


def print_summary(summary: dict[str, Any]) -> None:
    """What the demonstration showed, beside the truth."""
    print(f"\n{summary['decisions']:,} questions, answered in {summary['median_ms']} ms (99th: {summary['p99_ms']} ms)")
    print("The truth beside it, accounts that met a decision other than `allow`:")
    for name, counts in summary["campaigns"].items():
        print(f"  {name:<22} {counts['met']:>3} of {counts['accounts']}")
    print(f"  {'honest customers':<22} {summary['honest_touched']:>3} of {summary['honest_customers']}")
    print("A new installation answers `allow` until `--mode enforce`: what is shown is what it would have done.")


def _make_key(folder: Path) -> str:
    command = [sys.executable, "-m", "floorwalker.cli", "keys", "create", "demo", "--folder", str(folder), "--json"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode:
        raise InputError(f"no key could be made: {made.stderr.strip()}")
    return str(json.loads(made.stdout)["key"])


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "floorwalker.cli", "serve", "--folder", str(folder), "--port", "0", "--json"]
    log = folder / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,  # noqa: S603
    ):
        assert process.stdout is not None
        try:
            ready = b""
            while not ready.rstrip().endswith(b"}"):
                line = process.stdout.readline()
                if not line:
                    raise InputError(f"the server did not start: {log.read_text(errors='replace')[-500:]}")
                ready += line
            yield int(json.loads(ready)["port"])
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _tell(connection: http.client.HTTPConnection, key: str, traced: Sequence[TracedEvent]) -> None:
    body = b"\n".join(msgspec.json.encode(one.event) for one in traced)
    answer = _post(connection, key, "/v1/events", body, "application/x-ndjson")
    if answer["rejected"]:
        raise InputError(f"{answer['rejected']} events were refused, the first: {answer['faults'][0]}")


def _post(connection: http.client.HTTPConnection, key: str, path: str, body: bytes, kind: str) -> dict[str, Any]:
    connection.request("POST", path, body, {"Authorization": f"Bearer {key}", "Content-Type": kind})
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise InputError(f"{path} answered {response.status}: {content[:500].decode(errors='replace')}")
    answer: dict[str, Any] = json.loads(content)
    return answer
