"""Sentences for what sequences gave away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour.sequences import Sequences
from floorwalker.detectors.behaviour.tokens import SHOP_FIELDS
from floorwalker.detectors.behaviour.weights import LstmWeights
from floorwalker.detectors.signal import Reason
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import FeatureBatch

NAMED = 3
"""Events that an explanation names at most."""
LEAST_SHARE = 0.05
"""Of the opinion, what the absence of an event must take away for it to be named."""
_PLACES = {field.name: place for place, field in enumerate(SHOP_FIELDS)}


def name_raised(
    batch: EventBatch, features: FeatureBatch, scores: NDArray[np.float32], outputs: tuple[str, ...], least: float
) -> list[list[Reason]]:
    """A reason for every opinion of at least `least`: [n] lists."""
    reasons: list[list[Reason]] = [[] for _ in range(len(scores))]
    raised = scores[:, : len(ABUSE_TYPES)] >= least
    if not raised.any():
        return reasons
    rows, columns = np.nonzero(raised)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        kind = ABUSE_TYPES[column].replace("_", " ")
        score = float(scores[row, column])
        text = f"the course of events up to this {_type_name(int(batch.type[row]) + 1)} is like {kind} ({score:.0%})"
        reasons[row].append(Reason(outputs[column], text, min(score, 1.0)))
    return reasons


def explain_last(tokens: NDArray[np.uint8], weights: LstmWeights, of: str, abuse_type: str) -> list[Reason]:
    """The events without which the opinion would be lower, strongest first.

    Each event is left out in turn and the rest is judged again from nothing (occlusion; Zeiler, Fergus 2014). The
    events before those that were kept are not known here.

    Parameters
    ----------
    tokens : uint8 [m, fields], oldest first.
    of : ``account`` or ``session``.
    """
    label, m = ABUSE_TYPES.index(abuse_type), len(tokens)
    keep = ~np.eye(m, dtype=bool)
    runs = np.concatenate([tokens, *(tokens[kept] for kept in keep)])
    starts = np.concatenate([[0, m], m + (m - 1) * np.arange(1, m + 1)]).astype(np.int64)
    logits = weights.run(Sequences(runs, starts, SHOP_FIELDS)).logits[:, label]
    ends = np.where(np.diff(starts) > 0, logits[np.maximum(starts[1:] - 1, 0)], weights.head_bias[label])
    chances = 1.0 / (1.0 + np.exp(-ends.astype(np.float64)))
    whole = float(chances[0])
    found = []
    for place in np.argsort(chances[1:], kind="stable")[:NAMED].tolist():
        loss = whole - float(chances[1 + place])
        if loss > LEAST_SHARE * whole:
            text = (
                f"{describe_event(tokens[place])}, {m - 1 - place} events before the last of this {of}: "
                f"without it {abuse_type.replace('_', ' ')} would be {chances[1 + place]:.0%} likely, "
                f"not {whole:.0%}"
            )
            found.append(Reason(f"behaviour.lstm.{abuse_type}", text, min(max(loss, 1e-6), 1.0)))
    return found


def describe_event(tokens: NDArray[np.uint8]) -> str:
    """What an event's tokens say, in words.

    >>> tokens = np.zeros(len(SHOP_FIELDS), np.uint8)
    >>> tokens[[_PLACES["type"], _PLACES["new_device"], _PLACES["gap"]]] = [5, 2, 6]
    >>> describe_event(tokens)
    'a password reset less than 2 s after the event before, from a device new to the account'
    """
    said = [f"a {_type_name(int(tokens[_PLACES['type']]))}"]
    gap = int(tokens[_PLACES["gap"]])
    if gap:
        said[0] += f" less than {_duration(2.0 ** (gap - 1) / 16)} after the event before"
    for name, words in (
        ("new_device", "from a device new to the account"),
        ("new_country", "from a country new to the account"),
        ("device_changed", "on another device than before"),
        ("network_changed", "from another network than before"),
        ("client", "by a client that looks automated"),
        ("new_delivery_point", "to a new delivery point"),
    ):
        if tokens[_PLACES[name]] == 2:
            said.append(words)
    return ", ".join(said)


def _type_name(code: int) -> str:
    return EVENT_TYPES[code - 1].name.replace("_", " ") if 1 <= code <= len(EVENT_TYPES) else "unknown event"


def _duration(seconds: float) -> str:
    for unit, name in ((86_400.0, "days"), (3600.0, "hours"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.3g} s"
