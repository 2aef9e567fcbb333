"""The first fusion: noisy-or of all signals of one abuse type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.signal import Signal
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.fusion.assessment import Assessment, Cause

UNTYPED_WEIGHT = 0.25
"""The most risk that detectors which cannot name an abuse type add: being unusual alone stops nobody."""

_COLUMN = {name: column for column, name in enumerate(ABUSE_TYPES)}


def fuse(
    signals: Sequence[Signal], usual: NDArray[np.int16], *, suspicion: NDArray[np.float32] | None = None
) -> Assessment:
    """Risk per abuse type: `1 - Π (1 - score)` over the signals of the type.

    Noisy-or treats signals as independent causes: each alone can raise the risk, none can lower it, and two half
    sure ones make a surer one. Signals of one cause seen twice are therefore counted twice; until labels calibrate
    the risk it orders events and is no probability (`calibrated` is False).

    Parameters
    ----------
    signals : opinions on the same `n` events. One that is not `ready` counts as missing, not as harmless.
    usual : int16 [n], index into `ABUSE_TYPES` of what an unusual event of this kind most often is, -1 for none:
        there a signal without abuse type adds its score times `UNTYPED_WEIGHT`.
    suspicion : as `Assessment` holds it; no part of the risk.

    >>> from floorwalker.detectors.signal import Reason
    >>> def rule(score: float, code: str) -> Signal:
    ...     return Signal(detector="rules", version="1", abuse_type="payment_fraud",
    ...                   score=np.array([score], np.float32), reasons=[[Reason(code, code, score)]], ready=True)
    >>> fused = fuse([rule(0.5, "velocity.cards"), rule(0.6, "country.new")], np.array([-1], np.int16))
    >>> round(float(fused.risk[0, ABUSE_TYPES.index("payment_fraud")]), 2)
    0.8
    >>> [cause.code for cause in fused.causes[0]]
    ['country.new', 'velocity.cards']
    """
    rows = len(usual)
    # What each signal leaves, cell by cell: few cells of few events have any. In float32, as whole columns would be.
    spared: dict[tuple[int, int], np.float32] = {}
    causes: list[list[Cause]] = [[] for _ in range(rows)]
    degraded = []
    for signal in signals:
        if not signal.ready:
            degraded.append(signal.detector)
            continue
        score = signal.score
        heard = score.nonzero()[0].tolist()
        if not heard:
            continue
        column = -1 if signal.abuse_type is None else _COLUMN[signal.abuse_type]
        for row in heard:
            if column >= 0:
                place, left = (row, column), 1.0 - score[row]
            else:
                place, left = (row, int(usual[row])), 1.0 - UNTYPED_WEIGHT * score[row]
            spared[place] = spared[place] * left if place in spared else left
        for row, reasons in enumerate(signal.reasons):
            for reason in reasons:
                causes[row].append(
                    Cause(
                        code=reason.code,
                        text=reason.text,
                        severity=float(reason.severity),
                        detector=signal.detector,
                        abuse_type=signal.abuse_type or "",
                    )
                )
    for found in causes:
        if len(found) > 1:
            found.sort(key=lambda cause: (-cause.severity, cause.code))
    risk = np.zeros((rows, len(ABUSE_TYPES)), np.float32)
    for (row, column), left in spared.items():
        if column >= 0:
            risk[row, column] = 1.0 - left
    return Assessment(
        risk=risk, calibrated=False, causes=causes, degraded=tuple(dict.fromkeys(degraded)), suspicion=suspicion
    )
