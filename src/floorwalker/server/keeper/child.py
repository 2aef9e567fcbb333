"""The keeper's own process: ``python -m floorwalker.server.keeper.child``, started by `Keeper` and by nobody else."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from floorwalker.errors import FloorwalkerError
from floorwalker.server.keeper.messages import Begin, Durable, Finish, Keep, Kept, Reached, ToKeeper, receive, send
from floorwalker.server.records_to_rows import write_rows
from floorwalker.server.turns import ask_for_turns, give_turn
from floorwalker.store.journal.tail import JournalTail
from floorwalker.store.ledger import Ledger, Projector
from floorwalker.store.vault import Vault

NICENESS = 19
"""Decisions come first where both want the same core: a keeper that is far behind gets a seventieth of it."""
_REPORT_SECONDS = 0.2
_DIED = 3


def _wall_clock() -> int:
    return time.time_ns() // 1000


class _Work:
    """What the server asked for, as the reading thread puts it down."""

    def __init__(self, tail: JournalTail) -> None:
        self.tail = tail
        self.keeps: queue.SimpleQueue[Keep | Finish] = queue.SimpleQueue()

    def listen(self, descriptor: int, decoder: msgspec.msgpack.Decoder[ToKeeper]) -> None:
        """Read until the pipe closes; without a `Finish` before, the server died, and so does this process."""
        while (message := receive(descriptor, decoder)) is not None:
            if isinstance(message, Durable):
                self.tail.note(message.sequence)
            elif isinstance(message, Keep | Finish):
                self.keeps.put(message)
                if isinstance(message, Finish):
                    return
        os._exit(_DIED)


def serve(given: int, told: int) -> None:
    """Work until told to finish.

    Parameters
    ----------
    given, told : descriptors that messages are read from and written to.
    """
    decoder = msgspec.msgpack.Decoder(ToKeeper)
    begin = receive(given, decoder)
    if not isinstance(begin, Begin):
        return
    work = _Work(JournalTail(Path(begin.journal)))
    work.tail.note(begin.durable)
    threading.Thread(target=work.listen, args=(given, decoder), name="listener", daemon=True).start()
    vault = Vault(Path(begin.vault), Path(begin.vault_key), clock=_wall_clock, pause=give_turn)
    # Its place in the journal is committed with the rows: what a power cut takes back is brought again.
    ledger = Ledger(begin.ledger, survives_power_cut=False, pause=give_turn)
    projector = Projector(work.tail, ledger, write_rows, clock=_wall_clock, rows=begin.rows, seconds=begin.seconds)
    projector.start()
    reported = Reached(-1)
    try:
        while True:
            reported = _report(told, projector, reported)
            with suppress(queue.Empty):
                message = work.keeps.get(timeout=_REPORT_SECONDS)
                if isinstance(message, Finish):
                    break
                send(told, _keep(vault, message))
        projector.stop()
        with suppress(FloorwalkerError):
            projector.catch_up()
        _report(told, projector, reported)
    finally:
        ledger.close()
        vault.close()


def _report(told: int, projector: Projector, before: Reached) -> Reached:
    now = Reached(projector.reached, str(projector.error or ""))
    if now != before:
        send(told, now)
    return now


def _keep(vault: Vault, message: Keep) -> Kept:
    try:
        return Kept(vault.put(message.values))
    except FloorwalkerError as error:
        return Kept(0, str(error))


def main() -> None:
    """Begin as a child of the server, whose signals are not meant for this process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    # Longer ones than the event loop's, which a child may inherit.
    ask_for_turns(0)
    given, told = sys.stdin.fileno(), os.dup(sys.stdout.fileno())
    # Whatever prints must not fall into the messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        serve(given, told)
    except FloorwalkerError as error:
        with suppress(BrokenPipeError):
            send(told, Reached(-1, str(error)))
        sys.exit(1)
    except BrokenPipeError:
        # The other thread meets the end of the pipe, too.
        os._exit(_DIED)


if __name__ == "__main__":
    main()
