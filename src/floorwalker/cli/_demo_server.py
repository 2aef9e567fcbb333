"""A server in a folder of its own, and the two calls that a shop makes to it, for the demonstration."""

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
from pathlib import Path
from typing import Any

import msgspec

from floorwalker.errors import InputError
from floorwalker.events.event import Event

BODY = 5000
"""Events told at once."""
_SECONDS_TO_END = 20


class Till:
    """One connection to a server, as a shop would hold it.

    Parameters
    ----------
    port : of the server on this machine.
    key : with the scopes `decide` and `ingest`.
    """

    def __init__(self, port: int, key: str) -> None:
        self.milliseconds: list[float] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}"}

    def tell(self, events: Sequence[Event]) -> None:
        """Tell of what happened; nobody waits for an answer. Raises `InputError` where an event is refused."""
        for start in range(0, len(events), BODY):
            body = b"\n".join(msgspec.json.encode(one) for one in events[start : start + BODY])
            answer = self._post("/v1/events", body, "application/x-ndjson")
            if answer["rejected"]:
                raise InputError(f"{answer['rejected']} events were refused, the first: {answer['faults'][0]}")

    def ask(self, event: Event) -> dict[str, Any]:
        """Ask for a decision; answers its private part, and notes in `milliseconds` how long it took."""
        body = msgspec.json.encode(event)
        begin = time.perf_counter()
        answer = self._post("/v1/decisions", body, "application/json")
        self.milliseconds.append(1000.0 * (time.perf_counter() - begin))
        private: dict[str, Any] = answer["private"]
        return private

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _post(self, path: str, body: bytes, kind: str) -> dict[str, Any]:
        self._connection.request("POST", path, body, {**self._headers, "Content-Type": kind})
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise InputError(f"{path} answered {response.status}: {content[:500].decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(content)
        return answer


@contextmanager
def opened_till(folder: Path) -> Iterator[Till]:
    """A new installation in this folder with the models that come with the package, its server running, and a
    connection to it; ended with the block.

    Raises `InputError` where the server does not start.
    """
    if folder.exists():
        shutil.rmtree(folder)
    key = _make_key(folder)
    with _served(folder) as port:
        till = Till(port, key)
        try:
            yield till
        finally:
            till.close()


def _make_key(folder: Path) -> str:
    command = [sys.executable, "-m", "floorwalker.cli", "keys", "create", "demo", "--folder", str(folder), "--json"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode:
        raise InputError(f"no key could be made: {made.stderr.strip()}")
    return str(json.loads(made.stdout)["key"])


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    command = [
        sys.executable, "-m", "floorwalker.cli", "serve", "--folder", str(folder), "--port", "0", "--json",
        "--models", "default",
    ]  # fmt: skip
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
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
