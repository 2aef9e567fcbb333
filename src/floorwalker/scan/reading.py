"""The streamed pass: log lines become visitor-days and routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events.requests import METHODS
from floorwalker.features.danger import judge_targets
from floorwalker.features.routes import RouteTable
from floorwalker.features.routes.roles import ROLES
from floorwalker.features.visitors import VisitorKey, VisitorTable
from floorwalker.sources.access_log import AccessLog
from floorwalker.store.strings import StringTable

Number = TypeVar("Number", bound=np.generic)
POST = METHODS.index("POST")
PAGE_KIND, ASSET_KIND, BEACON_KIND = 0, 1, 2
NO_REFERRER, OWN_REFERRER, FOREIGN_REFERRER = 0, 1, 2
ROLE_INDEX = {role: position for position, role in enumerate(ROLES)}


@dataclass
class Reading:
    """What the pass over the log left behind.

    Parameters
    ----------
    log : the reader, for its tables and counts.
    routes : the route table.
    visitors : the visitor-days.
    route_of_target : int32 [targets].
    requests_by_route : int64 [routes], all requests, assets included.
    ignored_requests : requests left out because the shop named their path.
    """

    log: AccessLog
    routes: RouteTable
    visitors: VisitorTable
    route_of_target: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    requests_by_route: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    ignored_requests: int = 0


def learn_routes(
    log: AccessLog,
    *,
    merge: Literal["bilstm", "none"],
    roles: Mapping[str, str] | None,
    sample_lines: int = 200_000,
) -> RouteTable:
    """Learn which URLs are of one type from the heads of the log's files."""
    sample = log.sample(sample_lines)
    known = len(log.tables.target)
    counts = np.bincount(sample.target, minlength=known).astype(np.int64)
    posts = np.bincount(sample.target[sample.method == POST], minlength=known).astype(np.int64)
    return RouteTable.learn(log.tables.target, counts, merge=merge, roles=roles, posts=posts)


def read_visitors(
    log: AccessLog,
    routes: RouteTable,
    *,
    by: VisitorKey,
    seed: int,
    ignored: Callable[[pl.Series], NDArray[np.bool_]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reading:
    """Stream the log once.

    Parameters
    ----------
    by : what makes a visitor.
    seed : for hash tables.
    ignored : tells which request targets the shop wants left out.
    progress : called with lines and uncompressed bytes read so far.
    """
    visitors = VisitorTable(ROLES, by=by, seed=seed)
    reading = Reading(log, routes, visitors)
    route_of_target = _Growing(np.int32)
    danger = _Growing(np.int8)
    left_out = _Growing(np.bool_)
    referrers = _OwnHosts(log.tables.referrer_host)
    kinds = np.empty(0, np.int8)
    role_of_route = np.empty(0, np.int8)
    totals = np.zeros(0, np.int64)
    targets = log.tables.target
    for batch in log.batches():
        if len(targets) > len(route_of_target):
            first = len(route_of_target)
            route_of_target.extend(routes.assign(targets, first))
            fresh = targets.since(first)
            danger.extend(judge_targets(fresh))
            if ignored is not None:
                left_out.extend(ignored(fresh))
            if len(routes.routes) > len(kinds):
                role_of_route = np.array([ROLE_INDEX[role] for role in routes.roles], np.int8)
                kinds = np.array([_kind(role) for role in routes.roles], np.int8)
                totals = np.concatenate([totals, np.zeros(len(kinds) - len(totals), np.int64)])
        if ignored is not None:
            kept = ~left_out.values[batch.target]
            reading.ignored_requests += int(len(batch) - kept.sum())
            batch = batch.take(np.flatnonzero(kept))
        route = route_of_target.values[batch.target]
        totals += np.bincount(route, minlength=len(totals))
        visitors.advance(
            batch,
            route,
            route_kind=kinds,
            route_role=role_of_route,
            target_danger=danger.values,
            referrer_kind=referrers.kinds(batch.referrer_host),
        )
        if progress is not None:
            progress(log.lines, log.size_bytes)
    reading.route_of_target = route_of_target.values
    reading.requests_by_route = totals
    return reading


def _kind(role: str) -> int:
    return {"asset": ASSET_KIND, "beacon": BEACON_KIND}.get(role, PAGE_KIND)


class _Growing(Generic[Number]):
    """An array that is extended at its end."""

    def __init__(self, dtype: type[Number]) -> None:
        self._array: NDArray[Number] = np.empty(1024, dtype)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def values(self) -> NDArray[Number]:
        return self._array[: self._used]

    def extend(self, more: NDArray[Number]) -> None:
        needed = self._used + len(more)
        if needed > len(self._array):
            grown = np.empty(max(needed, 2 * len(self._array)), self._array.dtype)
            grown[: self._used] = self.values
            self._array = grown
        self._array[self._used : needed] = more
        self._used = needed


class _OwnHosts:
    """Tells the site's own referrers from foreign ones.

    Combined logs do not name the site, but most referrers are its own pages: the commonest referrer host of the first
    batch that has any is the site, with its subdomains.
    """

    def __init__(self, hosts: StringTable) -> None:
        self._hosts = hosts
        self._kinds = np.empty(0, np.int8)
        self._domain = ""

    def kinds(self, codes: NDArray[np.int32]) -> NDArray[np.int8]:
        """int8 [n]: 0 none, 1 own, 2 foreign."""
        if not self._domain:
            present = codes[codes >= 0]
            if len(present):
                commonest = Counter(present.tolist()).most_common(1)[0][0]
                self._domain = _registered(self._hosts.text(int(commonest)))
        if len(self._kinds) < len(self._hosts):
            fresh = self._hosts.since(len(self._kinds))
            own = [
                OWN_REFERRER if self._domain and _registered(host or "") == self._domain else FOREIGN_REFERRER
                for host in fresh.to_list()
            ]
            self._kinds = np.concatenate([self._kinds, np.array(own, np.int8)])
        # One more entry, so that the missing referrer's code -1 finds "none".
        return np.concatenate([self._kinds, np.zeros(1, np.int8)])[codes]


def _registered(host: str) -> str:
    """The host without `www.`, `m.` and other first labels of a shop's own: its last two labels, or three under
    `co.uk` and the like."""
    labels = host.lower().strip(".").split(":")[0].split(".")
    if len(labels) <= 2 or labels[-1].isdigit():
        return ".".join(labels)
    keep = 3 if len(labels[-1]) == 2 and labels[-2] in ("co", "com", "net", "org", "gov", "ac", "edu") else 2
    return ".".join(labels[-keep:])
