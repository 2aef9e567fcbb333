"""Unusual activity: an Isolation Forest over the live features, in the request path."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors._unusual_kernels import keep_sample, scale_and_walk
from floorwalker.detectors.anomaly import RobustScaling
from floorwalker.detectors.anomaly.isolation_forest import IsolationForest
from floorwalker.detectors.signal import Reason, Signal
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.kernels import silent
from floorwalker.models._packed_kernels import CHILD, DEPTHS, ROOTS
from floorwalker.store.pages import Pages

_keep, _walk = silent(keep_sample), silent(scale_and_walk)
DETECTOR = "anomaly.unusual_activity"
SAMPLE_ROWS = 8192
"""Events kept to learn from: 32 times what one tree sees, 4 MB with a hundred features."""
LEAST_ROWS = 2000
"""Events below which nothing is called unusual, for hardly anything is usual yet."""
BODY = 0.99
"""Share of the learned events that are not unusual: their opinion is 0."""
NAMED = 3
"""Features that a reason names."""

State = dict[str, NDArray[Any]]


@dataclass
class FeatureSample:
    """A uniform sample of all events' feature rows, each event with the same chance, in bounded memory.

    Which rows stay is a function of the seed and of how many came before, so replayed history gives the same sample.

    Parameters
    ----------
    width : features in a row.
    rows : rows kept.
    seed : of the draws.

    Source: J. S. Vitter, *Random sampling with a reservoir*, 1985, algorithm R.

    >>> sample = FeatureSample(width=1, rows=4)
    >>> sample.add(np.arange(100, dtype=np.float32)[:, None])
    >>> sample.seen, sample.filled().shape
    (100, (4, 1))
    """

    width: int
    rows: int = SAMPLE_ROWS
    seed: int = 0
    _kept: NDArray[np.float32] = field(init=False, repr=False)
    _seen: NDArray[np.int64] = field(init=False, repr=False)
    _pages: Pages = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # An even number of them: pages count in 64-bit words.
        room = np.zeros(self.rows * self.width + self.rows * self.width % 2, np.float32)
        self._kept = room[: self.rows * self.width].reshape(self.rows, self.width)
        self._pages = Pages(room)
        self._seen = np.zeros(1, np.int64)

    @property
    def seen(self) -> int:
        """Events that came by."""
        return int(self._seen[0])

    def filled(self) -> NDArray[np.float32]:
        """The rows kept so far, a copy: float32 [at most `rows`, width]; NaN = missing."""
        return self._kept[: min(self.seen, self.rows)].copy()

    def add(self, values: NDArray[np.float32]) -> None:
        """Let rows pass by: float32 [n, width]."""
        _keep(values, self.seed, self._kept, self._seen, *self._pages.arguments)

    def state(self) -> State:
        """The arrays themselves, not copies: what `restore` takes."""
        return {"kept": self._kept, "seen": self._seen}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the kept rows, which begin with the first."""
        return {"kept": (self._pages, 0)}

    def restore(self, state: State) -> None:
        """Continue from a state of the same shape; another raises `ArtefactError`."""
        if {*state} != {*self.state()} or state["kept"].shape != self._kept.shape:
            raise ArtefactError("the stored sample of features is of another shape", fix="replay the journal")
        self._kept[:] = state["kept"]
        self._seen[:] = state["seen"]
        self._pages.touch_all()


@dataclass
class UnusualActivity:
    """How unlike the shop's own history an event's features are.

    Works against abuse that nobody has described yet: a forest of random cuts isolates what is rare, without labels
    (Liu, Ting, Zhou 2008). Because most events are honest, only the outer hundredth of history counts at all; the
    opinion rises from 0 there to 1 at the most unusual event seen. It names no abuse type.

    Before it was fitted it is not `ready`, and its signal says so. Rows with missing values are scored with the
    median of the column.

    Parameters
    ----------
    names : features in the order of the columns.
    version : which fit this is, "0" before the first.

    >>> rows = np.random.default_rng(3).normal(size=(3000, 4)).astype(np.float32)
    >>> unusual = UnusualActivity.fit(rows, ("a", "b", "c", "d"), version="1", seed=1)
    >>> signal = unusual.judge(np.array([[0, 0, 0, 0], [9, 0, 0, -9]], np.float32))
    >>> bool(signal.score[0] == 0 < 0.5 < signal.score[1])
    True
    >>> print(signal.reasons[1][0].text)
    unlike this shop's history, most of all in d, a, b
    """

    names: tuple[str, ...]
    version: str = "0"
    forest: IsolationForest | None = None
    scaling: RobustScaling | None = None
    middle: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    body: float = 1.0
    top: float = 1.0
    _flat: tuple[Any, ...] = field(default=(), init=False, repr=False)
    _divisor: float = field(default=1.0, init=False, repr=False)
    _usual_length: float = field(default=math.inf, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.forest is None or self.scaling is None:
            return
        learned = self.forest.state()
        scaling = self.scaling
        columns = np.array([self.middle, scaling.logarithmic, scaling.centre, scaling.scale], np.float64)
        self._flat = (columns, *pack_forest(learned))
        self._divisor = float(learned["normaliser"]) * self.forest.trees
        # Paths of this length lie on the edge of what is usual; a little beyond it nothing can be unusual.
        self._usual_length = -math.log2(max(self.body, 1e-300)) * self._divisor * (1 + 1e-9)

    @classmethod
    def fit(
        cls, rows: NDArray[np.float32], names: tuple[str, ...], *, version: str, seed: int, trees: int = 200
    ) -> UnusualActivity:
        """Learn from rows of history, float32 [n, F]; fewer than `LEAST_ROWS` raise `UsageError`."""
        if len(rows) < LEAST_ROWS:
            raise UsageError(f"{len(rows)} events of history", allowed=f"at least {LEAST_ROWS}")
        if rows.shape[1] != len(names):
            raise UsageError(f"rows of {rows.shape[1]} features", allowed=f"{len(names)}, one a name")
        middle = _medians(rows)
        whole = _completed(rows, middle)
        scaling = RobustScaling.fit(whole, logarithmic=whole.min(axis=0) >= 0)
        scaled = scaling.apply(whole)
        forest = IsolationForest(seed=seed, trees=trees, columns=names).fit(scaled)
        scores = forest.score(scaled)
        body, top = float(np.quantile(scores, BODY)), float(scores.max())
        return cls(names, version, forest, scaling, middle, body, max(top, body + 1e-6))

    def judge(self, values: NDArray[np.float32]) -> Signal:
        """An opinion on each row: float32 [n, F], NaN = missing."""
        if self.forest is None or self.scaling is None:
            return Signal(
                detector=DETECTOR,
                version=self.version,
                abuse_type=None,
                score=np.zeros(len(values), np.float32),
                reasons=[[] for _ in range(len(values))],
                ready=False,
            )
        scaled, total, shortest = self._walk(values)
        if shortest > self._usual_length:
            # Most live requests end here.
            zeros = np.zeros(len(values), np.float32)
            return Signal(DETECTOR, self.version, None, zeros, [[] for _ in range(len(values))], ready=True)
        raw = np.exp2(-total / self._divisor)
        # As np.clip, which takes ten times as long for one event.
        score = np.minimum(np.maximum((raw - self.body) / (self.top - self.body), 0.0), 1.0).astype(np.float32)
        reasons: list[list[Reason]] = [[] for _ in range(len(values))]
        for row in score.nonzero()[0].tolist():
            farthest = np.argsort(-np.abs(scaled[row]), kind="stable")[:NAMED]
            named = ", ".join(self.names[column] for column in farthest)
            reasons[row].append(
                Reason(DETECTOR, f"unlike this shop's history, most of all in {named}", float(score[row]))
            )
        return Signal(
            detector=DETECTOR, version=self.version, abuse_type=None, score=score, reasons=reasons, ready=True
        )

    def _walk(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64], float]:
        """Scaled features, lengths of the paths down all trees, and the shortest of them."""
        scaled = np.empty(values.shape, np.float32)
        total = np.empty((len(values), 1), np.float64)
        given = (np.ascontiguousarray(values, np.float32), *self._flat, scaled, total)
        shortest = _walk(*given)
        return scaled, total[:, 0], shortest

    def state(self) -> State:
        """Everything learned as arrays: what `from_state` takes. Raises `UsageError` before the first fit."""
        if self.forest is None or self.scaling is None:
            raise UsageError("nothing was learned yet", fix="fit it first")
        return {
            "names": np.array(self.names),
            "version": np.array(self.version),
            "middle": self.middle,
            "bounds": np.array([self.body, self.top]),
            **{f"forest.{name}": array for name, array in self.forest.state().items()},
            **{f"scaling.{name}": array for name, array in self.scaling.state().items()},
        }

    @classmethod
    def from_state(cls, state: State) -> UnusualActivity:
        """The detector that `state` was taken from; raises `ArtefactError` where arrays are missing."""
        missing = sorted({"names", "version", "middle", "bounds"} - {*state})
        if missing:
            raise ArtefactError(f"the state of {DETECTOR} lacks {', '.join(missing)}", fix="fit it again")
        return cls(
            tuple(str(name) for name in state["names"]),
            str(state["version"]),
            IsolationForest.from_state(_part(state, "forest.")),
            RobustScaling.from_state(_part(state, "scaling.")),
            state["middle"],
            float(state["bounds"][0]),
            float(state["bounds"][1]),
        )


def pack_forest(learned: State) -> tuple[NDArray[Any], ...]:
    """The forest's trees as `sum_packed` walks them, all in one column."""
    trees, nodes = learned["split_column"].shape
    words = np.empty((trees * nodes, 2), np.uint32)
    words[:, 0] = np.ascontiguousarray(learned["split_value"], np.float32).reshape(-1).view(np.uint32)
    words[:, 1] = (learned["split_column"] | learned["first_child"] << CHILD).reshape(-1)
    walks = np.zeros((3, trees), np.int64)
    walks[ROOTS], walks[DEPTHS] = np.arange(trees) * nodes, int(learned["limit"])
    return words.reshape(-1), learned["path"].reshape(-1).astype(np.float64), walks


def _part(state: State, prefix: str) -> State:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def _medians(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    known = ~np.isnan(rows)
    middle = np.zeros(rows.shape[1], np.float32)
    for column in np.flatnonzero(known.any(axis=0)).tolist():
        middle[column] = np.median(rows[known[:, column], column])
    return middle


def _completed(rows: NDArray[np.float32], middle: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.isfinite(rows), rows, middle)
