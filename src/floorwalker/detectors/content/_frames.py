"""The frame of a text: its commonest words as they are, of every other word only how it ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

_TOKEN = re.compile(r"\w+|[^\w\s]")
ENDING, NAME, NUMBER = "ǂ", "ǃ", "ǀ"
"""Letters of no language that our texts are in: a frame is read as words again."""


def common_words(texts: Sequence[str], most: int) -> tuple[str, ...]:
    """The words that most texts have, in order of the alphabet."""
    counter: Counter[str] = Counter()
    for text in texts:
        counter.update({piece.lower() for piece in _TOKEN.findall(text) if piece[0].isalpha()})
    ranked = sorted(counter.items(), key=lambda one: (-one[1], one[0]))[:most]
    return tuple(sorted(word for word, _ in ranked))


def frame_of(text: str, common: Collection[str]) -> str:
    """The text with every uncommon word reduced to its last two letters, names and numbers to what they are.

    >>> frame_of("We really loved the Kenso 500, it was amazing.", {"we", "the", "it", "was"})
    'we ǂly ǂed the ǃso ǀ , it was ǂng .'
    """
    frame = []
    starts = True
    for piece in _TOKEN.findall(text):
        small = piece.lower()
        if small in common:
            frame.append(small)
        elif piece[0].isalpha():
            frame.append((NAME if piece[0].isupper() and not starts else ENDING) + small[-2:])
        else:
            frame.append(NUMBER if piece[0].isdigit() else piece)
        starts = piece in ".!?"
    return " ".join(frame)
