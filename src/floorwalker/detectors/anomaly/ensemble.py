"""Several detectors asked together: unusual is what most of them find unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State
from floorwalker.detectors.anomaly._layout import Stored, check_layout, check_rising, damaged
from floorwalker.detectors.anomaly._neighbours import draw_landmarks
from floorwalker.errors import UsageError
from floorwalker.registry import load_part

GRID = 1024
"""Quantiles kept of each member's training scores."""

REFERENCE_ROWS = 16_384
"""Training rows, a random sample of them, whose scores make the places."""


@dataclass
class Ensemble(FittedDetector):
    """Mean over named detectors of the share of training rows that score lower (after Aggarwal, Sathe 2017).

    Scores of different detectors mean different things, so each member's score is first turned into its place among
    its own scores of the training rows; beyond the largest, the place goes on rising towards 1. The mean of places
    is steadier than any member: one that is blind to a kind of abuse costs a little, not everything.

    Parameters
    ----------
    members : names of detectors in this folder.

    Scores: 0.5 is a row in the middle of the training rows for the mean member, 0.99 one of the top percent for all
    of them. Takes the largest minimum of training rows of its members. Costs the sum of its members.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> centre, far = Ensemble().fit(rows).score(np.array([[0, 0, 0], [6, 6, 6]], np.float32))
    >>> bool(centre < 0.5 < 0.99 < far)
    True
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="Ensemble",
        source="Aggarwal, Sathe 2017, chapter 5: averaged ranks",
        score_meaning="mean place among the training rows: 0.5 the middle, 0.99 one of the top percent",
        approximate_above=4096,
        minimum_rows=3,
    )

    members: tuple[str, ...] = ("isolation_forest", "knn", "histogram")

    def __post_init__(self) -> None:
        self.members = tuple(self.members)
        if not self.members or "ensemble" in self.members:
            raise UsageError(f"members={self.members}", allowed="one or more detectors other than ensemble")
        for name in self.members:
            _class_of(name)

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and two cheap members."""
        return [{}, {"members": ("ecod", "mahalanobis")}]

    def _fit(self, rows: Matrix) -> State:
        learned: State = {}
        for name in self.members:
            member = _class_of(name)(seed=self.seed).fit(rows)
            scores = np.sort(member.score(draw_landmarks(rows, REFERENCE_ROWS, self.seed)))
            places = np.linspace(0, len(scores) - 1, min(GRID, len(scores))).round().astype(np.int64)
            learned[f"grid.{name}"] = scores[places]
            learned.update({f"member.{name}.{key}": array for key, array in member.state().items()})
        return learned

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        own = self.capabilities.name
        for name in self.members:
            grid = f"grid.{name}"
            check_layout(own, learned, {grid: Stored(np.float32, (grid,))})
            check_rising(own, grid, learned[grid])
            member = _class_of(name).from_state(_member_state(learned, name))
            width = int(member._learned["width"])
            if width != lengths["width"]:
                raise damaged(f"member {name} of {own} is of {width} columns", str(lengths["width"]))

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        total = np.zeros(len(rows))
        for name in self.members:
            member = _class_of(name)._restored(_member_state(learned, name))
            total += _place(member.score(rows), learned[f"grid.{name}"])
        return total / len(self.members)


def _member_state(learned: State, name: str) -> State:
    prefix = f"member.{name}."
    return {key.removeprefix(prefix): array for key, array in learned.items() if key.startswith(prefix)}


def _class_of(name: str) -> type[FittedDetector]:
    module = load_part(__package__ or "", name)
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__ and issubclass(value, FittedDetector):
            return value
    raise UsageError(f"detector file {name!r} holds no detector")


def _place(scores: NDArray[np.float32], grid: NDArray[np.float32]) -> NDArray[np.float64]:
    """Place of each score among the sorted training scores, in [0, 1): linear between them, rising beyond the last."""
    size = len(grid)
    # Equal training scores share the middle of their places.
    below = np.searchsorted(grid, scores, "left")
    upto = np.searchsorted(grid, scores, "right")
    inside = (below + upto) / 2.0
    between = below == upto
    left = grid[np.clip(below - 1, 0, size - 1)].astype(np.float64)
    right = grid[np.clip(below, 0, size - 1)].astype(np.float64)
    part = (scores - left) / np.maximum(right - left, 1e-12)
    place: NDArray[np.float64] = np.where(between, below - 0.5 + np.clip(part, 0.0, 1.0), inside) / (size + 1)
    # Past the largest training score the last step to 1 is walked in proportion to what is left of the scale.
    top = float(grid[-1])
    beyond = scores > top
    place[beyond] = (size + (scores[beyond] - top) / max(1.0 - top, 1e-12)) / (size + 1)
    return np.clip(np.where(below == 0, inside / (size + 1), place), 0.0, 1.0)
