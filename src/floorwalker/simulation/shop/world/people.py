"""Customers as columns: who they are, what they own, where they live, how they shop.

All of it is a function of the seed and the customer's number, so any process can ask for any of them, and invented
people are drawn by the same functions from numbers that no customer has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.persona import Habits, Persona
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world import networks as nets
from floorwalker.simulation.shop.world import segments
from floorwalker.simulation.shop.world._tables import Texts, plain, texts
from floorwalker.simulation.shop.world.addresses import (
    Addresses,
    draw_homes,
    draw_lockers,
    draw_pickup_points,
    forward,
)
from floorwalker.simulation.shop.world.cards import Cards, Issuers, draw_cards
from floorwalker.simulation.shop.world.countries import CODES, COUNTRIES
from floorwalker.simulation.shop.world.devices import APP, DESKTOP, MINI, PHONE, TABLET, Devices
from floorwalker.simulation.shop.world.names import draw_emails, draw_names
from floorwalker.simulation.shop.world.phones import write_phones

_U = np.uint64
_CHINA = CODES.index("CN")
_PLACE = segments.place_of
_SHIPS_TO = np.array([segments.SHIPS.index(segment.ships_to) for segment in segments.SEGMENTS])
_OFFSETS = np.array([country.utc_offset_minutes for country in COUNTRIES])
_CURRENCIES = texts([country.currency for country in COUNTRIES])
LANGUAGES: tuple[str, ...] = tuple(dict.fromkeys(code for one in COUNTRIES for code, _ in one.languages))
_LANGUAGE_WEIGHTS = np.array([[dict(one.languages).get(code, 0.0) for code in LANGUAGES] for one in COUNTRIES])

HOURS: tuple[tuple[float, ...], ...] = (
    (1, .6, .4, .3, .3, .5, 1.2, 2.4, 3.4, 4.2, 5, 5.4, 5.6, 5.2, 5, 5, 5.2, 5.6, 6.2, 7.4, 8.2, 7.6, 5.2, 2.6),
    (.6, .3, .2, .2, .3, .6, 1.6, 3.6, 6, 7.6, 8.2, 8, 8.6, 8, 7.4, 7, 6, 4.6, 3.6, 3.6, 3.8, 3.4, 2.2, 1.2),
    (4.6, 3.2, 2, 1.1, .6, .5, .5, .9, 1.6, 2.6, 3.6, 4.4, 5, 5, 4.8, 4.8, 5, 5.2, 5.4, 6, 7, 7.8, 7.6, 6.4),
    (.5, .2, .2, .3, .8, 2.4, 5, 6.6, 6.8, 6.6, 6.4, 6, 5.6, 5, 4.8, 5, 5.2, 5, 5, 4.8, 4, 2.6, 1.4, .8),
)  # fmt: skip
"""Weights of the 24 local hours: of most people, of those at work, of the young, of the early."""
_HOURS_MIX = (0.56, 0.2, 0.16, 0.08)
_HOURS_NORMED = tuple(tuple(value / sum(row) for value in row) for row in HOURS)


@dataclass
class People:
    """Customers as columns, all of shape [k] unless said otherwise.

    Parameters
    ----------
    numbers : uint64, who.
    heads : uint64, the first person of the household.
    account, email, phone, language, currency : `str`.
    country, segment, hours, ships_to : int64, places in `COUNTRIES`, `SEGMENTS`, `HOURS`, `segments.SHIPS`.
    utc_offset_minutes, basket_minor : int64; the basket in the shop's currency.
    joined_at : int64, when the account was opened; those who join during the run join in it.
    guest : bool, buys without an account.
    home, ship : addresses; `ship` is where parcels usually go.
    model : int64 [k, 3], places in `MODELS` of up to three devices, -1 for none: their own telephone (its app or its
        browser), their second one, and one that the household or the place of work shares.
    device_number : uint64 [k, 3], what `device_ids` names them by.
    device_weight : float64 [k, 3], how often each is used.
    network : int64 [k, 3], codes of `Networks`, the usual one first; `network_weight` [k, 3] how often each is used.
    cards : three columns of payment methods: the usual one, a second one, the household's.
    card_weight : float64 [k, 3].
    visits_per_week, pace, bargain, return_share, review_share, pointer : float64.
    clears_days : int64, cookies live so long; 0 for ever.
    """

    numbers: NDArray[np.uint64]
    heads: NDArray[np.uint64]
    account: Texts
    email: Texts
    phone: Texts
    language: Texts
    language_code: NDArray[np.int64]
    currency: Texts
    country: NDArray[np.int64]
    segment: NDArray[np.int64]
    hours: NDArray[np.int64]
    ships_to: NDArray[np.int64]
    utc_offset_minutes: NDArray[np.int64]
    joined_at: NDArray[np.int64]
    guest: NDArray[np.bool_]
    home: Addresses
    ship: Addresses
    model: NDArray[np.int64]
    device_number: NDArray[np.uint64]
    device_weight: NDArray[np.float64]
    network: NDArray[np.int64]
    network_weight: NDArray[np.float64]
    cards: tuple[Cards, Cards, Cards]
    card_weight: NDArray[np.float64]
    visits_per_week: NDArray[np.float64]
    basket_minor: NDArray[np.int64]
    pace: NDArray[np.float64]
    bargain: NDArray[np.float64]
    return_share: NDArray[np.float64]
    review_share: NDArray[np.float64]
    pointer: NDArray[np.float64]
    clears_days: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)


class Register:
    """Answers who a number is.

    Parameters
    ----------
    scenario, chance : of the world.
    customers : how many honest accounts there are.
    devices, issuers, networks : of the world.
    """

    def __init__(
        self, scenario: Scenario, chance: Chance, customers: int, devices: Devices, issuers: Issuers,
        networks: nets.Networks,
    ) -> None:  # fmt: skip
        self._scenario, self._chance, self._customers = scenario, chance, customers
        self._devices, self._issuers, self._networks = devices, issuers, networks

    def people(
        self, numbers: NDArray[np.uint64], *, country: int | None = None, alone: bool = False,
        segment: int | None = None, phone_block: int | None = None,
    ) -> People:  # fmt: skip
        """The customers with these numbers; `country`, `segment` and `alone` (without a household) bend invented ones."""
        chance = self._chance
        count = len(numbers)
        heads = numbers if alone else nets.household_heads(chance, numbers)
        where = nets.countries_of(chance, heads) if country is None else np.full(count, country, dtype=np.int64)
        kind = chance.choice("segment", numbers, segments.SHARES)
        if segment is not None:
            kind = np.full(count, segment, dtype=np.int64)
        foreign = kind == _PLACE("forwarder_user")
        where = np.where(foreign & (where == 0), np.where(numbers % _U(2) == 0, _CHINA, CODES.index("US")), where)
        china = where == _CHINA
        names = draw_names(chance, numbers, heads, where)
        born = 1948 + (58 * (0.35 * chance.uniform("born", numbers) + 0.65 * chance.uniform("born/2", numbers))).astype(
            np.int64
        )
        email = draw_emails(chance, numbers, names, where, born)
        phone = write_phones(chance, numbers, where, block=phone_block)
        if not alone:
            recycled = np.flatnonzero(kind == _PLACE("recycled_phone"))
            if len(recycled):
                before = self._partner(numbers[recycled], 3)
                phone[recycled] = write_phones(
                    chance, before, nets.countries_of(chance, nets.household_heads(chance, before))
                )
        language = self._languages(numbers, where)
        home, ship = self._addresses(numbers, heads, names.full, where, kind)
        model, device_number, device_weight = self._own_devices(numbers, heads, where, kind, born, alone)
        network, network_weight = self._own_networks(numbers, heads, where, kind)
        cards = (
            draw_cards(chance, self._issuers, numbers, where, 0),
            draw_cards(chance, self._issuers, numbers, where, 1),
            draw_cards(chance, self._issuers, heads, where, 0),
        )
        wealth = chance.normal("basket", numbers)
        share = np.array([[0.72, 0.18, 0.1]])
        card_weight = np.repeat(share, count, axis=0)
        card_weight[chance.uniform("card/one only", numbers) < 0.55] = (1.0, 0.0, 0.0)
        family = np.flatnonzero(heads != numbers)
        card_weight[family[chance.uniform("card/family", numbers[family]) < 0.35]] = (0.3, 0.0, 0.7)
        hours = chance.choice("hours", numbers, _HOURS_MIX)
        hours = np.where((kind == _PLACE("campus")) | (kind == _PLACE("dormitory")), 2, hours)
        hours = np.where((kind == _PLACE("office_worker")) | (kind == _PLACE("bulk_buyer")), 1, hours)
        return People(
            numbers=numbers, heads=heads, account=texts(chance.names("account", numbers)), email=email, phone=phone,
            language=texts(list(LANGUAGES))[language], language_code=language, currency=_CURRENCIES[where],
            country=where, segment=kind, hours=hours, ships_to=_SHIPS_TO[kind],
            utc_offset_minutes=_OFFSETS[where], joined_at=self._joined(numbers),
            guest=(chance.uniform("guest", numbers) < 0.07), home=home, ship=ship, model=model,
            device_number=device_number, device_weight=device_weight, network=network, network_weight=network_weight,
            cards=cards, card_weight=card_weight,
            visits_per_week=np.clip(np.exp(-0.45 + 0.9 * chance.normal("visits", numbers)) * segments.column("visits")[kind], 0.05, 30),
            basket_minor=np.clip(np.exp(8.35 + 0.62 * wealth) * segments.column("basket")[kind], 400, 900_000).astype(np.int64),
            pace=np.exp(0.32 * chance.normal("pace", numbers)),
            bargain=np.clip(chance.uniform("bargain", numbers) ** 2.5 * 0.7 * segments.column("bargain")[kind], 0, 1),
            return_share=np.clip(0.06 * np.exp(0.8 * chance.normal("returns", numbers)) * segments.column("returns")[kind], 0, 0.8),
            review_share=np.clip(0.05 * np.exp(1.2 * chance.normal("reviews", numbers)), 0, 0.9),
            pointer=np.exp(0.35 * chance.normal("pointer", numbers)) * segments.column("pointer")[kind],
            clears_days=segments.column("clears_days")[kind].astype(np.int64),
        )  # fmt: skip

    def _partner(self, numbers: NDArray[np.uint64], part: int) -> NDArray[np.uint64]:
        """Another customer, the same one whenever asked."""
        return np.asarray((numbers + _U(max(1, self._customers // part))) % _U(self._customers), dtype=np.uint64)

    def _joined(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Old customers joined within years before the first day; one in seven joins during the run."""
        draw = self._chance.uniform("joined", numbers)
        days = self._scenario.days
        fresh = min(0.14, 0.0047 * days)
        during = self._scenario.first_at + (draw / fresh * days * DAY).astype(np.int64)
        age = -np.log(np.clip((draw - fresh) / (1 - fresh), 1e-9, 1)) * 420 + 0.5
        before = self._scenario.first_at - (np.minimum(age, 2_900) * DAY).astype(np.int64)
        return np.where(draw < fresh, during, before)

    def _languages(self, numbers: NDArray[np.uint64], where: NDArray[np.int64]) -> NDArray[np.int64]:
        edges = np.cumsum(_LANGUAGE_WEIGHTS, axis=1)
        found = (edges[where] <= self._chance.uniform("language", numbers)[:, None] * edges[where, -1:]).sum(axis=1)
        return np.asarray(np.minimum(found, len(LANGUAGES) - 1), dtype=np.int64)

    def _addresses(
        self, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], names: Texts, where: NDArray[np.int64],
        kind: NDArray[np.int64],
    ) -> tuple[Addresses, Addresses]:  # fmt: skip
        chance = self._chance
        door = heads
        dormitory = kind == _PLACE("dormitory")
        halls = chance.words("dormitory", heads) % _U(self._networks.dormitories) + _U(1 << 61)
        door = np.where(dormitory, halls, door)
        home = draw_homes(chance, door, names, where, numbers)
        rooms = np.flatnonzero(dormitory)
        home.columns["extra"][rooms] = "Zimmer " + plain(chance.words("room", numbers[rooms]) % _U(400) + _U(1))
        ship = home.take(np.arange(len(numbers)))
        for name, draw, density in (("locker_user", draw_lockers, 45), ("pickup_user", draw_pickup_points, 60)):
            rows = np.flatnonzero(kind == _PLACE(name))
            if len(rows):
                spots = chance.words("spot", heads[rows]) % _U(max(12, self._customers // density))
                # Same spot, same town: the door of a home stands for the quarter.
                near = draw_homes(chance, spots + _U(1 << 60), names[rows], where[rows], numbers[rows])
                near.columns["name"] = home.columns["name"][rows]
                ship.put(rows, draw(chance, spots, near, where[rows]))
        rows = np.flatnonzero(kind == _PLACE("forwarder_user"))
        if len(rows):
            ship.put(rows, forward(chance.words("forwarder", numbers[rows]), names[rows]))
        for name, per in (("group_member", 400), ("office_worker", 0), ("bulk_buyer", 0)):
            rows = np.flatnonzero(kind == _PLACE(name))
            if len(rows):
                many = max(3, self._customers // per) if per else self._networks.offices
                place = chance.words("office" if not per else "leader", heads[rows]) % _U(many) + _U(
                    1 << (59 if per else 58)
                )
                shared = draw_homes(chance, place, names[rows], where[rows], place)
                if not per:
                    shared.columns["company"] = "Firma " + plain(place % _U(9973))
                ship.put(rows, shared)
        return home, ship

    def _own_devices(
        self, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], where: NDArray[np.int64], kind: NDArray[np.int64],
        born: NDArray[np.int64], alone: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.float64]]:  # fmt: skip
        chance, devices = self._chance, self._devices
        china = where == _CHINA
        count = len(numbers)
        young = np.clip((born - 1950) / 55, 0, 1)
        draw = chance.uniform("device/use", numbers)
        in_app = 0.22 + 0.2 * young + 0.15 * china
        in_mini = np.where(china, 0.3, 0.0)
        on_phone = 0.24 + 0.1 * young
        use = np.where(
            draw < in_app,
            APP,
            np.where(draw < in_app + in_mini, MINI, np.where(draw < in_app + in_mini + on_phone, PHONE, DESKTOP)),
        )
        if len(use):
            use = np.where(
                (kind == _PLACE("office_worker"))
                | (kind == _PLACE("bulk_buyer"))
                | (kind == _PLACE("accessibility")) & (draw > 0.4),
                DESKTOP,
                use,
            )
        model = np.full((count, 3), -1, dtype=np.int64)
        number = np.zeros((count, 3), dtype=np.uint64)
        model[:, 0] = devices.draw_models(chance.uniform("device/model", numbers), use, china)
        number[:, 0] = numbers * _U(4)
        second = chance.uniform("device/second", numbers)
        other = np.where(use == DESKTOP, np.where(second < 0.2, APP, PHONE), np.where(second < 0.32, DESKTOP, TABLET))
        rows = np.flatnonzero(second < np.where(use == DESKTOP, 0.5, 0.42))
        model[rows, 1] = devices.draw_models(chance.uniform("device/model 2", numbers[rows]), other[rows], china[rows])
        number[:, 1] = numbers * _U(4) + _U(1)
        if not alone:
            shared = np.flatnonzero(chance.uniform("device/shared", numbers) < np.where(heads != numbers, 0.5, 0.1))
            use_shared = np.where(chance.uniform("device/shared use", heads[shared]) < 0.55, DESKTOP, TABLET)
            model[shared, 2] = devices.draw_models(
                chance.uniform("device/model 3", heads[shared]), use_shared, china[shared]
            )
            number[shared, 2] = heads[shared] * _U(4) + _U(2)
            used = np.flatnonzero(kind == _PLACE("second_hand_phone"))
            if len(used):
                before = self._partner(numbers[used], 2)
                mine = self.first_models(before)
                model[used, 0] = mine
                number[used, 0] = before * _U(4)
        weight = np.where(model >= 0, np.array([[0.74, 0.2, 0.06]]), 0.0)
        return model, number, weight / weight.sum(axis=1, keepdims=True)

    def first_models(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The models of these customers' first devices: what a second-hand telephone was before."""
        heads = nets.household_heads(self._chance, numbers)
        china = nets.countries_of(self._chance, heads) == _CHINA
        return self._devices.draw_models(
            self._chance.uniform("device/model", numbers), np.full(len(numbers), APP), china
        )

    def _own_networks(
        self, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], where: NDArray[np.int64], kind: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        chance, book = self._chance, self._networks
        count = len(numbers)
        member = chance.words("network/member", numbers) & _U(0x7FFFFFFF) | _U(1)
        home = book.codes(nets.HOME, heads, member)
        carrier = book.codes(nets.CARRIER, book.draw_carriers(chance.uniform("carrier", numbers), where), member)
        third_kind = np.where(chance.uniform("network/third", numbers) < 0.6, nets.OFFICE, nets.GUEST)
        pick = chance.words("network/place", heads)
        many = np.where(third_kind == nets.OFFICE, book.offices, book.guests).astype(np.uint64)
        third = (third_kind.astype(np.int64) << 56) + ((pick % many).astype(np.int64) << 32) + member.astype(np.int64)
        made = np.stack([home, carrier, third], axis=1)
        weight = np.repeat(np.array([[0.66, 0.28, 0.06]]), count, axis=0)
        usual = segments.column("network")
        office = chance.words("office", heads)
        counts = {"office": (nets.OFFICE, book.offices), "campus": (nets.CAMPUS, book.campuses),
                  "dormitory": (nets.DORMITORY, book.dormitories), "vpn": (nets.VPN, 6),
                  "relay": (nets.RELAY, book.relays), "guest": (nets.GUEST, book.guests)}  # fmt: skip
        for name, (code, total) in counts.items():
            rows = np.flatnonzero(usual[kind] == name)
            if not len(rows):
                continue
            words = (
                office
                if name == "office"
                else chance.words("dormitory" if name == "dormitory" else "network/usual", heads)
            )
            places = (words[rows] % _U(total)).astype(np.int64)
            if name == "relay":
                places = (chance.words("network/usual", numbers[rows]) % _U(total)).astype(np.int64)
            made[rows, 2] = home[rows]
            made[rows, 0] = book.codes(code, places, member[rows])
            weight[rows] = (0.62, 0.2, 0.18)
        rows = np.flatnonzero(usual[kind] == "carrier")
        made[rows, 0], made[rows, 1] = carrier[rows], home[rows]
        weight[rows] = (0.95, 0.03, 0.02)
        return made, weight

    def device_ids(
        self, device_numbers: NDArray[np.uint64], clears_days: NDArray[np.int64], at: NDArray[np.int64]
    ) -> Texts:
        """The ids of devices at times: whoever clears cookies is a new device after every few days."""
        life = np.where(clears_days > 0, clears_days, 36_500) * DAY
        phase = (self._chance.words("device/phase", device_numbers) % _U(1 << 40)).astype(np.int64) % life
        epoch = ((at + phase) // life).astype(np.uint64)
        return texts(self._chance.names("device", (device_numbers << _U(12)) ^ (epoch * _U(0x5851F42D4C957F2D))))


def personas(
    people: People, register: Register, devices: Devices, issuers: Issuers, networks: nets.Networks, at: int
) -> list[Persona]:
    """The same people as records; devices as they are at a time."""
    chance = register._chance
    count = len(people)
    ids, prints, updated = [], [], []
    when = np.full(count, at, dtype=np.int64)
    for slot in range(3):
        ids.append(register.device_ids(people.device_number[:, slot], people.clears_days, when))
        models = np.maximum(people.model[:, slot], 0)
        prints.append(devices.fingerprints(models, people.device_number[:, slot], people.language_code))
        updated.append(devices.is_updated(models, people.device_number[:, slot], when))
    ages = chance.uniform("device/age", people.numbers)
    made: list[Persona] = []
    for row in range(count):
        language, offset = people.language[row], int(people.utc_offset_minutes[row])
        own = tuple(
            devices.device(int(people.model[row, slot]), ids[slot][row], prints[slot][row], language, offset,
                           updated=bool(updated[slot][row]),
                           install_age=int(3_600 + ages[row] * max(at - int(people.joined_at[row]), 10**6) / 10**6))
            for slot in range(3)
            if people.model[row, slot] >= 0
        )  # fmt: skip
        cards = tuple(people.cards[slot].card(row, issuers) for slot in range(3) if people.card_weight[row, slot] > 0)
        habits = Habits(
            hours=_HOURS_NORMED[int(people.hours[row])], visits_per_week=float(people.visits_per_week[row]),
            basket_minor=int(people.basket_minor[row]), pace=float(people.pace[row]), bargain=float(people.bargain[row]),
            return_share=float(people.return_share[row]), review_share=float(people.review_share[row]),
        )  # fmt: skip
        guest = bool(people.guest[row])
        made.append(
            Persona(
                account="" if guest else people.account[row], email=people.email[row], phone=people.phone[row],
                home=people.home.address(row), devices=own, cards=cards, habits=habits,
                country=CODES[int(people.country[row])], language=language, utc_offset_minutes=offset,
                joined_at=int(people.joined_at[row]), guest=guest,
                networks=tuple(networks.name(int(code)) for code in people.network[row]),
                segment=segments.NAMES[int(people.segment[row])],
                ship=people.ship.address(row) if people.ships_to[row] else None,
            )
        )  # fmt: skip
    return made
