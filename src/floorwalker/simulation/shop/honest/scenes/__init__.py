"""What happens to many honest people at once, one file each: a scene is a module with `add(crowd)`.

Scenes are found by listing this folder; each shard plays all of them with its own customers.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floorwalker.simulation.shop.honest.crowd import Crowd


def list_scenes() -> list[str]:
    """Names of the scenes, in alphabetical order."""
    return sorted(one.name for one in pkgutil.iter_modules(__path__) if not one.name.startswith("_"))


def add_scenes(crowd: Crowd) -> None:
    """Play every scene."""
    for name in list_scenes():
        import_module(f"{__name__}.{name}").add(crowd)
