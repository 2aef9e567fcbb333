"""The streamed features equal what thirty lines find that reread the whole log."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.events.requests import RequestBatch
from floorwalker.features.visitors import FEATURES, VisitorTable

ROLES = (
    "product", "category", "search", "offer", "login", "basket", "checkout", "callback", "feed", "asset", "beacon",
    "health", "other",
)  # fmt: skip
KIND = np.array([1 if role == "asset" else 2 if role == "beacon" else 0 for role in ROLES], np.int8)
SECOND = 1_000_000
TARGETS = 40


def make_log(seed: int, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, TARGETS, count)
    return {
        "at": (np.sort(rng.integers(1_636_000_000, 1_636_250_000, count)) * SECOND).astype(np.int64),
        "client": rng.integers(0, 4, count).astype(np.int32),
        "user_agent": rng.integers(0, 2, count).astype(np.int32),
        "target": target.astype(np.int32),
        "method": rng.choice([0, 0, 0, 1, 2], count).astype(np.uint8),
        "status": rng.choice([200, 304, 401, 404, 500], count).astype(np.int16),
        "referrer": rng.integers(0, 3, count).astype(np.int8),
    }


def stream(log: dict[str, np.ndarray], cuts: list[int]) -> VisitorTable:
    table = VisitorTable(ROLES, seed=3)
    edges = sorted({0, len(log["at"]), *(cut % (len(log["at"]) + 1) for cut in cuts)})
    for start, stop in pairwise(edges):
        part = slice(start, stop)
        count = stop - start
        batch = RequestBatch(
            at=log["at"][part], utc_offset=np.full(count, 480, np.int16), host=np.full(count, -1, np.int32),
            client=log["client"][part], session=np.full(count, -1, np.int32), user_agent=log["user_agent"][part],
            target=log["target"][part], referrer_host=np.full(count, -1, np.int32), method=log["method"][part],
            status=log["status"][part], size=np.full(count, 100, np.int64),
        )  # fmt: skip
        table.advance(
            batch,
            (log["target"][part] % len(ROLES)).astype(np.int32),
            route_kind=KIND,
            route_role=np.arange(len(ROLES), dtype=np.int8),
            target_danger=np.zeros(TARGETS, np.int8),
            referrer_kind=log["referrer"][part],
        )
    return table


def reread(log: dict[str, np.ndarray]) -> dict[tuple[int, int, int], dict[str, float]]:
    """Features by (client, user agent, local day), from lists."""
    visits = defaultdict(list)
    for row in range(len(log["at"])):
        local = int(log["at"][row]) // SECOND + 480 * 60
        visits[(int(log["client"][row]), int(log["user_agent"][row]), local // 86400)].append(row)
    found = {}
    for key, rows in visits.items():
        roles = [ROLES[log["target"][row] % len(ROLES)] for row in rows]
        pages = [row for row, role in zip(rows, roles, strict=True) if role not in ("asset", "beacon")]
        times = [int(log["at"][row]) / SECOND for row in pages]
        every = [int(log["at"][row]) / SECOND for row in rows]
        gaps = [after - before for before, after in pairwise(times)]
        all_gaps = [after - before for before, after in pairwise(every)]
        kinds = Counter(log["target"][row] % len(ROLES) for row in pages)
        targets = [int(log["target"][row]) for row in pages]
        count = len(pages)
        mean = sum(gaps) / len(gaps) if gaps else 0.0
        request_mean = sum(all_gaps) / len(all_gaps) if all_gaps else 0.0
        request_sd = math.sqrt(sum((gap - request_mean) ** 2 for gap in all_gaps) / max(len(all_gaps), 1))
        cubes = sum((gap - request_mean) ** 3 for gap in all_gaps) / max(len(all_gaps), 1)
        found[key] = {
            "visits": count,
            "busiest_minute": max(Counter(int(at) // 60 for at in times).values(), default=0),
            "active_hours": len({(int(at) + 480 * 60) // 3600 for at in times}),
            "duration": times[-1] - times[0] if times else 0.0,
            "gap_mean": mean,
            "gap_spread": math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / max(len(gaps), 1)),
            "distinct_routes": len(kinds),
            "top_route_share": max(kinds.values(), default=0) / max(count, 1),
            "route_entropy": -sum(n / count * math.log2(n / count) for n in kinds.values()) if count else 0.0,
            "request_gap_variation": request_sd / request_mean if request_mean else 0.0,
            "request_gap_longest": max(all_gaps, default=0.0),
            "request_gap_skew": cubes / (request_sd + 0.001) ** 3,
            "back_share": sum(a == b for a, b in zip(targets, targets[2:], strict=False)) / max(count - 2, 1),
            "same_target_share": sum(a == b for a, b in pairwise(targets)) / max(count - 1, 1),
            "assets_per_page": roles.count("asset") / max(count, 1),
            "without_referrer_share": sum(log["referrer"][row] == 0 for row in pages) / max(count, 1),
            "error_share": sum(400 <= log["status"][row] < 500 for row in rows) / len(rows),
            "post_share": sum(log["method"][row] == 1 for row in pages) / max(count, 1),
            "offer_share": roles.count("offer") / max(count, 1),
            "checkout_share": (roles.count("basket") + roles.count("checkout")) / max(count, 1),
        }
    return found


def features_by_key(table: VisitorTable) -> dict[tuple[int, int, int], dict[str, float]]:
    rows = np.arange(len(table))
    nothing = np.zeros(len(table))
    facts = table.facts(rows, {"active_days": nothing, "offer_days": nothing})
    values = {feature.name: feature.compute(facts) for feature in FEATURES}
    client, agent = table.identity("client"), table.identity("user_agent")
    return {
        (int(client[row]), int(agent[row]), int(table.day[row])): {name: float(v[row]) for name, v in values.items()}
        for row in rows
    }


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 400), cuts=st.lists(st.integers(0, 400), max_size=4))
def test_streamed_features_equal_a_reread(seed: int, count: int, cuts: list[int]) -> None:
    log = make_log(seed, count)
    streamed = features_by_key(stream(log, cuts))
    expected = reread(log)
    assert streamed.keys() == expected.keys()
    for key, features in expected.items():
        for name, value in features.items():
            assert streamed[key][name] == pytest.approx(value, rel=1e-6, abs=1e-6), (key, name)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 300), min_size=1, max_size=6))
def test_batches_do_not_matter(seed: int, cuts: list[int]) -> None:
    log = make_log(seed, 300)
    whole, parts = stream(log, []), stream(log, cuts)
    assert np.array_equal(whole.stats, parts.stats)
    assert np.array_equal(whole.visitor, parts.visitor)


def test_distinct_targets_within_the_stated_error() -> None:
    errors = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        count = 600
        table = VisitorTable(ROLES, seed=seed)
        target = rng.permutation(20_000)[:count].astype(np.int32)
        zeros = np.zeros(count, np.int32)
        batch = RequestBatch(
            at=np.arange(count, dtype=np.int64) * SECOND, utc_offset=np.zeros(count, np.int16), host=zeros - 1,
            client=zeros, session=zeros - 1, user_agent=zeros, target=target, referrer_host=zeros - 1,
            method=np.zeros(count, np.uint8), status=np.full(count, 200, np.int16), size=np.zeros(count, np.int64),
        )  # fmt: skip
        table.advance(
            batch, zeros, route_kind=np.zeros(1, np.int8), route_role=np.zeros(1, np.int8),
            target_danger=np.zeros(20_000, np.int8), referrer_kind=np.zeros(count, np.int8),
        )  # fmt: skip
        errors.append(float(table.facts(np.array([0]), {}).distinct_targets[0]) / count - 1.0)
    assert abs(float(np.mean(errors))) < 0.08
    assert float(np.std(errors)) < 0.2
