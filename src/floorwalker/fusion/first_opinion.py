"""A first opinion on every event, from its live features and its context: cheap, and asked before all else is known.

It is never told to anybody. `memory` adds up what it says of an account, a device, an item or a coupon, and fusion sees
the sums. Several models, each learned from another stretch of time, are averaged: so the opinion on every past event
can come from models that had not seen it, as it does live.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Contribution
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError
from floorwalker.events.types import EVENT_TYPES
from floorwalker.fusion._rank_kernel import mean_rarity, rank_scores
from floorwalker.fusion.columns import fusion_columns
from floorwalker.fusion.reading import ColumnReader, sum_of_rank
from floorwalker.kernels import silent
from floorwalker.models.artefacts import load_artefact, save_artefact

_rank, _mean = silent(rank_scores), silent(mean_rarity)
NAME, VERSION = "fusion.first_opinion", 1
COMMON, RARE = 1.0, 4.0
"""Powers of ten: suspicion begins where one ordinary event in ten looks as bad, and is whole at one in ten thousand."""
LEAST = 1e-9
"""The rarest rank that is told apart."""


class Rarity:
    """What several models' scores come to.

    Parameters
    ----------
    ranks : of each model, as `FirstOpinion.ranks`.
    """

    def __init__(self, ranks: Sequence[NDArray[np.float64]]) -> None:
        self._ranks = np.concatenate(ranks, axis=1)
        self._starts = np.cumsum([0, *(one.shape[1] for one in ranks)], dtype=np.int64)

    def weigh(self, scores: NDArray[np.float64]) -> NDArray[np.float32]:
        """Float32 [n] in [0, 1], of scores float64 [n, models]."""
        ranks = np.empty(scores.shape)
        _rank(scores, self._ranks, self._starts, LEAST, ranks)
        found = np.empty(len(scores), np.float32)
        _mean(np.log10(ranks), COMMON, RARE, found)
        return found


@dataclass
class FirstOpinion:
    """How odd an event looks by itself.

    Parameters
    ----------
    models : of one output each, over the same columns of `fusion_columns`.
    ranks : of each model, float64 [2, k]: rising scores, and the share of ordinary events whose score is at least that.
    relevant : bool [event types + 1], at which types of event it is asked.
    """

    models: Sequence[BoostedTrees]
    ranks: list[NDArray[np.float64]]
    relevant: NDArray[np.bool_]

    @cached_property
    def version(self) -> str:
        """Which models these are: equal versions give equal opinions."""
        digest = hashlib.blake2b(self.relevant.tobytes(), digest_size=6)
        for model, ranks in zip(self.models, self.ranks, strict=True):
            digest.update(ranks.tobytes())
            for array in model.trees().arrays().values():
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def suspect(
        self,
        features: NDArray[np.float32],
        numbers: NDArray[np.float32] | Mapping[str, NDArray[np.float64]],
        types: NDArray[np.int16],
        signals: NDArray[np.float32] | None = None,
        *,
        models: Sequence[int] | None = None,
    ) -> NDArray[np.float32]:
        """How suspicious each event looks, 0 to 1: float32 [n].

        Parameters
        ----------
        features, numbers, types, signals : as `fusion_columns` takes them, of events of `relevant` types; signals are
            those that the models learned from.
        models : places of the models that are asked; all without it.
        """
        columns = fusion_columns(features, numbers, types, signals)
        asked = range(len(self.models)) if models is None else models
        if not len(asked):
            return np.zeros(len(columns), np.float32)
        scores = np.stack([self.models[place].trees().score(columns) for place in asked], axis=1)
        return Rarity([self.ranks[place] for place in asked]).weigh(scores)

    def because(self, columns: NDArray[np.float32], *, most: int = 2) -> list[Contribution]:
        """What raised the opinion of the model that thinks worst of one event, the strongest first.

        Parameters
        ----------
        columns : float32 [1, k], those of the models.
        most : most columns that are named.
        """
        odd = [
            float(Rarity([ranks]).weigh(model.trees().score(columns)[:, None])[0])
            for model, ranks in zip(self.models, self.ranks, strict=True)
        ]
        return self.models[int(np.argmax(odd))].contributions(columns, most=most)[0]

    def rarity(self) -> Rarity:
        """What is made of the scores of all models."""
        return Rarity(self.ranks)

    def reader(self) -> ColumnReader:
        """Reads live events for all models; what it leaves unheard, `rarity` makes 0 of."""
        trees = [model.trees() for model in self.models]
        unheard = [
            sum_of_rank(ranks, 10.0**-COMMON * (1 + 1e-9), one.link)
            for ranks, one in zip(self.ranks, trees, strict=True)
        ]
        return ColumnReader(self.models[0].names, trees, unheard)

    def save(self, folder: Path, *, facts: Mapping[str, Any]) -> None:
        """Write the artefact: the manifest, and a folder a model."""
        learned = {
            "relevant": [kind.name for kind, is_asked in zip(EVENT_TYPES, self.relevant, strict=False) if is_asked],
            "ranks": [ranks.tolist() for ranks in self.ranks],
        }
        files = {"opinion.json": json.dumps(learned).encode()}
        save_artefact(folder, name=NAME, version=VERSION, files=files, facts=facts)
        for place, model in enumerate(self.models):
            model.save(folder / f"model_{place}", facts=facts)

    @classmethod
    def load(cls, folder: Path) -> FirstOpinion:
        """Read what `save` wrote; `ArtefactError` where it is missing, damaged or of another version."""
        artefact = load_artefact(folder, name=NAME, version=VERSION)
        try:
            learned = json.loads(artefact.files["opinion.json"])
            asked = set(learned["relevant"])
            ranks = [np.array(one, np.float64).reshape(2, -1) for one in learned["ranks"]]
        except (KeyError, TypeError, ValueError) as broken:
            raise ArtefactError(
                f"opinion.json of {folder} is not as it was written: {broken}", fix="train again"
            ) from broken
        relevant = np.array([*(kind.name in asked for kind in EVENT_TYPES), False])
        return cls([BoostedTrees.load(folder / f"model_{place}") for place in range(len(ranks))], ranks, relevant)
