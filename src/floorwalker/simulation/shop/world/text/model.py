"""Small language models: which word follows which two, counted over sentences that the grammars made.

They say what no rule says: a sentence that begins like one and ends like another. Words of the goods stand for
themselves as `$noun` and are filled in afterwards, so one model serves every category.

Source: C. E. Shannon, "Prediction and entropy of printed English", Bell System Technical Journal 30 (1951), for writing
by counts of neighbouring words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop.world.text.grammar import SHOPS_OWN, read_grammar

KINDS: tuple[str, ...] = (
    "quality+", "quality-", "use", "delivery+", "delivery-", "value+", "value-", "compare", "recommend+", "recommend-",
    "service+", "service-", "hedge", "question", "answer", "missing", "damaged", "claim", "return", "account",
    "offplatform", "live", "offer", "detail", "shipping", "push",
)  # fmt: skip
"""Kinds of sentence that have a model."""

GOODS = frozenset({"noun", "aspect", "good", "bad", "fault", "use", "own"})
"""Words that depend on the item."""

_SENTENCES = 360
_LONGEST = 40
_END = ""
_SLOT = re.compile(r"\$([a-z]+)")
_Context = tuple[str, str]


class WordModel:
    """Next words by the two before.

    Parameters
    ----------
    sentences : what it is fitted on, words parted by blanks.
    """

    def __init__(self, sentences: list[str]) -> None:
        counts: dict[_Context, dict[str, int]] = {}
        for sentence in sentences:
            before, last = _END, _END
            for word in (*sentence.split(), _END):
                following = counts.setdefault((before, last), {})
                following[word] = following.get(word, 0) + 1
                before, last = last, word
        self._tables: dict[_Context, tuple[list[str], list[float]]] = {}
        self._sharp: dict[_Context, tuple[list[str], list[float]]] = {}
        for context, following in counts.items():
            words = list(following)
            total = sum(following.values())
            self._tables[context] = words, list(accumulate(following[word] / total for word in words))
            squares = [following[word] ** 2.0 for word in words]
            self._sharp[context] = words, list(accumulate(square / sum(squares) for square in squares))

    def write(self, rng: Generator, *, sharp: bool = False) -> list[str]:
        """Words of one sentence; a `sharp` writer prefers what is frequent."""
        tables = self._sharp if sharp else self._tables
        draws = rng.random(_LONGEST).tolist()
        before, last = _END, _END
        made: list[str] = []
        for draw in draws:
            words, edges = tables[before, last]
            word = words[min(bisect_right(edges, draw), len(words) - 1)]
            if word == _END:
                break
            made.append(word)
            before, last = last, word
        return made


@lru_cache(maxsize=128)
def fitted_model(language: str, kind: str) -> WordModel:
    """The model of one kind of sentence, fitted once a process on sentences that never change."""
    grammar = read_grammar(language)
    rng = np.random.default_rng([len(language), KINDS.index(kind), sum(map(ord, language))])
    categories = list(grammar.categories)
    sentences = [
        grammar.write(kind, categories[turn % len(categories)], rng, open_words=GOODS) for turn in range(_SENTENCES)
    ]
    return WordModel(sentences)


def fill_goods(words: list[str], language: str, category: str, rng: Generator, named: dict[str, str]) -> list[str]:
    """The words with those of the goods put in.

    Parameters
    ----------
    named : what this text calls the item, `noun` and `own`: it keeps to one name.
    """
    goods = read_grammar(language).categories[category]

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in named:
            return named[name]
        ways = goods.get(name, SHOPS_OWN)
        return ways[int(rng.random() * len(ways))]

    return [_SLOT.sub(fill, word) if "$" in word else word for word in words]
