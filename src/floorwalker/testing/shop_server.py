"""A real server process with keys, for tests: started on a free port, ended by its own pid."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass
class Shop:
    """A running server and keys for it."""

    folder: Path
    client: httpx.Client
    key: str

    def headers(self, key: str | None = None, **others: str) -> dict[str, str]:
        """Headers with the key of all rights, or another."""
        return {"Authorization": f"Bearer {self.key if key is None else key}", **others}

    def decide(self, event: dict[str, Any], **headers: str) -> httpx.Response:
        """Ask for a decision."""
        return self.client.post("/v1/decisions", json=event, headers=self.headers(**headers))

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command on this folder, with one JSON document on standard output."""
        return run_command(*arguments, "--folder", str(self.folder), "--json")

    def make_key(self, *options: str) -> str:
        """A new key that the running server knows."""
        key = str(json.loads(self.command("keys", "create", "test", *options).stdout)["key"])
        self.wait_for_key(key, is_known=True)
        return key

    def wait_for_key(self, key: str, *, is_known: bool) -> None:
        """Return once the running server takes this key, or takes it no more; it renews its keys every second.

        Raises `TimeoutError` where that takes longer than the two seconds it may, and eight for a busy machine.
        """
        deadline = time.monotonic() + 10
        while (self.client.get("/v1/lists/deny", headers=self.headers(key)).status_code != 401) != is_known:
            if time.monotonic() > deadline:
                raise TimeoutError("the server does not hear of its keys")
            time.sleep(0.05)


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `floorwalker` with these arguments to its end."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "floorwalker.cli", *arguments], capture_output=True, text=True, check=False
    )


_NUMBERS = itertools.count()


def make_event(**fields: Any) -> dict[str, Any]:
    """A login that anybody could make; ids never repeat."""
    return {
        "id": f"test-{next(_NUMBERS)}",
        "type": "login_succeeded",
        "at": time.time_ns() // 1000,
        "account": "a-1",
        "ip": "203.0.113.9",
        **fields,
    }


def create_key(folder: Path) -> str:
    """A key with all rights for the installation in this folder."""
    made = run_command("keys", "create", "all", "--scopes", "admin", "--folder", str(folder), "--json")
    return str(json.loads(made.stdout)["key"])
