"""What each modality says of every event of a recording: trained on an early part, scored on all of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.unusual import UnusualActivity
from floorwalker.learning.shop.recording import Recording

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Modality:
    """The columns of one modality.

    Parameters
    ----------
    name : `behaviour`, `relation`, `anomaly` …
    outputs : names of the columns.
    scores : float32 [n, len(outputs)], a row an event; NaN where it cannot tell.
    learned_until : place of the first event that it did not learn from: only from there on its scores are honest.
    unlearned : so many columns at the beginning were learned from nothing, and are honest everywhere.
    """

    name: str
    outputs: tuple[str, ...]
    scores: NDArray[np.float32]
    learned_until: int
    unlearned: int = 0


@dataclass
class Signals:
    """All modalities of a recording.

    Parameters
    ----------
    modalities : in the order of their columns.
    left_out : names of those from whose learned columns fusion is not to learn, see
        `floorwalker.learning.shop.fusing.fuse_best`; what they have learned from nothing it hears.
    """

    modalities: list[Modality] = field(default_factory=list)
    left_out: tuple[str, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all columns, one modality after the other."""
        return tuple(name for modality in self.modalities for name in modality.outputs)

    def heard(self, count: int) -> NDArray[np.intp]:
        """Places of the columns that fusion learns from, of `count`; the modalities' are the last of them."""
        outputs = [
            modality.name not in self.left_out or place < modality.unlearned
            for modality in self.modalities
            for place in range(len(modality.outputs))
        ]
        return np.flatnonzero([True] * (count - len(outputs)) + outputs)

    def rows(
        self, rows: NDArray[np.int64], *, honest_only: bool = True, without: Sequence[str] = ()
    ) -> NDArray[np.float32]:
        """Scores of these events: float32 [len(rows), columns].

        Parameters
        ----------
        honest_only : NaN where a modality learned from the event itself.
        without : modalities whose columns are NaN.
        """
        parts = []
        for modality in self.modalities:
            part = np.array(modality.scores[rows])
            if modality.name in without:
                part[:] = np.nan
            elif honest_only:
                part[rows < modality.learned_until, modality.unlearned :] = np.nan
            parts.append(part)
        return np.concatenate(parts, axis=1) if parts else np.empty((len(rows), 0), np.float32)

    def drop_out(self, scores: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
        """A copy in which each modality is missing from this share of the rows."""
        left = scores.copy()
        start = 0
        for modality in self.modalities:
            stop = start + len(modality.outputs)
            left[rng.random(len(left)) < share, start:stop] = np.nan
            start = stop
        return left


def add_unusual(recording: Recording, folder: Path, *, until: int, seed: int, sample: int = 20_000) -> Modality:
    """The anomaly detector of the request path, learned from a sample of the early events."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(until, min(sample, until), replace=False))
    fitted = UnusualActivity.fit(np.asarray(recording.features[rows]), recording.names, version="1", seed=seed)
    scores = np.empty((len(recording), 1), np.float32)
    for place, _, features in recording.batches():
        scores[place, 0] = fitted.judge(features.values).score
    # It heard of no label, and of one event in a hundred: nothing that it says was learned by heart.
    return Modality("anomaly", ("anomaly.unusual_activity",), scores, until, unlearned=1)


def add_behaviour(
    recording: Recording,
    folder: Path,
    known: NDArray[np.float32],
    *,
    until: int,
    seed: int,
    device: str,
    facts: Mapping[str, object],
    progress: Progress,
    most_events: int = 1_000_000,
    epochs: int = 6,
) -> Modality:
    """The LSTM over accounts' and sessions' events; its artefact goes to `folder/behaviour`.

    Each epoch is kept in `folder/unfinished`, where a training of the same data that was broken off goes on.
    """
    from floorwalker.detectors.behaviour.live import OUTPUTS
    from floorwalker.detectors.behaviour.tokens import ShopTokens
    from floorwalker.detectors.behaviour.training import train_behaviour

    history = ShopTokens.join([ShopTokens.of(batch, features) for _, batch, features in recording.batches()])
    labels = known[:until].astype(np.float32)
    if not np.isnan(labels).all():
        # Of most events nobody ever says anything, and most events are honest.
        labels = np.where(np.isnan(labels), 0.0, labels).astype(np.float32)
    unfinished = folder / "unfinished"
    model = train_behaviour(
        history.take(slice(0, until)),
        labels,
        validation_from=int(until * 0.85),
        most_events=most_events,
        epochs=epochs,
        seed=seed,
        device=device,
        checkpoint=unfinished,
        progress=lambda stage, done, of, loss: progress(f"behaviour: {stage} {done}/{of}, loss {loss:.4f}"),
    )
    model.save(folder / "behaviour", facts=dict(facts))
    shutil.rmtree(unfinished, ignore_errors=True)
    return Modality("behaviour", tuple(OUTPUTS), model.score_history(history), until)
