"""One door, one key, however its address is spelt.

Whoever wants ten welcome presents writes one address in ten ways. The delivery point is what the ways have in common:
the postal code or town, the house's number, the flat's number, and so much of the street's name as no misspelling
touches. Two neighbours differ in one of the numbers; two spellings do not.

>>> a = read_address(Address(street="12 High St.", extra="Flat 3", postal_code="ls1 4ap", country="GB"))
>>> b = read_address(Address(text="Apt 3, 12 High Street, Leeds LS1 4AP", country="GB"))
>>> a.point == b.point, a.point
(True, 'GB|LS14AP|12|3')
>>> read_address(Address(text="浙江省杭州市西湖区文三路１２號３幢２單元５０１室", country="CN")).point
'CN|杭州|文3路|12.3.2.501'
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from floorwalker.events.event import Address
from floorwalker.events.identity import _address_chinese, _address_western

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_PLACES = ("CN", "TW", "HK", "MO")


@dataclass(frozen=True)
class Place:
    """What an address says.

    Parameters
    ----------
    canonical : the whole address in one spelling: case, width, marks, words and numbers.
    point : the delivery point; None where too little was said (no number, or neither postal code nor town).
    area : country and the first part of the postal code, or the town: coarse enough to name nobody.
    is_pickup : whether it is a locker, a parcel shop or a post office box, which many strangers share.
    """

    canonical: str
    point: str | None
    area: str | None
    is_pickup: bool


_FIELDS = ("street", "extra", "district", "city", "region", "postal_code", "country", "text", "company")


def read_address(address: Address) -> Place:
    """The place that an address names; never raises. The name of the person does not count."""
    return _read(*[getattr(address, name) for name in _FIELDS])


@lru_cache(maxsize=1 << 14)
def _read(
    street: str | None, extra: str | None, district: str | None, city: str | None, region: str | None,
    postal_code: str | None, country: str | None, text: str | None, company: str | None,
) -> Place:  # fmt: skip
    lines = [_plain(part) for part in (street, extra, text) if part]
    town, quarter, state = _plain(city or ""), _plain(district or ""), _plain(region or "")
    code = re.sub(r"[^A-Z0-9]", "", _plain(postal_code or "").upper())
    nation = _plain(country or "").upper()
    written = ", ".join(lines)
    is_chinese = len(_CHINESE.findall(written)) >= 2 and nation in ("", *_PLACES)
    if is_chinese:
        found = _address_chinese.read_lines(written, town, quarter, state)
        nation = nation or "CN"
    else:
        found = _address_western.read_lines(lines, town, code, nation)
    code = found.postal_code or code
    canonical = "|".join((nation, code, found.town, *found.street, *found.numbers, found.rest))
    area = _area(nation, code, found.town)
    point = None
    if found.is_pickup and found.numbers:
        street = "".join(found.street) if is_chinese else ""
        point = f"{nation}|{code or found.town}|box{street}|{'.'.join(found.numbers)}"
    elif found.numbers and (code or found.town):
        if is_chinese:
            point = f"{nation}|{found.town or quarter or code}|{''.join(found.street)}|{'.'.join(found.numbers)}"
        elif _is_fine(nation, code):
            point = f"{nation}|{code}|{'|'.join(found.numbers)}"
        else:
            where = _coarse(nation, code) or found.town
            point = f"{nation}|{where}|{_skeleton(found.street)}|{'|'.join(found.numbers)}"
    return Place(canonical, point, area, found.is_pickup)


_NUMBER_SIGN = re.compile("(?<![^\\W\\d_])[nN][º°]|№")
_ORDINAL_SIGN = re.compile("[ºª°]")


def _plain(text: str) -> str:
    """One width, no case, no accents (ü is u, ß is ss), single spaces."""
    if text.isascii():
        # It has none of the signs and letters below.
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", _ORDINAL_SIGN.sub("", _NUMBER_SIGN.sub("no ", text))).casefold()
    if not folded.isascii():
        parts = unicodedata.normalize("NFKD", folded)
        folded = unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))
    return " ".join(folded.split())


def _is_fine(nation: str, code: str) -> bool:
    """Whether a postal code leads to one side of one street, so that the street's name says nothing new."""
    widths = _FINE.get(nation)
    return widths is not None and len(code) in widths


_FINE = {"GB": (5, 6, 7), "NL": (6,), "CA": (6,), "IE": (7,), "SG": (6,), "PT": (7,), "IR": (10,), "BN": (6,)}
"""Countries whose postal codes name a few houses, with the lengths of a whole code."""


def _coarse(nation: str, code: str) -> str:
    """The part of a postal code that everybody writes: of the American nine digits, the first five."""
    return code[:5] if nation == "US" else code


def _area(nation: str, code: str, town: str) -> str | None:
    if code:
        keep = len(code) - 3 if nation in ("GB", "CA", "NL", "IE") and len(code) > 4 else 3
        return f"{nation}:{code[:keep]}"
    return f"{nation}:{town}" if town else None


_VOWELS = str.maketrans("", "", "aeiouyäöüh' -")


def _skeleton(words: tuple[str, ...]) -> str:
    """What is left of a street's name after most misspellings: its first letter and the first four consonants."""
    joined = "".join(words)
    if not joined:
        return ""
    bare = joined[0] + joined[1:].translate(_VOWELS)
    once = "".join(character for place, character in enumerate(bare) if place == 0 or character != bare[place - 1])
    return once[:5]
