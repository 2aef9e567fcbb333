"""The live graph's inner loop: read an account's neighbours, then let the event change the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from floorwalker.detectors.relation._live_layout import AMOUNT, COUNTS, DAY, HALF_LIFE, KINDS, TOGETHER, WAYS
from floorwalker.kernels import kernel

_KINDS = len(KINDS)
_COUNTS = len(COUNTS)
_MEMORY = 2 + _COUNTS + _KINDS
_DISPUTES = COUNTS.index("disputes")
_HOUR = DAY // 24


@kernel
def find_row(keys: Any, last: Any, key: Any, room: bool) -> Any:
    """The row of a key; with `room` the one that it may take: an empty one of its eight, else the longest unheard of.

    -1 where it is not there and no room is asked for.
    """
    buckets = len(keys) // WAYS
    mixed = key * np.uint64(0x9E3779B97F4A7C15)
    first: Any = np.int64((mixed >> np.uint64(20)) % np.uint64(buckets)) * WAYS
    oldest: Any = first
    for row in range(first, first + WAYS):
        if keys[row] == key:
            return row
        if keys[oldest] != 0 and (keys[row] == 0 or last[row] < last[oldest]):
            oldest = row
    return oldest if room else -1


@kernel
def describe(row: int, now: int, born: Any, last: Any, counts: Any, different: Any, memory: Any, told: Any) -> None:
    """An account as others see it at this time."""
    told[0] = np.log1p(max(now - born[row], 0) / DAY)
    told[1] = np.log1p(max(now - last[row], 0) / _HOUR)
    fade = np.exp2(-max(now - last[row], 0) / HALF_LIFE)
    for column in range(_COUNTS):
        told[2 + column] = np.log1p(counts[row, column] * fade)
    for kind in range(_KINDS):
        told[2 + _COUNTS + kind] = np.log1p(different[row, kind])
    for column in range(memory.shape[1]):
        told[_MEMORY + column] = memory[row, column]


@kernel
def look_around(
    account: int, key: Any, now: int, asked: Any, hubs: Any, places: Any, keys: Any, born: Any, last: Any, counts: Any,
    different: Any, memory: Any, entity_keys: Any, entity_last: Any, degree: Any, ring: Any, ring_keys: Any,
    profiles: Any, amount: Any, out: Any,
) -> None:  # fmt: skip
    """Tell of the accounts that share the asked entities; their profiles, and how many each kind has.

    `asked[kind]` is the entity's key, 0 for none. `profiles[kind, :amount[kind]]` are the neighbours.
    """
    fan_out = ring.shape[1]
    width = 3 + len(places)
    # An account that was never seen opens now.
    opened = born[account] if account >= 0 else now
    shared = together = disputed = 0.0
    everybody = 0
    for kind in range(_KINDS):
        first = kind * width
        out[first : first + width] = np.nan
        amount[kind] = 0
        if asked[kind] == 0:
            continue
        entity = find_row(entity_keys, entity_last, asked[kind], False)
        if entity < 0:
            out[first] = 0.0
            continue
        out[first] = np.log1p(degree[entity])
        if degree[entity] > hubs[kind]:
            continue
        found = 0
        for place in range(fan_out):
            other = ring[entity, place]
            # The row may have gone to another account since.
            if ring_keys[entity, place] == 0 or ring_keys[entity, place] == key:
                continue
            if keys[other] != ring_keys[entity, place]:
                continue
            describe(other, now, born, last, counts, different, memory, profiles[kind, found])
            near = abs(born[other] - opened) <= TOGETHER
            if found == 0:
                out[first + 1 : first + width] = 0.0
            out[first + 1] += profiles[kind, found, 0]
            out[first + 2] += near
            for column in range(len(places)):
                out[first + 3 + column] += profiles[kind, found, 2 + places[column]]
            together += near
            disputed += counts[other, _DISPUTES] > 0.0
            found += 1
        amount[kind] = found
        everybody += found
        for column in range(1, width):
            out[first + column] /= max(found, 1)
        # The more share an entity, the less it says (Adamic, Adar 2003).
        shared += found / np.log(2.0 + degree[entity])
    after = _KINDS * width
    out[after] = np.log1p(shared)
    out[after + 1] = together / everybody if everybody else 0.0
    out[after + 2] = disputed / everybody if everybody else 0.0


@kernel
def take_in(
    account: int, key: Any, now: int, group: int, money: float, given: Any, keys: Any, born: Any, last: Any,
    counts: Any, different: Any, memory: Any, links: Any, entity_keys: Any, entity_last: Any, degree: Any, ring: Any,
    ring_keys: Any, out: Any,
) -> None:  # fmt: skip
    """Let one event of an account change the graph."""
    if keys[account] != key:
        keys[account] = key
        born[account] = now
        last[account] = now
        counts[account] = 0.0
        different[account] = 0.0
        links[account] = 0
    fade = np.exp2(-max(now - last[account], 0) / HALF_LIFE)
    for column in range(_COUNTS):
        counts[account, column] *= fade
    if group >= 0:
        counts[account, group] += 1.0
    if money > 0.0:
        counts[account, AMOUNT] += np.log1p(money)
    last[account] = max(last[account], now)
    for column in range(memory.shape[1]):
        memory[account, column] = out[len(out) - memory.shape[1] + column]
    for kind in range(_KINDS):
        wanted = given[kind]
        if wanted == 0:
            continue
        if links[account, kind] != wanted:
            links[account, kind] = wanted
            different[account, kind] += 1.0
        entity = find_row(entity_keys, entity_last, wanted, True)
        if entity_keys[entity] != wanted:
            entity_keys[entity] = wanted
            entity_last[entity] = now
            degree[entity] = 0
            ring_keys[entity] = 0
        entity_last[entity] = max(entity_last[entity], now)
        is_known = False
        for place in range(ring.shape[1]):
            is_known = is_known or (ring_keys[entity, place] == key and ring[entity, place] == account)
        if not is_known:
            place = degree[entity] % ring.shape[1]
            ring[entity, place] = account
            ring_keys[entity, place] = key
            degree[entity] += 1


@kernel
def walk_events(
    moves: bool, row_key: Any, at: Any, group: Any, money: Any, given: Any, hubs: Any, places: Any, keys: Any,
    born: Any, last: Any, counts: Any, different: Any, memory: Any, links: Any, entity_keys: Any, entity_last: Any,
    degree: Any, ring: Any, ring_keys: Any, out: Any, own: Any, around: Any, amounts: Any,
) -> None:  # fmt: skip
    """Read each event's neighbours as of just before it, then with `moves` take it in.

    `own`, `around` and `amounts` keep the profiles read; with one row they are only room to work in.
    """
    asked = np.zeros(_KINDS, np.uint64)
    keep = len(own) > 1 or len(at) == 1
    for event in range(len(at)):
        key = row_key[event]
        account = -1
        if key != 0:
            account = find_row(keys, last, key, False)
        for kind in range(_KINDS):
            asked[kind] = given[event, kind]
            if asked[kind] == 0 and account >= 0:
                asked[kind] = links[account, kind]
        slot = event if keep else 0
        own[slot] = np.nan
        if account >= 0:
            describe(account, at[event], born, last, counts, different, memory, own[slot])
        look_around(
            account, key, at[event], asked, hubs, places, keys, born, last, counts, different, memory, entity_keys,
            entity_last, degree, ring, ring_keys, around[slot], amounts[slot], out[event],
        )  # fmt: skip
        if moves and key != 0:
            if account < 0:
                account = find_row(keys, last, key, True)
            take_in(
                account, key, at[event], group[event], money[event], given[event], keys, born, last, counts, different,
                memory, links, entity_keys, entity_last, degree, ring, ring_keys, out[event],
            )  # fmt: skip
