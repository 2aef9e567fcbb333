"""Telephone numbers that an operator could hand out; nobody dials them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world._tables import Texts, digits, full, pick_by, texts
from floorwalker.simulation.shop.world.countries import CODES

PREFIXES: tuple[Texts, ...] = (
    texts(["170", "171", "172", "173", "174", "175", "160", "162", "163", "177", "178", "179"]),
    texts(["650", "660", "664", "676", "680", "681", "688", "699"]),
    texts(["7400", "7411", "7500", "7519", "7710", "7711", "7720", "7771", "7800", "7810", "7900", "7940", "7980"]),
    texts(["500", "501", "510", "530", "570", "600", "603", "660", "690", "720", "730", "780", "790", "880"]),
    texts(["61", "62", "63", "64", "65", "68"]),
    texts(["201555", "202555", "305555", "312555", "415555", "512555", "602555", "713555"]),
    texts(["130", "131", "132", "133", "135", "136", "137", "138", "139", "150", "151", "152", "155", "156", "157",
           "158", "159", "166", "176", "177", "178", "180", "182", "185", "186", "187", "188", "189", "198"]),
)  # fmt: skip
"""First digits behind the country's code, by country."""

_LENGTHS = (7, 7, 6, 6, 7, 4, 8)
"""Further digits, by country: the whole has fewer than a card number's thirteen digits, or no card's first ones."""
_LEADS = texts(["+49", "+43", "+44", "+48", "+31", "+1", "+86"])
_NATIONAL = texts(["0", "0", "0", "", "0", "", ""])
_CHINA = CODES.index("CN")

SPREAD = 10**4
"""Numbers in one block, as they are sold; the engine's `phone_prefix` is such a block."""


def write_phones(
    chance: Chance, numbers: NDArray[np.uint64], country: NDArray[np.int64], *, block: int | None = None
) -> Texts:
    """A number for each person.

    Parameters
    ----------
    block : None for anybody's number; a number that names a block of which all get their numbers, one after the other,
        as SMS-code platforms and resellers of SIM cards have them.
    """
    if block is None:
        words = chance.words("phone/digits", numbers)
        prefix = pick_by(PREFIXES, country, chance.uniform("phone/prefix", numbers), 1.3)
    else:
        key = np.full(len(numbers), block, dtype=np.uint64)
        start = chance.words("phone/block", key) // np.uint64(SPREAD) * np.uint64(SPREAD)
        words = start + chance.words("phone/in block", numbers) % np.uint64(600)
        prefix = pick_by(PREFIXES, country, chance.uniform("phone/block prefix", key), 1.0)
    rest = np.empty(len(numbers), dtype=object)
    for place, length in enumerate(_LENGTHS):
        rows = np.flatnonzero(country == place)
        if len(rows):
            rest[rows] = digits(words[rows], length)
    how = chance.uniform("phone/spelling", numbers)
    blank = full(len(numbers), "")
    blank[how < 0.18] = " "
    lead = _LEADS[country] + blank
    local = np.flatnonzero((how > 0.86) & (country != CODES.index("US")))
    lead[local] = _NATIONAL[country[local]]
    # A Chinese number with its country's code in front has thirteen digits, but no card begins with 861.
    return np.asarray(lead + prefix + rest, dtype=object)
