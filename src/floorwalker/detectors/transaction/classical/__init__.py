"""The classical list beside boosted trees: each file is one detector, found by listing this folder."""

from __future__ import annotations

from floorwalker.detectors.transaction.classical._base import Classical
from floorwalker.registry import list_parts, load_part

__all__ = ["Classical", "list_classical", "load_classical"]


def list_classical() -> list[str]:
    """Ids of the detectors, in alphabetical order.

    >>> list_classical()
    ['decision_tree', 'logistic_regression', 'mlp', 'random_forest', 'svm', 'velocity_rules']
    """
    return list_parts(__name__)


def load_classical(name: str) -> type[Classical]:
    """The detector's class; an unknown id raises `UsageError` with the ids that exist."""
    module = load_part(__name__, name)
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Classical) and value.__module__ == module.__name__
    )
