"""Kernels that turn columns into tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import compile_kernel, kernel

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

FLAG, OCTAVE = 0, 1
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_U23 = np.uint64(23)


def inline_kernel(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """A kernel that becomes part of its caller; it makes no arrays."""
    return compile_kernel(function, _nrt=False, forceinline=True)


@inline_kernel
def clip(value: Any, most: int) -> int:
    """The value, within 0 and `most`."""
    return min(max(value, 0), most)  # type: ignore[no-any-return]


@inline_kernel
def code_octave(value: float) -> int:
    """As `sequences.octave`: 0 = missing, else one more than the binary digits of the whole part, 31 at the most."""
    if math.isnan(value):
        return 0
    whole = np.int64(min(max(value, 0.0), 1099511627776.0))
    code = 1
    while whole > 0 and code < 31:
        whole >>= 1
        code += 1
    return code


@inline_kernel
def code_gap(before: Any, at: Any) -> int:
    """Code of the time since the event before, from sixteenths of a second on."""
    whole = max(at - before, 0) // 62_500
    code = 1
    while whole > 0 and code < 31:
        whole >>= 1
        code += 1
    return code


@kernel
def fill_tokens(
    types: NDArray[np.int16],
    routes: NDArray[np.uint64],
    numbers: NDArray[np.float64],
    places: NDArray[np.int64],
    features: NDArray[np.float32],
    columns: NDArray[np.int64],
    kinds: NDArray[np.int64],
    tokens: NDArray[np.uint8],
) -> None:
    """Fill `tokens`, uint8 [n, fields], in the order of `tokens.EVENT_FIELDS`; see there for the numbers.

    Numbers are taken in single precision, as recordings keep them: one must fall into the same octave there.
    """
    own = np.empty(len(places), np.float32)
    for row in range(len(types)):
        for place in range(len(places)):
            own[place] = np.float32(numbers[places[place], row])
        kind = np.int64(types[row])
        tokens[row, 0] = kind + 1 if 0 <= kind < 95 else 0
        amount = own[0]
        if math.isnan(amount):
            amount = own[1]
        tokens[row, 1] = code_octave(amount)
        tokens[row, 2] = 0 if routes[row] == 0 else 1 + np.int64(((routes[row] * _PRIME) >> np.uint64(32)) % _U23)
        result = 0
        status, rating = own[2], own[3]
        if not math.isnan(status):
            result = 1 + clip(np.int64(status) // 100, 5)
        elif not math.isnan(rating):
            result = 7 + clip(np.int64(rating * np.float32(5.0)), 4)
        tokens[row, 3] = result
        client = 0
        for place in range(7, len(own)):
            if own[place] > 0.5:
                client = 2
            elif client == 0 and own[place] <= 0.5:
                client = 1
        tokens[row, 4] = client
        operator = own[4]
        if not math.isnan(operator) and operator >= 0:
            # Float to unsigned is undefined above 2^63, and no operator's number is.
            mixed = np.uint64(np.int64(min(float(operator), 4294967295.0))) * _PRIME
            tokens[row, 5] = 1 + np.int64((mixed >> np.uint64(32)) % np.uint64(15))
        guest = own[5]
        tokens[row, 6] = 0 if math.isnan(guest) else (2 if guest > 0.5 else 1)
        coupons = own[6]
        tokens[row, 7] = 0 if math.isnan(coupons) else 1 + clip(np.int64(coupons), 2)
        for place in range(len(columns)):
            if columns[place] < 0:
                continue
            value = features[row, columns[place]]
            if kinds[place] == FLAG:
                tokens[row, 8 + place] = 0 if math.isnan(value) else (2 if value > 0.5 else 1)
            else:
                tokens[row, 8 + place] = code_octave(value)


@kernel
def link_streams(
    order: NDArray[np.int64],
    keys: NDArray[np.uint64],
    at: NDArray[np.int64],
    device: NDArray[np.uint64],
    network: NDArray[np.uint64],
    linked: NDArray[np.uint8],
) -> None:
    """The fields that depend on the event before, of events in `order`: those of one key in order of the journal,
    each key's behind one another. `linked` is uint8 [len(order), 3]."""
    last_device = np.uint64(0)
    last_network = np.uint64(0)
    last_at = np.int64(0)
    for place in range(len(order)):
        row = order[place]
        if place == 0 or keys[order[place - 1]] != keys[row]:
            last_device = np.uint64(0)
            last_network = np.uint64(0)
            linked[place, 0] = 0
            last_at = at[row]
        else:
            linked[place, 0] = code_gap(last_at, at[row])
            last_at = max(last_at, at[row])
        linked[place, 1] = code_change(last_device, device[row])
        linked[place, 2] = code_change(last_network, network[row])
        if device[row] != 0:
            last_device = device[row]
        if network[row] != 0:
            last_network = network[row]


@inline_kernel
def code_change(before: np.uint64, now: np.uint64) -> int:
    """0 = one of them is unknown, 1 = the same, 2 = another."""
    if before == np.uint64(0) or now == np.uint64(0):
        return 0
    return 1 if before == now else 2
