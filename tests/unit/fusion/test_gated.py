from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.fusion.gated import GatedFusion

pytest.importorskip("torch")
GROUPS = {"own": (0, 1, 2), "said": (3,), "later": (4, 5)}


def rows(count: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Abuse shows in one of two groups, half and half; the second group is missing for a third."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(count, 6)).astype(np.float32)
    columns[:, 2] = rng.integers(0, 4, count)
    label = rng.random(count) < 0.3
    where = rng.random(count) < 0.5
    columns[label & where, 0] += 3
    columns[label & ~where, 3] += 3
    columns[rng.random(count) < 0.33, 3] = np.nan
    columns[:, 4:] = np.nan
    return columns, label.astype(np.float64)


@pytest.fixture(scope="module")
def fitted() -> GatedFusion:
    return GatedFusion(GROUPS, kind=2, epochs=10, batch=64).fit(*rows())


def test_it_learns_what_one_group_alone_cannot(fitted: GatedFusion) -> None:
    columns, label = rows(seed=1)
    bad = label == 1

    def ranked(scores: np.ndarray) -> float:
        order = scores.argsort().argsort()
        return float((order[bad].mean() - (bad.sum() - 1) / 2) / (~bad).sum())

    together = ranked(fitted.score(columns))
    assert together > 0.85
    assert together > ranked(columns[:, 0]) + 0.08


def test_gates_are_shares_of_groups_that_have_values(fitted: GatedFusion) -> None:
    columns, _ = rows(200, seed=2)
    gates = fitted.gates(columns)
    assert gates.sum(axis=1) == pytest.approx(1)
    assert (gates[:, 2] == 0).all()
    assert (gates[np.isnan(columns[:, 3]), 1] == 0).all()
    nothing = np.full((3, 6), np.nan, np.float32)
    assert fitted.score(nothing).tolist() == [0, 0, 0]
    assert not fitted.gates(nothing).any()
    assert fitted.score(np.empty((0, 6), np.float32)).shape == (0,)


def test_scores_do_not_depend_on_company_and_take_odd_values(fitted: GatedFusion) -> None:
    columns, _ = rows(50, seed=3)
    columns[0, 0], columns[1, 1], columns[2, 2] = np.inf, -np.inf, 99
    together = fitted.score(columns)
    alone = np.concatenate([fitted.score(columns[row : row + 1]) for row in range(50)])
    assert together == pytest.approx(alone, abs=1e-6)
    assert np.isfinite(together).all()


def test_it_is_the_same_again_saved_and_loaded(fitted: GatedFusion, tmp_path: Path) -> None:
    columns, _ = rows(100, seed=4)
    one, two = (GatedFusion(GROUPS, kind=2, epochs=1).fit(*rows(600)) for _ in range(2))
    assert one.version == two.version != fitted.version
    fitted.save(tmp_path / "gated", facts={})
    loaded = GatedFusion.load(tmp_path / "gated")
    assert loaded.version == fitted.version
    assert loaded.score(columns).tolist() == fitted.score(columns).tolist()
    (tmp_path / "gated" / "gated.json").write_text("{}")
    with pytest.raises(ArtefactError):
        GatedFusion.load(tmp_path / "gated")


def test_rows_of_which_nobody_knows_teach_nothing() -> None:
    columns, label = rows(900)
    unknown = np.arange(900) % 3 == 0
    times = np.arange(900)[::-1].copy()
    doubtful = GatedFusion(GROUPS, epochs=2).fit(columns, np.where(unknown, np.nan, label), at=times)
    without = GatedFusion(GROUPS, epochs=2).fit(columns[~unknown], label[~unknown], at=times[~unknown])
    assert np.isfinite(doubtful.validation_loss)
    assert doubtful.version == without.version
    with pytest.raises(InputError, match="one class"):
        GatedFusion(GROUPS).fit(columns, np.where(label == 1, np.nan, label))


def test_groups_may_have_any_name(tmp_path: Path) -> None:
    columns, label = rows(600)
    renamed = dict(zip(("out", "last", "gate"), GROUPS.values(), strict=True))
    one, other = (GatedFusion(groups, epochs=1).fit(columns, label) for groups in (renamed, GROUPS))
    assert one.score(columns).tolist() == other.score(columns).tolist()
    one.save(tmp_path / "gated", facts={})
    assert GatedFusion.load(tmp_path / "gated").score(columns).tolist() == other.score(columns).tolist()


def test_shuffled_labels_give_chance() -> None:
    rng = np.random.default_rng(5)
    columns, label = rows()
    fresh, other = rows(seed=6)
    scores = GatedFusion(GROUPS, epochs=3).fit(columns, rng.permutation(label)).score(fresh)
    bad = rng.permutation(other) == 1
    order = scores.argsort().argsort()
    assert abs((order[bad].mean() - (bad.sum() - 1) / 2) / (~bad).sum() - 0.5) < 0.05


def test_wrong_use_is_named() -> None:
    columns, label = rows(20)
    with pytest.raises(UsageError):
        GatedFusion({})
    with pytest.raises(UsageError):
        GatedFusion({"none": ()})
    with pytest.raises(UsageError):
        GatedFusion({"last": (-1,)})
    with pytest.raises(UsageError, match="batch=0"):
        GatedFusion(GROUPS, batch=0)
    with pytest.raises(UsageError, match="of no group"):
        GatedFusion(GROUPS, kind=6)
    with pytest.raises(NotReadyError):
        GatedFusion(GROUPS).score(columns)
    with pytest.raises(InputError, match="one class"):
        GatedFusion(GROUPS).fit(columns, np.zeros(20))
    for weight in (np.nan, -1.0, np.inf):
        with pytest.raises(InputError, match="weights below 0"):
            GatedFusion(GROUPS).fit(columns, label, weights=np.full(20, weight))
    with pytest.raises(InputError, match="finite loss"):
        GatedFusion(GROUPS, epochs=2, rate=1e30).fit(columns, label)
    with pytest.raises(InputError, match="allowed"):
        GatedFusion(GROUPS).fit(columns[:, :3], label)
    with pytest.raises(InputError):
        GatedFusion(GROUPS).fit(columns, label[:5])
