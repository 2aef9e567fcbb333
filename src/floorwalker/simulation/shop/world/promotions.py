"""What the shop gives away: coupons, codes for new customers, invitations, group buys, and a code that leaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.scenario import DAY, HOUR, Scenario
from floorwalker.simulation.shop.world.calendar import Calendar


@dataclass(frozen=True)
class Promotion:
    """One offer.

    Parameters
    ----------
    id : its name in events.
    kind : `public` (a code for all), `welcome` (first order), `invitation` (for both sides), `group_buy`, `flash`,
        `personal` (sent to few), `leaked` (meant for few, found by many), `free_shipping`, `gift_card`.
    coupons : codes; `World.personal_code` makes those that everybody has of their own.
    starts_at, ends_at : microseconds.
    percent, discount_minor : how much it takes off; one of them is 0.
    least_minor : smallest basket that it is valid for.
    once_per : `account`, `device`, `order` or "".
    stackable : whether it goes with another.
    """

    id: str
    kind: str
    coupons: tuple[str, ...]
    starts_at: int
    ends_at: int
    percent: int = 0
    discount_minor: int = 0
    least_minor: int = 0
    once_per: str = "account"
    stackable: bool = False


_WORDS = ("HERBST", "AUTUMN", "LUCKY", "SPAR", "DEAL", "HALLO", "CLICK", "HAPPY", "SUPER", "SMILE", "FRESH", "MEGA")


def make_promotions(scenario: Scenario, chance: Chance, calendar: Calendar) -> tuple[Promotion, ...]:
    """The offers of a run, in the order of their beginning."""
    rng = chance.generator("promotions")
    first, end = scenario.first_at, scenario.end_at

    def code(percent: int) -> str:
        return f"{_WORDS[int(rng.integers(len(_WORDS)))]}{percent}{chr(65 + int(rng.integers(26)))}"

    def name() -> str:
        return f"p{int(rng.integers(1 << 36)):09x}"

    made = [
        Promotion(name(), "welcome", ("WELCOME10",), first, end, percent=10, least_minor=2_000),
        Promotion(name(), "welcome", ("NEUKUNDE5",), first, end, discount_minor=500, least_minor=2_500),
        Promotion(name(), "invitation", (), first, end, discount_minor=800, least_minor=2_000),
        Promotion(name(), "group_buy", (), first, end, percent=15, once_per="order"),
        Promotion(
            name(), "free_shipping", ("VERSANDFREI",), first, end, discount_minor=490, once_per="", stackable=True
        ),
        Promotion(name(), "gift_card", (), first, end, percent=0, once_per=""),
    ]
    for day in range(scenario.days):
        start = first + day * DAY - HOUR
        if calendar.promotion[day]:
            percent = int(rng.choice([15, 20, 25]))
            made.append(
                Promotion(
                    name(),
                    "public",
                    (code(percent),),
                    max(start, first),
                    min(start + DAY, end),
                    percent=percent,
                    least_minor=3_000,
                )
            )
            made.append(
                Promotion(
                    name(),
                    "public",
                    (code(10), code(10)),
                    max(start, first),
                    min(start + DAY, end),
                    discount_minor=1_000,
                    least_minor=6_000,
                    stackable=True,
                )
            )
        if day % 7 == 0:
            percent = int(rng.choice([5, 8, 10]))
            made.append(
                Promotion(
                    name(),
                    "public",
                    (code(percent),),
                    max(start, first),
                    min(start + 7 * DAY, end),
                    percent=percent,
                    least_minor=2_500,
                )
            )
            made.append(
                Promotion(
                    name(),
                    "personal",
                    (),
                    max(start, first),
                    min(start + 9 * DAY, end),
                    discount_minor=700,
                    least_minor=3_000,
                )
            )
    made += [
        Promotion(name(), "flash", (), moment.starts_at, moment.ends_at, percent=int(rng.choice([30, 40, 50])))
        for moment in calendar.of_kind("flash_sale")
    ]
    made += [
        Promotion(name(), "leaked", (code(40),), moment.starts_at, moment.ends_at, percent=40, stackable=True)
        for moment in calendar.of_kind("coupon_leak")
    ]
    return tuple(sorted(made, key=lambda one: (one.starts_at, one.id)))


def personal_code(chance: Chance, promotion: Promotion, number: int) -> str:
    """The code that only this customer got."""
    return chance.names(f"coupon/{promotion.id}", np.array([number], dtype=np.uint64), 8)[0].upper()
