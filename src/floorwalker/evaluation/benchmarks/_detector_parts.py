"""The detectors of the request path as the benchmark runs them: score with state, then the inline reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules import RuleTable, default_schema, signals
from floorwalker.detectors.rules.files import STARTER
from floorwalker.detectors.unusual import UnusualActivity
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.features.live import FeatureBatch

Answer = Callable[[EventBatch, FeatureBatch], object]
LEARNED_ROWS = 8_000
TREES = 60
LEAVES = 15


@dataclass(frozen=True)
class Part:
    """One detector.

    Parameters
    ----------
    name : of its family.
    answer : scores a batch, moves state, names reasons.
    full : full attribution of one event, in milliseconds where it is measured; None where there is none.
    learned_seconds : what its training on `learned_rows` rows took; None where nothing is learned.
    """

    name: str
    answer: Answer
    full: Answer | None = None
    learned_seconds: float | None = None
    learned_rows: int = 0


def make_parts(
    batch: EventBatch, features: FeatureBatch, *, models: Path | None, clock: Callable[[], float], seed: int
) -> list[Part]:
    """Every detector but text.

    Parameters
    ----------
    batch, features : events that the unsupervised ones learn from; labels are drawn, for speed depends on shape alone.
    models : folder of trained models by family, as `floorwalker train` writes them; what is not there is learned now.
    clock : monotonic seconds.
    """
    rng = np.random.default_rng(seed)
    return [
        _rules(features),
        _unusual(features, clock, seed),
        _trees(batch, features, models, clock, rng),
        _behaviour(models, rng),
        _series(),
        _relation(models),
    ]


def _rules(features: FeatureBatch) -> Part:
    table = RuleTable.load(STARTER, schema=default_schema(features.names))
    return Part("rules", lambda batch, found: signals(table.evaluate(batch, found)))


def _unusual(features: FeatureBatch, clock: Callable[[], float], seed: int) -> Part:
    start = clock()
    unusual = UnusualActivity.fit(features.values[:LEARNED_ROWS], features.names, version="1", seed=seed)
    taken = clock() - start
    return Part(
        "anomaly", lambda batch, found: unusual.judge(found.values), None, taken, len(features.values[:LEARNED_ROWS])
    )


def _trees(
    batch: EventBatch, features: FeatureBatch, models: Path | None, clock: Callable[[], float],
    rng: np.random.Generator,
) -> Part:  # fmt: skip
    from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
    from floorwalker.detectors.transaction.live import LiveTransactions, feature_meanings, make_rows, row_names

    taken, count = None, 0
    if models is not None and (models / "transaction").is_dir():
        live = LiveTransactions.load(models / "transaction")
    else:
        rows = make_rows(batch, features)[:LEARNED_ROWS]
        count = len(rows)
        labels = (rng.random((count, len(ABUSE_TYPES))) < 0.05).astype(np.float32)
        start = clock()
        model = BoostedTrees(rounds=TREES, leaves=LEAVES, validation_share=0.0, blind_rounds=TREES, seed=1, threads=1)
        model.fit(rows, labels, names=row_names(features.names), outputs=ABUSE_TYPES)
        taken = clock() - start
        model.meanings = feature_meanings()
        live = LiveTransactions(model)

    def answer(events: EventBatch, found: FeatureBatch) -> object:
        scores = live.advance(events, found)
        return live.reasons(events, found, scores)

    def full(events: EventBatch, found: FeatureBatch) -> object:
        return live.reasons(events, found, live.score(events, found), least=0.0, full=True)

    return Part("transaction", answer, full, taken, count)


def _behaviour(models: Path | None, rng: np.random.Generator) -> Part:
    from floorwalker.detectors.behaviour.live import LiveBehaviour

    if models is not None and (models / "behaviour").is_dir():
        live = LiveBehaviour.load(models / "behaviour")
    else:
        live = LiveBehaviour(random_behaviour(64, rng))

    def answer(events: EventBatch, found: FeatureBatch) -> object:
        scores = live.advance(events, found)
        return live.reasons(events, found, scores)

    def full(events: EventBatch, found: FeatureBatch) -> object:
        account, session = int(events.keys["account"][0]), int(events.keys["session"][0])
        return live.explain(account=account, session=session, abuse_type=ABUSE_TYPES[0])

    return Part("behaviour", answer, full)


def random_behaviour(hidden: int, rng: np.random.Generator) -> Any:
    """A model of the shipped shape with drawn weights: its steps take as long as a learned one's."""
    from floorwalker.detectors.behaviour.model import BehaviourModel
    from floorwalker.detectors.behaviour.tokens import SHOP_FIELDS
    from floorwalker.detectors.behaviour.weights import LstmWeights

    codes = sum(field.size for field in SHOP_FIELDS)
    outputs = sum(field.size for field in SHOP_FIELDS if field.predicted)
    labels = len(ABUSE_TYPES)

    def draw(*shape: int) -> NDArray[np.float32]:
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)

    account, session = (
        LstmWeights(
            draw(codes, 4 * hidden), draw(4 * hidden), draw(hidden, 4 * hidden), draw(hidden, labels),
            draw(labels) - np.float32(6.0), draw(hidden, outputs), draw(outputs),
        )
        for _ in range(2)
    )  # fmt: skip
    mixing = np.tile(np.array([[0.5, 0.5, 0.0]], np.float32), (3, labels, 1))
    return BehaviourModel(account, session, mixing, np.linspace(0, 30, 1024, dtype=np.float32).reshape(2, 512))


def _series() -> Part:
    from floorwalker.detectors.anomaly_series.live import LiveSeries

    live = LiveSeries()

    def answer(events: EventBatch, found: FeatureBatch) -> object:
        scores = live.advance(events, found)
        return live.reasons(events, found, scores)

    return Part("series", answer)


def _relation(models: Path | None) -> Part:
    """Neighbours and rings; with the network too, where one was trained."""
    from floorwalker.detectors.relation.live import LiveRelations

    trained = models is not None and (models / "relation").is_dir()
    live: Any = LiveRelations.load(models / "relation") if trained and models is not None else LiveRelations()

    def answer(events: EventBatch, found: FeatureBatch) -> object:
        scores = live.advance(events, found)
        return live.reasons(events, found, scores)

    return Part("relation", answer)
