"""Modalities that follow the events without having learned anything: relations, how texts behave, time series,
context.

Their columns are a function of the recording and of their code alone. They are kept beside the recording, mapped and
not loaded, and used again by every training on it.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.content.live import LiveContent
from floorwalker.detectors.context.live import LiveContext
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.learning.shop.neighbours import learn_relations
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Modality

Progress = Callable[[str], None]
FOLDER = "signals"
"""Below a recording's."""


Following = LiveRelations | LiveContent | LiveSeries | LiveContext


def add_relation(
    recording: Recording,
    folder: Path,
    known: NDArray[np.float32],
    *,
    until: int,
    seed: int,
    device: str,
    network: bool,
    facts: Mapping[str, Any],
    progress: Progress,
) -> Modality:
    """Whom each event's account shares things with, and with `network` what a network over these neighbours learned
    before `until`; the live graph's settings and network go to `folder/relation`."""
    live = LiveRelations()
    if network:
        progress("relation: learning from neighbours")
        live = learn_relations(recording, known, until=until, seed=seed, device=device)
    found = _add("relation", live, recording, folder, facts, progress)
    return replace(found, learned_until=until, unlearned=len(live.outputs) - len(live.abuse_types))


def add_content(recording: Recording, folder: Path, *, facts: Mapping[str, Any], progress: Progress) -> Modality:
    """How texts behave among the shop's recent ones; settings go to `folder/content`."""
    return _add("content", LiveContent(), recording, folder, facts, progress)


def add_series(recording: Recording, folder: Path, *, facts: Mapping[str, Any], progress: Progress) -> Modality:
    """Whether more is going on than is usual at this hour; settings go to `folder/series`."""
    return _add("series", LiveSeries(), recording, folder, facts, progress)


def add_context(recording: Recording, folder: Path, *, facts: Mapping[str, Any], progress: Progress) -> Modality:
    """How well those who take part know each other, and whether events agree with themselves; settings go to
    `folder/context`."""
    return _add("context", LiveContext(), recording, folder, facts, progress)


def follow(
    recording: Recording, live: Following, name: str, *, progress: Progress = lambda text: None
) -> NDArray[np.float32]:
    """What a live detector says of every event in order, each as of just before it: float32 [n, outputs], mapped.

    What an earlier training kept of the same recording and the same code is used again.
    """
    path = recording.folder / FOLDER / f"{name}-{_mark(recording, live)}.f4"
    shape = (len(recording), len(live.outputs))
    if not (path.exists() and path.stat().st_size == 4 * shape[0] * shape[1]):
        path.parent.mkdir(exist_ok=True)
        for old in path.parent.glob(f"{name}-*.f4"):
            old.unlink()
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            with unfinished.open("wb") as file:
                for place, batch, features in recording.batches():
                    live.advance(batch, features).tofile(file)
                    if place.stop % 1_000_000 < place.stop - place.start:
                        progress(f"{name}: {place.stop:,} events")
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        unfinished.replace(path)
    found: NDArray[np.float32] = np.memmap(path, np.float32, "r", shape=shape)
    return found


def _add(
    name: str, live: Following, recording: Recording, folder: Path, facts: Mapping[str, Any], progress: Progress
) -> Modality:
    progress(f"{name}: following the events")
    live.save(folder / name, facts=facts)
    scores = follow(recording, live, name, progress=progress)
    return Modality(name, live.outputs, scores, learned_until=0, unlearned=len(live.outputs))


def _mark(recording: Recording, live: Following) -> str:
    """Changes where settings, columns or the code of the detector's package change, or the events themselves."""
    digest = hashlib.blake2b(f"{live.version} {live.outputs}".encode(), digest_size=8)
    digest.update(np.ascontiguousarray(recording.at).tobytes())
    for file in sorted(Path(inspect.getfile(type(live))).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
