"""What a member of a crew can do in the shop: by hand, exactly as customers do it, or by script.

Whoever keeps human hours uses the writers of the honest customers themselves: the same pages, pauses and signals. For
the others the same visit is cut down to what a script sends (`_script`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop import honest
from floorwalker.simulation.shop.adversaries._crew import Crew, Member
from floorwalker.simulation.shop.adversaries._errands import Errand
from floorwalker.simulation.shop.adversaries._script import machine_signals, pause, rush
from floorwalker.simulation.shop.diary import Diary, Entry, Truth
from floorwalker.simulation.shop.honest._common import rate_of, tongue
from floorwalker.simulation.shop.honest.shelf import HOST, in_currency, shelf_of
from floorwalker.simulation.shop.honest.visiting import WRONG_PASSWORD
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.scenario import HOUR, SECOND

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World


@dataclass
class Done:
    """What one visit left behind.

    Parameters
    ----------
    entries : in the order of their times.
    end_at : when the visit was over; parcels and refunds come later.
    session : its name.
    order, amount_minor : what was bought, if anything.
    bought : as the honest writers name the purchase, for `refund` and `review`.
    """

    entries: list[Entry]
    end_at: int
    session: str = ""
    order: str | None = None
    amount_minor: int = 0
    bought: Any = None


_LAST_PAGES = tuple(HOST + path for path in ("/account", "/help", "/offers", "/api/signals"))
"""What people ask for when they have seen enough of the goods."""
STREAM_REASONS = ("watch", "like", "like", "comment", "follow")
"""What viewers of a livestream do."""
_PAID_BY_PIECE = 0.55
"""Share of hired viewers who are paid for each heart: more of them, at steadier pauses."""


class Hands:
    """Writes events for members of a crew.

    Parameters
    ----------
    world : the shop.
    rng : the campaign's.
    truth : of every event; which are harmful is decided afterwards.
    crew : knows the network that a member comes from next.
    """

    def __init__(self, world: World, rng: Generator, truth: Truth, crew: Crew) -> None:
        self.world = world
        self.rng = rng
        self.truth = truth
        self.crew = crew

    def visit(
        self,
        member: Member,
        at: int,
        intent: str,
        *,
        keep: frozenset[str] = frozenset(),
        invited: tuple[str, str | None] | None = None,
        **wishes: Any,
    ) -> Done:
        """One visit.

        Parameters
        ----------
        intent, wishes : as `honest.visit` takes them (`items`, `coupons`, `login`, `fresh`, …).
        keep : types of events that a script must not leave out.
        invited : inviter, and promotion, of somebody who opens an account first.
        """
        diary = Diary(self.truth)
        persona, device = self.seen(member), self._device(member)
        begin, session = at, ""
        if not member.opened:
            session = self.session()
            inviter, promotion = invited or (None, None)
            opened = self._open(diary, member, persona, at, session=session, inviter=inviter, promotion=promotion)
            begin = opened + self.pause(member)
            persona = replace(member.persona, networks=persona.networks)
            wishes = {"remembered": True, **wishes}
        first = len(diary.entries)
        visited = honest.visit(
            self.world, diary, persona, begin, self.rng, device=device, network=0, intent=intent, **wishes
        )
        if session:
            # Whoever has just opened an account stays in the session.
            for entry in diary.entries[first:]:
                if entry.event.session == visited.session:
                    entry.event = msgspec.structs.replace(entry.event, session=session)
        entries = sorted(diary.entries, key=lambda entry: entry.event.at)
        entries = self.finish(member, entries, visited.end_at, keep)
        return Done(
            entries, visited.end_at, session or visited.session, visited.order, visited.amount_minor or 0,
            visited.bought,
        )  # fmt: skip

    def finish(
        self, member: Member, entries: list[Entry], end_at: int, keep: frozenset[str] = frozenset()
    ) -> list[Entry]:
        """Entries as this member's tactic sends them."""
        tactic = member.tactic
        if tactic.looks_human or not entries:
            honest.link(entries, self.rng)
            return entries
        return rush(entries, self.rng, pace=tactic.pace, device=tactic.device, keep=keep, end_at=end_at)

    def sign_up(self, member: Member, at: int, *, inviter: str | None = None, promotion: str | None = None) -> Done:
        """Open the account."""
        diary = Diary(self.truth)
        persona = self.seen(member)
        end_at = self._open(diary, member, persona, at, inviter=inviter, promotion=promotion)
        entries = sorted(diary.entries, key=lambda entry: entry.event.at)
        keep = frozenset({"code_sent", "code_checked"})
        return Done(self.finish(member, entries, end_at, keep), end_at)

    def after(self, done: Done, **what: Any) -> list[Entry]:
        """What follows a purchase: parcels, refunds, returns, reviews; as `honest.after_order` takes them."""
        diary = Diary(self.truth)
        honest.after_order(self.world, diary, done.bought, self.rng, **what)
        bought = done.bought
        for entry in list(diary.entries):
            if entry.event.session and bought is not None:
                # What the customer does about it happens in a short visit of its own.
                session = self.session()
                Errand(self.world, diary, bought.persona, self.rng, device=bought.device, session=session).round_off(
                    entry
                )
        honest.link(diary.entries, self.rng)
        return sorted(diary.entries, key=lambda entry: entry.event.at)

    def errand(
        self, member: Member, at: int, kind: str, path: str, *, about: int = -1, rest: float = 0.0, **fields: Any
    ) -> Done:
        """A short visit for one deed; a script sends the deed alone."""
        diary = Diary(self.truth)
        persona, device = self.seen(member), self._device(member)
        session = self.session()
        begin, opens = at, not member.opened
        if opens:
            begin = self._open(diary, member, persona, at, session=session) + self.pause(member)
            persona = replace(member.persona, networks=persona.networks)
        errand = Errand(self.world, diary, persona, self.rng, device=device, session=session, remembered=opens)
        done = errand.run(kind, begin, path, about=about, rest=rest, **fields)
        entries = sorted(diary.entries, key=lambda entry: entry.event.at)
        entries = self.finish(member, entries, entries[-1].event.at, frozenset({kind}))
        return Done(entries, done, session)

    def review(self, member: Member, at: int, *, item: int, stars: int, style: str) -> Done:
        """A review of something that was never bought; a script goes straight to the form."""
        return self.errand(
            member, at, "review", "/account/reviews/new", rating=(stars - 1) / 4.0, url=f"{HOST}/api/reviews",
            text=self.world.reviews(self.rng, item, (stars - 1) / 4.0, style, tongue(member.persona)),
            **self.goods(item),
        )  # fmt: skip

    def watch_stream(self, member: Member, at: int, *, item: int, end_at: int) -> Done:
        """A while in a livestream: hearts, and now and then a word."""
        goods = self.goods(item)
        first = self.errand(
            member,
            at,
            "livestream",
            f"/live/{goods['seller']}",
            url=f"{HOST}/api/live",
            rest=float(self.rng.lognormal(3.4, 1.0)),
            **goods,
            **self._applause(member, item),
        )
        entries, when = first.entries, first.end_at
        persona = self.seen(member)
        paid = self.rng.random() < _PAID_BY_PIECE
        for _ in range(min(int(self.rng.geometric(0.12 if paid else 0.3)) - 1, 30)):
            spread = 0.6 if paid else 1.0
            when += int(self.rng.lognormal(3.4, spread) * SECOND) if member.tactic.looks_human else self.pause(member)
            if when >= end_at:
                break
            facts = honest.common(self.world, persona, when, device=0, network=0, session=first.session)
            fields = {**facts, **goods, **self._applause(member, item), "url": f"{HOST}/api/live"}
            like = next(entry.event for entry in entries if entry.event.type == "livestream")
            fields |= {"ip": like.ip, "network": like.network, "device": like.device}
            fields |= {"user_agent": like.user_agent, "channel": like.channel, "language": like.language}
            entries.append(Diary(self.truth).write("livestream", when, **fields))
        return Done(entries, when, first.session)

    def _applause(self, member: Member, item: int) -> dict[str, Any]:
        reason = STREAM_REASONS[int(self.rng.integers(len(STREAM_REASONS)))]
        if reason != "comment":
            return {"reason": reason}
        return {"reason": reason, "text": self.world.message_text(self.rng, item, "livestream", tongue(member.persona))}

    def group_buy(self, member: Member, at: int, *, item: int, group: str, inviter: str | None) -> Done:
        """A group purchase opened, or joined where there is an inviter."""
        kind = "group_buy_opened" if inviter is None else "group_buy_joined"
        shelf = self.world.items
        currency, rate = rate_of(member.persona)
        fields: dict[str, Any] = {"group": group} | ({"inviter": inviter} if inviter else {})
        return self.errand(
            member, at, kind, "/item/", about=item, **fields, currency=currency,
            amount_minor=int(in_currency(int(shelf.price_minor[item]), rate)),
            url=f"{HOST}/api/groups" + ("/join" if inviter else ""),
            **self.goods(item),
        )  # fmt: skip

    def join_by_chance(self, at: int, count: int, *, item: int, group: tuple[str, int, str]) -> list[Entry]:
        """Customers who join a group that they take for an ordinary one; what they do is honest."""
        entries: list[Entry] = []
        for _ in range(count):
            persona = self.crew.draw_customer()[0]
            when = at + int(float(self.rng.lognormal(1.1, 1.1)) * HOUR)
            diary = Diary(Truth(segment=persona.segment))
            currency, rate = rate_of(persona)
            errand = Errand(self.world, diary, persona, self.rng, device=0, session=self.session())
            errand.run(
                "group_buy_joined", when, "/item/", about=item, group=group[0], inviter=group[2], currency=currency,
                amount_minor=int(in_currency(int(self.world.items.price_minor[item]), rate)),
                url=f"{HOST}/api/groups/join", **self.goods(item),
            )  # fmt: skip
            honest.link(diary.entries, self.rng)
            honest.stay(diary.entries)
            entries += diary.entries
        return entries

    def goods(self, item: int) -> dict[str, Any]:
        """The fields that name an item."""
        return {"item": str(self.world.items.id[item]), "seller": str(self.world.items.seller[item])}

    def claim(self, member: Member, at: int, *, code: str) -> Done:
        """A coupon taken into the account."""
        return self._call(member, at, honest.claim, coupons=(code,))

    def come_to_form(
        self, member: Member, at: int, *, session: str, form: str = "/register", first: bool = True
    ) -> list[Entry]:
        """The form on which a code is asked for, and the home page before it where the visit has only begun."""
        later = at + int(float(self.rng.lognormal(2.7, 0.7)) * SECOND)
        pages = ((at, "/"), (later, form)) if first and form != "/login" else ((at, form),)
        return [
            self.write(
                member, "page_view", when, session=session, login=False, url=HOST + path, method="GET", status=200
            )
            for when, path in pages
        ]

    def miss(self, member: Member, at: int, **fields: Any) -> list[Entry]:
        """A wrong password, and nothing more; people see the page for it, unless it was open before."""
        session, entries = self.session(), []
        if member.tactic.looks_human and self.rng.random() < 0.8:
            typing = float(self.rng.lognormal(2.6, 0.6)) + 2.0
            entries.append(
                self.write(
                    member, "page_view", at - int(typing * SECOND), session=session, login=False, url=f"{HOST}/login",
                    method="GET", status=200,
                )
            )  # fmt: skip
        wrong = {"method": "password", **WRONG_PASSWORD, **fields}
        return [*entries, self.write(member, "login_failed", at, session=session, **wrong)]

    def look(self, member: Member, at: int, path: str) -> Entry:
        """One page, asked for by address."""
        return self.write(member, "page_view", at, session=self.session(), url=HOST + path, method="GET", status=200)

    def click(self, member: Member, at: int, kind: str, *, item: int) -> Done:
        """One item looked at once more, or put into the cart, by whoever comes for that alone."""
        if kind == "page_view":
            fields: dict[str, Any] = {"url": f"{HOST}/item/{self.world.items.id[item]}", "method": "GET", "status": 200}
        else:
            currency, rate = rate_of(member.persona)
            price = int(in_currency(int(shelf_of(self.world).price_at(item, at)), rate))
            fields = {"url": f"{HOST}/api/cart/add", "quantity": 1, "amount_minor": price, "currency": currency}
            fields["list_price_minor"] = int(in_currency(int(self.world.items.list_price_minor[item]), rate))
        return self.errand(member, at, kind, "/item/", about=item, **self.goods(item), **fields)

    def harvest(self, member: Member, at: int, items: Sequence[int]) -> tuple[list[Entry], list[Entry]]:
        """A person's visit, and the pages that an extension asks for under it, with the same cookies.

        The pages of the list come in the pauses of the person, or after the last one: never two at once, each once, at
        pauses that are drawn to look like a person's and vary less than a person's do.
        """
        cover = self.visit(member, at, "browse", pace=0.9).entries
        looks = [entry for entry in cover if entry.event.type in ("page_view", "search")]
        copies: list[Entry] = []
        if not looks:
            return cover, copies
        # What people do last: a look at the account, and the collector reports when the tab is left.
        tail = [entry for entry in cover if (entry.event.url or "").startswith(_LAST_PAGES)]
        pages = [entry for entry in looks if entry not in tail] or looks
        tail = [entry for entry in tail if entry.event.at > pages[-1].event.at]
        inside = max((entry.event.at for entry in cover if entry.event.type == "login_succeeded"), default=0)
        like = pages[-1].event
        shelf = self.world.items
        when = pages[int(self.rng.integers(len(pages)))].event.at
        for item in items:
            when += int(float(self.rng.lognormal(3.1, 0.9) + 1.0) * SECOND)
            name, seller = str(shelf.id[item]), str(shelf.seller[item])
            account = like.account if when >= inside else None
            made = msgspec.structs.replace(
                like, type="page_view", at=when, url=f"{HOST}/item/{name}", item=name, seller=seller, method="GET",
                status=200, text=None, quantity=None, account=account,
            )  # fmt: skip
            copies.append(Entry(made, self.truth))
        if tail and copies and tail[0].event.at < when:
            later = when - tail[0].event.at + int(float(self.rng.lognormal(1.9, 0.8)) * SECOND)
            for entry in tail:
                entry.event = msgspec.structs.replace(entry.event, at=entry.event.at + later)
        # A request says where it comes from as the pages of people do.
        honest.link([*cover, *copies], self.rng)
        return cover, copies

    def crawl(self, member: Member, at: int, items: Sequence[int], *, login: bool = False) -> list[Entry]:
        """The pages of some items, one after the other."""
        entries = []
        session = self.session()
        shelf = self.world.items
        for item in items:
            name, seller = str(shelf.id[item]), str(shelf.seller[item])
            gone = self.rng.random() < 0.03
            entries.append(
                self.write(
                    member, "page_view", at, session=session, login=login, url=f"{HOST}/item/{name}", method="GET",
                    status=404 if gone else 200, item=name, seller=seller,
                )
            )  # fmt: skip
            at += self.pause(member)
        return entries

    def balance(self, member: Member, at: int, kind: str, *, amount_minor: int, recipient: str = "") -> Done:
        """A balance filled, moved or spent."""
        currency, rate = rate_of(member.persona)
        balance = ("gift_card", "gift_card", "points", "balance")[int(self.rng.integers(4))]
        fields: dict[str, Any] = {"amount_minor": int(amount_minor * rate), "currency": currency}
        if kind == "top_up":
            card = member.persona.cards[0]
            fields |= {"payment": card.payment} | ({"bin": card.bin} if card.bin else {})
        if recipient:
            fields["recipient"] = recipient
        path = {"top_up": "/api/balance/top-up", "transfer": "/api/balance/transfer"}.get(kind, "/api/balance/spend")
        return self.errand(member, at, kind, "/account", balance_kind=balance, url=HOST + path, **fields)

    def listing(self, member: Member, at: int, *, item: int, share: float, style: str) -> list[Entry]:
        """An offer of an item at a share of its usual price."""
        shelf = self.world.items
        currency, rate = rate_of(member.persona)
        asked = in_currency(int(shelf.price_minor[item]) * share * float(self.rng.lognormal(0.0, 0.2)), rate)
        price = max(99, round(asked / 10) * 10 - 1)
        pieces = max(1, int(np.ceil(200.0 * float(self.rng.random()) ** 1.3)))
        return self.errand(
            member, at, "listing", "/account", seller=str(shelf.seller[item]), item=str(shelf.id[item]),
            text=self.world.listing_text(self.rng, item, style, tongue(member.persona)), list_price_minor=price,
            currency=currency, quantity=pieces, url=f"{HOST}/api/seller/items",
        ).entries  # fmt: skip

    def message(self, member: Member, at: int, *, count: int, item: int, style: str) -> list[Entry]:
        """Words to `count` other customers, one after the other."""
        entries: list[Entry] = []
        for _ in range(count):
            done = self.errand(
                member, at, "message", "/item/", about=item, rest=float(self.rng.uniform(15.0, 60.0)),
                url=f"{HOST}/api/messages", **self.goods(item),
                text=self.world.message_text(self.rng, item, style, tongue(member.persona)),
            )  # fmt: skip
            entries += done.entries
            at = entries[-1].event.at + self.pause(member)
        return entries

    def reprice(self, done: Done, share: float, pieces: int) -> None:
        """Make the first line of an order one of so many pieces at this share of its price, wherever it stands."""
        for entry in done.entries:
            event = entry.event
            if not event.lines or event.amount_minor is None:
                continue
            first = event.lines[0]
            price = max(1, round((first.price_minor or 0) * share))
            line = msgspec.structs.replace(first, price_minor=price, quantity=max(pieces, first.quantity or 1))
            changed = price * (line.quantity or 1) - (first.price_minor or 0) * (first.quantity or 1)
            listed = (first.list_price_minor or 0) * ((line.quantity or 1) - (first.quantity or 1))
            entry.event = msgspec.structs.replace(
                event,
                lines=(line, *event.lines[1:]),
                amount_minor=max(1, event.amount_minor + changed),
                list_price_minor=(event.list_price_minor or 0) + listed,
            )
        amount = {entry.event.order: entry.event.amount_minor for entry in done.entries if entry.event.type == "order"}
        for entry in done.entries:
            event = entry.event
            if not event.lines and event.order in amount and event.type in ("payment_authorised", "payment_captured"):
                entry.event = msgspec.structs.replace(event, amount_minor=amount[event.order])

    def again(self, entry: Entry, at: int) -> Entry:
        """The same request once more."""
        return Entry(msgspec.structs.replace(entry.event, at=at), entry.truth)

    def _call(self, member: Member, at: int, writer: Callable[..., Any], **wishes: Any) -> Done:
        """One of the smaller writers of the honest customers."""
        diary = Diary(self.truth)
        persona, device = self.seen(member), self._device(member)
        begin = at if member.opened else self._open(diary, member, persona, at) + self.pause(member)
        result = writer(self.world, diary, persona, begin, self.rng, device=device, network=0, **wishes)
        entries = sorted(diary.entries, key=lambda entry: entry.event.at)
        end_at = entries[-1].event.at
        keep = frozenset({"livestream", "coupon_claim", "group_buy_joined", "group_buy_opened"})
        return Done(self.finish(member, entries, end_at, keep), end_at, bought=result)

    def write(
        self, member: Member, kind: str, at: int, *, session: str = "", login: bool = True, **fields: Any
    ) -> Entry:
        """One event with the fields that every event of a visit carries."""
        diary = Diary(self.truth)
        facts = honest.common(
            self.world, self.seen(member), at, device=0, network=0, session=session, login=login, kind=kind
        )
        return diary.write(kind, at, **{**facts, **fields})

    def signals(self, member: Member, at: int) -> Any:
        """What the collector sees of this member's client."""
        if not member.tactic.looks_human:
            return machine_signals(self.rng, member.tactic.device)
        return honest.signals(self.world, self.seen(member), at, self.rng, device=self._device(member))

    def pause(self, member: Member) -> int:
        """Microseconds until the next thing that this member does."""
        if member.tactic.looks_human:
            return int(self.rng.lognormal(2.8, 0.9) * 1_000_000 * member.persona.habits.pace)
        return pause(self.rng, member.tactic.pace)

    def session(self) -> str:
        """A name for a visit."""
        return f"{int(self.rng.integers(1 << 44)):011x}"

    def seen(self, member: Member) -> Persona:
        """The person as the shop sees it at the next visit: the network is drawn anew where it rotates."""
        return replace(member.persona, networks=(self.crew.network_of(member),))

    def _device(self, member: Member) -> int:
        """The usual device; now and then the other one of a person who has two."""
        count = len(member.persona.devices)
        return 0 if count < 2 or self.rng.random() < 0.8 else 1 + int(self.rng.integers(count - 1))

    def _open(
        self,
        diary: Diary,
        member: Member,
        persona: Persona,
        at: int,
        *,
        inviter: str | None = None,
        promotion: str | None = None,
        session: str = "",
    ) -> int:
        end_at = honest.sign_up(
            self.world, diary, persona, at, self.rng, device=self._device(member), network=0, inviter=inviter,
            promotion=promotion, session=session,
        )  # fmt: skip
        for entry in diary.entries:
            if entry.event.type == "sign_up":
                # The form does not ask who has invited; the link that is followed afterwards says it.
                entry.event = msgspec.structs.replace(entry.event, inviter=None, promotion=None)
        member.opened = True
        member.persona = replace(member.persona, joined_at=end_at)
        return int(end_at)
