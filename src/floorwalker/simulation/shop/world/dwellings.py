"""Where customers live and have their parcels sent, segment by segment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world import segments
from floorwalker.simulation.shop.world._tables import Texts, plain
from floorwalker.simulation.shop.world.addresses import (
    Addresses,
    draw_homes,
    draw_lockers,
    draw_pickup_points,
    forward,
)
from floorwalker.simulation.shop.world.countries import CODES

_U = np.uint64
_ROOM = np.array([{"GB": "Room ", "US": "Room ", "CN": ""}.get(code, "Zimmer ") for code in CODES], dtype=object)
_AFTER = np.array(["室" if code == "CN" else "" for code in CODES], dtype=object)
_HALLS, _SPOTS, _LEADERS, _FIRMS = (_U(1 << bit) for bit in (61, 60, 59, 58))
"""Doors that are no customer's: numbers beyond all customers."""


def uneven(chance: Chance, what: str, numbers: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """One of `count` places for each number, the first ones far more often: firms and lockers are like that."""
    return (count * chance.uniform(what, numbers) ** 2.2).astype(np.uint64)


def draw_dwellings(
    chance: Chance, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], names: Texts, where: NDArray[np.int64],
    kind: NDArray[np.int64], *, customers: int, dormitories: int, offices: int,
) -> tuple[Addresses, Addresses]:  # fmt: skip
    """Homes, and where parcels usually go.

    Parameters
    ----------
    numbers, heads : who, and the first person of each household.
    names : who a parcel is for.
    where, kind : places in `COUNTRIES` and `SEGMENTS`.
    customers, dormitories, offices : how many there are of each.
    """
    lives_in_hall = kind == segments.place_of("dormitory")
    halls = uneven(chance, "dormitory", heads, dormitories) + _HALLS
    home = draw_homes(chance, np.where(lives_in_hall, halls, heads), names, where, numbers)
    rooms = np.flatnonzero(
        lives_in_hall & np.array([street is not None for street in home.columns["street"].tolist()], bool)
    )
    door = plain(chance.words("room", numbers[rooms]) % _U(400) + _U(1))
    home.columns["extra"][rooms] = _ROOM[where[rooms]] + door + _AFTER[where[rooms]]
    ship = home.take(np.arange(len(numbers)))
    for name, draw, density in (("locker_user", draw_lockers, 500), ("pickup_user", draw_pickup_points, 600)):
        rows = np.flatnonzero(kind == segments.place_of(name))
        if len(rows):
            spots = uneven(chance, "spot", heads[rows], max(8, customers // density))
            # Same spot, same town: the door of a home stands for the quarter.
            near = draw_homes(chance, spots + _SPOTS, names[rows], where[rows], spots)
            ship.put(rows, draw(chance, spots, near, where[rows]))
    rows = np.flatnonzero(kind == segments.place_of("forwarder_user"))
    if len(rows):
        ship.put(rows, forward(chance.words("forwarder", numbers[rows]), names[rows]))
    rows = np.flatnonzero(segments.column("ships_to")[kind] == "leader")
    if len(rows):
        leader = uneven(chance, "leader", heads[rows], max(3, customers // 500)) + _LEADERS
        ship.put(rows, draw_homes(chance, leader, names[rows], where[rows], leader))
    rows = np.flatnonzero(segments.column("ships_to")[kind] == "office")
    if len(rows):
        firm = uneven(chance, "office", heads[rows], offices)
        shared = draw_homes(chance, firm + _FIRMS, names[rows], where[rows], firm)
        shared.columns["company"] = "Firma " + plain(firm % _U(9973))
        ship.put(rows, shared)
    return home, ship
