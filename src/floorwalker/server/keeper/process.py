"""The server's end of its keeper."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, cast

import msgspec

from floorwalker.events.identity import PersonalValue
from floorwalker.server.installation import Installation
from floorwalker.server.keeper.messages import (
    Begin,
    Durable,
    Finish,
    FromKeeper,
    Keep,
    Kept,
    Reached,
    ToKeeper,
    receive,
    send,
)
from floorwalker.store.errors import UnavailableError
from floorwalker.store.vault import PersonalValue as AnyPersonalValue

ROWS = 2000
GATHER_SECONDS = 0.5
GRACE_SECONDS = 60.0


@dataclass
class Keeper:
    """A niced process that brings the journal into the ledger and raw values into the vault.

    It takes the interpreter of the server for some microseconds a second. A keeper that ends is started again; what it
    had not done is done then, each record once. It ends with the server, however that ends.

    Parameters
    ----------
    installation : the folder.
    ledger_url : of the ledger.
    durable : how far the journal is acknowledged.
    on_fault : told of what went wrong: a place and a sentence.
    reached : records that are in the ledger; the keeper says how far it gets.
    seconds : between two notes of how far the journal is.
    """

    installation: Installation
    ledger_url: str
    durable: Callable[[], int]
    on_fault: Callable[[str, str], None]
    reached: int = 0
    seconds: float = 0.1
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _answers: queue.SimpleQueue[Kept | None] = field(default_factory=queue.SimpleQueue, init=False, repr=False)
    _sending: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _keeping: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _tending: threading.Thread | None = field(default=None, init=False, repr=False)

    @property
    def behind(self) -> int:
        """Durable records that are not in the ledger yet."""
        return max(0, self.durable() - self.reached)

    @property
    def pid(self) -> int:
        """The process's id, 0 while there is none."""
        process = self._process
        return process.pid if process is not None else 0

    def start(self) -> None:
        """Start the process, and start it again whenever it ends, until `stop`."""
        self._tending = threading.Thread(target=self._tend, name="keeper", daemon=True)
        self._tending.start()

    def put(self, values: Iterable[AnyPersonalValue]) -> int:
        """Put raw values into the vault; returns how many were new, once they are durable there.

        Raises `UnavailableError` where they are not: the same values may be given again.
        """
        given = cast("list[PersonalValue]", list(values))
        with self._keeping:
            while True:
                with suppress(queue.Empty):
                    self._answers.get_nowait()
                    continue
                break
            self._send(Keep(given))
            answer = self._answers.get()
        if answer is None:
            raise UnavailableError("the keeper ended before it answered", fix="the values are given to the next one")
        if answer.error:
            raise UnavailableError(answer.error)
        return answer.count

    def stop(self) -> None:
        """Let it do what is left, and wait for its end, at most `GRACE_SECONDS`."""
        self._ended.set()
        if self._tending is not None:
            self._tending.join()
            self._tending = None
        process = self._process
        if process is None:
            return
        with suppress(UnavailableError):
            self._send(Durable(self.durable()))
            self._send(Finish())
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.on_fault("keeper", f"it was not done after {GRACE_SECONDS:g} s; the next start goes on")
            process.kill()
            process.wait()
        _hang_up(process)
        self._process = None

    def _tend(self) -> None:
        noted = -1
        while not self._ended.wait(self.seconds):
            if self._process is None or self._process.poll() is not None:
                if self._process is not None:
                    _hang_up(self._process)
                    self.on_fault("keeper", f"it ended with {self._process.returncode} and is started again")
                    if self._ended.wait(1.0):
                        return
                self._launch()
                noted = -1
            durable = self.durable()
            if durable != noted:
                with suppress(UnavailableError):
                    self._send(Durable(durable))
                    noted = durable

    def _launch(self) -> None:
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "floorwalker.server.keeper.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        folder = self.installation
        begin = Begin(
            journal=str(folder.journal), durable=self.durable(), ledger=self.ledger_url, vault=str(folder.vault),
            vault_key=str(folder.vault_key), rows=ROWS, seconds=GATHER_SECONDS,
        )  # fmt: skip
        with suppress(UnavailableError):
            self._send(begin)
        assert process.stdout is not None
        threading.Thread(target=self._listen, args=(process.stdout,), name="keeper-listener", daemon=True).start()

    def _send(self, message: ToKeeper) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise UnavailableError("the keeper is not running", fix="it is started again by itself")
        try:
            with self._sending:
                send(process.stdin.fileno(), message)
        except (OSError, ValueError) as error:
            raise UnavailableError(f"the keeper does not listen: {error}", fix="it is started again") from error

    def _listen(self, pipe: IO[bytes]) -> None:
        decoder = msgspec.msgpack.Decoder(FromKeeper)
        error = ""
        while (message := receive(pipe.fileno(), decoder)) is not None:
            if isinstance(message, Kept):
                self._answers.put(message)
            elif isinstance(message, Reached):
                self.reached = max(self.reached, message.sequence)
                if message.error and message.error != error:
                    self.on_fault("ledger", message.error)
                error = message.error
        # Whoever waits for an answer of this one must not wait for ever.
        self._answers.put(None)
        pipe.close()


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
