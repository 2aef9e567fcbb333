"""An LSTM over sequences that a user brings: texts or codes, gaps, amounts; labels where there are any."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._counts import CountWeights, fit_counts, import_regression
from floorwalker.detectors.behaviour._labels import check_labels, sequence_weights, soft_loss, to_events
from floorwalker.detectors.behaviour._mixing import fit_mixing
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.detectors.behaviour.weights import LstmWeights, pack_arrays, unpack_arrays
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.models.devices import check_device

if TYPE_CHECKING:
    from floorwalker.detectors.behaviour._training import Progress

ARTEFACT = "behaviour.sequence_lstm"
FORMAT = 2
FEWEST = 5
"""Sequences below which nothing is kept back for early stopping."""
FEWEST_TO_MIX = 3
"""Sequences of either class kept back, below which the LSTM and the counts speak alike."""
RANKS = 256
CLOSE = 1e-5
"""Nats, or share of a surprise above one nat, by which equal sequences may differ through rounding alone."""


@dataclass
class SequenceLSTM:
    """Recognise abuse in sequences of events, and say how unforeseen each event was.

    Works against abuse that no single event gives away: a password reset is honest, an order is honest, but a reset,
    a new address and an order of gift cards within three minutes are not. One pass from left to right, so the score of
    an event never depends on what comes after it.

    Beside the LSTM a linear model reads how often each event and each pair of successive events came so far (the wide
    part beside the deep one). It learns from a few hundred labelled sequences what the LSTM cannot yet; the sequences
    that are kept back say how much each of them counts.

    Parameters
    ----------
    hidden : cells.
    embedding : width of an event's embedding.
    dropout : while learning.
    foresee : weight of foreseeing the next event; without labels nothing else is learned.
    counts : whether the linear model of counts speaks as well; it needs labels.
    epochs, rate, patience : passes over the data at most, rate of learning, and passes without progress before it ends.
    validation_share : of the sequences, the last ones given, which decide when it ends: give them in order of time.
    seed : the only source of chance.
    device : ``cpu``, ``cuda``, ``cuda:N`` or ``mps``. Under ``torchrun`` every process takes its share of the batches.
    checkpoint : folder; a training that was broken off goes on from there.
    progress : told of the stage, the epochs done, of how many, and the validation's loss.

    Source: S. Hochreiter, J. Schmidhuber, *Long short-term memory*, 1997; forget gates: F. A. Gers and others, 2000;
    H.-T. Cheng and others, *Wide & deep learning for recommender systems*, 2016.
    """

    hidden: int = 64
    embedding: int = 32
    dropout: float = 0.3
    foresee: float = 1.0
    counts: bool = True
    epochs: int = 40
    rate: float = 5e-3
    patience: int = 8
    validation_share: float = 0.15
    seed: int = 0
    device: str = "cpu"
    checkpoint: Path | None = None
    progress: Progress | None = None
    weights: LstmWeights | None = field(default=None, init=False)
    fields: tuple[Field, ...] = field(default=(), init=False)
    labels: int = field(default=0, init=False)
    linear: CountWeights | None = field(default=None, init=False, repr=False)
    mixing: NDArray[np.float32] | None = field(default=None, init=False, repr=False)
    ranks: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32), init=False, repr=False)

    def __post_init__(self) -> None:
        for name, least, most in (
            ("hidden", 2, 1024), ("embedding", 1, 1024), ("dropout", 0, 0.9), ("foresee", 0, 100),
            ("epochs", 1, 10_000), ("rate", 1e-6, 1), ("patience", 0, 10_000), ("validation_share", 0, 0.5),
            ("seed", 0, 2**31),
        ):  # fmt: skip
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {getattr(self, name)}", allowed=f"{least} to {most}")
        check_device(self.device)

    def fit(
        self,
        sequences: Sequences,
        labels: NDArray[Any] | Sequence[Any] | None = None,
        *,
        teacher: NDArray[np.float32] | None = None,
        distil: float = 1.0,
    ) -> SequenceLSTM:
        """Learn.

        Parameters
        ----------
        sequences : n of them, in order of time; empty ones teach nothing.
        labels : one for each sequence, [n] or [n, K], or one for each event, [events] or [events, K]: 1 = abuse, 0 =
            none, NaN = unknown. Without labels the score is how unforeseen a sequence is.
        teacher : float32 [events, K], logits of a larger model (`CausalTransformer.logits`) that the LSTM imitates as
            well; the counts learn from labels alone.
        distil : weight of the imitation beside the labels.

        Errors
        ------
        `InputError` for labels of other lengths or values, or where there is no event; `MissingExtraError` without
        PyTorch or scikit-learn.
        """
        from floorwalker.detectors.behaviour._torch import import_torch, training_group

        import_torch()
        if self.counts and labels is not None:
            import_regression()
        from floorwalker.detectors.behaviour._lstm_training import LstmPlan, train_lstm
        from floorwalker.detectors.behaviour._training import Loop

        if not len(sequences.tokens):
            raise InputError("there are no events to learn from", allowed="at least one sequence with an event")
        given = check_labels(labels, sequences)
        per_event = given is not None and len(given) == len(sequences.tokens) != len(sequences)
        wanted = to_events(given, sequences)
        weights = np.ones(len(sequences.tokens), np.float32) if per_event else sequence_weights(sequences)
        if teacher is not None and (given is None or teacher.shape != wanted.shape or not np.isfinite(teacher).all()):
            raise InputError(
                f"a teacher of shape {teacher.shape}", allowed=f"finite logits of shape {wanted.shape}, with labels"
            )
        kept_back = int(len(sequences) * self.validation_share) if len(sequences) >= FEWEST else 0
        learned = len(sequences) - kept_back
        border = int(sequences.starts[learned])
        if border == 0:
            learned, border = len(sequences), len(sequences.tokens)
        past = sequences.take(np.arange(learned))
        coming = sequences.take(np.arange(learned, len(sequences)))

        judged = given is not None and not np.isnan(wanted[border:]).all()

        def validate(candidate: LstmWeights) -> float:
            ran = candidate.run(coming)
            # Foreseeing is a means there: what is kept is what recognises best.
            return soft_loss(ran.logits, wanted[border:], weights[border:]) if judged else float(ran.surprise.mean())

        plan = LstmPlan(
            hidden=self.hidden, embedding=self.embedding, dropout=self.dropout,
            foresee=self.foresee if given is not None else 1.0,
            batch_events=int(np.clip(border // 32, 256, 8192)),
            loop=Loop(epochs=self.epochs, rate=self.rate, patience=self.patience, seed=self.seed),
        )  # fmt: skip
        seen = (sequences.tokens, sequences.starts, wanted, weights)
        digest = hashlib.sha256(b"".join(array.tobytes() for array in seen)).hexdigest()
        with training_group(self.device) as group:
            self.weights = train_lstm(
                past, wanted[:border], weights[:border], plan, name="lstm",
                validate=validate if len(coming.tokens) else None, group=group, fingerprint=f"{digest} {border} {plan}",
                teacher=None if teacher is None else np.ascontiguousarray(teacher[:border], np.float32), distil=distil,
                checkpoint=self.checkpoint, progress=self.progress,
            )  # fmt: skip
        self.fields = sequences.fields
        self.labels = 0 if given is None else given.shape[1]
        self.linear, self.mixing = None, None
        if given is not None and self.counts:
            asked = np.full(len(wanted), per_event)
            # A label of the whole sequence is a label of its end; on the way there, counts are still low.
            asked[sequences.starts[1:][sequences.lengths > 0] - 1] = True
            before, self.linear = fit_counts(sequences, wanted, asked=asked, border=border, seed=self.seed)
            late = asked[border:]
            self.mixing = fit_mixing(
                self.weights.run(coming).logits[late], before.run(coming)[late], wanted[border:][late],
                fewest=FEWEST_TO_MIX,
            )[0]  # fmt: skip
        means = self.mean_surprise(coming if len(coming.tokens) else past)
        self.ranks = np.quantile(means[~np.isnan(means)], np.linspace(0, 1, RANKS)).astype(np.float32)
        return self

    def score(self, sequences: Sequences) -> NDArray[np.float32]:
        """Of each sequence, as of its last event: float32 in [0, 1].

        With labels the learned probability of each, [n] for one label and [n, K] for K; without, the share of known
        sequences that were foreseen better, [n]. NaN for an empty sequence.
        """
        if not self.labels:
            return share_foreseen_better(self.ranks, self.mean_surprise(sequences))
        events = self.score_events(sequences).reshape(len(sequences.tokens), self.labels)
        filled = sequences.lengths > 0
        scores = np.full((len(sequences), events.shape[1]), np.nan, np.float32)
        scores[filled] = events[sequences.starts[1:][filled] - 1]
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def score_events(self, sequences: Sequences) -> NDArray[np.float32]:
        """Of each event, as of then: float32 [events] for one label, [events, K] for K. Needs labels in `fit`."""
        if not self.labels:
            raise NotReadyError("the LSTM has learned no labels", fix="fit it with labels, or use `surprise`")
        logits = self._ready(sequences).run(sequences).logits.astype(np.float64)
        if self.linear is not None and self.mixing is not None:
            deep, wide, constant = self.mixing.T.astype(np.float64)
            logits = deep * logits + wide * self.linear.run(sequences) + constant
        scores = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def surprise(self, sequences: Sequences) -> NDArray[np.float32]:
        """Nats by which each event was not foreseen by those before it: float32 [events]."""
        return self._ready(sequences).run(sequences).surprise

    def mean_surprise(self, sequences: Sequences) -> NDArray[np.float32]:
        """Mean of `surprise` over each sequence: float32 [n]; NaN for an empty one."""
        each = self.surprise(sequences)
        sums = np.bincount(sequences.owners, weights=each, minlength=len(sequences))
        return np.where(sequences.lengths > 0, sums / np.maximum(sequences.lengths, 1), np.nan).astype(np.float32)

    def embed(self, sequences: Sequences) -> NDArray[np.float32]:
        """What the LSTM holds at the end of each sequence: float32 [n, hidden], for clustering or further models."""
        last = self._ready(sequences).run(sequences).last
        return np.ascontiguousarray(last[:, : self.hidden])

    def save(self, folder: Path) -> None:
        """Write weights, fields and settings as an artefact."""
        if self.weights is None:
            raise NotReadyError("the LSTM has learned nothing yet", fix="fit it first")
        facts = {
            "fields": [asdict(each) for each in self.fields],
            "labels": self.labels,
            "settings": {name: getattr(self, name) for name in ("hidden", "embedding", "foresee", "counts", "seed")},
        }
        arrays = {**self.weights.state(), "ranks": self.ranks}
        if self.linear is not None and self.mixing is not None:
            arrays |= {**self.linear.state(), "mixing": self.mixing}
        files = {"weights.npz": pack_arrays(arrays)}
        save_artefact(folder, name=ARTEFACT, version=FORMAT, files=files, facts={"model": facts})

    @classmethod
    def load(cls, folder: Path) -> SequenceLSTM:
        """What `save` wrote; damaged or foreign files raise `ArtefactError`."""
        artefact = load_artefact(folder, name=ARTEFACT, version=FORMAT)
        try:
            facts: Any = artefact.manifest["model"]
            model = cls(**facts["settings"])
            model.fields = tuple(Field(**each) for each in facts["fields"])
            model.labels = int(facts["labels"])
            arrays = unpack_arrays(artefact.files["weights.npz"])
            model.ranks = arrays["ranks"]
        except (KeyError, TypeError, ValueError) as broken:
            raise ArtefactError(f"{folder} is incomplete: {json.dumps(str(broken))}", fix="train it again") from broken
        model.weights = LstmWeights.from_state(arrays)
        model.weights.check(model.fields)
        if model.labels and model.counts:
            model.linear = CountWeights.from_state(arrays, model.fields, model.labels)
            model.mixing = arrays.get("mixing", np.empty(0, np.float32))
            if model.mixing.shape != (model.labels, 3) or not np.isfinite(model.mixing).all():
                raise ArtefactError(
                    f"the mixing has shape {model.mixing.shape}",
                    allowed=f"finite numbers of shape ({model.labels}, 3)",
                    fix="train it again",
                )
        return model

    def _ready(self, sequences: Sequences) -> LstmWeights:
        if self.weights is None:
            raise NotReadyError("the LSTM has learned nothing yet", fix="fit it first")
        if sequences.fields != self.fields:
            raise InputError(
                f"sequences of the fields {', '.join(each.name for each in sequences.fields)}",
                allowed=", ".join(f"{each.name} ({each.size})" for each in self.fields),
                fix="encode them with the vocabulary that the LSTM was fitted with",
            )
        return self.weights


def share_foreseen_better(ranks: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.float32]:
    """The share of the ranks that lie below each mean surprise: float32 [n]; NaN where the mean is.

    What is as surprising as most known sequences was not foreseen worse than they were, so ties do not count.

    >>> share_foreseen_better(np.array([1, 1, 1, 3], np.float32), np.array([1, 3, 4, np.nan], np.float32)).tolist()
    [0.0, 0.75, 1.0, nan]
    """
    least = means.astype(np.float64)
    least -= CLOSE * np.maximum(least, 1.0)
    found = np.searchsorted(ranks.astype(np.float64), least, side="left") / len(ranks)
    return np.where(np.isnan(means), np.nan, found).astype(np.float32)
