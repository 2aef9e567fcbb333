"""One pass over requests in time order that moves the statistics of visitor-days forward."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.visitors import _columns as c
from floorwalker.kernels import kernel

GET = 0
POST = 1
HEAD = 2
ASSET_KIND = 1
BEACON_KIND = 2
MICROSECONDS = 1e-6


@kernel
def add_gap(s: NDArray[np.float64], base: int, seen: float, now: float) -> None:
    """Move the moments at `s[base:]` by one more request; `seen` counts it. Third moment after Pébay (2008), equation
    1.3."""
    if seen > 1.0:
        gap = max(0.0, now - s[base + c.GAP_LAST_AT])
        count = seen - 1.0
        delta = gap - s[base + c.GAP_MEAN_OF]
        step = delta / count
        term = delta * step * (count - 1.0)
        s[base + c.GAP_CUBES_OF] += term * step * (count - 2.0) - 3.0 * step * s[base + c.GAP_SQUARES_OF]
        s[base + c.GAP_SQUARES_OF] += term
        s[base + c.GAP_MEAN_OF] += step
        log_gap = np.log1p(gap)
        delta = log_gap - s[base + c.GAP_LOG_MEAN_OF]
        s[base + c.GAP_LOG_MEAN_OF] += delta / count
        s[base + c.GAP_LOG_SQUARES_OF] += delta * (log_gap - s[base + c.GAP_LOG_MEAN_OF])
        s[base + c.GAP_LONGEST_OF] = max(s[base + c.GAP_LONGEST_OF], gap)
    s[base + c.GAP_LAST_AT] = now


@kernel
def observe(
    at: NDArray[np.int64],
    offset: NDArray[np.int16],
    row: NDArray[np.int32],
    route: NDArray[np.int32],
    pair: NDArray[np.int32],
    target: NDArray[np.int32],
    method: NDArray[np.uint8],
    status: NDArray[np.int16],
    size: NDArray[np.int64],
    referrer: NDArray[np.int8],
    route_kind: NDArray[np.int8],
    route_role: NDArray[np.int8],
    target_danger: NDArray[np.int8],
    offer_role: int,
    login_role: int,
    checkout_role: int,
    stats: NDArray[np.float64],
    wholes: NDArray[np.int64],
    registers: NDArray[np.uint8],
    pair_count: NDArray[np.int32],
) -> None:
    """Add a batch to the running statistics, in place.

    `stats` is [rows, COLUMNS], `wholes` [rows, WHOLES], `registers` [rows, REGISTERS], `pair_count` [pairs].
    `referrer` is 0
    for none, 1 for the site's own, 2 for foreign; `route_kind` 0 for a page or API request, 1 for an asset, 2 for a
    beacon; `target_danger` 0 for none, 1 for a probe, 2 for an attack. Gaps rest on page requests only.
    """
    for i in range(len(at)):
        s = stats[row[i]]
        w = wholes[row[i]]
        now = at[i] * MICROSECONDS
        code = route[i]
        s[c.REQUESTS] += 1.0
        if s[c.REQUESTS] == 1.0:
            s[c.FIRST_AT] = now
            w[c.FIRST_OFFSET] = offset[i]
            w[c.FIRST_TARGET] = target[i]
            w[c.FIRST_STATUS] = status[i]
            w[c.FIRST_INDEX] = i
        s[c.LAST_AT] = now
        add_gap(s, c.REQUEST_GAP, s[c.REQUESTS], now)
        s[c.ROLE_0 + route_role[code]] += 1.0
        reply = status[i]
        if reply >= 500:
            s[c.SERVER_ERRORS] += 1.0
        elif reply >= 400:
            s[c.CLIENT_ERRORS] += 1.0
            if reply == 401 or reply == 403 or reply == 429:
                s[c.REFUSED] += 1.0
        elif reply == 304:
            s[c.NOT_MODIFIED] += 1.0
        danger = target_danger[target[i]]
        if danger == 1:
            s[c.PROBES] += 1.0
        elif danger == 2:
            s[c.ATTACKS] += 1.0
        kind = route_kind[code]
        if kind == ASSET_KIND:
            s[c.ASSETS] += 1.0
            continue
        if kind == BEACON_KIND:
            s[c.BEACONS] += 1.0
            add_gap(s, c.BEACON_GAP, s[c.BEACONS], now)
            continue

        s[c.PAGES] += 1.0
        pages = s[c.PAGES]
        if size[i] > 0:
            s[c.PAGE_BYTES] += size[i]
        verb = method[i]
        role = route_role[code]
        if verb == POST:
            s[c.POSTS] += 1.0
            if role == login_role:
                s[c.LOGIN_POSTS] += 1.0
                if reply >= 400 or reply == 200:
                    s[c.LOGIN_FAILURES] += 1.0
            elif role == checkout_role:
                s[c.CHECKOUT_POSTS] += 1.0
                if reply >= 400:
                    s[c.CHECKOUT_FAILURES] += 1.0
                else:
                    s[c.CHECKOUTS_DONE] += 1.0
            elif role == offer_role:
                s[c.OFFER_POSTS] += 1.0
                if reply >= 400:
                    s[c.OFFER_FAILURES] += 1.0
        elif verb == HEAD:
            s[c.HEADS] += 1.0
        if referrer[i] == 0:
            s[c.WITHOUT_REFERRER] += 1.0
        elif referrer[i] == 2:
            s[c.FOREIGN_REFERRER] += 1.0

        local = np.int64(np.floor(now)) + np.int64(offset[i]) * 60
        hour = local // 3600
        if pages == 1.0 or s[c.HOUR] != hour:
            s[c.HOUR] = hour
            s[c.HOUR_COUNT] = 0.0
            s[c.ACTIVE_HOURS] += 1.0
        s[c.HOUR_COUNT] += 1.0
        s[c.BUSIEST_HOUR] = max(s[c.BUSIEST_HOUR], s[c.HOUR_COUNT])
        minute = local // 60
        if pages == 1.0 or s[c.MINUTE] != minute:
            s[c.MINUTE] = minute
            s[c.MINUTE_COUNT] = 0.0
        s[c.MINUTE_COUNT] += 1.0
        s[c.BUSIEST_MINUTE] = max(s[c.BUSIEST_MINUTE], s[c.MINUTE_COUNT])

        if pages == 1.0:
            s[c.FIRST_PAGE_AT] = now
        else:
            gap = max(0.0, now - s[c.LAST_PAGE_AT])
            s[c.GAPS] += 1.0
            count = s[c.GAPS]
            delta = gap - s[c.GAP_MEAN]
            s[c.GAP_MEAN] += delta / count
            s[c.GAP_SQUARES] += delta * (gap - s[c.GAP_MEAN])
            log_gap = np.log1p(gap)
            delta = log_gap - s[c.LOG_GAP_MEAN]
            s[c.LOG_GAP_MEAN] += delta / count
            s[c.LOG_GAP_SQUARES] += delta * (log_gap - s[c.LOG_GAP_MEAN])
            # Logs tell whole seconds, so a second either way is the same gap; so is five percent.
            if count > 1.0 and abs(gap - s[c.LAST_GAP]) <= max(1.0, 0.05 * gap):
                s[c.REPEATED_GAPS] += 1.0
            s[c.LAST_GAP] = gap
            if w[c.LAST_ROUTE] == code:
                s[c.SAME_ROUTE] += 1.0
            if w[c.LAST_TARGET] == target[i]:
                s[c.SAME_TARGET] += 1.0
            if pages > 2.0 and w[c.PREVIOUS_TARGET] == target[i]:
                s[c.BACKS] += 1.0
        s[c.LAST_PAGE_AT] = now
        w[c.LAST_ROUTE] = code
        w[c.PREVIOUS_TARGET] = w[c.LAST_TARGET]
        w[c.LAST_TARGET] = target[i]

        # Boyer and Moore's majority vote: the one target that fills most of the visit, if there is one.
        if s[c.MAJORITY] == 0.0:
            w[c.MAJORITY_TARGET] = target[i]
            s[c.MAJORITY] = 1.0
        elif w[c.MAJORITY_TARGET] == target[i]:
            s[c.MAJORITY] += 1.0
        else:
            s[c.MAJORITY] -= 1.0

        before = pair_count[pair[i]]
        pair_count[pair[i]] = before + 1
        if before == 0:
            s[c.ROUTES] += 1.0
        else:
            s[c.ROUTE_COUNT_LOG] -= before * np.log(before)
        s[c.ROUTE_COUNT_LOG] += (before + 1) * np.log(before + 1.0)
        s[c.TOP_ROUTE] = max(s[c.TOP_ROUTE], before + 1.0)

        if pages <= c.SEQUENCE_LENGTH:
            w[c.SEQUENCE] = (w[c.SEQUENCE] * 1000003) ^ (code + 1)

        if role == offer_role:
            if s[c.OFFER_HOURS] > 0.0:
                gap = max(0.0, now - s[c.OFFER_LAST_AT])
                s[c.OFFER_GAPS] += 1.0
                delta = gap - s[c.OFFER_GAP_MEAN]
                s[c.OFFER_GAP_MEAN] += delta / s[c.OFFER_GAPS]
                s[c.OFFER_GAP_SQUARES] += delta * (gap - s[c.OFFER_GAP_MEAN])
            if s[c.OFFER_HOURS] == 0.0 or s[c.OFFER_HOUR] != hour:
                s[c.OFFER_HOUR] = hour
                s[c.OFFER_HOURS] += 1.0
            s[c.OFFER_LAST_AT] = now

        mixed = np.uint64(target[i] + 1) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(31)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(29)
        register = mixed & np.uint64(c.REGISTERS - 1)
        rest = mixed >> np.uint64(6)
        rank = np.uint8(1)
        while rest & np.uint64(1) == np.uint64(0) and rank < 58:
            rank += np.uint8(1)
            rest >>= np.uint64(1)
        if rank > registers[row[i], register]:
            registers[row[i], register] = rank


@kernel
def count_distinct(registers: NDArray[np.uint8], out: NDArray[np.float64]) -> None:
    """HyperLogLog estimates (Flajolet et al. 2007) with linear counting while registers are empty."""
    m = registers.shape[1]
    alpha = 0.709
    for row in range(registers.shape[0]):
        total = 0.0
        empty = 0
        for k in range(m):
            total += 2.0 ** (-float(registers[row, k]))
            if registers[row, k] == 0:
                empty += 1
        estimate = alpha * m * m / total
        if estimate <= 2.5 * m and empty > 0:
            estimate = m * np.log(m / empty)
        out[row] = estimate
