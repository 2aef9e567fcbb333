"""What a text says, as a signal that comes later: another process asks a classifier, and rare scores are signals.

A classifier's score is no probability of the shop's own stream, in which nearly all texts are harmless. So a signal is
how rare so high a score is among ordinary texts that the classifier did not learn from, on the scale of the learned
fusion: one ordinary text in a hundred lies above .4, one in a thousand above .6, one in ten thousand above .8.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, InputError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.fusion.stacked import RAREST, StackedFusion
from floorwalker.metrics import average_precision, roc_auc
from floorwalker.models.artefacts import MANIFEST, load_artefact, save_artefact

if TYPE_CHECKING:
    from floorwalker.detectors.content.tuned import Tuning

DETECTOR = "content.classifier"
ARTEFACT, VERSION, FACTS, CLASSIFIER = "content.texts", 1, "texts.json", "classifier"
HELD_OUT = 0.3
"""The latest share of the texts, which the classifier does not learn from."""
LEAST_HELD = 20
SPOKEN = 0.3
"""A signal below it accuses of nothing: three ordinary texts in a hundred lie above."""


@dataclass(frozen=True)
class LateTexts:
    """Makes signals of a text classifier's scores.

    Parameters
    ----------
    abuse_type : what its texts are accused of.
    ranks : float64 [2, k], rising scores and the share of ordinary texts whose score is at least that.
    version : of classifier and ranks: equal versions give equal signals.
    encoders : of the classifier, so that a caller knows what it costs.
    """

    abuse_type: str
    ranks: NDArray[np.float64]
    version: str = ""
    encoders: tuple[str, ...] = ()

    def signal_of(self, score: float) -> float:
        """The signal of a score, in [0, 1]: 0 where it is nothing rare.

        >>> few = LateTexts("content_abuse", np.array([[0.2, 0.9, 1.0], [0.5, 0.001, 0.0005]]))
        >>> few.signal_of(0.2), round(few.signal_of(0.9), 2)
        (0.0, 0.6)
        """
        edges, shares = self.ranks
        rank = max(float(np.interp(score, edges, shares, left=1.0)), RAREST)
        found = min(max(float(np.log10(rank) / np.log10(RAREST)), 0.0), 1.0)
        return found if found >= SPOKEN else 0.0

    def tell(self, signal: float) -> str:
        """A sentence for an analyst.

        >>> LateTexts("content_abuse", np.zeros((2, 1))).tell(0.6)
        'of 1,000 ordinary texts about one is worded as much like content abuse'
        """
        one_in = f"{10 ** (signal * -np.log10(RAREST)):,.0f}"
        return f"of {one_in} ordinary texts about one is worded as much like {self.abuse_type.replace('_', ' ')}"

    @classmethod
    def load(cls, folder: Path) -> LateTexts:
        """What `train_texts` wrote, checked but for the encoder; `ArtefactError` where it is missing or damaged."""
        artefact = load_artefact(folder, name=ARTEFACT, version=VERSION)
        try:
            told = json.loads(artefact.files[FACTS])
            abuse_type, ranks = str(told["abuse_type"]), np.array(told["ranks"], np.float64)
            encoders = tuple(str(name) for name in told["encoders"])
            if abuse_type not in ABUSE_TYPES or ranks.ndim != 2 or len(ranks) != 2 or not ranks.size:
                raise ValueError(f"ranks of shape {ranks.shape} of {abuse_type!r}")
            if told["classifier"] != _digest(folder / CLASSIFIER):
                raise ValueError("they are of another classifier")
        except (KeyError, TypeError, ValueError, OSError) as broken:
            raise ArtefactError(f"{FACTS} of {folder} holds no ranks: {broken}", fix="train again") from broken
        version = hashlib.blake2b(artefact.files[FACTS], digest_size=6).hexdigest()
        return cls(abuse_type, ranks, version, encoders)


def train_texts(
    texts: Sequence[str | None],
    harmful: Sequence[float] | NDArray[np.floating[Any]],
    folder: Path,
    *,
    abuse_type: str = "content_abuse",
    encoders: tuple[str, ...] = ("minilm_layers",),
    views: tuple[str, ...] | None = None,
    tuning: Tuning | None = None,
    seed: int = 0,
) -> Mapping[str, Any]:
    """Learn a classifier of a shop's own labelled texts and how rare its scores are; returns what is known of it.

    Parameters
    ----------
    texts : in the order of their times; the latest `HELD_OUT` of the labelled are not learned from. The harmless among
        them, and all of which nothing is known, set the ranks: the more, the rarer can a score be called.
    harmful : [n], 1 for a text that was abuse, 0 for a harmless one, NaN where nothing is known; from one half on it
        counts as abuse.
    folder : is written.
    abuse_type : what the harmful ones are.
    encoders, views, tuning : see `TextClassifier`; it keeps what wins. None takes its own views, and tunes nothing.
    seed : of the folds.

    Errors
    ------
    `InputError` for too few texts of a kind: 4 of each to learn from, and 20 ordinary ones beside them.
    """
    from floorwalker.detectors.content.classifier import DEFAULT_VIEWS, TextClassifier

    if abuse_type not in ABUSE_TYPES:
        raise InputError(f"abuse_type is {abuse_type!r}", allowed=", ".join(ABUSE_TYPES))
    values = np.asarray(harmful, np.float64)
    if len(values) != len(texts):
        raise InputError(f"{len(values)} labels for {len(texts)} texts", allowed="one each")
    labelled, bad = np.flatnonzero(~np.isnan(values)), values >= 0.5
    learned, held = np.split(labelled, [int(len(labelled) * (1 - HELD_OUT))])
    ordinary = np.sort(np.concatenate([held[~bad[held]], np.flatnonzero(np.isnan(values))]))
    if len(ordinary) < LEAST_HELD:
        raise InputError(
            f"{len(ordinary)} ordinary texts that are not learned from",
            allowed=f"{LEAST_HELD} and more",
            fix="give more texts, unlabelled ones too: without them nobody knows how rare a score is",
        )
    chosen_views = DEFAULT_VIEWS if views is None else views
    classifier = TextClassifier(encoders=encoders, views=chosen_views, tuning=tuning, seed=seed)
    classifier.fit([texts[row] for row in learned.tolist()], bad[learned].astype(np.int64))
    scores, wrong = classifier.score([texts[row] for row in held.tolist()]), bad[held]
    facts: dict[str, Any] = {
        "texts": len(texts), "labelled": len(labelled), "harmful": int(bad.sum()), "held_out": len(held),
        "ordinary": len(ordinary), "chosen": classifier.chosen, "validation": classifier.validation, "seed": seed,
    }  # fmt: skip
    if wrong.any() and not wrong.all():
        facts["held_out_roc_auc"] = float(roc_auc(wrong, scores))
        facts["held_out_average_precision"] = float(average_precision(wrong, scores))
    classifier.save(folder / CLASSIFIER, facts=facts)
    # What `load` gives differs by half precision from what was fitted: ranks are of what will be asked.
    kept = TextClassifier.load(folder / CLASSIFIER)
    usual = kept.score([texts[row] for row in ordinary.tolist()])
    told = {
        "abuse_type": abuse_type,
        "ranks": StackedFusion.ranks_of(usual, len(usual)).tolist(),
        "encoders": [*encoders, *(() if tuning is None else ("tuned",))],
        "classifier": _digest(folder / CLASSIFIER),
    }
    save_artefact(
        folder, name=ARTEFACT, version=VERSION, files={FACTS: (json.dumps(told) + "\n").encode()}, facts=facts
    )
    return facts


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
