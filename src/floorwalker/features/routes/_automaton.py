"""The learned routes as a machine: states, and one hash table of transitions that a kernel walks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.routes._grouping import mix
from floorwalker.features.routes._split import SplitTargets
from floorwalker.kernels import kernel

LITERAL, FIXED_PART, PATTERN, DISPATCH_KEY, DISPATCHED, REQUIRED_KEY, ROUTE, DEFAULT = range(11, 19)
"""Salts of the kinds of transition, so that all of them share one table."""

VARIABLE = np.uint64(0xA0761D6478BD642F)
MISSING = -1


@kernel
def _mix(state: np.uint64, value: np.uint64, salt: int) -> np.uint64:
    key = (state + np.uint64(salt) * np.uint64(0x632BE59BD9B4E019)) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(30)) ^ value) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@kernel
def _find(keys: NDArray[np.uint64], values: NDArray[np.int32], key: np.uint64) -> int:
    mask = len(keys) - 1
    slot = np.int64(key & np.uint64(mask))
    while keys[slot] != np.uint64(0):
        if keys[slot] == key:
            return int(values[slot])
        slot = (slot + 1) & mask
    return -1


@kernel
def _fold_part(folded: np.uint64, part: np.uint64, delimiter: int, fixed: bool, running: bool) -> np.uint64:
    """A pattern's hash with one more part; a run of variable parts counts once."""
    if fixed:
        return _mix(folded, part + np.uint64(delimiter), 21)
    if running:
        return folded
    return _mix(folded, np.uint64(0xA0761D6478BD642F) + np.uint64(delimiter), 22)


@kernel
def fold_units(
    begins: NDArray[np.int64],
    part_hash: NDArray[np.uint64],
    delimiter: NDArray[np.int64],
    fixed: NDArray[np.bool_],
    folded: NDArray[np.uint64],
    whole: NDArray[np.bool_],
) -> None:
    """Pattern hash of each unit, whose parts are `begins[i] … begins[i + 1]`, and whether all its parts are fixed."""
    for unit in range(len(begins) - 1):
        value, running, all_fixed = np.uint64(1), False, True
        for at in range(begins[unit], begins[unit + 1]):
            value = _fold_part(value, part_hash[at], delimiter[at], fixed[at], running)
            running = not fixed[at]
            if running:
                all_fixed = False
        folded[unit], whole[unit] = value, all_fixed


@kernel
def _walk(
    segment_of: NDArray[np.int32],
    segment_hash: NDArray[np.uint64],
    part_of: NDArray[np.int32],
    part_hash: NDArray[np.uint64],
    part_delimiter: NDArray[np.uint8],
    key_of: NDArray[np.int32],
    key_hash: NDArray[np.uint64],
    value_hash: NDArray[np.uint64],
    keys: NDArray[np.uint64],
    values: NDArray[np.int32],
    found: NDArray[np.int32],
    stuck_state: NDArray[np.int32],
    stuck_at: NDArray[np.int32],
    stuck_key: NDArray[np.uint64],
) -> int:
    """Walk each target whose route is unknown; where a transition is missing, note state, place and pattern."""
    stuck = 0
    for row in range(len(segment_of) - 1):
        if found[row] >= 0:
            continue
        state = np.uint64(0)
        lost = False
        for segment in range(segment_of[row], segment_of[row + 1]):
            following = _find(keys, values, _mix(state, segment_hash[segment], 11))
            if following < 0:
                value, running = np.uint64(1), False
                for part in range(part_of[segment], part_of[segment + 1]):
                    text = part_hash[part] + np.uint64(part_delimiter[part])
                    fixed = _find(keys, values, _mix(state, text, 12)) >= 0
                    value = _fold_part(value, part_hash[part], part_delimiter[part], fixed, running)
                    running = not fixed
                following = _find(keys, values, _mix(state, value, 13))
                if following < 0:
                    following = _find(keys, values, _mix(state, np.uint64(0), 18))
                if following < 0:
                    stuck_state[row], stuck_at[row], stuck_key[row] = state, segment - segment_of[row], value
                    lost = True
                    break
            state = np.uint64(following)
        if not lost:
            begin, end = key_of[row], key_of[row + 1]
            total, some = np.uint64(0), False
            for key in range(begin, end):
                if _find(keys, values, _mix(state, key_hash[key], 14)) >= 0:
                    total += _mix(key_hash[key], value_hash[key], 23)
                    some = True
            if some:
                following = _find(keys, values, _mix(state, total, 15))
                if following < 0:
                    following = _find(keys, values, _mix(state, np.uint64(1), 18))
                if following < 0:
                    stuck_state[row], stuck_at[row], stuck_key[row] = state, -1, total
                    lost = True
                else:
                    state = np.uint64(following)
            if not lost:
                total = np.uint64(0)
                for key in range(begin, end):
                    if _find(keys, values, _mix(state, key_hash[key], 16)) >= 0:
                        total += _mix(key_hash[key], np.uint64(7), 24)
                route = _find(keys, values, _mix(state, total, 17))
                if route < 0:
                    stuck_state[row], stuck_at[row], stuck_key[row] = state, -2, total
                    lost = True
                else:
                    found[row] = route
        if lost:
            stuck += 1
    return stuck


@kernel
def _insert(
    keys: NDArray[np.uint64], values: NDArray[np.int32], new: NDArray[np.uint64], what: NDArray[np.int32]
) -> None:
    mask = len(keys) - 1
    for row in range(len(new)):
        slot = np.int64(new[row] & np.uint64(mask))
        while keys[slot] != np.uint64(0) and keys[slot] != new[row]:
            slot = (slot + 1) & mask
        keys[slot], values[slot] = new[row], what[row]


class Automaton:
    """States of the URL tree after merging, and the transitions between them.

    State 0 is the root. Names are kept as the piece that each state adds, so that a route's name is read back from the
    chain of parents.
    """

    def __init__(self) -> None:
        self.parents: list[int] = [-1]
        self.pieces: list[str] = [""]
        self.children: dict[int, int] = {}
        self._keys: NDArray[np.uint64] = np.zeros(1 << 12, np.uint64)
        self._values: NDArray[np.int32] = np.zeros(1 << 12, np.int32)
        self._used = 0

    def __len__(self) -> int:
        return len(self.parents)

    def add_state(self, parent: int, piece: str) -> int:
        """A new state below a parent."""
        self.parents.append(parent)
        self.pieces.append(piece)
        self.children[parent] = self.children.get(parent, 0) + 1
        return len(self.parents) - 1

    def name(self, state: int) -> str:
        """The pieces from the root to a state."""
        pieces: list[str] = []
        while state > 0:
            pieces.append(self.pieces[state])
            state = self.parents[state]
        return "".join(reversed(pieces))

    def connect(
        self,
        states: NDArray[np.generic] | Iterable[int],
        values: NDArray[np.generic],
        salt: int,
        what: NDArray[np.generic],
    ) -> None:
        """Add transitions: from each state with each value (hash) to each number."""
        new = mix(np.asarray(states), np.asarray(values, np.uint64), salt)
        if (self._used + len(new)) * 2 > len(self._keys):
            held = self._keys != 0
            old_keys, old_values = self._keys[held], self._values[held]
            size = 1 << int(np.ceil(np.log2((self._used + len(new)) * 4)))
            self._keys, self._values = np.zeros(size, np.uint64), np.zeros(size, np.int32)
            with np.errstate(over="ignore"):
                _insert(self._keys, self._values, old_keys, old_values)
        with np.errstate(over="ignore"):
            _insert(self._keys, self._values, new, np.asarray(what, np.int32))
        self._used += len(new)

    def walk(
        self, cut: SplitTargets, found: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint64]]:
        """Fill in the routes of targets whose `found` is -1; answer which are stuck, at which state, place and key."""
        state, at, key = np.zeros(len(cut), np.int32), np.zeros(len(cut), np.int32), np.zeros(len(cut), np.uint64)
        with np.errstate(over="ignore"):
            stuck = _walk(
                cut.segment_of, cut.segment_hash, cut.part_of, cut.part_hash, cut.part_delimiter, cut.key_of,
                cut.key_hash, cut.value_hash, self._keys, self._values, found, state, at, key,
            )  # fmt: skip
        rows = np.flatnonzero(found < 0) if stuck else np.zeros(0, np.int64)
        return rows, state[rows], at[rows], key[rows]

    def knows(self, state: int, value: int, salt: int) -> bool:
        """Whether there is such a transition."""
        key = mix(np.array([state]), np.array([value], np.uint64), salt)[0]
        with np.errstate(over="ignore"):
            return _find(self._keys, self._values, key) >= 0

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The machine as arrays."""
        held = self._keys != 0
        text = "\x00".join(self.pieces).encode("utf-8", "surrogateescape")
        return {
            "keys": self._keys[held],
            "values": self._values[held],
            "parents": np.array(self.parents, np.int32),
            "pieces": np.frombuffer(text, np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.generic]]) -> Automaton:
        """The machine that `arrays` described."""
        made = cls()
        made.parents = [int(parent) for parent in arrays["parents"]]
        made.pieces = bytes(np.asarray(arrays["pieces"], np.uint8)).decode("utf-8", "surrogateescape").split("\x00")
        for parent in made.parents[1:]:
            made.children[parent] = made.children.get(parent, 0) + 1
        keys = np.asarray(arrays["keys"], np.uint64)
        size = 1 << max(12, int(np.ceil(np.log2(max(len(keys), 1) * 4))))
        made._keys, made._values = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        made._used = len(keys)
        with np.errstate(over="ignore"):
            _insert(made._keys, made._values, keys, np.asarray(arrays["values"], np.int32))
        return made
