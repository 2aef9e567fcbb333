"""Scalar writers of short errands: an account opened, a coupon claimed, a review, a stream, a group, a complaint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.random import Generator

from floorwalker.simulation.shop.diary import Diary
from floorwalker.simulation.shop.honest._common import address_of, common, later, rate_of, session_name, tongue
from floorwalker.simulation.shop.honest.acts import PATHS, Act
from floorwalker.simulation.shop.honest.fulfilment import SUPPORT_REASONS
from floorwalker.simulation.shop.honest.shelf import in_currency, shelf_of
from floorwalker.simulation.shop.honest.visiting import SENT_AGAIN, _Writer
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.scenario import SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World


def _writer(
    world: World, diary: Diary, persona: Persona, rng: Generator, device: int, network: int, session: str
) -> _Writer:
    return _Writer(world, diary, persona, device, network, session or session_name(rng), shelf_of(world))


def sign_up(
    world: World, diary: Diary, persona: Persona, at: int, rng: Generator, *, device: int = 0, network: int = 0,
    inviter: str | None = None, promotion: str | None = None, session: str = "",
) -> int:  # fmt: skip
    """An account is opened: pages, a code by message or mail, the form. Answers when it was done, microseconds."""
    writer = _writer(world, diary, persona, rng, device, network, session)
    writer.page(at, Act.HOME, -1, False)
    at = later(at, float(rng.lognormal(2.7, 0.7)))
    writer.page(at, Act.SIGN_UP_PAGE, -1, False)
    at = later(at, float(rng.lognormal(3.4, 0.45)))
    by_phone = persona.devices[device].channel in ("app", "mini_program") and rng.random() < 0.75
    method = "sms" if by_phone else "email"
    target: dict[str, Any] = {"phone": persona.phone} if by_phone else {"email": persona.email}
    for _ in range(1 + int(rng.random() < SENT_AGAIN)):
        facts = common(world, persona, at, device=device, network=network, session=writer.session)
        diary.write(
            "code_sent", at, **facts, **target, method=method, reason="sign_up", url=address_of(PATHS[Act.CODE_SENT])
        )
        sent, at = at, later(at, float(rng.lognormal(3.4, 0.5)) + 10.0)
    at = sent
    at = later(at, float(rng.lognormal(3.0, 0.5)))
    diary.write(
        "code_checked", at, **facts, **target, method=method, reason="sign_up", result="passed",
        url=address_of(PATHS[Act.CODE_CHECKED]),
    )  # fmt: skip
    at = later(at, float(rng.lognormal(1.2, 0.4)))
    facts = common(world, persona, at, device=device, network=network, session=writer.session, kind="sign_up")
    extra: dict[str, Any] = {"account": persona.account, "email": persona.email, "phone": persona.phone}
    if inviter:
        extra["inviter"] = inviter
    if promotion:
        extra["promotion"] = promotion
    diary.write("sign_up", at, **{**facts, **extra}, url=address_of(PATHS[Act.SIGN_UP]))
    if inviter:
        at += int(rng.uniform(0.2, 1.5) * SECOND)
        accepted: dict[str, Any] = {"inviter": inviter} | ({"promotion": promotion} if promotion else {})
        facts = common(world, persona, at, device=device, network=network, session=writer.session)
        diary.write("invitation_accepted", at, **facts, **accepted, url=address_of(PATHS[Act.INVITATION_ACCEPTED]))
    if rng.random() < 0.8:
        at = later(at, float(rng.uniform(0.5, 3.0)))
        writer.report(at, rng, form=True, pages=2.0, seconds=70.0, known=True)
    return at


def log_in(
    world: World, diary: Diary, persona: Persona, before: int, rng: Generator, *, device: int = 0, network: int = 0,
    session: str = "",
) -> int:  # fmt: skip
    """A log-in that is complete before a time. Answers from when the person is logged in, microseconds."""
    return _writer(world, diary, persona, rng, device, network, session).log_in(before, rng)


def claim(
    world: World, diary: Diary, persona: Persona, at: int, rng: Generator, *, promotion: str | None = None,
    coupons: tuple[str, ...] = (), device: int = 0, network: int = 0, session: str = "",
) -> int:  # fmt: skip
    """Coupons are taken into the account, from the page of offers. Answers when, microseconds."""
    writer = _writer(world, diary, persona, rng, device, network, session)
    codes = tuple(coupons)
    if not codes and promotion:
        codes = tuple(code for code, one in writer.shelf.offers.items() if one.id == promotion)[:1]
    writer.page(at, Act.OFFERS_PAGE, -1, True)
    at = later(at, float(rng.lognormal(2.2, 0.7)))
    if codes:
        writer.claim(at, codes, rng)
    elif promotion:
        facts = common(world, persona, at, device=device, network=network, session=writer.session)
        diary.write("coupon_claim", at, **facts, promotion=promotion, url=address_of(PATHS[Act.CLAIM]))
    return at


def review(
    world: World, diary: Diary, persona: Persona, at: int, rng: Generator, *, item: int, stars: int,
    text: str | None = None, order: str | None = None, style: str = "honest", device: int = 0, network: int = 0,
    session: str = "",
) -> int:  # fmt: skip
    """A review of an item (by number) with 1 to 5 stars. Answers when it was sent, microseconds."""
    writer = _writer(world, diary, persona, rng, device, network, session)
    writer.page(at, Act.ORDERS_PAGE if order else Act.ITEM, item, True)
    return writer.review(at, rng, item, (stars, style), order, text)


def watch_stream(
    world: World, diary: Diary, persona: Persona, at: int, rng: Generator, *, item: int | None = None,
    seller: str | None = None, device: int = 0, network: int = 0, session: str = "",
) -> int:  # fmt: skip
    """A while in a seller's livestream. Answers when it ended, microseconds."""
    writer = _writer(world, diary, persona, rng, device, network, session)
    if item is None and seller is not None:
        owned = [place for place, name in enumerate(writer.shelf.items.seller) if name == seller]
        item = owned[int(rng.integers(len(owned)))] if owned else None
    return writer.stream(at, rng, () if item is None else (item,))


def group_buy(
    world: World, diary: Diary, persona: Persona, at: int, rng: Generator, *, item: int, group: str | None = None,
    inviter: str | None = None, promotion: str | None = None, device: int = 0, network: int = 0, session: str = "",
) -> str:  # fmt: skip
    """A group purchase opened, or joined where `group` is given. Answers the group's name."""
    writer = _writer(world, diary, persona, rng, device, network, session)
    writer.page(at, Act.ITEM, item, True)
    at = later(at, float(rng.lognormal(3.0, 0.6)))
    currency, rate = rate_of(persona)
    price = int(in_currency(int(writer.shelf.price[item]), rate))
    facts = common(world, persona, at, device=device, network=network, session=writer.session)
    goods: dict[str, Any] = {"item": writer.shelf.items.id[item], "seller": writer.shelf.items.seller[item]}
    goods |= {"amount_minor": price, "currency": currency}
    if promotion:
        goods["promotion"] = promotion
    if group is None:
        name = session_name(rng)
        diary.write("group_buy_opened", at, **facts, **goods, group=name, url=address_of(PATHS[Act.GROUP_OPENED]))
        return name
    if inviter:
        goods["inviter"] = inviter
    diary.write("group_buy_joined", at, **facts, **goods, group=group, url=address_of(PATHS[Act.GROUP_JOINED]))
    return group


def support(
    world: World, diary: Diary, persona: Persona, at: int, rng: Generator, *, order: str | None = None,
    reason: str = "", text: str | None = None, device: int = 0, network: int = 0, session: str = "",
) -> int:  # fmt: skip
    """A letter to the support. Answers when it was sent, microseconds."""
    writer = _writer(world, diary, persona, rng, device, network, session)
    writer.page(at, Act.HELP_PAGE, -1, True)
    at = later(at, float(rng.lognormal(4.2, 0.6)))
    facts = common(world, persona, at, device=device, network=network, session=writer.session)
    if "account" not in facts:
        facts["email"] = persona.email
    fields: dict[str, Any] = {"reason": reason or SUPPORT_REASONS[int(rng.integers(len(SUPPORT_REASONS)))]}
    fields["text"] = text if text is not None else world.message_text(rng, 0, "support", tongue(persona))
    if order:
        fields["order"] = order
    diary.write("support_contact", at, **facts, **fields, url=address_of(PATHS[Act.SUPPORT]))
    return at
