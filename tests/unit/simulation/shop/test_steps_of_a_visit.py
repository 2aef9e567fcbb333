"""Within a visit, experts take no step, no pause, no address and no referrer that honest people never have.

A detector of sequences sees what follows what, so that each event alone being like an honest one is not enough.
"""

from __future__ import annotations

import polars as pl
import pytest

from floorwalker.simulation.shop.run import simulate
from floorwalker.simulation.shop.scenario import SECOND, Scenario

FEWEST = 5
"""Experts' visits with a step, from which on that hardly any honest visit has it is no chance."""
ALONE = 0.5
"""Share of all visits with a step that experts may have, at the most; they have well below one visit in fifty."""
MACHINES = ("verified_crawler", "price_comparison")


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("shop")
    simulate(Scenario(events=250_000, seed=8, skills=("expert",)), folder)
    names = ["id", "type", "at", "session", "ip", "account", "method", "url", "referrer"]
    events = pl.read_parquet(folder / "events.parquet", columns=names)
    truth = pl.read_parquet(folder / "truth.parquet").select("id", "adversary", "segment")
    both = events.join(truth, on="id", maintain_order="left")
    both = both.filter(pl.col("session").is_not_null() & ~pl.col("segment").is_in(MACHINES))
    path = pl.col("url").str.extract(r"://[^/]+(/[a-z]*(?:/(?:orders|returns|reviews))?)")
    step = pl.when(pl.col("type") == "page_view").then(path).otherwise("type").alias("step")
    both = both.with_columns(step, bad=pl.col("adversary") != "", known=pl.col("account").is_not_null())
    return both.with_columns(
        before=pl.col("step").shift(1).over("session").fill_null("begins"),
        after=pl.col("step").shift(-1).over("session").fill_null("ends"),
        pause=pl.col("at") - pl.col("at").shift(1).over("session"),
        named=pl.when(pl.col("type") == "page_view").then(pl.col("referrer").is_not_null()),
    )


def of_their_own(visits: pl.DataFrame, *keys: str) -> list[tuple[object, ...]]:
    """Steps that many visits of experts have and that hardly any others have."""
    expert = pl.col("session").filter("bad").n_unique().alias("expert")
    honest = pl.col("session").filter(~pl.col("bad")).n_unique().alias("honest")
    counts = visits.group_by(keys).agg(expert, honest)
    assert len(counts) > 30
    share = pl.col("expert") / (pl.col("expert") + pl.col("honest"))
    return counts.filter((pl.col("expert") >= FEWEST) & (share > ALONE)).rows()


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys",
    [("before", "step"), ("step", "after"), ("before", "step", "known"), ("before", "step", "named")],
    ids=["begins", "ends", "known", "referrer"],
)
def test_no_step_is_the_experts_own(visits: pl.DataFrame, keys: tuple[str, ...]) -> None:
    assert of_their_own(visits, *keys) == []


@pytest.mark.slow
def test_no_pause_is_always_the_same_or_of_whole_seconds(visits: pl.DataFrame) -> None:
    """Were it so on one side alone, one look at the clock would tell the sides apart."""
    later = visits.filter(pl.col("pause") > 0)
    steps = later.group_by("before", "step", "bad").agg(
        count=pl.len(),
        whole=(pl.col("pause") % SECOND == 0).mean(),
        same=(pl.col("pause") == pl.col("pause").mode().first()).mean(),
    )
    some = steps.filter(pl.col("count") >= 8)
    assert some["bad"].sum() > 10
    assert some.filter((pl.col("whole") > 0.2) | (pl.col("same") > 0.3)).rows() == []


@pytest.mark.slow
def test_a_visit_keeps_its_address(visits: pl.DataFrame) -> None:
    moved = visits.group_by("session").agg(pl.col("bad").any(), moved=pl.col("ip").drop_nulls().n_unique() > 1)
    shares = dict(moved.group_by("bad").agg(pl.col("moved").mean()).iter_rows())
    assert shares[True] <= 3 * shares[False] + 0.002


@pytest.mark.slow
def test_whoever_logs_in_with_a_code_was_sent_one(visits: pl.DataFrame) -> None:
    by_code = visits.filter((pl.col("type") == "login_succeeded") & (pl.col("method") == "code"))
    checked = visits.filter(pl.col("type") == "code_checked").select("session").unique()
    assert by_code["bad"].any()
    assert len(by_code.join(checked, on="session", how="anti")) == 0


@pytest.mark.slow
def test_nobody_is_known_before_the_log_in(visits: pl.DataFrame) -> None:
    logged = visits.filter(pl.col("type") == "login_succeeded").group_by("session").agg(login=pl.col("at").min())
    seen = visits.join(logged, on="session").filter((pl.col("type") == "page_view") & (pl.col("at") < pl.col("login")))
    assert seen["bad"].any()
    assert not seen["known"].any()


@pytest.mark.slow
def test_honest_people_too_ask_for_codes_in_vain_and_go_on_after_they_signed_up(visits: pl.DataFrame) -> None:
    kind = pl.col("type")
    each = visits.group_by("session").agg(
        pl.col("bad").any(),
        vain=(kind == "code_sent").any() & ~(kind == "code_checked").any(),
        twice=(kind == "client_signals").sum() > 1,
        stays=(pl.col("before") == "sign_up").any() & (pl.col("after") != "ends").any(),
        fails=(kind == "login_failed").any() & ~(kind == "login_succeeded").any(),
    )
    for name in ("vain", "twice", "stays", "fails"):
        honest, expert = (each.filter(pl.col(name) & (pl.col("bad") == bad)) for bad in (False, True))
        # In this run all adversaries are experts: ten times as many as there are elsewhere.
        assert len(honest) > 2 * len(expert), name
        assert len(honest) > 20, name
