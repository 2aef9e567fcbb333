"""The measures against a second opinion, the baselines, the sheet of the real log."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import v_measure_score

from floorwalker.errors import InputError
from floorwalker.evaluation.tasks._routes_baselines import by_drain, by_expressions, by_trie, unmerged
from floorwalker.evaluation.tasks._routes_measures import guard_violations, pair_f1, v_measure
from floorwalker.evaluation.tasks._routes_sites import draw_sample
from floorwalker.evaluation.tasks._routes_zanbil import read_zanbil
from floorwalker.evaluation.tasks.routes import BARS, _case, _merge
from floorwalker.features.routes._network import load_network

SHEET = Path(__file__).parents[2] / "golden" / "zanbil_routes.csv"
DEVELOPMENT = SHEET.with_name("zanbil_routes_development.csv")


def test_v_measure_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, found = rng.integers(0, 6, 60).tolist(), rng.integers(0, 9, 60).tolist()
        assert v_measure(truth, found) == pytest.approx(v_measure_score(truth, found), abs=1e-9)


def test_weights_count_as_repetitions() -> None:
    truth, found, weights = ["a", "a", "b"], [1, 2, 2], np.array([3.0, 1.0, 2.0])
    rows = [0, 0, 0, 1, 2, 2]
    expected = v_measure([truth[k] for k in rows], [found[k] for k in rows])
    assert v_measure(truth, found, weights) == pytest.approx(expected)


def test_pair_f1_by_counting_pairs() -> None:
    rng = np.random.default_rng(1)
    truth, found = rng.integers(0, 4, 30).tolist(), rng.integers(0, 5, 30).tolist()
    pairs = [(i, j) for i in range(30) for j in range(i)]
    both = sum(truth[i] == truth[j] and found[i] == found[j] for i, j in pairs)
    wanted = sum(truth[i] == truth[j] for i, j in pairs)
    given = sum(found[i] == found[j] for i, j in pairs)
    assert pair_f1(truth, found) == pytest.approx(2 * both / (wanted + given))


def test_guard_violations_are_groups_with_an_act_and_anything_else() -> None:
    truth = ["/cart/add", "/cart/remove", "/p/{}", "/p/{}", "/about"]
    assert guard_violations(truth, [0, 0, 1, 1, 2], {"/cart/add", "/cart/remove"}) == 1
    assert guard_violations(truth, [0, 3, 1, 1, 1], {"/cart/add", "/cart/remove"}) == 0


def test_baselines_merge_what_they_are_made_for() -> None:
    targets = [f"/item/{k}" for k in range(100, 140)] + [
        "/cart/add",
        "/cart/remove",
        "/x?route=a/b&id=3",
        "/x?route=a/c",
    ]
    found = by_expressions(targets)
    assert len(set(found[:40])) == 1
    assert len(set(found[40:])) == 4
    assert len(set(by_trie(targets, fan_out=12)[:40])) == 1
    assert len(set(unmerged(targets))) == len(targets)


def test_drain_gives_a_group_to_each_target() -> None:
    pytest.importorskip("drain3")
    found = by_drain([f"/item/{k}/stock" for k in range(30)], similarity=0.4)
    assert len(set(found)) == 1


def test_the_shipped_network_is_ahead_of_the_heuristic_on_a_validation_family() -> None:
    case = _case("portuguese_root", seed=77, size=(150, 3_000))
    truth = case.sample.templates
    found = _merge(case.sample, load_network())
    assert v_measure(truth, found) > max(0.95, v_measure(truth, by_expressions(case.sample.targets)))
    assert guard_violations(truth, found, case.state_changing) == 0


def test_samples_depend_on_their_seed_alone_and_grow_with_requests() -> None:
    small = draw_sample("greek_action", seed=1, items=50, requests=300)
    assert small == small
    again = draw_sample("greek_action", seed=1, items=50, requests=300)
    assert small.targets == again.targets
    assert len(draw_sample("greek_action", seed=1, items=50, requests=3000).targets) > len(small.targets)


def test_the_sheet_holds_three_hundred_lines_and_no_urls() -> None:
    with SHEET.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["line"] for row in rows}) == len(rows) == 300
    assert all("/" not in row["group"] and "%" not in row["group"] for row in rows)


def test_the_development_sheet_shares_no_line_with_the_test() -> None:
    def lines(path: Path) -> set[str]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert all("/" not in row["group"] and "%" not in row["group"] for row in rows)
        return {row["line"] for row in rows}

    assert len(lines(DEVELOPMENT)) == 360
    assert lines(DEVELOPMENT).isdisjoint(lines(SHEET))


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_zanbil(tmp_path, SHEET)


def test_every_bar_is_a_bound() -> None:
    assert all(set(bar) <= {"min", "max"} and bar for bar in BARS.values())


@pytest.mark.data
def test_the_real_log_is_read_whole() -> None:
    folder = os.environ.get("FLOORWALKER_DATA")
    if not folder:
        pytest.skip("FLOORWALKER_DATA names no folder of public data sets")
    targets, posts, sheet = read_zanbil(Path(folder), SHEET)
    assert len(targets) == len(posts) == 10_018
    assert all(targets[line] for line in sheet)
    _, _, development = read_zanbil(Path(folder), DEVELOPMENT)
    assert {targets[line] for line in development}.isdisjoint(targets[line] for line in sheet)
