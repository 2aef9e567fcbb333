"""Answers who a customer's number is.

All of it is a function of the seed and the number, so any process can ask for anybody, and invented people are drawn by
the same functions from numbers that no customer has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.persona import Habits, Persona
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world import segments
from floorwalker.simulation.shop.world._tables import texts
from floorwalker.simulation.shop.world.belongings import Belongings
from floorwalker.simulation.shop.world.cards import Issuers, draw_cards
from floorwalker.simulation.shop.world.countries import CODES, COUNTRIES, LANGUAGES
from floorwalker.simulation.shop.world.devices import Devices
from floorwalker.simulation.shop.world.dwellings import draw_dwellings
from floorwalker.simulation.shop.world.households import compatriots, countries_of, household_heads
from floorwalker.simulation.shop.world.names import draw_emails, draw_names
from floorwalker.simulation.shop.world.networks import Networks
from floorwalker.simulation.shop.world.people import HOURS, HOURS_SHARES, People
from floorwalker.simulation.shop.world.phones import write_phones

_U = np.uint64
_PLACE = segments.place_of
_SHIPS_TO = np.array([segments.SHIPS.index(segment.ships_to) for segment in segments.SEGMENTS])
_OFFSETS = np.array([country.utc_offset_minutes for country in COUNTRIES])
_CURRENCIES = texts([country.currency for country in COUNTRIES])
_NORMED = tuple(tuple(value / sum(row) for value in row) for row in HOURS)

_LANGUAGE_NAMES = texts(list(LANGUAGES))
_LANGUAGE_EDGES = np.cumsum([[dict(one.languages).get(code, 0.0) for code in LANGUAGES] for one in COUNTRIES], axis=1)


class Register:
    """All customers.

    Parameters
    ----------
    scenario, chance : of the world.
    customers : how many honest accounts there are.
    devices, issuers, networks : of the world.
    """

    def __init__(
        self, scenario: Scenario, chance: Chance, customers: int, devices: Devices, issuers: Issuers, networks: Networks
    ) -> None:
        self.scenario, self.chance, self.customers = scenario, chance, customers
        self.devices, self.issuers, self.networks = devices, issuers, networks
        self.belongings = Belongings(scenario, chance, devices, networks, customers)

    def people(
        self, numbers: NDArray[np.uint64], *, country: int | None = None, alone: bool = False,
        segment: int | None = None, phone_block: int | None = None,
    ) -> People:  # fmt: skip
        """The people with these numbers.

        Parameters
        ----------
        country, segment : places in `COUNTRIES` and `SEGMENTS`, where they are not left to chance.
        alone : without a household, as invented people are.
        phone_block : see `phones.write_phones`.
        """
        chance, count = self.chance, len(numbers)
        heads = numbers if alone else household_heads(chance, numbers)
        where = countries_of(chance, heads) if country is None else np.full(count, country, dtype=np.int64)
        kind = chance.choice("segment", numbers, segments.SHARES)
        if segment is not None:
            kind = np.full(count, segment, dtype=np.int64)
        abroad = np.where(numbers % _U(2) == 0, CODES.index("CN"), CODES.index("US"))
        if country is None:
            where = np.where((kind == _PLACE("forwarder_user")) & (where == 0), abroad, where)
        names = draw_names(chance, numbers, heads, where)
        language = (_LANGUAGE_EDGES[where] <= chance.uniform("language", numbers)[:, None]).sum(axis=1)
        language = np.minimum(language, len(LANGUAGES) - 1)
        home, ship = draw_dwellings(
            chance, numbers, heads, names.full, where, kind, customers=self.customers,
            dormitories=self.networks.dormitories, offices=self.networks.offices,
        )  # fmt: skip
        model, device_number, device_weight = self.belongings.draw_devices(numbers, heads, where, kind, alone=alone)
        network, network_weight = self.belongings.draw_networks(numbers, heads, where, kind)
        cards = (
            draw_cards(chance, self.issuers, numbers, where, 0),
            draw_cards(chance, self.issuers, numbers, where, 1),
            draw_cards(chance, self.issuers, heads, where, 0),
        )

        def habit(name: str) -> NDArray[np.float64]:
            return np.asarray(segments.column(name)[kind], dtype=np.float64)

        return People(
            numbers=numbers, heads=heads, account=texts(chance.names("account", numbers)),
            email=draw_emails(chance, numbers, names, where, self.belongings.born(numbers)),
            phone=self._phones(numbers, where, kind, alone=alone, block=phone_block),
            language=_LANGUAGE_NAMES[language], language_code=language, currency=_CURRENCIES[where],
            country=where, segment=kind, hours=self._hours(numbers, kind), ships_to=_SHIPS_TO[kind],
            utc_offset_minutes=_OFFSETS[where], joined_at=self._joined(numbers),
            guest=chance.uniform("guest", numbers) < 0.07, home=home, ship=ship, model=model,
            device_number=device_number, device_weight=device_weight, network=network, network_weight=network_weight,
            cards=cards, card_weight=self._card_weight(numbers, heads),
            visits_per_week=np.clip(np.exp(-0.45 + 0.9 * chance.normal("visits", numbers)) * habit("visits"), 0.05, 30),
            basket_minor=np.clip(np.exp(8.35 + 0.62 * chance.normal("basket", numbers)) * habit("basket"), 400, 900_000)
            .astype(np.int64),
            pace=np.exp(0.32 * chance.normal("pace", numbers)),
            bargain=np.clip(chance.uniform("bargain", numbers) ** 2.5 * 0.7 * habit("bargain"), 0, 1),
            return_share=np.clip(0.06 * np.exp(0.8 * chance.normal("returns", numbers)) * habit("returns"), 0, 0.8),
            review_share=np.clip(0.05 * np.exp(1.2 * chance.normal("reviews", numbers)), 0, 0.9),
            pointer=np.exp(0.35 * chance.normal("pointer", numbers)) * habit("pointer"),
            clears_days=habit("clears_days").astype(np.int64),
        )  # fmt: skip

    def _phones(
        self, numbers: NDArray[np.uint64], where: NDArray[np.int64], kind: NDArray[np.int64], *, alone: bool,
        block: int | None,
    ) -> NDArray[np.object_]:  # fmt: skip
        made = write_phones(self.chance, numbers, where, block=block)
        rows = np.flatnonzero(kind == _PLACE("recycled_phone"))
        if len(rows) and not alone:
            made[rows] = self.recycled_phones(numbers[rows], where[rows])
        return made

    def recycled_phones(self, numbers: NDArray[np.uint64], where: NDArray[np.int64]) -> NDArray[np.object_]:
        """Telephone numbers that other customers of the same country have, or had; with bad luck one's own."""
        before = compatriots(self.chance, "recycled", numbers, where, self.customers)
        abroad = countries_of(self.chance, household_heads(self.chance, before)) != where
        return write_phones(self.chance, np.where(abroad, numbers, before), where)

    def _hours(self, numbers: NDArray[np.uint64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
        made = self.chance.choice("hours", numbers, HOURS_SHARES)
        made = np.where((kind == _PLACE("campus")) | (kind == _PLACE("dormitory")), 2, made)
        return np.where((kind == _PLACE("office_worker")) | (kind == _PLACE("bulk_buyer")), 1, made)

    def _card_weight(self, numbers: NDArray[np.uint64], heads: NDArray[np.uint64]) -> NDArray[np.float64]:
        """How often each of the three payment methods is used; a household's card only by its other members."""
        made = np.where(
            (self.chance.uniform("card/one only", numbers) < 0.55)[:, None], [[1.0, 0.0, 0.0]], [[0.8, 0.2, 0.0]]
        )
        family = np.flatnonzero(heads != numbers)
        made[family[self.chance.uniform("card/family", numbers[family]) < 0.35]] = (0.3, 0.0, 0.7)
        return made

    def _joined(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Old customers joined within years before the first day; one in seven joins during the run."""
        draw = self.chance.uniform("joined", numbers)
        days = self.scenario.days
        fresh = min(0.14, 0.0047 * days)
        during = self.scenario.first_at + (draw / fresh * days * DAY).astype(np.int64)
        age = -np.log(np.clip((draw - fresh) / (1 - fresh), 1e-9, 1)) * 420 + 0.5
        before = self.scenario.first_at - (np.minimum(age, 2_900) * DAY).astype(np.int64)
        return np.where(draw < fresh, during, before)

    def personas(self, people: People, at: int) -> list[Persona]:
        """The same people as records, with devices as they are at a time."""
        count = len(people)
        ids, prints, updated, noticed = [], [], [], []
        when = np.full(count, at, dtype=np.int64)
        for slot in range(3):
            number, models = people.device_number[:, slot], np.maximum(people.model[:, slot], 0)
            ids.append(self.belongings.device_ids(number, people.clears_days, when))
            prints.append(self.devices.fingerprints(models, number, people.language_code))
            updated.append(self.devices.is_updated(models, number, when))
            noticed.append(self.devices.noticed(models, number))
        ages = self.chance.uniform("device/age", people.numbers)
        before = self.devices.ages_at_joining(people.numbers)
        made: list[Persona] = []
        for row in range(count):
            known = max(at - int(people.joined_at[row]), 10**6) / 10**6
            own = tuple(
                self.devices.device(
                    int(people.model[row, slot]), ids[slot][row], prints[slot][row], people.language[row],
                    int(people.utc_offset_minutes[row]), updated=bool(updated[slot][row]),
                    install_age=int(before[row] + ages[row] * known),
                    noticed={what: column[row] for what, column in noticed[slot].items()},
                )
                for slot in range(3)
                if people.model[row, slot] >= 0
            )  # fmt: skip
            kept = False if people.guest[row] else None
            cards = tuple(
                people.cards[slot].card(row, self.issuers, stored=kept)
                for slot in range(3)
                if people.card_weight[row, slot] > 0
            )
            habits = Habits(
                hours=_NORMED[int(people.hours[row])], visits_per_week=float(people.visits_per_week[row]),
                basket_minor=int(people.basket_minor[row]), pace=float(people.pace[row]),
                bargain=float(people.bargain[row]), return_share=float(people.return_share[row]),
                review_share=float(people.review_share[row]),
            )  # fmt: skip
            guest = bool(people.guest[row])
            made.append(
                Persona(
                    account="" if guest else people.account[row], email=people.email[row], phone=people.phone[row],
                    home=people.home.address(row), devices=own, cards=cards, habits=habits,
                    country=CODES[int(people.country[row])], language=people.language[row],
                    utc_offset_minutes=int(people.utc_offset_minutes[row]), joined_at=int(people.joined_at[row]),
                    guest=guest, networks=tuple(self.networks.name(int(code)) for code in people.network[row]),
                    segment=segments.NAMES[int(people.segment[row])],
                    ship=people.ship.address(row) if people.ships_to[row] else None,
                )
            )  # fmt: skip
        return made
