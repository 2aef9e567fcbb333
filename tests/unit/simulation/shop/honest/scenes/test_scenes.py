"""Every scene: it happens, to honest people, when it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.crowd import Crowd, make_crowd
from floorwalker.simulation.shop.honest.labels import LABELS, SCENES, label_of
from floorwalker.simulation.shop.honest.paying import RESULTS
from floorwalker.simulation.shop.honest.scenes import list_scenes
from floorwalker.simulation.shop.honest.signalling import draw_signals
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world import World


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    world = World(Scenario(events=250_000, days=30, seed=4))
    return make_crowd(world, np.arange(world.customers), np.random.default_rng(1), 1.2)


def rows_of(crowd: Crowd, name: str) -> dict[str, Any]:
    """The rows of a scene's visits, with the account that acts and the one who holds the device."""
    rows = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    label = np.append(np.concatenate(crowd.label), -1)[rows["visit"]]
    mine = np.flatnonzero(label == label_of(name))
    holder = np.concatenate([one.person for one in crowd.calls])[rows["visit"][mine]]
    return {**{name: column[mine] for name, column in rows.items()}, "holder": holder}


def acts_of(crowd: Crowd, name: str) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    rows = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    label = np.append(np.concatenate(crowd.label), -1)[rows["visit"]]
    mine = label == label_of(name)
    return rows["act"][mine], rows["at"][mine]


def test_every_scene_is_played() -> None:
    assert list_scenes() == [
        "app_release", "community_leaders", "flash_sale_crowd", "forgotten_passwords", "gift_giving", "honest_disputes",
        "leaked_coupon", "payment_outage", "price_errors", "recycled_numbers", "second_hand_phones", "support_staff",
        "test_orders", "three_d_secure_trouble",
    ]  # fmt: skip


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


def test_whoever_forgot_tries_many_passwords_and_gets_a_new_one_or_writes(crowd: Crowd) -> None:
    rows = rows_of(crowd, "forgotten_password")
    visits, failed = np.unique(rows["visit"][rows["act"] == Act.LOGIN_FAILED], return_counts=True)
    assert len(visits) > 8
    assert failed.min() >= 3
    ended = np.isin(rows["act"], (Act.PASSWORD_RESET, Act.SUPPORT))
    assert set(rows["visit"][ended]) == set(visits)


def test_a_recycled_number_leads_into_a_strangers_account(crowd: Crowd) -> None:
    rows = rows_of(crowd, "recycled_number")
    entered = (rows["act"] == Act.LOGIN) & (rows["holder"] != rows["person"])
    assert entered.any()
    assert set(rows["visit"][entered]) == set(rows["visit"][rows["act"] == Act.LOGOUT])
    # Both owners of the number speak up: the one who landed there, and the one who gets no codes any more.
    assert set(rows["person"][rows["act"] == Act.SUPPORT]) == set(rows["holder"][entered])
    assert set(rows["person"][rows["act"] == Act.CONTACT_CHANGE]) <= set(rows["person"][entered])


def test_a_telephone_that_was_sold_serves_two_accounts(crowd: Crowd) -> None:
    rows = rows_of(crowd, "phone_changed_hands")
    who = np.unique(rows["person"])
    assert len(who) > 2
    world, people = crowd.world, crowd.people
    sold_at = world.handed_over_at(people.numbers[who])
    number, clears = people.device_number[who, 0], people.clears_days[who]
    before, after = (world.device_ids(number, clears, sold_at + shift) for shift in (-1, 1))
    assert (before != after).all()
    for one, at in zip(who.tolist(), sold_at.tolist(), strict=True):
        assert rows["at"][rows["person"] == one].min() > at


def test_givers_send_many_parcels_to_other_doors_or_hand_out_cards(crowd: Crowd) -> None:
    rows = rows_of(crowd, "gift_giving")
    ordered = np.unique(rows["order"][rows["act"] == Act.ORDER])
    ship = np.concatenate([one.ship for one in crowd.orders])[ordered]
    person = np.concatenate([one.person for one in crowd.orders])[ordered]
    assert len(ordered) > 2 * len(np.unique(person)) > 0
    assert (ship != person).mean() > 0.9
    given = rows["act"] == Act.TRANSFER
    assert given.any()
    assert (rows["other"][given] != rows["person"][given]).all()


def test_leaders_order_in_many_accounts_on_one_device_to_one_door(crowd: Crowd) -> None:
    rows = rows_of(crowd, "community_leader")
    assert len(np.unique(rows["person"])) >= 2 * len(np.unique(rows["holder"])) > 0
    ordered = np.unique(rows["order"][rows["act"] == Act.ORDER])
    ship = np.concatenate([one.ship for one in crowd.orders])[ordered]
    assert set(ship) <= set(rows["holder"])


def test_a_release_logs_people_out_and_its_signals_differ(crowd: Crowd) -> None:
    rows = rows_of(crowd, "app_release")
    (release,) = crowd.world.calendar.of_kind("app_release")
    assert (rows["act"] == Act.LOGIN).sum() > 20
    assert rows["at"].min() >= release.starts_at
    many = np.full(4_000, 1.0)
    asked = {"touch": many > 0, "pointer": many, "form": many > 0, "pages": 5 * many, "seconds": 60 * many}
    old, new = (
        draw_signals(np.random.default_rng(3), **asked, renewed=np.full(4_000, renewed)) for renewed in (False, True)
    )
    assert new["touches"].mean() < 0.6 * old["touches"].mean()
    assert new["tampered"].mean() > 2 * old["tampered"].mean()


def test_a_banks_trouble_is_its_customers(crowd: Crowd) -> None:
    rows = rows_of(crowd, "three_d_secure_trouble")
    tried = rows["code"][rows["act"] == Act.THREE_D_SECURE]
    failed = np.isin(tried, [RESULTS.index("failed"), RESULTS.index("abandoned")])
    assert len(tried) > 5
    assert failed.mean() > 0.4
    days = np.unique(rows["at"][rows["act"] == Act.CHECKOUT] // DAY)
    assert len(days) < crowd.world.scenario.days / 2


def test_honest_disputers_ask_twice_before_the_bank_does(crowd: Crowd) -> None:
    rows = rows_of(crowd, "honest_dispute")
    ordered = set(rows["order"][rows["act"] == Act.ORDER])
    assert ordered
    everything = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    sent = np.isin(everything["order"], list(ordered))
    assert not (everything["act"][sent] == Act.DELIVERED).any()
    assert not (everything["act"][sent] == Act.REFUND_ISSUED).any()
    assert (everything["act"][sent] == Act.REFUND_REQUESTED).any()


def test_scenes_are_small_beside_the_crowd(crowd: Crowd) -> None:
    rows = crowd.rows.stack((crowd.world.scenario.first_at, crowd.world.scenario.end_at))
    label = np.append(np.concatenate(crowd.label), -1)[rows["visit"]]
    for name in SCENES:
        assert (label == label_of(name)).mean() < 0.08, name


def test_scenes_have_labels() -> None:
    assert set(SCENES) >= {"payment_outage", "flash_sale_crowd", "leaked_coupon", "support_staff", "test_order"}
    assert len(set(SCENES)) == len(SCENES)


def test_every_label_is_documented() -> None:
    page = (Path(__file__).parents[6] / "docs" / "simulated-world.md").read_text("utf-8")
    assert [name for name in LABELS if f"`{name}`" not in page] == []
