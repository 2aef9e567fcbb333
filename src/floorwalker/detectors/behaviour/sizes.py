"""Named sizes of the causal Transformer."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from floorwalker.errors import UsageError


@dataclass(frozen=True)
class Size:
    """Shape of a Transformer.

    Parameters
    ----------
    layers : blocks of attention and feed-forward network.
    width : of an event's representation; a multiple of twice the heads.
    heads : of attention.
    """

    layers: int
    width: int
    heads: int

    def __post_init__(self) -> None:
        if self.layers < 1 or self.heads < 1 or self.width < 2 or self.width % (2 * self.heads):
            raise UsageError(
                f"a Transformer of {self.layers} layers, width {self.width}, {self.heads} heads",
                allowed="at least one layer and head, and a width that is a multiple of twice the heads",
            )

    @property
    def parameters(self) -> int:
        """Weights of the blocks; the embeddings of the fields come on top.

        >>> f"{SIZES['huge'].parameters:,}"
        '99,231,744'
        """
        # Attention 4 w² + 4 w, network 8 w² + 5 w, two norms 4 w; one norm at the end.
        return self.layers * (12 * self.width**2 + 13 * self.width) + 2 * self.width


SIZES = MappingProxyType(
    {
        "tiny": Size(2, 64, 4),
        "small": Size(5, 128, 4),
        "base": Size(6, 256, 8),
        "large": Size(8, 512, 8),
        "huge": Size(14, 768, 12),
        "giant": Size(16, 1024, 16),
    }
)
"""Sizes by name: about 0.1, 1, 5, 25, 99 and 201 million weights in the blocks."""


def size_of(given: str | Size) -> Size:
    """The size of this name, or the size itself; an unknown name raises `UsageError`."""
    if isinstance(given, Size):
        return given
    if given not in SIZES:
        raise UsageError(f"unknown size {given!r}", allowed=", ".join(SIZES), fix="or give a Size")
    return SIZES[given]
