"""Honest customers: how they shop, and the ways in which they look like abuse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.event import OrderLine
from floorwalker.simulation.small_shop._writing import DAY, HOUR, MINUTE, SECOND, Person, Script, person

HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 11, 10, 9, 9, 10, 12, 14, 16, 17, 14, 9, 5], np.float64)
ITEMS = 400
PROMOTION = "spring-sale"


def population(rng: np.random.Generator, customers: int) -> list[tuple[Person, str]]:
    """Everybody who may come, with what is special about them.

    One in twelve works in an office behind one address, one in twelve surfs through a carrier, one in ten shares device
    and card with the family, one in fifteen gets parcels at a pickup point, one in a hundred buys in bulk.
    """
    people: list[tuple[Person, str]] = []
    for number in range(customers):
        made = person(rng, number)
        draw = rng.random()
        kind = "customer"
        if draw < 1 / 12:
            made.ip, kind = f"192.0.2.{1 + number % 3}", "office"
        elif draw < 2 / 12:
            made.ip, kind = f"203.0.113.{1 + number % 5}", "mobile"
        elif draw < 2 / 12 + 0.1 and people:
            relative = people[int(rng.integers(len(people)))][0]
            made.device, made.ip, made.payment = relative.device, relative.ip, relative.payment
            made.address, kind = relative.address, "family"
        elif draw < 2 / 12 + 0.1 + 1 / 15:
            made.address = person(np.random.default_rng(7), 0).address
            kind = "pickup point"
        elif draw > 0.99:
            kind = "bulk buyer"
        people.append((made, kind))
    return people


def moments(rng: np.random.Generator, first_at: int, days: int, count: int, sale_day: int) -> NDArray[np.int64]:
    """When visits begin: by the hour of the day, three times as many on the day of the sale."""
    weight = np.ones(days)
    if 0 <= sale_day < days:
        weight[sale_day] = 3.0
    day = rng.choice(days, count, p=weight / weight.sum())
    hour = rng.choice(24, count, p=HOURS / HOURS.sum())
    at: NDArray[np.int64] = (first_at + day * DAY + hour * HOUR + rng.random(count) * HOUR).astype(np.int64)
    return at


def visits(
    rng: np.random.Generator, people: list[tuple[Person, str]], starts: NDArray[np.int64], sale: tuple[int, int]
) -> Iterator[Script]:
    """One script a visit."""
    known: set[str] = set()
    for start in np.sort(starts).tolist():
        who, kind = people[int(rng.integers(len(people)))]
        script = Script(rng, actor=kind)
        at = _arrive(script, who, start, known)
        at = _browse(script, who, at)
        if rng.random() < (0.5 if kind == "bulk buyer" else 0.25):
            _buy(script, who, at, kind, on_sale=sale[0] <= start < sale[1])
        yield script


def _wait(script: Script, mean_seconds: float) -> float:
    return float(script.rng.lognormal(np.log(mean_seconds), 0.7)) * SECOND


def _arrive(script: Script, who: Person, at: float, known: set[str]) -> float:
    rng = script.rng
    if who.account not in known:
        known.add(who.account)
        script.write(who, "sign_up", at, email=who.email, phone=who.phone)
        return at + _wait(script, 40)
    if rng.random() < 0.5:
        for _ in range(int(rng.geometric(0.75)) - 1):
            # Passwords are forgotten.
            script.write(who, "login_failed", at, method="password")
            at += _wait(script, 15)
        script.write(who, "login_succeeded", at, method="password")
        at += _wait(script, 10)
    return at


def _browse(script: Script, who: Person, at: float) -> float:
    rng = script.rng
    for _ in range(1 + int(rng.geometric(0.2))):
        # A popular tenth draws most of the looks.
        item = int(ITEMS * rng.beta(0.6, 3.0))
        if rng.random() < 0.15:
            script.write(who, "search", at, text="shoes" if rng.random() < 0.5 else "jacket")
        else:
            script.write(who, "page_view", at, url=f"/item/{item}", item=f"item-{item}", method="GET", status=200)
        at += _wait(script, 25)
    return at


def _buy(script: Script, who: Person, at: float, kind: str, *, on_sale: bool) -> None:
    rng = script.rng
    item = int(ITEMS * rng.beta(0.6, 3.0))
    pieces = int(rng.integers(10, 60)) if kind == "bulk buyer" else 1 + int(rng.geometric(0.7))
    price = int(rng.lognormal(7.6, 0.6))
    line = OrderLine(item=f"item-{item}", seller=f"seller-{item % 20}", quantity=pieces, price_minor=price)
    amount, order = pieces * price, f"order-{int(rng.integers(1 << 44)):x}"
    script.write(who, "add_to_cart", at, lines=(line,), item=f"item-{item}", amount_minor=amount, currency="EUR")
    at += _wait(script, 60)
    if on_sale and rng.random() < 0.6:
        coupon = {"coupons": ("SPRING10",), "promotion": PROMOTION}
        script.write(who, "coupon_claim", at, **coupon)
        at += _wait(script, 90)
        script.write(who, "coupon_redeem", at, **coupon, order=order, shipping_address=who.address, payment=who.payment)
        amount = max(amount - 1000, 100)
        at += _wait(script, 20)
    facts = {"order": order, "amount_minor": amount, "currency": "EUR", "lines": (line,), "payment": who.payment}
    facts |= {"bin": who.bin, "shipping_address": who.address, "email": who.email}
    script.write(who, "checkout", at, **facts)
    at += _wait(script, 30)
    if rng.random() < 0.06:
        script.pay(who, at, amount, order, declined=True)
        at += _wait(script, 40)
    script.pay(who, at, amount, order)
    script.write(who, "order", at + SECOND, **facts)
    later = at + rng.uniform(2, 6) * DAY
    if rng.random() < 0.15:
        script.write(who, "review", later, item=f"item-{item}", rating=float(rng.choice([0.5, 0.75, 1.0])), order=order)
    if rng.random() < 0.05:
        back = {"order": order, "amount_minor": amount, "currency": "EUR", "returned": True}
        script.write(who, "refund_requested", later + HOUR, **back, reason="does not fit")
        script.write(who, "return", later + 2 * DAY, order=order, result="passed")
        script.write(who, "refund_issued", later + 2 * DAY + 10 * MINUTE, **back)
