"""Experts have nothing of their own: what their events say and leave out, honest events of the type say and leave out.

Preparatory events are looked at as well: a detector sees them before anything is lost.
"""

from __future__ import annotations

import polars as pl
import pytest

from floorwalker.simulation.shop.run import simulate
from floorwalker.simulation.shop.scenario import Scenario

NAMES = frozenset({"id", "shop", "type", "at", "account", "session", "device", "seller", "item", "promotion", "order"})
"""Fields that name somebody or something: their values are as many as there are things."""
MOST_VALUES = 40
"""A field with no more values in all is a category."""
EXPECTED = 6.0
"""Honest people with a value that are to be expected, from which on none is no chance."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    runs = []
    # Rare banks and rare tampering are in no small run: honest people of a second one are asked as well.
    for events, seed, skill in ((250_000, 9, "expert"), (500_000, 8, "naive")):
        folder = tmp_path_factory.mktemp("shop")
        simulate(Scenario(events=events, seed=seed, skills=(skill,)), folder)
        frame = pl.read_parquet(folder / "events.parquet")
        truth = pl.read_parquet(folder / "truth.parquet").select("id", "adversary", "skill", "phase", "family")
        runs.append(frame.join(truth, on="id", how="inner", maintain_order="left"))
    fields = [name for name in runs[0].columns if name not in {*NAMES, "adversary", "skill", "phase", "family"}]
    honest = pl.concat([one.filter(pl.col("adversary") == "") for one in runs])
    return honest, runs[0].filter(pl.col("skill") == "expert"), fields


Told = tuple[pl.DataFrame, pl.DataFrame, list[str]]


@pytest.mark.slow
def test_experts_do_only_what_others_do(told: Told) -> None:
    honest, expert, _ = told
    assert {"preparatory", "harmful"} == set(expert["phase"])
    assert set(expert["type"]) <= set(honest["type"])


@pytest.mark.slow
def test_every_value_of_a_category_is_honest_peoples_too(told: Told) -> None:
    honest, expert, fields = told
    who = pl.coalesce("account", "session", "id")
    sizes = dict(honest.group_by("type").agg(who.n_unique()).iter_rows())
    looked = 0
    found = []
    for name in fields:
        if honest[name].dtype.is_nested() or max(one[name].n_unique() for one in (honest, expert)) > MOST_VALUES:
            continue
        looked += 1
        value = pl.col(name).cast(pl.String)
        counts = honest.select("type", value).drop_nulls().group_by("type", name).len()
        alone = expert.select("type", value).drop_nulls().unique().join(counts, on=["type", name], how="anti")
        shares = dict(counts.group_by(name).agg(pl.col("len").sum() / counts["len"].sum()).iter_rows())
        # So many of those who do such things would have the value if they had it as often as in other types' events.
        missed = [(name, kind, one, shares.get(one, 1.0) * sizes.get(kind, 1_000)) for kind, one in alone.iter_rows()]
        found += [row for row in missed if row[3] >= EXPECTED]
    assert looked > 40
    assert found == []


@pytest.mark.slow
def test_every_field_is_said_and_left_out_by_honest_people_too(told: Told) -> None:
    honest, expert, fields = told
    found = []
    for name in fields:
        absent = pl.col(name).is_null().alias("absent")
        known = honest.select("type", absent).unique()
        alone = expert.select("type", absent, "family").join(known, on=["type", "absent"], how="anti")
        found += [(name, *row) for row in alone.unique().iter_rows()]
    assert found == []


@pytest.mark.slow
def test_what_is_said_together_is_said_together_by_honest_people_too(told: Told) -> None:
    """Whole patterns of what an event says and leaves out.

    Patterns are many (an address has ten parts), so a new honest event has one that was never seen with a probability
    of about the share of patterns seen once (Good and Turing); experts' events may have unseen ones as often.
    """
    honest, expert, fields = told
    pattern = pl.concat_str([pl.col(name).is_null().cast(pl.UInt8) for name in fields]).alias("pattern")
    counts = honest.select("type", pattern).group_by("type", "pattern").len()
    once = counts.filter(pl.col("len") == 1)
    types = expert.select("type", "phase", pattern)
    unseen = types.join(counts, on=["type", "pattern"], how="anti")
    by_type = dict(once["type"].value_counts().iter_rows())
    sizes = dict(honest["type"].value_counts().iter_rows())
    expected = sum(by_type.get(kind, 0) / sizes[kind] for kind in types["type"].to_list())
    assert len(unseen) <= 3.0 * expected + 10
    assert len(unseen) < 0.01 * len(expert)
