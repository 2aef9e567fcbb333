"""The other learned fusion: each modality is read by a small network, and a gate says how much each is listened to.

It stands beside the stacked trees so that the choice between them is measured (`floorwalker evaluate fusion`), and for
columns of a user's own. A modality without any value has no part; the gate shares its weight among the others.

>>> rng = np.random.default_rng(0)
>>> columns = rng.normal(size=(600, 4)).astype(np.float32)
>>> label = (columns[:, 0] + columns[:, 3] > 1).astype(float)
>>> columns[::3, 2:] = np.nan
>>> fused = GatedFusion({"first": (0, 1), "second": (2, 3)}, epochs=8).fit(columns, label)
>>> fused.score(columns).shape, fused.gates(columns)[0].tolist()
((600,), [1.0, 0.0])
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.models.devices import check_device

NAME, VERSION = "fusion.gated", 1
EDGES = 64
"""Quantiles by which a column is brought onto one scale: what a network reads must not have the tails of money."""


@dataclass
class GatedFusion:
    """Whether an event is abuse, out of columns in groups.

    Each group's columns are brought onto ranks, with a mark where a value is missing; a layer makes a state of them.
    The gate gives each group that has any value a weight, out of its own state; the weighted states together go
    through a last layer. In training whole groups are taken away at random, so that none is leaned on alone.

    It works against abuse because an attacker who hides from one modality does not silence the others, and which one
    speaks differs from event to event.

    Parameters
    ----------
    groups : name of each modality -> places of its columns.
    kind : place of a column that holds codes, as the type of event: each code becomes a column.
    width : of a group's state.
    epochs : passes over the rows at most; the best on the latest tenth of them is kept.
    batch : rows of a step at most; few rows are learned from in smaller steps.
    rate : of learning.
    drop_out : share of rows from which each group is taken.
    seed : the only source of chance.
    device : of torch, for training; `cuda` trains in mixed precision. Scoring needs NumPy only.

    Source: J. Arevalo et al., *Gated multimodal units for information fusion*, ICLR 2017 workshop, eq. 1-5 (for more
    than two modalities), with the gate's weights normalised as attention; N. Neverova et al., *ModDrop*, TPAMI 2016.
    """

    groups: Mapping[str, Sequence[int]]
    kind: int | None = None
    width: int = 64
    epochs: int = 12
    batch: int = 1024
    rate: float = 2e-3
    drop_out: float = 0.15
    seed: int = 0
    device: str = "cpu"
    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)
    validation_loss: float = field(default=float("nan"), init=False)

    def __post_init__(self) -> None:
        faulty = [name for name, places in self.groups.items() if not len(places) or min(places) < 0]
        if not self.groups or faulty or min(self.width, self.epochs, self.batch) < 1 or not 0 <= self.drop_out < 1:
            raise UsageError(
                f"groups={list(self.groups)}, width={self.width}, epochs={self.epochs}, batch={self.batch}, "
                f"drop_out={self.drop_out}",
                allowed="groups with a column at least, counted from 0; width, epochs and batch of 1 and more; "
                "drop_out of 0 to below 1",
            )
        if self.kind is not None and not any(self.kind in places for places in self.groups.values()):
            raise UsageError(f"kind={self.kind}, a column of no group", allowed="a column of one of the groups")
        check_device(self.device)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the groups, in the order of `gates`."""
        return tuple(self.groups)

    def fit(
        self,
        columns: NDArray[np.float32],
        label: ArrayLike,
        *,
        weights: ArrayLike | None = None,
        at: NDArray[np.int64] | None = None,
    ) -> GatedFusion:
        """Learn from rows: columns float32 [n, width] (NaN is missing), label [n] of 0 to 1, weights [n].

        Parameters
        ----------
        label : NaN where nobody knows; such a row teaches nothing.
        at : times by which the latest tenth is found; the order of the rows without it.

        Raises `InputError` for no rows, lengths that differ, weights that are none, one class only, and where no epoch
        came to a finite loss.
        """
        from floorwalker.fusion._gated_torch import train

        rows = np.asarray(columns, np.float32)
        truth = np.asarray(label, np.float32)
        weight = np.ones(len(truth), np.float32) if weights is None else np.asarray(weights, np.float32)
        if rows.ndim != 2 or not len(rows) or not len(rows) == len(truth) == len(weight):
            raise InputError(
                f"columns {rows.shape}, {len(truth)} labels, {len(weight)} weights", allowed="as many each"
            )
        if not np.isfinite(weight).all() or (weight < 0).any():
            raise InputError("weights below 0, infinite or missing", allowed="finite numbers of 0 and up")
        if not (truth >= 0.5).any() or not (truth < 0.5).any():
            raise InputError("labels of one class only", allowed="some of 0 and some of 1")
        self._check(rows)
        told = ~np.isnan(truth)
        rows, truth, weight = rows[told], truth[told], weight[told]
        order = np.arange(len(rows)) if at is None else np.argsort(np.asarray(at)[told], kind="stable")
        learned = order[: max(1, int(len(rows) * 0.9))]
        self.weights = {f"{name}.edges": _edges(rows[learned][:, list(places)]) for name, places in self.groups.items()}
        codes = np.empty(0, np.float32) if self.kind is None else np.unique(rows[learned, self.kind])
        self.weights["kinds"] = codes[~np.isnan(codes)]
        parts, present = self._parts(rows)
        found, self.validation_loss = train(self, parts, present, truth, weight, order)
        if not np.isfinite(self.validation_loss):
            raise InputError("no epoch came to a finite loss", allowed="labels of 0 to 1", fix="a smaller rate")
        self.weights |= found
        return self

    def score(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32 [n] in [0, 1], higher is worse: a probability among rows as those that were learned from, by their
        weights; 0 where no group has any value."""
        return self._answer(columns)[0]

    def gates(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much each group is listened to: float32 [n, groups], rows that sum to 1, 0 for one without values."""
        return self._answer(columns)[1]

    @property
    def version(self) -> str:
        """Which model it is: equal versions give equal scores."""
        digest = hashlib.blake2b(digest_size=6)
        for name in sorted(self.weights):
            digest.update(name.encode() + np.ascontiguousarray(self.weights[name]).tobytes())
        return digest.hexdigest()

    def save(self, folder: Path, *, facts: Mapping[str, Any]) -> None:
        """Write the artefact: arrays and JSON."""
        if "out_weight" not in self.weights:
            raise NotReadyError("the fusion was saved before fit", fix="call fit(columns, label) first")
        buffer = BytesIO()
        arrays: dict[str, Any] = dict(self.weights)
        np.savez(buffer, **arrays)
        groups = {name: list(map(int, places)) for name, places in self.groups.items()}
        told = {"groups": groups, "kind": self.kind, "width": self.width}
        files = {"gated.json": json.dumps(told).encode(), "weights.npz": buffer.getvalue()}
        save_artefact(folder, name=NAME, version=VERSION, files=files, facts=facts)

    @classmethod
    def load(cls, folder: Path) -> GatedFusion:
        """Read what `save` wrote; `ArtefactError` where it is missing, damaged or of another version."""
        artefact = load_artefact(folder, name=NAME, version=VERSION)
        try:
            told = json.loads(artefact.files["gated.json"])
            groups = {str(name): tuple(map(int, places)) for name, places in told["groups"].items()}
            made = cls(groups, kind=told["kind"], width=int(told["width"]))
            with np.load(BytesIO(artefact.files["weights.npz"]), allow_pickle=False) as arrays:
                made.weights = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
            wanted = {"kinds", "gate", "out_weight", "out_bias", "last_weight", "last_bias"}
            wanted |= {f"{name}.{part}" for name in made.names for part in ("edges", "weight", "bias")}
            if wanted != made.weights.keys():
                raise ValueError(f"arrays {sorted(made.weights)}")
        except (KeyError, TypeError, ValueError, OSError, AttributeError) as broken:
            raise ArtefactError(f"{folder} holds no gated fusion: {broken}", fix="train again") from broken
        return made

    def _check(self, rows: NDArray[np.float32]) -> None:
        highest = max(max(places) for places in self.groups.values())
        if rows.ndim != 2 or rows.shape[1] <= highest:
            raise InputError(f"columns of shape {rows.shape}", allowed=f"[n, {highest + 1} and more]")

    def _parts(self, rows: NDArray[np.float32]) -> tuple[list[NDArray[np.float32]], NDArray[np.bool_]]:
        """Each group's columns on one scale, with marks of what is missing, and which groups have any value."""
        parts = []
        present = np.zeros((len(rows), len(self.groups)), np.bool_)
        for place, (name, places) in enumerate(self.groups.items()):
            own = rows[:, list(places)]
            known = ~np.isnan(own)
            present[:, place] = known.any(axis=1)
            ranks = np.zeros(own.shape, np.float32)
            for column, edges in enumerate(self.weights[f"{name}.edges"]):
                low, high = (
                    np.searchsorted(edges, own[:, column], "left"),
                    np.searchsorted(edges, own[:, column], "right"),
                )
                ranks[:, column] = (low + high) / len(edges) - 1
            read = [np.where(known, ranks, 0), ~known]
            if self.kind is not None and self.kind in places:
                read.append(rows[:, self.kind, None] == self.weights["kinds"])
            parts.append(np.concatenate(read, axis=1, dtype=np.float32))
        return parts, present

    def _answer(self, columns: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if "out_weight" not in self.weights:
            raise NotReadyError("rows were scored before fit", fix="call fit(columns, label) first")
        rows = np.asarray(columns, np.float32)
        self._check(rows)
        parts, present = self._parts(rows)
        held = self.weights
        states = np.stack(
            [
                np.maximum(part @ held[f"{name}.weight"].T + held[f"{name}.bias"], 0)
                for name, part in zip(self.names, parts, strict=True)
            ],
            axis=1,
        )
        asked = np.where(present, (states * held["gate"]).sum(axis=2), -np.inf)
        top = asked.max(axis=1, keepdims=True)
        weight = np.where(present, np.exp(asked - np.where(np.isfinite(top), top, 0)), 0)
        gates = (weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-30)).astype(np.float32)
        fused = (states * gates[:, :, None]).sum(axis=1)
        last = np.maximum(fused @ held["last_weight"].T + held["last_bias"], 0)
        logit = (last @ held["out_weight"].T + held["out_bias"])[:, 0]
        score = np.where(present.any(axis=1), 1 / (1 + np.exp(-np.clip(logit, -60, 60))), 0).astype(np.float32)
        return score, gates


def _edges(own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Quantiles of each column: float32 [columns, `EDGES`], rising; zeros where a column has no value."""
    found = np.zeros((own.shape[1], EDGES), np.float32)
    for column in range(own.shape[1]):
        values = own[~np.isnan(own[:, column]), column]
        if len(values):
            # Whole values that occur: between two infinite ones nothing can be interpolated.
            found[column] = np.quantile(values, np.linspace(0, 1, EDGES), method="nearest")
    return found
