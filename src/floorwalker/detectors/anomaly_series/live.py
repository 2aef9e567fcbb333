"""Alarms when an attack sets in: the shop's series and those of single entities, in the request path."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series import _live_kernel as layout
from floorwalker.detectors.anomaly_series._live_kernel import expected_hour, run_series, shop_score
from floorwalker.detectors.anomaly_series.watched import WATCHED, series_of_types
from floorwalker.detectors.signal import Reason
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import KEY_PLACES, EventBatch
from floorwalker.events.rows import key_rows
from floorwalker.features.live import FeatureBatch
from floorwalker.kernels import silent
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.store.pages import Pages

DETECTOR = "anomaly.series"
VERSION = "1"
ARTEFACT, SETTINGS = "anomaly_series.live", "series.json"
OUTPUTS: tuple[str, ...] = (f"{DETECTOR}.shop", f"{DETECTOR}.entity")

State = dict[str, NDArray[Any]]

_PLACES = np.array([KEY_PLACES[each.entity] for each in WATCHED])
_run: Callable[..., None] = silent(run_series)


@dataclass(frozen=True)
class Alarm:
    """A series of the shop that is higher than usual.

    Parameters
    ----------
    name : of the series, in words.
    abuse : what it may be.
    score : in [0, 1), one minus a bound on the chance of it.
    last_hour, usual_hour : events of the last hour, and what is usual.
    """

    name: str
    abuse: tuple[str, ...]
    score: float
    last_hour: float
    usual_hour: float


class LiveSeries:
    """Whether what an event belongs to is happening more often than usual, right now.

    The whole shop's failed logins, sign-ups, redemptions, refunds and so on are compared with the same hours of past
    weeks, over the last ten minutes to six hours, whichever speaks most; and each network's, promotion's, bin's, item's
    own count with its usual share of them. It learns by itself, without labels, and says nothing in its first two days.
    An attack does not become usual by lasting: what lies far out moves the level by three deviations at most.

    One object holds the state of one shop, for one thread at a time; its size is fixed.

    Parameters
    ----------
    entities : rows for single entities, a multiple of 8; the longest unheard of make room.
    """

    detector = DETECTOR
    version = VERSION
    outputs = OUTPUTS

    def __init__(self, *, entities: int = 65_536) -> None:
        if not 8 <= entities <= 1 << 26 or entities % layout.WAYS:
            raise UsageError(f"room for {entities} entities", allowed="8 to 2^26, a multiple of 8")
        self._shop = np.zeros((len(WATCHED), layout.WIDTH))
        self._shop[:, layout.P_LEVEL] = 1.0
        self._shop[:, [layout.P_SPREAD, layout.P_STEP_SPREAD]] = [0.5, 1.0]
        self._clock = np.full(1, -1, np.int64)
        self._scratch = np.zeros_like(self._shop)
        self._keys = np.zeros(entities, np.uint64)
        self._rows = np.zeros((entities, layout.E_WIDTH))
        self._series = series_of_types()

    @classmethod
    def load(cls, folder: Path) -> LiveSeries:
        """Empty series of the size that `save` noted; `ArtefactError` where the folder is damaged."""
        artefact = load_artefact(folder, name=ARTEFACT, version=1)
        try:
            return cls(entities=int(json.loads(artefact.files[SETTINGS])["entities"]))
        except (KeyError, TypeError, ValueError) as broken:
            raise ArtefactError(f"{folder} describes no series: {broken!r}", fix="train again") from broken

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the size; not what happened."""
        files = {SETTINGS: (json.dumps({"entities": len(self._keys)}) + "\n").encode()}
        save_artefact(folder, name=ARTEFACT, version=1, files=files, facts=facts or {})

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """Scores of the events in order, each with itself counted: float32 [n, 2] in [0, 1), as `OUTPUTS`.

        NaN where the type is not watched, the entity is missing or younger than a day, or the shop's first two days are
        not over.
        """
        return self._run_all(batch, features, moves=True)

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `advance`, each event as if it came next, alone; nothing moves."""
        return self._run_all(batch, features, moves=False)

    def reasons(
        self, batch: EventBatch, features: FeatureBatch, scores: NDArray[np.float32], *, least: float = 0.999
    ) -> list[list[Reason]]:
        """A sentence for each score of at least `least`."""
        found: list[list[Reason]] = [[] for _ in range(len(scores))]
        with np.errstate(invalid="ignore"):
            rows, columns = np.nonzero(scores >= least)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            each = WATCHED[int(self._series[batch.type[row]])]
            whose = "the shop has" if column == 0 else f"this {each.entity.replace('_', ' ')} has"
            text = f"{whose} more {each.name} than is usual at this hour"
            found[row].append(Reason(OUTPUTS[column], text, float(scores[row, column])))
        return found

    def alarms(self, *, least: float = 0.999) -> list[Alarm]:
        """The shop's series that are now higher than usual, worst first."""
        found = []
        step = int(self._clock[0])
        for each, row in zip(WATCHED, self._shop, strict=True):
            score = float(shop_score(row, step, step * layout.STEP + layout.STEP - 1, 0.0)) if step >= 0 else math.nan
            if score >= least:
                steps = [(step - back) % layout.WINDOW for back in range(1, 6)]
                last = float(row[layout.P_STEP_COUNT] + row[layout.P_STEPS + np.array(steps)].sum())
                found.append(Alarm(each.name, each.abuse, score, last, float(expected_hour(row, step // 6))))
        return sorted(found, key=lambda alarm: -alarm.score)

    def state(self) -> State:
        """The whole state: the arrays themselves, valid until the next `advance`."""
        return {"shop": self._shop, "clock": self._clock, "keys": self._keys, "rows": self._rows}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """None: the state is four megabytes, which are copied."""
        return {}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another shape raises `ArtefactError`."""
        for name, array in self.state().items():
            if name not in state or state[name].shape != array.shape:
                raise ArtefactError(f"the stored {name} of {DETECTOR} does not fit", fix="replay the journal")
        for name, array in self.state().items():
            array[...] = state[name]

    def _run_all(self, batch: EventBatch, features: FeatureBatch, *, moves: bool) -> NDArray[np.float32]:
        out = np.empty((len(batch.type), 2), np.float32)
        _run(
            moves, batch.type, self._series, batch.at, batch.received_at, key_rows(batch), _PLACES, self._shop,
            self._clock, self._scratch, self._keys, self._rows, out,
        )  # fmt: skip
        return out


def tell_column(column: str, said: Mapping[str, float]) -> str | None:
    """A sentence for one of the columns; None for another, and for a missing value.

    >>> tell_column("anomaly.series.shop", {"anomaly.series.shop": 0.9995})
    'the shop has more events of this kind than is usual at this hour (chance below 0.0005)'
    """
    if column not in OUTPUTS or math.isnan(said.get(column, math.nan)):
        return None
    whose = "the shop has" if column == OUTPUTS[0] else "the item, network, promotion or card range has"
    return (
        f"{whose} more events of this kind than is usual at this hour (chance below {max(1 - said[column], 1e-6):.2g})"
    )
