"""What a family of sites is written with: words of an invented language, and URL templates filled from columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from zlib import crc32

import numpy as np

from floorwalker.simulation._site import ROLES, Page

_TOKEN = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"(\[[^\]]*\])")
_MASTER_WORDS = 2400
_SITE_WORDS = 700


def make_words(family: str, onsets: str, vowels: str, codas: str) -> list[str]:
    """The whole vocabulary of one family, percent-encoded where it is not ASCII; always the same words.

    Parameters
    ----------
    family : its name; two families never share a stream of chance.
    onsets, vowels, codas : sounds, separated by spaces; `_` is the empty sound. A word has two to four syllables, and a
        coda mostly at its end.

    >>> words = make_words("example", "kr pl", "a o", "_ n")
    >>> len(words) == len(set(words))
    True
    """
    rng = np.random.default_rng(crc32(family.encode()))
    first, middle, last = (
        ["" if sound == "_" else sound for sound in text.split()] for text in (onsets, vowels, codas)
    )
    found: dict[str, None] = {}
    for _ in range(_MASTER_WORDS * 4):
        syllables = 2 + int(rng.random() < 0.4) + int(rng.random() < 0.1)
        picks = rng.integers(0, 1 << 30, size=(syllables, 3)).tolist()
        closed = (rng.random(syllables) < 0.2).tolist()
        closed[-1] = True
        word = "".join(
            first[a % len(first)] + middle[b % len(middle)] + (last[c % len(last)] if ends else "")
            for (a, b, c), ends in zip(picks, closed, strict=True)
        )
        found[quote(word, safe="")] = None
        if len(found) == _MASTER_WORDS:
            break
    return list(found)


class World:
    """One site in the making: its chance, its words, and the pages written so far.

    Parameters
    ----------
    rng : the site's source of chance.
    words : the family's vocabulary (`make_words`); a site uses some of it.
    items : number of products that it sells.
    """

    def __init__(self, rng: np.random.Generator, words: Sequence[str], items: int) -> None:
        self.rng = rng
        self.items = items
        chosen = rng.permutation(len(words))[:_SITE_WORDS]
        self.words = [words[int(k)] for k in chosen]
        self.pages: list[Page] = []

    def share(self, part: float, *, least: int = 4, most: int = 300_000) -> int:
        """A number of URLs that grows with the number of products."""
        return int(min(max(self.items * part, least), most))

    def ids(self, count: int, first: int, *, step: int = 7) -> list[str]:
        """Distinct numbers that rise with gaps, shuffled: a data base's keys."""
        numbers = first + np.cumsum(self.rng.integers(1, step + 1, count))
        return [str(number) for number in self.rng.permutation(numbers).tolist()]

    def numbers(self, count: int, low: int, high: int) -> list[str]:
        """Numbers in [low, high), many of them repeated."""
        return [str(number) for number in self.rng.integers(low, high, count).tolist()]

    def codes(self, count: int, length: int, alphabet: str = "0123456789abcdef") -> list[str]:
        """Random texts over an alphabet: hashes, tokens, session ids, order numbers."""
        letters = np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)
        picked = letters[self.rng.integers(0, len(letters), (count, length))]
        return [row.decode("ascii") for row in np.ascontiguousarray(picked).view(f"S{length}").ravel().tolist()]

    def uuids(self, count: int) -> list[str]:
        """Texts that look like version 4 UUIDs."""
        return [f"{code[:8]}-{code[8:12]}-4{code[13:16]}-a{code[17:20]}-{code[20:]}" for code in self.codes(count, 32)]

    def slugs(
        self, count: int, low: int = 2, high: int = 4, *, joint: str = "-", sizes: float = 0.15, capital: bool = False
    ) -> list[str]:
        """Names of `low` to `high` words; a share `sizes` of them ends in a model number: words like ids."""
        words = [word[:1].upper() + word[1:] for word in self.words] if capital else self.words
        lengths = self.rng.integers(low, high + 1, count).tolist()
        picks = self.rng.integers(0, len(words), (count, high)).tolist()
        numbered = (self.rng.random(count) < sizes).tolist()
        models = self.rng.integers(2, 990, count).tolist()
        return [
            joint.join([words[k] for k in pick[:length]]) + (f"{joint}{model}" if has else "")
            for pick, length, has, model in zip(picks, lengths, numbered, models, strict=True)
        ]

    def dates(self, count: int, pattern: str = "%Y/%m/%d") -> list[str]:
        """Days of three years, written as `pattern` says."""
        days = np.datetime64("2019-01-01") + self.rng.integers(0, 1060, count)
        return [day.strftime(pattern) for day in days.tolist()]

    def some(self, low: int, high: int) -> list[str]:
        """A handful of single words: brands, colours, towns."""
        count = int(self.rng.integers(low, high + 1))
        return [self.words[int(k)] for k in self.rng.permutation(len(self.words))[:count]]

    def pick(self, count: int, choices: Sequence[str]) -> list[str]:
        """`count` of the choices, repeated and skewed: the first ones are the most frequent."""
        skew = np.minimum((self.rng.random(count) ** 1.5 * len(choices)).astype(np.int64), len(choices) - 1)
        return [choices[k] for k in skew.tolist()]

    def lists(self, count: int, prefixes: str, *, joint: str = ",", high: int = 400, most: int = 4) -> list[str]:
        """Filter lists such as `b113,p53`: letters with numbers, joined."""
        lengths = self.rng.integers(1, most + 1, count).tolist()
        numbers = self.rng.integers(1, high, (count, most)).tolist()
        letters = self.rng.integers(0, len(prefixes), (count, most)).tolist()
        return [
            joint.join(f"{prefixes[a]}{b}" for a, b in zip(letter[:length], number[:length], strict=True))
            for letter, number, length in zip(letters, numbers, lengths, strict=True)
        ]

    def page(
        self,
        template: str,
        role: str,
        count: int | None = None,
        *,
        method: str = "GET",
        changing: bool = False,
        **columns: Sequence[str],
    ) -> None:
        """Write the URLs of one type.

        Parameters
        ----------
        template : the URL with `{name}` where a column's value goes and `[...]` around what a URL may lack, e.g.
            `/shop/{slug}.html[?page={page}]`. It names the route, without the optional parts.
        role : what the page is for, one of `ROLES`.
        count : how many URLs; without it, as many as the longest column has.
        method : the method that requests use.
        changing : true for basket, checkout, login and coupon endpoints.
        columns : values by name. A column of at least `count` values is read in order, so that product columns
            stay aligned; a shorter one is a set of choices.
        """
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}; allowed: {', '.join(ROLES)}")
        optional = [piece for piece in _OPTIONAL.split(template) if piece]
        needed = "".join(piece for piece in optional if not piece.startswith("["))
        if count is None:
            count = max((len(columns[name]) for name in _TOKEN.findall(needed)), default=1)
            if count == 1 and len(optional) > 1:
                count = 12
        whole = [""] * count
        for piece in optional:
            if piece.startswith("["):
                texts = self._fill(piece[1:-1], count, columns)
                kept = (self.rng.random(count) < 0.35).tolist()
                whole = [base + text if keep else base for base, text, keep in zip(whole, texts, kept, strict=True)]
            else:
                whole = [base + text for base, text in zip(whole, self._fill(piece, count, columns), strict=True)]
        # A first optional key brings its own "?"; the ones after it must then be joined by "&".
        targets = tuple(dict.fromkeys(_repair_query(text) for text in whole))
        self.pages.append(Page(needed, role, targets, method, changing))

    def state(self, *entries: tuple[str, str], method: str = "POST") -> None:
        """Write state-changing endpoints without variable parts: pairs of target and role."""
        for template, role in entries:
            self.page(template, role, method=method, changing=True)

    def fixed(self, role: str, *targets: str) -> None:
        """Write pages that stand alone: each target is a type of its own."""
        for target in targets:
            self.page(target, role)

    def _fill(self, piece: str, count: int, columns: dict[str, Any]) -> list[str]:
        parts: list[Sequence[str]] = []
        for at, text in enumerate(_TOKEN.split(piece)):
            if at % 2 == 0:
                if text:
                    parts.append([text] * count)
                continue
            values = columns[text]
            parts.append(values[:count] if len(values) >= count else self.pick(count, values))
        return ["".join(row) for row in zip(*parts, strict=True)] if parts else [""] * count


def _repair_query(target: str) -> str:
    head, mark, query = target.partition("?")
    if not mark:
        head, mark, query = target.partition("&")
        return f"{head}?{query}" if mark else target
    return f"{head}?{query.replace('?', '&')}"
