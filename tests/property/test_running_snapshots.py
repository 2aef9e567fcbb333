"""A snapshot taken while events stream in holds the state of the moment at which it began."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.detectors.unusual import FeatureSample
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event, OrderLine
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.pipeline.recent import RecentEvents
from floorwalker.pipeline.window import EventWindow
from floorwalker.store.live import Snapshots

KINDS = ("login_succeeded", "checkout", "coupon_redeem", "order", "invitation_accepted", "sign_up")
TABLES = ("account", "device", "ip", "coupon", "promotion", "item", "inviter")


def make_events(random: np.random.Generator, first: int, count: int, names: int) -> list[Event]:
    def name(kind: str) -> str:
        return f"{kind}-{random.integers(names)}"

    events = []
    for row in range(first, first + count):
        received = 10**15 + row * 40_000_000
        lines = tuple(OrderLine(item=name("i"), quantity=1, price_minor=price) for price in (5, 7))
        events.append(
            Event(
                id=f"e-{row}",
                type=KINDS[random.integers(len(KINDS))],
                at=received - int(random.integers(3)) * 10**8,
                received_at=received,
                account=name("a"),
                device=name("d"),
                ip=f"192.0.2.{random.integers(200)}",
                coupons=(name("c"), name("c")),
                promotion=name("p"),
                inviter=name("a"),
                payment=name("pay"),
                amount_minor=int(random.integers(1, 10**5)),
                currency="EUR",
                lines=lines,
            )
        )
    return events


class State:
    """Everything of a pipeline that has pages, with caps so low that rows and sketches are given up all the time."""

    def __init__(self) -> None:
        rows = dict.fromkeys(TABLES, 9)
        self.features = LiveFeatures(seed=7, limits=Limits(rows=rows, other_rows=12, sketches=6))
        self.window = EventWindow(64)
        self.recent = RecentEvents(64)
        self.sample = FeatureSample(len(self.features.names), rows=5, seed=3)
        self.parts = {
            "features": self.features, "window": self.window, "recent": self.recent, "sample": self.sample
        }  # fmt: skip

    def count(self, batch: EventBatch, first: int) -> None:
        sequences = first + np.arange(len(batch))
        features = self.features.advance(batch)
        self.sample.add(features.values)
        self.window.add(sequences.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1), sequences)
        self.recent.add(np.array([batch.keys[name] for name in ENTITIES]), sequences, batch.parts)

    def arrays(self) -> dict[str, np.ndarray]:
        return {f"{name}.{each}": array for name, part in self.parts.items() for each, array in part.state().items()}

    def pages(self) -> dict[str, object]:
        return {f"{name}.{each}": where for name, part in self.parts.items() for each, where in part.pages().items()}

    def restored_from(self, arrays: dict[str, np.ndarray]) -> State:
        fresh = State()
        for name, part in fresh.parts.items():
            part.restore({each.partition(".")[2]: a for each, a in arrays.items() if each.startswith(name + ".")})
        return fresh


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(1, 30), st.integers(0, 40)), min_size=4, max_size=14))
def test_a_snapshot_is_of_its_moment_whatever_streams_in_meanwhile(seed: int, turns: list[tuple[int, int]]) -> None:
    random = np.random.default_rng(seed)
    keyer, state, counted = EntityKeyer(bytes(16)), State(), 0
    with tempfile.TemporaryDirectory() as folder:
        snapshots = Snapshots(Path(folder), clock=lambda: 0, full_every=3)
        wanted: dict[str, np.ndarray] = {}
        sequence = -1
        for events, most in turns:
            if not snapshots.is_busy and not snapshots.step(0):
                if sequence >= 0:
                    _check(snapshots, sequence, wanted)
                sequence = counted
                wanted = {name: array.copy() for name, array in state.arrays().items()}
                assert snapshots.take(state.arrays(), sequence=sequence, pages=state.pages())
            state.count(make_batch(make_events(random, counted, events, 30), keyer), counted)
            counted += events
            snapshots.step(most)
        _check(snapshots, sequence, wanted)
        later = state.restored_from(wanted)
        more = make_batch(make_events(random, counted, 20, 30), keyer)
        again = state.restored_from(Snapshots(Path(folder), clock=lambda: 0).restore().state)
        np.testing.assert_array_equal(later.features.advance(more).values, again.features.advance(more).values)


def _check(snapshots: Snapshots, sequence: int, wanted: dict[str, np.ndarray]) -> None:
    info = snapshots.wait()
    assert info is not None
    assert info.sequence == sequence
    restored = snapshots.restore()
    assert (restored.sequence, restored.faults, restored.state.keys()) == (sequence, (), wanted.keys())
    for name, array in wanted.items():
        if name == "features.sketches":
            # A page that nobody refers to may hold anything; whoever takes it clears it first.
            pages = np.setdiff1d(np.arange(len(array) // 4096), wanted["features.sketches_free"])
            array, found = array.reshape(-1, 4096)[pages], restored.state[name].reshape(-1, 4096)[pages]
            np.testing.assert_array_equal(array, found, err_msg=name)
        else:
            np.testing.assert_array_equal(restored.state[name], array, err_msg=name)


def test_an_unfinished_snapshot_leaves_the_one_before(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    keyer, state = EntityKeyer(bytes(16)), State()
    snapshots = Snapshots(tmp_path, clock=lambda: 0)
    state.count(make_batch(make_events(random, 0, 50, 9), keyer), 0)
    assert snapshots.take(state.arrays(), sequence=50, pages=state.pages())
    snapshots.wait()
    before = {name: array.copy() for name, array in state.arrays().items()}
    state.count(make_batch(make_events(random, 50, 50, 9), keyer), 50)
    assert snapshots.take(state.arrays(), sequence=100, pages=state.pages())
    snapshots.step(3)
    # A process that dies here leaves a pack without a manifest.
    found = Snapshots(tmp_path, clock=lambda: 0).restore()
    assert found.sequence == 50
    np.testing.assert_array_equal(found.state["features.rows.account"], before["features.rows.account"])
    snapshots.stop()
    assert snapshots.take(state.arrays(), sequence=100, pages=state.pages())
    snapshots.wait()
    after = snapshots.restore()
    assert after.sequence == 100
    for name, array in state.arrays().items():
        np.testing.assert_array_equal(after.state[name], array, err_msg=name)
