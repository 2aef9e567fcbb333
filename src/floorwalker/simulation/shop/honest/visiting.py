"""The scalar writer of visits: one visit of one person, out of the same plans as the honest crowd's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from floorwalker.events.event import Address
from floorwalker.simulation.shop.diary import Diary, Entry
from floorwalker.simulation.shop.honest._common import address_of, common, later, rate_of, session_name, signals, tongue
from floorwalker.simulation.shop.honest.acts import LAST_PAGE, PATHS, Act
from floorwalker.simulation.shop.honest.browsing import BUY, HOLD, LOOK, NATURAL, plan_visits
from floorwalker.simulation.shop.honest.buying import Bought, after_order, buy
from floorwalker.simulation.shop.honest.shelf import Shelf, in_currency, shelf_of
from floorwalker.simulation.shop.honest.words import search_words
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.scenario import SECOND
from floorwalker.simulation.shop.world.catalogue import CATEGORY_IDS

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

INTENTS = {"natural": NATURAL, "browse": LOOK, "hold": HOLD, "buy": BUY, "redeem": BUY, "stream": LOOK, "review": LOOK,
           "return": LOOK}  # fmt: skip
"""What a visit can be for."""
REMEMBERED = {"app": 0.93, "mini_program": 0.93}
"""Share of visits by customers that begin logged in, by channel."""
REMEMBERED_ELSEWHERE = 0.55
CLAIMED = 0.62
"""Share of coupons used by members that they claimed just before."""
SIGNALS_SHARE = 0.8
"""Share of visits that the collector reports on."""
WRONG_PASSWORD: dict[str, Any] = {"reason": "wrong_password", "url": address_of(PATHS[Act.LOGIN])}
"""What the shop says of a log-in that failed, whoever tried."""
NEVER = 1 << 62
"""The time, in microseconds, at which those get logged in who do not."""
LOGIN_METHODS = ("password", "passkey", "code", "social")
LOGIN_SHARES = (0.72, 0.08, 0.08, 0.12)
TAKEN_SHARES = (0.8, 0.0, 0.08, 0.12)
"""The same where an account has come into other hands: a passkey stays with the device of its owner."""
SENT_AGAIN = 0.14
"""Share of codes that have to be asked for twice, because the first one does not come in time."""


@dataclass
class Visited:
    """One visit.

    Parameters
    ----------
    session : its name.
    end_at : microseconds, its last event.
    order, amount_minor : what was bought, None where nothing was.
    entries : what was written.
    bought : the purchase, for `after_order`.
    """

    session: str
    end_at: int
    order: str | None = None
    amount_minor: int | None = None
    entries: list[Entry] = field(default_factory=list)
    bought: Bought | None = None


def visit(
    world: World,
    diary: Diary,
    persona: Persona,
    at: int,
    rng: Generator,
    *,
    device: int = 0,
    network: int = 0,
    intent: str = "browse",
    items: Sequence[int] | None = None,
    coupons: Sequence[str] = (),
    pace: float = 1.0,
    login: bool = True,
    remembered: bool = False,
    fresh: bool = False,
    card: int = 0,
    outcome: str = "",
    ship_to: Address | None = None,
    review: tuple[int, str] | None = None,
    group: str | None = None,
    inviter: str | None = None,
    quantity: int = 0,
) -> Visited:
    """One visit as the honest generator would write it.

    Parameters
    ----------
    at : when its first page is asked for, microseconds.
    device, network : places in the persona's devices and networks.
    intent : one of `INTENTS`.
    items : by number in the catalogue: what is looked at last, and bought where the intent is to buy.
    coupons : used where something is bought; `redeem` claims them before.
    pace : times the person's own pauses.
    login : whether the person is, or gets, logged in.
    remembered : logged in from the beginning, as after an account was opened.
    fresh : nothing is remembered: a log-in comes before the first page, by what can be known of an account.
    card, outcome, ship_to, group, inviter : as `buy` takes them.
    review : (stars, style) of a review that is written where the intent is `review`.
    quantity : pieces of each item; 0 for chance.
    """
    shelf = shelf_of(world)
    first = len(diary.entries)
    session = session_name(rng)
    channel = persona.devices[device].channel
    in_app = channel in ("app", "mini_program")
    wanted = tuple(items or ())
    plan = plan_visits(
        rng,
        np.array([in_app]),
        items=len(shelf),
        intent=np.array([INTENTS[intent]]),
        pace=persona.habits.pace,
        hurry=pace,
    )
    # The plan names items by popularity rank; what is wanted takes the place of the last ones.
    pages = np.where(plan.item >= 0, shelf.on_day(np.maximum(plan.item, 0), np.array(at)), -1)
    views = np.flatnonzero((plan.act == Act.ITEM) | (plan.act == Act.ADD))[::-1]
    for row, item in zip(views.tolist(), wanted, strict=False):
        pages[row] = item
    known = login and bool(persona.account) and not persona.guest
    writer = _Writer(world, diary, persona, device, network, session, shelf)
    known_from = 0 if known else NEVER
    if known and not remembered and (fresh or rng.random() >= REMEMBERED.get(channel, REMEMBERED_ELSEWHERE)):
        known_from = NEVER
        if fresh or rng.random() < 0.4 or intent in ("review", "return", "redeem"):
            known_from = writer.log_in(at, rng, shares=TAKEN_SHARES if fresh else LOGIN_SHARES)
        elif len(plan.order_at):
            # Whoever is about to pay logs in.
            known_from = writer.log_in(later(at, float(plan.order_at[0] - 0.85 * plan.order_span[0])), rng)
    end = at
    bought: Bought | None = None
    claimed = False
    for place, act in enumerate(plan.act.tolist()):
        when = later(at, float(plan.at[place]))
        order = int(plan.order[place])
        if order > 0 or (act == Act.THANKS_PAGE and (bought is None or bought.order is None)):
            continue
        if act == Act.CART_PAGE and order == 0:
            begin = later(at, float(plan.order_at[0] - plan.order_span[0]))
            if intent == "redeem" and coupons and known_from <= begin and not claimed and rng.random() < CLAIMED:
                claim_at = begin - int(rng.lognormal(1.6, 0.6) * SECOND)
                claim_at = max(claim_at, later(known_from, float(rng.uniform(1.0, 6.0))))
                writer.claim(claim_at, tuple(coupons), rng)
                claimed = True
            writer.page(when, act, -1, when >= known_from)
            bought = _purchase(
                writer, rng, plan, begin, wanted, coupons, card, outcome, ship_to, group, inviter, quantity
            )
            end = max(end, bought.end_at)
            continue
        writer.step(when, act, int(pages[place]), when >= known_from, rng)
        end = max(end, when)
    if intent == "stream":
        end = writer.stream(end, rng, wanted)
    if intent == "review" and wanted and known:
        end = writer.review(end, rng, wanted[0], review or (5, "honest"))
    if rng.random() < SIGNALS_SHARE:
        end = later(end, float(rng.uniform(0.5, 4.0)))
        writer.report(
            end, rng, form=bought is not None, pages=len(plan.act), seconds=(end - at) / SECOND,
            known=end >= known_from,
        )  # fmt: skip
    paid = bought is not None and bought.order is not None
    return Visited(
        session, end, bought.order if bought else None, bought.amount_minor if bought and paid else None,
        diary.entries[first:], bought,
    )  # fmt: skip


def _purchase(
    writer: _Writer, rng: Generator, plan: Any, begin: int, wanted: tuple[int, ...], coupons: Sequence[str], card: int,
    outcome: str, ship_to: Address | None, group: str | None, inviter: str | None, quantity: int,
) -> Bought:  # fmt: skip
    rows = plan.line_order == 0
    chosen = wanted or tuple(writer.shelf.on_day(plan.line_item[rows], np.array(begin)).tolist())
    pieces = plan.line_quantity[rows]
    cart = [(item, quantity or int(pieces[place % len(pieces)])) for place, item in enumerate(dict.fromkeys(chosen))]
    return buy(
        writer.world, writer.diary, writer.persona, begin, rng, cart=cart, coupons=coupons, card=card, ship_to=ship_to,
        network=writer.network, device=writer.device, outcome=outcome, session=writer.session,
        span=float(plan.order_span[0]), group=group, inviter=inviter,
    )  # fmt: skip


@dataclass
class _Writer:
    """Writes the events of one visit."""

    world: World
    diary: Diary
    persona: Persona
    device: int
    network: int
    session: str
    shelf: Shelf
    referrer: str = ""

    def facts(self, at: int, known: bool, kind: str = "") -> dict[str, Any]:
        return common(
            self.world, self.persona, at, device=self.device, network=self.network, session=self.session, login=known,
            kind=kind,
        )  # fmt: skip

    def page(self, at: int, act: int, item: int, known: bool) -> None:
        path = PATHS[act]
        fields: dict[str, Any] = {"method": "GET", "status": 200}
        if act == Act.ITEM:
            path += self.shelf.items.id[item]
            fields |= {"item": self.shelf.items.id[item], "seller": self.shelf.items.seller[item]}
        elif act == Act.CATEGORY:
            path += category_of(self.shelf, item if item >= 0 else at // 7)
        elif act == Act.STREAM_PAGE:
            path += self.shelf.items.seller[item]
        if self.referrer:
            fields["referrer"] = self.referrer
        self.referrer = address_of(path)
        self.diary.write("page_view", at, **self.facts(at, known), url=self.referrer, **fields)

    def step(self, at: int, act: int, item: int, known: bool, rng: Generator) -> None:
        """One act of a plan that is neither log-in nor purchase."""
        if act <= LAST_PAGE:
            self.page(at, act, item, known)
        elif act == Act.SEARCH:
            words = search_words(self.world, rng, tongue(self.persona))
            fields: dict[str, Any] = {"text": words, "quantity": int(rng.integers(0, 240))}
            self.referrer = address_of(PATHS[act] + words.replace(" ", "+"))
            self.diary.write("search", at, **self.facts(at, known), url=self.referrer, **fields)
        elif act == Act.ADD:
            self.add(at, item, known)

    def add(self, at: int, item: int, known: bool, quantity: int = 1) -> None:
        currency, rate = rate_of(self.persona)
        price = int(in_currency(int(self.shelf.price_at(item, at)), rate))
        listed = int(in_currency(int(self.shelf.list_price[item]), rate))
        self.diary.write(
            "add_to_cart", at, **self.facts(at, known), url=address_of(PATHS[Act.ADD]), item=self.shelf.items.id[item],
            seller=self.shelf.items.seller[item], quantity=quantity, amount_minor=price * quantity,
            list_price_minor=listed, currency=currency,
        )  # fmt: skip

    def log_in(
        self, before: int, rng: Generator, *, shares: Sequence[float] = LOGIN_SHARES, fails: float = 0.07
    ) -> int:
        """The log-in page, now and then a wrong password or a code, the log-in; all done before a time.

        Answers from when the person is logged in. The steps and their pauses are those of `crowd.Crowd.log_in`.
        """
        done = before - int(rng.uniform(0.5, 3.0) * SECOND)
        method = LOGIN_METHODS[int(np.searchsorted(np.cumsum(shares), rng.random() * sum(shares), side="right"))]
        url = address_of(PATHS[Act.LOGIN])
        self.diary.write("login_succeeded", done, **self.facts(done, True, "login_succeeded"), method=method, url=url)
        when = done - int(rng.lognormal(2.3, 0.5) * SECOND)
        if method == "code":
            self.code("code_checked", when)
            when -= int(rng.lognormal(2.8, 0.4) * SECOND)
            self.code("code_sent", when)
            if rng.random() < SENT_AGAIN:
                when -= int((rng.lognormal(3.4, 0.5) + 10.0) * SECOND)
                self.code("code_sent", when)
            when -= int((rng.lognormal(1.6, 0.6) - 3.0) * SECOND)
        while method == "password" and rng.random() < fails:
            fields: dict[str, Any] = {"method": method, **WRONG_PASSWORD}
            self.diary.write("login_failed", when, **self.facts(when, True, "login_failed"), **fields)
            when -= int(rng.lognormal(2.2, 0.5) * SECOND)
        self.page(when - int(rng.uniform(2.0, 9.0) * SECOND), Act.LOGIN_PAGE, -1, False)
        return done

    def code(self, kind: str, at: int) -> None:
        """A code to log in with, by message to the telephone: sent, or typed in."""
        path = Act.CODE_SENT if kind == "code_sent" else Act.CODE_CHECKED
        fields: dict[str, Any] = {"phone": self.persona.phone, "method": "sms", "reason": "login"}
        if kind == "code_checked":
            fields["result"] = "passed"
        self.diary.write(kind, at, **self.facts(at, True), **fields, url=address_of(PATHS[path]))

    def claim(self, at: int, coupons: tuple[str, ...], rng: Generator) -> None:
        for place, code in enumerate(coupons):
            at += int(rng.lognormal(1.3, 0.5) * SECOND) if place else 0
            fields: dict[str, Any] = {"coupons": (code,)}
            offer = self.shelf.offers.get(code)
            if offer is not None:
                fields["promotion"] = offer.id
            self.diary.write("coupon_claim", at, **self.facts(at, True), url=address_of(PATHS[Act.CLAIM]), **fields)

    def stream(self, at: int, rng: Generator, wanted: Sequence[int]) -> int:
        """A livestream: the page, and what its viewer does in it."""
        item = wanted[0] if wanted else int(self.shelf.by_rank[int(rng.integers(min(40, len(self.shelf))))])
        at = later(at, float(rng.uniform(2, 20)))
        self.page(at, Act.STREAM_PAGE, item, True)
        for _ in range(1 + int(rng.geometric(0.35))):
            at = later(at, float(rng.lognormal(3.6, 1.0)))
            reason = ("watch", "like", "like", "comment", "follow")[int(rng.integers(5))]
            fields: dict[str, Any] = {"item": self.shelf.items.id[item], "seller": self.shelf.items.seller[item]}
            if reason == "comment":
                fields["text"] = self.world.message_text(rng, item, "livestream", tongue(self.persona))
            fields |= {"reason": reason, "url": address_of(PATHS[Act.STREAM])}
            self.diary.write("livestream", at, **self.facts(at, True), **fields)
        return at

    def review(
        self,
        at: int,
        rng: Generator,
        item: int,
        wish: tuple[int, str],
        order: str | None = None,
        text: str | None = None,
    ) -> int:
        """The form, and the review."""
        at = later(at, float(rng.uniform(4, 25)))
        self.page(at, Act.REVIEW_PAGE, item, True)
        at = later(at, float(rng.lognormal(4.3, 0.6)))
        words = (
            text
            if text is not None
            else self.world.reviews(rng, item, (wish[0] - 1) / 4.0, wish[1], tongue(self.persona))
        )
        fields: dict[str, Any] = {"item": self.shelf.items.id[item], "seller": self.shelf.items.seller[item]}
        fields |= {"text": words, "rating": (wish[0] - 1) / 4.0, "url": address_of(PATHS[Act.REVIEW])}
        if order:
            fields["order"] = order
        self.diary.write("review", at, **self.facts(at, True), **fields)
        return at

    def report(self, at: int, rng: Generator, *, form: bool, pages: float, seconds: float, known: bool) -> None:
        """What the collector sends."""
        seen = signals(
            self.world, self.persona, at, rng, device=self.device, form=form, pages=pages, seconds=max(1.0, seconds)
        )
        self.diary.write(
            "client_signals",
            at,
            **self.facts(at, known, "client_signals"),
            signals=seen,
            url=address_of(PATHS[Act.SIGNALS]),
        )


def category_of(shelf: Shelf, item: int) -> str:
    """The name of an item's category."""
    return CATEGORY_IDS[int(shelf.items.category[int(item) % len(shelf)])]


__all__ = ["INTENTS", "Visited", "after_order", "buy", "visit"]
