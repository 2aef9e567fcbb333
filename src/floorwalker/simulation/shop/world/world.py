"""The world of a scenario: the shop's goods and offers, its customers, and the networks that they come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from floorwalker.events.event import Address
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.persona import Card, Device, Persona
from floorwalker.simulation.shop.scenario import SPLIT_SHARES, Scenario
from floorwalker.simulation.shop.world.calendar import Calendar
from floorwalker.simulation.shop.world.cards import Issuers, make_card
from floorwalker.simulation.shop.world.catalogue import Popularity, make_items, make_sellers
from floorwalker.simulation.shop.world.countries import COUNTRIES, place_of
from floorwalker.simulation.shop.world.devices import DeviceMaker, Devices
from floorwalker.simulation.shop.world.networks import Networks
from floorwalker.simulation.shop.world.newcomers import Newcomers, spell_otherwise
from floorwalker.simulation.shop.world.people import People
from floorwalker.simulation.shop.world.promotions import Promotion, make_promotions, personal_code
from floorwalker.simulation.shop.world.register import Register
from floorwalker.simulation.shop.world.text import Writer
from floorwalker.simulation.shop.world.wrong_prices import WrongPrices, make_wrong_prices

EVENTS_PER_CUSTOMER = 75.0
"""Events that an honest customer makes in thirty days, on average."""


class World:
    """Everything that stands still while people act. Every process can make its own: all of it follows from the seed.

    Parameters
    ----------
    scenario : what is simulated.

    Attributes
    ----------
    customers : honest accounts, numbers 0 to customers - 1.
    items, sellers : the catalogue, as columns.
    popularity : draws items as popular as they are on a day.
    calendar : days, surges, moments.
    promotions : what the shop gives away.
    wrong_prices : what is wrongly priced while a price is wrong.
    networks, devices, issuers : as their classes say.
    writer : writes reviews, listings, messages and search words.

    >>> world = World(Scenario(events=2000, days=3))
    >>> world.customer(5) == world.customer(5)
    True
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.chance = Chance(scenario.seed)
        months = scenario.days / 30.0
        self.customers = max(120, round(scenario.events / (EVENTS_PER_CUSTOMER * months**0.85)))
        self.calendar = Calendar(scenario, self.chance)
        self.sellers = make_sellers(scenario, self.chance, int(np.clip(self.customers // 150, 20, 900)))
        self.items = make_items(scenario, self.chance, int(np.clip(self.customers // 8, 400, 12_000)), self.sellers)
        self.writer = Writer(self.items, self.chance)
        self.items.title = self.writer.titles()
        self.wrong_prices: tuple[WrongPrices, ...] = make_wrong_prices(self.chance, self.items, self.calendar)
        greatest = [int(wrong.items[0]) for wrong in self.wrong_prices]
        self.calendar.about({"drop": np.flatnonzero(self.items.scarce).tolist(), "price_error": greatest})
        self.popularity = Popularity(scenario, self.chance, self.items)
        self.promotions: tuple[Promotion, ...] = make_promotions(scenario, self.chance, self.calendar)
        self.networks = Networks(self.chance, self.customers)
        self.devices = Devices(scenario, self.chance)
        self.issuers = Issuers(self.chance)
        self._maker = DeviceMaker(self.devices, self.chance)
        self._register = Register(scenario, self.chance, self.customers, self.devices, self.issuers, self.networks)
        self._newcomers = Newcomers(self._register)

    # --- customers ---------------------------------------------------------------------------------------------------

    def people(self, numbers: ArrayLike) -> People:
        """The customers with these numbers, as columns."""
        return self._register.people(np.atleast_1d(np.asarray(numbers)).astype(np.uint64))

    def device_ids(self, device_numbers: NDArray[np.uint64], clears_days: NDArray[np.int64], at: NDArray[np.int64]):  # type: ignore[no-untyped-def]
        """The ids of devices at times, `str` [k]; see `People.device_number` and `People.clears_days`."""
        return self._register.belongings.device_ids(device_numbers, clears_days, at)

    def handed_over_at(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        """When buyers of second-hand telephones got them, microseconds; says nothing of other customers."""
        return self._register.belongings.handed_over_at(numbers)

    def customer(self, number: int, at: int | None = None) -> Persona:
        """One customer as a record, with devices as they are at a time (the first day where none is given)."""
        return self.customers_as([number], at)[0]

    def visits_of(self, numbers: ArrayLike) -> NDArray[np.float64]:
        """How often customers visit, as `People.visits_per_week` has it but for their segments."""
        return np.asarray(np.exp(0.9 * self.chance.normal("visits", numbers)))

    def parts_of(self, numbers: ArrayLike) -> NDArray[np.int64]:
        """In which part of the run each customer can be met by adversaries: places in `SPLITS`, shared out as days are.

        >>> world = World(Scenario(events=2000, days=3))
        >>> sorted(set(world.parts_of(range(100)).tolist()))
        [0, 1, 2]
        """
        return self.chance.choice("part", numbers, SPLIT_SHARES)

    def customers_as(self, numbers: Sequence[int] | NDArray[np.int64], at: int | None = None) -> list[Persona]:
        """Customers as records."""
        when = self.scenario.first_at if at is None else at
        return self._register.personas(self.people(numbers), when)

    # --- what somebody new brings ------------------------------------------------------------------------------------

    def new_person(
        self, rng: Generator, *, country: str = "DE", style: str = "plausible", at: int = 0, home: Address | None = None
    ) -> Persona:
        """Somebody whom the shop does not know, out of the same grammars as its customers; see `Newcomers.make`."""
        return self._newcomers.make(rng, 1, country=country, style=style, at=at, home=home)[0]

    def new_people(
        self,
        rng: Generator,
        count: int,
        *,
        country: str = "DE",
        style: str = "plausible",
        at: int = 0,
        home: Address | None = None,
    ) -> list[Persona]:
        """As `new_person`, many at once: a hundred times faster."""
        return self._newcomers.make(rng, count, country=country, style=style, at=at, home=home)

    def new_device(
        self,
        rng: Generator,
        *,
        kind: str = "phone",
        country: str = "DE",
        language: str = "",
        hidden: float = 0.0,
        at: int = 0,
        fresh: bool = False,
    ) -> Device:
        """A device that the shop has not seen; see `DeviceMaker.make`."""
        where = COUNTRIES[place_of(country)]
        return self._maker.make(
            rng, kind=kind, china=country == "CN", language=language or where.languages[0][0],
            offset=where.utc_offset_minutes, hidden=hidden, at=at, fresh=fresh,
        )  # fmt: skip

    def new_card(self, rng: Generator, *, country: str = "DE", origin: str = "own") -> Card:
        """A card that the shop has not seen; see `cards.make_card`."""
        return make_card(self.chance, self.issuers, rng, country=country, origin=origin)

    def address_variants(self, rng: Generator, address: Address, how: str = "") -> Address:
        """The same door, spelt otherwise; see `newcomers.spell_otherwise`."""
        return spell_otherwise(rng, address, how)

    def personal_code(self, promotion: Promotion, number: int) -> str:
        """The coupon of a `personal` or `invitation` promotion that only this customer has."""
        return personal_code(self.chance, promotion, number)

    # --- text --------------------------------------------------------------------------------------------------------

    def reviews(
        self,
        rng: Generator,
        item: int,
        stars: float,
        style: str = "honest",
        language: str = "de",
        author: int | None = None,
    ) -> str:
        """A review of an item; see `Writer.review`."""
        return self.writer.review(rng, item, stars, style, language, author)

    def listing_text(self, rng: Generator, item: int, style: str = "honest", language: str = "de") -> str:
        """A seller's description of an item; see `Writer.listing`."""
        return self.writer.listing(rng, item, style, language)

    def message_text(self, rng: Generator, item: int, style: str = "question", language: str = "de") -> str:
        """What customers and sellers write to each other, and to the support; see `Writer.message`."""
        return self.writer.message(rng, item, style, language)

    def search_words(self, rng: Generator, item: int, language: str = "de") -> str:
        """What somebody types who looks for an item."""
        return self.writer.search(rng, item, language)
