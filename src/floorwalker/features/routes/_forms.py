"""One type of page under several forms, found after the walk: with and without its name, in the path and in a key.

`/product/12`, `/product/12/red-lamp` and `/product/12/7/red-lamp` are one page to a person: the id says which, the rest
is decoration. That the rest follows from the id is a fact of the log, so it is decided here and not by the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._automaton import Automaton
from floorwalker.features.routes._grouping import Groups, group, mix, ranges
from floorwalker.features.routes._levels import NUMBERED
from floorwalker.features.routes._split import EMPTY, YEAR, SplitTargets
from floorwalker.features.routes._words import WORDS

HEADS, CONTINUATIONS, NAMES = 20, 1.05, 0.7
"""What follows an id is decoration where so many ids or more have it, each at most so many different ones in the mean,
and so large a share of these names are distinct."""

IDS, SPELT = 0.97, 0.5
"""Share of those heads that are numbers or codes, and of the last segments that hold letters."""

FORMATS = 4
"""Two formats of pictures in one folder are one type where one is so many times as common as the other: strays, not the
counter's images beside the photos."""

VALUES, LISTED, ALIKE, READ = 5, 1.5, 0.5, 300
"""A list in a key is the list in the path where each has so many values or more, of so many elements in the mean, and
so large a share of the key's elements stands in the path too; at most so many values are read."""

_PICTURES = re.compile(rf"^(/.*\{{\}}.*)\.(?:{'|'.join(WORDS['picture'].split())})$", re.IGNORECASE)
_FILE = re.compile(rf"\.(?!(?:{'|'.join(WORDS['ending'].split())})$)\w{{1,5}}$", re.IGNORECASE)
_ELEMENTS = re.compile(r"[,|;+:=]")
_LETTER = re.compile(r"[^\W\d_]")


def join_forms(
    machine: Automaton,
    merged: NDArray[np.bool_],
    cut: SplitTargets,
    path_state: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The state that each state's pages belong to: int64 [states], mostly the state itself.

    Parameters
    ----------
    merged : bool [states], states that stand for many segments.
    path_state : int64 [n], where each target's path ends.
    """
    joined = np.arange(len(machine))
    size = np.bincount(path_state, minlength=len(machine))
    # The most common format comes first and names the route.
    stems: dict[tuple[int, str], int] = {}
    for state in np.lexsort((joined, -size)).tolist():
        found = _PICTURES.match(machine.pieces[state]) if merged[state] else None
        if found:
            common = stems.setdefault((machine.parents[state], found.group(1)), state)
            if size[state] * FORMATS <= size[common]:
                joined[state] = common
    order = np.argsort(path_state, kind="stable")
    ends = np.cumsum(size)
    for state in np.flatnonzero(merged & (size >= HEADS)).tolist():
        if _FILE.search(machine.pieces[state]):
            continue
        chain = [state]
        while machine.parents[chain[-1]] > 0 and merged[machine.parents[chain[-1]]]:
            chain.append(machine.parents[chain[-1]])
        rows = order[ends[state] - size[state] : ends[state]]
        # From the root: the first id in the chain is what the page is of.
        for above in reversed(chain[1:]):
            if _is_decoration(machine, cut, rows, above):
                joined[state] = above
                break
    return joined


def _depth(machine: Automaton, state: int) -> int:
    depth = 0
    while state > 0:
        depth, state = depth + 1, machine.parents[state]
    return depth


def _is_decoration(machine: Automaton, cut: SplitTargets, rows: NDArray[np.int64], above: int) -> bool:
    """Whether what follows an id is the id's name: one for each id, and different ones for different ids."""
    depth = _depth(machine, above)
    first = cut.segment_of[rows].astype(np.int64)
    last = cut.segment_of[rows + 1].astype(np.int64) - 1
    head = cut.part_of[first + depth - 1]
    shape = cut.part_shape[head]
    ids = (cut.part_of[first + depth] - head == 1) & np.isin(shape, NUMBERED)
    if ids.mean() < IDS or (shape == YEAR).mean() > 0.5:
        return False
    heads = group(_fold(cut, first, first + depth))
    if len(heads) < HEADS:
        return False
    paths = group(_fold(cut, first, last + 1))
    names = group(cut.segment_hash[last])
    parts, owner = ranges(cut.part_of[last], cut.part_of[last + 1])
    spelt = (cut.part_shape[parts] != EMPTY) & ~np.isin(cut.part_shape[parts], NUMBERED)
    lettered = np.bincount(owner, weights=spelt, minlength=len(rows)) > 0
    return bool(
        len(paths) <= CONTINUATIONS * len(heads) and len(names) >= NAMES * len(heads) and lettered.mean() >= SPELT
    )


def _fold(cut: SplitTargets, begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A hash of the segments begin, …, end - 1 of each target."""
    folded = np.zeros(len(begin), np.uint64)
    for step in range(int((end - begin).max(initial=0))):
        inside = begin + step < end
        folded[inside] = mix(folded[inside], cut.segment_hash[begin[inside] + step], 26)
    return folded


def join_lists(
    machine: Automaton,
    merged: NDArray[np.bool_],
    cut: SplitTargets,
    routes: Groups,
    route_state: NDArray[np.int64],
    route_key: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The route that each route's pages belong to, once a list in a key is the list in the path: int64 [routes].

    Parameters
    ----------
    routes : the targets by route.
    route_state : int64 [routes], their states.
    route_key : int64 [routes], the place in the cut of the one key that a route needs, -1 for none, -2 for several.
    """
    joined = np.arange(len(routes))
    in_path: dict[int, list[int]] = {}
    for route in np.flatnonzero(route_key == -1).tolist():
        state = int(route_state[route])
        if merged[state] and machine.pieces[state] == "/{}":
            in_path.setdefault(machine.parents[state], []).append(route)
    order = np.argsort(routes.of, kind="stable")
    begins = np.cumsum(routes.size) - routes.size
    for route in np.flatnonzero(route_key >= 0).tolist():
        others = in_path.get(int(route_state[route]), [])
        if not others or routes.size[route] < VALUES:
            continue
        key_hash = cut.key_hash[route_key[route]]
        values = _read(_value(cut, row, int(key_hash)) for row in _some(order, begins, routes, route))
        for other in others:
            texts = _read(_last_segment(cut, row) for row in _some(order, begins, routes, other))
            if _is_same_list(values, texts):
                joined[route] = other
                break
    return joined


def _some(order: NDArray[np.int64], begins: NDArray[np.int64], routes: Groups, route: int) -> list[int]:
    rows: list[int] = order[begins[route] : begins[route] + min(int(routes.size[route]), READ)].tolist()
    return rows


def _value(cut: SplitTargets, row: int, key_hash: int) -> str:
    for key in range(int(cut.key_of[row]), int(cut.key_of[row + 1])):
        if int(cut.key_hash[key]) == key_hash:
            return cut.slice_text(row, int(cut.value_start[key]), int(cut.value_end[key]))
    return ""


def _last_segment(cut: SplitTargets, row: int) -> str:
    segment = int(cut.segment_of[row + 1]) - 1
    return cut.slice_text(row, int(cut.segment_start[segment]), int(cut.segment_end[segment]))


def _read(texts: Iterable[str]) -> list[list[str]]:
    """The elements of each distinct list; bare numbers say nothing, since any two tables share them."""
    return [[element for element in _ELEMENTS.split(text) if _LETTER.search(element)] for text in dict.fromkeys(texts)]


def _is_same_list(values: list[list[str]], texts: list[list[str]]) -> bool:
    for lists in (values, texts):
        if len(lists) < VALUES or sum(map(len, lists)) < LISTED * len(lists):
            return False
    known = {element for elements in texts for element in elements}
    held = [element in known for elements in values for element in elements]
    return sum(held) >= ALIKE * len(held)
