"""The LSTM without PyTorch: one step of it, and whole sequences.

An event's embedding is a sum over its fields, and the LSTM's first product is linear in it; so each code's share of the
gates is worked out once, after training, and an event's is the sum of a few rows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._token_kernel import inline_kernel
from floorwalker.kernels import kernel

_ONE = np.float32(1.0)
_TWO = np.float32(2.0)
_HALF = np.float32(0.5)
_EIGHTH = np.float32(0.125)
_LEAST, _MOST = np.float32(-18.0), np.float32(18.0)
_C945, _C420, _C105, _C15 = np.float32(945.0), np.float32(420.0), np.float32(105.0), np.float32(15.0)


@inline_kernel
def sigmoid(value: np.float32) -> np.float32:
    """1 / (1 + exp(-value))."""
    found: np.float32 = np.float32(_ONE / (_ONE + math.exp(-value)))
    return found


@inline_kernel
def logistic(value: np.float32) -> np.float32:
    """As `sigmoid` to 2e-7, without a call, so that many are worked out at once.

    It is (1 + tanh(value / 2)) / 2; of an eighth of the value the tangent is taken by Lambert's continued fraction, and
    doubled twice.
    """
    x = min(max(value, _LEAST), _MOST) * _EIGHTH
    y = x * x
    above = x * (_C945 + y * (_C105 + y))
    below = _C945 + y * (_C420 + y * _C15)
    tangent = above / below
    tangent = _TWO * tangent / (_ONE + tangent * tangent)
    tangent = _TWO * tangent / (_ONE + tangent * tangent)
    found: np.float32 = _HALF + _HALF * tangent
    return found


@inline_kernel
def step(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    recurrent: NDArray[np.float32],
    state: NDArray[np.float32],
    gates: NDArray[np.float32],
) -> None:
    """One event: `state` (float32 [2 H], hidden then cell) moves on.

    Parameters
    ----------
    tokens : int32 [F], the event's codes.
    offsets : int64 [F], where each field's codes begin in `table`.
    table : float32 [codes, 4 H], a code's share of the gates; gates in the order input, forget, cell, output.
    bias : float32 [4 H].
    recurrent : float32 [H, 4 H].
    gates : float32 [4 H], scratch.
    """
    size = len(state) // 2
    for k in range(4 * size):
        gates[k] = bias[k]
    for place in range(len(tokens)):
        code = offsets[place] + tokens[place]
        for k in range(4 * size):
            gates[k] += table[code, k]
    # Four rows at once: the gates are read and written a quarter as often.
    whole = size - size % 4
    for j in range(0, whole, 4):
        first, second, third, fourth = state[j], state[j + 1], state[j + 2], state[j + 3]
        for k in range(4 * size):
            gates[k] += (
                first * recurrent[j, k]
                + second * recurrent[j + 1, k]
                + third * recurrent[j + 2, k]
                + fourth * recurrent[j + 3, k]
            )
    for j in range(whole, size):
        value = state[j]
        for k in range(4 * size):
            gates[k] += value * recurrent[j, k]
    for k in range(2 * size, 3 * size):
        gates[k] += gates[k]
    for k in range(4 * size):
        gates[k] = logistic(gates[k])
    for j in range(size):
        cell = gates[size + j] * state[size + j] + gates[j] * (_TWO * gates[2 * size + j] - _ONE)
        state[size + j] = cell
        state[j] = gates[3 * size + j] * (_TWO * logistic(_TWO * cell) - _ONE)


@inline_kernel
def surprise_of(
    tokens: NDArray[np.int32],
    foreseen: NDArray[np.int64],
    state: NDArray[np.float32],
    ahead: NDArray[np.float32],
    ahead_bias: NDArray[np.float32],
    logits: NDArray[np.float32],
) -> np.float32:
    """Nats by which the event was not foreseen, summed over the foreseen fields.

    Parameters
    ----------
    foreseen : int64 [P, 3]: field, where its codes begin among the outputs, how many they are.
    state : float32 [2 H], as of before the event.
    ahead, ahead_bias : float32 [H, outputs] and [outputs].
    logits : float32 [outputs], scratch.
    """
    size = len(state) // 2
    for k in range(len(ahead_bias)):
        logits[k] = ahead_bias[k]
    for j in range(size):
        value = state[j]
        for k in range(len(ahead_bias)):
            logits[k] += value * ahead[j, k]
    total = np.float32(0.0)
    for row in range(len(foreseen)):
        first = foreseen[row, 1]
        last = first + foreseen[row, 2]
        highest = logits[first]
        for k in range(first + 1, last):
            highest = max(highest, logits[k])
        mass = np.float32(0.0)
        for k in range(first, last):
            mass += np.float32(math.exp(logits[k] - highest))
        total += highest + np.float32(math.log(mass)) - logits[first + tokens[foreseen[row, 0]]]
    return total


@inline_kernel
def heads(
    state: NDArray[np.float32], head: NDArray[np.float32], head_bias: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Logits of each label: `out` float32 [K] from `head` float32 [H, K]."""
    for k in range(len(out)):
        out[k] = head_bias[k]
    for j in range(len(state) // 2):
        value = state[j]
        for k in range(len(out)):
            out[k] += value * head[j, k]


@kernel
def run_sequences(
    tokens: NDArray[np.int32],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    foreseen: NDArray[np.int64],
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    recurrent: NDArray[np.float32],
    head: NDArray[np.float32],
    head_bias: NDArray[np.float32],
    ahead: NDArray[np.float32],
    ahead_bias: NDArray[np.float32],
    logits: NDArray[np.float32],
    surprises: NDArray[np.float32],
    last: NDArray[np.float32],
) -> None:
    """All events of all sequences: `logits` float32 [events, K] as of each event, `surprises` float32 [events], `last`
    float32 [n, 2 H] the states at the ends."""
    size = recurrent.shape[0]
    state = np.zeros(2 * size, np.float32)
    gates = np.empty(4 * size, np.float32)
    scratch = np.empty(max(len(ahead_bias), 1), np.float32)
    for sequence in range(len(starts) - 1):
        for k in range(2 * size):
            state[k] = 0.0
        for row in range(starts[sequence], starts[sequence + 1]):
            surprises[row] = surprise_of(tokens[row], foreseen, state, ahead, ahead_bias, scratch)
            step(tokens[row], offsets, table, bias, recurrent, state, gates)
            heads(state, head, head_bias, logits[row])
        for k in range(2 * size):
            last[sequence, k] = state[k]
