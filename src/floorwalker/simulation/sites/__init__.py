"""Families of shop sites: each file is one URL grammar with its own invented vocabulary.

A family states its `SPLIT`: models of URL types are trained on `training`, stopped early on `validation` and
judged on `unseen` families; no two splits share words or grammars.
"""

from __future__ import annotations

import importlib
import pkgutil
from zlib import crc32

import numpy as np

from floorwalker.simulation._site import Site
from floorwalker.simulation.sites._grammar import World, make_words

__all__ = ["SPLITS", "family_split", "list_families", "make_site"]

SPLITS = ("training", "validation", "unseen")


def list_families(split: str | None = None) -> list[str]:
    """Names of the families, in alphabetical order; with a split, only those of it.

    >>> set(list_families("unseen")) <= set(list_families())
    True
    """
    found = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    if split is None:
        return found
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; allowed: {', '.join(SPLITS)}")
    return [family for family in found if family_split(family) == split]


def family_split(family: str) -> str:
    """The split that a family belongs to, one of `SPLITS`."""
    return str(importlib.import_module(f"{__name__}.{family}").SPLIT)


def make_site(family: str, *, seed: int, items: int) -> Site:
    """Generate one shop of a family.

    Parameters
    ----------
    family : one of `list_families()`.
    seed : the same seed gives the same site.
    items : number of products, 1 to 300,000; other pages grow with it. Where names alone make the URL, a few of them
        coincide and the site has fewer product URLs.

    >>> site = make_site("german_nested", seed=1, items=50)
    >>> len(site.of_role("product")) > 0
    True
    """
    known = list_families()
    if family not in known:
        raise ValueError(f"unknown family {family!r}; allowed: {', '.join(known)}")
    if not 1 <= items <= 300_000:
        raise ValueError(f"items is {items}; allowed: 1 to 300,000")
    module = importlib.import_module(f"{__name__}.{family}")
    rng = np.random.default_rng([crc32(family.encode()), seed])
    world = World(rng, make_words(family, *module.SOUNDS), items)
    module.write(world)
    return Site(family, f"{family.replace('_', '-')}.example", tuple(world.pages))
