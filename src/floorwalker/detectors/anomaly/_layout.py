"""What a saved state must look like before anything is computed from it: kernels do not check what they index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError

Layout = Mapping[str, "Stored"]
"""Name of each array to what it must be."""

TRAIN_AGAIN = "train it again"


@dataclass(frozen=True)
class Stored:
    """What one array of a state must be.

    Parameters
    ----------
    dtype : its exact type.
    axes : name of the length of each axis; axes of one name are equally long, in all arrays of the state.
    finite : whether infinity and NaN are damage.
    least : the smallest value allowed; None = no bound.
    positive : whether every value is above zero.
    """

    dtype: type[np.generic]
    axes: tuple[str, ...] = ()
    finite: bool = True
    least: float | None = None
    positive: bool = False


COUNT = Stored(np.int64, least=1)
SCALE = Stored(np.float64, positive=True)
"""A single number above zero that something is divided by."""


def check_layout(
    owner: str, state: Mapping[str, NDArray[Any]], layout: Layout, lengths: Mapping[str, int] | None = None
) -> dict[str, int]:
    """The length of each axis by its name; raises `ArtefactError` where an array is missing or not as laid out.

    Parameters
    ----------
    owner : whose state it is, for the message.
    lengths : axes whose length is known beforehand.

    >>> layout = {"centre": Stored(np.float64, ("width",)), "scale": Stored(np.float64, ("width",))}
    >>> check_layout("a scaling", {"centre": np.zeros(3), "scale": np.ones(3)}, layout)
    {'width': 3}
    >>> check_layout("a scaling", {"centre": np.zeros(3), "scale": np.ones(2)}, layout)
    Traceback (most recent call last):
        ...
    floorwalker.errors.ArtefactError: scale of a scaling has 2 in axis width; allowed: 3; train it again
    """
    missing = sorted({*layout} - {*state})
    if missing:
        raise ArtefactError(f"the state of {owner} lacks {', '.join(missing)}", fix=TRAIN_AGAIN)
    known = dict(lengths or {})
    for name, wanted in layout.items():
        array = state[name]
        told = f"{name} of {owner}"
        if not isinstance(array, np.ndarray) or array.dtype != np.dtype(wanted.dtype):
            given = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise damaged(f"{told} is of type {given}", np.dtype(wanted.dtype).name)
        if array.ndim != len(wanted.axes):
            raise damaged(f"{told} has {array.ndim} dimensions", str(len(wanted.axes)))
        for axis, length in zip(wanted.axes, array.shape, strict=True):
            if length < 1 or known.setdefault(axis, length) != length:
                raise damaged(f"{told} has {length} in axis {axis}", str(known.get(axis, "1 and up")))
        if wanted.finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise damaged(f"{told} holds values that are not finite", "finite numbers")
        if wanted.positive and not (array > 0).all():
            raise damaged(f"{told} holds values of zero or less", "numbers above 0")
        if wanted.least is not None and not (array >= wanted.least).all():
            raise damaged(f"{told} holds values below {wanted.least:g}", f"{wanted.least:g} and up")
    return known


def check_rising(owner: str, name: str, values: NDArray[Any]) -> None:
    """Raise `ArtefactError` where values along the last axis fall: they are searched as sorted ones."""
    if (np.diff(values, axis=-1) < 0).any():
        raise damaged(f"{name} of {owner} is not sorted", "rising values")


def check_below(owner: str, name: str, values: NDArray[Any], end: int) -> None:
    """Raise `ArtefactError` where a place is outside what it points into, 0 to `end` - 1."""
    if (values < 0).any() or (values >= end).any():
        raise damaged(f"{name} of {owner} points outside what it indexes", f"0 to {end - 1}")


def check_children(owner: str, first_child: NDArray[Any]) -> None:
    """Raise `ArtefactError` where a walk down a tree would leave it or never end.

    `first_child` is [trees, nodes]. A node that can be reached is a leaf (its own child) or has both children after
    it; a node that none leads to is not looked at beyond its range.
    """
    trees, nodes = first_child.shape
    check_below(owner, "first_child", first_child, nodes)
    own = np.arange(nodes)
    inner = first_child > own
    if (first_child[inner] + 1 >= nodes).any():
        raise damaged(f"first_child of {owner} points outside what it indexes", f"0 to {nodes - 2} for pairs")
    reached = np.zeros((trees, nodes), np.bool_)
    reached[:, 0] = True
    which = np.broadcast_to(np.arange(trees)[:, None], first_child.shape)[inner]
    reached[which, first_child[inner]] = True
    reached[which, first_child[inner] + 1] = True
    if (reached & (first_child < own)).any():
        raise damaged(f"first_child of {owner} points back up the tree", "children after their parents")


def damaged(given: str, allowed: str) -> ArtefactError:
    """The error for a state that is not what `state` gives."""
    return ArtefactError(given, allowed=allowed, fix=TRAIN_AGAIN)
