"""Texts scored in another process: never in the way of a decision, joined to later ones."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from floorwalker.errors import UsageError

LONGEST = 8_000
"""Characters of a text that are read."""

UNDER_WAY = 4
"""Texts that the worker is given ahead: what it dies over is among these few."""

WORKER = "floorwalker.detectors.content._worker"
"""The module that the process runs, with the folder as its argument."""
PATIENCE = 300.0
"""Seconds without an answer after which a worker that has texts is taken for stuck; at most twice that."""


@dataclass(frozen=True)
class BackgroundState:
    """How the background does.

    Parameters
    ----------
    ready : the worker has loaded its model and answers.
    degraded : it died more often than it is started again: no scores will come.
    waiting : texts that were submitted and have no score yet.
    dropped : texts that were left unscored because too many waited, or because the worker died over them twice.
    restarts : how often the worker was started again.
    reason : why it does not work, by the worker or the system; "" where neither said so.
    """

    ready: bool
    degraded: bool
    waiting: int
    dropped: int
    restarts: int
    reason: str = ""


class BackgroundScorer:
    """A saved `TextClassifier` in a process of its own, behind two calls that never wait.

    `submit` hands texts over and returns at once; `collect` gives the scores that have come since. A worker that dies
    is started again and gets the texts it had not answered, each at most twice; after `restarts` deaths the answer is
    degraded: `collect` stays empty and `status` says so. It works against abuse because an encoder may take its time
    over a review, while the checkout next to it is decided in milliseconds.

    Parameters
    ----------
    folder : of the saved classifier.
    most : texts that may wait; further ones push out the oldest, which stay unscored.
    restarts : deaths of the worker after which it stays down.
    module : what the process runs instead of `WORKER`: the same, for example with less of the machine's time.
    patience : see `PATIENCE`; a worker that is stuck is ended, and counts as dead.

    Use it in a `with` statement, or call `close`.
    """

    detector: str = "content.classifier"

    def __init__(
        self, folder: Path, *, most: int = 10_000, restarts: int = 5, module: str = WORKER, patience: float = PATIENCE
    ) -> None:
        if most < 1 or restarts < 0 or patience <= 0:
            raise UsageError(
                f"most={most}, restarts={restarts}, patience={patience}",
                allowed="most of 1 and up, restarts of 0 and up, patience above 0",
            )
        self._command = [sys.executable, "-m", module, str(folder)]
        self._patience = patience
        self._reason = ""
        self._most, self._left, self._restarts = most, restarts, 0
        self._changed = threading.Condition()
        self._queue: deque[str] = deque()
        self._waiting: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._scores: dict[str, float | None] = {}
        self._dropped = self._under_way = self._answers = 0
        self._ready = self._degraded = self._closed = False
        self._process: subprocess.Popen[str] | None = None
        self._keeper = threading.Thread(target=self._keep, name="content-background", daemon=True)
        self._keeper.start()

    def submit(self, ids: Sequence[str], texts: Sequence[str | None]) -> None:
        """Hand over texts with the ids of their events; events without a text are passed over. Does not wait."""
        if len(ids) != len(texts):
            raise UsageError(f"{len(ids)} ids with {len(texts)} texts", allowed="one id a text")
        with self._changed:
            if self._degraded or self._closed:
                self._dropped += sum(1 for text in texts if text)
                return
            for name, text in zip(ids, texts, strict=True):
                if text:
                    self._waiting[name] = (text[:LONGEST], 0)
                    self._queue.append(name)
            while len(self._waiting) > self._most:
                self._waiting.popitem(last=False)
                self._dropped += 1
            self._changed.notify_all()

    def collect(self) -> dict[str, float | None]:
        """The scores that came since the last call, by event id, each once; None where a text could not be scored."""
        with self._changed:
            scores, self._scores = self._scores, {}
            return scores

    @property
    def pid(self) -> int:
        """The process's id, 0 while there is none."""
        process = self._process
        return process.pid if process is not None else 0

    def status(self) -> BackgroundState:
        """How it does now."""
        with self._changed:
            return BackgroundState(
                self._ready, self._degraded, len(self._waiting), self._dropped, self._restarts, self._reason
            )

    def wait(self, seconds: float) -> bool:
        """Wait until nothing waits for a score; for tests and the end of a replay. False where time ran out first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting or self._degraded, seconds)

    def close(self) -> None:
        """End the worker; texts that wait stay unscored."""
        with self._changed:
            self._closed = True
            process = self._process
            self._changed.notify_all()
        if process is not None:
            process.kill()
        self._keeper.join(10)

    def __enter__(self) -> BackgroundScorer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _keep(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                if self._left < 0:
                    self._degraded = True
                    self._dropped += len(self._waiting)
                    self._waiting.clear()
                    self._queue.clear()
                    self._changed.notify_all()
                    return
            try:
                self._live()
            except OSError as error:
                self._reason = f"its process cannot be started: {error}"
            with self._changed:
                self._ready = False
                self._left -= 1
                if not self._closed and self._left >= 0:
                    self._restarts += 1
                # What was under way when the worker died goes first, but not a third time: it may be what killed it.
                again = [name for name, (_, tries) in self._waiting.items() if 0 < tries < 2]
                lost = [name for name, (_, tries) in self._waiting.items() if tries >= 2]
                for name in lost:
                    del self._waiting[name]
                    self._scores[name] = None
                self._dropped += len(lost)
                self._queue.extendleft(reversed(again))
                self._changed.notify_all()

    def _live(self) -> None:
        """One life of the worker: one thread writes, this one reads, until its output ends."""
        process = subprocess.Popen(  # noqa: S603 (this interpreter, our own module)
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            encoding="utf-8",
        )  # fmt: skip
        with self._changed:
            self._process = process
            self._under_way = 0
            if self._closed:
                process.kill()
        ended = threading.Event()
        writer = threading.Thread(target=self._write, args=(process, ended), daemon=True)
        writer.start()
        assert process.stdout is not None
        try:
            for line in process.stdout:
                self._take(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError):
            # A library that prints where the answers go, for example.
            self._reason = "its process said what is no answer"
        process.kill()
        process.wait()
        ended.set()
        with self._changed:
            self._process = None
            self._changed.notify_all()
        writer.join()
        process.stdout.close()

    def _write(self, process: subprocess.Popen[str], ended: threading.Event) -> None:
        assert process.stdin is not None
        answers = -1
        try:
            while True:
                with self._changed:
                    went_on = self._changed.wait_for(
                        # Before it has loaded its model, no text is to blame for its death.
                        lambda: (
                            ended.is_set()
                            or self._closed
                            or (self._ready and self._queue and self._under_way < UNDER_WAY)
                        ),
                        self._patience,
                    )
                    if ended.is_set() or self._closed:
                        break
                    if not went_on:
                        if (self._under_way or not self._ready) and answers == self._answers:
                            process.kill()
                            break
                        answers = self._answers
                        continue
                    name = self._queue.popleft()
                    if name not in self._waiting:
                        continue
                    text, tries = self._waiting[name]
                    self._waiting[name] = (text, tries + 1)
                    self._under_way += 1
                process.stdin.write(json.dumps({"id": name, "text": text}) + "\n")
                process.stdin.flush()
        except (BrokenPipeError, OSError):
            # The worker is gone; the reader sees its output end.
            pass
        finally:
            # What was left in the buffer may have nowhere to go.
            with suppress(OSError):
                process.stdin.close()

    def _take(self, answer: dict[str, Any]) -> None:
        with self._changed:
            self._answers += 1
            if "failed" in answer:
                self._reason = str(answer["failed"])
                return
            if answer.get("ready"):
                self._ready, self._reason = True, ""
                self._changed.notify_all()
                return
            self._under_way -= 1
            if answer["id"] in self._waiting:
                del self._waiting[answer["id"]]
                self._scores[answer["id"]] = answer["score"]
            self._changed.notify_all()


def serve_texts(folder: str) -> int:
    """Be the worker: answer standard input with the classifier of this folder until it ends; 1 where it cannot load.

    For modules given as `module` to `BackgroundScorer`.
    """
    from floorwalker.detectors.content import _worker

    return _worker.main(folder)
