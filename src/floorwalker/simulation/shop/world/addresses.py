"""Where people live and where they want their parcels: homes, lockers, pickup points, freight forwarders."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.event import Address
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world._places import ESTATES, KIOSKS, STREETS, TOWNS
from floorwalker.simulation.shop.world._tables import Texts, choose, digits, full, pick, pick_by, plain, texts
from floorwalker.simulation.shop.world.countries import CODES

FIELDS: tuple[str, ...] = (
    "name", "company", "street", "extra", "district", "city", "region", "postal_code", "country", "text",
)  # fmt: skip
"""Fields of an address, as `floorwalker.events.event.Address` has them."""

_DE, _AT, _GB, _PL, _NL, _US, _CN = (CODES.index(code) for code in ("DE", "AT", "GB", "PL", "NL", "US", "CN"))
_COUNTRY = texts(list(CODES))
_MOST_TOWNS = max(map(len, TOWNS))
_WEIGHTS = np.array([[town[5] for town in towns] + [0.0] * (_MOST_TOWNS - len(towns)) for towns in TOWNS])
_TOWN_NAMES = texts([town[0] for towns in TOWNS for town in (*towns, *[towns[0]] * (_MOST_TOWNS - len(towns)))])
_REGIONS = texts([town[2] for towns in TOWNS for town in (*towns, *[towns[0]] * (_MOST_TOWNS - len(towns)))])
_DISTRICTS = texts([town[1] for towns in TOWNS for town in (*towns, *[towns[0]] * (_MOST_TOWNS - len(towns)))])
_FIRST = np.array([town[3] for towns in TOWNS for town in (*towns, *[towns[0]] * (_MOST_TOWNS - len(towns)))])
_CODES = np.array([town[4] for towns in TOWNS for town in (*towns, *[towns[0]] * (_MOST_TOWNS - len(towns)))])
_SAFE_LETTERS = texts(list("ABDEFGHJLNPQRSTUWXYZ"))
_AREAS = {row: texts(_REGIONS[row].split()) for row in range(len(_REGIONS)) if row // _MOST_TOWNS == _GB}
_QUARTERS = {row: texts(_DISTRICTS[row].split()) for row in range(len(_DISTRICTS)) if row // _MOST_TOWNS == _CN}


@dataclass
class Addresses:
    """Postal addresses as columns; a field that nobody wrote is None.

    Parameters
    ----------
    columns : for each of `FIELDS` a column of `str | None`, shape [k].
    """

    columns: dict[str, Texts] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["country"])

    def address(self, row: int) -> Address:
        """One of them as a record."""
        return Address(**{name: column[row] for name, column in self.columns.items()})

    def take(self, rows: NDArray[np.int64]) -> Addresses:
        """Some of them."""
        return Addresses({name: column[rows] for name, column in self.columns.items()})

    def put(self, rows: NDArray[np.int64], other: Addresses) -> None:
        """Write `other` over these rows."""
        for name, column in self.columns.items():
            column[rows] = other.columns[name]


def draw_homes(
    chance: Chance, homes: NDArray[np.uint64], names: Texts, country: NDArray[np.int64], numbers: NDArray[np.uint64]
) -> Addresses:
    """The home of each person.

    Parameters
    ----------
    homes : number of the household: whoever has the same lives at the same door.
    names : who the parcel is for.
    numbers : who writes the address: everybody spells in their own way.
    """
    count = len(homes)
    towns = country * _MOST_TOWNS + choose(_WEIGHTS, country, chance.uniform("home/town", homes))
    street = pick_by(STREETS, country, chance.uniform("home/street", homes), 1.25)
    house = 1 + (140 * chance.uniform("home/house", homes) ** 2.2).astype(np.int64)
    flat = 1 + (38 * chance.uniform("home/flat", homes) ** 1.6).astype(np.int64)
    in_flat = chance.uniform("home/in flat", homes)
    spelling = chance.uniform("address/spelling", numbers)
    codes = (_FIRST[towns] + np.floor(_CODES[towns] * chance.uniform("home/code", homes) ** 1.3)).astype(np.int64)
    made = Addresses({name: full(count, None) for name in FIELDS})
    columns = made.columns
    columns["name"] = names
    columns["country"] = _COUNTRY[country]
    columns["city"] = _TOWN_NAMES[towns]
    number = plain(house)
    for place, write in ((_DE, _german), (_AT, _german), (_NL, _dutch), (_PL, _polish), (_US, _american)):
        rows = np.flatnonzero(country == place)
        if len(rows):
            write(columns, rows, street[rows], number[rows], flat[rows], in_flat[rows], codes[rows], spelling[rows])
    rows = np.flatnonzero(country == _US)
    columns["region"][rows] = _REGIONS[towns[rows]]
    rows = np.flatnonzero(country == _AT)
    columns["postal_code"][rows] = digits(codes[rows], 4)
    rows = np.flatnonzero(country == _NL)
    if len(rows):
        words = chance.words("home/letters", homes[rows])
        letters = _SAFE_LETTERS[(words % np.uint64(20)).astype(np.int64)]
        letters = letters + _SAFE_LETTERS[(words >> np.uint64(8)).astype(np.int64) % 20]
        columns["postal_code"][rows] = digits(codes[rows], 4) + " " + letters
    rows = np.flatnonzero(country == _GB)
    if len(rows):
        _british(chance, columns, rows, homes[rows], towns[rows], street[rows], number[rows], flat[rows], in_flat[rows])
    rows = np.flatnonzero(country == _CN)
    if len(rows):
        _chinese(chance, columns, rows, homes[rows], towns[rows], street[rows], number[rows], spelling[rows])
    return made


def _german(
    columns: dict[str, Texts], rows: NDArray[np.int64], street: Texts, number: Texts, flat: NDArray[np.int64],
    in_flat: NDArray[np.float64], codes: NDArray[np.int64], spelling: NDArray[np.float64],
) -> None:  # fmt: skip
    short = np.flatnonzero(spelling < 0.3)
    street[short] = texts([name.replace("straße", "str.").replace("Straße", "Str.") for name in street[short].tolist()])
    ascii_only = np.flatnonzero((spelling >= 0.3) & (spelling < 0.37))
    street[ascii_only] = texts([name.replace("ß", "ss") for name in street[ascii_only].tolist()])
    lettered = np.flatnonzero(in_flat > 0.93)
    number[lettered] = number[lettered] + pick(texts(["a", "b", "c"]), (in_flat[lettered] - 0.93) / 0.0701)
    columns["street"][rows] = street + " " + number
    columns["postal_code"][rows] = digits(codes, 5)
    upstairs = np.flatnonzero(in_flat < 0.05)
    columns["extra"][rows[upstairs]] = "Wohnung " + plain(flat[upstairs])


def _dutch(
    columns: dict[str, Texts], rows: NDArray[np.int64], street: Texts, number: Texts, flat: NDArray[np.int64],
    in_flat: NDArray[np.float64], codes: NDArray[np.int64], spelling: NDArray[np.float64],
) -> None:  # fmt: skip
    columns["street"][rows] = street + " " + number


def _polish(
    columns: dict[str, Texts], rows: NDArray[np.int64], street: Texts, number: Texts, flat: NDArray[np.int64],
    in_flat: NDArray[np.float64], codes: NDArray[np.int64], spelling: NDArray[np.float64],
) -> None:  # fmt: skip
    bare = np.flatnonzero(spelling < 0.35)
    street[bare] = texts([name.removeprefix("ul. ") for name in street[bare].tolist()])
    door = np.where(in_flat < 0.65, "/" + plain(flat), "")
    columns["street"][rows] = street + " " + number + door
    columns["postal_code"][rows] = digits(codes // 1000, 2) + "-" + digits(codes, 3)


def _american(
    columns: dict[str, Texts], rows: NDArray[np.int64], street: Texts, number: Texts, flat: NDArray[np.int64],
    in_flat: NDArray[np.float64], codes: NDArray[np.int64], spelling: NDArray[np.float64],
) -> None:  # fmt: skip
    columns["street"][rows] = number + plain(flat % 10) + " " + street
    columns["postal_code"][rows] = digits(codes, 5)
    within = np.flatnonzero(in_flat < 0.35)
    columns["extra"][rows[within]] = np.where(spelling[within] < 0.6, "Apt ", "Unit ") + plain(flat[within])


def _british(
    chance: Chance, columns: dict[str, Texts], rows: NDArray[np.int64], homes: NDArray[np.uint64],
    towns: NDArray[np.int64], street: Texts, number: Texts, flat: NDArray[np.int64], in_flat: NDArray[np.float64],
) -> None:  # fmt: skip
    words = chance.words("home/letters", homes)
    area = np.empty(len(rows), dtype=object)
    for town in np.unique(towns).tolist():
        here = towns == town
        area[here] = pick(_AREAS[town], chance.uniform("home/area", homes[here]))
    sector = 1 + (words % _CODES[towns].astype(np.uint64)).astype(np.int64)
    inward = plain(words >> np.uint64(8) & np.uint64(7))
    inward = inward + _SAFE_LETTERS[(words >> np.uint64(16)).astype(np.int64) % 20]
    inward = inward + _SAFE_LETTERS[(words >> np.uint64(24)).astype(np.int64) % 20]
    columns["postal_code"][rows] = area + plain(sector) + " " + inward
    columns["street"][rows] = number + " " + street
    within = np.flatnonzero(in_flat < 0.3)
    columns["extra"][rows[within]] = "Flat " + plain(flat[within])


def _chinese(
    chance: Chance, columns: dict[str, Texts], rows: NDArray[np.int64], homes: NDArray[np.uint64],
    towns: NDArray[np.int64], street: Texts, number: Texts, spelling: NDArray[np.float64],
) -> None:  # fmt: skip
    words = chance.words("home/building", homes)
    district = np.empty(len(rows), dtype=object)
    for town in np.unique(towns).tolist():
        here = towns == town
        district[here] = pick(_QUARTERS[town], chance.uniform("home/district", homes[here]))
    building = plain(1 + words % np.uint64(30))
    stairs = plain(1 + (words >> np.uint64(10)) % np.uint64(4))
    room = (
        plain(1 + (words >> np.uint64(16)) % np.uint64(24)) + "0" + plain(1 + (words >> np.uint64(24)) % np.uint64(4))
    )
    estate = pick(ESTATES, chance.uniform("home/estate", homes))
    door = building + "幢" + stairs + "单元" + room + "室"
    at = street + number + "号"
    full_line = np.where(spelling < 0.5, at + estate + door, at + door)
    city, region = _TOWN_NAMES[towns], _REGIONS[towns]
    columns["region"][rows] = np.where(region == city, city + "市", region + "省")
    columns["city"][rows] = city + "市"
    columns["district"][rows] = district
    columns["street"][rows] = full_line
    free = np.flatnonzero(spelling > 0.72)  # typed or pasted into one field
    line = np.where(region == city, city + "市", region + "省" + city + "市") + district + full_line
    columns["text"][rows[free]] = line[free]
    for name in ("region", "city", "district", "street"):
        columns[name][rows[free]] = None


def draw_lockers(chance: Chance, spots: NDArray[np.uint64], homes: Addresses, country: NDArray[np.int64]) -> Addresses:
    """Parcel lockers near home; whoever has the same `spot` in the same town uses the same one."""
    made = homes.take(np.arange(len(homes)))
    columns = made.columns
    number = plain(101 + spots % np.uint64(120))
    columns["street"] = np.where(
        country == _GB,
        "InPost Locker " + number,
        np.where(country == _PL, "Paczkomat " + number, "Packstation " + number),
    )
    columns["extra"] = full(len(made), None)
    chinese = np.flatnonzero(country == _CN)
    columns["street"][chinese] = pick(STREETS[_CN], chance.uniform("locker/street", spots[chinese])) + (
        number[chinese] + "号丰巢快递柜"
    )
    columns["city"] = _city_of(homes)
    columns["text"] = full(len(made), None)
    return made


def draw_pickup_points(
    chance: Chance, spots: NDArray[np.uint64], homes: Addresses, country: NDArray[np.int64]
) -> Addresses:
    """Small shops near home that keep parcels."""
    made = homes.take(np.arange(len(homes)))
    columns = made.columns
    house = plain(1 + spots % np.uint64(80))
    street = pick_by(STREETS, country, chance.uniform("pickup/street", spots), 1.6)
    kiosk = pick(KIOSKS, chance.uniform("pickup/kiosk", spots))
    first_number = (country == _GB) | (country == _US)
    columns["street"] = np.where(first_number, house + " " + street, street + " " + house)
    columns["extra"] = np.where(country == _GB, "Collect+ " + kiosk, "Paketshop " + kiosk)
    chinese = np.flatnonzero(country == _CN)
    columns["street"][chinese] = street[chinese] + house[chinese] + "号菜鸟驿站"
    columns["extra"][chinese] = None
    columns["city"] = _city_of(homes)
    columns["text"] = full(len(made), None)
    return made


def _city_of(homes: Addresses) -> Texts:
    city = homes.columns["city"].copy()
    for row in [place for place, name in enumerate(city.tolist()) if name is None]:
        line = homes.columns["text"][row] or ""
        tail = line.partition("省")[2] or line
        city[row] = tail.partition("市")[0] + "市"
    return city


FORWARDERS: tuple[Address, ...] = (
    Address(company="Baltic Parcel Relay", street="Hafenallee 12", city="Rostock", postal_code="18069", country="DE"),
    Address(
        company="EuroBox Forwarding", street="Am Frachtzentrum 4", city="Leipzig", postal_code="04435", country="DE"
    ),
    Address(company="Mailhop Ltd", street="7 Cargo Way", city="Reading", postal_code="RG2 0AB", country="GB"),
    Address(
        company="转运中国仓", street="Zur Luftfracht 9", city="Frankfurt am Main", postal_code="60549", country="DE"
    ),
)
"""Freight forwarders: hundreds of customers abroad give the same warehouse, each with a number of their own."""


def forward(rows: NDArray[np.uint64], names: Texts) -> Addresses:
    """The forwarder's address for each customer, with the customer's number in its second line."""
    which = (rows % np.uint64(len(FORWARDERS))).astype(np.int64)
    made = Addresses({name: full(len(rows), None) for name in FIELDS})
    for name in ("company", "street", "city", "postal_code", "country"):
        made.columns[name] = texts([getattr(one, name) for one in FORWARDERS])[which]
    made.columns["name"] = names
    made.columns["extra"] = "Unit " + digits(rows >> np.uint64(7), 4)
    return made
