"""Find parts by path: a part's file is its id, so that adding one edits no existing file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from floorwalker.errors import UsageError


def list_parts(package: str) -> list[str]:
    """Ids of the parts that a package holds, in alphabetical order, without importing them.

    A part is a module of the package whose name does not begin with an underscore.

    >>> "floorwalker.detectors.anomaly" in [f"floorwalker.detectors.{name}" for name in
    ...                                     list_parts("floorwalker.detectors")]
    True
    """
    parent = importlib.import_module(package)
    return sorted(module.name for module in pkgutil.iter_modules(parent.__path__) if not module.name.startswith("_"))


def load_part(package: str, part: str) -> ModuleType:
    """Import the part of this id; an unknown id raises `UsageError` with the ids that exist."""
    known = list_parts(package)
    if part not in known:
        raise UsageError(f"unknown {package.rpartition('.')[2]} part {part!r}", allowed=", ".join(known))
    return importlib.import_module(f"{package}.{part}")


def nearest_name(given: str, known: list[str]) -> str | None:
    """The known name most like the given one, or None where nothing is close.

    >>> nearest_name("isolaton_forest", ["isolation_forest", "lof"])
    'isolation_forest'
    """
    import difflib

    found = difflib.get_close_matches(given, known, n=1, cutoff=0.6)
    return found[0] if found else None
