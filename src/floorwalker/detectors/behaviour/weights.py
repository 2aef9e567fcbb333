"""What a trained LSTM is when it serves: plain arrays."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._lstm_kernel import run_sequences
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.errors import ArtefactError, UsageError

_run: Callable[..., None] = run_sequences


@dataclass(frozen=True, eq=False)
class Run:
    """What the LSTM says of each event.

    Parameters
    ----------
    logits : float32 [events, K], of each label, the event included.
    surprise : float32 [events], nats by which each event was not foreseen.
    last : float32 [n, 2 H], the states at the ends of the sequences: hidden, then cell.
    """

    logits: NDArray[np.float32]
    surprise: NDArray[np.float32]
    last: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LstmWeights:
    """Weights of an LSTM of `H` cells over events of `F` fields, with `K` labels.

    Parameters
    ----------
    table : float32 [codes of all fields, 4 H], share of the gates of each code.
    bias : float32 [4 H].
    recurrent : float32 [H, 4 H].
    head, head_bias : float32 [H, K] and [K].
    ahead, ahead_bias : float32 [H, P] and [P], of the next event's foreseen fields.
    """

    table: NDArray[np.float32]
    bias: NDArray[np.float32]
    recurrent: NDArray[np.float32]
    head: NDArray[np.float32]
    head_bias: NDArray[np.float32]
    ahead: NDArray[np.float32]
    ahead_bias: NDArray[np.float32]

    @classmethod
    def blank(cls, of: tuple[Field, ...], hidden: int, labels: int) -> LstmWeights:
        """Weights that say nothing of anybody."""
        codes = sum(field.size for field in of)
        outputs = sum(field.size for field in of if field.predicted)
        shapes: tuple[tuple[int, ...], ...] = (
            (codes, 4 * hidden), (4 * hidden,), (hidden, 4 * hidden), (hidden, labels), (labels,), (hidden, outputs),
            (outputs,),
        )  # fmt: skip
        return cls(*(np.zeros(shape, np.float32) for shape in shapes))

    @property
    def hidden(self) -> int:
        """H."""
        return len(self.recurrent)

    def check(self, of: tuple[Field, ...]) -> None:
        """Raise `ArtefactError` where the shapes do not fit together or not these fields."""
        size, codes = self.hidden, sum(field.size for field in of)
        outputs = sum(field.size for field in of if field.predicted)
        wanted = {
            "table": (codes, 4 * size), "bias": (4 * size,), "recurrent": (size, 4 * size),
            "head": (size, len(self.head_bias)), "ahead": (size, outputs), "ahead_bias": (outputs,),
        }  # fmt: skip
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
                raise ArtefactError(
                    f"{name} of the LSTM has shape {array.shape} and type {array.dtype}",
                    allowed=f"finite float32 of shape {shape}",
                    fix="train it again",
                )

    def run(self, sequences: Sequences) -> Run:
        """Every event of every sequence, each from nothing; on one core about 5 µs an event with 64 cells."""
        events = len(sequences.tokens)
        logits = np.empty((events, len(self.head_bias)), np.float32)
        surprises = np.empty(events, np.float32)
        last = np.empty((len(sequences), 2 * self.hidden), np.float32)
        _run(
            sequences.tokens, sequences.starts, offsets_of(sequences.fields), foreseen_of(sequences.fields),
            *self.arrays(), logits, surprises, last,
        )  # fmt: skip
        return Run(logits, surprises, last)

    def arrays(self) -> tuple[NDArray[np.float32], ...]:
        """All weights, in their order."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def state(self) -> dict[str, NDArray[Any]]:
        """All weights by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> LstmWeights:
        """The weights that `state` was taken from; `ArtefactError` where one is missing."""
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in state]
        if missing:
            raise ArtefactError(f"the LSTM lacks {', '.join(missing)}", fix="train it again")
        return cls(*(np.ascontiguousarray(state[name]) for name in names))


def offsets_of(of: tuple[Field, ...]) -> NDArray[np.int64]:
    """int64 [F], where each field's codes begin."""
    return np.concatenate([[0], np.cumsum([field.size for field in of])[:-1]]).astype(np.int64)


def foreseen_of(of: tuple[Field, ...]) -> NDArray[np.int64]:
    """int64 [P, 3], of each foreseen field: its place, where its codes begin among the outputs, how many."""
    rows, first = [], 0
    for place, field in enumerate(of):
        if field.predicted:
            rows.append((place, first, field.size))
            first += field.size
    return np.array(rows, np.int64).reshape(-1, 3)


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as the bytes of an npz file without objects; equal arrays give equal bytes."""
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise UsageError(f"{name} holds objects", allowed="plain numbers and texts")
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of `pack_arrays`; `ArtefactError` where they cannot be read or hold objects."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except Exception as broken:
        # A damaged archive can fail in many ways: zip, zlib, header, value.
        raise ArtefactError(f"the arrays cannot be read: {broken}", fix="train it again") from broken
