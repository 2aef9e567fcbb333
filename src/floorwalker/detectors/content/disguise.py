"""Texts written to be read by people but not by filters: look-alike letters, invisible characters, spaced-out words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_LATIN, _LOOK_ALIKE = 1, 2
_BLOCKS = (
    (0x0041, 0x005A, _LATIN),
    (0x0061, 0x007A, _LATIN),
    (0x00C0, 0x024F, _LATIN),
    (0x1E00, 0x1EFF, _LATIN),
    (0x0370, 0x03FF, _LOOK_ALIKE),  # Greek
    (0x0400, 0x052F, _LOOK_ALIKE),  # Cyrillic
    (0x0531, 0x0587, _LOOK_ALIKE),  # Armenian
    (0x13A0, 0x13FF, _LOOK_ALIKE),  # Cherokee
)
_STYLED = ((0x1D400, 0x1D7FF), (0x1F130, 0x1F189), (0x24B6, 0x24E9))
"""Mathematical, squared and circled letters: Latin text that is none to a search."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_SPACED = re.compile(r"(?:(?<=\s)|^)(?:[^\W\d_][ .\-_*]){3,40}[^\W\d_](?=\s|$|[.,!?])")
_STACKED = 3
"""Marks on one letter beyond which it is no spelling; Vietnamese has two."""


@dataclass(frozen=True)
class Disguise:
    """What was found in a text.

    Parameters
    ----------
    mixed_words : words of Latin letters with letters of a look-alike script among them.
    invisible : characters that take no room and belong to no script's spelling.
    styled : letters of mathematical or squared alphabets.
    stacked : letters under three marks and more.
    spaced : words written with a blank or dot after each letter.
    letters : all letters of the text.
    """

    mixed_words: int = 0
    invisible: int = 0
    styled: int = 0
    stacked: int = 0
    spaced: int = 0
    letters: int = 0

    @property
    def score(self) -> float:
        """[0, 1]: none, one slip (.4), clearly meant (towards 1)."""
        weight = 2 * self.mixed_words + self.invisible + self.stacked + 2 * self.spaced
        weight += 2 * (self.styled > 2)
        return 1 - 0.6**weight

    @property
    def sentence(self) -> str:
        """What was found, for an analyst; empty where nothing was."""
        named = (
            (self.mixed_words, "words that mix letters of two scripts"),
            (self.invisible, "invisible characters"),
            (self.styled if self.styled > 2 else 0, "letters of decorative alphabets"),
            (self.stacked, "letters under heaps of marks"),
            (self.spaced, "words with gaps between the letters"),
        )
        found = [f"{many} {what}" for many, what in named if many]
        return "the text holds " + ", ".join(found) if found else ""


def find_disguise(text: str) -> Disguise:
    """Look at one text.

    It works against abuse because whoever writes a forbidden word for people to read must bend it for filters, and
    honest customers have no reason to.

    >>> find_disguise("Gооd price, pay\\u200bpal").sentence
    'the text holds 1 words that mix letters of two scripts, 1 invisible characters'
    >>> find_disguise("Très bon, très bien! 很好").score
    0.0
    """
    spaced = sum(1 for _ in _SPACED.finditer(text))
    if text.isascii():
        return Disguise(spaced=spaced, letters=len(text))
    mixed = sum(_is_mixed(word) for word in _WORD.findall(text) if not word.isascii())
    invisible = styled = stacked = marks = 0
    for place, character in enumerate(text):
        code = ord(character)
        if code < 0xAD:
            marks = 0
            continue
        if any(low <= code <= high for low, high in _STYLED):
            styled += 1
        category = unicodedata.category(character)
        marks = marks + 1 if category == "Mn" else 0
        stacked += marks == _STACKED
        if category == "Cf" and not _belongs(text, place):
            invisible += 1
    return Disguise(mixed, invisible, styled, stacked, spaced, len(text))


def unmask(text: str) -> str:
    """The text as a person reads it: compatibility forms made plain, invisible characters left out.

    >>> unmask("ｃａｌｌ　０１２\\u200b３")
    'call 0123'
    """
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    return "".join(character for character in plain if unicodedata.category(character) != "Cf")


def _is_mixed(word: str) -> bool:
    kinds = {_script(ord(character)) for character in word}
    return _LATIN in kinds and _LOOK_ALIKE in kinds


def _script(code: int) -> int:
    for low, high, script in _BLOCKS:
        if low <= code <= high:
            return script
    return 0


def _belongs(text: str, place: int) -> bool:
    """Joiners between letters of scripts that need them, and in emoji; a mark of byte order at the very start; tags of
    flags."""
    character = text[place]
    if character in "\u200c\u200d":
        before = text[place - 1] if place else ""
        return bool(before) and (ord(before) >= 0x0600 and not before.isascii())
    return (character == "\ufeff" and place == 0) or 0xE0020 <= ord(character) <= 0xE007F or character == "\u00ad"
