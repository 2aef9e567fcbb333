"""The live graph against a slow one of dictionaries, on any history."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.detectors.relation import _live_layout as layout
from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.events.batch import make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.features.live import FeatureBatch

FAN_OUT = 3
HOUR = layout.DAY // 24
START = 1_760_000_000_000_000
SHARED = ("device", "item", "inviter")


@dataclass
class Account:
    born: int
    last: int
    counts: dict[str, float] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, now: int) -> float:
        return self.counts.get(name, 0.0) * 2 ** (-max(now - self.last, 0) / layout.HALF_LIFE)


@dataclass
class Slow:
    """As the page of relations says it, without kernels, rows or eviction."""

    accounts: dict[str, Account] = field(default_factory=dict)
    came: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    degree: dict[tuple[str, str], int] = field(default_factory=dict)

    def look(self, event: Event) -> dict[str, float]:
        now, me = event.at, self.accounts.get(event.account or "")
        told = dict.fromkeys(layout.OUTPUTS, math.nan)
        shared, together, disputed, returned = 0.0, 0, 0, 0.0
        met: list[str] = []
        for kind, limit in zip(layout.KINDS, layout.HUBS, strict=True):
            name = getattr(event, kind, None) or (me.links.get(kind) if me else None)
            if name is None:
                continue
            degree = self.degree.get((kind, name), 0)
            told[f"relation.{kind}.degree"] = min(degree, limit + 1)
            others = [who for who in self.came.get((kind, name), []) if who != event.account]
            if degree > limit or not others:
                continue
            seen = [self.accounts[who] for who in others]
            opened = me.born if me else now
            near = sum(abs(one.born - opened) <= layout.TOGETHER for one in seen)
            mine = {
                "together": near,
                "awake": sum(now - one.last <= HOUR for one in seen),
                "young": sum(now - one.born <= layout.YOUNG for one in seen),
                "since": min(max(now - one.last, 0) for one in seen) / HOUR,
                "coupons": sum(one.count("coupons", now) for one in seen) / len(seen),
                "declined": sum(one.count("declined", now) for one in seen) / len(seen),
            }
            told |= {f"relation.{kind}.{what}": float(value) for what, value in mine.items()}
            shared += len(seen) / math.log(2 + degree)
            together += near
            disputed += sum(one.counts.get("disputes", 0) > 0 for one in seen)
            returned += sum(one.count("returns", now) for one in seen)
            met += others
        twice = {who for who in met if met.count(who) > 1}
        many = max(len(met), 1)
        awake = [who for who in twice if now - self.accounts[who].last <= HOUR]
        return told | {
            "relation.shared": shared, "relation.together": together / many, "relation.disputed": disputed / many,
            "relation.returned": returned / many, "relation.tied_twice": len(twice),
            "relation.tied_awake": len(awake),
        }  # fmt: skip

    def take(self, event: Event) -> None:
        if event.account is None:
            return
        me = self.accounts.setdefault(event.account, Account(event.at, event.at))
        me.counts = {name: me.count(name, event.at) for name in me.counts}
        me.last = max(me.last, event.at)
        for group, names in layout.GROUPS.items():
            if event.type in names:
                me.counts[group] = me.counts.get(group, 0.0) + 1
        for kind in layout.KINDS:
            name = getattr(event, kind, None)
            if name is None:
                continue
            me.links[kind] = name
            came = self.came.setdefault((kind, name), [])
            if event.account not in came:
                self.degree[kind, name] = self.degree.get((kind, name), 0) + 1
                came.append(event.account)
                del came[:-FAN_OUT]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events, at = [], START
    kinds = ("sign_up", "login_succeeded", "coupon_claim", "payment_declined", "refund_requested", "dispute_chargeback")
    for number in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([0, 60_000_000, 2 * HOUR, 3 * layout.DAY]))
        shared = {kind: f"{kind}-{draw(st.integers(1, 3))}" for kind in SHARED if draw(st.booleans())}
        account = draw(st.sampled_from([None, *(f"a-{one}" for one in range(7))]))
        events.append(
            Event(id=f"e-{number}", type=draw(st.sampled_from(kinds)), at=at, received_at=at, account=account, **shared)
        )
    return events


@settings(max_examples=25, deadline=None)
@given(histories())
def test_every_column_is_what_the_slow_graph_says(events: list[Event]) -> None:
    slow, live = Slow(), LiveRelations(accounts=4096, entities=4096, fan_out=FAN_OUT)
    batch = make_batch(events, EntityKeyer(bytes(16)))
    nothing = np.zeros((len(events), 0), np.float32)
    found = live.advance(batch, FeatureBatch(batch.id, batch.at, nothing, (), nothing.astype(bool)))
    for row, event in enumerate(events):
        expected = slow.look(event)
        np.testing.assert_allclose(
            found[row], [expected[name] for name in live.outputs], rtol=1e-4, atol=1e-5, err_msg=f"{row}: {event}"
        )
        slow.take(event)
