"""What people search for and write to the support: some of it for a whole run, out of which each of them draws."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from numpy.random import Generator

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import World

WORDS = 1_200
"""Different searches of a run, in each language."""
LETTERS = 800
"""Different letters to the support, in each language."""
LANGUAGES = ("de", "en", "zh")


@lru_cache(maxsize=2)
def search_pool(world: World) -> list[str]:
    """What people of this world search for: `WORDS` in each language, the same in every shard."""
    rng = world.chance.generator("honest/searches")
    count = len(world.items)
    made = []
    for language in LANGUAGES:
        made += [world.search_words(rng, int(count * rng.random() ** 2), language) for _ in range(WORDS)]
    return made


@lru_cache(maxsize=2)
def letter_pool(world: World) -> list[str]:
    """What customers write to the support: `LETTERS` in each language."""
    rng = world.chance.generator("honest/comments")
    count = len(world.items)
    made = []
    for language in LANGUAGES:
        made += [world.message_text(rng, int(rng.integers(count)), "support", language) for _ in range(LETTERS)]
    return made


def search_words(world: World, rng: Generator, language: str) -> str:
    """What somebody searches for who writes this language."""
    return search_pool(world)[LANGUAGES.index(language) * WORDS + int(rng.integers(WORDS))]
