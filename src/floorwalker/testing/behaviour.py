"""Random events, weights and models of the behaviour family, without any training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour.model import BehaviourModel
from floorwalker.detectors.behaviour.sequences import Field
from floorwalker.detectors.behaviour.tokens import FEATURES, SHOP_FIELDS
from floorwalker.detectors.behaviour.weights import LstmWeights
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live import FeatureBatch

NAMES = tuple(name for _, name, _ in FEATURES)


def events(n: int, seed: int = 1, people: int = 9) -> tuple[EventBatch, FeatureBatch]:
    """Random events of a few accounts and sessions, some without either."""
    rng = np.random.default_rng(seed)

    def keys(most: int) -> NDArray[np.uint64]:
        return (rng.integers(1, most + 1, n) * (rng.random(n) < 0.8)).astype(np.uint64) * np.uint64(3_141_592_653)

    at = np.cumsum(rng.integers(0, 10**8, n)).astype(np.int64)
    at[rng.random(n) < 0.05] -= 10**8
    numbers = {
        "amount_minor": np.where(rng.random(n) < 0.5, rng.integers(0, 10**6, n), np.nan).astype(np.float64),
        "status": rng.choice([200.0, 404.0, 503.0, np.nan], n),
        "rating": rng.choice([0.0, 1.0, np.nan], n),
        "network_asn": rng.choice([3320.0, 4_200_000_000.0, np.nan], n),
        "client_webdriver": rng.choice([0.0, 1.0, np.nan], n),
    }
    batch = EventBatch(
        id=[""] * n,
        type=rng.integers(-1, 52, n).astype(np.int16),
        at=at,
        received_at=at,
        keys={
            "account": keys(people), "session": keys(2 * people), "device": keys(3), "ip_network": keys(2),
            "route": keys(5),
        },
        numbers=numbers,
        texts={},
    )  # fmt: skip
    values = rng.choice([0.0, 1.0, 3.0, 1e5, np.nan], (n, len(NAMES))).astype(np.float32)
    return batch, FeatureBatch(batch.id, at, values, NAMES, np.isnan(values))


def part(pair: tuple[EventBatch, FeatureBatch], start: int, stop: int) -> tuple[EventBatch, FeatureBatch]:
    """Events `start` to `stop`, without the last."""
    rows = range(start, min(stop, len(pair[1])))
    return pair[0].take(list(rows)), pair[1].take(rows)


def weights(
    hidden: int = 6, seed: int = 0, labels: int = len(ABUSE_TYPES), of: tuple[Field, ...] = SHOP_FIELDS
) -> LstmWeights:
    """Random weights of the right shapes."""
    rng = np.random.default_rng(seed)
    codes = sum(field.size for field in of)
    outputs = sum(field.size for field in of if field.predicted)
    shapes = (
        (codes, 4 * hidden), (4 * hidden,), (hidden, 4 * hidden), (hidden, labels), (labels,), (hidden, outputs),
        (outputs,),
    )  # fmt: skip
    return LstmWeights(*((0.5 * rng.standard_normal(shape)).astype(np.float32) for shape in shapes))


def model(hidden: int = 6, seed: int = 0) -> BehaviourModel:
    """A model of random weights."""
    rng = np.random.default_rng(seed)
    mixing = rng.random((3, len(ABUSE_TYPES), 3)).astype(np.float32)
    ranks = np.sort(rng.random((2, 50)).astype(np.float32) * 20, axis=1)
    return BehaviourModel(weights(hidden, seed), weights(hidden, seed + 1), mixing, ranks)
