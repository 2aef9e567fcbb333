"""The demonstration on a real server: clumsy campaigns are met, customers are left alone, and the screen says so."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from floorwalker.cli._demo_screen import LiveScreen
from floorwalker.cli._live_demo import run_live
from floorwalker.simulation.shop.scenario import Scenario

SMALL = Scenario(events=12_000, days=6, malicious_share=0.0)


@pytest.mark.slow
def test_the_live_demonstration_meets_campaigns_and_leaves_customers_alone(tmp_path: Path) -> None:
    shown = io.StringIO()
    screen = LiveScreen(Console(file=shown, width=120))
    kinds = ("credential_stuffing", "carding")
    summary = run_live(tmp_path, 5, screen, scenario=SMALL, hours=24, kinds=kinds)
    screen.finish(summary)

    found = {(one["adversary"], one["skill"]): one for one in summary["campaigns"]}
    assert set(found) == {(kind, skill) for kind in kinds for skill in ("naive", "expert")}
    for kind in kinds:
        naive, expert = found[kind, "naive"], found[kind, "expert"]
        assert naive["recognised"] > 0.2 * naive["asked"], kind
        assert 0 < naive["noticed_at"] <= naive["asked"]
        assert naive["recognised"] / naive["asked"] > expert["recognised"] / expert["asked"]
    honest = summary["honest"]
    assert honest["people"] > 100
    assert honest["touched"] <= 2
    assert summary["questions"] == honest["asked"] + sum(one["asked"] for one in summary["campaigns"])
    assert 0 < summary["median_ms"] <= summary["p99_ms"]

    # What stands on the disk is the whole shop, campaigns included, each event with its truth.
    events = pl.read_parquet(tmp_path / "simulated-shop" / "events.parquet")
    truth = pl.read_parquet(tmp_path / "simulated-shop" / "truth.parquet")
    assert len(events) == summary["events"]
    assert truth["id"].to_list() == events["id"].to_list()
    assert events["id"].n_unique() == len(events)
    assert (truth["campaign"] >= 0).sum() >= sum(one["asked"] for one in summary["campaigns"])
    text = shown.getvalue()
    for words in (
        "(transaction.account_takeover.",
        "truth: credential_stuffing, naive",
        "honest people",
        "The truth beside",
    ):
        assert words in text, words
