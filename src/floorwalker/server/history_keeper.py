"""The Parquet history of a running server, brought up to date now and then by a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from floorwalker.server.installation import Installation
from floorwalker.server.turns import step_back

log = structlog.get_logger("floorwalker.server")

NICENESS = 19
"""Behind the keeper of ledger and vault, which people wait for."""
_LONGEST_SECONDS = 3600.0
_STOP_SECONDS = 10.0
_MOST_TEXT = 2000


@dataclass
class HistoryKeeper:
    """Runs `floorwalker history update` at an interval, one at a time, in a niced process.

    The history may lag, and nothing of it is lost by that: what one run does not reach the next one does. A run that is
    ended in the middle leaves the history as it was before, and so does one that fails, which is said.

    Parameters
    ----------
    installation : whose history.
    ledger_url : of the ledger; it goes to the process through its environment, for it may hold a password.
    minutes : between two runs; 0 runs none.
    keep_days : rows are removed so many days after their day; 0 keeps them.
    clock : µs UTC.
    on_fault : told of a run that failed: a place and a sentence.
    updated_at : µs UTC, when the last run that was done began; the history holds everything older. 0 before.
    """

    installation: Installation
    ledger_url: str
    minutes: float
    keep_days: int
    clock: Callable[[], int]
    on_fault: Callable[[str, str], None]
    updated_at: int = 0
    runs: int = 0
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Run until `stop`, the first time after one interval or a minute, whichever is shorter."""
        if self.minutes <= 0:
            return
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End a run under way, and run no more."""
        self._ended.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            self._thread = None

    def update(self) -> bool:
        """One run, to its end; whether it was done."""
        began = self.clock()
        command = [
            sys.executable, "-c", _PROGRAM, "history", "update", "--folder", str(self.installation.folder),
            "--keep-days", str(self.keep_days), "--json",
        ]  # fmt: skip
        environment = {**os.environ, "FLOORWALKER_DATABASE": self.ledger_url}
        try:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
            )
            _, told = self._process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            assert self._process is not None
            self._process.kill()
            self._process.communicate()
            self.on_fault("history", f"it was not up to date after {_LONGEST_SECONDS:g} s; the next run goes on")
            return False
        except OSError as error:
            self.on_fault("history", f"its process cannot be started: {error}")
            return False
        status, self._process = self._process.returncode, None
        if status == 0:
            self.updated_at, self.runs = began, self.runs + 1
            return True
        if not self._ended.is_set():
            self.on_fault("history", told.decode("utf-8", "replace")[-_MOST_TEXT:].strip() or f"it ended with {status}")
        return False

    def _run(self) -> None:
        # What it starts is as nice from its first instruction on.
        step_back(NICENESS)
        wait = min(60.0, self.minutes * 60)
        while not self._ended.wait(wait):
            if self.update():
                log.info("history up to date", records=self.runs)
            wait = self.minutes * 60


_PROGRAM = (
    f"from floorwalker.server.turns import give_way; give_way({NICENESS}); from floorwalker.cli import main; main()"
)
