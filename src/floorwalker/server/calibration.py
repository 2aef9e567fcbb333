"""How far off the risks are, as labels arrive; and from when on they count as probabilities."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from floorwalker.errors import ArtefactError, FloorwalkerError, UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.fusion.label_check import (
    LEAST_LABELS,
    LEAST_OF_A_KIND,
    MOST_ERROR,
    LabelCheck,
)
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.pipeline.records import ProvenRecord
from floorwalker.server.engine import Engine
from floorwalker.server.installation import Installation
from floorwalker.server.label_reading import LabelReader
from floorwalker.store.ledger import Ledger

log = structlog.get_logger("floorwalker.server")

STEP_SECONDS, PAUSE_SECONDS = 0.5, 5.0
"""Between two looks at whether something came; and after one that went wrong, or took long."""
REST_TIMES = 20
"""So many times as long as the last look took is waited, up to `PAUSE_SECONDS`: comparing 50,000 labels takes an eighth
of a second, in which decisions share the interpreter with it."""
SAID_EVERY = 100
"""Labels joined to decisions between two lines of the log."""

Proven = dict[str, tuple[str, ...]]


@dataclass
class CalibrationWatch:
    """Reads labels as they reach the ledger, and says by them how far off the risks are.

    Everything it knows stands in the ledger: a restart reads the newest labels again.

    Parameters
    ----------
    engine, ledger : of this installation.
    keep : journals that other abuse types than before are calibrated from now on, and puts it to work in the same step.
    reached : how far the journal is in the ledger.
    on_fault : told of what went wrong: a place and a sentence.
    """

    engine: Engine
    ledger: Ledger
    keep: Callable[[ProvenRecord], Awaitable[object]]
    reached: Callable[[], int]
    on_fault: Callable[[str, str], None]
    reader: LabelReader = field(init=False)
    checks: Mapping[tuple[str, str], LabelCheck] = field(default_factory=dict, init=False)
    checked_at: int = field(default=0, init=False)
    _due_behind: int = field(default=0, init=False, repr=False)
    _is_due: bool = field(default=True, init=False, repr=False)
    _matures_at: int | None = field(default=None, init=False, repr=False)
    _said: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self.reader = LabelReader(self.ledger, self.engine.pipeline.versions.get("fusion", ""))
        self._due_behind = self.engine.journal.next

    def wake(self, sequence: int) -> None:
        """A label, or that one was taken back, stands in this record of the journal."""
        self._due_behind, self._is_due = max(self._due_behind, sequence + 1), True

    async def run(self) -> None:
        """`step` again and again, until cancelled."""
        while True:
            began = time.perf_counter()
            pause = STEP_SECONDS
            try:
                await self.step()
                pause = min(max(pause, REST_TIMES * (time.perf_counter() - began)), PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it was, calibration is beside the decisions
                self.on_fault("calibration", str(error) if isinstance(error, FloorwalkerError) else repr(error))
                pause = PAUSE_SECONDS
            await asyncio.sleep(pause)

    async def step(self) -> bool:
        """Do what is due; whether anything was."""
        now = self.engine.now()
        has_matured = self._matures_at is not None and self._matures_at <= now
        if not has_matured and not (self._is_due and self.reached() >= self._due_behind):
            return False
        self._is_due = False
        try:
            self.checks = await asyncio.to_thread(self._check, now)
            self.checked_at = now
            self._say()
            proven = self._proven()
            if proven != self.engine.pipeline.proven:
                log.info("calibrated", types=proven)
                await self.keep(ProvenRecord(at=now, types=proven, fusion=self.reader.fusion))
        except BaseException:
            # Also where the disk takes no record at the moment: until then decisions would go on saying what they did.
            self._is_due = True
            raise
        return True

    def document(self, shop: str = "", now: int | None = None) -> dict[str, Any]:
        """What is known of one shop, or of all together: some milliseconds of work, which a thread may do.

        Parameters
        ----------
        shop : "" for all together.
        now : µs UTC; the engine's without it, which is for the engine's thread alone.
        """
        found = describe(self.reader, self.checks, shop=shop, now=self.engine.now() if now is None else now)
        found["checked_at"] = self.checked_at or None
        proven = self.engine.pipeline.proven
        shops = [shop] if shop else sorted({place[0] for place in self.checks if place[0]})
        for name, each in found["types"].items():
            each["calibrated"] = bool(shops) and all(name in proven.get(one, ()) for one in shops)
        return found

    def _check(self, now: int) -> Mapping[tuple[str, str], LabelCheck]:
        self.reader.read()
        self._matures_at = self.reader.book.next_maturity(now)
        return self.reader.book.checks(now)

    def _proven(self) -> Proven:
        before = self.engine.pipeline.proven
        found: dict[str, list[str]] = {}
        for (shop, abuse_type), check in sorted(self.checks.items()):
            was = abuse_type in before.get(shop, ())
            if shop and (check.is_still_sound if was else check.is_sound):
                found.setdefault(shop, []).append(abuse_type)
        return {shop: tuple(types) for shop, types in found.items()}

    def _say(self) -> None:
        if self.reader.joined // SAID_EVERY == self._said // SAID_EVERY:
            return
        self._said = self.reader.joined
        told = {
            abuse_type: {"error": check.error, "decisions": check.decisions, "predicted": check.predicted,
                         "observed": check.observed}
            for (shop, abuse_type), check in sorted(self.checks.items()) if not shop
        }  # fmt: skip
        log.info("calibration", labels=self.reader.joined, types=told)


def describe(
    reader: LabelReader, checks: Mapping[tuple[str, str], LabelCheck], *, shop: str, now: int
) -> dict[str, Any]:
    """What labels say of recorded risks, as a document.

    Parameters
    ----------
    shop : of this one; "" for all together.
    now : µs UTC.
    """
    types = {}
    for name in ABUSE_TYPES:
        check = checks.get((shop, name), LabelCheck())
        types[name] = {**msgspec.to_builtins(check), "sound": check.is_sound}
    return {
        "shop": shop or None,
        "fusion": reader.fusion or None,
        "labels": {**reader.counts(shop), "immature": reader.book.immature(now, shop)},
        "wanted": {"decisions": LEAST_LABELS, "of_a_kind": LEAST_OF_A_KIND, "error": MOST_ERROR},
        "types": types,
    }  # fmt: skip


def read_calibration(installation: Installation, database: str = "", *, shop: str = "", now: int) -> dict[str, Any]:
    """What the labels of an installation's ledger say, also beside a running server.

    Raises `UsageError` where the folder holds no installation.
    """
    if not installation.journal.is_dir():
        raise UsageError(f"{installation.folder} holds no journal", fix="give the --folder that the server was given")
    version = ""
    if (installation.trained / "fusion").is_dir() or "fusion" in installation.installed_parts():
        # As decisions name it.
        version = "lost"
        with suppress(ArtefactError):
            version = StackedFusion.load(installation.trained / "fusion").version
    ledger = Ledger(database or installation.ledger_url)
    try:
        reader = LabelReader(ledger, version)
        reader.read()
        return describe(reader, reader.book.checks(now), shop=shop, now=now)
    finally:
        ledger.close()
