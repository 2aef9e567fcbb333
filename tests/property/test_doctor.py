"""The doctor's bounded counters against counting everything."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.sources.doctor._numbers import Spread
from floorwalker.sources.doctor._sampling import HashSample, HeavyHitters, PairSample, mix

HASHES = st.lists(st.integers(0, 40), max_size=200)


def spread_out(values: list[int]) -> np.ndarray:
    return mix(np.array(values, dtype=np.uint64) + np.uint64(1))


@given(st.lists(HASHES, max_size=5))
def test_a_table_with_room_counts_exactly(batches: list[list[int]]) -> None:
    sample = HashSample(64)
    for batch in batches:
        sample.add(spread_out(batch))
    values = [value for batch in batches for value in batch]
    wanted = Counter(values)
    assert sample.distinct == len(wanted)
    assert sorted(sample.counts.tolist()) == sorted(wanted.values())
    assert sample.is_exact


@given(st.integers(1, 2000), st.integers(8, 64), st.integers(1, 4))
def test_a_full_table_keeps_whole_values_within_its_bounds(distinct: int, most: int, times: int) -> None:
    sample = HashSample(most)
    for _ in range(times):
        sample.add(spread_out(list(range(distinct))))
    assert len(sample.counts) <= most
    assert all(count == times for count in sample.counts.tolist())
    if distinct <= most:
        assert sample.distinct == distinct
    else:
        # Five standard deviations of a sample of at least a quarter of the table.
        assert abs(sample.distinct - distinct) <= 5 * distinct / max(1, most // 4) ** 0.5 + 2**sample.level


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=40), max_size=8), st.integers(1, 6))
def test_frequent_values_are_kept_and_counts_are_never_too_high(batches: list[list[str]], most: int) -> None:
    heavy = HeavyHitters(most)
    for batch in batches:
        heavy.add(dict(Counter(batch)))
    wanted = Counter(value for batch in batches for value in batch)
    total = sum(wanted.values())
    found = dict(heavy.top(100))
    assert len(found) <= most
    for value, count in wanted.items():
        assert found.get(value, 0) <= count
        assert count - found.get(value, 0) <= total / (most + 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=300))
def test_partners_are_counted_once_each(pairs: list[tuple[int, int]]) -> None:
    sample = PairSample(1000)
    for start in range(0, len(pairs), 50):
        part = pairs[start : start + 50]
        sample.add(spread_out([value for value, _ in part]), spread_out([partner for _, partner in part]))
    wanted: defaultdict[int, set[int]] = defaultdict(set)
    for value, partner in pairs:
        wanted[int(spread_out([value])[0])].add(partner)
    hashes, counts = sample.partners()
    assert dict(zip(hashes.tolist(), counts.tolist(), strict=True)) == {
        name: len(some) for name, some in wanted.items()
    }
    assert sorted(counts.tolist(), reverse=True) == counts.tolist()


@given(st.lists(st.floats(0.01, 1e12), min_size=1, max_size=200), st.floats(0, 1))
def test_quantiles_are_right_to_two_percent(values: list[float], share: float) -> None:
    spread = Spread()
    spread.add(np.array(values))
    place = max(0, int(np.ceil(share * len(values))) - 1)
    wanted = sorted(values)[place]
    assert abs(spread.quantile(share) / wanted - 1) < 0.02


@given(st.lists(st.floats(90.0, 110.0), min_size=20, max_size=100), st.integers(0, 3))
def test_fences_let_the_usual_pass_and_hold_the_absurd(values: list[float], absurd: int) -> None:
    spread = Spread()
    spread.add(np.array(values + [1e9] * absurd))
    assert spread.abnormal_share() == absurd / (len(values) + absurd)
