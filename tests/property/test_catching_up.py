"""A journal counted from its bytes leads to the state that counting its events one by one leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.events.event import Event, OrderLine
from floorwalker.features.live import Limits
from floorwalker.pipeline import replaying
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.recent import RecentEvents
from floorwalker.pipeline.records import (
    AppliedRecord,
    EventRecord,
    LabelRecord,
    ListRecord,
    ModelRecord,
    Record,
    encode_record,
)
from floorwalker.pipeline.replaying import Replay
from floorwalker.pipeline.window import EventWindow
from floorwalker.policy.lists import ListEntry
from floorwalker.server.installation import Installation
from floorwalker.server.startup import make_pipeline
from floorwalker.store.journal import Journal

START = 1_760_000_000_000_000
SMALL = Limits(rows={}, other_rows=50, sketches=40)

names = st.integers(0, 6)
events = st.builds(
    lambda kind, account, device, late, coupons, items, shop, url: Event(
        id="?", type=kind, at=START - late, account=f"a-{account}", device=f"d-{device}" if device else "unknown",
        ip=f"203.0.113.{account}", coupons=tuple(f"c-{name}" for name in coupons), shop=shop, url=url, country="DE",
        lines=tuple(OrderLine(item=f"i-{name}", quantity=2, price_minor=5) for name in items), inviter="a-1",
    ),
    st.sampled_from(["checkout", "login_failed", "order", "coupon_redeem"]), names, names,
    st.sampled_from([0, 0, 10**9, 10**12]), st.lists(names, max_size=3), st.lists(names, max_size=3),
    st.sampled_from(["default", "other"]), st.sampled_from([None, "/p/1", "/日本?x"]),
)  # fmt: skip
entries = st.builds(
    lambda value, removed: ListRecord(
        at=START, author="ann", removed=removed,
        entry=ListEntry(
            list="deny", shop="default", entity="device", value=f"d-{value}", key=value + 1, author="ann", reason="r",
            created_at=START,
        ),
    ),
    names, st.booleans(),
)  # fmt: skip
others = st.sampled_from(
    [
        LabelRecord(id="l", shop="s", at=0, author="ann"),
        AppliedRecord(decision_id="dc_1_0", shop="s", at=0, action="allow"),
        ModelRecord(at=0, detector="anomaly.unusual_activity", version="7"),
    ]
)


def make_small(installation: Installation) -> Pipeline:
    pipeline = make_pipeline(installation, limits=SMALL)
    pipeline.window, pipeline.recent = EventWindow(64), RecentEvents(32)
    return pipeline


def everything(pipeline: Pipeline, told: list[tuple[int, Any]], replay: Replay) -> dict[str, Any]:
    state = {
        f"{part}.{name}": np.ascontiguousarray(array).tobytes()
        for part, arrays in pipeline.state().items()
        for name, array in arrays.items()
    }
    lists = sorted(entry.value for entry in pipeline.lists.entries())
    others = [pair for pair in told if not isinstance(pair[1], EventRecord)]
    return {**state, "lists": lists, "others": others, "model": pipeline.unusual.version, "next": replay.next}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("catching-up"))
    made.make()
    return made


@settings(max_examples=40)
@given(st.lists(st.one_of(events, events, events, entries, others), max_size=60), st.integers(1, 9))
def test_counting_bytes_is_counting_events(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory, given_: list[Any], together: int
) -> None:
    records: list[Record] = []
    for number, each in enumerate(given_):
        if isinstance(each, Event):
            fields = {name: getattr(each, name) for name in Event.__struct_fields__}
            each = EventRecord(event=Event(**{**fields, "id": f"e-{number}", "received_at": START + number}))
        records.append(each)
    folder: Path = tmp_path_factory.mktemp("journal")
    with Journal(folder, clock=lambda: 0, durability="process") as journal:
        journal.append([encode_record(record) for record in records])
        one, told = make_small(installation), []
        slow = Replay(one, on_record=lambda *pair: told.append(pair))
        slow.run(journal.read())
        many, told_too = make_small(installation), []
        fast = Replay(many, on_record=lambda *pair: told_too.append(pair))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(replaying, "PACKED", together)
            counted = sum(fast.catch_up(journal.read_batches()))
    assert counted == slow.events == fast.events
    expected, found = everything(one, told, slow), everything(many, told_too, fast)
    assert {name for name in expected if expected[name] != found[name]} == set()
