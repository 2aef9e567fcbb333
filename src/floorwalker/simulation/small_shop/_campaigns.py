"""Those who prey on the shop: one function a campaign, each on one evening."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from floorwalker.events.event import ClientSignals, DeviceFacts, OrderLine
from floorwalker.simulation.small_shop._customers import PROMOTION
from floorwalker.simulation.small_shop._writing import HOUR, MINUTE, SECOND, Person, Script, person

Campaign = Callable[[np.random.Generator, list[Person], int], Script]


def credential_stuffing(rng: np.random.Generator, victims: list[Person], at: int) -> Script:
    """A leaked list is tried against the login from three addresses; a few passwords still fit."""
    script = Script(rng, "account_takeover", "credential stuffing")
    for number in range(240):
        victim = victims[int(rng.integers(len(victims)))]
        thief = person(rng, number % 3, prefix="s")
        thief.account, thief.device = victim.account, f"device-s{number % 3}"
        moment = at + number * 4 * SECOND + rng.uniform(0, 2) * SECOND
        if rng.random() < 0.97:
            script.write(thief, "login_failed", moment, method="password", ip=f"198.51.100.{number % 3 + 1}")
        else:
            script.write(thief, "login_succeeded", moment, method="password", ip=f"198.51.100.{number % 3 + 1}")
    return script


def card_testing(rng: np.random.Generator, victims: list[Person], at: int) -> Script:
    """Stolen card numbers are tried one by one on small orders, from one machine under a handful of accounts."""
    script = Script(rng, "payment_fraud", "card testing")
    for number in range(60):
        tester = person(rng, number % 4, prefix="t")
        tester.device, tester.ip = "device-t", "198.51.100.77"
        tester.payment, tester.bin = f"card-stolen-{number}", "510510"
        moment, order = at + number * 25 * SECOND, f"order-t{int(rng.integers(1 << 44)):x}"
        facts = {"order": order, "amount_minor": 199, "currency": "EUR", "payment": tester.payment, "bin": tester.bin}
        script.write(tester, "checkout", moment, **facts, digital=True)
        script.pay(tester, moment + 3 * SECOND, 199, order, declined=rng.random() < 0.85)
    return script


def coupon_ring(rng: np.random.Generator, victims: list[Person], at: int) -> Script:
    """Forty accounts on five telephones redeem a coupon that is meant once for each customer, all for one door."""
    script = Script(rng, "promotion_abuse", "coupon ring")
    door = person(rng, 0, prefix="door").address
    for number in range(40):
        member = person(rng, number, prefix="r")
        member.device, member.ip, member.address = f"device-r{number % 5}", f"198.51.100.{130 + number % 5}", door
        member.payment = f"card-r{number % 4}"
        moment = at + number * 90 * SECOND
        facts = DeviceFacts(kind="phone", os="Android", emulator=number % 5 == 0)
        script.write(member, "sign_up", moment, email=member.email, phone=member.phone, device_facts=facts)
        coupon = {"coupons": ("SPRING10",), "promotion": PROMOTION}
        script.write(member, "coupon_claim", moment + 6 * SECOND, **coupon)
        order = f"order-r{int(rng.integers(1 << 44)):x}"
        bought = {"order": order, "shipping_address": door, "payment": member.payment}
        script.write(member, "coupon_redeem", moment + 15 * SECOND, **coupon, **bought)
        script.write(member, "order", moment + 25 * SECOND, **bought, amount_minor=150, currency="EUR", **coupon)
    return script


def scalping(rng: np.random.Generator, victims: list[Person], at: int) -> Script:
    """A script holds the scarce item in cart after cart and checks out faster than anybody reads."""
    script = Script(rng, "inventory_abuse", "scalping")
    bot = person(rng, 0, prefix="b")
    line = (OrderLine(item="item-7", seller="seller-7", quantity=5, price_minor=19_900),)
    cart = {"lines": line, "item": "item-7", "amount_minor": 99_500, "currency": "EUR"}
    for number in range(80):
        moment = at + number * 20 * SECOND
        signals = ClientSignals(webdriver=True, headless=True, pointer_moves=0, key_presses=0, form_ms=40)
        script.write(bot, "add_to_cart", moment, **cart)
        if number % 8 == 0:
            order = f"order-b{number}"
            facts = {**cart, "order": order, "payment": bot.payment, "bin": bot.bin, "email": bot.email}
            script.write(bot, "checkout", moment + SECOND, **facts, signals=signals)
    return script


def bought_reviews(rng: np.random.Generator, victims: list[Person], at: int) -> Script:
    """Thirty accounts praise one item that none of them bought, from three telephones."""
    script = Script(rng, "ranking_manipulation", "bought reviews")
    for number in range(30):
        voice = person(rng, number, prefix="v")
        voice.device, voice.ip = f"device-v{number % 3}", f"198.51.100.{200 + number % 3}"
        moment = at + number * 2 * MINUTE
        script.write(voice, "sign_up", moment, email=voice.email)
        script.write(voice, "review", moment + MINUTE, item="item-200", rating=1.0, text="Great, buy it!")
    return script


def refunds(rng: np.random.Generator, victims: list[Person], at: int) -> Script:
    """A few accounts order, say that nothing arrived, keep the goods and take the money, again and again."""
    script = Script(rng, "return_abuse", "refund abuse")
    for number in range(3):
        taker = person(rng, number, prefix="f")
        script.write(taker, "sign_up", at - 6 * HOUR, email=taker.email)
        for turn in range(6):
            moment, order = at + (turn * 40 + number) * MINUTE, f"order-f{number}-{turn}"
            money = {"order": order, "amount_minor": 24_900, "currency": "EUR"}
            home = {"payment": taker.payment, "shipping_address": taker.address}
            script.write(taker, "order", moment - 5 * HOUR, **money, **home)
            script.write(taker, "refund_requested", moment, **money, returned=False, reason="not delivered")
            script.write(taker, "refund_issued", moment + 5 * MINUTE, **money, returned=False)
    return script


CAMPAIGNS: tuple[Campaign, ...] = (credential_stuffing, card_testing, coupon_ring, scalping, bought_reviews, refunds)
"""Every campaign that there is."""
