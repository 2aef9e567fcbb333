"""Which entities become hubs by degree, which do not, and what is missing where one is."""

from __future__ import annotations

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.identity.hubs import DEGREE_RULES
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live import declarations as say

START = 1_760_000_000_000_000
DAY = 86_400_000_000
KEYER = EntityKeyer(bytes(range(16)))
SMALL = Limits(rows={}, other_rows=2_000, sketches=64)
EVENTS = say.What("events")
LIMIT = 3
TABLE = (
    *say.over("30d", "device_accounts", "device", say.Distinct(EVENTS, "account"), sharing=True),
    *say.over("1d", "device_events", "device", say.Count(EVENTS)),
    say.one("device_is_hub", "device", say.Hub(EVENTS, "30d", LIMIT, 0.5)),
    *say.over("30d", "ip_accounts", "ip", say.Distinct(EVENTS, "account"), sharing=True),
    say.one("ip_is_hub", "ip", say.Hub(EVENTS, "30d", LIMIT, 0.25)),
    *say.over("life", "pair", "ip*promotion", say.Count(EVENTS), sharing=True),
    *say.over("life", "own_pair", "account*ip", say.Count(EVENTS)),
)


class Shop:
    """Events one after another, each given its own number."""

    def __init__(self, table: tuple[say.Feature, ...] = TABLE) -> None:
        self.live = LiveFeatures(table, seed=1, limits=SMALL)
        self.events: list[Event] = []

    def happen(self, kind: str, day: float, **fields: object) -> None:
        at = START + int(day * DAY) + len(self.events)
        event = Event(id=f"e-{len(self.events)}", type=kind, at=at, received_at=at, **fields)
        self.events.append(event)
        self.live.advance(make(event))

    def buy(self, account: str, device: str, *days: float, amount: int = 4_900, **fields: object) -> None:
        for day in days:
            self.happen(
                "order", day, account=account, device=device, order=f"o-{len(self.events)}", amount_minor=amount,
                currency="EUR", **fields,
            )  # fmt: skip

    def all_buy(self, count: int, device: str, *days: float, **fields: object) -> None:
        """`count` accounts buy on each of these days, one after another; `device` may name the account's number."""
        for day in days:
            for number in range(count):
                self.buy(f"a-{number}", device.format(number), day + number / 1_000, **fields)  # type: ignore[arg-type]

    def ask(self, day: float, **fields: object) -> dict[str, float | None]:
        # Nothing that a case tells came too late to be counted.
        assert self.live.figures()["late"] == 0
        at = START + int(day * DAY)
        found = self.live.score(make(Event(id="asked", type="page_view", at=at, received_at=at, **fields)))
        return {
            name: None if found.missing[0, place] else float(found.values[0, place])
            for place, name in enumerate(found.names)
        }


def make(*events: Event) -> EventBatch:
    return make_batch(events, KEYER)


def carrier(customers: int) -> Shop:
    """Customers of two weeks with devices of their own, who then all come through one address."""
    shop = Shop()
    shop.all_buy(customers, "d-{}", 0, 2)
    shop.happen("page_view", 3, ip="198.51.100.1", device="somebody")
    for number in range(customers):
        shop.happen("login_succeeded", 20, account=f"a-{number}", device=f"d-{number}", ip="198.51.100.1")
    return shop


def test_a_carriers_address_becomes_a_hub_and_its_sharing_is_missing() -> None:
    below = carrier(LIMIT).ask(20.1, ip="198.51.100.1", promotion="p", account="a-0")
    assert below["ip_is_hub"] == 0
    assert below["ip_accounts_30d"] == LIMIT
    assert below["pair_life"] == 0
    above = carrier(LIMIT + 1).ask(20.1, ip="198.51.100.1", promotion="p", account="a-0")
    assert above["ip_is_hub"] == 1
    assert above["ip_accounts_30d"] is None
    assert above["pair_life"] is None
    # What an account does at a hub is its own.
    assert above["own_pair_life"] == 1


def test_a_hub_is_one_only_as_long_as_its_window_says_so() -> None:
    shop = carrier(LIMIT + 1)
    assert shop.ask(40, ip="198.51.100.1")["ip_is_hub"] == 1
    assert shop.ask(60, ip="198.51.100.1")["ip_is_hub"] == 0
    assert shop.ask(60, ip="198.51.100.1")["ip_accounts_30d"] == 0


def test_an_address_that_is_known_for_less_than_a_week_is_no_hub() -> None:
    shop = Shop()
    shop.all_buy(LIMIT + 1, "d-{}", 0, 2)
    for number in range(LIMIT + 1):
        shop.happen("login_succeeded", 20, account=f"a-{number}", device=f"d-{number}", ip="198.51.100.1")
    assert shop.ask(20, ip="198.51.100.1")["ip_is_hub"] == 0
    assert shop.ask(28, ip="198.51.100.1")["ip_is_hub"] == 1


def farm(accounts: int = 40) -> Shop:
    """One device that opens an account a day, redeems with it and comes back."""
    shop = Shop()
    for number in range(accounts):
        shop.happen("sign_up", number / 4, account=f"f-{number}", device="farm", ip="192.0.2.1")
        shop.buy(f"f-{number}", "farm", number / 4, coupons=("TEN",), ip="192.0.2.1")
    for number in range(accounts):
        shop.buy(f"f-{number}", "farm", 10 + number / 4, coupons=("TEN",), ip="192.0.2.1")
    for number in range(accounts):
        shop.happen("login_succeeded", 30, account=f"f-{number}", device="farm", ip="192.0.2.1")
    return shop


def test_a_device_farm_is_no_hub_however_many_accounts_it_has() -> None:
    asked = farm().ask(30.1, device="farm", ip="192.0.2.1")
    assert asked["device_is_hub"] == 0
    assert asked["device_accounts_30d"] == pytest.approx(40, abs=6)
    assert asked["ip_is_hub"] == 0


def test_a_till_that_customers_of_good_standing_come_back_to_is_a_hub() -> None:
    shop = Shop()
    shop.all_buy(LIMIT + 1, "till", 0, 5)
    assert shop.ask(6, device="till")["device_is_hub"] == 0
    shop.all_buy(LIMIT + 1, "till", 16)
    asked = shop.ask(17, device="till")
    assert asked["device_is_hub"] == 1
    assert asked["device_accounts_30d"] is None
    assert asked["device_events_1d"] is not None


def test_false_accounts_make_a_hub_visible_again() -> None:
    shop = Shop()
    shop.all_buy(LIMIT + 1, "till", 0, 5, 16)
    for number in range(LIMIT + 1):
        assert shop.ask(17, device="till")["device_is_hub"] == 1
        shop.happen("sign_up", 17, account=f"f-{number}", device="till")
    shop.happen("sign_up", 17, account="one-more", device="till")
    asked = shop.ask(17, device="till")
    assert asked["device_is_hub"] == 0
    assert asked["device_accounts_30d"] == 2 * LIMIT + 3


def test_stolen_accounts_of_good_customers_make_no_hub_of_the_thiefs_device() -> None:
    shop = Shop()
    shop.happen("login_succeeded", 0, account="thief", device="thiefs")
    shop.all_buy(30, "d-{}", 0, 5)
    for number in range(30):
        shop.happen("login_succeeded", 40 + number / 10, account=f"a-{number}", device="thiefs", ip="192.0.2.9")
        shop.buy(f"a-{number}", "thiefs", 40 + number / 10, ip="192.0.2.9")
    asked = shop.ask(44, device="thiefs", ip="192.0.2.9")
    assert asked["device_is_hub"] == 0
    assert asked["ip_is_hub"] == 0
    assert asked["device_accounts_30d"] == pytest.approx(31, abs=6)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("order_cancelled", {}),
        ("refund_issued", {"amount_minor": 1, "currency": "EUR"}),
        ("dispute_chargeback", {}),
    ],
)
def test_purchases_that_were_taken_back_speak_for_nobody(kind: str, fields: dict[str, object]) -> None:
    shop = Shop()
    shop.all_buy(LIMIT + 1, "till", 0, 5)
    for number in range(LIMIT + 1):
        shop.happen(kind, 6, account=f"a-{number}", order="o", **fields)
    for number in range(LIMIT + 1):
        shop.happen("login_succeeded", 16, account=f"a-{number}", device="till")
    assert shop.ask(17, device="till")["device_is_hub"] == 0
    shop.all_buy(LIMIT + 1, "till", 18, 19)
    # Who buys again stands again, unless a bank took the money back.
    assert shop.ask(20, device="till")["device_is_hub"] == (kind != "dispute_chargeback")


def test_who_lost_nothing_yet_has_nothing_to_lose() -> None:
    shop = Shop()
    for number in range(LIMIT + 1):
        shop.happen("refund_issued", 0, account=f"a-{number}", order="older", amount_minor=1, currency="EUR")
    shop.all_buy(LIMIT + 1, "till", 0.1, 5, 16)
    assert shop.ask(17, device="till")["device_is_hub"] == 1


@pytest.mark.parametrize(("first", "used"), [(0.0, 7.1), (0.2, 7.1), (0.0, 7.3)])
def test_standing_takes_two_weeks_and_the_device_one(first: float, used: float) -> None:
    """The last purchase is on day 14.1: two weeks before it is day 0.1, one week before it day 7.1."""
    shop = Shop()
    shop.happen("page_view", 0, ip="198.51.100.1")
    for day in (first, first + 1):
        for number in range(LIMIT + 1):
            shop.buy(f"a-{number}", "elsewhere", day)
    for number in range(LIMIT + 1):
        shop.happen("login_succeeded", used, account=f"a-{number}", device=f"d-{number}")
    for number in range(LIMIT + 1):
        shop.happen("search", 14.1 + 1e-9, account=f"a-{number}", device=f"d-{number}", ip="198.51.100.1")
    assert shop.ask(14.2, ip="198.51.100.1")["ip_is_hub"] == ((first, used) == (0.0, 7.1))


def test_trusted_accounts_beyond_the_window_do_not_count() -> None:
    shop = carrier(LIMIT + 1)
    for number in range(LIMIT):
        shop.happen("login_succeeded", 40, account=f"a-{number}", device=f"d-{number}", ip="198.51.100.1")
    assert shop.ask(41, ip="198.51.100.1")["ip_is_hub"] == 1
    # One of them was here on the twentieth day for the last time.
    asked = shop.ask(52, ip="198.51.100.1")
    assert asked["ip_is_hub"] == 0
    assert asked["ip_accounts_30d"] == LIMIT


@pytest.mark.parametrize("given", [{"coupons": ("TEN",)}, {"amount": 0}])
def test_orders_with_coupons_or_for_nothing_make_no_standing(given: dict[str, object]) -> None:
    shop = Shop()
    shop.all_buy(LIMIT + 1, "till", 0, 5, 16, **given)
    assert shop.ask(17, device="till")["device_is_hub"] == 0


def test_several_orders_of_one_day_are_one_day() -> None:
    shop = Shop()
    shop.all_buy(LIMIT + 1, "till", 0.1, 0.2, 0.3)
    for number in range(LIMIT + 1):
        shop.happen("login_succeeded", 16, account=f"a-{number}", device="till")
    assert shop.ask(17, device="till")["device_is_hub"] == 0


def test_the_default_set_has_a_hub_for_each_kind_that_has_a_rule() -> None:
    found = {feature.of[0]: feature.aggregate for feature in DEFAULT if isinstance(feature.aggregate, say.Hub)}
    assert set(found) == set(DEGREE_RULES)
    for entity, kind in found.items():
        rule = DEGREE_RULES[entity]
        assert (kind.over, kind.limit, kind.share) == (rule.window, rule.limit, rule.share)
    # Every account is counted by a set that another feature has anyway.
    for feature in DEFAULT:
        if isinstance(feature.aggregate, say.Hub):
            kind = feature.aggregate
            same = say.Distinct(kind.what, "account", kind.exact)
            assert any(f.of == feature.of and f.aggregate == same and f.window == kind.over for f in DEFAULT)


def test_a_hubs_status_is_the_same_whatever_the_batching_and_after_a_restore() -> None:
    shop = carrier(LIMIT + 2)
    whole = LiveFeatures(TABLE, seed=1, limits=SMALL)
    found = whole.advance(make(*shop.events))
    assert 0 < found.column("ip_is_hub")[-1] <= 1
    assert {name: array.tobytes() for name, array in whole.state().items()} == {
        name: array.tobytes() for name, array in shop.live.state().items()
    }
    other = LiveFeatures(TABLE, seed=7, limits=SMALL)
    other.restore({name: array.copy() for name, array in whole.state().items()})
    asked = make(Event(id="x", type="page_view", at=START + 21 * DAY, ip="198.51.100.1"))
    assert other.score(asked).values.tobytes() == whole.score(asked).values.tobytes()


@pytest.mark.parametrize(
    "features",
    [
        (say.one("h", "item", say.Hub(EVENTS, "1d", 3, 0.5)),),
        (say.one("h", "account", say.Hub(EVENTS, "1d", 3, 0.5)),),
        (say.one("h", "device*promotion", say.Hub(EVENTS, "1d", 3, 0.5)),),
        (say.one("h", "device", say.Hub(EVENTS, "2d", 3, 0.5)),),
        (say.one("h", "device", say.Hub(EVENTS, "1d", 0, 0.5)),),
        (say.one("h", "device", say.Hub(EVENTS, "1d", 3, 0.0)),),
        (say.one("h", "device", say.Hub(EVENTS, "1d", 3, 0.5)), say.one("k", "device", say.Hub(EVENTS, "7d", 3, 0.5))),
    ],
)
def test_a_rule_for_hubs_that_makes_no_sense_is_refused(features: tuple[say.Feature, ...]) -> None:
    with pytest.raises(UsageError, match="hub"):
        LiveFeatures(features, seed=1, limits=SMALL)
