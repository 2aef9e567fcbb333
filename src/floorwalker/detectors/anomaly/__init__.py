"""Unsupervised outlier detectors over feature matrices: one file each, found by listing this folder."""

from __future__ import annotations

from typing import cast

from floorwalker.detectors.anomaly._base import Capabilities, Detector, Matrix
from floorwalker.detectors.anomaly._scaling import RobustScaling
from floorwalker.detectors.anomaly._trimmed import fit_trimmed
from floorwalker.errors import UsageError
from floorwalker.registry import list_parts, load_part, nearest_name

__all__ = ["Capabilities", "Detector", "Matrix", "RobustScaling", "fit_trimmed", "list_detectors", "load_detector"]


def list_detectors() -> list[str]:
    """Names of the detectors that exist, in alphabetical order, without importing them.

    >>> "isolation_forest" in list_detectors()
    True
    """
    return list_parts(__name__)


def load_detector(name: str) -> type[Detector]:
    """The class of the detector of this name, imported now; an unknown name raises `UsageError`.

    >>> load_detector("isolation_forest").__name__
    'IsolationForest'
    """
    known = list_detectors()
    if name not in known:
        close = nearest_name(name, known)
        raise UsageError(
            f"unknown detector {name!r}",
            allowed=", ".join(known),
            fix=f"did you mean {close!r}?" if close else "",
        )
    module = load_part(__name__, name)
    class_name = name.replace("_", " ").title().replace(" ", "")
    for attribute, value in vars(module).items():
        if attribute.lower() == class_name.lower():
            return cast("type[Detector]", value)
    raise UsageError(f"detector file {name!r} holds no class named {class_name!r} (in any case)")
