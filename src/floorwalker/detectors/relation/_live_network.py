"""The network of one event's star: its account in the middle, the neighbours by kind around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from floorwalker.kernels import kernel


@kernel
def prepare(value: Any, centre: Any, spread: Any) -> Any:
    """The prepared input of one column of a profile; 0 for what is missing."""
    scaled = np.arcsinh((np.float64(value) - centre) / spread)
    return np.float32(scaled) if np.isfinite(scaled) else np.float32(0.0)


@kernel
def take_profile(profile: Any, centre: Any, spread: Any, nothing: Any, weight: Any, sums: Any) -> None:
    """Let the columns of a profile that are not 0 change the sums, which are those of an empty one: most are 0."""
    for column in range(len(profile)):
        if profile[column] != 0.0:
            change = prepare(profile[column], centre[column], spread[column]) - nothing[column]
            for place in range(len(sums)):
                sums[place] += change * weight[column, place]


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
    # Sums of the first layer for a profile of zeros without neighbours.
    nothing = np.empty(len(centre), np.float32)
    empty = first_bias.copy()
    for column in range(len(centre)):
        nothing[column] = prepare(np.float32(0.0), centre[column], spread[column])
    transform(first, nothing, empty)
    degrees = np.empty(amounts.shape[1], np.float32)
    state = np.empty(hidden, np.float32)
    other = np.empty(hidden, np.float32)
    mean = np.empty(hidden, np.float32)
    total = np.empty(hidden, np.float32)
    for event in range(len(own)):
        state[:] = empty
        take_profile(own[event], centre, spread, nothing, first, state)
        for kind in range(amounts.shape[1]):
            degrees[kind] = np.log1p(np.float64(amounts[event, kind]))
        take_profile(degrees, centre[width:], spread[width:], nothing[width:], first[width:], state)
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
                other[:] = empty
                take_profile(around[event, kind, neighbour], centre, spread, nothing, first, other)
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
