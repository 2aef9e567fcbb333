"""Every scene: it happens, to honest people, when it should."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.crowd import Crowd, make_crowd
from floorwalker.simulation.shop.honest.labels import SCENES, label_of
from floorwalker.simulation.shop.honest.scenes import list_scenes
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.world import World


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    world = World(Scenario(events=150_000, days=30, seed=4))
    return make_crowd(world, np.arange(world.customers), np.random.default_rng(1), 1.2)


def acts_of(crowd: Crowd, name: str) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rows = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    label = np.append(np.concatenate(crowd.label), -1)[rows["visit"]]
    mine = label == label_of(name)
    return rows["act"][mine], rows["at"][mine]


def test_every_scene_is_played() -> None:
    assert list_scenes() == ["flash_sale_crowd", "leaked_coupon", "payment_outage", "support_staff", "test_orders"]


def test_flash_sales_draw_a_crowd_within_their_hours(crowd: Crowd) -> None:
    act, at = acts_of(crowd, "flash_sale_crowd")
    calendar = crowd.world.calendar
    moments = (*calendar.of_kind("flash_sale"), *calendar.of_kind("drop"))
    assert (act == Act.ORDER).sum() > 20
    placed = at[act == Act.ITEM]
    inside = np.any([(placed > one.starts_at) & (placed < one.ends_at + 3_600_000_000) for one in moments], axis=0)
    assert inside.mean() > 0.95


def test_leaked_coupons_are_used_by_honest_people(crowd: Crowd) -> None:
    act, _ = acts_of(crowd, "leaked_coupon")
    assert (act == Act.REDEEM).sum() > 0.2 * (act == Act.CHECKOUT).sum() > 5


def test_an_outage_refuses_most_payments(crowd: Crowd) -> None:
    act, at = acts_of(crowd, "payment_outage")
    moments = crowd.world.calendar.of_kind("payment_outage")
    inside = np.any([(at >= one.starts_at) & (at < one.ends_at) for one in moments], axis=0)
    declined, authorised = (int(((act == one) & inside).sum()) for one in (Act.DECLINED, Act.AUTHORISED))
    assert declined > authorised


def test_staff_use_other_peoples_accounts_from_their_own_devices(crowd: Crowd) -> None:
    rows = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    label = np.append(np.concatenate(crowd.label), -1)[rows["visit"]]
    mine = np.flatnonzero(label == label_of("support_staff"))
    helper = np.concatenate([one.person for one in crowd.calls])[rows["visit"][mine]]
    assert len(np.unique(helper)) < 20
    assert len(np.unique(rows["person"][mine])) > 5 * len(np.unique(helper))


def test_test_orders_are_cancelled(crowd: Crowd) -> None:
    act, _ = acts_of(crowd, "test_order")
    assert (act == Act.ORDER).sum() > 0
    rows = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    label = np.append(np.concatenate(crowd.label), -1)[rows["visit"]]
    tested = set(rows["order"][(label == label_of("test_order")) & (rows["act"] == Act.ORDER)])
    assert not tested & set(rows["order"][rows["act"] == Act.SHIPPED])


def test_scenes_have_labels() -> None:
    assert set(SCENES) >= {"payment_outage", "flash_sale_crowd", "leaked_coupon", "support_staff", "test_order"}
