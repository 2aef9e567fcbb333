"""People whom the shop does not know yet: invented, bought or simply new. One grammar for all of them.

An expert's invented person is drawn exactly as a new honest customer is. What a cheaper one saves shows: mailboxes for
minutes, numbers out of one block, one home in twelve spellings.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
from numpy.random import Generator

from floorwalker.errors import UsageError
from floorwalker.events.event import Address
from floorwalker.simulation.shop.persona import Persona
from floorwalker.simulation.shop.world.countries import place_of
from floorwalker.simulation.shop.world.register import Register

STYLES: tuple[str, ...] = ("plausible", "bulk", "disposable_mail", "gmail_dots", "address_variants", "recycled_phone")
"""`plausible` as an honest new customer; `bulk` mailboxes and numbers made by a script; the others spare one thing."""

_DISPOSABLE = (
    "yopmail.com",
    "mailinator.com",
    "trashmail.com",
    "byom.de",
    "maildrop.cc",
    "temp-mail.org",
    "wegwerfmail.de",
)
_ANY = 1 << 62


class Newcomers:
    """Makes them.

    Parameters
    ----------
    register : of the world.
    """

    def __init__(self, register: Register) -> None:
        self._register = register

    def make(
        self, rng: Generator, count: int, *, country: str, style: str, at: int, home: Address | None = None
    ) -> list[Persona]:
        """New people.

        Parameters
        ----------
        country : where they say they live.
        style : one of `STYLES`, or several joined by `+`.
        at : when they join, microseconds; 0 for the first day.
        home : for `address_variants`: the one door that all of them give.
        """
        styles = style.split("+")
        wrong = [one for one in styles if one not in STYLES]
        if wrong:
            raise UsageError(f"no style of persons is called {wrong[0]!r}", allowed=", ".join(STYLES))
        first = int(rng.integers(1 << 40, 1 << 57)) * 4
        numbers = np.arange(first, first + count, dtype=np.uint64) * np.uint64(4)
        when = at or self._register.scenario.first_at
        block = int(rng.integers(_ANY)) if "bulk" in styles else None
        people = self._register.people(numbers, country=place_of(country), alone=True, phone_block=block)
        if "recycled_phone" in styles:
            people.phone = self._register.recycled_phones(numbers, people.country)
        people.joined_at[:] = when
        people.guest[:] = False
        made = self._register.personas(people, when)
        door = home
        for row, person in enumerate(made):
            changes: dict[str, object] = {"networks": (), "segment": ""}
            box, _, host = person.email.partition("@")
            if "bulk" in styles:
                changes["email"] = (
                    f"{_letters(rng, 7)}{int(rng.integers(100, 9999))}@{host if host in _COMMON else 'outlook.com'}"
                )
            if "disposable_mail" in styles:
                changes["email"] = f"{box}@{_DISPOSABLE[int(rng.integers(len(_DISPOSABLE)))]}"
            if "gmail_dots" in styles:
                changes["email"] = _dotted(rng, made[0].email.partition("@")[0])
            if "address_variants" in styles:
                door = door or person.home
                changes["home"] = msgspec.structs.replace(spell_otherwise(rng, door), name=person.home.name)
                changes["ship"] = None
            made[row] = replace(person, **changes)  # type: ignore[arg-type]
        return made


_COMMON = ("gmail.com", "gmx.de", "web.de", "outlook.com", "hotmail.com", "qq.com", "163.com", "wp.pl", "icloud.com")


def _letters(rng: Generator, count: int) -> str:
    return "".join("abcdefghijklmnopqrstuvwxyz"[int(place)] for place in rng.integers(26, size=count))


def _dotted(rng: Generator, box: str) -> str:
    """One Gmail box under another name: dots and a tag, which the provider ignores."""
    bare = box.replace(".", "").replace("_", "")
    marks = rng.random(len(bare)) < 0.25
    dotted = "".join(
        letter + ("." if mark and place < len(bare) - 1 else "")
        for place, (letter, mark) in enumerate(zip(bare, marks, strict=True))
    )
    tag = f"+{_letters(rng, 3)}" if rng.random() < 0.4 else ""
    return f"{dotted}{tag}@gmail.com"


_SWAPS = (
    ("straße", "str."), ("straße", "strasse"), ("Straße", "Str."), ("Street", "St"), ("Road", "Rd"), ("Avenue", "Ave"),
    ("Lane", "Ln"), ("Drive", "Dr"), ("Apt ", "#"), ("Unit ", "Apt. "), ("Flat ", "Apartment "), ("ul. ", ""),
    ("幢", "栋"), ("幢", "号楼"), ("号", "號"), ("室", ""), ("straat", "str."), ("weg", "Weg"), ("Wohnung ", "Whg. "),
)  # fmt: skip
_FLOURISHES = ("", "", "c/o", "Hinterhaus", "2. OG", "links", "near the corner", "Eingang B", "EG rechts")


def spell_otherwise(rng: Generator, address: Address, how: str = "") -> Address:
    """The same door, spelt otherwise, as people do by accident and rings on purpose.

    Parameters
    ----------
    how : `short` (abbreviations), `case`, `typo`, `flourish` (a line that no postman needs), `order` (house number in
        front or behind), or "" for one or two of them by chance.
    """
    ways = ("short", "case", "typo", "flourish", "order")
    chosen = [how] if how else [str(way) for way in rng.choice(ways, size=int(rng.integers(1, 3)), replace=False)]
    changes: dict[str, str | None] = {}
    field = "street" if address.street else "text"
    line = getattr(address, field) or ""
    for way in chosen:
        if way == "short":
            fitting = [(old, new) for old, new in _SWAPS if old in line]
            if fitting:
                old, new = fitting[int(rng.integers(len(fitting)))]
                line = line.replace(old, new)
        elif way == "case":
            line = line.upper() if rng.random() < 0.4 else line.lower()
        elif way == "typo":
            letters = [place for place, letter in enumerate(line) if letter.isalpha() and place > 1]
            if len(letters) > 4 and line.isascii():
                place = letters[int(rng.integers(len(letters)))]
                line = (
                    line[:place] + line[place] + line[place:]
                    if rng.random() < 0.5
                    else line[:place] + line[place + 1 :]
                )
        elif way == "flourish" and address.country != "CN":
            changes["extra"] = (
                " ".join(filter(None, (address.extra, _FLOURISHES[int(rng.integers(len(_FLOURISHES)))]))) or None
            )
        elif way == "order" and address.country in ("DE", "AT", "NL"):
            words = line.rsplit(" ", 1)
            if len(words) == 2 and words[1][:1].isdigit():
                line = f"{words[1]} {words[0]}"
    changes[field] = line
    return msgspec.structs.replace(address, **changes)
