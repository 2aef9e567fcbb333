"""The table of routes: learned on a sample of a log, asked for every target, extended when new ones come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.features.routes._automaton import (
    DEFAULT,
    DISPATCHED,
    LITERAL,
    PATTERN,
    ROUTE,
    Automaton,
)
from floorwalker.features.routes._grouping import group, mix
from floorwalker.features.routes._learning_walk import MAX_ROUTES, OVERFLOW, build_routes, route_name
from floorwalker.features.routes._split import DIGITS_2, SplitTargets, split_targets
from floorwalker.features.routes.roles import ROLES, guess_role, match_role
from floorwalker.store.strings import StringTable

if TYPE_CHECKING:
    from floorwalker.features.routes._network import RouteNetwork

STATE_VERSION = 1
MAX_STATES = 20_000
NEW_LITERALS = 24
"""Segments unseen in learning that a state keeps apart before the rest of them are taken for one variable part."""

MAX_UNMERGED = 1 << 20
CHUNK = 200_000
Merge = Literal["bilstm", "none"]


class RouteTable:
    """Request targets to routes: `/p/red-shoe-12` and `/p/blue-hat-7` are both `/p/{}`.

    Counting pages by URL hides who asks for the same type of page a thousand times: `aa/01` and `aa/02` look like two
    different pages, and a scraper looks like a curious reader. Merging URLs of one type before counting is what
    raises recall in
    paper B, whose BiLSTM this follows; how the network is trained and how its answers are refined on the log is told in
    `docs/routes.md`. Attackers invent URLs, so the number of routes is capped: further types share the route `(other)`.

    Make one by `learn` or `from_state`.

    >>> targets = StringTable(seed=0)
    >>> codes = targets.intern_texts([f"/item/{k}" for k in range(40)] + ["/cart/add", "/cart/remove"])
    >>> table = RouteTable.learn(targets, np.ones(len(targets), np.int64))
    >>> found = [table.routes[code] for code in table.assign(targets, 0)]
    >>> found[0], found[-2:]
    ('/item/{}', ['/cart/add', '/cart/remove'])
    """

    def __init__(
        self, machine: Automaton, routes: list[str], *, seed: int, merge: Merge, roles: Mapping[str, str] | None
    ) -> None:
        self._machine = machine
        self._seed = seed
        self._merge = merge
        self._given = dict(roles or {})
        self.routes = list(routes)
        self.roles = [self._role(route) for route in routes]
        self._codes = {route: code for code, route in reversed(list(enumerate(routes)))}

    @classmethod
    def learn(
        cls,
        targets: StringTable,
        counts: NDArray[np.int64],
        *,
        merge: Merge = "bilstm",
        roles: Mapping[str, str] | None = None,
        posts: NDArray[np.int64] | None = None,
        seed: int = 0,
        words: bool = True,
        network: RouteNetwork | None = None,
    ) -> Self:
        """Learn the routes of a site.

        Parameters
        ----------
        targets : the log's request targets.
        counts : int64 [k], k <= len(targets): requests of the first k targets in the sample; targets without
            any are left out.
        merge : `bilstm`, or `none` to keep each URL a route of its own (to measure what merging brings).
        roles : pattern to role; what no pattern covers is guessed.
        posts : int64 [k], how many of the requests were POST, where known: endpoints that change state are then
            kept apart
            whatever their language.
        seed : key of the hashes.
        words, network : for measurements: without the table of words; another network than the default one.
        """
        for pattern, role in (roles or {}).items():
            if role not in ROLES:
                raise UsageError(f"role {role!r} of {pattern!r}", allowed=", ".join(ROLES))
        if len(counts) > len(targets):
            raise UsageError(f"{len(counts)} counts for {len(targets)} targets", allowed="at most one for each target")
        if merge == "none":
            return cls(Automaton(), [OVERFLOW], seed=seed, merge=merge, roles=roles)
        from floorwalker.features.routes._network import NetworkJudge, load_network

        rows = np.flatnonzero(np.asarray(counts) > 0)
        arena, offsets = _take(targets, rows)
        cut = split_targets(arena, offsets, seed=seed, words=words)
        weight = np.asarray(counts, np.float64)[rows]
        posted = None if posts is None else np.asarray(posts, np.float64)[rows]
        machine, names = build_routes(cut, weight, posted, NetworkJudge(cut, network or load_network()))
        return cls(machine, names, seed=seed, merge=merge, roles=roles)

    def __len__(self) -> int:
        return len(self.routes)

    def assign(self, targets: StringTable, first: int = 0) -> NDArray[np.int32]:
        """Route codes of the targets first, first + 1, …: int32 [len(targets) - first].

        A target that fits no learned route extends the table while there is room: a new fixed page below a known
        folder is a
        new route, but where a state has collected too many new segments, they become one variable part.
        """
        count = len(targets) - first
        if count <= 0:
            return np.zeros(0, np.int32)
        if self._merge == "none":
            return self._assign_texts(targets, first)
        answers = []
        offsets = targets.offsets
        for begin in range(first, len(targets), CHUNK):
            end = min(begin + CHUNK, len(targets))
            cut = split_targets(targets.arena, offsets[: end + 1], first=begin, seed=self._seed)
            answers.append(self._assign_cut(cut))
        return np.concatenate(answers)

    def _assign_cut(self, cut: SplitTargets) -> NDArray[np.int32]:
        found = np.full(len(cut), -1, np.int32)
        rows, state, at, key = self._machine.walk(cut, found)
        # Each round lets every stuck target take at least one step further.
        for _ in range(40):
            if len(rows) == 0:
                break
            self._extend(cut, rows, state, at, key)
            rows, state, at, key = self._machine.walk(cut, found)
        found[found < 0] = self._codes[OVERFLOW]
        return found

    def _extend(
        self,
        cut: SplitTargets,
        rows: NDArray[np.int64],
        states: NDArray[np.int32],
        places: NDArray[np.int32],
        keys: NDArray[np.uint64],
    ) -> None:
        """Add the transitions at which targets were stuck, within the caps."""
        questions = group(mix(states, keys, 6) ^ (places + 7).astype(np.uint64))
        below = group(states[questions.first])
        crowded = np.bincount(states, minlength=len(self._machine))
        machine = self._machine
        for order, question in enumerate(questions.first.tolist()):
            row, state, place = int(rows[question]), int(states[question]), int(places[question])
            siblings = int(below.size[below.of[order]])
            full = machine.children.get(state, 0) + siblings > NEW_LITERALS and crowded[state] > NEW_LITERALS
            full = full or len(machine) >= MAX_STATES
            if place == -2:
                self._connect(ROUTE, state, int(keys[question]), self._add_route(route_name(machine, cut, state, row)))
            elif place == -1:
                self._step(state, 1 if full else int(keys[question]), DEFAULT if full else DISPATCHED, "?{}")
            elif full:
                if not machine.knows(state, 0, DEFAULT):
                    self._step(state, 0, DEFAULT, "/{}")
            else:
                segment = int(cut.segment_of[row]) + place
                if _looks_variable(cut, segment):
                    self._step(state, int(keys[question]), PATTERN, "/{}")
                else:
                    text = cut.slice_text(row, int(cut.segment_start[segment]), int(cut.segment_end[segment]))
                    self._step(state, int(cut.segment_hash[segment]), LITERAL, "/" + text)

    def _step(self, state: int, value: int, salt: int, piece: str) -> None:
        machine = self._machine
        if machine.knows(state, value, salt):
            return
        # Past the cap on states, everything unknown goes back to one state for good.
        following = machine.add_state(state, piece) if len(machine) < MAX_STATES + 2_000 else self._sink()
        self._connect(salt, state, value, following)

    def _sink(self) -> int:
        machine = self._machine
        if machine.pieces[-1] != OVERFLOW:
            sink = machine.add_state(0, OVERFLOW)
            self._connect(DEFAULT, sink, 0, sink)
            self._connect(DEFAULT, sink, 1, sink)
        return len(machine) - 1

    def _connect(self, salt: int, state: int, value: int, what: int) -> None:
        self._machine.connect(np.array([state]), np.array([value], np.uint64), salt, np.array([what]))

    def _assign_texts(self, targets: StringTable, first: int) -> NDArray[np.int32]:
        codes = np.empty(len(targets) - first, np.int32)
        for row, text in enumerate(targets.since(first).to_list()):
            known = self._codes.get(text)
            if known is None:
                known = self._add_route(text, most=MAX_UNMERGED)
            codes[row] = known
        return codes

    def _role(self, route: str) -> str:
        return (match_role(route, self._given) if self._given else None) or guess_role(route)

    def _add_route(self, route: str, *, most: int = MAX_ROUTES) -> int:
        """The code of the route of this name, a new one where there is room, else the overflow's."""
        if route not in self._codes:
            if len(self.routes) >= most:
                return self._codes[OVERFLOW]
            self._codes[route] = len(self.routes)
            self.routes.append(route)
            self.roles.append(self._role(route))
        return self._codes[route]

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Arrays from which `from_state` makes an equal table."""
        facts: dict[str, Any] = {
            "version": STATE_VERSION, "seed": self._seed, "merge": self._merge, "given": self._given,
            "routes": self.routes, "roles": self.roles,
        }  # fmt: skip
        packed = np.frombuffer(json.dumps(facts).encode(), np.uint8)
        return {"facts": packed, **self._machine.arrays()}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.generic]]) -> Self:
        """The table that `state` described.

        Errors
        ------
        ArtefactError : the arrays are not those of a route table of this version.
        """
        try:
            facts = json.loads(bytes(np.asarray(state["facts"], np.uint8)))
            version, machine = facts["version"], Automaton.from_arrays(dict(state))
        except (KeyError, ValueError, TypeError) as broken:
            raise ArtefactError(f"the state of a route table is damaged: {broken}", fix="learn it again") from broken
        if version != STATE_VERSION:
            raise ArtefactError(f"a route table of version {version}", allowed=str(STATE_VERSION), fix="learn it again")
        table = cls(machine, [], seed=int(facts["seed"]), merge=facts["merge"], roles=facts["given"])
        table.routes, table.roles = list(facts["routes"]), list(facts["roles"])
        for code, route in enumerate(table.routes):
            table._codes.setdefault(route, code)
        return table


def _take(targets: StringTable, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The texts of some codes, as an arena of their own."""
    offsets = targets.offsets
    if len(rows) and len(rows) == rows[-1] + 1:
        return targets.arena, offsets[: len(rows) + 1]
    lengths = (offsets[1:] - offsets[:-1])[rows]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    begin = np.repeat(offsets[rows] - ends[:-1], lengths)
    return np.ascontiguousarray(targets.arena[np.arange(int(ends[-1])) + begin]), ends.astype(np.int64)


def _looks_variable(cut: SplitTargets, segment: int) -> bool:
    """Whether an unseen segment is more likely an id or a name than a page of its own."""
    parts = range(int(cut.part_of[segment]), int(cut.part_of[segment + 1]))
    length = int(cut.segment_end[segment] - cut.segment_start[segment])
    return (
        length > 40
        or len(parts) > 4
        or any(cut.part_shape[part] >= DIGITS_2 and cut.part_shape[part] not in (13,) for part in parts)
    )
