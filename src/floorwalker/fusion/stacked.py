"""The learned fusion: boosted trees over live features and what every detector says, one model an abuse type.

Trees take missing values as they come, so a detector that does not answer costs sharpness and breaks nothing; in
training, part of the rows have their detectors' columns taken away (modality dropout), so that no model leans on one of
them alone. Each abuse type is judged at the types of event that were ever proven to do it, and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Reason
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES
from floorwalker.fusion.calibration import Calibration
from floorwalker.models.artefacts import load_artefact, save_artefact

NAME, VERSION = "fusion.stacked", 1
RAREST = 1e-5
"""The rarest rank that risk tells apart: one event in a hundred thousand has risk 1."""


@dataclass
class StackedFusion:
    """Risk per abuse type out of columns.

    Parameters
    ----------
    trees : a model for each learned abuse type, over the columns of `fusion_columns`.
    relevant : bool [event types + 1, abuse types], where a risk is spoken of; the last row is for unknown types.
    ranks : abuse type -> float64 [2, k]: rising scores, and the share of ordinary events whose score is at least that.
    calibrations : abuse type -> from score to probability; only where enough labels of the shop itself were there.
    """

    trees: BoostedTrees
    relevant: NDArray[np.bool_]
    ranks: dict[str, NDArray[np.float64]]
    calibrations: dict[str, Calibration]

    @cached_property
    def version(self) -> str:
        """Which model it is: equal versions give equal risks."""
        digest = hashlib.blake2b(self.relevant.tobytes(), digest_size=6)
        for name in ABUSE_TYPES:
            if name in self.trees.outputs and name not in self.trees.unlearned:
                for array in self.trees.trees(name).arrays().values():
                    digest.update(np.ascontiguousarray(array).tobytes())
            if name in self.ranks:
                digest.update(self.ranks[name].tobytes())
            if name in self.calibrations:
                digest.update(self.calibrations[name].values.tobytes())
        return digest.hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.trees.names

    def scores(self, columns: NDArray[np.float32], types: NDArray[np.int16]) -> NDArray[np.float32]:
        """What the trees say: float32 [n, abuse types] in [0, 1]; 0 where the type of event says nothing of it."""
        found = np.zeros((len(columns), len(ABUSE_TYPES)), np.float32)
        for place, name in enumerate(ABUSE_TYPES):
            if name in self.trees.unlearned or name not in self.trees.outputs:
                continue
            rows = np.flatnonzero(self.relevant[types, place])
            if len(rows) == len(columns):
                found[:, place] = self.trees.trees(name).score(columns)
            elif len(rows):
                found[rows, place] = self.trees.trees(name).score(columns[rows])
        return found

    def risk(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Risk of these scores: a probability where it is calibrated, else how rare so high a score is.

        A score that one ordinary event in a hundred exceeds has risk .4, one in a thousand .6, one in ten thousand .8.
        """
        found = np.zeros_like(scores)
        for place, name in enumerate(ABUSE_TYPES):
            spoken = scores[:, place] > 0
            if not spoken.any():
                continue
            given = scores[spoken, place]
            if name in self.calibrations:
                found[spoken, place] = self.calibrations[name].apply(given)
            elif name in self.ranks:
                edges, shares = self.ranks[name]
                rank = np.interp(given, edges, shares, left=1.0)
                found[spoken, place] = np.clip(np.log10(np.maximum(rank, RAREST)) / np.log10(RAREST), 0.0, 1.0)
        return found

    @staticmethod
    def ranks_of(scores: NDArray[np.floating[Any]], events: int) -> NDArray[np.float64]:
        """The ranks of ordinary scores, thinned where they are dense: float64 [2, k].

        Parameters
        ----------
        scores : of the ordinary events at which the type is judged.
        events : how many they stand for, of whatever type.
        """
        rising = np.sort(np.asarray(scores, np.float64))
        n = len(rising)
        # All of the highest thousand, then ever fewer: what counts is how rare the rare ones are.
        places = np.unique(np.r_[np.maximum(n - 1 - np.arange(1000), 0), n - np.geomspace(1, n, 400).astype(np.int64)])
        shares = (n - places) / max(events, 1)
        edges, first = np.unique(rising[places], return_index=True)
        return np.stack([np.r_[edges, max(1.0, edges[-1] + 1e-9)], np.r_[shares[first], 0.5 / max(events, 1)]])

    def reasons(self, columns: NDArray[np.float32], abuse_type: str, *, most: int = 3) -> list[list[Reason]]:
        """What raised the score of these rows most, cheaply: n lists."""
        return self.trees.reasons(columns, output=abuse_type, most=most)

    def save(self, folder: Path, *, facts: Mapping[str, Any]) -> None:
        """Write the artefact: `fusion/` with the manifest, `fusion/trees/` with the models."""
        learned = {
            "relevant": {
                kind.name: np.flatnonzero(row).tolist() for kind, row in zip(EVENT_TYPES, self.relevant, strict=False)
            },
            "ranks": {name: values.tolist() for name, values in self.ranks.items()},
            "calibrations": {
                name: {"edges": found.edges.tolist(), "values": found.values.tolist()}
                for name, found in self.calibrations.items()
            },
        }
        save_artefact(
            folder, name=NAME, version=VERSION, files={"fusion.json": json.dumps(learned).encode()}, facts=facts
        )
        self.trees.save(folder / "trees", facts=facts)

    @classmethod
    def load(cls, folder: Path) -> StackedFusion:
        """Read what `save` wrote; `ArtefactError` where it is missing, damaged or of another version."""
        artefact = load_artefact(folder, name=NAME, version=VERSION)
        try:
            learned = json.loads(artefact.files["fusion.json"])
            relevant = np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
            codes = {kind.name: code for code, kind in enumerate(EVENT_TYPES)}
            for name, places in learned["relevant"].items():
                if name in codes:
                    relevant[codes[name], places] = True
            ranks = {name: np.array(values, np.float64) for name, values in learned["ranks"].items()}
            calibrations = {
                name: Calibration(np.array(one["edges"], np.float64), np.array(one["values"], np.float64))
                for name, one in learned["calibrations"].items()
            }
        except (KeyError, TypeError, ValueError, IndexError) as broken:
            raise ArtefactError(
                f"fusion.json of {folder} is not as it was written: {broken}", fix="train again"
            ) from broken
        return cls(BoostedTrees.load(folder / "trees"), relevant, ranks, calibrations)
