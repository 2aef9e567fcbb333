"""The live graph: what it tells, and that nothing but the events' order moves it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from floorwalker.detectors.relation import _live_layout as layout
from floorwalker.detectors.relation._preparing import Preparation
from floorwalker.detectors.relation.gnn import RelationalNetwork
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.detectors.relation.stars import Stars
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.features.live import FeatureBatch

DAY = 86_400_000_000
SIZES = {"accounts": 64, "entities": 128, "fan_out": 3}


def make_events(count, seed=0, accounts=20):
    random = np.random.default_rng(seed)
    kinds = ("login_succeeded", "sign_up", "payment_declined", "dispute_chargeback", "page_view", "review")
    return [
        Event(
            id=f"e{number}", type=str(random.choice(kinds)), at=(number + 1) * DAY // 50,
            received_at=(number + 1) * DAY // 50,
            account=None if random.random() < 0.1 else f"a{random.integers(accounts)}",
            device=f"d{random.integers(9)}" if random.random() < 0.8 else None,
            ip=f"192.0.2.{random.integers(5)}", amount_minor=int(random.integers(1, 9_999)),
        )
        for number in range(count)
    ]  # fmt: skip


def batch_of(events):
    batch = make_batch(events, EntityKeyer(bytes(16)))
    nothing = np.zeros((len(events), 0), np.float32)
    return batch, FeatureBatch(batch.id, batch.at, nothing, (), nothing.astype(bool))


def random_network(outputs=2, hidden=8):
    random = np.random.default_rng(3)
    wide = len(layout.PROFILE) + len(layout.KINDS)
    network = RelationalNetwork(hidden=hidden, layers=1, heads=1)

    def draw(*shape):
        return random.normal(size=shape).astype(np.float32) * 0.4

    network._weights = {
        "input.weight": draw(hidden, wide), "input.bias": draw(hidden), "self.0.weight": draw(hidden, hidden),
        "self.0.bias": draw(hidden), "norms.0.weight": draw(hidden), "norms.0.bias": draw(hidden),
        "output.weight": draw(outputs, hidden), "output.bias": draw(outputs),
        **{f"messages.0.{kind}.lin_l.weight": draw(hidden, hidden) for kind in range(len(layout.KINDS))},
    }  # fmt: skip
    network._preparation = Preparation(draw(wide), np.abs(draw(wide)) + 0.5)
    network._relations, network._outputs = layout.KINDS, outputs
    return network


@pytest.mark.parametrize("network", [None, random_network()])
def test_batches_change_nothing_and_score_is_pure(network):
    types = ("fake_account", "scraping") if network is not None else ()
    events = make_events(150)
    whole = LiveRelations(**SIZES, network=network, abuse_types=types)
    together = whole.advance(*batch_of(events))
    assert together.shape == (150, len(whole.outputs))
    assert together.dtype == np.float32
    apart = LiveRelations(**SIZES, network=network, abuse_types=types)
    for number, event in enumerate(events):
        one = batch_of([event])
        before = {name: array.copy() for name, array in apart.state().items()}
        scored = apart.score(*one)
        for name, array in apart.state().items():
            np.testing.assert_array_equal(array, before[name])
        np.testing.assert_array_equal(scored, apart.advance(*one))
        np.testing.assert_array_equal(scored[0], together[number])
    for name, array in whole.state().items():
        np.testing.assert_array_equal(array, apart.state()[name])


def test_later_events_change_nothing():
    events = make_events(120)
    assert np.array_equal(
        LiveRelations(**SIZES).advance(*batch_of(events))[:70],
        LiveRelations(**SIZES).advance(*batch_of(events[:70])),
        equal_nan=True,
    )


def test_restored_state_goes_on_the_same():
    events = make_events(120)
    first = LiveRelations(**SIZES)
    first.advance(*batch_of(events[:60]))
    second = LiveRelations(**SIZES)
    second.restore({name: array.copy() for name, array in first.state().items()})
    rest = batch_of(events[60:])
    np.testing.assert_array_equal(first.advance(*rest), second.advance(*rest))
    with pytest.raises(ArtefactError, match="replay"):
        LiveRelations(accounts=8, entities=128, fan_out=3).restore(first.state())


def test_it_tells_of_the_accounts_on_the_same_device():
    events = [
        Event(id="1", type="sign_up", at=DAY, received_at=DAY, account="bad", device="d"),
        Event(id="2", type="payment_declined", at=2 * DAY, received_at=2 * DAY, account="bad"),
        Event(id="6", type="dispute_chargeback", at=2 * DAY, received_at=2 * DAY, account="bad"),
        Event(id="3", type="sign_up", at=2 * DAY, received_at=2 * DAY, account="new", device="d"),
        Event(id="4", type="login_succeeded", at=3 * DAY, received_at=3 * DAY, account="new"),
        Event(id="5", type="login_succeeded", at=3 * DAY, received_at=3 * DAY, account="alone", device="other"),
    ]
    live = LiveRelations(**SIZES)
    batch, features = batch_of(events)
    found = live.advance(batch, features)
    told = [dict(zip(live.outputs, row, strict=True)) for row in found]
    assert told[0]["relation.device.degree"] == 0
    assert told[3]["relation.device.degree"] == 1
    assert told[3]["relation.device.declined"] == 1
    assert told[3]["relation.device.since"] == 0
    assert told[3]["relation.device.awake"] == 1
    # The login names no device: the account's last one is asked.
    assert told[4]["relation.device.together"] == 1
    assert told[4]["relation.disputed"] == 1
    assert np.isnan(told[5]["relation.device.declined"])
    reasons = live.reasons(batch, features, found)
    assert reasons[4][0].code == "relation.shared_device"
    assert "they had payments declined" in reasons[4][0].text
    assert reasons[5] == []


def test_who_shares_two_things_is_told_apart_from_who_shares_one():
    both = {"device": "d", "ip": "192.0.2.7"}
    given = [both, both, {"ip": "192.0.2.7"}, both]
    events = [
        Event(id=str(number), type="login_succeeded", at=DAY + number, received_at=DAY + number, account=f"a{number}",
              **shared)
        for number, shared in enumerate(given)
    ]  # fmt: skip
    live = LiveRelations(**SIZES)
    found = live.advance(*batch_of(events))
    assert found[:, live.outputs.index("relation.tied_twice")].tolist() == [0, 1, 0, 2]


def test_a_snapshot_of_changed_pages_is_the_whole_state():
    live = LiveRelations(**SIZES)
    live.advance(*batch_of(make_events(100)))
    copies = {}
    for name, (pages, first) in live.pages().items():
        changed = np.zeros(len(pages.marks), np.bool_)
        pages.want(first, changed)
        copies[name] = (live.state()[name].copy(), changed)
    live.advance(*batch_of(make_events(100, seed=1)))
    for name, (pages, _) in live.pages().items():
        pages.save(0, len(pages.marks), most=1 << 20)
        before, changed = copies[name]
        for page in np.flatnonzero(changed):
            words = slice(page * 512, min((page + 1) * 512, len(before)))
            np.testing.assert_array_equal(pages.saved[words], before[words])
        assert not before[~np.repeat(changed, 512)[: len(before)]].any()


def test_rings_of_the_accounts_kept():
    events = [
        Event(
            id=f"{number}", type="login_succeeded", at=DAY + number, received_at=DAY + number, account=f"a{number % 9}",
            device=f"d{number % 2 if number % 9 < 5 else number % 9}", ip="192.0.2.7",
        )
        for number in range(9)
    ]  # fmt: skip
    batch, features = batch_of(events)
    live = LiveRelations(**SIZES)
    assert live.rings() == []
    live.advance(batch, features)
    keys = batch.keys["account"].tolist()
    rings = live.rings(hubs={"device": 20, "ip": 5})
    assert [set(ring.members) for ring in rings] == [{keys[0], keys[2], keys[4]}]
    assert rings[0].ties[0].entity == int(batch.keys["device"][0])


def test_a_device_of_a_crowd_says_nothing():
    events = [
        Event(
            id=str(number), type="sign_up", at=DAY + number, received_at=DAY + number, account=f"a{number}", device="d"
        )
        for number in range(30)
    ]
    live = LiveRelations(accounts=128, entities=128)
    found = live.advance(*batch_of(events))
    together = found[:, live.outputs.index("relation.device.together")]
    limit = layout.HUBS[layout.KINDS.index("device")]
    assert together[limit] == 6
    assert found[-1, live.outputs.index("relation.device.degree")] == limit + 1
    assert np.isnan(together[limit + 1])


def test_state_stays_bounded_and_forgets_the_oldest():
    live = LiveRelations(accounts=8, entities=8, fan_out=2)
    before = {name: array.shape for name, array in live.state().items()}
    live.advance(*batch_of(make_events(300, accounts=200)))
    assert {name: array.shape for name, array in live.state().items()} == before
    last = live.state()["accounts"].reshape(8, -1)[:, layout.LAST].astype(np.int64)
    assert last.min() > DAY


def test_the_kernel_is_the_network():
    network = random_network()
    live = LiveRelations(**SIZES, network=network, abuse_types=("fake_account", "scraping"))
    events = make_events(200)
    found, stars = live.collect(*batch_of(events), range(200))
    expected = network.score(stars.graph(), np.arange(200))
    np.testing.assert_allclose(found[:, -2:], expected, atol=1e-5)
    both = Stars.join([stars, stars])
    assert len(both) == 400
    with pytest.raises(UsageError, match="learn_stars"):
        LiveRelations(**SIZES, network=network, abuse_types=("fake_account",))


def test_a_saved_network_serves_the_same(tmp_path):
    network = random_network()
    one = LiveRelations(**SIZES, network=network, abuse_types=("fake_account", "scraping"))
    one.save(tmp_path)
    live = LiveRelations.load(tmp_path)
    assert live.outputs[-2:] == ("relation.gnn.fake_account", "relation.gnn.scraping")
    assert live.version == one.version != LiveRelations(**SIZES).version
    events = batch_of(make_events(50))
    np.testing.assert_array_equal(live.advance(*events), one.advance(*events))
    stored = tmp_path / "network" / "network.safetensors"
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtefactError, match="manifest"):
        LiveRelations.load(tmp_path)


def test_serving_imports_nothing_that_trains():
    code = (
        "import sys, floorwalker.detectors.relation.live, floorwalker.detectors.relation.rings;"
        "print([name for name in ('torch', 'lightgbm', 'sklearn', 'torch_geometric') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
