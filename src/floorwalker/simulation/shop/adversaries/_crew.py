"""The accounts that a campaign owns, rents or steals, and how thinly it spreads what they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop.adversaries._market import (
    ACCOUNT_PRICES,
    DEVICE_PRICES,
    Purse,
    Tactic,
)
from floorwalker.simulation.shop.adversaries._skills import by_skill
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.scenario import DAY, HOUR, SPLITS

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

STYLES = by_skill("bulk", "bulk", "plausible", "plausible")
"""Skill -> how invented people are made up, as `World.new_person` understands it."""
COUNTRIES = ("DE",) * 13 + ("AT", "GB", "PL", "NL", "US", "CN", "CN")
"""Where invented people say they live, as often as real customers do."""
REST = by_skill(0, 20 * 60 * 1_000_000, 12 * HOUR, DAY)
"""Skill -> how long an account rests between two deeds."""
HIDDEN = by_skill(0.1, 0.5, 0.85, 1.0)
"""Skill -> how probable it is that what would betray a device stays hidden."""
_RIPENING = by_skill(0.0, 0.0, 1.0, 3.0)
"""Skill -> days that an account which is not a real customer's is kept warm before it is used."""
_STICKS = by_skill(1.0, 0.5, 0.8, 0.93)
"""Share of visits from the same address as the last visit of the account, where a network is rented."""
_THINGS = ("device", "network", "door", "card")
"""What accounts of one ring can have in common: each costs money, and nobody pays for all of them for each account."""
_CAREFUL = 6
"""Widest ring whose accounts share one thing or two, not all."""
_TWICE = 0.75
"""Share of such accounts that share two."""
_MET = 192
"""Customers who are looked at for the next victims, of whom the part's own are taken."""
_OPERATORS = ("phone", "desktop")
"""Devices of the ring itself, on which it now and then uses an account that is rented or stolen with its own."""


@dataclass
class Member:
    """One account of a campaign.

    Parameters
    ----------
    persona : who it says it is; `networks` and `devices` are those that it is used with.
    tactic, place : the tactic that it was come by, and its place among those that the adversary knows.
    how : `fresh`, `aged`, `lived`, `hijacked`, `leaked` or `none`.
    number : the customer's number where it is or was a real one, else -1.
    ripe_at : before this time it is only kept warm.
    opened : whether its sign-up has been written or lies before the first day.
    """

    persona: Persona
    tactic: Tactic
    place: int
    how: str
    number: int = -1
    ripe_at: int = 0
    opened: bool = True
    used: int = 0
    last_at: int = -(1 << 62)
    armed: bool = False


class Pool:
    """Things that `width` accounts share each, at the most; a new one is made when all are worn out."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._open: list[tuple[Any, int]] = []

    def take(self, width: int, make: Callable[[], Any]) -> Any:
        """One that has room for another account."""
        if self._open and (width > 1):
            place = int(self._rng.integers(len(self._open)))
            thing, room = self._open[place]
            if room > 1:
                self._open[place] = (thing, room - 1)
            else:
                self._open.pop(place)
            return thing
        thing = make()
        if width > 1:
            self._open.append((thing, width - 1))
        return thing


class Crew:
    """Finds a member for each deed, hiring where none is free.

    Parameters
    ----------
    world : the shop.
    rng, purse, skill : the campaign's.
    starts_at, ends_at : when the campaign lives.
    """

    def __init__(self, world: World, rng: Generator, purse: Purse, skill: str, starts_at: int, ends_at: int) -> None:
        self.world = world
        self.rng = rng
        self.purse = purse
        self.skill = skill
        self.span = (starts_at, ends_at)
        self.members: list[Member] = []
        self._part = SPLITS.index(world.scenario.split_of(starts_at))
        self.ripens = True
        """Whether accounts that are not real customers' are kept warm before they are used."""
        self.rest = 0
        """How long accounts rest at least where the family has its own measure, microseconds."""
        self.hide_homes = True
        """Whether parcels of a ring go to doors that few of its accounts share."""
        self._pools: dict[str, Pool] = defaultdict(lambda: Pool(rng))
        self._by_account: dict[str, Member] = {}
        self._taken: set[int] = set()
        self._customers: list[tuple[Persona, int]] = []
        self._strangers: list[Persona] = []

    def came_by(self, account: str) -> str:
        """How an account was come by; `none` for one that is not the crew's."""
        member = self._by_account.get(account)
        return member.how if member else "none"

    def member(self, tactic: Tactic, place: int, now: int) -> Member:
        """Somebody of this tactic who is rested and not worn out; hired where there is none.

        Errors
        ------
        `OutOfBudgetError` where nobody can be paid for.
        """
        rest = max(REST[self.skill], self.rest)
        for member in reversed(self.members[-40:]):
            free = member.used < tactic.volume and max(member.last_at + rest, member.ripe_at) <= now
            if member.place == place and free:
                return member
        return self.hire(tactic, place, now)

    def hire(self, tactic: Tactic, place: int, now: int) -> Member:
        """Buy, rent, open or steal an account with all that it needs."""
        self.purse.pay(ACCOUNT_PRICES[tactic.account] + DEVICE_PRICES[tactic.device] / max(tactic.width, 1))
        how = tactic.account
        number = -1
        if how in ("lived", "hijacked", "leaked", "extension"):
            persona, number = self.draw_customer()
        else:
            persona = self._invent(how, now)
        member = Member(persona, tactic, place, how, number, opened=how != "fresh")
        days = _RIPENING[self.skill] if how in ("fresh", "aged") and self.ripens else 0.0
        if days:
            left = max(self.span[1] - now, 0)
            member.ripe_at = now + int(min(days * DAY * self.rng.uniform(0.6, 1.6), 0.6 * left))
        self._equip(member)
        self.members.append(member)
        if persona.account:
            self._by_account[persona.account] = member
        return member

    def draw_customer(self) -> tuple[Persona, int]:
        """A customer with an account whom this campaign has not used yet, and his number.

        Each customer can be met in one part of the run only (`World.parts_of`): what is learned of an account that was
        stolen, rented or drawn in must not help to recognise it in another part.
        """
        while not self._customers:
            # Many at once cost little more than one. Whoever is often in the shop is met more often.
            drawn = self.rng.choice(self.world.customers, min(_MET, self.world.customers), replace=False)
            mine = drawn[self.world.parts_of(drawn) == self._part]
            drawn = mine if len(mine) else drawn
            edges = np.cumsum(self.world.visits_of(drawn))
            places = np.searchsorted(edges, self.rng.random(max(1, len(drawn) // 2)) * edges[-1])
            numbers = drawn[np.unique(places)].tolist()
            fresh = [number for number in numbers if number not in self._taken] or numbers
            self._taken.update(fresh)
            middle = (self.span[0] + self.span[1]) // 2
            found = zip(self.world.customers_as(fresh, middle), fresh, strict=True)
            self._customers = [(persona, number) for persona, number in found if persona.account and not persona.guest]
        return self._customers.pop()

    def draw_stranger(self, now: int) -> Persona:
        """Somebody whom the shop does not know."""
        if not self._strangers:
            country = COUNTRIES[int(self.rng.integers(len(COUNTRIES)))]
            style = STYLES[self.skill]
            self._strangers = self.world.new_people(self.rng, 16, country=country, style=style, at=now)
        return self._strangers.pop()

    def hour_of(self, member: Member, now: int) -> int:
        """A time near `now` at which this person is awake and shopping, for those who keep human hours."""
        if not member.tactic.looks_human:
            return now
        weights = np.asarray(member.persona.habits.hours, dtype=np.float64)
        offset = member.persona.utc_offset_minutes * 60_000_000
        day = (now + offset) // DAY * DAY - offset
        low, high = self.span
        for _ in range(6):
            hour = int(np.searchsorted(np.cumsum(weights), self.rng.random() * weights.sum()))
            at = day + int((hour + self.rng.random()) * HOUR)
            if at < now - 6 * HOUR:
                at += DAY
            if max(low, member.last_at) <= at < high - HOUR // 2:
                return at
        return now

    def network_of(self, member: Member) -> str:
        """The network of the next visit: mostly that of the last one, now and then another of the same kind."""
        tactic = member.tactic
        if tactic.network == "own" or not member.persona.networks:
            names = member.persona.networks
            return names[0] if self.rng.random() < 0.8 else names[int(self.rng.integers(len(names)))]
        if self.rng.random() >= _STICKS[self.skill]:
            self._move(member)
        return member.persona.networks[0]

    def _move(self, member: Member) -> None:
        tactic = member.tactic
        width = tactic.width if self.rng.random() < tactic.sharing else 1
        name = self._pools["network/" + tactic.network].take(width, lambda: self._rent(tactic.network, member))
        member.persona = replace(member.persona, networks=(name,))

    def _rent(self, kind: str, member: Member) -> str:
        draw, facts, country = self.world.networks.draw, self.world.networks.facts, member.persona.country
        name = draw(kind, self.rng, country=country)
        if kind == "proxy":
            # Exits are sold by country; who pays by the cent takes what comes.
            for _ in range(by_skill(0, 1, 6, 10)[self.skill]):
                if facts(name, self.span[0]).country == country:
                    break
                name = draw(kind, self.rng, country=country)
        return name

    def _invent(self, how: str, now: int) -> Persona:
        persona = self.draw_stranger(now)
        if how == "none":
            return replace(persona, account="", guest=True)
        if how == "aged":
            before = self.world.scenario.first_at - int(self.rng.uniform(20, 700) * DAY)
            return replace(persona, joined_at=before)
        return replace(persona, joined_at=now)

    def _equip(self, member: Member) -> None:
        """Give it a device and a network; a share of the accounts of a ring has something in common with others."""
        tactic, rng = member.tactic, self.rng
        shares = rng.random() < tactic.sharing
        # A careful ring never shares everything: this account has one thing or two in common with a few others.
        what = self._shared(tactic) if shares else frozenset()
        if "device" in what or tactic.device not in ("own", "profile"):
            width = tactic.width if "device" in what else 1
            country = member.persona.country
            hidden = HIDDEN[self.skill]
            kind = _OPERATORS[int(rng.integers(2))] if tactic.device in ("own", "profile") else tactic.kind_of_device
            device = self._pools["device/" + kind].take(
                width,
                lambda: self.world.new_device(
                    rng,
                    kind=kind,
                    country=country,
                    hidden=hidden,
                    at=self.span[0],
                    language=member.persona.language,
                    fresh=member.how == "fresh",
                ),
            )
            member.persona = replace(member.persona, devices=(device,))
        if "network" in what or tactic.network != "own":
            width = tactic.width if "network" in what else 1
            rented = "proxy" if tactic.network == "own" else tactic.network
            name = self._pools["network/" + rented].take(width, lambda: self._rent(rented, member))
            member.persona = replace(member.persona, networks=(name,))
        if "card" in what and member.persona.cards:
            country = member.persona.country
            card = self._pools["card/" + country].take(
                tactic.width, lambda: self.world.new_card(rng, country=country, origin="own")
            )
            member.persona = replace(member.persona, cards=(card,))
        if self.hide_homes and "door" in what:
            home = member.persona.home
            door = self._pools["door"].take(tactic.width, lambda: home)
            if door is not home:
                door = self.world.address_variants(rng, door) if rng.random() < 0.6 else door
            member.persona = replace(member.persona, home=replace_name(door, home.name))

    def _shared(self, tactic: Tactic) -> frozenset[str]:
        """What this account has in common with others of its ring: everything, or one or two things."""
        if tactic.width > _CAREFUL:
            return frozenset(_THINGS[:3])
        count = 1 + int(self.rng.random() < _TWICE)
        return frozenset(_THINGS[place] for place in self.rng.permutation(len(_THINGS))[:count].tolist())


def replace_name(address: Any, name: str | None) -> Any:
    """The same door under another name."""
    return msgspec.structs.replace(address, name=name)
