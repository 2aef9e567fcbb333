"""How the requests of each route usually look, learned from normal requests alone.

After Kruegel and Vigna (*Anomaly detection of web-based attacks*, CCS 2003): length, character distribution, structure
(a Markov chain over classes of characters), enumerations, presence and order of parameters; each per route and
parameter. How surprising a value, or a form of values, is that was never seen is told by how often normal requests
bring new ones (Good 1953), so that no list needs to be declared an enumeration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._characters import as_codes
from floorwalker.detectors.content._request_kernels import (
    CLASSES,
    class_codes,
    count_transitions,
    hash_values,
    name_class,
    surprise_of_values,
)
from floorwalker.detectors.content._request_parsing import Parsed
from floorwalker.detectors.content._request_routes import as_path

PROFILE_FEATURES = (
    "route_unknown",
    "route_rarity",
    "method_unknown",
    "names_unknown",
    "names_missing",
    "order_unknown",
    "names_repeated",
    "value_surprise",
    "exact_form_surprise",
    "form_surprise",
    "step_surprise_mean",
    "step_surprise_highest",
    "step_surprise_sum",
    "classes_new",
    "length_high",
    "length_low",
    "entropy",
)
"""What is measured of a request against the profile of its route; higher is less usual."""

MOST_KEYS = 4_000
"""Route-parameter pairs with a chain of their own, the most frequent; others share that of their name, or of all."""

SMOOTHING = 4.0
"""Weight of the chain of all values in a narrower one, in observations."""

ALWAYS = 0.98
"""A parameter belongs to a route where this share of its requests have it."""

LEAST_SEEN = 8
"""Requests of a route, values of a parameter, that make a profile."""

ORDINARY = 3.0
"""Surprise that is none: what normal requests bring more often than once in twenty. It also keeps a little more or less
training data from moving the figures of ordinary requests."""

OF_VALUES = PROFILE_FEATURES.index("value_surprise")
"""From here on the features are the highest of a request's values, but for two sums."""

EVERYTHING, PATH = 0, 1
LEVELS = 3
_SPAN = 1 << 32


@dataclass(frozen=True, eq=False)
class Shape:
    """What requests of one route are made of."""

    requests: int
    methods: frozenset[str]
    names: frozenset[str]
    always: frozenset[str]
    orders: frozenset[str]


@dataclass(frozen=True, eq=False)
class Profile:
    """What `learn_profile` learned.

    Parameters
    ----------
    shapes : of each route.
    keys : number of each `route name` pair, of each `* name` over all routes, and 0 for all, 1 for paths.
    surprise : float32 [keys, classes, classes], -ln of the chance of a step between classes of characters.
    seen : bool [keys, classes].
    lengths : float32 [keys, 2], mean and deviation of ln(1 + length).
    forms : per level of `hash_values`, int64, rising: key * 2^32 + hash of what was seen.
    new_surprise : float32 [levels, keys], -ln of the chance that the next one is new, beyond `ORDINARY`.
    """

    shapes: dict[str, Shape]
    keys: dict[str, int]
    surprise: NDArray[np.float32]
    seen: NDArray[np.bool_]
    lengths: NDArray[np.float32]
    forms: tuple[NDArray[np.int64], ...]
    new_surprise: NDArray[np.float32]

    @cached_property
    def requests(self) -> int:
        """How many were learned from."""
        return sum(shape.requests for shape in self.shapes.values())

    def measure(self, requests: Sequence[Parsed]) -> tuple[NDArray[np.float32], list[str]]:
        """float32 [n, len(PROFILE_FEATURES)], and the oddest parameter of each request in words."""
        answer = np.zeros((len(requests), len(PROFILE_FEATURES)), np.float32)
        if not requests:
            return answer, []
        owners, keys, texts, names = [], [], [], []
        for row, request in enumerate(requests):
            self._measure_shape(request, answer[row])
            # Of a route that is not known, the path is a value too, and all that can be judged.
            for name, value, key in (
                ("(path)", as_path(request.path), PATH),
                *(
                    (name, value, self._key(request.path, name))
                    for name, value in zip(request.names, request.values, strict=True)
                ),
            ):
                owners.append(row)
                keys.append(key)
                texts.append(value)
                names.append(name)
        owner = np.array(owners, np.int64)
        values, oddest = self.measure_values(texts, np.array(keys, np.int64))
        known = np.array([request.path in self.shapes for request in requests])
        values[(np.array(keys) == PATH) & known[owner]] = 0
        starts = np.searchsorted(owner, np.arange(len(requests)))
        answer[:, OF_VALUES:] = np.maximum.reduceat(values, starts, axis=0)
        for name in ("step_surprise_sum", "classes_new"):
            column = PROFILE_FEATURES.index(name)
            answer[:, column] = np.add.reduceat(values[:, column - OF_VALUES], starts)
        return answer, self._find_oddest(values, oddest, owner, starts, names)

    def measure_values(
        self, texts: Sequence[str], keys: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Columns `OF_VALUES` and up of `PROFILE_FEATURES`, and the class of character that surprised most, a value."""
        codes = as_codes(texts)
        classes = class_codes(codes.values, codes.kinds)
        steps = np.zeros((len(texts), 4), np.float32)
        oddest = np.zeros(len(texts), np.uint8)
        surprise_of_values(classes, codes.values, codes.stops, keys, self.surprise, self.seen, steps, oddest)
        hashes = np.zeros((len(texts), LEVELS), np.int64)
        hash_values(classes, codes.values, codes.stops, hashes)
        lengths = np.log1p(np.diff(codes.stops).astype(np.float32))
        off = (lengths - self.lengths[keys, 0]) / self.lengths[keys, 1]
        columns = [self._form_surprise(level, keys, hashes[:, level]) for level in range(LEVELS)]
        columns += [steps[:, 0], steps[:, 1], np.maximum(steps[:, 1] - ORDINARY, 0), steps[:, 2]]
        columns += [np.maximum(off, 0), np.maximum(-off, 0), steps[:, 3]]
        return np.column_stack(columns).astype(np.float32), oddest

    def _measure_shape(self, request: Parsed, row: NDArray[np.float32]) -> None:
        shape = self.shapes.get(request.path)
        many = 0 if shape is None else shape.requests
        row[1] = max(np.log((self.requests + 1) / (many + 1)) - ORDINARY, 0)
        if shape is None:
            row[0] = 1
            return
        row[2] = request.method not in shape.methods
        row[3] = sum(name not in shape.names for name in request.names)
        row[4] = len(shape.always.difference(request.names))
        row[5] = sum(pair not in shape.orders for pair in _orders(request))
        row[6] = len(request.names) - len(set(request.names))

    def _key(self, path: str, name: str) -> int:
        found = self.keys.get(f"{path} {name}")
        if found is None:
            found = self.keys.get("* " + name)
        return EVERYTHING if found is None else found

    def _form_surprise(self, level: int, keys: NDArray[np.int64], hashes: NDArray[np.int64]) -> NDArray[np.float32]:
        known = self.forms[level]
        wanted = keys * _SPAN + hashes
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        answer: NDArray[np.float32] = np.where(known[place] == wanted, 0, self.new_surprise[level, keys])
        return answer

    def _find_oddest(
        self,
        values: NDArray[np.float32],
        oddest: NDArray[np.uint8],
        owner: NDArray[np.int64],
        starts: NDArray[np.int64],
        names: Sequence[str],
    ) -> list[str]:
        weight = values[:, :3].sum(1) + values[:, 4] + values[:, 6]
        order = np.lexsort((weight, owner))
        last = order[np.append(starts[1:], len(order)) - 1]
        answer = []
        for place in last.tolist():
            if values[place, 6] > 0:
                text = f"{name_class(int(oddest[place]))}, which its values never have"
            elif values[place, :3].max() > 0:
                text = "a value or form that it never had"
            else:
                text = f"{name_class(int(oddest[place]))} at an unusual place"
            answer.append(f"{names[place]!r:.40} has {text}")
        return answer


def _orders(request: Parsed) -> list[str]:
    return [f"{a} {b}" for a, b in zip(("", *request.names), request.names, strict=False)]


def learn_profile(requests: Sequence[Parsed]) -> Profile:
    """Learn the routes, and of each its methods, parameters, their order, their values, from normal requests."""
    grouped: dict[str, list[Parsed]] = {}
    for request in requests:
        grouped.setdefault(request.path, []).append(request)
    # A form sent twice says nothing on how often new values come.
    once = list(dict.fromkeys((request.path, request.names, request.values) for request in requests))
    pairs = [f"{path} {name}" for path, names, _ in once for name in names]
    everywhere = ["* " + name for _, names, _ in once for name in names]
    texts = [value for _, _, values in once for value in values]
    keys = {"(everything)": EVERYTHING, "(path)": PATH}
    for pair, many in Counter(pairs + everywhere).most_common(MOST_KEYS):
        if many < LEAST_SEEN:
            break
        keys[pair] = len(keys)
    paths = sorted(map(as_path, grouped))
    of_pairs, of_names = ([keys.get(one, -1) for one in column] for column in (pairs, everywhere))
    owners = np.array([*([EVERYTHING] * len(texts)), *of_pairs, *of_names, *([PATH] * len(paths))], np.int64)
    kept = np.flatnonzero(owners >= 0)
    everything = [*texts, *texts, *texts, *paths]
    return Profile(
        {path: _learn_shape(some) for path, some in grouped.items()},
        keys,
        *_learn_values([everything[place] for place in kept.tolist()], owners[kept], len(keys)),
    )


def _learn_shape(requests: Sequence[Parsed]) -> Shape:
    counter = Counter(name for request in requests for name in set(request.names))
    enough = len(requests) >= LEAST_SEEN
    return Shape(
        requests=len(requests),
        methods=frozenset(request.method for request in requests),
        names=frozenset(counter),
        always=frozenset(name for name, many in counter.items() if enough and many >= ALWAYS * len(requests)),
        orders=frozenset(pair for request in requests for pair in _orders(request)),
    )


def _learn_values(
    texts: Sequence[str], owners: NDArray[np.int64], keys: int
) -> tuple[
    NDArray[np.float32],
    NDArray[np.bool_],
    NDArray[np.float32],
    tuple[NDArray[np.int64], ...],
    NDArray[np.float32],
]:
    codes = as_codes(texts)
    classes = class_codes(codes.values, codes.kinds)
    counts = np.zeros((keys, CLASSES, CLASSES), np.float32)
    count_transitions(classes, codes.stops, owners, counts)
    # A chain leans on the one of all values where it has seen little.
    wide = counts[EVERYTHING] + 0.05
    wide = wide / wide.sum(1, keepdims=True)
    chances = counts + SMOOTHING * wide
    chances /= chances.sum(2, keepdims=True)
    total = np.bincount(owners, minlength=keys)
    lengths = np.log1p(np.diff(codes.stops).astype(np.float64))
    many = np.maximum(total, 1)
    mean = np.bincount(owners, lengths, keys) / many
    variance = np.maximum(np.bincount(owners, lengths**2, keys) / many - mean**2, 0)
    deviation = np.sqrt(variance) + 0.05 + (total < LEAST_SEEN)
    hashes = np.zeros((len(texts), LEVELS), np.int64)
    hash_values(classes, codes.values, codes.stops, hashes)
    forms = []
    new = np.zeros((LEVELS, keys), np.float32)
    for level in range(LEVELS):
        known, times = np.unique(owners * _SPAN + hashes[:, level], return_counts=True)
        once = np.bincount(known[times == 1] // _SPAN, minlength=keys)
        new[level] = np.maximum(-np.log((once + 1) / (total + 2)) - ORDINARY, 0)
        # Each path counts once, known or not: `route_unknown` tells that.
        new[level, PATH] = 0
        forms.append(known if len(known) else np.full(1, -1, np.int64))
    return (
        # In the precision in which it is kept, or ranks of like requests would change with the first saving.
        (-np.log(chances)).astype(np.float16).astype(np.float32),
        counts.sum(1) > 0,
        np.column_stack([mean, deviation]).astype(np.float32),
        tuple(forms),
        new,
    )
