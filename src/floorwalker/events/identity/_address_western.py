"""Addresses in Latin letters: house, flat, street and postal code out of words in any order."""

from __future__ import annotations

import re
from typing import NamedTuple


class Parts(NamedTuple):
    """What was found in an address's lines.

    Parameters
    ----------
    street : the words of the street's name, in order.
    numbers : house, then flat, then what else tells doors apart.
    town, postal_code : as found, or as given.
    rest : words that belong to none of them.
    is_pickup : whether many strangers fetch their parcels there.
    """

    street: tuple[str, ...]
    numbers: tuple[str, ...]
    town: str
    postal_code: str
    rest: str
    is_pickup: bool


_WORDS = {
    "street": "st", "str": "st", "strt": "st", "saint": "st", "strasse": "st", "road": "rd", "avenue": "ave",
    "av": "ave",
    "aven": "ave", "boulevard": "blvd", "boul": "blvd", "bd": "blvd", "drive": "dr", "drv": "dr", "lane": "ln",
    "court": "ct", "crt": "ct", "place": "pl", "square": "sq", "terrace": "ter", "terr": "ter", "close": "cl",
    "crescent": "cres", "highway": "hwy", "parkway": "pkwy", "circle": "cir", "trail": "trl", "gardens": "gdns",
    "grove": "gr", "mount": "mt", "platz": "pl", "plaza": "pl", "r": "rue", "north": "n", "south": "s",
    "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
}  # fmt: skip
"""Words that have several spellings."""

_KINDS = frozenset({"st", "rd", "ave", "blvd", "dr", "ln", "ct", "pl", "sq", "ter", "cl", "cres", "hwy", "pkwy", "cir",
                    "trl", "gdns", "gr", "way", "rue", "calle", "via", "chemin", "weg", "allee"})  # fmt: skip
"""Words for a street: left out where they stand for most of it, for they are left out as often."""
_IGNORED = frozenset(
    {"the", "of", "de", "la", "le", "les", "du", "des", "del", "di", "da", "van", "der", "den", "and", "no", "nr",
     "number", "c/o", "attn", "attention", "near", "opposite", "behind"}
)  # fmt: skip
_UNITS = frozenset(
    {"flat", "apt", "apartment", "appt", "appartement", "unit", "suite", "ste", "room", "rm", "apto", "piso", "wohnung",
     "whg", "door", "dept", "#", "app", "flt", "apartament", "maisonette", "studio", "lot", "bldg", "building", "block",
     "blk", "u", "tower", "house", "haus", "entrance", "stairs", "staircase", "esc"}
)  # fmt: skip
_FLOORS = frozenset({"floor", "fl", "flr", "level", "lvl", "etage", "stock", "og", "planta"})
_NUMBERS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "ground": "0",
}  # fmt: skip
_ORDINALS = {
    "first": "1th", "second": "2th", "third": "3th", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
_PICKUP = re.compile(
    r"\b(?:p\W?o\W? ?box|post office box|postfach|packstation|postfiliale|paketshop|paketbox|locker|parcel ?shop"
    r"|pick ?up point|access point|click (?:and|&) collect|poste restante|inpost|paczkomat|point relais|relais colis"
    r"|parcelforce depot|collect(?:\+|plus))\b"
)
_TOKEN = re.compile(
    r"#|c/o|\d+(?:st|nd|rd|th)\b|\d+[^\W\d_]?(?![^\W_])|[^\W\d_]+(?:'[^\W\d_]+)*(?![^\W_])|[^\W_]+|[,;/\n]"
)
_JOINED = re.compile(r"^([^\W\d_]+)(\d+[^\W\d_]?)$")
_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")
_CODES = {
    "GB": re.compile(r"\b([a-z]{1,2}\d[a-z\d]?) ?(\d[a-z]{2})\b"),
    "CA": re.compile(r"\b([a-z]\d[a-z])[ -]?(\d[a-z]\d)\b"),
    "NL": re.compile(r"\b(\d{4}) ?([a-z]{2})\b"),
    "US": re.compile(r"\b(\d{5})(?:-(\d{4}))?(?=\W*(?:$|usa|united states|,))"),
    "DE": re.compile(r"\b(\d{5})()\b"),
    "FR": re.compile(r"\b(\d{5})()\b"),
    "AU": re.compile(r"\b(\d{4})()\W*$"),
}
"""How a postal code looks inside a line, for the countries whose codes cannot be mistaken for a house's number."""


def read_lines(lines: list[str], town: str, code: str, nation: str) -> Parts:
    """Parts of an address whose lines are in lower case, without accents, with single spaces."""
    text = ", ".join(lines)
    if nation in ("ES", "MX", "CO", "AR"):
        text = re.sub(r"\bc[/.] ?", "calle ", text)
    if "/" in text:
        text = re.sub(r"\b(\d+) ?/ ?f\b", r", floor \1, ", text)  # as Hong Kong writes it
    if not code and nation in _CODES:
        found = _last_match(_CODES[nation], text)
        if found is not None:
            code = "".join(found.groups(default="")).upper()
            text = text[: found.start()] + "," + text[found.end() :]
    elif code and code.lower() in text.replace(" ", "").replace("-", ""):
        # Most addresses do not repeat their code, and a pattern takes longer to compile than all the rest.
        spaced = r"[ -]?".join(re.escape(character) for character in code.lower())
        text = re.sub(rf"(?<!\w){spaced}(?!\w)", ",", text)
    is_pickup = _PICKUP.search(text) is not None
    town_words = [word for word in _TOKEN.findall(town) if word[0].isalpha()]
    words = _split(_PICKUP.sub(" ", text) if is_pickup else text)
    numbers, names = _find_numbers(words)
    street = tuple(word for word in names if word not in _IGNORED)
    if town_words:
        street = _without_town(street, tuple(town_words))
    named = tuple(word for word in street if word not in _KINDS) or street
    return Parts(named, numbers, " ".join(town_words), code, "", is_pickup)


def _last_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _split(text: str) -> list[str]:
    """Words and numbers in one spelling; a comma, a slash or a line end stays as a mark."""
    words: list[str] = []
    for word in _TOKEN.findall(text):
        # Neither pattern fits a word of letters alone, and most are.
        may_have_digits = not word.isalpha()
        if may_have_digits and (ordinal := _ORDINAL.match(word)) is not None:
            words.append(ordinal[1] + "th")
        elif word in ",;\n":
            if words and words[-1] != ",":
                words.append(",")
        elif (
            may_have_digits
            and (joined := _JOINED.match(word)) is not None
            and _WORDS.get(joined[1], joined[1]) in _UNITS
        ):
            words += [joined[1], joined[2]]
        elif word in _ORDINALS:
            words.append(_ORDINALS[word])
        elif len(word) > 7 and word.endswith("strasse"):
            words += [word[:-7], "st"]
        elif len(word) > 5 and word.endswith("str"):
            words += [word[:-3], "st"]
        else:
            words.append(_WORDS.get(word, word))
    return words


def _find_numbers(words: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """House and flat, and the words that are left: the first part of the text that a house's number stands beside."""
    house = ""
    units: list[str] = []
    floors: list[str] = []
    names: list[list[str]] = [[]]
    house_part, house_word = -1, 0
    bare: list[tuple[str, int]] = []
    place = 0
    while place < len(words):
        word = words[place]
        following = _next_word(words, place + 1)
        if word in _UNITS and following is not None and _is_door(words[following]):
            door = _NUMBERS.get(words[following], words[following]).removesuffix("th")
            place = following + 1
            if door.isdigit() and place < len(words) and len(words[place]) == 1 and words[place].isalpha():
                door += words[place]
                place += 1
            units.append(door)
            continue
        if word in _FLOORS and following is not None and words[following][0].isdigit():
            floors.append(words[following].removesuffix("th"))
            place = following + 1
            continue
        if (
            _NUMBERS.get(word, word).removesuffix("th").isdigit()
            and following is not None
            and words[following] in _FLOORS
        ):
            floors.append(_NUMBERS.get(word, word).removesuffix("th"))
            place = following + 1
            continue
        if word == ",":
            if names[-1]:
                names.append([])
        elif word == "/" or (
            word[0].isdigit() and not word[:-1].isdigit() and not word.isdigit() and word[-2:] != "th"
        ):
            pass  # a mark, or digits and letters without order: nothing that a postman reads
        elif word[0].isdigit() and not word.endswith("th"):
            number = word
            after = place + 1
            if after < len(words) and word.isdigit() and len(words[after]) == 1 and words[after] in "abcdfg":
                number += words[after]
                place = after
            bare.append((number, len(names) - 1))
            beside = _next_word(words, place + 1)
            if not house and beside is not None and words[place + 1] not in ",/" and words[beside][0].isalpha():
                house, house_part, house_word = number, len(names) - 1, len(names[-1])
                bare.pop()
        else:
            names[-1].append(word)
        place += 1
    if not house and bare:
        with_name = [entry for entry in bare if names[entry[1]]] or bare
        house, house_part = with_name[0]
        bare.remove(with_name[0])
    units += [number for number, _ in bare]
    street = names[house_part] if 0 <= house_part < len(names) and names[house_part] else next(filter(None, names), [])
    if 0 < house_word < len(street):
        ahead, behind = street[:house_word], street[house_word:]
        street = ahead if _KINDS.intersection(ahead) and not _KINDS.intersection(behind) else behind
    if len(house) > 1 and house[-1].isalpha():
        house, letter = house[:-1], house[-1]
        units.append(letter)
    doors = sorted(dict.fromkeys(unit.lstrip("0") or "0" for unit in units))
    if not doors:
        doors = [f"f{floor}" for floor in floors]
    return tuple(filter(None, (house.lstrip("0") or house, *doors))), street


def _next_word(words: list[str], place: int) -> int | None:
    """The next place that holds no mark; a number sign and `no` stand for nothing."""
    while place < len(words) and words[place] in ("#", "no", "nr", "number", ","):
        place += 1
    return place if place < len(words) else None


def _is_door(word: str) -> bool:
    """Whether a word after `flat` names the flat: a number, a number in letters, or a single letter."""
    if word in _NUMBERS or (len(word) == 1 and word.isalpha()):
        return True
    return any(character.isdigit() for character in word)


def _without_town(street: tuple[str, ...], town: tuple[str, ...]) -> tuple[str, ...]:
    """The street's words without the town's, where they stand at the end and something is left."""
    if len(street) > len(town) and street[-len(town) :] == town:
        return street[: -len(town)]
    return street
