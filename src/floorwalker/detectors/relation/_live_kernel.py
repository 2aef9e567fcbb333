"""The live graph's inner loop: read an account's neighbours, then let the event change the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from floorwalker.detectors.relation._live_layout import (
    ACCOUNT_WIDTH,
    AMOUNT,
    AWAKE,
    BORN,
    COUNTS,
    DAY,
    DEGREE,
    DIFFERENT,
    HALF_LIFE,
    HEARD,
    KEY,
    KINDS,
    LAST,
    LINKS,
    MEMORY,
    REALS,
    REMEMBERED,
    RING,
    TOGETHER,
    TOLD,
    WAYS,
    YOUNG,
)
from floorwalker.events.batch import KEY_PLACES, NUMBER_PLACES
from floorwalker.kernels import kernel
from floorwalker.store.buckets import find_row
from floorwalker.store.pages import guard

_ACCOUNT, _MONEY = KEY_PLACES["account"], NUMBER_PLACES["amount_base_minor"]
_KINDS = len(KINDS)
_TOLD = len(TOLD)
_COUNTS = len(COUNTS)
_MEMORY = len(MEMORY)
_DISPUTES = COUNTS.index("disputes")
_RETURNS = COUNTS.index("returns")
_PLAIN = 5
"""Columns of a kind before the counts: degree, together, awake, young, since."""
_HOUR = DAY // 24
_U0 = np.uint64(0)


@kernel
def find_way(keys: Any, times: Any, width: int, last: int, key: Any, room: bool) -> Any:
    """As `store.buckets.find_row`, in the key's bucket; `times[row * width + last]` says when a row was heard of."""
    mixed = key * np.uint64(0x9E3779B97F4A7C15)
    first: Any = np.int64((mixed >> np.uint64(20)) % np.uint64(len(keys) // WAYS)) * WAYS
    return find_row(keys, 1, first, WAYS, key, times, width, last, room)


@kernel
def describe(start: int | np.int64, now: int, times: Any, reals: Any, told: Any) -> None:
    """The account whose row begins at this word, as others see it at this time."""
    first = 2 * (start + REALS)
    told[0] = np.log1p(max(now - times[start + BORN], 0) / DAY)
    told[1] = np.log1p(max(now - times[start + LAST], 0) / _HOUR)
    fade = np.exp2(-max(now - times[start + LAST], 0) / HALF_LIFE)
    for column in range(_COUNTS):
        count = reals[first + column]
        told[2 + column] = np.log1p(count * fade) if count != 0.0 else 0.0
    for kind in range(_KINDS):
        told[2 + DIFFERENT + kind] = np.log1p(reals[first + DIFFERENT + kind])
    for column in range(_MEMORY):
        told[2 + REMEMBERED + column] = reals[first + REMEMBERED + column]


@kernel
def look_around(
    keeps: bool, account: int, key: Any, now: int, asked: Any, hubs: Any, places: Any, keys: Any, times: Any,
    reals: Any, entity_keys: Any, entities: Any, entity_times: Any, entity_rows: Any, fan_out: int, width: int,
    seen: Any, often: Any, profiles: Any, amount: Any, out: Any,
) -> None:  # fmt: skip
    """Tell of the accounts that share the asked entities; with `keeps` their profiles, and how many each kind has.

    `asked[kind]` is the entity's key, 0 for none. `profiles[kind, :amount[kind]]` are the neighbours. `seen` and
    `often` are room for the neighbours' rows.
    """
    told = _PLAIN + len(places)
    # An account that was never seen opens now.
    opened = times[account * ACCOUNT_WIDTH + BORN] if account >= 0 else now
    shared = together = disputed = returned = 0.0
    everybody = different = twice = awake_twice = 0
    for kind in range(_KINDS):
        first = kind * told
        for column in range(told):
            out[first + column] = np.nan
        amount[kind] = 0
        if asked[kind] == _U0:
            continue
        entity = find_way(entity_keys, entity_times, width, HEARD, asked[kind], False)
        if entity < 0:
            out[first] = 0.0
            continue
        start = entity * width
        degree = entity_times[start + DEGREE]
        out[first] = min(degree, hubs[kind] + 1)
        if degree > hubs[kind]:
            continue
        found = 0
        for place in range(fan_out):
            other_key = entities[start + RING + place]
            if other_key in (_U0, key):
                continue
            other = np.int64(entity_rows[2 * (start + RING + fan_out) + place])
            # The row may have gone to another account since.
            if keys[other] != other_key:
                continue
            row = other * ACCOUNT_WIDTH
            if keeps:
                describe(row, now, times, reals, profiles[kind, found])
            if found == 0:
                for column in range(1, told):
                    out[first + column] = 0.0
            idle = max(now - times[row + LAST], 0)
            fade = np.exp2(-idle / HALF_LIFE)
            near = abs(times[row + BORN] - opened) <= TOGETHER
            awake = idle <= AWAKE
            out[first + 1] += near
            out[first + 2] += awake
            out[first + 3] += now - times[row + BORN] <= YOUNG
            hours = idle / _HOUR
            if found == 0 or hours < out[first + 4]:
                out[first + 4] = hours
            for column in range(len(places)):
                out[first + _PLAIN + column] += reals[2 * (row + REALS) + places[column]] * fade
            together += near
            disputed += reals[2 * (row + REALS) + _DISPUTES] > 0.0
            returned += reals[2 * (row + REALS) + _RETURNS] * fade
            found += 1
            known = False
            for earlier in range(different):
                if seen[earlier] == other:
                    if often[earlier] == 1:
                        twice += 1
                        awake_twice += awake
                    often[earlier] += 1
                    known = True
                    break
            if not known:
                seen[different] = other
                often[different] = 1
                different += 1
        amount[kind] = found
        everybody += found
        for column in range(_PLAIN, told):
            out[first + column] /= max(found, 1)
        # The more share an entity, the less it says (Adamic, Adar 2003).
        shared += found / np.log(2.0 + degree)
    after = _KINDS * told
    out[after] = shared
    out[after + 1] = together / everybody if everybody else 0.0
    out[after + 2] = disputed / everybody if everybody else 0.0
    out[after + 3] = returned / everybody if everybody else 0.0
    out[after + 4] = twice
    out[after + 5] = awake_twice


@kernel
def take_in(
    account: int, key: Any, now: int, group: int, money: float, given: Any, keys: Any, words: Any, times: Any,
    reals: Any, entity_keys: Any, entities: Any, entity_times: Any, entity_rows: Any, fan_out: int, width: int,
    saved: Any, marks: Any, entity_saved: Any, entity_marks: Any, out: Any,
) -> None:  # fmt: skip
    """Let one event of an account change the graph."""
    start = account * ACCOUNT_WIDTH
    guard(start, start + ACCOUNT_WIDTH - 1, words, saved, marks)
    if keys[account] != key:
        for word in range(start, start + ACCOUNT_WIDTH):
            words[word] = _U0
        keys[account] = key
        words[start + KEY] = key
        times[start + BORN] = now
        times[start + LAST] = now
    first = 2 * (start + REALS)
    if now > times[start + LAST]:
        fade = np.exp2(-(now - times[start + LAST]) / HALF_LIFE)
        for column in range(_COUNTS):
            reals[first + column] *= fade
        times[start + LAST] = now
    if group >= 0:
        reals[first + group] += np.float32(1.0)
    if money > 0.0:
        reals[first + AMOUNT] += np.float32(np.log1p(money))
    for column in range(_MEMORY):
        reals[first + REMEMBERED + column] = out[len(out) - _MEMORY + column]
    for kind in range(_KINDS):
        wanted = given[kind]
        if wanted == _U0:
            continue
        if words[start + LINKS + kind] != wanted:
            words[start + LINKS + kind] = wanted
            reals[first + DIFFERENT + kind] += np.float32(1.0)
        entity = find_way(entity_keys, entity_times, width, HEARD, wanted, True)
        there = entity * width
        guard(there, there + width - 1, entities, entity_saved, entity_marks)
        if entity_keys[entity] != wanted:
            for word in range(there, there + width):
                entities[word] = _U0
            entity_keys[entity] = wanted
            entities[there + KEY] = wanted
            entity_times[there + HEARD] = now
        entity_times[there + HEARD] = max(entity_times[there + HEARD], now)
        rows = 2 * (there + RING + fan_out)
        is_known = False
        for place in range(fan_out):
            is_known = is_known or (entities[there + RING + place] == key and entity_rows[rows + place] == account)
        if not is_known:
            place = entity_times[there + DEGREE] % fan_out
            entity_rows[rows + place] = account
            entities[there + RING + place] = key
            entity_times[there + DEGREE] += 1


@kernel
def walk_events(
    moves: bool, slots: Any, fan_out: int, given: Any, numbers: Any, at: Any, received: Any, types: Any, settings: Any,
    keys: Any, words: Any, saved: Any, marks: Any, entity_keys: Any, entities: Any, entity_saved: Any,
    entity_marks: Any, out: Any, own: Any, around: Any, amounts: Any,
) -> None:  # fmt: skip
    """Read each event's neighbours as of just before it, then with `moves` take it in.

    `slots[event]` says where `own`, `around` and `amounts` keep the profiles read; negative, or no `slots`: nowhere.
    Their last row is room to work in. `given` [all kinds, n] are keys, `numbers` [all, n] numbers of the events;
    `settings` what does not change, see `_live_layout.settings`.
    """
    kinds, hubs = settings[:_KINDS], settings[_KINDS : 2 * _KINDS]
    places, groups = settings[2 * _KINDS : 2 * _KINDS + _TOLD], settings[2 * _KINDS + _TOLD :]
    times, reals = words.view(np.int64), words.view(np.float32)
    entity_times, entity_rows = entities.view(np.int64), entities.view(np.int32)
    width = len(entities) // len(entity_keys)
    asked = np.zeros(_KINDS, np.uint64)
    wanted = np.zeros(_KINDS, np.uint64)
    seen = np.empty(_KINDS * fan_out, np.int64)
    often = np.empty(_KINDS * fan_out, np.int64)
    for event in range(len(at)):
        key = given[_ACCOUNT, event]
        # A client's clock may be years ahead; the time of receipt bounds it.
        now = min(at[event], received[event])
        account = -1
        if key != _U0:
            account = find_way(keys, times, ACCOUNT_WIDTH, LAST, key, False)
        for kind in range(_KINDS):
            wanted[kind] = given[kinds[kind], event]
            asked[kind] = wanted[kind]
            if asked[kind] == _U0 and account >= 0:
                asked[kind] = words[account * ACCOUNT_WIDTH + LINKS + kind]
        keeps = len(slots) > 0 and slots[event] >= 0
        slot = slots[event] if keeps else len(own) - 1
        if keeps:
            own[slot] = np.nan
            if account >= 0:
                describe(account * ACCOUNT_WIDTH, now, times, reals, own[slot])
        look_around(
            keeps, account, key, now, asked, hubs, places, keys, times, reals, entity_keys, entities,
            entity_times, entity_rows, fan_out, width, seen, often, around[slot], amounts[slot], out[event],
        )  # fmt: skip
        if moves and key != _U0:
            if account < 0:
                account = find_way(keys, times, ACCOUNT_WIDTH, LAST, key, True)
            take_in(
                account, key, now, groups[types[event]], numbers[_MONEY, event], wanted, keys, words, times, reals,
                entity_keys, entities, entity_times, entity_rows, fan_out, width, saved, marks, entity_saved,
                entity_marks, out[event],
            )  # fmt: skip
