"""Scalar writers of purchases: one checkout with its payments, and what comes after an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.random import Generator

from floorwalker.events.event import Address, OrderLine, ThreeDSecure
from floorwalker.simulation.shop.diary import Diary
from floorwalker.simulation.shop.honest._common import address_of, common, later, rate_of, session_name, tongue
from floorwalker.simulation.shop.honest.acts import PATHS, TYPES, Act
from floorwalker.simulation.shop.honest.fulfilment import CANCEL_REASONS, REASONS, SUPPORT_REASONS, plan_aftermath
from floorwalker.simulation.shop.honest.paying import DECLINE_CODES, DECLINED, RESULTS, plan_payments
from floorwalker.simulation.shop.honest.shelf import in_currency, shelf_of
from floorwalker.simulation.shop.persona import Persona

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

METHODS = ("parcel", "express", "locker", "digital")
_OFFICE = frozenset({Act.CAPTURED, Act.VOIDED, Act.SHIPPED, Act.DELIVERED, Act.REFUND_ISSUED, Act.RETURN})
"""Acts of the shop and its carriers, which come from no client."""


@dataclass
class Bought:
    """One purchase.

    Parameters
    ----------
    order : its name; None where the bank refused every payment.
    at, end_at : microseconds, of the order and of the last event.
    amount_minor, currency : what was paid.
    lines : of the order.
    persona, device, network : who bought.
    """

    order: str | None
    at: int
    end_at: int
    amount_minor: int
    currency: str
    lines: tuple[OrderLine, ...]
    persona: Persona
    payment: str
    device: int = 0
    network: int = 0
    method: str = METHODS[0]
    ship_to: Address | None = None


def write_lines(world: World, persona: Persona, cart: Sequence[tuple[int, int]], at: int) -> tuple[OrderLine, ...]:
    """Lines of an order for items (by number) and quantities, priced in the person's currency as they are at a time."""
    shelf = shelf_of(world)
    _, rate = rate_of(persona)
    return tuple(
        OrderLine(
            item=shelf.items.id[item],
            seller=shelf.items.seller[item],
            quantity=int(quantity),
            price_minor=int(in_currency(int(shelf.price_at(item, at)), rate)),
            list_price_minor=int(in_currency(int(shelf.list_price[item]), rate)),
            digital=True if shelf.digital[item] else None,
        )
        for item, quantity in cart
    )


def buy(
    world: World,
    diary: Diary,
    persona: Persona,
    at: int,
    rng: Generator,
    *,
    cart: Sequence[tuple[int, int]],
    coupons: Sequence[str] = (),
    card: int = 0,
    ship_to: Address | None = None,
    network: int = 0,
    device: int = 0,
    outcome: str = "",
    session: str = "",
    span: float | None = None,
    group: str | None = None,
    inviter: str | None = None,
) -> Bought:
    """One checkout as the honest generator writes it: checkout, coupon, the bank's check, payment, order.

    Parameters
    ----------
    at : when the checkout begins, microseconds.
    cart : items (by number in the catalogue) and quantities.
    card : place in the persona's cards; another one is tried after a refusal where there are several.
    ship_to : address of the parcel, the persona's home without it.
    outcome : `ok`, `declined` (every try), or "" for chance.
    span : seconds from the first page of the checkout to the order.
    """
    shelf = shelf_of(world)
    lines = write_lines(world, persona, cart, at)
    currency, rate = rate_of(persona)
    full = sum((line.price_minor or 0) * (line.quantity or 1) for line in lines)
    codes = tuple(coupons)
    saved = shelf.discount(codes, full, rate)
    total = sum((line.list_price_minor or 0) * (line.quantity or 1) for line in lines)
    digital = all(line.digital for line in lines)
    name = session_name(rng)
    session = session or session_name(rng)
    seconds = float(rng.lognormal(4.35, 0.55)) if span is None else span
    count = max(1, len(persona.cards))
    refused = {"ok": 0.0, "declined": 1.0}.get(outcome, DECLINED)
    cards = persona.cards
    plan = plan_payments(
        rng, 1, declined=refused, cards=count, checked=0.46 if cards and cards[card % count].bin else 0.0
    )
    address = ship_to or getattr(persona, "ship", None) or persona.home
    method = METHODS[3] if digital else METHODS[int(rng.random() < 0.12)]
    money: dict[str, Any] = {"amount_minor": full - saved, "currency": currency}
    who: dict[str, Any] = {"email": persona.email, "phone": persona.phone, "billing_address": persona.home}
    if persona.guest or not persona.account:
        who["guest"] = True
    goods: dict[str, Any] = {"lines": lines, "list_price_minor": total, "shipping_method": method, **who}
    if digital:
        goods["digital"] = True
    else:
        goods["shipping_address"] = address
    if codes:
        goods |= {"coupons": codes, "discount_minor": saved}
        if codes[0] in shelf.offers:
            goods["promotion"] = shelf.offers[codes[0]].id
    if group:
        goods["group"] = group
    if inviter:
        goods["inviter"] = inviter
    used = cards[card % count] if cards else None
    end = at
    for act, attempt_card, result, code, share in zip(
        plan.act.tolist(),
        plan.card.tolist(),
        plan.result.tolist(),
        plan.code.tolist(),
        plan.share.tolist(),
        strict=True,
    ):
        when = later(at, share * seconds)
        used = cards[(card + attempt_card) % count] if cards else None
        pay: dict[str, Any] = {}
        if used is not None:
            pay = {"payment": used.payment, "card": used.facts}
            if used.bin:
                pay["bin"] = used.bin
        facts = common(world, persona, when, device=device, network=network, session=session, kind=TYPES[act])
        if act == Act.CHECKOUT:
            diary.write("checkout", when, **facts, **money, **goods, **pay, url=address_of(PATHS[Act.CHECKOUT]))
            if codes:
                redeemed = {"coupons": codes, "discount_minor": saved, "order": name, **money}
                redeemed |= {"promotion": goods["promotion"]} if "promotion" in goods else {}
                checked = later(at, 0.55 * seconds)
                facts = common(world, persona, checked, device=device, network=network, session=session)
                diary.write(
                    "coupon_redeem", checked, **facts, **redeemed,
                    url=address_of(PATHS[Act.REDEEM]),
                )  # fmt: skip
        elif act == Act.THREE_D_SECURE:
            check = three_d_secure(RESULTS[result])
            brief = {key: value for key, value in pay.items() if key != "card"}
            diary.write("three_d_secure", when, **facts, **money, **brief, order=name, three_d_secure=check)
        elif act == Act.DECLINED:
            diary.write(
                "payment_declined", when, **facts, **money, **pay, order=name, decline_code=DECLINE_CODES[code],
                url=address_of(PATHS[Act.DECLINED]),
            )  # fmt: skip
        elif act == Act.AUTHORISED:
            diary.write("payment_authorised", when, **facts, **money, **pay, order=name)
        else:
            diary.write("order", when, **facts, **money, **goods, **pay, order=name, url=address_of(PATHS[Act.ORDER]))
        end = when
    paid = bool(plan.paid[0])
    return Bought(
        name if paid else None, end, end, full - saved, currency, lines, persona, used.payment if used else "", device,
        network, method, address,
    )  # fmt: skip


def three_d_secure(result: str) -> ThreeDSecure:
    """The facts that go with a result of the bank's check."""
    eci = {"frictionless": "05", "challenged": "05", "attempted": "06", "unavailable": "07"}.get(result)
    shifted = result in ("frictionless", "challenged", "attempted")
    return ThreeDSecure(result=cast(Any, result), version="2.2.0", eci=eci, liability_shift=shifted)


def after_order(
    world: World,
    diary: Diary,
    bought: Bought,
    rng: Generator,
    *,
    refund: tuple[str, float] | str | bool | None = None,
    returned: bool | None = None,
    review: tuple[int, str] | bool | None = None,
    dispute: Any = None,
    until: int | None = None,
) -> int:
    """What comes after an order: parcel, money, complaints, reviews. Answers when the last of it happened.

    Parameters
    ----------
    bought : by `buy` or `visit`; nothing is written where no order came of it.
    refund : (reason, seconds after the delivery), a reason, or None for chance; False for none.
    returned : whether the goods come back where money is asked for.
    review : (stars from 1 to 5, style of the text), or None for chance; False for none.
    dispute : not written here: disputes come from the bank (`simulation.shop.outcomes`).
    until : nothing is written at or after it; the scenario's end without it.
    """
    if isinstance(getattr(bought, "bought", None), Bought):
        bought = bought.bought  # type: ignore[attr-defined]
    if bought is None or bought.order is None:
        return 0
    persona, habits = bought.persona, bought.persona.habits
    digital = bought.method == METHODS[3]
    plan = plan_aftermath(
        rng,
        digital=np.array([digital]),
        lines=np.array([max(1, len(bought.lines))]),
        return_share=np.array([1.0 if refund else habits.return_share if refund is None else 0.0]),
        review_share=np.array([1.0 if review else habits.review_share if review is None else 0.0]),
        cancel_share=0.0 if refund or review else 0.025,
    )
    end_at = world.scenario.end_at if until is None else until
    delivered = next((float(at) for act, at in zip(plan.act, plan.at, strict=True) if act == Act.DELIVERED), 60.0)
    asked = next((float(at) for act, at in zip(plan.act, plan.at, strict=True) if act == Act.REFUND_REQUESTED), 0.0)
    wished = delivered + refund[1] if isinstance(refund, tuple) else asked
    reason_given = refund[0] if isinstance(refund, tuple) else refund if isinstance(refund, str) else ""
    last = 0
    for row, act in enumerate(plan.act.tolist()):
        seconds = float(plan.at[row])
        if act in (Act.REFUND_REQUESTED, Act.RETURN, Act.REFUND_ISSUED):
            seconds += wished - asked
            if act == Act.RETURN and returned is False:
                continue
        when = later(bought.at, seconds)
        if when >= end_at:
            continue
        fields = _aftermath_fields(world, bought, rng, plan, row, act, reason_given, returned, review)
        if fields is None:
            continue
        if act not in _OFFICE:
            fields |= common(
                world, persona, when, device=bought.device, network=bought.network, session=session_name(rng)
            )
            fields["url"] = address_of(PATHS[act])
        elif persona.account and not persona.guest:
            fields["account"] = persona.account
        diary.write(TYPES[act], when, **fields)
        last = max(last, when)
    return last


def _aftermath_fields(
    world: World,
    bought: Bought,
    rng: Generator,
    plan: Any,
    row: int,
    act: int,
    reason_given: str,
    returned: bool | None,
    review: tuple[int, str] | bool | None,
) -> dict[str, Any] | None:
    reason = int(plan.reason[row])
    part = round(bought.amount_minor * float(plan.share[row]))
    money = {"amount_minor": part, "currency": bought.currency}
    goes_back = bool(plan.returned[row] == 1) if returned is None else returned
    line = bought.lines[int(plan.line[row]) % max(1, len(bought.lines))] if bought.lines else OrderLine()
    fields: dict[str, Any] = {"order": bought.order}
    if act in (Act.CAPTURED, Act.VOIDED):
        fields |= money | ({"payment": bought.payment} if bought.payment else {})
    elif act in (Act.SHIPPED, Act.DELIVERED):
        fields |= {"shipping_method": bought.method, "shipping_address": bought.ship_to}
    elif act == Act.CANCELLED:
        fields |= {"reason": CANCEL_REASONS[reason], **money}
    elif act == Act.REFUND_REQUESTED:
        fields |= {"reason": reason_given or REASONS[reason], "returned": goes_back, **money}
    elif act == Act.REFUND_ISSUED:
        fields |= {"reason": reason_given or REASONS[reason], "returned": goes_back, **money}
        fields |= {"payment": bought.payment} if bought.payment else {}
    elif act == Act.RETURN:
        fields |= {"reason": reason_given or REASONS[reason], "quantity": int(line.quantity or 1)}
    elif act in (Act.REVIEW, Act.RATING):
        stars = review[0] if isinstance(review, tuple) else 1 + round(4 * float(plan.rating[row]))
        fields |= {"item": line.item, "seller": line.seller, "rating": (stars - 1) / 4.0}
        if act == Act.REVIEW:
            place = _place_of(world, line.item)
            style = review[1] if isinstance(review, tuple) else "honest"
            fields["text"] = world.reviews(rng, place, (stars - 1) / 4.0, style, tongue(bought.persona))
        elif review:
            return None
        if act == Act.RATING or bought.persona.account:
            return fields
        return None
    elif act == Act.SUPPORT:
        text = world.message_text(rng, _place_of(world, line.item), "support", tongue(bought.persona))
        fields |= {"reason": SUPPORT_REASONS[reason], "text": text}
        if not bought.persona.account or bought.persona.guest:
            fields["email"] = bought.persona.email
    return fields


def _place_of(world: World, item: str | None) -> int:
    shelf = shelf_of(world)
    places: dict[str, int] | None = shelf.__dict__.get("_places")
    if places is None:
        places = shelf.__dict__["_places"] = {name: place for place, name in enumerate(shelf.items.id)}
    return places.get(item or "", 0)
