"""The network of one event's star: its account in the middle, the neighbours by kind around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from floorwalker.kernels import kernel


@kernel
def prepare(profile: Any, centre: Any, spread: Any, inputs: Any) -> None:
    """Prepared inputs of one profile; the degrees behind it are those of a node without neighbours."""
    for column in range(len(inputs)):
        value = profile[column] if column < len(profile) else np.float32(0.0)
        scaled = np.arcsinh((np.float64(value) - centre[column]) / spread[column])
        inputs[column] = scaled if np.isfinite(scaled) else 0.0


@kernel
def transform(weight: Any, inputs: Any, sums: Any) -> None:
    """Add `inputs @ weight` to the sums; `weight` is [inputs, outputs]."""
    for column in range(len(inputs)):
        value = inputs[column]
        if value != 0.0:
            for place in range(len(sums)):
                sums[place] += value * weight[column, place]


@kernel
def score_stars(
    own: Any, around: Any, amounts: Any, centre: Any, spread: Any, first: Any, first_bias: Any, self_weight: Any,
    self_bias: Any, messages: Any, norm: Any, norm_bias: Any, last: Any, last_bias: Any, scores: Any,
) -> None:  # fmt: skip
    """Probabilities of each event's star: as `_forward.forward` with one layer of means, a row at a time."""
    hidden = len(first_bias)
    width = own.shape[1]
    inputs = np.empty(len(centre), np.float32)
    state = np.empty(hidden, np.float32)
    other = np.empty(hidden, np.float32)
    mean = np.empty(hidden, np.float32)
    total = np.empty(hidden, np.float32)
    for event in range(len(own)):
        prepare(own[event], centre, spread, inputs)
        for kind in range(amounts.shape[1]):
            degree = np.float32(np.log1p(np.float64(amounts[event, kind])))
            inputs[width + kind] = np.arcsinh((np.float64(degree) - centre[width + kind]) / spread[width + kind])
        state[:] = first_bias
        transform(first, inputs, state)
        for place in range(hidden):
            state[place] = max(state[place], np.float32(0.0))
        total[:] = self_bias
        transform(self_weight, state, total)
        for kind in range(amounts.shape[1]):
            many = amounts[event, kind]
            if many == 0:
                continue
            mean[:] = 0.0
            for neighbour in range(many):
                prepare(around[event, kind, neighbour], centre, spread, inputs)
                other[:] = first_bias
                transform(first, inputs, other)
                for place in range(hidden):
                    mean[place] += max(other[place], np.float32(0.0))
            for place in range(hidden):
                mean[place] /= np.float32(many)
            transform(messages[kind], mean, total)
        middle = total.mean()
        wide = np.float32(0.0)
        for place in range(hidden):
            wide += (total[place] - middle) * (total[place] - middle)
        wide = np.sqrt(wide / np.float32(hidden) + np.float32(1e-5))
        for place in range(hidden):
            state[place] += max((total[place] - middle) / wide * norm[place] + norm_bias[place], np.float32(0.0))
        for output in range(len(last_bias)):
            logit = np.float64(last_bias[output])
            for place in range(hidden):
                logit += state[place] * last[place, output]
            scores[event, output] = 1.0 / (1.0 + np.exp(-min(max(logit, -60.0), 60.0)))
