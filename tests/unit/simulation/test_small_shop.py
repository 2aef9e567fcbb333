"""The small shop repeats itself, keeps its promises about who is in it, and every event is one that a shop may send."""

from __future__ import annotations

from collections import Counter

import msgspec

from floorwalker.events.decode import decode_event
from floorwalker.simulation.small_shop import SmallShop, TracedEvent, generate_events

START = 1_790_000_000_000_000
DAY = 86_400_000_000


def _shop(**changes: object) -> list[TracedEvent]:
    return generate_events(SmallShop(first_at=START, days=3, customers=150, visits=300, **changes))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_shop_and_another_gives_another() -> None:
    assert _shop(seed=4) == _shop(seed=4)
    assert _shop(seed=4) != _shop(seed=5)


def test_every_event_is_accepted_as_a_shop_would_send_it() -> None:
    for one in _shop():
        again = decode_event(msgspec.json.encode(one.event), now=START + 4 * DAY)
        assert (again.id, again.type, again.at) == (one.event.id, one.event.type, one.event.at)


def test_ids_are_distinct_times_rise_and_stay_inside() -> None:
    traced = _shop()
    assert len({one.event.id for one in traced}) == len(traced)
    times = [one.event.at for one in traced]
    assert times == sorted(times)
    assert times[-1] <= START + 3 * DAY


def test_without_campaigns_everybody_is_honest_and_with_them_few_events_are_not() -> None:
    assert not any(one.abuse_type for one in _shop(campaigns=False))
    counts = Counter(one.abuse_type for one in _shop())
    assert set(counts) == {
        "", "account_takeover", "payment_fraud", "promotion_abuse", "inventory_abuse", "ranking_manipulation",
        "return_abuse",
    }  # fmt: skip


def test_honest_customers_share_addresses_devices_and_doors() -> None:
    honest = [one for one in _shop(campaigns=False) if one.event.type in ("page_view", "checkout")]
    accounts_at: dict[str, set[str]] = {}
    for one in honest:
        accounts_at.setdefault(str(one.event.ip), set()).add(str(one.event.account))
    assert max(len(accounts) for accounts in accounts_at.values()) >= 3
    assert {"office", "mobile", "family", "pickup point"} <= {one.actor for one in honest}
