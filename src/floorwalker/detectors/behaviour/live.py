"""Behaviour in the request path: the recurrent state of each live account and session, one step an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour import _live_kernel as layout
from floorwalker.detectors.behaviour._live_kernel import fill_slots, judge_events
from floorwalker.detectors.behaviour.model import BehaviourModel
from floorwalker.detectors.behaviour.reasons import explain_last, name_raised
from floorwalker.detectors.behaviour.streams import STREAMS
from floorwalker.detectors.behaviour.tokens import SHOP_FIELDS, read_places, routes_of
from floorwalker.detectors.behaviour.weights import LstmWeights, foreseen_of, offsets_of
from floorwalker.detectors.signal import Reason
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.events.rows import key_rows, number_rows
from floorwalker.features.live import FeatureBatch
from floorwalker.kernels import silent
from floorwalker.store.pages import Pages

DETECTOR = "behaviour.lstm"
OUTPUTS: tuple[str, ...] = (*(f"{DETECTOR}.{kind}" for kind in ABUSE_TYPES), "behaviour.surprise")
REMEMBERED = 8
"""Events of each account and session whose tokens are kept, so that a score can be explained."""

State = dict[str, NDArray[Any]]

_judge: Callable[..., None] = silent(judge_events)
_fill: Callable[..., None] = silent(fill_slots)


class _Rows:
    """The states of one kind of owner."""

    def __init__(self, weights: LstmWeights, rows: int, remembered: int) -> None:
        if not 1 <= rows <= 1 << 26:
            raise UsageError(f"room for {rows} states", allowed="1 to 2^26")
        self.span = len(SHOP_FIELDS)
        self.remembered = remembered
        self.width = layout.HEAD + weights.hidden + -(-remembered * self.span // 8)
        self.words = np.zeros(rows * self.width, np.uint64)
        self.pages = Pages(self.words)
        self.slots = np.zeros(1 << max(2 * rows - 1, 1).bit_length(), np.int32)
        self.tally = np.zeros(3, np.int64)
        self.weights = weights
        codes, labels, outputs = len(weights.table), len(weights.head_bias), len(weights.ahead_bias)
        self.shape = (codes, weights.hidden, labels, outputs, remembered, self.width)
        flat = np.concatenate([each.reshape(-1) for each in weights.arrays()])
        _, saved, marks = self.pages.arguments
        self.arguments = (flat, self.words, self.slots, self.tally, saved, marks)

    @property
    def used(self) -> int:
        return int(self.tally[layout.USED])

    def restore(self, rows: NDArray[Any], tally: NDArray[Any]) -> None:
        if len(rows) > len(self.words) or len(rows) % self.width or int(tally[0]) * self.width != len(rows):
            raise ArtefactError(
                f"the stored states of behaviour take {len(rows)} words",
                allowed=f"{tally[0]} rows of {self.width} words, at most {len(self.words)}",
                fix="replay the journal",
            )
        self.words[: len(rows)] = rows
        self.words[len(rows) :] = 0
        self.tally[:] = tally
        self.slots[:] = 0
        _fill(self.words, self.used, self.width, self.slots)
        self.pages.touch_all()

    def last_tokens(self, key: int) -> NDArray[np.uint8]:
        """Tokens of the key's last events, oldest first: uint8 [at most `remembered`, fields]."""
        for number in np.flatnonzero(self.words[: self.used * self.width : self.width] == np.uint64(key)).tolist():
            start = number * self.width
            count = int(self.words[start + layout.COUNT])
            first = 8 * (start + layout.HEAD + self.weights.hidden)
            ring = self.words.view(np.uint8)[first : first + self.remembered * self.span]
            ring = ring.reshape(self.remembered, self.span)
            held = min(count, self.remembered)
            return ring[np.arange(count - held, count) % max(self.remembered, 1)].copy()
        return np.zeros((0, self.span), np.uint8)


class LiveBehaviour:
    """Judges each event by what its account and its session did before.

    One object holds the state of one shop; it is for one thread at a time. Events of one batch see those before them,
    so any batching gives the same scores. With 64 cells a state takes 800 bytes; accounts that were not heard of for
    longest are forgotten first, and begin anew when they come back.

    Parameters
    ----------
    model : what was learned.
    accounts, sessions : how many of them are remembered.
    remembered : events of each whose tokens are kept for explanations.
    """

    detector = DETECTOR
    outputs = OUTPUTS

    def __init__(
        self, model: BehaviourModel, *, accounts: int = 200_000, sessions: int = 50_000, remembered: int = REMEMBERED
    ) -> None:
        if not 0 <= remembered <= 64:
            raise UsageError(f"{remembered} events remembered", allowed="0 to 64")
        self.model = model
        self._rows = {
            "account": _Rows(model.account, accounts, remembered),
            "session": _Rows(model.session, sessions, remembered),
        }
        self._fixed = (model.mixing, model.ranks, *(each for kind in STREAMS for each in self._rows[kind].arguments))
        self._plan: tuple[tuple[str, ...], NDArray[np.int64]] = ((), np.zeros(0, np.int64))

    @classmethod
    def load(cls, folder: Path, *, accounts: int = 200_000, sessions: int = 50_000) -> LiveBehaviour:
        """From an artefact that training wrote; raises `ArtefactError` where it is damaged."""
        return cls(BehaviourModel.load(folder), accounts=accounts, sessions=sessions)

    @property
    def version(self) -> str:
        """Which model it is."""
        return self.model.version

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """Opinions on the events in order, each after those before it, and remember them.

        Returns float32 [n, len(outputs)]: the learned probability of each abuse type, and the share of history's
        events that were foreseen better; NaN where an event has neither account nor session.
        """
        return self._run(batch, features, moves=True)

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `advance`, each event as if it came next, alone; nothing is remembered."""
        return self._run(batch, features, moves=False)

    def reasons(
        self, batch: EventBatch, features: FeatureBatch, scores: NDArray[np.float32], *, least: float = 0.5
    ) -> list[list[Reason]]:
        """A sentence for each opinion that is at least `least`, from the event itself; cheap enough for every event."""
        return name_raised(batch, features, scores, OUTPUTS, least)

    def explain(self, *, account: int = 0, session: int = 0, abuse_type: str) -> list[Reason]:
        """Which of the last events raised the opinion on this account or session: by leaving out each in turn.

        Takes milliseconds: it is for after the answer, or for an analyst who asks.

        Parameters
        ----------
        account, session : keys, 0 = none.
        abuse_type : one of `ABUSE_TYPES`; another raises `UsageError`.
        """
        if abuse_type not in ABUSE_TYPES:
            raise UsageError(f"unknown abuse type {abuse_type!r}", allowed=", ".join(ABUSE_TYPES))
        found: list[Reason] = []
        for kind, key in (("account", account), ("session", session)):
            rows = self._rows[kind]
            if key and len(tokens := rows.last_tokens(key)):
                found += explain_last(tokens, rows.weights, kind, abuse_type)
        return sorted(found, key=lambda reason: -reason.severity)

    def figures(self) -> dict[str, int]:
        """Rows in use and given up, by kind."""
        figures = {}
        for kind in STREAMS:
            figures[f"rows.{kind}"] = self._rows[kind].used
            figures[f"evicted.{kind}"] = int(self._rows[kind].tally[layout.EVICTED])
        return figures

    def state(self) -> State:
        """The whole state: views, valid until the next `advance`."""
        state: State = {"version": np.frombuffer(self.version.encode(), np.uint8)}
        for kind in STREAMS:
            rows = self._rows[kind]
            state[f"rows.{kind}"] = rows.words[: rows.used * rows.width]
            state[f"tally.{kind}"] = rows.tally
        return state

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the rows, for snapshots that take only what changed."""
        return {f"rows.{kind}": (self._rows[kind].pages, 0) for kind in STREAMS}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another model or another shape raises `ArtefactError`."""
        missing = sorted({*self.state()} - {*state})
        if missing:
            raise ArtefactError(f"the state of {DETECTOR} lacks {', '.join(missing)}", fix="replay the journal")
        given = bytes(np.asarray(state["version"], np.uint8)).decode("ascii", "replace")
        if given != self.version:
            raise ArtefactError(
                f"the state of {DETECTOR} belongs to the model {given}", allowed=self.version, fix="replay the journal"
            )
        for kind in STREAMS:
            self._rows[kind].restore(state[f"rows.{kind}"], state[f"tally.{kind}"])

    def _run(self, batch: EventBatch, features: FeatureBatch, *, moves: bool) -> NDArray[np.float32]:
        if self._plan[0] is not features.names:
            shapes = [self._rows[kind].shape for kind in STREAMS]
            self._plan = (
                features.names,
                layout.make_plan(
                    *read_places(features.names), offsets_of(SHOP_FIELDS), foreseen_of(SHOP_FIELDS), shapes
                ),
            )
        out = np.empty((len(batch.type), len(OUTPUTS)), np.float32)
        _judge(
            moves, np.ascontiguousarray(batch.type), np.ascontiguousarray(batch.at), routes_of(batch),
            number_rows(batch), key_rows(batch), np.ascontiguousarray(features.values), self._plan[1], *self._fixed,
            out,
        )  # fmt: skip
        return out
