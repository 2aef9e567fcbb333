"""Suspicion that adds up: an oracle in plain Python, any batching, bounded rows, and what a stored one may be."""

import math
from dataclasses import replace

import numpy as np
import pytest

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import NUMBER_FIELDS, EventBatch
from floorwalker.events.parts import Parts
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.features.live import FeatureBatch
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.first_opinion import FirstOpinion
from floorwalker.fusion.memory import LONG, OUTPUTS, REMEMBERED, SHORT, SUMS, LiveMemory, RiskMemory, tell_column

HOUR = 3_600_000_000
START = 1_760_000_000_000_000
NAMES = ("alpha", "beta")
PAGE_VIEW, ORDER = np.int16(TYPE_CODES["page_view"]), np.int16(TYPE_CODES["order"])


def events(count: int, seed: int = 0, *, kinds: int = 5) -> tuple[EventBatch, FeatureBatch]:
    random = np.random.default_rng(seed)
    keys = {kind: random.integers(0, kinds, count).astype(np.uint64) for kind in REMEMBERED}
    at = START + np.cumsum(random.integers(0, 3 * HOUR, count))
    numbers = {name: random.normal(size=count) for name in NUMBER_FIELDS}
    nobody = Parts(np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.uint64), np.zeros((4, 0)))
    kind = random.choice([PAGE_VIEW, ORDER], count).astype(np.int16)
    batch = EventBatch([""] * count, kind, at, at, keys, numbers, {}, nobody)
    values = random.normal(size=(count, len(NAMES))).astype(np.float32)
    return batch, FeatureBatch(batch.id, at, values, NAMES, np.isnan(values))


def slow_sums(batch: EventBatch, suspicion: np.ndarray) -> np.ndarray:
    """As `RiskMemory.advance`, by reading all that was before again."""
    out = np.full((len(batch), len(SUMS)), np.nan)
    for row in range(len(batch)):
        for place, kind in enumerate(REMEMBERED):
            key = int(batch.keys[kind][row])
            before = [one for one in range(row) if key and int(batch.keys[kind][one]) == key]
            if not before:
                continue
            age = {one: float(batch.at[row] - batch.at[one]) for one in before}
            for fact, half_life in enumerate((SHORT, LONG)):
                weight = {one: 0.5 ** (age[one] / half_life) for one in before}
                told = sum(weight[one] * suspicion[one] for one in before)
                out[row, 4 * place + fact] = told / (sum(weight.values()) + 1.0)
            worst = max(0.5 ** (age[one] / LONG) * suspicion[one] for one in before)
            often = sum(0.5 ** (age[one] / LONG) for one in before if suspicion[one] >= 0.5)
            out[row, 4 * place + 2 : 4 * place + 4] = worst, often
    return out


def test_it_is_what_reading_the_past_again_gives():
    batch, _ = events(150)
    suspicion = np.random.default_rng(1).random(150).astype(np.float32)
    found = RiskMemory(rows=1 << 10).advance(batch, suspicion)
    np.testing.assert_allclose(found, slow_sums(batch, suspicion), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_any_batching_gives_the_same(size):
    batch, _ = events(150)
    suspicion = np.random.default_rng(1).random(150).astype(np.float32)
    whole, piecewise = RiskMemory(rows=1 << 10), RiskMemory(rows=1 << 10)
    every = whole.advance(batch, suspicion)
    for start in range(0, 150, size):
        rows = np.arange(start, min(start + size, 150))
        part = batch.take(rows)
        foretold = piecewise.score(part, suspicion[rows])
        found = piecewise.advance(part, suspicion[rows])
        np.testing.assert_array_equal(found, every[rows])
        np.testing.assert_array_equal(foretold[0], found[0])
    np.testing.assert_array_equal(whole.words, piecewise.words)


def test_rows_are_bounded_and_the_longest_silent_goes_first():
    memory = RiskMemory(rows=4)
    batch, _ = events(6, kinds=1)
    for kind in REMEMBERED:
        batch.keys[kind][:] = 0
    batch.keys["device"][:] = [1, 2, 3, 4, 5, 1]
    memory.advance(batch.take(np.arange(5)), np.ones(5, np.float32))
    column = SUMS.index("memory.device.worst")
    assert math.isnan(memory.score(batch.take(np.array([5])), np.ones(1, np.float32))[0, column])
    assert memory.score(batch.take(np.array([4])), np.ones(1, np.float32))[0, column] > 0.9


def test_a_straggler_makes_nothing_younger():
    memory = RiskMemory(rows=64)
    batch, _ = events(2, kinds=2)
    for kind in REMEMBERED:
        batch.keys[kind][:] = 1
    late = replace(batch, at=batch.at[::-1].copy())
    found = memory.advance(late, np.array([1.0, 0.0], np.float32))
    assert found[1, SUMS.index("memory.account.worst")] == 1.0


@pytest.mark.parametrize("rows", [0, 3, 100])
def test_odd_sizes_are_refused(rows):
    with pytest.raises(UsageError, match="power of two"):
        RiskMemory(rows=rows)


@pytest.fixture(scope="module")
def opinion() -> FirstOpinion:
    random = np.random.default_rng(5)
    names = column_names(NAMES)
    rows = random.normal(size=(600, len(names)))
    trees = [
        BoostedTrees(rounds=20, threads=1, seed=seed, validation_share=0.0, blind_rounds=20).fit(
            rows, rows[:, 0] > 1.0, names=names
        )
        for seed in range(2)
    ]
    ranks = [np.array([[0.0, 0.2, 0.3, 1.0], [1.0, 0.1, 0.0001, 0.0001]])] * 2
    return FirstOpinion(trees, ranks, np.array([kind.name == "order" for kind in EVENT_TYPES] + [False]))


def test_live_it_judges_the_types_that_are_asked_for_and_goes_on_from_its_state(opinion, tmp_path):
    batch, features = events(200)
    opinion.save(tmp_path / "memory", facts={})
    live, again = LiveMemory(opinion), LiveMemory.load(tmp_path / "memory")
    assert live.version == again.version
    first, rest = np.arange(120), np.arange(120, 200)

    def part(rows: np.ndarray) -> tuple[EventBatch, FeatureBatch]:
        values = features.values[rows]
        return batch.take(rows), FeatureBatch([""] * len(rows), batch.at[rows], values, NAMES, np.isnan(values))

    found = live.advance(*part(first))
    assert found.shape == (120, len(OUTPUTS))
    assert np.isnan(found[batch.type[first] == PAGE_VIEW]).all()
    assert not np.isnan(found[batch.type[first] == ORDER, 0]).any()
    assert np.nanmax(found[:, 0]) > 0.5 > np.nanmin(found[:, 0])
    again.restore({name: array.copy() for name, array in live.state().items()})
    np.testing.assert_array_equal(again.advance(*part(rest)), live.advance(*part(rest)))


def test_another_models_memory_is_refused(opinion):
    other = FirstOpinion(opinion.models[:1], opinion.ranks[:1], opinion.relevant)
    with pytest.raises(ArtefactError, match="belongs to the opinions"):
        LiveMemory(opinion).restore(LiveMemory(other).state())
    with pytest.raises(ArtefactError, match="words"):
        LiveMemory(opinion).restore(LiveMemory(opinion, rows=64).state())


def test_every_column_has_a_sentence():
    said = dict.fromkeys(OUTPUTS, 0.4)
    assert all(tell_column(column, said) for column in OUTPUTS)
    assert tell_column(OUTPUTS[1], dict.fromkeys(OUTPUTS, math.nan)) is None
