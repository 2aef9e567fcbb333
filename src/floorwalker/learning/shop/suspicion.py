"""The first opinion on every event, and the memory of suspicion that grows out of it, over a whole recording.

Two models learn from two halves of the time that is learned from, and each judges what the other half's model learned
from: so the memory holds, at every moment, opinions of models that had not seen the events. Both are asked of what
comes later, and live.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.fusion.memory import OUTPUTS, RiskMemory
from floorwalker.fusion.stacked import StackedFusion
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Modality

Progress = Callable[[str], None]
HALVES = 2
FEWEST = 20
"""Proven events that each half must have."""


def add_memory(
    recording: Recording,
    folder: Path,
    known: NDArray[np.float32],
    relevant: NDArray[np.bool_],
    *,
    until: int,
    seed: int,
    threads: int,
    facts: Mapping[str, Any],
    progress: Progress,
    beside: Modality | None = None,
    guessed: NDArray[np.float32] | None = None,
    most_rows: int = 100_000,
) -> Modality | None:
    """What was thought of each event's company before; the models go to `folder/memory`.

    Parameters
    ----------
    known : float32 [n, abuse types], labels; NaN where nobody knows.
    relevant : bool [event types + 1, abuse types], where each abuse type is judged.
    until : place of the first event that nothing is learned from.
    beside : what the first opinion learns from beside the features, of what was not learned itself.
    guessed : float32 [until], how far each event that was not proven itself counts as abuse, NaN where it is to count
        as nothing (`floorwalker.learning.shop.unproven`); without it all that was not proven is honest.
    most_rows : events of unknown or honest nature that each model learns from.

    None where a half has fewer than `FEWEST` proven events.
    """
    asked: NDArray[np.bool_] = np.asarray(relevant.any(axis=1))
    judged: NDArray[np.bool_] = asked[recording.type]
    proven: NDArray[np.bool_] = np.asarray((known[:until] == 1).any(axis=1)) & judged[:until]
    edges = _halves(proven)
    if min(int(proven[start:stop].sum()) for start, stop in edges) < FEWEST:
        progress("memory: too few proven events for two halves; left out")
        return None
    # What was proven itself has no guess.
    share = proven.astype(np.float32) if guessed is None else np.where(proven & (guessed == 0), 1.0, guessed)
    share = np.where(judged[:until], share, np.nan).astype(np.float32)
    if min(int((share[start:stop] > 0).sum()) for start, stop in edges) < FEWEST:
        # The teacher doubts nearly all that follows from proofs of one half.
        share = np.where(judged[:until], proven, np.nan).astype(np.float32)
    rng = np.random.default_rng(seed)
    models = []
    for start, stop in edges:
        progress(f"memory: first opinion from events {start:,} to {stop:,}")
        models.append(_learn(recording, beside, share, start, stop, most_rows, seed, threads, rng))
    empty = np.array([[0.0, 1.0], [1.0, 1.0]])
    opinion = FirstOpinion(models, [empty, empty], asked)
    _rank(recording, beside, opinion, judged[:until] & ~proven, edges)
    opinion.save(folder / "memory", facts=facts)
    progress("memory: following the events")
    return Modality(
        "memory", OUTPUTS, _follow(recording, beside, opinion, edges, folder), until, unlearned=len(OUTPUTS)
    )


def _halves(proven: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Two stretches of time with as many proven events each."""
    rows = np.flatnonzero(proven)
    middle = int(rows[len(rows) // 2]) if len(rows) else len(proven) // 2
    return [(0, middle), (middle, len(proven))]


def _learn(
    recording: Recording,
    beside: Modality | None,
    share: NDArray[np.float32],
    start: int,
    stop: int,
    most_rows: int,
    seed: int,
    threads: int,
    rng: np.random.Generator,
) -> BoostedTrees:
    """A model of what counts as abuse, each as far as it does, and a sample of the honest."""
    bad = start + np.flatnonzero(share[start:stop] > 0)
    others = start + np.flatnonzero(share[start:stop] == 0)
    rows = np.sort(np.r_[bad, rng.choice(others, min(len(others), most_rows), replace=False)])
    trees = BoostedTrees(
        rounds=150, leaves=15, rate=0.06, max_bin=255, column_share=0.5, l2=5.0, validation_share=0.0, blind_rounds=150,
        seed=seed, threads=threads,
    )  # fmt: skip
    is_bad = share[rows] > 0
    names = column_names(recording.names, () if beside is None else beside.outputs)
    return trees.fit(
        _columns(recording, beside, rows), is_bad.astype(np.float64), at=recording.at[rows],
        weights=np.where(is_bad, share[rows], 1.0).astype(np.float64),
        names=names,
    )  # fmt: skip


def _columns(recording: Recording, beside: Modality | None, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return fusion_columns(
        np.asarray(recording.features[rows]), np.asarray(recording.numbers[rows]), recording.type[rows],
        None if beside is None else np.asarray(beside.scores[rows]),
    )  # fmt: skip


def _rank(
    recording: Recording,
    beside: Modality | None,
    opinion: FirstOpinion,
    ordinary: NDArray[np.bool_],
    edges: list[tuple[int, int]],
) -> None:
    """Ranks of each model by what it says of the other half's ordinary events: those that nobody proved, the guessed
    ones among them, for live nobody guesses either."""
    for place, (start, stop) in enumerate(reversed(edges)):
        rows = start + np.flatnonzero(ordinary[start:stop])
        scores = [
            opinion.models[place].trees().score(_columns(recording, beside, some))
            for some in np.array_split(rows, max(1, len(rows) // 50_000))
        ]
        opinion.ranks[place] = StackedFusion.ranks_of(np.concatenate(scores), stop - start)


def _follow(
    recording: Recording, beside: Modality | None, opinion: FirstOpinion, edges: list[tuple[int, int]], folder: Path
) -> NDArray[np.float32]:
    """The columns of every event in order, mapped from disk."""
    path = recording.folder / "signals" / f"memory-{os.getpid()}-{opinion.version}.f4"
    path.parent.mkdir(exist_ok=True)
    for old in path.parent.glob("memory-*.f4"):
        old.unlink()
    memory = RiskMemory()
    (_, middle), (_, until) = edges
    with path.open("wb") as file:
        for place, batch, features in recording.batches():
            found = np.full((len(batch), len(OUTPUTS)), np.nan, np.float32)
            rows = np.flatnonzero(opinion.relevant[batch.type])
            if len(rows):
                suspicion = np.empty(len(rows), np.float32)
                at = place.start + rows
                # Whoever learned from an event is not asked about it.
                for some, models in ((at < middle, [1]), ((at >= middle) & (at < until), [0]), (at >= until, None)):
                    if some.any():
                        numbers = {name: column[rows[some]] for name, column in batch.numbers.items()}
                        values = features.values[rows[some]]
                        given = None if beside is None else np.asarray(beside.scores[at[some]])
                        suspicion[some] = opinion.suspect(values, numbers, batch.type[rows[some]], given, models=models)
                found[rows, 0] = suspicion
                found[rows, 1:] = memory.advance(batch, suspicion, rows)
            found.tofile(file)
    columns: NDArray[np.float32] = np.memmap(path, np.float32, "r", shape=(len(recording), len(OUTPUTS)))
    return columns
