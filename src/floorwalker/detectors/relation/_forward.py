"""The network's arithmetic in NumPy and kernels: what serving needs instead of PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.relation.sampling import Block
from floorwalker.kernels import kernel

Weights = Mapping[str, NDArray[np.float32]]
Matrix = NDArray[np.float32]
EPSILON = 1e-5
SLOPE = 0.2


def forward(weights: Weights, inputs: Matrix, block: Block, *, layers: int, attention: bool, heads: int) -> Matrix:
    """Logits of the nodes that the block was asked for: float32 [asked, O].

    Parameters
    ----------
    inputs : float32 [b, I], prepared features of the block's nodes.
    """
    hidden = relu(inputs @ weights["input.weight"].T + weights["input.bias"])
    for layer in range(layers):
        total = hidden @ weights[f"self.{layer}.weight"].T + weights[f"self.{layer}.bias"]
        for number, (start, neighbour) in enumerate(zip(block.start, block.neighbour, strict=True)):
            name = f"messages.{layer}.{number}"
            if not len(neighbour):
                continue
            if attention:
                source = hidden @ weights[f"{name}.lin_l.weight"].T
                target = hidden @ weights[f"{name}.lin_r.weight"].T
                attended = np.zeros(source.shape, np.float32)
                attend(start, neighbour, source, target, weights[f"{name}.att"][0], heads, attended)
                total += attended
            else:
                mean = np.zeros(hidden.shape, np.float32)
                average(start, neighbour, hidden, mean)
                total += mean @ weights[f"{name}.lin_l.weight"].T
        hidden = hidden + relu(normalise(total, weights[f"norms.{layer}.weight"], weights[f"norms.{layer}.bias"]))
    answer: Matrix = hidden[: block.asked] @ weights["output.weight"].T + weights["output.bias"]
    return answer


def relu(values: Matrix) -> Matrix:
    """The positive part."""
    return np.maximum(values, np.float32(0.0))


def normalise(values: Matrix, weight: Matrix, bias: Matrix) -> Matrix:
    """Layer normalisation (Ba, Kiros, Hinton 2016) of each row."""
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + np.float32(EPSILON))
    answer: Matrix = centred / spread * weight + bias
    return answer


@kernel
def average(start: Any, neighbour: Any, values: Any, mean: Any) -> None:
    """Mean of the neighbours' rows; zeros without neighbours."""
    width = values.shape[1]
    for node in range(len(start) - 1):
        first, last = start[node], start[node + 1]
        for edge in range(first, last):
            other = neighbour[edge]
            for column in range(width):
                mean[node, column] += values[other, column]
        if last > first:
            share = np.float32(1.0 / (last - first))
            for column in range(width):
                mean[node, column] *= share


@kernel
def attend(start: Any, neighbour: Any, source: Any, target: Any, query: Any, heads: int, answer: Any) -> None:
    """Attention over neighbours: weights `softmax(query . leaky(source_j + target_i))` of `source_j` (GATv2)."""
    width = source.shape[1] // heads
    largest_degree = 0
    for node in range(len(start) - 1):
        largest_degree = max(largest_degree, start[node + 1] - start[node])
    opinion = np.empty(largest_degree, np.float64)
    for node in range(len(start) - 1):
        first, last = start[node], start[node + 1]
        for head in range(heads):
            offset = head * width
            highest = -np.inf
            for edge in range(first, last):
                other = neighbour[edge]
                total = 0.0
                for column in range(width):
                    value = source[other, offset + column] + target[node, offset + column]
                    if value < 0.0:
                        value *= SLOPE
                    total += query[head, column] * value
                opinion[edge - first] = total
                highest = max(highest, total)
            shares = 0.0
            for edge in range(first, last):
                opinion[edge - first] = np.exp(opinion[edge - first] - highest)
                shares += opinion[edge - first]
            for edge in range(first, last):
                share = opinion[edge - first] / shares
                for column in range(width):
                    answer[node, offset + column] += share * source[neighbour[edge], offset + column]
