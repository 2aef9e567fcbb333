"""What several families do alike: redeem, pay with what is not theirs, take money back, praise, watch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from floorwalker.events.event import Address
from floorwalker.simulation.shop.adversaries._base import Adversary, Economics, Member
from floorwalker.simulation.shop.adversaries._hands import Done
from floorwalker.simulation.shop.adversaries._market import CARD_PRICES
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.adversaries._targets import Targets
from floorwalker.simulation.shop.diary import Entry
from floorwalker.simulation.shop.scenario import DAY


class Shopper(Adversary):
    """Anybody who looks at what the shop sells."""

    def prepare(self) -> None:
        """Look round."""
        self.targets = Targets(self.world, self.rng)

    def door(self, doors: Sequence[Address], member: Member) -> Address:
        """One of these doors: the careful send nothing abroad where a door in the account's country is to be had."""
        careful = self.skill in ("advanced", "expert")
        near = [one for one in doors if one.country == member.persona.home.country] if careful else ()
        some = near or doors
        return some[int(self.rng.integers(len(some)))]

    def shop(self, member: Member, at: int, intent: str = "buy", **wishes: Any) -> Done:
        """One visit that ends at the checkout, and what the carrier and the bank make of it."""
        done = self.hands.visit(member, at, intent, keep=frozenset({"coupon_claim"}), **wishes)
        if done.order is not None:
            done.entries += self.hands.after(done, refund=False, until=self.brief.ends_at)
        return done

    def later(self, done: Done, kind: str, **what: Any) -> list[Entry]:
        """What follows an order, with one deed in it that has to happen before the campaign ends.

        Hasty ones do not wait for the parcel; nobody waits until it is too late.
        """
        entries = self.hands.after(done, until=1 << 62, **what)
        deed = next((entry.event for entry in entries if entry.event.type == kind), None)
        if deed is None:
            return entries
        patience = by_skill(0.03, 0.2, 0.8, 1.0)[self.skill]
        wished = done.end_at + int((deed.at - done.end_at + float(self.rng.lognormal(0.5, 0.8)) * DAY) * patience)
        if wished >= self.brief.ends_at - DAY // 8:
            wished = done.end_at + int((self.brief.ends_at - done.end_at) * float(self.rng.uniform(0.35, 0.97)))
        for entry in entries:
            event = entry.event
            # The visit in which it is done goes with it, and the money that comes of it.
            moves = event.session == deed.session or (kind == "refund_requested" and event.type == "refund_issued")
            if moves:
                entry.event = msgspec.structs.replace(event, at=event.at + wished - deed.at)
        return entries


class Raider(Shopper):
    """Waits, as everybody does, for moments of the calendar, and strikes while they last.

    `prepare` says when: `windows`, in the order of time. Without any it chooses its own time.
    """

    hurry = True
    windows: tuple[tuple[int, int], ...] = ()
    """From when until when deeds can begin, microseconds."""
    comes: Mapping[str, tuple[float, float]] = by_skill((1.1, 1.6), (1.1, 1.6), (1.1, 1.6), (1.1, 1.6))
    """Skill -> the beta distribution of who is there when, over the length of a window."""

    def found(self, moments: Iterable[Any], last: int) -> tuple[tuple[int, int], ...]:
        """The windows of these moments (anything with `starts_at` and `ends_at`) within the campaign's time.

        Parameters
        ----------
        last : microseconds before a moment's end in which nobody begins any more.
        """
        low, high = self.brief.starts_at, self.brief.ends_at
        both = ((max(one.starts_at, low), min(one.ends_at, high) - last) for one in moments)
        return tuple(one for one in both if one[0] < one[1])

    def opening(self) -> tuple[int, int] | None:
        """Until the last window closes."""
        return (self.brief.starts_at, self.windows[-1][1]) if self.windows else super().opening()

    def due(self, member: Member, now: int) -> int:
        """In the next window: whoever is hired before is only kept warm."""
        if not self.windows:
            return super().due(member, now)
        low, high = next((one for one in self.windows if now < one[1]), self.windows[-1])
        if now >= low:
            return now
        return low + int(float(self.rng.beta(*self.comes[self.skill])) * (high - low))

    def hour_of(self, member: Member, now: int) -> int:
        """At once, whatever the hour, while a window is open."""
        is_open = any(low <= now < high for low, high in self.windows)
        return now if is_open else super().hour_of(member, now)


class Redeemer(Shopper):
    """Takes coupons and promotions more often than they are meant."""

    abuse_type = "promotion_abuse"
    harmful = frozenset({"coupon_redeem"})
    economics = Economics(gain_minor=800)
    harmful_share = by_skill(0.12, 0.1, 0.055, 0.06)
    kinds: tuple[str, ...] = ()
    """Kinds of promotion that it is after; empty for any."""

    def loss(self, entry: Entry) -> int | None:
        """What was taken off."""
        if entry.event.type not in self.harmful:
            return None
        return entry.event.discount_minor or self.economics.gain_minor

    def prepare(self) -> None:
        """Nothing is chosen yet."""
        super().prepare()
        self.favourites: list[str] = []

    def code(self, at: int) -> str | None:
        """The code to use now: a ring lives on few of them, the more careful on more, for as long as they are valid."""
        few = by_skill(1, 2, 3, 5)[self.skill]
        if len(self.favourites) >= few:
            chosen = self.favourites[int(self.rng.integers(len(self.favourites)))]
            if self.targets.is_valid(chosen, at):
                return chosen
            self.favourites.remove(chosen)
        found = self.targets.code(at, kinds=self.kinds) or self.targets.code(at)
        if found and found not in self.favourites:
            self.favourites.append(found)
        return found

    def redeem(self, member: Member, at: int, **wishes: Any) -> Done:
        """One visit that ends with a coupon used on an ordinary basket, and its parcel."""
        if "coupons" not in wishes:
            code = self.code(at)
            wishes["coupons"] = (code,) if code else ()
        return self.shop(member, at, "redeem", **wishes)


class Payer(Shopper):
    """Pays with cards that belong to others."""

    abuse_type = "payment_fraud"
    harmful = frozenset({"order"})
    economics = Economics(gain_minor=4_000)
    needs_minor = CARD_PRICES["stolen"]
    origin = "stolen"
    cards_last = by_skill(1, 1, 2, 2)
    """Orders that one card is used for."""
    harmful_share = by_skill(0.13, 0.1, 0.06, 0.06)

    def loss(self, entry: Entry) -> int | None:
        """The goods."""
        if entry.event.type not in self.harmful:
            return None
        return entry.event.amount_minor or self.economics.gain_minor

    def arm(self, member: Member) -> None:
        """Buy a card for this member, of the country that it says it lives in where the adversary is careful."""
        if member.used % self.cards_last[self.skill] and member.armed:
            return
        careful = self.skill in ("advanced", "expert")
        country = (
            member.persona.country
            if careful or self.rng.random() < 0.4
            else ("US", "GB", "PL")[int(self.rng.integers(3))]
        )
        self.purse.pay(CARD_PRICES[self.origin])
        # A careful thief buys the card as its owner holds it: in his wallet, stored as he stores it.
        origin = "own" if self.skill == "expert" or (careful and self.rng.random() < 0.5) else self.origin
        card = self.world.new_card(self.rng, country=country, origin=origin)
        if careful:
            card = replace(card, facts=msgspec.structs.replace(card.facts, stored=True))
        member.persona = replace(member.persona, cards=(card,))
        member.armed = True


class Refunder(Shopper):
    """Buys like everybody and takes the money back."""

    abuse_type = "return_abuse"
    harmful = frozenset({"refund_requested"})
    economics = Economics(gain_minor=3_500, extra_minor=0)
    harmful_share = by_skill(0.1, 0.1, 0.05, 0.05)
    early = 0.55

    def loss(self, entry: Entry) -> int | None:
        """The money given back for goods that were kept."""
        if entry.event.type not in self.harmful:
            return None
        return entry.event.amount_minor or self.economics.gain_minor

    def claim_back(self, done: Done, reason: str, *, returned: bool = False) -> list[Entry]:
        """The parcel, and after it the claim."""
        return self.later(done, "refund_requested", refund=(reason, 0.0), returned=returned, review=False)


class Voice(Shopper):
    """Writes what it is paid for."""

    abuse_type = "content_abuse"
    harmful = frozenset({"review"})
    early = 0.55
    economics = Economics(gain_minor=600)
    harmful_share = by_skill(0.25, 0.2, 0.07, 0.06)

    def prepare(self) -> None:
        """Take orders from sellers: few items, so that each gets a handful of voices."""
        super().prepare()
        self.paid = self.targets.items(max(1, round(self.brief.harmful / by_skill(30, 12, 6, 3)[self.skill])))

    def subject(self) -> int:
        """The item that this voice is about."""
        return int(self.paid[int(self.rng.integers(len(self.paid)))])


class Watcher(Shopper):
    """Copies what the shop shows."""

    abuse_type = "scraping"
    harmful = frozenset({"page_view", "search"})
    economics = Economics(gain_minor=8, per_deed=6)
    sizes = by_skill(400, 300, 200, 120)
    harmful_share = by_skill(0.95, 0.9, 0.7, 0.5)

    def fetch(self, member: Member, at: int, items: Sequence[int]) -> list[Entry]:
        """Pages that are copied: by a machine one after the other, or under a person's visit that hides them."""
        if not member.tactic.looks_human:
            return self.taken(self.hands.crawl(member, at, items))
        cover, copies = self.hands.harvest(member, at, items)
        return [*cover, *self.taken(copies)]

    def mixed(self, count: int) -> tuple[int, ...]:
        """Items to copy: some that everybody looks at, some that hardly anybody does."""
        wanted = int(self.rng.binomial(count, 0.75))
        return tuple(dict.fromkeys(self.targets.items(wanted) + self.targets.anything(count - wanted)))

    def taken(self, entries: list[Entry]) -> list[Entry]:
        """These are what it came for."""
        for entry in entries:
            entry.truth = replace(self.truth, phase="harmful")
        return entries

    def loss(self, entry: Entry) -> int | None:
        """What a copied page costs; a person's own pages only hide the others."""
        return super().loss(entry) if entry.truth.phase == "harmful" else None
