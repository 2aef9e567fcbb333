"""How a shop's models are to be made."""

from __future__ import annotations

from dataclasses import dataclass

from floorwalker.errors import UsageError

MODALITIES: tuple[str, ...] = ("behaviour", "anomaly", "relation", "content", "series", "context", "memory")
"""Detectors beside the trees that can be trained on a recording."""


@dataclass(frozen=True)
class TrainingPlan:
    """How a shop's models are made.

    Parameters
    ----------
    train_until, validation_until : µs UTC; models learn from events before the first, ranks and calibration come from
        events between both.
    known_at : labels observed before this instant count.
    modalities : of `MODALITIES`; the others' columns are absent.
    early_share : part of the training events from which detectors learn; the trees see their scores on the rest only.
    drop_out : share of rows from which each modality is taken in training.
    most_rows : events of unknown or honest nature that the trees learn from; the odd ones first.
    rounds, leaves, rate : of the trees.
    epochs : passes of the sequence model over its events.
    calibrate : probabilities instead of ranks, for types with at least 50 proven events between both times.
    threads : of the trees' growing; 0 takes all cores, which is slow where others work on them.
    seed : the only source of chance.
    device : of torch.
    graph_network : whether a network over neighbours is learned beside the columns of the live graph. It takes several
        times as long as these and, on simulated shops, adds nothing to what the trees make of them.
    guess : whether events that nobody judged count as abuse as far as a teacher guesses it
        (`floorwalker.learning.shop.unproven`); else they all count as honest.
    choose : whether the validation part decides which detectors that learned from labels fusion hears
        (`floorwalker.learning.shop.fusing.fuse_best`); else it hears all.
    """

    train_until: int
    validation_until: int
    known_at: int | None = None
    modalities: tuple[str, ...] = MODALITIES
    early_share: float = 0.6
    drop_out: float = 0.05
    most_rows: int = 200_000
    rounds: int = 300
    leaves: int = 31
    rate: float = 0.06
    max_bin: int = 255
    calibrate: bool = False
    epochs: int = 6
    threads: int = 0
    seed: int = 0
    device: str = "cpu"
    graph_network: bool = False
    guess: bool = True
    choose: bool = True

    def __post_init__(self) -> None:
        if self.validation_until < self.train_until:
            raise UsageError("validation ends before training does", allowed="train_until <= validation_until")
        unknown = sorted(set(self.modalities) - set(MODALITIES))
        if unknown:
            raise UsageError(f"unknown modality {unknown[0]!r}", allowed=", ".join(MODALITIES))
