"""A simulated shop sent live to a real server, and adversaries who hear what it answers."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import numpy as np
import polars as pl
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.events.event import CardFacts
from floorwalker.simulation.shop import outcomes
from floorwalker.simulation.shop.campaigns import plan
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Diary, Entry, Truth
from floorwalker.simulation.shop.run import simulate
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.streamed import Teller, Witness
from floorwalker.simulation.shop.streaming import Stream, read_honest, stream
from floorwalker.simulation.shop.world import World
from floorwalker.testing.shop_server import Shop, create_key, run_command

SCENARIO = Scenario(events=40_000, seed=5, days=20, only=("scalping", "fake_accounts"))
HONEST = 2_500
"""So many of the honest events are sent, to save time."""
COPIED = Scenario(events=30_000, seed=5, days=12, only=("scraping_fast",))
MOVE = (time.time_ns() // 1_000 - SCENARIO.end_at) // 1_000_000 * 1_000_000
RULE = """\
abuse_type: inventory_abuse
severity: 0.99
events: [checkout]
reason: "nobody buys today"
condition: amount_minor > 0
"""


PAGES = """\
abuse_type: scraping
severity: 0.99
events: [page_view]
reason: "no machine looks today"
condition: network_kind IN ('hosting', 'vpn', 'proxy')
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("simulated")
    simulate(SCENARIO, written, cores=1)
    return written


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A server that answers what it thinks, and thinks that nobody should buy."""
    place = tmp_path_factory.mktemp("strict") / "data"
    key = create_key(place)
    for kind, rule in (("inventory_abuse", RULE), ("scraping", PAGES)):
        rules = place / "rules" / kind
        rules.mkdir(parents=True)
        (rules / "nobody.yaml").write_text(rule, encoding="utf-8")
    with (
        serve(place, core=None, options=["--mode", "enforce", "--durability", "process"]) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield Shop(place, client, key)


def figures(shop: Shop) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in shop.client.get("/metrics").text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in lines}


def clock() -> int:
    return time.monotonic_ns() // 1_000


def test_what_is_refused_does_not_happen(folder: Path, strict: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of a few dozen false accounts it is a matter of luck whether one comes to light: here all of them do.
    ways = tuple(replace(way, share=1.0) if way.abuse_type == "fake_account" else way for way in outcomes.DISCOVERIES)
    monkeypatch.setattr(outcomes, "DISCOVERIES", ways)
    honest = list(read_honest(folder))
    everybody = list(read_honest(folder, everybody=True))
    assert 0 < len(honest) < len(everybody)
    done = stream(
        SCENARIO, honest[:HONEST], str(strict.client.base_url), strict.key, clock=clock, wait=time.sleep,
        connections=3, move=MOVE,
    )  # fmt: skip
    # Every checkout was refused, so nobody has ordered, paid or sent anything back.
    assert done.actions["block"] > 0
    assert done.prevented > 0
    assert done.honest_refused > 0
    assert done.harmful_passed < done.harmful_passed + done.harmful_refused
    told = {name: value for name, value in figures(strict).items() if "event" in name}
    assert told, "the server counts its events"
    scalpers = [row for row in done.campaigns if row["adversary"] == "scalping"]
    assert scalpers
    assert all(row["gained_minor"] == 0 for row in scalpers)
    # Where nothing is ever won, those who learn stop, with most of their money in their pockets.
    assert sum(row["spent_minor"] for row in scalpers) < 0.9 * sum(row["budget_minor"] for row in scalpers)
    # Accounts were not refused: that family goes on.
    openers = [row for row in done.campaigns if row["adversary"] == "fake_accounts"]
    assert sum(row["gained_minor"] for row in openers) > 0
    # What was refused leaves no trace: nobody disputes an order that never was.
    assert sum(done.heard.values()) == len(done.outcomes) > 0
    assert done.outcomes.filter(pl.col("order").is_not_null()).is_empty()
    assert done.labels > 0
    assert "fake_account" in set(done.outcomes["abuse_type"])


def test_whoever_only_looks_can_be_refused_and_learns(strict: Shop) -> None:
    """No person comes from such networks here: scrapers find their pages closed, and those who learn go."""
    options = {"clock": clock, "wait": time.sleep, "connections": 3, "move": MOVE}
    done = stream(COPIED, [], str(strict.client.base_url), strict.key, **options)
    assert done.pages_asked > 3
    assert done.actions["block"] > 0
    assert done.prevented > 0
    known = figures(strict)["floorwalker_duplicates_total"]
    deaf = stream(COPIED, [], str(strict.client.base_url), strict.key, ask_pages=0, **options)
    assert deaf.pages_asked == 0
    # The same scenario once more is no repetition of what the server has seen: nothing is answered from memory.
    assert figures(strict)["floorwalker_duplicates_total"] == known
    # Nobody is refused for looking; a log-in may be, by what the server has seen of its network by now.
    assert deaf.harmful_refused < done.harmful_refused
    assert deaf.actions["block"] or not deaf.harmful_refused
    assert done.harmful_passed < deaf.harmful_passed
    # The clumsy come from such networks only, and are left with nothing.
    clumsy = [[row for row in one.campaigns if row["skill"] == "naive"] for one in (done, deaf)]
    gained, spent = ([sum(row[name] for row in rows) for rows in clumsy] for name in ("gained_minor", "spent_minor"))
    assert gained[0] == 0 < gained[1]
    assert spent[0] > 0


def purchases(count: int) -> Iterator[Entry]:
    """Orders with stolen cards all through the scenario, each after some pages."""
    diary = Diary(Truth("payment_fraud", "carding", "carding", "naive", -1, "harmful", 4_000))
    looks = Truth(segment="regular")
    for number in range(count):
        at = SCENARIO.first_at + number * (SCENARIO.end_at - SCENARIO.first_at) // count
        who = {"account": f"a{number}", "session": f"s{number}", "ip": "203.0.113.9"}
        for page in range(9):
            diary.write("page_view", at + page, truth=looks, url="https://shop.example/", **who)
        diary.write(
            "order", at + 9, order=f"o{number}", payment=f"p{number}", amount_minor=4_000, currency="EUR",
            card=CardFacts(scheme="visa"), **who,
        )  # fmt: skip
    yield from diary.entries


def test_each_outcome_is_told_when_its_time_has_come(strict: Shop) -> None:
    """A shop learns of a stolen card days and weeks after, day by day, and never of what is still to come."""
    end_at = SCENARIO.end_at + MOVE
    witness = Witness(Chance(3))
    teller = Teller(
        witness, str(strict.client.base_url), strict.key, shop="default", names=np.random.default_rng(3), end_at=end_at
    )
    teller.pass_to(SCENARIO.first_at + MOVE)
    entries = [one for one in purchases(500) if one.event.type == "order"]
    told = [0]
    for day in range(SCENARIO.days):
        now = SCENARIO.first_at + MOVE + (day + 1) * DAY
        for entry in entries[day * 25 : day * 25 + 25]:
            entry.event = msgspec.structs.replace(entry.event, id=f"e{entry.event.order}", at=entry.event.at + MOVE)
            assert now - DAY <= entry.event.at < now
            witness.see(entry, passed=True)
        assert teller._idle.wait(60)
        teller.pass_to(now)
        assert teller._idle.wait(60)
        # Whatever waits is not due yet.
        assert not teller._due or teller._due[0][0] > now
        told.append(teller.labels + teller.letters)
    assert told == sorted(told)
    assert 0 < told[6] < told[12] < told[-1]
    table = teller.finish()
    known, future = (table.filter((pl.col("at") <= end_at) == past) for past in (True, False))
    late = known["told_at"] - known["at"]
    assert known["told_at"].null_count() == 0
    assert 0 <= late.min() <= late.max() <= DAY  # type: ignore[operator]
    assert len(future) == future["told_at"].null_count() > 50
    assert teller.letters > 20
    assert teller.letters + teller.labels == told[-1] >= len(known)


def places(shop: Shop, subjects: Sequence[str]) -> list[int]:
    """Where the last label of each of these events stands in the server's journal, as far as its ledger has come."""
    asked = f"SELECT max(sequence) FROM labels WHERE subject IN ({','.join('?' * len(subjects))}) GROUP BY subject"
    with closing(sqlite3.connect(f"file:{shop.folder / 'ledger.sqlite'}?mode=ro", uri=True)) as ledger:
        return [int(place) for (place,) in ledger.execute(asked, subjects)]


def last_decision(shop: Shop) -> int:
    with closing(sqlite3.connect(f"file:{shop.folder / 'ledger.sqlite'}?mode=ro", uri=True)) as ledger:
        return int(ledger.execute("SELECT max(sequence) FROM decisions").fetchone()[0])


def test_what_comes_to_light_is_told_while_events_are_sent(strict: Shop) -> None:
    """In the server's own journal it stands among the decisions, not behind the last of them."""

    def with_nights() -> Iterator[Entry]:
        for number, entry in enumerate(purchases(500)):
            if number % 250 == 0:
                time.sleep(0.12)
            yield entry

    done = stream(
        SCENARIO, with_nights(), str(strict.client.base_url), strict.key, clock=clock, wait=time.sleep, connections=3,
        move=MOVE, only=frozenset(),
    )  # fmt: skip
    assert done.letters > 20
    assert done.labels > 50
    assert 0 < done.told_meanwhile <= done.letters + done.labels
    told = done.outcomes.drop_nulls("told_at")
    assert (told["told_at"] >= told["at"]).all()
    subjects = told.filter(pl.col("kind").is_in(["verdict", "customer_report"]))["event"].unique().to_list()
    assert len(subjects) > 40
    for _ in range(300):
        found = places(strict, subjects)
        if len(found) >= len(subjects):
            break
        time.sleep(0.1)
    assert len(found) == len(subjects)
    assert min(found) < last_decision(strict)


def test_whoever_tells_by_the_way_says_when_the_server_is_gone(strict: Shop) -> None:
    entries = list(purchases(20))
    url = str(strict.client.base_url)
    run = Stream(World(SCENARIO), entries, url, strict.key, clock=clock, wait=time.sleep, only=frozenset(), move=MOVE)
    run._teller._url = "http://127.0.0.1:9"
    with pytest.raises(InputError, match="does not answer"):
        run.run()


def test_the_pace_is_kept(folder: Path, strict: Shop) -> None:
    honest = list(read_honest(folder))[:120]
    world = World(SCENARIO)
    began = time.monotonic()
    done = Stream(
        world, honest, str(strict.client.base_url), strict.key, clock=clock, wait=time.sleep, speed=100.0,
        only=frozenset(),
    ).run()  # fmt: skip
    assert done.sent + done.prevented == 120
    # A hundred events a second: not before their time, however fast the server is.
    assert time.monotonic() - began > 1.1
    assert done.campaigns == []


def test_faults_are_said(folder: Path, strict: Shop) -> None:
    honest = list(read_honest(folder))[:5]
    world = World(SCENARIO)
    with pytest.raises(UsageError, match="no address"):
        Stream(world, honest, "localhost", strict.key, clock=clock, wait=time.sleep)
    with pytest.raises(InputError, match=r"40[13]"):
        stream(
            SCENARIO, honest, str(strict.client.base_url), "fw_wrong", clock=clock, wait=time.sleep, only=frozenset()
        )
    with pytest.raises(InputError, match="does not answer"):
        stream(SCENARIO, honest, "http://127.0.0.1:9", strict.key, clock=clock, wait=time.sleep, only=frozenset())
    with pytest.raises(InputError, match=r"no events\.parquet"):
        list(read_honest(folder / "nowhere"))


@pytest.mark.slow
def test_the_command_sends_what_was_written(folder: Path, strict: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    url = str(strict.client.base_url)
    monkeypatch.delenv("FLOORWALKER_KEY", raising=False)
    said = run_command("simulate", "--out", str(folder), "--stream", url)
    assert said.returncode == 2
    assert "FLOORWALKER_KEY" in said.stderr
    monkeypatch.setenv("FLOORWALKER_KEY", strict.key)
    done = run_command("simulate", "--out", str(folder), "--stream", url, "--replay", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["sent"] > 1_000
    heard = pl.read_parquet(folder / "streamed-outcomes.parquet")
    assert len(heard) == sum(figures["heard"].values())
    assert figures["actions"]["block"] > 0
    assert figures["campaigns"] == []
    again = run_command("simulate", "--out", str(folder), "--stream", url, "--events", "5000")
    assert again.returncode == 2
    assert "holds a shop already" in again.stderr


def test_it_knows_its_campaigns() -> None:
    assert {one.adversary for one in plan(SCENARIO)} == set(SCENARIO.only)
