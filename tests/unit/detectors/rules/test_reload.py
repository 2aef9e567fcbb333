"""Rules are exchanged while events are evaluated: nobody waits, nobody sees half a table."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from floorwalker.detectors.rules import ListEntry, Lists, LiveRules, RuleError, RuleTable, make_schema
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch

SCHEMA = make_schema(features=["f"], numbers=["amount_minor"], texts=["device", "url", "shop"])


def write(folder: Path, files: int, limit: int) -> None:
    """`files` rules that all fire from `limit` on."""
    for number in range(files):
        (folder / f"rule_{number}.yaml").write_text(
            "abuse_type: scraping\nseverity: 0.5\nevents: any\nreason: '{f}'\n"
            f"condition: amount_minor >= {limit} AND url LIKE '/{limit}%' AND f > {number} - 1000\n",
            "utf-8",
        )


def events(n: int) -> tuple[EventBatch, FeatureBatch]:
    at = np.zeros(n, np.int64)
    batch = EventBatch(
        id=[str(row) for row in range(n)],
        type=np.full(n, TYPE_CODES["order"], np.int16),
        at=at,
        received_at=at,
        keys={},
        numbers={"amount_minor": np.arange(n, dtype=float)},
        texts={"device": ["d"] * n, "url": [f"/{row % 2}/x" for row in range(n)], "shop": ["s"] * n},
    )
    return batch, FeatureBatch(batch.id, at, np.zeros((n, 1), np.float32), ("f",), np.zeros((n, 1), bool))


def test_every_evaluation_sees_one_table_from_beginning_to_end(tmp_path: Path) -> None:
    write(tmp_path, 40, 0)
    live = LiveRules(RuleTable.load(tmp_path, schema=SCHEMA))
    batch, features = events(64)
    row = np.arange(64)
    expected = {
        live.current.version: (row % 2 == 0),
    }
    write(tmp_path, 40, 1)
    expected[RuleTable.load(tmp_path, schema=SCHEMA).version] = (row >= 1) & (row % 2 == 1)
    stop = threading.Event()
    wrong: list[str] = []
    seen: set[str] = set()

    def decide() -> None:
        while not stop.is_set():
            hits = live.current.evaluate(batch, features)
            seen.add(hits.version)
            if not (hits.fired == expected[hits.version][:, None]).all():
                wrong.append(hits.version)

    threads = [threading.Thread(target=decide) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        write(tmp_path, 40, turn % 2)
        live.reload(tmp_path, schema=SCHEMA)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert seen == set(expected)


def test_a_reload_rests_between_rules_and_swaps_at_the_end(tmp_path: Path) -> None:
    write(tmp_path, 25, 0)
    live = LiveRules(RuleTable.load(tmp_path, schema=SCHEMA))
    first = live.current
    batch, features = events(4)
    write(tmp_path, 30, 1)
    versions = []

    def meanwhile() -> None:
        versions.append(live.current.evaluate(batch, features).version)

    second = live.reload(tmp_path, schema=SCHEMA, between=meanwhile)
    assert len(versions) >= 30
    assert set(versions) == {first.version}
    assert live.current is second
    assert second.version != first.version
    assert len(second) == 30


def test_a_reload_that_fails_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, 3, 0)
    live = LiveRules(RuleTable.load(tmp_path, schema=SCHEMA))
    before = live.current
    (tmp_path / "rule_1.yaml").write_text("abuse_type: scraping\n", "utf-8")
    with pytest.raises(RuleError):
        live.reload(tmp_path, schema=SCHEMA)
    assert live.current is before


def test_unchanged_rules_are_not_checked_again(tmp_path: Path) -> None:
    write(tmp_path, 5, 0)
    first = RuleTable.load(tmp_path, schema=SCHEMA)
    text = (tmp_path / "rule_2.yaml").read_text("utf-8")
    (tmp_path / "rule_2.yaml").write_text(text.replace("0.5", "0.6"), "utf-8")
    second = RuleTable.load(tmp_path, schema=SCHEMA, previous=first)
    kept = [before is after for before, after in zip(first.rules, second.rules, strict=True)]
    assert kept == [True, True, False, True, True]
    other = make_schema(features=["f"], numbers=["amount_minor"], texts=["device", "url", "shop", "country"])
    third = RuleTable.load(tmp_path, schema=other, previous=second)
    assert not any(before is after for before, after in zip(second.rules, third.rules, strict=True))


def test_lists_are_exchanged_under_way() -> None:
    text = "abuse_type: scraping\nseverity: 0.5\nevents: any\nreason: r\ncondition: in_list('watch', device)\n"
    live = LiveRules(RuleTable.load({"r.yaml": text}, schema=SCHEMA))
    batch, features = events(2)
    assert not live.current.evaluate(batch, features).fired.any()
    live.replace_lists(Lists([ListEntry("watch", "device", "d")]))
    assert live.current.evaluate(batch, features).fired.all()
    live.reload({"r.yaml": text.replace("0.5", "0.7")}, schema=SCHEMA)
    assert live.current.evaluate(batch, features).fired.all(), "a reload keeps the lists"
