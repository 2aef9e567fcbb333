"""The live table of visitor-days: requests go in, features come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.requests import RequestBatch
from floorwalker.features.visitors import _columns as c
from floorwalker.features.visitors._kernels import count_distinct, observe
from floorwalker.features.visitors.definitions import Facts
from floorwalker.store.pairs import PairTable

VisitorKey = Literal["address", "host+address", "session"]

IDENTITY = ("client", "user_agent", "host", "session")
MICROSECONDS_A_DAY = 86_400_000_000
MICROSECONDS_A_MINUTE = 60_000_000


class VisitorTable:
    """Running statistics of every visitor on every local day, in memory that grows with visitors and not with requests.

    A visitor is one client address with one user agent (paper B), the same within one host, or one session.

    Parameters
    ----------
    roles : names of the roles that `route_role` indexes.
    by : what makes a visitor: `address`, `host+address` or `session`.
    seed : for the hash tables, because attackers choose keys.
    """

    def __init__(self, roles: Sequence[str], *, by: VisitorKey = "address", seed: int = 0) -> None:
        if len(roles) != c.ROLES:
            raise ValueError(f"{len(roles)} roles given, {c.ROLES} columns kept for them")
        self.roles = tuple(roles)
        self.by = by
        self._visitors = PairTable(seed=seed)
        self._hosts = PairTable(seed=seed + 1)
        self._rows = PairTable(seed=seed + 2)
        self._pairs = PairTable(seed=seed + 3)
        self._stats = np.zeros((1024, c.COLUMNS))
        self._wholes = np.zeros((1024, c.WHOLES), np.int64)
        self._registers = np.zeros((1024, c.REGISTERS), np.uint8)
        self._identity = np.zeros((1024, len(IDENTITY)), np.int32)
        self._pair_count = np.zeros(1024, np.int32)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def visitor(self) -> NDArray[np.int64]:
        """int64 [rows], the visitor of each visitor-day."""
        return self._rows.keys[:, 0]

    @property
    def day(self) -> NDArray[np.int64]:
        """int64 [rows], the local day of each visitor-day, in days since 1970-01-01."""
        return self._rows.keys[:, 1]

    @property
    def stats(self) -> NDArray[np.float64]:
        """float64 [rows, COLUMNS], the running statistics (see `_columns`)."""
        return self._stats[: len(self)]

    @property
    def wholes(self) -> NDArray[np.int64]:
        """int64 [rows, WHOLES], the whole-number statistics (see `_columns`)."""
        return self._wholes[: len(self)]

    def identity(self, column: Literal["client", "user_agent", "host", "session"]) -> NDArray[np.int32]:
        """int32 [rows], the code of the client (user agent, host, session) in the visitor-day's first request."""
        return self._identity[: len(self), IDENTITY.index(column)]

    def advance(
        self,
        batch: RequestBatch,
        route: NDArray[np.int32],
        *,
        route_kind: NDArray[np.int8],
        route_role: NDArray[np.int8],
        target_danger: NDArray[np.int8],
        referrer_kind: NDArray[np.int8],
    ) -> NDArray[np.int32]:
        """Count a batch of requests in time order.

        Parameters
        ----------
        route : int32 [n], route of each request.
        route_kind : int8 [routes], 0 page or API, 1 asset, 2 beacon.
        route_role : int8 [routes], index into the roles.
        target_danger : int8 [targets], 0 harmless, 1 probe, 2 attack.
        referrer_kind : int8 [n], 0 none, 1 own, 2 foreign.

        Returns
        -------
        int32 [n], the visitor-day of each request.
        """
        client = batch.client.astype(np.int64)
        agent = batch.user_agent.astype(np.int64)
        if self.by == "session":
            # Requests that carry no session are visitors by address and user agent, kept apart by a negative code.
            whom = self._hosts.intern(client, agent).astype(np.int64)
            session = batch.session.astype(np.int64)
            visitor = self._visitors.intern(session, np.where(session >= 0, -1, whom))
        elif self.by == "host+address":
            whom = self._hosts.intern(client, agent).astype(np.int64)
            visitor = self._visitors.intern(whom, batch.host.astype(np.int64))
        else:
            visitor = self._visitors.intern(client, agent)
        known = len(self._rows)
        local = batch.at + batch.utc_offset.astype(np.int64) * MICROSECONDS_A_MINUTE
        row = self._rows.intern(visitor.astype(np.int64), local // MICROSECONDS_A_DAY)
        page = route_kind[route] == 0
        pair = np.zeros(len(batch), np.int32)
        pair[page] = self._pairs.intern(row[page].astype(np.int64), route[page].astype(np.int64))
        self._grow()
        role = {name: position for position, name in enumerate(self.roles)}
        observe(
            batch.at, batch.utc_offset, row, route, pair, batch.target, batch.method, batch.status, batch.size,
            referrer_kind, route_kind, route_role, target_danger,
            role["offer"], role["login"], role["checkout"],
            self._stats, self._wholes, self._registers, self._pair_count,
        )  # fmt: skip
        opening = self._wholes[known : len(self), c.FIRST_INDEX]
        for position, column in enumerate((batch.client, batch.user_agent, batch.host, batch.session)):
            self._identity[known : len(self), position] = column[opening]
        return row

    def facts(self, rows: NDArray[np.intp], history: dict[str, NDArray[np.float64]]) -> Facts:
        """What is known of these visitor-days, ready for the feature table."""
        distinct = np.zeros(len(rows))
        count_distinct(self._registers[rows], distinct)
        return Facts(
            stats=self._stats[rows],
            distinct_targets=distinct,
            history=history,
            role={name: position for position, name in enumerate(self.roles)},
        )

    def route_counts(self, routes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Page requests and visitor-days per route, int64 [routes] each."""
        pairs = self._pairs.keys
        requests = np.zeros(routes, np.int64)
        np.add.at(requests, pairs[:, 1], self._pair_count[: len(pairs)])
        return requests, np.bincount(pairs[:, 1], minlength=routes).astype(np.int64)

    def route_visits(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """The (visitor-day, route, page requests) triples of everybody, in the order of first meeting."""
        pairs = self._pairs.keys
        return pairs[:, 0], pairs[:, 1], self._pair_count[: len(pairs)]

    def routes_of(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """The (visitor-day, route, page requests) triples of these visitor-days, most requests first within each."""
        wanted = np.zeros(len(self) + 1, bool)
        wanted[rows] = True
        pairs = self._pairs.keys
        chosen = np.flatnonzero(wanted[pairs[:, 0]])
        count = self._pair_count[chosen]
        order = np.lexsort((-count, pairs[chosen, 0]))
        chosen = chosen[order]
        return pairs[chosen, 0], pairs[chosen, 1], self._pair_count[chosen]

    def _grow(self) -> None:
        if len(self._rows) > len(self._stats):
            # Zeros that nobody has touched take no memory, so that much room costs nothing and few copies are made.
            room = max(len(self._rows), len(self._stats) * 4)
            for name in ("_stats", "_wholes", "_registers", "_identity"):
                old = getattr(self, name)
                grown = np.zeros((room, old.shape[1]), old.dtype)
                grown[: len(old)] = old
                setattr(self, name, grown)
        if len(self._pairs) > len(self._pair_count):
            grown_count = np.zeros(max(len(self._pairs), len(self._pair_count) * 4), np.int32)
            grown_count[: len(self._pair_count)] = self._pair_count
            self._pair_count = grown_count
