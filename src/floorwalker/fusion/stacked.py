"""The learned fusion: boosted trees over live features and what every detector says.

One model says whether an event is abuse at all; it learns from every proof of whatever kind. Small models, learned from
the proven events alone, say which kind: each gets its share of the first model's score. So a kind of which little is
known profits from all that is known of the others, and only what is suspicious at all costs more than one model.

Trees take missing values as they come, so a detector that does not answer costs sharpness and breaks nothing; in
training, part of the rows have their detectors' columns taken away (modality dropout), so that no model leans on one of
them alone. Each abuse type is judged at the types of event that were ever proven to do it, and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Contribution, Reason
from floorwalker.detectors.transaction._reasons import as_reasons
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES
from floorwalker.fusion._rank_kernel import rank_scores, share_of_rarest
from floorwalker.fusion._stacked_kernel import ask_kinds, share_out, spread_risk, sum_scores
from floorwalker.fusion.calibration import Calibration
from floorwalker.fusion.reading import ColumnReader, asked_rows, sum_of_rank
from floorwalker.kernels import silent
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.models.trees import TreesTogether

NAME, VERSION = "fusion.stacked", 2
ANY = "any"
"""The output that says whether an event is abuse at all."""
HANDS = "hands"
"""The output of the second opinion: whether an event is of the hands of somebody guilty, harmful or not."""
SPOKEN = 0.3
"""Risk below which an opinion is not heard: three events in a hundred lie above. What lies below is shared evenly."""
_NEAR = 0.02
RAREST = 1e-5
"""The rarest rank that risk tells apart: one event in a hundred thousand has risk 1."""
_RAREST_LOG = float(np.log10(RAREST))
_rank, _share = silent(rank_scores), silent(share_of_rarest)
_ask, _share_out, _sum, _spread = silent(ask_kinds), silent(share_out), silent(sum_scores), silent(spread_risk)


@dataclass
class StackedFusion:
    """Risk per abuse type out of columns.

    Parameters
    ----------
    trees : over the columns of `fusion_columns`: `ANY`, and a model for each abuse type among the proven events.
    relevant : bool [event types + 1, abuse types], where a risk is spoken of; the last row is for unknown types.
    ranks : float64 [2, k]: rising scores of `ANY`, and the share of ordinary events whose score is at least that; None
        before they are known.
    calibrations : abuse type -> from score to probability; only where enough labels of the shop itself were there.
    hands : over the same columns, the second opinion (`HANDS`), which moves no risk; None where it was not learned.
    hand_ranks : as `ranks`, of its scores.
    """

    trees: BoostedTrees
    relevant: NDArray[np.bool_]
    ranks: NDArray[np.float64] | None
    calibrations: dict[str, Calibration]
    hands: BoostedTrees | None = None
    hand_ranks: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if ANY not in self.trees.outputs or ANY in self.trees.unlearned:
            raise ArtefactError(
                f"trees for {', '.join(self.trees.outputs)}", allowed=f"one for {ANY!r}", fix="train again"
            )

    @cached_property
    def version(self) -> str:
        """Which model it is: equal versions give equal risks."""
        digest = hashlib.blake2b(self.relevant.tobytes(), digest_size=6)
        for name in self.trees.outputs:
            if name not in self.trees.unlearned:
                for array in self.trees.trees(name).arrays().values():
                    digest.update(np.ascontiguousarray(array).tobytes())
        if self.hands is not None and self.hand_ranks is not None:
            for array in self.hands.trees(HANDS).arrays().values():
                digest.update(np.ascontiguousarray(array).tobytes())
        for ranks in (self.ranks, None if self.hands is None else self.hand_ranks):
            if ranks is not None:
                digest.update(ranks.tobytes())
        for name, calibration in sorted(self.calibrations.items()):
            digest.update(name.encode() + calibration.values.tobytes())
        return digest.hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.trees.names

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """bool [event types + 1], at which types of event any abuse type is judged."""
        return np.asarray(self.relevant.any(axis=1))

    def reader(self, *, further: str) -> ColumnReader:
        """Reads live events for `ANY`; those of which it hears nothing are calm.

        Parameters
        ----------
        further : name of a column that is given beside the features.
        """
        trees = self.trees.trees(ANY)
        unheard = -math.inf
        if self.ranks is not None and not self.calibrations:
            unheard = sum_of_rank(self.ranks, RAREST ** (SPOKEN - _NEAR) * (1 + 1e-4), trees.link)
        return ColumnReader(self.names, [trees], [unheard], further=further)

    @cached_property
    def _kinds(self) -> tuple[TreesTogether | None, NDArray[np.int64]]:
        """The models of abuse types together, and the places of these."""
        known = [
            place
            for place, name in enumerate(ABUSE_TYPES)
            if name in self.trees.outputs and name not in self.trees.unlearned
        ]
        together = TreesTogether([self.trees.trees(ABUSE_TYPES[place]) for place in known]) if known else None
        return together, np.array(known, np.int64)

    @cached_property
    def _even(self) -> NDArray[np.float32]:
        """Where each abuse type is judged, as shares: float32 [event types + 1, abuse types]."""
        return self.relevant.astype(np.float32)

    def suspect(self, columns: NDArray[np.float32], types: NDArray[np.int16]) -> NDArray[np.float32]:
        """Whether the events are abuse at all: float32 [n] in [0, 1]; 0 where nothing is judged."""
        rows = asked_rows(self.judged, types)
        if len(rows) == len(types):
            return self.trees.trees(ANY).score(columns).astype(np.float32)
        found = np.zeros(len(columns), np.float32)
        if len(rows):
            found[rows] = self.trees.trees(ANY).score(columns[rows])
        return found

    def is_calm(self, whole: NDArray[np.float32]) -> bool:
        """Whether every risk at these suspicions (float32 [n], as `suspect` gives them) is certainly below `SPOKEN`, so
        that nobody need ask for `scores`.

        False also where one comes near: shares of it may add up to a little more.
        """
        return self._calm(self._rank_risk(whole))

    def _calm(self, rarity: NDArray[np.float32]) -> bool:
        return not self.calibrations and bool((rarity < SPOKEN - _NEAR).all())

    def scores(
        self, columns: NDArray[np.float32], types: NDArray[np.int16], whole: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """What the trees say: float32 [n, abuse types] in [0, 1]; 0 where the type of event says nothing of it.

        A row's scores add up to what `suspect` says, which may be given as `whole`.
        """
        if whole is None:
            whole = self.suspect(columns, types)
        return self._scores(columns, types, whole, self._rank_risk(whole))

    def judge(
        self, columns: NDArray[np.float32], types: NDArray[np.int16], whole: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """The `risk` of the `scores` where it is spoken of, else 0: float32 [n, abuse types]; None where all is calm.

        Parameters
        ----------
        whole : float32 [n], as `suspect` gives it.
        """
        rarity = self._rank_risk(whole)
        if self._calm(rarity):
            return None
        return self._risk(self._scores(columns, types, whole, rarity), least=SPOKEN)

    def _scores(
        self,
        columns: NDArray[np.float32],
        types: NDArray[np.int16],
        whole: NDArray[np.float32],
        rarity: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        scores = np.empty((len(types), len(ABUSE_TYPES)), np.float32)
        kinds, places = self._kinds
        asked, said = np.empty((len(types), len(places)), np.bool_), np.empty((len(types), len(places)))
        if kinds is not None and kinds.packed is not None and columns.dtype == np.float32:
            columns = np.ascontiguousarray(columns)
            if _ask(types, self._even, rarity, SPOKEN, columns, *kinds.packed, kinds.starts, places, asked, said):
                said = kinds.through_link(said)
        elif kinds is not None:
            judged = self._even[types]
            several = (rarity >= SPOKEN) & (judged.sum(axis=1) > 1)
            asked = np.ascontiguousarray(several[:, None] & (judged[:, places] > 0))
            said = kinds.score(columns, asked)
        _share_out(types, self._even, places, asked, said, whole, scores)
        return scores

    def risk(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Risk of these scores: a probability where it is calibrated, else how rare so high a score is.

        A score that one ordinary event in a hundred exceeds has risk .4, one in a thousand .6, one in ten thousand .8.
        The likeliest type has all of it, the others as much less as they are less likely.
        """
        return self._risk(scores, least=0.0)

    def _risk(self, scores: NDArray[np.float32], *, least: float) -> NDArray[np.float32]:
        """As `risk`; what is less than `least` is 0."""
        scores = np.ascontiguousarray(scores)
        whole, found = np.empty(len(scores), np.float32), np.empty(scores.shape, np.float32)
        _sum(scores, whole)
        _spread(scores, self._rank_risk(whole), 0.0 if self.calibrations else least, found)
        if self.calibrations:
            for name, calibration in self.calibrations.items():
                place = ABUSE_TYPES.index(name)
                spoken = scores[:, place] > 0
                found[spoken, place] = calibration.apply(scores[spoken, place])
            found[found < least] = 0.0
        return found

    def speaks_of(self, whole: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which of these suspicions (float32 [n], as `suspect` gives them) are heard: bool [n]."""
        return np.asarray(self._rank_risk(whole) >= SPOKEN)

    def suspicion(self, whole: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """How suspicious an event makes whoever did it: float32 [n] in [0, 1].

        The mean of how rare `whole` is and of how rare the second opinion is, or the first alone where there is no
        second; 0 of an event that `speaks_of` does not name.

        Parameters
        ----------
        whole : float32 [n], as `suspect` gives it.
        columns : float32 [n, k], of which the second opinion reads those of events that speak.
        """
        first = self._rank_risk(whole)
        asked = np.flatnonzero(first >= SPOKEN)
        found = np.zeros(len(whole), np.float32)
        found[asked] = first[asked]
        if len(asked) and self.hands is not None and self.hand_ranks is not None:
            second = self.hands.trees(HANDS).score(columns[asked]).astype(np.float32)
            found[asked] = (first[asked] + self._rank_risk(second, self.hand_ranks)) / 2
        return found

    def _rank_risk(self, whole: NDArray[np.float32], known: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        known = self.ranks if known is None else known
        if known is None:
            return np.where(whole > 0, 1.0, 0.0).astype(np.float32)
        ranks, risk = np.empty((len(whole), 1)), np.empty(len(whole), np.float32)
        _rank(whole.reshape(-1, 1), known, np.array([0, known.shape[1]]), RAREST, ranks)
        _share(np.log10(ranks), _RAREST_LOG, risk)
        return risk

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

    def tell(self, abuse_type: str, risk: float) -> str:
        """What a risk means, in a sentence."""
        words = abuse_type.replace("_", " ")
        if abuse_type in self.calibrations:
            return f"the models take it for {words} with a probability of {risk:.2f}"
        return f"it looks like {words}; one ordinary event in {RAREST**-risk:,.0f} looks as bad"

    def reasons(self, columns: NDArray[np.float32], abuse_type: str, *, most: int = 3) -> list[list[Reason]]:
        """What raised the score of these rows most, cheaply: n lists."""
        return as_reasons(f"transaction.{abuse_type}", self.contributions(columns, most=most))

    def contributions(self, columns: NDArray[np.float32], *, most: int = 3) -> list[list[Contribution]]:
        """As `reasons`, whatever the abuse type: it is one model that says whether."""
        return self.trees.contributions(columns, output=ANY, most=most)

    def warm(self) -> None:
        """Compile and pack what only suspicious events need, before the first of them waits for it."""
        several = np.flatnonzero(self.relevant.sum(axis=1) > 1)
        types, certain = several[:1].astype(np.int16), np.ones(1, np.float32)
        columns = np.full((1, len(self.names)), np.nan, np.float32)
        if len(types):
            self._risk(self._scores(columns, types, certain, certain), least=SPOKEN)
        self.contributions(columns)
        self.suspicion(certain, columns)

    def save(self, folder: Path, *, facts: Mapping[str, Any]) -> None:
        """Write the artefact: `fusion/` with the manifest, `fusion/trees/` and `fusion/hands/` with the models."""
        learned = {
            "relevant": {
                kind.name: np.flatnonzero(row).tolist() for kind, row in zip(EVENT_TYPES, self.relevant, strict=False)
            },
            "ranks": None if self.ranks is None else self.ranks.tolist(),
            "hand_ranks": None if self.hands is None or self.hand_ranks is None else self.hand_ranks.tolist(),
            "calibrations": {
                name: {"edges": found.edges.tolist(), "values": found.values.tolist()}
                for name, found in self.calibrations.items()
            },
        }
        save_artefact(
            folder, name=NAME, version=VERSION, files={"fusion.json": json.dumps(learned).encode()}, facts=facts
        )
        self.trees.save(folder / "trees", facts=facts)
        if self.hands is not None and self.hand_ranks is not None:
            self.hands.save(folder / "hands", facts=facts)

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
            ranks, hand_ranks = (
                None if learned.get(name) is None else np.array(learned[name], np.float64).reshape(2, -1)
                for name in ("ranks", "hand_ranks")
            )
            calibrations = {
                name: Calibration(np.array(one["edges"], np.float64), np.array(one["values"], np.float64))
                for name, one in learned["calibrations"].items()
            }
        except (KeyError, TypeError, ValueError, IndexError) as broken:
            raise ArtefactError(
                f"fusion.json of {folder} is not as it was written: {broken}", fix="train again"
            ) from broken
        trees, hands = BoostedTrees.load(folder / "trees"), None
        if hand_ranks is not None:
            hands = BoostedTrees.load(folder / "hands")
            if hands.names != trees.names or hands.outputs != (HANDS,):
                raise ArtefactError(f"the trees in {folder / 'hands'} are of other columns", fix="train again")
        return cls(trees, relevant, ranks, calibrations, hands, hand_ranks)
