"""A small run from end to end: files, order, names, truth, the access log, and events that decode."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import polars as pl
import pytest

from floorwalker.errors import UsageError
from floorwalker.events.decode import decode_event
from floorwalker.events.frames import read_events
from floorwalker.simulation.shop import run as run_module
from floorwalker.simulation.shop.run import Summary, simulate
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.sources.access_log import AccessLog

SMALL = Scenario(events=8_000, days=5, seed=5, malicious_share=0.024, only=("carding", "coupon_farming"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    folder = tmp_path_factory.mktemp("shop")
    return folder, simulate(SMALL, folder, cores=1, access_log=folder / "access.log")


def test_a_run_has_as_many_events_as_asked_for(run: tuple[Path, Summary]) -> None:
    folder, summary = run
    events = pl.read_parquet(folder / "events.parquet")
    assert len(events) == summary.events
    assert abs(summary.events - SMALL.events) <= 0.01 * SMALL.events
    assert 0 < summary.malicious <= 0.03 * SMALL.events


def test_events_are_in_order_and_their_names_tell_nothing(run: tuple[Path, Summary]) -> None:
    folder, _ = run
    events = pl.read_parquet(folder / "events.parquet", columns=["id", "at", "shop"])
    assert events["at"].is_sorted()
    assert events["at"].min() >= SMALL.first_at  # type: ignore[operator]
    assert events["at"].max() < SMALL.end_at  # type: ignore[operator]
    assert events["id"].n_unique() == len(events)
    assert events["id"].str.contains(r"^[0-9a-f]{11}$").all()
    assert set(events["shop"]) == {"default"}
    # An id is no clock: late events have no larger ids than early ones.
    ranks = events.select(pl.corr(pl.col("id").rank(), pl.col("at").rank())).item()
    assert abs(ranks) < 0.05


def test_every_event_is_one_that_a_shop_may_send(run: tuple[Path, Summary]) -> None:
    folder, _ = run
    types = Counter[str]()
    for event in read_events(pl.read_parquet(folder / "events.parquet")):
        again = decode_event(msgspec.json.encode(event), now=SMALL.end_at)
        assert (again.id, again.type, again.at) == (event.id, event.type, event.at)
        types[event.type] += 1
    assert {"page_view", "search", "client_signals", "login_succeeded", "checkout", "order", "order_delivered",
            "coupon_claim", "sign_up", "payment_declined", "add_to_cart"} <= set(types)  # fmt: skip


def test_honest_customers_share_addresses_devices_and_doors(tmp_path: Path) -> None:
    # One device in a hundred is shared: four hundred of them may have none.
    folder = tmp_path / "shop"
    simulate(replace(SMALL, seed=5), folder, cores=1)
    events = pl.read_parquet(folder / "events.parquet", columns=["account", "ip", "device", "shipping_address.street"])
    honest = events.filter(pl.read_parquet(folder / "truth.parquet", columns=["campaign"])["campaign"] < 0)
    for shared, least in (("ip", 3), ("device", 2), ("shipping_address.street", 2)):
        accounts = honest.drop_nulls(["account", shared]).group_by(shared).agg(pl.col("account").n_unique())
        assert int(accounts["account"].max() or 0) >= least, shared  # type: ignore[call-overload]


def test_the_seed_is_the_only_source_of_chance(tmp_path: Path) -> None:
    tiny = replace(SMALL, events=1_500, days=3)
    first, again, other = (
        simulate(replace(tiny, seed=seed), tmp_path / name, cores=1).files
        for seed, name in ((3, "first"), (3, "again"), (4, "other"))
    )
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_every_event_has_its_truth(run: tuple[Path, Summary]) -> None:
    folder, summary = run
    events = pl.read_parquet(folder / "events.parquet", columns=["id"])
    truth = pl.read_parquet(folder / "truth.parquet")
    assert truth["id"].to_list() == events["id"].to_list()
    bad = truth.filter(pl.col("adversary") != "")
    assert len(bad) == summary.malicious
    assert set(bad["adversary"]) <= {"carding", "coupon_farming"}
    honest = truth.filter(pl.col("adversary") == "", pl.col("segment") != "")
    assert len(honest) > 0.9 * len(truth)
    assert set(honest["phase"]) == {""}
    assert set(truth["split"]) == {"train", "validation", "test"}


def test_the_log_matches_the_events(run: tuple[Path, Summary]) -> None:
    folder, _ = run
    events = pl.read_parquet(folder / "events.parquet", columns=["type", "at", "ip", "url", "user_agent"])
    seen = events.filter(pl.col("url").is_not_null(), pl.col("ip").is_not_null())
    log = AccessLog([folder / "access.log"])
    batches = list(log.batches())
    assert sum(len(batch) for batch in batches) == len(seen)
    assert not log.cleaned
    assert [int(at) // 1_000_000 for batch in batches for at in batch.at] == [at // 1_000_000 for at in seen["at"]]
    lines = (folder / "access.log").read_text("utf-8").splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == seen["ip"].to_list()


def test_what_no_event_says_has_no_column(run: tuple[Path, Summary]) -> None:
    folder, _ = run
    events = pl.read_parquet(folder / "events.parquet")
    assert not [name for name in events.columns if name.startswith("truth") or name == "split"]
    assert all(events[name].null_count() < len(events) for name in events.columns)


def test_the_manifest_names_the_files(run: tuple[Path, Summary]) -> None:
    folder, summary = run
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["events"] == summary.events
    for name, known in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == known
    assert not list(folder.glob(".parts-*"))


@pytest.mark.slow
def test_any_number_of_cores_gives_the_same_bytes_and_a_plain_script_may_ask_for_them(
    run: tuple[Path, Summary], tmp_path: Path
) -> None:
    folder, summary = run
    script = tmp_path / "script.py"
    # Nothing below `if __name__ == "__main__":`; the file beside it must not be taken for the library's module.
    (tmp_path / "statistics.py").write_text("raise ImportError", "utf-8")
    script.write_text(
        f"""\
from pathlib import Path
from floorwalker.simulation.shop.run import simulate
from floorwalker.simulation.shop.scenario import Scenario

scenario = Scenario.of({SMALL.as_plain()!r})
simulate(scenario, Path("shop"), cores=2, access_log=Path("access.log"))
""",
        "utf-8",
    )
    subprocess.run([sys.executable, "-P", str(script)], cwd=tmp_path, check=True)
    for name in summary.files:
        assert (tmp_path / "shop" / name).read_bytes() == (folder / name).read_bytes(), name
    assert (tmp_path / "access.log").read_bytes() == (folder / "access.log").read_bytes()


def test_letters_of_banks_are_neither_honest_nor_malicious(run: tuple[Path, Summary]) -> None:
    folder, _ = run
    events = pl.read_parquet(folder / "events.parquet", columns=["type", "order"])
    told = pl.concat([events, pl.read_parquet(folder / "truth.parquet")], how="horizontal")
    letters = told.filter(pl.col("type").str.starts_with("dispute_"))
    assert set(letters["segment"]) <= {"bank"}
    assert set(letters["adversary"]) <= {""}
    caused = told.filter(pl.col("phase") == "harmful", pl.col("type") == "order")
    of_orders = letters.drop_nulls("order").join(caused, on="order", suffix="_of")
    assert of_orders["campaign"].to_list() == of_orders["campaign_of"].to_list()


@pytest.mark.slow
def test_several_shards_give_the_same_bytes_in_one_and_in_two_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "SHARD_EVENTS", 3_000)
    scenario = replace(SMALL, events=10_000, malicious_share=0.026, only=())
    made = {}
    for cores in (1, 2, 3):
        folder = tmp_path / str(cores)
        summary = simulate(scenario, folder, cores=cores, access_log=folder / "access.log")
        made[cores] = {**summary.files, "log": hashlib.sha256((folder / "access.log").read_bytes()).hexdigest()}
        assert json.loads((folder / "manifest.json").read_text("utf-8"))["shards"] == 4
    assert made[1] == made[2] == made[3]
    # Shards are no copies of each other, and nothing is lost between them.
    events = pl.read_parquet(tmp_path / "1" / "events.parquet", columns=["id", "session", "account"])
    assert events["id"].n_unique() == len(events)
    assert events["account"].n_unique() > 60


@pytest.mark.parametrize("cores", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_is_wrong_with_a_scenario_is_said_whoever_finds_it(cores: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown adversary 'cardinal'"):
        simulate(Scenario(events=1_000, days=3, only=("cardinal",)), tmp_path, cores=cores)
    assert not list(tmp_path.iterdir())


def test_no_cores_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cores"):
        simulate(SMALL, tmp_path, cores=-1)
