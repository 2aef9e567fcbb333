"""The detectors of the request path as the benchmark runs them: score with state, then the inline reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series.live import LiveSeries
from floorwalker.detectors.behaviour.live import LiveBehaviour
from floorwalker.detectors.content.live import LiveContent
from floorwalker.detectors.context.live import LiveContext
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.detectors.rules import RuleTable, default_schema, spoken
from floorwalker.detectors.rules.files import STARTER
from floorwalker.detectors.signal import Signal
from floorwalker.detectors.unusual import UnusualActivity
from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.fusion.memory import OUTPUTS as MEMORY
from floorwalker.fusion.stacked import ANY, StackedFusion
from floorwalker.pipeline.live_parts import KIND_OF, LivePart
from floorwalker.pipeline.models import UNUSUAL_COLUMN, ShopModels

Answer = Callable[[EventBatch, FeatureBatch], object]
LEARNED_ROWS = 8_000
TREES = 200
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
    batch: EventBatch, features: FeatureBatch, *, models: Path, clock: Callable[[], float], seed: int
) -> list[Part]:
    """Every detector but text, and what fusion makes of them, as a server asks them.

    Parameters
    ----------
    batch, features : events that the anomaly detector and a model of the shape of the trees learn from.
    models : folder of models, as `floorwalker train` or `write_shapes` write them.
    clock : monotonic seconds.
    """
    shop = ShopModels.load(models, features.names)
    if shop.lost or shop.fusion is None:
        raise UsageError(f"models in {models}: {shop.lost or 'no fusion'}", fix="floorwalker train DATA --out FOLDER")
    said: dict[str, NDArray[np.float32]] = {}
    return [
        _rules(features),
        _unusual(features, clock, seed),
        *(_following(shop, name, part, said) for name, part in shop.parts.items() if not KIND_OF[name].reads_texts),
        _fusion(shop, shop.fusion, said),
    ]


def _following(shop: ShopModels, name: str, part: LivePart, said: dict[str, NDArray[np.float32]]) -> Part:
    """A detector that remembers; what it says is for the fusion, which gives the reasons."""
    reads = KIND_OF[name].reads

    def answer(events: EventBatch, found: FeatureBatch) -> object:
        seen = shop.beside(found, reads, said[reads]) if reads in said else found
        said[name] = part.advance(events, seen)
        return said[name]

    if isinstance(part, LiveBehaviour):
        live = part

        def full(events: EventBatch, found: FeatureBatch) -> object:
            account, session = int(events.keys["account"][0]), int(events.keys["session"][0])
            return live.explain(account=account, session=session, abuse_type=ABUSE_TYPES[0])

        return Part(name, answer, full)
    return Part(name, answer)


def _fusion(shop: ShopModels, fusion: StackedFusion, said: dict[str, NDArray[np.float32]]) -> Part:
    """Risks and their reasons out of features, the event's own numbers and what the detectors said just now."""

    @cache
    def silent(name: str, count: int) -> NDArray[np.float32]:
        return np.full((count, len(shop.parts[name].outputs)), np.nan, np.float32)

    def answer(events: EventBatch, found: FeatureBatch) -> object:
        count = len(events)
        columns = [said[name] if name in said else silent(name, count) for name in shop.parts]
        return shop.judge(events, shop.join(found, columns), _quiet(count))

    def full(events: EventBatch, found: FeatureBatch) -> object:
        silent = np.full((len(events), len(fusion.names) - len(column_names(found.names))), np.nan, np.float32)
        return fusion.trees.explain(fusion_columns(found.values, events.numbers, events.type, silent), output=ANY)

    return Part("fusion", answer, full)


@cache
def _quiet(count: int) -> Signal:
    return Signal(UNUSUAL_COLUMN, "1", None, np.zeros(count, np.float32), [[] for _ in range(count)], ready=True)


def write_shapes(
    folder: Path, batch: EventBatch, features: FeatureBatch, *, clock: Callable[[], float], seed: int
) -> tuple[int, float]:
    """Models of the shape that `floorwalker train` gives them, with drawn weights and labels: for speed, no more.

    Returns the rows that the trees learned from, and the seconds that this took.
    """
    from floorwalker.detectors.transaction.boosted_trees import BoostedTrees

    rng = np.random.default_rng(seed)
    random_behaviour(64, rng).save(folder / "behaviour")
    parts: dict[str, Any] = {
        "relation": LiveRelations(), "content": LiveContent(), "series": LiveSeries(), "context": LiveContext(),
    }  # fmt: skip
    for name, part in parts.items():
        part.save(folder / name)
    some = batch.take(np.arange(min(LEARNED_ROWS, len(batch))))
    values = features.values[: len(some)]
    everywhere = np.ones(len(EVENT_TYPES) + 1, np.bool_)
    settings: dict[str, Any] = {
        "rounds": TREES, "blind_rounds": TREES, "leaves": LEAVES, "validation_share": 0.0, "seed": seed, "threads": 1,
        "rate": 0.06, "max_bin": 255,
    }  # fmt: skip
    start = clock()
    context = LiveContext.outputs
    drawn = rng.random((len(some), len(context))).astype(np.float32)
    columns = fusion_columns(values, some.numbers, some.type, drawn)
    label = (rng.random(len(some)) < 0.05).astype(np.float32)
    first = BoostedTrees(**settings).fit(columns, label, names=column_names(features.names, context))
    opinion = FirstOpinion([first], [StackedFusion.ranks_of(first.score(columns), len(some))], everywhere)
    opinion.save(folder / "memory", facts={})
    outputs = (*LiveBehaviour.outputs, *(name for part in parts.values() for name in part.outputs), *MEMORY)
    columns = fusion_columns(
        values, some.numbers, some.type, rng.random((len(some), len(outputs) + 1)).astype(np.float32)
    )
    whole = BoostedTrees(**settings).fit(
        columns, label[:, None], names=column_names(features.names, (*outputs, UNUSUAL_COLUMN)), outputs=(ANY,)
    )
    ranks = StackedFusion.ranks_of(whole.trees(ANY).score(columns), len(some))
    fusion = StackedFusion(whole, np.ones((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_), ranks, {})
    fusion.save(folder / "fusion", facts={})
    return 2 * len(some), clock() - start


def _rules(features: FeatureBatch) -> Part:
    table = RuleTable.load(STARTER, schema=default_schema(features.names))
    return Part("rules", lambda batch, found: spoken(table.evaluate(batch, found)))


def _unusual(features: FeatureBatch, clock: Callable[[], float], seed: int) -> Part:
    start = clock()
    unusual = UnusualActivity.fit(features.values[:LEARNED_ROWS], features.names, version="1", seed=seed)
    taken = clock() - start
    return Part(
        "anomaly", lambda batch, found: unusual.judge(found.values), None, taken, len(features.values[:LEARNED_ROWS])
    )


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
