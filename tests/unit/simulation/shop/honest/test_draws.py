"""What the honest crowd is drawn from: tables, plans of visits, payments and what follows, names, signals."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from floorwalker.events.decode import decode_event
from floorwalker.simulation.shop import honest
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Diary
from floorwalker.simulation.shop.honest.acts import LAST_PAGE, PATHS, TYPES, Act
from floorwalker.simulation.shop.honest.browsing import BUY, HOLD, LOOK, plan_visits
from floorwalker.simulation.shop.honest.fitted import fitted, pick, to_level, to_score
from floorwalker.simulation.shop.honest.fulfilment import plan_aftermath
from floorwalker.simulation.shop.honest.paying import plan_payments
from floorwalker.simulation.shop.honest.shelf import shelf_of
from floorwalker.simulation.shop.honest.signalling import draw_signals
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.scenario import DAY, SECOND, Scenario
from floorwalker.simulation.shop.schema import EVENT_COLUMNS, complete, frame_of
from floorwalker.simulation.shop.world import World

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def world() -> World:
    return World(Scenario(events=4_000))


def test_names_are_different_and_hide_their_number() -> None:
    made = names(Chance(1), "order", np.arange(50_000))
    assert made.n_unique() == 50_000
    assert made.str.contains(r"^[0-9a-f]{11}$").all()
    assert names(Chance(2), "order", np.arange(3)).to_list() != made.head(3).to_list()


def test_levels_and_scores_undo_each_other() -> None:
    level = np.linspace(0.01, 0.99, 30)
    assert np.allclose(to_level(to_score(level)), level, atol=1e-5)


def test_positions_come_by_their_shares() -> None:
    found = pick(RNG(1).random(20_000), np.array([1.0, 0.0, 3.0]))
    assert not (found == 1).any()
    assert abs((found == 2).mean() - 0.75) < 0.02


def test_pauses_on_the_web_are_those_that_were_fitted() -> None:
    plan = plan_visits(RNG(2), np.zeros(20_000, dtype=np.bool_), items=3_000, intent=np.full(20_000, LOOK))
    views = plan.act == Act.ITEM
    visit, at = plan.visit[views], plan.at[views]
    gaps = np.diff(at)[np.diff(visit) == 0]
    table = fitted().web_pace
    wanted = np.exp(np.interp([0.25, 0.5, 0.75], table.levels, table.log_gap))
    assert np.allclose(np.quantile(gaps, [0.25, 0.5, 0.75]), wanted, rtol=0.08)


def test_visits_do_what_they_are_for() -> None:
    intent = np.tile([LOOK, HOLD, BUY], 400)
    app = np.arange(1_200) % 2 == 0
    plan = plan_visits(RNG(3), app, items=500, intent=intent)
    assert set(intent[plan.order_visit]) == {BUY}
    assert len(np.unique(plan.order_visit)) == 400
    held = np.unique(plan.visit[plan.act == Act.ADD])
    assert set(np.flatnonzero(intent == HOLD)) <= set(held)
    assert (np.diff(plan.at)[np.diff(plan.visit) == 0] >= 0).all()
    assert plan.item.max() < 500
    assert set(plan.line_order) == set(range(len(plan.order_visit)))


def test_hurry_shortens_a_visit() -> None:
    slow, fast = (
        plan_visits(RNG(4), np.ones(500, dtype=np.bool_), items=100, hurry=hurry, intent=np.full(500, LOOK))
        for hurry in (1.0, 0.1)
    )
    views = [plan.at[plan.act == Act.ITEM].sum() for plan in (slow, fast)]
    assert views[1] == pytest.approx(0.1 * views[0])


def test_payments_end_in_one_order_or_none() -> None:
    plan = plan_payments(RNG(5), 4_000, declined=0.3, cards=2)
    orders = np.bincount(plan.order[plan.act == Act.ORDER], minlength=4_000)
    assert (orders == plan.paid).all()
    assert (np.bincount(plan.order[plan.act == Act.CHECKOUT], minlength=4_000) == 1).all()
    assert 0.8 < plan.paid.mean() < 1.0
    assert not plan_payments(RNG(6), 300, declined=1.0).paid.any()
    assert ((plan.share >= 0) & (plan.share <= 1)).all()


def test_nothing_follows_a_cancelled_order() -> None:
    plan = plan_aftermath(
        RNG(7), digital=np.zeros(3_000, dtype=np.bool_), lines=np.full(3_000, 2), return_share=np.full(3_000, 0.3),
        review_share=np.full(3_000, 0.2), cancel_share=0.2,
    )  # fmt: skip
    cancelled = set(plan.order[plan.act == Act.CANCELLED])
    assert abs(len(cancelled) / 3_000 - 0.2) < 0.03
    sent = set(plan.order[plan.act == Act.SHIPPED])
    assert not cancelled & sent
    assert cancelled | sent == set(range(3_000))
    times = {act: dict(zip(plan.order[plan.act == act], plan.at[plan.act == act], strict=True))
             for act in (Act.SHIPPED, Act.DELIVERED, Act.REFUND_REQUESTED)}  # fmt: skip
    assert all(times[Act.DELIVERED][one] > times[Act.SHIPPED][one] for one in sent)
    assert all(at > times[Act.DELIVERED][one] for one, at in times[Act.REFUND_REQUESTED].items())


def test_keyboards_leave_few_moves() -> None:
    count = 500
    facts = {"form": np.ones(count, dtype=np.bool_), "pages": np.full(count, 5.0), "seconds": np.full(count, 60.0)}
    no_touch = np.zeros(count, dtype=np.bool_)
    facts["renewed"] = no_touch
    usual = draw_signals(RNG(8), touch=no_touch, pointer=np.ones(count), **facts)
    keys = draw_signals(RNG(8), touch=no_touch, pointer=np.full(count, 0.03), **facts)
    assert keys["pointer_moves"].mean() < 0.1 * usual["pointer_moves"].mean()
    assert keys["key_presses"].mean() > usual["key_presses"].mean()


def test_every_act_of_a_client_has_a_type_and_a_path() -> None:
    assert set(PATHS) <= set(TYPES)
    assert all(TYPES[act] == "page_view" for act in range(LAST_PAGE + 1) if act in TYPES)


def test_the_scalar_writers_write_what_the_crowd_writes(world: World) -> None:
    diary = Diary()
    person = next(one for one in world.customers_as(range(20)) if one.account)
    at = world.scenario.first_at + DAY
    bought = honest.visit(world, diary, person, at, RNG(9), intent="buy", items=(3,), outcome="ok")
    assert bought.order is not None
    assert bought.entries == diary.entries
    honest.after_order(world, diary, bought.bought, RNG(9), refund=("damaged", 3_600.0), returned=False)
    honest.visit(world, diary, person, at, RNG(10), intent="redeem", coupons=("WELCOME10",), items=(5,))
    honest.claim(world, diary, person, at, RNG(10), coupons=("WELCOME10",))
    honest.watch_stream(world, diary, person, at, RNG(11), item=2)
    honest.support(world, diary, person, at, RNG(11))
    group = honest.group_buy(world, diary, person, at, RNG(12), item=2)
    honest.group_buy(world, diary, person, at, RNG(12), item=2, group=group)
    honest.review(world, diary, person, at, RNG(13), item=2, stars=4)
    honest.sign_up(world, diary, person, at, RNG(14), inviter="someone")
    types = set()
    for entry in diary.entries:
        types.add(decode_event(msgspec.json.encode(entry.event), now=world.scenario.end_at).type)
    expected = "order refund_requested coupon_redeem coupon_claim livestream review support_contact group_buy_opened"
    assert set(f"{expected} group_buy_joined sign_up invitation_accepted".split()) <= types
    assert "return" not in types


def test_a_refused_card_gives_no_order(world: World) -> None:
    diary = Diary()
    person = world.customer(1)
    bought = honest.buy(world, diary, person, world.scenario.first_at, RNG(1), cart=[(1, 2)], outcome="declined")
    assert bought.order is None
    assert "order" not in {entry.event.type for entry in diary.entries}
    assert honest.after_order(world, diary, bought, RNG(1)) == 0


def test_pace_is_the_callers_choice(world: World) -> None:
    person = world.customer(2)
    spans = []
    for pace in (1.0, 0.05):
        visited = [
            honest.visit(world, Diary(), person, 10**15, RNG(seed), intent="browse", pace=pace, login=False)
            for seed in range(40)
        ]
        spans.append(sum(one.end_at - 10**15 for one in visited) / SECOND)
    assert spans[1] < 0.5 * spans[0]


def test_entries_become_the_same_columns(world: World) -> None:
    diary = Diary()
    honest.visit(world, diary, world.customer(3), world.scenario.first_at, RNG(15), intent="buy", outcome="ok")
    frame = complete(frame_of(diary.entries, "default"))
    assert list(frame.columns[: len(EVENT_COLUMNS)]) == list(EVENT_COLUMNS)
    order = frame.filter(pl.col("type") == "order").row(0, named=True)
    event = next(entry.event for entry in diary.entries if entry.event.type == "order")
    assert order["amount_minor"] == event.amount_minor
    assert order["lines"][0]["item"] == event.lines[0].item
    assert order["card.scheme"] == (event.card.scheme if event.card else None)


def test_what_is_popular_changes_by_day_and_nothing_is_sold_before_it_is_listed() -> None:
    world = World(Scenario(events=60_000, days=30, seed=5))
    shelf = shelf_of(world)
    first, last = (world.scenario.first_at + day * DAY for day in (0, 29))
    top = np.arange(50)
    assert len(set(shelf.on_day(top, np.array(first)).tolist()) & set(shelf.on_day(top, np.array(last)).tolist())) < 45
    everything = np.arange(len(shelf))
    for day in (0, 11, 29):
        at = world.scenario.first_at + day * DAY
        sold = shelf.on_day(everything, np.array(at))
        # Shops put things up a day before they are announced.
        assert (world.items.listed_at[sold] <= at + DAY).all()
        one = int(sold[7])
        assert shelf.rank_on(one, np.array([at])).tolist() == [7]
    assert (world.items.listed_at > world.scenario.first_at + DAY).any()
