"""Generative grammars: rules read from a file, written out by chance.

A file holds lines `name: one way | another way`; `$name` inside a way is written out anew each time. Sections such as
`[shoes]` hold the words of one category of goods. Nothing in the rules says whether a writer is honest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from numpy.random import Generator

LANGUAGES: tuple[str, ...] = ("en", "de", "zh")
_FILES = {"en": "english.txt", "de": "german.txt", "zh": "chinese.txt"}
_NAME = re.compile(r"\$([a-z]+[+\-=]?)")

SHOPS_OWN = ("Lumo", "Nordhag", "Velar", "Kivo", "Tessin", "Orvia", "Brenn", "Halda", "Pikko", "Sorano", "Miravel",
             "Tuuli", "Aldera", "Fjordis", "Quint", "Marola", "Zentro", "Lindholt", "Cobalin", "Esprano")  # fmt: skip
"""Brands, all invented."""


@dataclass(frozen=True)
class Grammar:
    """The rules of one language.

    Parameters
    ----------
    rules : name -> ways to write it.
    categories : category of goods -> name -> ways.
    """

    rules: dict[str, tuple[str, ...]]
    categories: dict[str, dict[str, tuple[str, ...]]]

    def write(self, name: str, category: str, rng: Generator, *, open_words: frozenset[str] = frozenset()) -> str:
        """A text by one rule; names in `open_words` stay as they are, `$noun` for one, to be filled in later."""
        words = self.categories[category]

        def fill(match: re.Match[str]) -> str:
            inner = match[1]
            if inner in open_words:
                return match[0]
            ways = words.get(inner) or self.rules.get(inner) or (SHOPS_OWN if inner == "own" else (inner,))
            return _NAME.sub(fill, ways[int(rng.random() * len(ways))])

        ways = self.rules[name]
        return _NAME.sub(fill, ways[int(rng.random() * len(ways))])


@lru_cache(maxsize=len(LANGUAGES))
def read_grammar(language: str) -> Grammar:
    """The rules of a language, `en`, `de` or `zh`.

    >>> sorted(read_grammar("de").rules)[:3]
    ['account', 'answer', 'asdescribed']
    """
    text = resources.files("floorwalker.simulation.shop.world.text").joinpath(_FILES[language]).read_text("utf-8")
    rules: dict[str, tuple[str, ...]] = {}
    categories: dict[str, dict[str, tuple[str, ...]]] = {}
    here = rules
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            here = categories.setdefault(line.strip("[]"), {})
            continue
        name, _, ways = line.partition(": ")
        here[name] = here.get(name, ()) + tuple(ways.split(" | "))
    return Grammar(rules, categories)
