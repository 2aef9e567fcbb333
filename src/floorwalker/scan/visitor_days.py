"""Visitor-days after the pass: who they are, what they did, which are too sparse to judge alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.features.routes.roles import ROLES
from floorwalker.features.visitors import FEATURES, Facts
from floorwalker.features.visitors import _columns as c
from floorwalker.scan.history import count_days
from floorwalker.scan.reading import Reading
from floorwalker.settings import ScanSettings

Rows = NDArray[np.intp]
MOST_CALLERS = 50
"""Addresses that a service which reports to the shop calls from, at most."""
MOST_REFUSED = 0.2
ROLE_COLUMN = {role: c.ROLE_0 + position for position, role in enumerate(ROLES)}


@dataclass(frozen=True)
class History:
    """Who came on the latest days, by a hash of who they are.

    Parameters
    ----------
    salt : key of the hash, drawn once for a site.
    visitor : uint64 [n], hash of the visitor's texts.
    day : int32 [n], days since 1970-01-01.
    offers : bool [n], whether the visitor asked for offers on that day.
    """

    salt: int
    visitor: NDArray[np.uint64]
    day: NDArray[np.int32]
    offers: NDArray[np.bool_]

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Arrays from which `from_state` restores an equal history."""
        return {"salt": np.array(self.salt, np.int64), "visitor": self.visitor, "day": self.day, "offers": self.offers}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[np.generic]]) -> History:
        """The history whose `state` this is."""
        return cls(
            int(arrays["salt"]),
            arrays["visitor"].astype(np.uint64),
            arrays["day"].astype(np.int32),
            arrays["offers"].astype(np.bool_),
        )


@dataclass
class VisitorDays:
    """All visitor-days of a log; `n` rows.

    Parameters
    ----------
    reading : the pass that made them.
    visitor, day : int64 [n].
    active_days, offer_days : float64 [n], days of the window (this one included) with page requests, with offers.
    """

    reading: Reading
    visitor: NDArray[np.int64]
    day: NDArray[np.int64]
    active_days: NDArray[np.float64]
    offer_days: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.visitor)

    def stat(self, column: int) -> NDArray[np.float64]:
        """One running statistic of every visitor-day (see `features.visitors._columns`)."""
        return self.reading.visitors.stats[:, column]

    def whole(self, column: int) -> NDArray[np.int64]:
        """One whole-number statistic of every visitor-day."""
        return self.reading.visitors.wholes[:, column]

    def text(self, column: str, rows: Rows | None = None) -> pl.Series:
        """Client, user agent, host or session of visitor-days, as texts; null where the log holds none."""
        table = getattr(self.reading.log.tables, column)
        codes = self.reading.visitors.identity(column)  # type: ignore[arg-type]
        texts: pl.Series = table.texts(codes if rows is None else codes[rows])
        return texts.alias(column)

    def local_time(self, column: int, rows: Rows | None = None) -> pl.Series:
        """A time statistic as the shop's local time, datetime [n]."""
        seconds = self.stat(column) + 60.0 * self.whole(c.FIRST_OFFSET)
        chosen = seconds if rows is None else seconds[rows]
        return pl.Series((chosen * 1e6).astype(np.int64)).cast(pl.Datetime("us"))

    def span(self) -> tuple[datetime, datetime]:
        """Local times of the log's first and last request, with their zone."""
        offsets = self.whole(c.FIRST_OFFSET)
        first, last = int(np.argmin(self.stat(c.FIRST_AT))), int(np.argmax(self.stat(c.LAST_AT)))
        return (
            _moment(self.stat(c.FIRST_AT)[first], int(offsets[first])),
            _moment(self.stat(c.LAST_AT)[last], int(offsets[last])),
        )

    def span_hours(self) -> NDArray[np.float64]:
        """Hours of log on each row's day, float64 [n]."""
        days, inverse = np.unique(self.day, return_inverse=True)
        first = np.full(len(days), np.inf)
        last = np.full(len(days), -np.inf)
        np.minimum.at(first, inverse, self.stat(c.FIRST_AT))
        np.maximum.at(last, inverse, self.stat(c.LAST_AT))
        hours: NDArray[np.float64] = np.maximum((last - first) / 3600.0, 1.0 / 60.0)[inverse]
        return hours

    def facts(self, rows: Rows) -> Facts:
        """What the features are computed from."""
        return self.reading.visitors.facts(
            rows, {"active_days": self.active_days[rows], "offer_days": self.offer_days[rows]}
        )

    def features(self, facts: Facts) -> dict[str, NDArray[np.float64]]:
        """Every feature by name, float64 [n] each."""
        return {feature.name: feature.compute(facts) for feature in FEATURES}

    def clients(self) -> pl.DataFrame:
        """Requests by client address, those that name a browser, and how many programs call from it."""
        table = self.reading.log.tables.client
        codes = self.reading.visitors.identity("client")
        requests = self.stat(c.REQUESTS).astype(np.int64)
        # Code -1, an address that the log does not tell, is counted in the last place.
        everyone = np.zeros(len(table) + 1, np.int64)
        browsers = np.zeros(len(table) + 1, np.int64)
        np.add.at(everyone, codes, requests)
        np.add.at(browsers, codes, requests * self._is_browser())
        programs = np.unique((codes.astype(np.int64) << 32) + self.reading.visitors.identity("user_agent"))
        owners = (programs + 1) >> 32
        count = np.zeros(len(table) + 1, np.int64)
        np.add.at(count, owners, 1)
        seen = np.flatnonzero(everyone)
        texts = table.texts(np.where(seen == len(table), -1, seen).astype(np.int32))
        return pl.DataFrame(
            {
                "client": texts,
                "requests": everyone[seen],
                "browser_requests": browsers[seen],
                "user_agents": count[seen],
            }
        )

    def _is_browser(self) -> NDArray[np.bool_]:
        return self.text("user_agent").fill_null("").str.contains("Mozilla/", literal=True).to_numpy()

    def machine_facts(self) -> pl.DataFrame:
        """What machines are recognised by, one row a visitor-day."""
        stats = self.reading.visitors.stats
        pages = np.maximum(stats[:, c.PAGES], 1.0)
        gaps = np.maximum(stats[:, c.GAPS], 1.0)
        counts = {
            f"{role}_requests": stats[:, ROLE_COLUMN[role]].astype(np.int64)
            for role in ("feed", "callback", "beacon", "health", "login", "basket", "checkout", "offer", "product")
        }
        counts["callback_requests"] = np.maximum(counts["callback_requests"], self._server_calls())
        return pl.DataFrame(
            {
                "client": self.text("client"),
                "user_agent": self.text("user_agent"),
                "client_code": self.reading.visitors.identity("client"),
                "user_agent_code": self.reading.visitors.identity("user_agent"),
                "requests": stats[:, c.REQUESTS].astype(np.int64),
                "page_requests": stats[:, c.PAGES].astype(np.int64),
                "asset_requests": stats[:, c.ASSETS].astype(np.int64),
                "image_requests": stats[:, c.ASSETS].astype(np.int64),
                **counts,
                "gap_mean": stats[:, c.GAP_MEAN],
                "gap_spread": np.sqrt(stats[:, c.GAP_SQUARES] / gaps),
                "top_route_share": stats[:, c.TOP_ROUTE] / pages,
                "distinct_routes": stats[:, c.ROUTES].astype(np.int64),
            }
        )

    def _server_calls(self) -> NDArray[np.int64]:
        """Requests of each visitor-day to routes that only servers call, whatever the routes are named.

        A payment or logistics service sends forms, never names a referrer, is no browser and is rarely refused. A route
        that nobody else asks for, and few addresses ask for at all, is its callback. A claim or sign-in that a script
        hammers is one that browsers use too.
        """
        stats = self.reading.visitors.stats
        requests = np.maximum(stats[:, c.REQUESTS], 1.0)
        caller = (
            ~self._is_browser()
            & (stats[:, c.POSTS] >= 0.95 * requests)
            & (stats[:, c.WITHOUT_REFERRER] >= 0.95 * requests)
            & (stats[:, c.CLIENT_ERRORS] <= MOST_REFUSED * requests)
        )
        row, route, count = self.reading.visitors.route_visits()
        routes = len(self.reading.requests_by_route)
        everyone = np.bincount(route, weights=count, minlength=routes)
        by_callers = np.bincount(route, weights=count * caller[row], minlength=routes)
        callback = (everyone > 0) & (by_callers >= 0.99 * everyone)
        called = callback[route]
        addresses = np.unique((route[called] << 32) + self.reading.visitors.identity("client")[row[called]])
        callback &= np.bincount(addresses >> 32, minlength=routes) <= MOST_CALLERS
        calls: NDArray[np.int64] = np.bincount(row, weights=count * callback[route], minlength=len(self)).astype(
            np.int64
        )
        return calls

    def sample(self, rows: Rows, size: int = 5) -> tuple[str, ...]:
        """A few visitors as texts."""
        few = rows[:size]
        return tuple(
            f"{client or '-'} {agent or '-'}"[:200]
            for client, agent in zip(self.text("client", few), self.text("user_agent", few), strict=True)
        )

    def history(self, window: int, salt: int, known: History | None = None) -> History:
        """Who came in the last `window` days, hashed under this salt: in this log, and before it as far as `known`
        (of the same salt) remembers."""
        # Not the very last: one line of a clock gone mad would push everybody else out of the window.
        last = int(np.quantile(self.day, 0.99, method="lower"))
        recent = np.flatnonzero((self.day > last - window) & (self.stat(c.PAGES) > 0))
        hashes, days = hash_visitors(self, recent, salt), self.day[recent].astype(np.int32)
        offers = self.stat(ROLE_COLUMN["offer"])[recent] > 0
        if known is not None:
            older = _unseen(known, hashes, days) & (known.day > last - window)
            hashes = np.concatenate([hashes, known.visitor[older]])
            days = np.concatenate([days, known.day[older]])
            offers = np.concatenate([offers, known.offers[older]])
        return History(salt, hashes, days, offers)


def collect_visitor_days(reading: Reading, settings: ScanSettings, *, known: History | None) -> VisitorDays:
    """Visitor-days with their history, from this log and from what an earlier run remembers."""
    table = reading.visitors
    visitor, day = table.visitor.copy(), table.day.copy()
    pages = table.stats[:, c.PAGES] > 0
    offers = table.stats[:, ROLE_COLUMN["offer"]] > 0
    days = VisitorDays(reading, visitor, day, np.zeros(len(day)), np.zeros(len(day)))
    window = settings.train_days + 1
    if known is None or len(known.visitor) == 0:
        days.active_days = count_days(visitor, day, pages, window=window)
        days.offer_days = count_days(visitor, day, offers, window=window)
        return days
    # Visitors of an earlier run are known by their hashes only, so everyone is counted by hash.
    hashes = hash_visitors(days, np.arange(len(day)), known.salt)
    earlier = _unseen(known, hashes, day)
    everyone = np.concatenate([hashes, known.visitor[earlier]])
    _, number = np.unique(everyone, return_inverse=True)
    all_days = np.concatenate([day, known.day[earlier].astype(np.int64)])
    both_pages = np.concatenate([pages, np.ones(int(earlier.sum()), bool)])
    both_offers = np.concatenate([offers, known.offers[earlier]])
    number = number.astype(np.int64)
    days.active_days = count_days(number, all_days, both_pages, window=window)[: len(day)]
    days.offer_days = count_days(number, all_days, both_offers, window=window)[: len(day)]
    return days


def _unseen(known: History, visitor: NDArray[np.uint64], day: NDArray[Any]) -> NDArray[np.bool_]:
    """bool [known]: which remembered visitor-days are not among these. A day may be remembered in part, since logs
    are rotated at other hours than midnight."""
    seen = pl.DataFrame({"visitor": visitor, "day": day.astype(np.int32)}).unique()
    remembered = pl.DataFrame({"visitor": known.visitor, "day": known.day})
    found = remembered.join(seen.with_columns(seen=True), on=["visitor", "day"], how="left", maintain_order="left")
    unseen: NDArray[np.bool_] = found["seen"].is_null().to_numpy()
    return unseen


def hash_visitors(days: VisitorDays, rows: Rows, salt: int) -> NDArray[np.uint64]:
    """uint64 [n], the same for the same visitor in every run with this salt: no address is kept in what is saved."""
    mixed = np.zeros(len(rows), np.uint64)
    with np.errstate(over="ignore"):
        for name in ("host", "client", "user_agent", "session"):
            prints = getattr(days.reading.log.tables, name).fingerprints(salt)
            # Code -1, a text that the log does not hold, finds the zero at the end.
            known = np.concatenate([prints, np.zeros(1, np.uint64)])
            mixed = (mixed ^ known[days.reading.visitors.identity(name)[rows]]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    return mixed


def _moment(seconds: float, offset_minutes: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset_minutes)))
