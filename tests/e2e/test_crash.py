"""SIGKILL under load: whatever was answered is there afterwards, and features are those of an uninterrupted run."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.testing.shop_server import create_key, make_event, run_command

SENDERS = 6


def _send(port: int, key: str, answered: dict[str, str], told: list[str], stop: threading.Event, number: int) -> None:
    chance = random.Random(number)
    headers = {"Authorization": f"Bearer {key}"}
    with contextlib.suppress(httpx.HTTPError), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        while not stop.is_set():
            if chance.random() < 0.2:
                events = [_event(chance) for _ in range(chance.randint(1, 60))]
                reply = client.post("/v1/events", json=events, headers=headers)
                if reply.status_code == 200:
                    assert reply.json()["accepted"] == len(events)
                    told += [event["id"] for event in events]
            else:
                event = _event(chance)
                reply = client.post("/v1/decisions", json=event, headers=headers)
                if reply.status_code == 200:
                    answered[event["id"]] = reply.json()["decision_id"]


def _event(chance: random.Random) -> dict[str, Any]:
    account = chance.randint(1, 40)
    kind = chance.choice(["login_succeeded", "login_failed", "checkout", "coupon_redeem"])
    more: dict[str, Any] = {"amount_minor": chance.randint(1, 10**6), "currency": "EUR"} if kind == "checkout" else {}
    if kind == "coupon_redeem":
        more = {"coupons": ["HALF"], "promotion": "p"}
    return make_event(
        type=kind, account=f"a-{account}", device=f"d-{chance.randint(1, 30)}", email=f"a{account}@example.com", **more
    )


def _kill_again_and_again(folder: Path, times: int) -> tuple[int, int, dict[str, Any]]:
    """How many decisions were acknowledged, how many told events, and what the replay says; all of them were asked for
    again after the last kill."""
    key = create_key(folder)
    answered: dict[str, str] = {}
    told: list[str] = []
    chance = random.Random(times)
    options = ["--snapshot-seconds", "1", "--snapshot-events", "100"]
    for _ in range(times):
        stop = threading.Event()
        with contextlib.ExitStack() as stack:
            port, process = stack.enter_context(serve(folder, core=None, options=options))
            senders = [
                threading.Thread(target=_send, args=(port, key, answered, told, stop, chance.randint(0, 10**9)))
                for _ in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            before, deadline = len(answered), time.monotonic() + 60
            while len(answered) < before + 30 and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(chance.uniform(0.0, 1.5))
            process.kill()
            process.wait()
            stop.set()
            for sender in senders:
                sender.join()
    assert len(answered) >= 30 * times
    headers = {"Authorization": f"Bearer {key}"}
    with (
        serve(folder, core=None, options=options) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, headers=headers) as client,
    ):
        for event_id, decision_id in answered.items():
            found = client.get(f"/v1/decisions/{decision_id}")
            assert found.status_code == 200, event_id
            assert found.json()["decision"]["event_id"] == event_id
        again = [make_event(id=event_id) for event_id in told[-3000:]]
        for start in range(0, len(again), 1000):
            reply = client.post("/v1/events", json=again[start : start + 1000]).json()
            assert reply["accepted"] == 0
    outcome = run_command("replay", "--folder", str(folder), "--json")
    assert outcome.returncode == 0
    return len(answered), len(told), json.loads(outcome.stdout)


def _assert_nothing_lost(decided: int, told: int, replayed: dict[str, Any]) -> None:
    assert replayed["features_differ"] == 0
    assert replayed["decisions"] >= decided
    assert replayed["events"] >= decided + told


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    decided, told, replayed = _kill_again_and_again(tmp_path / "data", 1)
    assert decided >= 30
    _assert_nothing_lost(decided, told, replayed)


@pytest.mark.slow
def test_five_kills_lose_nothing(tmp_path: Path) -> None:
    decided, told, replayed = _kill_again_and_again(tmp_path / "data", 5)
    assert decided >= 150
    _assert_nothing_lost(decided, told, replayed)


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_an_engine_killed_at_any_moment_comes_back_with_all_it_acknowledged(tmp_path: Path, kills: int) -> None:
    command = [sys.executable, str(Path(__file__).with_name("_killed_engine.py")), str(tmp_path), str(kills), "1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["kills"] == kills
    assert found["early"] < kills / 3, "most lives must come to work"
    assert found["decided"] >= kills
    assert found["told"] >= 5 * kills
    assert found["snapshots"] >= (kills > 100), "one life in twenty-five waits until it has finished one"
    assert found["features_differ"] == 0
    assert found["state_differs"] == [], "a restart from a snapshot leads elsewhere than the whole journal"


@pytest.mark.slow
def test_a_graceful_end_answers_what_waits_and_leaves_a_snapshot(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = create_key(folder)
    headers = {"Authorization": f"Bearer {key}"}
    event = make_event()
    once = {**headers, "Idempotency-Key": "over a restart"}
    with serve(folder, core=None, options=[]) as (port, process):
        first = httpx.post(f"http://127.0.0.1:{port}/v1/decisions", json=event, headers=once)
        listed = {"entity": "device", "value": "d-1", "reason": "stolen", "author": "ann"}
        httpx.post(f"http://127.0.0.1:{port}/v1/lists/deny", json=listed, headers=headers)
        second = run_command("serve", "--folder", str(folder), "--port", "0")
        assert second.returncode == 1
        assert "in use by process" in second.stderr
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert list((folder / "snapshots").iterdir())
    with serve(folder, core=None, options=[]) as (port, _):
        again = httpx.post(f"http://127.0.0.1:{port}/v1/decisions", json=event, headers=once)
        assert again.content == first.content
        blocked = httpx.post(f"http://127.0.0.1:{port}/v1/decisions", json=make_event(device="d-1"), headers=headers)
        assert blocked.json()["private"]["intended"] == "block"
    assert '"events": 0' in (folder / "server.log").read_text("utf-8").splitlines()[-2]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_trace_of_system_calls_shows_the_sync_before_the_reply(tmp_path: Path) -> None:
    folder, trace = tmp_path / "data", tmp_path / "trace"
    key = create_key(folder)
    calls = "trace=write,writev,pwrite64,sendto,sendmsg,fdatasync,fsync"
    event = make_event(account="traced-account")
    with serve(folder, core=None, options=[]) as (port, process):
        command = [
            "strace",
            "-f",
            "-s",
            "8192",
            "-e",
            calls,
            "-e",
            "signal=none",
            "-o",
            str(trace),
            "-p",
            str(process.pid),
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            if "attached" not in tracer.stderr.readline():
                pytest.skip("this system lets nobody trace a running process")
            reply = httpx.post(
                f"http://127.0.0.1:{port}/v1/decisions",
                json=event,
                headers={"Authorization": f"Bearer {key}"},
                timeout=60,
            )
            tracer.terminate()
            tracer.communicate(timeout=30)
    assert reply.status_code == 200
    lines = trace.read_text("utf-8", "replace").splitlines()
    appended = next(row for row, line in enumerate(lines) if "traced-account" in line and "policy_version" in line)
    identity = reply.json()["decision_id"]
    answered = next(row for row, line in enumerate(lines) if row > appended and identity in line)
    between = lines[appended + 1 : answered]
    assert any("sync" in line and line.rstrip().endswith("= 0") for line in between), between
