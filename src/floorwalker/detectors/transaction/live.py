"""Boosted trees over the live features, an opinion on every event for every abuse type that they have learned.

What the trees read is what rules and analysts read: the numbers of `floorwalker.features.live`, and a few of the
event's own. They keep no state: replaying, batching and asking ahead give the same bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Reason
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS, NUMBER_PLACES, Columns, EventBatch
from floorwalker.features.live import DEFAULT, FeatureBatch
from floorwalker.features.live.declarations import Feature
from floorwalker.models.trees import TreesTogether

OWN_NUMBERS = ("amount_minor", "discount_minor", "quantity", "rating", "status", "guest", "lines", "coupons")
"""Numbers of the event itself that the trees read; as ``event.amount_minor`` and so on."""
OWN = ("event.type", "event.hour", *(f"event.{name}" for name in OWN_NUMBERS))
_HOUR = 3_600_000_000


def row_names(features: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of `make_rows` over these live features: the features, then the event's own numbers.

    >>> row_names(["account_events_1h"])[:3]
    ('account_events_1h', 'event.type', 'event.hour')
    """
    return (*features, *OWN)


def make_rows(batch: EventBatch, features: FeatureBatch, names: Sequence[str] | None = None) -> NDArray[np.float32]:
    """The columns that the trees read, float32 [n, d]; NaN where missing.

    Parameters
    ----------
    names : of the columns, in their order; all of `row_names` without. A feature that is not declared here is missing
        in all rows.
    """
    wanted = row_names(features.names) if names is None else names
    places = {name: place for place, name in enumerate(features.names)}
    return _fill(batch, features, np.array([places.get(name, -1) for name in wanted], np.int64), wanted)


def _fill(
    batch: EventBatch, features: FeatureBatch, places: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.float32]:
    return _fill_own(batch, features, features.values[:, places], _find_own(places, names))


class _Own(NamedTuple):
    """Where the event's own numbers go: columns of rows, places in `NUMBER_FIELDS`; and columns of all else by name."""

    columns: NDArray[np.int64]
    places: NDArray[np.int64]
    others: tuple[tuple[int, str], ...]


def _find_own(places: NDArray[np.int64], names: Sequence[str]) -> _Own:
    own = [(column, names[column].removeprefix("event.")) for column in np.flatnonzero(places < 0).tolist()]
    known = [(column, NUMBER_PLACES[name]) for column, name in own
             if names[column].startswith("event.") and name in NUMBER_PLACES]  # fmt: skip
    columns, numbers = np.array(known, np.int64).reshape(-1, 2).T
    rest = {column for column, _ in own} - set(columns.tolist())
    return _Own(columns, numbers, tuple((column, names[column]) for column in sorted(rest)))


def _fill_own(batch: EventBatch, features: FeatureBatch, rows: NDArray[np.float32], own: _Own) -> NDArray[np.float32]:
    # The event's columns hold what a shop sent: numbers beyond single precision become infinite.
    with np.errstate(over="ignore"):
        if isinstance(batch.numbers, Columns):
            rows[:, own.columns] = batch.numbers.rows[own.places].T
        else:
            for column, place in zip(own.columns.tolist(), own.places.tolist(), strict=True):
                rows[:, column] = batch.numbers.get(NUMBER_FIELDS[place], np.nan)
    for column, name in own.others:
        rows[:, column] = _own(batch, features, name)
    return rows


def _own(batch: EventBatch, features: FeatureBatch, name: str) -> NDArray[np.generic] | float:
    """What an event says beside its numbers, or NaN for a feature that is not declared here."""
    if name == "event.type":
        return batch.type
    if name == "event.hour":
        hours: NDArray[np.int64] = features.as_of // _HOUR % 24
        return hours
    return np.nan


def feature_meanings(declarations: Sequence[Feature] = DEFAULT) -> dict[str, str]:
    """What each feature is, in a phrase for a reason's sentence.

    >>> feature_meanings()["account_logins_failed_1h"]
    'number of failed logins of the account (1h)'
    """
    phrases = {}
    for feature in declarations:
        of = " and ".join(name.replace("_", " ") for name in feature.of)
        window = f" ({feature.window})" if feature.window else ""
        phrases[feature.name] = f"{feature.aggregate.describe()} of the {of}{window}"
    own = {f"event.{name}": f"{name.replace('_', ' ')} of the event" for name in OWN_NUMBERS}
    return phrases | own | {"event.type": "type of the event", "event.hour": "hour of the day (UTC)"}


class LiveTransactions:
    """Scores events as they come.

    Parameters
    ----------
    model : boosted trees whose outputs are abuse types, learned on the columns of `make_rows` or some of them.

    Errors
    ------
    `UsageError` where an output is no abuse type.

    `outputs` has a column for each of the nine abuse types, ``transaction.trees.payment_fraud`` and so on; one that the
    trees have not learned is NaN.
    """

    detector = "transaction.trees"
    outputs: tuple[str, ...] = tuple(f"transaction.trees.{name}" for name in ABUSE_TYPES)

    def __init__(self, model: BoostedTrees) -> None:
        if unknown := sorted(set(model.outputs) - set(ABUSE_TYPES)):
            raise UsageError(f"trees that score {', '.join(unknown)}", allowed=", ".join(ABUSE_TYPES))
        self.model = model
        self._columns = [
            (place, model.trees(name))
            for place, name in enumerate(ABUSE_TYPES)
            if name in model.outputs and name not in model.unlearned
        ]
        self._together = TreesTogether([trees for _, trees in self._columns])
        self._learned = np.array([place for place, _ in self._columns])
        digest = hashlib.blake2b(repr(model.names).encode(), digest_size=6)
        for _, trees in self._columns:
            digest.update(trees.threshold.tobytes() + trees.value.tobytes())
        self.version = digest.hexdigest()
        self._seen: tuple[str, ...] = ()
        self._places: NDArray[np.int64] = np.zeros(0, np.int64)
        self._own = _find_own(self._places, ())

    @classmethod
    def load(cls, folder: Path) -> LiveTransactions:
        """The trees of this folder, as `BoostedTrees.save` wrote them; damage raises `ArtefactError`."""
        return cls(BoostedTrees.load(folder))

    def rows(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """The columns that this model reads, float32 [n, d]."""
        if features.names is not self._seen:
            places = {name: place for place, name in enumerate(features.names)}
            self._places = np.array([places.get(name, -1) for name in self.model.names], np.int64)
            self._own = _find_own(self._places, self.model.names)
            self._seen = features.names
        return _fill_own(batch, features, features.values[:, self._places], self._own)

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """Scores of each event from its features, float32 [n, 9] in the order of `outputs`."""
        answer = np.full((len(batch), len(self.outputs)), np.nan, np.float32)
        answer[:, self._learned] = self._together.score(self.rows(batch, features))
        return answer

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `score`: what moves is in the features."""
        return self.score(batch, features)

    def state(self) -> dict[str, NDArray[Any]]:
        """Nothing: the trees keep no state."""
        return {}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave."""

    def reasons(
        self,
        batch: EventBatch,
        features: FeatureBatch,
        scores: NDArray[np.float32],
        *,
        least: float = 0.5,
        most: int = 3,
        full: bool = False,
    ) -> list[list[Reason]]:
        """Why each event's highest score is what it is: n lists, empty where it is below `least`.

        Parameters
        ----------
        scores : float32 [n, 9], as `score` gave them.
        full : by Shapley values, milliseconds an event; else by the splits on its paths, microseconds.
        """
        answers: list[list[Reason]] = [[] for _ in range(len(batch))]
        told = scores >= least
        if told.any():
            # Comparing with NaN is no, and the highest is sought where there is one.
            chosen = np.flatnonzero(told.any(axis=1))
            types = np.where(told, scores, -1.0).argmax(axis=1)
            rows = self.rows(batch, features)
            for row in chosen:
                name = ABUSE_TYPES[types[row]]
                answers[row] = self.model.reasons(rows[row : row + 1], output=name, most=most, full=full)[0]
        return answers
