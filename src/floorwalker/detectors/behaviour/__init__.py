"""Behaviour: what accounts and sessions do one thing after another, judged by an LSTM and by a causal Transformer.

Training needs PyTorch; serving needs NumPy and Numba alone. See docs/behaviour.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from floorwalker.detectors.behaviour.live import LiveBehaviour
    from floorwalker.detectors.behaviour.lstm import SequenceLSTM
    from floorwalker.detectors.behaviour.sequences import Field, Sequences, Vocabulary
    from floorwalker.detectors.behaviour.sizes import SIZES
    from floorwalker.detectors.behaviour.transformer import CausalTransformer

__all__ = ["SIZES", "CausalTransformer", "Field", "LiveBehaviour", "SequenceLSTM", "Sequences", "Vocabulary"]

_PLACES = {
    "SIZES": "sizes", "CausalTransformer": "transformer", "Field": "sequences", "LiveBehaviour": "live",
    "SequenceLSTM": "lstm", "Sequences": "sequences", "Vocabulary": "sequences",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # A server that has no trained behaviour compiles no kernels for it.
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
