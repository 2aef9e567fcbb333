"""Those who prey on the shop: one file each; the file's name is the id.

>>> "credential_stuffing" in list_adversaries()
True
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from floorwalker.errors import UsageError
from floorwalker.simulation.shop.adversaries._base import Adversary


@cache
def list_adversaries() -> tuple[str, ...]:
    """The ids of all adversaries, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


@cache
def load_adversary(name: str) -> type[Adversary]:
    """The class of one adversary; `UsageError` where there is none of this name."""
    if name not in list_adversaries():
        raise UsageError(f"unknown adversary {name!r}", allowed=", ".join(list_adversaries()))
    module = importlib.import_module(f"{__name__}.{name}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Adversary) and value.__module__ == module.__name__:
            value.id = name
            return value
    raise UsageError(f"adversaries/{name}.py holds no adversary", fix="define one subclass of Adversary in it")
