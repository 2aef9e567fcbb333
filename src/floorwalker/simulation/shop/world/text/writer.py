"""Writes every text of the shop."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.world._tables import Texts, texts
from floorwalker.simulation.shop.world.catalogue import CATEGORY_IDS, Items

_NOUNS = {
    "home": ("lamp", "cushion", "candle", "mirror", "basket"), "kitchen": ("pan", "knife", "mug", "kettle", "board"),
    "clothing": ("shirt", "jacket", "jeans", "dress", "hoodie"), "shoes": ("sneaker", "boot", "sandal"),
    "beauty": ("cream", "shampoo", "serum"), "toys": ("puzzle", "blocks", "doll"), "electronics": ("headphones", "charger", "speaker"),
    "phones": ("smartphone",), "sports": ("ball", "mat", "bottle"), "garden": ("pot", "hose", "seeds"),
    "grocery": ("tea", "coffee", "chocolate"), "gift_card": ("gift card",), "software": ("licence",),
}  # fmt: skip
_BRANDS = ("Lumo", "Nordhag", "Velar", "Kivo", "Tessin", "Orvia", "Brenn", "Halda", "Pikko", "Sorano")


class Writer:
    """Writes every text of the shop.

    Parameters
    ----------
    items : the catalogue.
    chance : names the items.
    """

    def __init__(self, items: Items, chance: Chance) -> None:
        self._items, self._chance = items, chance

    def titles(self) -> Texts:
        """What each item is called."""
        numbers = np.arange(len(self._items))
        brand = self._chance.words("title/brand", numbers)
        noun = self._chance.words("title/noun", numbers)
        made = []
        for row, category in enumerate(self._items.category.tolist()):
            nouns = _NOUNS[CATEGORY_IDS[category]]
            made.append(
                f"{_BRANDS[int(brand[row]) % len(_BRANDS)]} {nouns[int(noun[row]) % len(nouns)]} {int(noun[row] >> np.uint64(32)) % 900 + 100}"
            )
        return texts(made)

    def review(self, rng: Generator, item: int, stars: float, style: str = "honest", language: str = "de") -> str:
        """A review."""
        return f"{self._items.title[item]}: " + ("great" if stars > 0.6 else "not so great")

    def listing(self, rng: Generator, item: int, style: str = "honest", language: str = "de") -> str:
        """A description."""
        return f"{self._items.title[item]}, new, fast delivery"

    def message(self, rng: Generator, item: int, style: str = "question", language: str = "de") -> str:
        """A message."""
        return f"Is the {self._items.title[item]} available?"

    def search(self, rng: Generator, item: int, language: str = "de") -> str:
        """Search words."""
        return str(self._items.title[item]).lower().rsplit(" ", 1)[0]
