"""What was thought of an event's account, device, card, item … before: suspicion that adds up.

One event of a careful abuser looks like anybody's. What gives a ring away is that the same items, sellers, coupons,
networks and doors meet one slightly odd event after another. So the first opinion on every event is remembered with all
that takes part in it, and the next event is told how suspicious its company was: lately, for longer, at worst.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import KEY_PLACES, EventBatch
from floorwalker.events.rows import key_rows
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion import _memory_kernel as layout
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.fusion.reading import asked_rows
from floorwalker.kernels import silent
from floorwalker.store.pages import Pages

DETECTOR = "memory"
VERSION = "1"
REMEMBERED: tuple[str, ...] = (
    "account", "session", "device", "ip", "ip_network", "payment", "bin", "email_domain", "phone_prefix",
    "delivery_point", "coupon", "promotion", "item", "seller", "inviter",
)  # fmt: skip
"""Kinds of entity whose company is remembered."""
FACTS: tuple[str, ...] = ("lately", "longer", "worst", "often")
FIRST = f"{DETECTOR}.first_opinion"
SUMS: tuple[str, ...] = tuple(f"{DETECTOR}.{kind}.{fact}" for kind in REMEMBERED for fact in FACTS)
OUTPUTS: tuple[str, ...] = (FIRST, *SUMS)
HOUR = 3_600_000_000
SHORT, LONG = 6.0 * HOUR, 7.0 * 24 * HOUR
"""Half-lives, µs."""

_PLACES = np.array([KEY_PLACES[kind] for kind in REMEMBERED])

State = dict[str, NDArray[Any]]

_remember: Callable[..., None] = silent(layout.remember)


class RiskMemory:
    """Suspicion of the past, by entity: the sums alone.

    One object holds the memory of one shop; it is for one thread at a time. Events of a batch see those before them, so
    any batching gives the same columns.

    Parameters
    ----------
    rows : entities that are remembered, a power of two; in each bucket of four the longest silent is given up first.

    >>> RiskMemory(rows=64).outputs[:2]
    ('memory.account.lately', 'memory.account.longer')
    """

    outputs = SUMS

    def __init__(self, *, rows: int = 1 << 20) -> None:
        if rows < layout.WAYS or rows & (rows - 1):
            raise UsageError(f"room for {rows} entities", allowed="a power of two, 4 or more")
        self.words = np.zeros(rows * layout.WIDTH, np.uint64)
        self._pages = Pages(self.words)

    def score(
        self, batch: EventBatch, suspicion: NDArray[np.float32], rows: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """As `advance`, each event as if it came next, alone; nothing is remembered."""
        return self._run(batch, suspicion, rows, moves=False)

    def advance(
        self, batch: EventBatch, suspicion: NDArray[np.float32], rows: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """What is known of the events' entities, each before the event itself; then the events are remembered.

        Parameters
        ----------
        suspicion : float32 [len(rows)], the first opinion on each of these events, 0 to 1.
        rows : places of the events in the batch, rising; all without it.

        Returns float32 [len(rows), len(outputs)]; NaN where there is no such entity or it was never heard of.
        """
        return self._run(batch, suspicion, rows, moves=True)

    def _run(
        self, batch: EventBatch, suspicion: NDArray[np.float32], rows: NDArray[np.int64] | None, *, moves: bool
    ) -> NDArray[np.float32]:
        chosen = np.arange(len(batch)) if rows is None else rows
        if len(suspicion) != len(chosen):
            raise UsageError(f"{len(suspicion)} opinions on {len(chosen)} events", allowed="one an event")
        out = np.empty((len(chosen), len(SUMS)), np.float32)
        self.fill(batch, np.asarray(suspicion, np.float32), chosen, out, moves=moves)
        return out

    def fill(
        self,
        batch: EventBatch,
        suspicion: NDArray[np.float32],
        rows: NDArray[np.int64],
        out: NDArray[np.float32],
        *,
        moves: bool,
    ) -> None:
        """As `score`, where it `moves` as `advance`, into the last columns of `out`; those before get the suspicion."""
        _remember(moves, rows, key_rows(batch), _PLACES, batch.at, suspicion, SHORT, LONG, *self._pages.arguments, out)

    def state(self) -> State:
        """The whole memory: a view, valid until the next `advance`."""
        return {"memory": self.words}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the memory, for snapshots that take only what changed."""
        return {"memory": (self._pages, 0)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another size raises `ArtefactError`."""
        words = state.get("memory")
        if words is None or len(words) != len(self.words):
            raise ArtefactError(
                f"the stored memory has {0 if words is None else len(words)} words",
                allowed=f"{len(self.words)} words",
                fix="replay the journal",
            )
        self.words[:] = words
        self._pages.touch_all()


class LiveMemory:
    """The first opinion on each event, and how suspicious its company was before: live.

    Parameters
    ----------
    opinion : judges every event by its features.
    rows : entities that are remembered, see `RiskMemory`.
    """

    detector = DETECTOR
    outputs = OUTPUTS

    def __init__(self, opinion: FirstOpinion, *, rows: int = 1 << 20) -> None:
        self.opinion = opinion
        self.memory = RiskMemory(rows=rows)
        self._reader = opinion.reader()
        self._rarity = opinion.rarity()

    @classmethod
    def load(cls, folder: Path) -> LiveMemory:
        """From an artefact that training wrote; raises `ArtefactError` where it is damaged."""
        return cls(FirstOpinion.load(folder))

    @property
    def version(self) -> str:
        """Which first opinion it adds up, and by which code."""
        return f"{VERSION}.{self.opinion.version}"

    def warm(self) -> None:
        """Compile what only odd events need, before the first of them waits for it."""
        self._rarity.weigh(np.zeros((1, len(self.opinion.models))))
        self.opinion.because(np.full((1, len(self.opinion.models[0].names)), np.nan, np.float32))

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `advance`, each event as if it came next, alone; nothing is remembered."""
        return self._run(batch, features, moves=False)

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """The first opinion and what is known of the company of each event, in order; then all are remembered.

        Returns float32 [n, len(outputs)]; NaN for events of types that nobody judges.
        """
        return self._run(batch, features, moves=True)

    def _run(self, batch: EventBatch, features: FeatureBatch, *, moves: bool) -> NDArray[np.float32]:
        rows = asked_rows(self.opinion.relevant, batch.type)
        found = np.empty((len(rows), len(OUTPUTS)), np.float32)
        if len(rows):
            _, sums, speaks = self._reader.read(rows, batch, features)
            suspicion = np.zeros(len(rows), np.float32)
            if speaks:
                suspicion = self._rarity.weigh(self._reader.scores(sums))
            self.memory.fill(batch, suspicion, rows, found, moves=moves)
        if len(rows) == len(batch):
            return found
        everybody = np.full((len(batch), len(OUTPUTS)), np.nan, np.float32)
        everybody[rows] = found
        return everybody

    def state(self) -> State:
        """The whole memory: views, valid until the next `advance`."""
        return {"version": np.frombuffer(self.version.encode(), np.uint8), **self.memory.state()}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the memory, for snapshots that take only what changed."""
        return self.memory.pages()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another model or size raises `ArtefactError`."""
        given = bytes(np.asarray(state.get("version", ()), np.uint8)).decode("ascii", "replace")
        if given != self.version:
            raise ArtefactError(
                f"the stored memory belongs to the opinions {given or 'of nobody'}", allowed=self.version,
                fix="replay the journal",
            )  # fmt: skip
        self.memory.restore(state)


def tell_column(column: str, said: Mapping[str, float]) -> str | None:
    """A sentence for a column, given all of them; None where it says nothing.

    >>> tell_column("memory.device.longer", {"memory.device.longer": 0.41})
    'what this device did in the last days was often suspicious (0.41 on average)'
    """
    value = said.get(column, float("nan"))
    if value != value:
        return None
    if column == FIRST:
        return f"the event alone looks odd ({value:.2f})"
    _, kind, fact = column.split(".")
    name = kind.replace("_", " ")
    return {
        "lately": f"what this {name} did in the last hours was often suspicious ({value:.2f} on average)",
        "longer": f"what this {name} did in the last days was often suspicious ({value:.2f} on average)",
        "worst": f"something that this {name} did before was suspicious ({value:.2f})",
        "often": f"this {name} was suspicious {value:.0f} times in the last days",
    }[fact]
