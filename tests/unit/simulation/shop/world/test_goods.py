"""The catalogue, the days and the offers."""

import datetime

import numpy as np
import pytest

from floorwalker.simulation.shop.scenario import DAY, SPLITS, Scenario
from floorwalker.simulation.shop.world import World
from floorwalker.simulation.shop.world.catalogue import CATEGORIES, CATEGORY_IDS


def test_prices_are_log_normal_by_category_and_end_as_prices_do(world):
    items = World(Scenario(events=3_000_000, seed=5)).items
    for place, category in enumerate(CATEGORIES):
        rows = items.category == place
        if rows.sum() > 200:
            logs = np.log(items.price_minor[rows])
            assert abs(np.median(logs) - np.log(category.price_minor)) < 0.25, category.id
            assert abs(logs.std() - category.spread) < 0.2, category.id
    assert (items.price_minor % 100 == 99).mean() > 0.3
    assert (items.list_price_minor >= items.price_minor).mean() > 0.99
    assert set(items.category[items.digital].tolist()) <= {
        CATEGORY_IDS.index("gift_card"),
        CATEGORY_IDS.index("software"),
    }
    assert items.scarce.sum() >= 3
    assert len(set(items.id.tolist())) == len(items)


def test_few_items_take_most_and_which_ones_changes(world):
    rng = np.random.default_rng(1)
    first, end = world.scenario.first_at, world.scenario.end_at - DAY

    def counts(at):
        return np.bincount(world.popularity.draw(rng.random(60_000), np.full(60_000, at)), minlength=len(world.items))

    begin, last = counts(first), counts(end)
    top = np.sort(begin)[::-1]
    assert top[: len(top) // 10].sum() > 0.4 * top.sum()
    assert top[0] < 0.1 * top.sum()
    unlisted = world.items.listed_at > first + 2 * DAY
    listed = ~unlisted
    assert 0.6 < np.corrcoef(np.log1p(begin[listed]), np.log1p(last[listed]))[0, 1] < 0.99
    assert unlisted.any()
    assert not begin[unlisted].any()
    assert last[unlisted].any()


def test_the_great_days_surge(world):
    days = dict(zip(world.calendar.days, world.calendar.weight.tolist(), strict=True))
    usual = np.median(list(days.values()))
    assert days[datetime.date(2025, 11, 11)] > 1.7 * usual
    short = World(Scenario(events=2_000, days=3, first_day=datetime.date(2025, 3, 3)))
    assert short.calendar.promotion.any()


@pytest.mark.parametrize("days", [3, 30])
def test_what_breaks_breaks_in_every_part(days):
    scenario = Scenario(events=2_000, days=days, seed=9)
    calendar = World(scenario).calendar
    for kind in ("payment_outage", "coupon_leak", "price_error"):
        assert {scenario.split_of(moment.starts_at) for moment in calendar.of_kind(kind)} == set(SPLITS)
    for moment in calendar.moments:
        assert scenario.first_at <= moment.starts_at < moment.ends_at <= scenario.end_at, moment


def test_drops_and_wrong_prices_are_of_items(world):
    assert all(world.items.scarce[moment.item] for moment in world.calendar.of_kind("drop"))
    wrong = [moment.item for moment in world.calendar.of_kind("price_error")]
    assert len(set(wrong)) == len(wrong) == 3
    assert min(wrong) >= 0


def test_offers_have_codes_and_an_end(world):
    kinds = {promotion.kind for promotion in world.promotions}
    assert kinds >= {"welcome", "public", "leaked", "flash", "invitation", "group_buy", "personal"}
    for promotion in world.promotions:
        assert world.scenario.first_at <= promotion.starts_at < promotion.ends_at <= world.scenario.end_at
    personal = next(promotion for promotion in world.promotions if promotion.kind == "personal")
    assert len({world.personal_code(personal, number) for number in range(200)}) == 200


def test_sellers_are_of_all_sizes(world):
    counts = np.bincount(world.items.seller_number, minlength=len(world.sellers))
    assert counts[0] > 0.25 * len(world.items)
    assert (counts[1:] > 0).mean() > 0.5
    assert set(world.items.seller.tolist()) <= set(world.sellers.id.tolist())
