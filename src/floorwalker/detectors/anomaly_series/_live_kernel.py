"""Kernel of the live series: hours of the week of the whole shop, and the present hours of single entities."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly_series._evidence import chance, count_evidence
from floorwalker.kernels import kernel
from floorwalker.store.buckets import find_row

HOUR = 3_600_000_000
STEP = 600_000_000
"""Microseconds of a step: a flood of ten minutes is seen."""
WINDOW = 36
"""Steps that a rise may lie back: six hours."""
WEEK, DAY = 168, 24
WARM_HOURS = 48
"""Hours before which nothing is said."""
ENTITY_HOURS = 24
"""Age of an entity before which nothing is said of it: a new promotion is meant to be popular."""
ENTITY_LEAST, ENTITY_SPREAD = 8.0, 2.0
"""Fewer events are no flood; and what one entity does comes in bursts: one customer's visit is a dozen pages."""
SLOW, FAST, FORGET = 0.1, 0.02, 0.02
REACH = 3.0
ALIKE = 2.0

# Numbers of a series, one row each: places of a week, how often they were seen, places of a day and how often, the
# last steps and what was expected of them, then what is moving.
P_WEEK = 0
P_SEEN = P_WEEK + WEEK
P_DAY = P_SEEN + WEEK
P_DAYS_SEEN = P_DAY + DAY
P_STEPS = P_DAYS_SEEN + DAY
P_EXPECTED = P_STEPS + WINDOW
P_LEVEL = P_EXPECTED + WINDOW
P_SPREAD = P_LEVEL + 1
P_STEP_SPREAD = P_SPREAD + 1
P_HOUR_COUNT = P_STEP_SPREAD + 1
P_STEP_COUNT = P_HOUR_COUNT + 1
P_HOURS = P_STEP_COUNT + 1
WIDTH = P_HOURS + 1

# Of an entity: first hour, present hour, its count, the hour before's, counts and expectations of the past.
E_FIRST, E_HOUR, E_NOW, E_BEFORE, E_COUNTS, E_USUAL, E_WIDTH = 0, 1, 2, 3, 4, 5, 6
WAYS = 8
_MIX = np.uint64(0x9E3779B97F4A7C15)
_U0 = np.uint64(0)


@kernel
def expected_hour(row: NDArray[np.float64], hour: int) -> float:
    """Events of a series that are usual in this hour (since 1970)."""
    place, alike = hour % WEEK, hour % DAY
    seen, days = row[P_SEEN + place], row[P_DAYS_SEEN + alike]
    known, weight = 0.0, 0.0
    if days > 0:
        known, weight = row[P_DAY + alike], ALIKE
    else:
        for each in range(DAY):
            if row[P_DAYS_SEEN + each] > 0:
                known += row[P_DAY + each]
                weight += 1.0
        known = known / weight if weight > 0 else 0.0
        weight = ALIKE if weight > 0 else 0.0
    if seen + weight <= 0:
        return 0.0
    usual: float = row[P_LEVEL] * (seen * row[P_WEEK + place] + weight * known) / (seen + weight)
    return usual


@kernel
def learn_spread(spread: float, count: float, mean: float) -> float:
    """By how much counts vary beyond Poisson's law, with one more of them; see `count_evidence`."""
    if mean < 0.5:
        return spread
    beyond = ((count - mean) ** 2 - mean) / (mean * mean)
    return max(spread + FORGET * (beyond - spread), 0.01)


@kernel
def close_hour(row: NDArray[np.float64], hour: int) -> None:
    """Learn from an hour that is over; an attack moves the level by three deviations at most."""
    count, mean = row[P_HOUR_COUNT], expected_hour(row, hour)
    drawn = count
    if row[P_HOURS] >= DAY:
        reach = REACH * math.sqrt(mean + row[P_SPREAD] * mean * mean) + 1.0
        drawn = min(max(count, mean - reach), mean + reach)
        row[P_SPREAD] = learn_spread(row[P_SPREAD], drawn, mean)
        row[P_LEVEL] *= 1.0 + FAST * (drawn - mean) / max(mean, 1.0)
        row[P_LEVEL] = min(max(row[P_LEVEL], 0.01), 100.0)
    usual = drawn / row[P_LEVEL]
    place, alike = hour % WEEK, hour % DAY
    row[P_SEEN + place] = min(row[P_SEEN + place] + 1.0, 1.0 / SLOW)
    row[P_WEEK + place] += (usual - row[P_WEEK + place]) / row[P_SEEN + place]
    row[P_DAYS_SEEN + alike] = min(row[P_DAYS_SEEN + alike] + 1.0, 1.0 / SLOW)
    row[P_DAY + alike] += (usual - row[P_DAY + alike]) / row[P_DAYS_SEEN + alike]
    row[P_HOURS] += 1.0
    row[P_HOUR_COUNT] = 0.0


@kernel
def roll(shop: NDArray[np.float64], clock: NDArray[np.int64], step: int) -> None:
    """Let time go on to this step: steps and hours in between are over. `clock` holds the present step, or -1."""
    if clock[0] < 0:
        clock[0] = step
        return
    # After a silence of more than two weeks nothing more is learned from it.
    if step - clock[0] > 2 * WEEK * 6:
        clock[0] = step - 2 * WEEK * 6
    while clock[0] < step:
        hour = clock[0] // 6
        for number in range(len(shop)):
            row = shop[number]
            place = clock[0] % WINDOW
            count, mean = row[P_STEP_COUNT], expected_hour(row, hour) / 6.0
            row[P_STEPS + place] = count
            row[P_EXPECTED + place] = mean
            if row[P_HOURS] >= DAY:
                reach = REACH * math.sqrt(mean + row[P_STEP_SPREAD] * mean * mean) + 1.0
                row[P_STEP_SPREAD] = learn_spread(row[P_STEP_SPREAD], min(count, mean + reach), mean)
            row[P_STEP_COUNT] = 0.0
            if (clock[0] + 1) % 6 == 0:
                close_hour(row, hour)
        clock[0] += 1


@kernel
def shop_score(row: NDArray[np.float64], step: int, at: int, more: float) -> float:
    """How likely the series has risen, the present event (`more` = 1) included; NaN before the warm-up."""
    if row[P_HOURS] < WARM_HOURS:
        return math.nan
    usual = expected_hour(row, step // 6) / 6.0
    part = min(max((at % STEP) / STEP, 0.1), 1.0)
    total, mean = row[P_STEP_COUNT] + more, max(usual * part, 1e-3)
    best, steps = 0.0, part
    for back in range(WINDOW):
        if back > 0:
            place = (step - back) % WINDOW
            total += row[P_STEPS + place]
            mean += row[P_EXPECTED + place]
            steps += 1.0
        # One or two events are no flood, however seldom they are.
        if total >= 3.0:
            # Steps of one hour vary apart from one another; a busy day is busy in all its hours.
            spread = max(row[P_SPREAD], row[P_STEP_SPREAD] / steps)
            best = max(best, count_evidence(total, mean, spread))
    return chance(best - math.log(float(WINDOW)))


@kernel
def find_entity(keys: NDArray[np.uint64], rows: NDArray[np.float64], key: np.uint64, makes: bool) -> int:
    """The place of an entity's row, -1 where there is none; where `makes`, the least recent of its eight makes room."""
    home = np.int64((key * _MIX) >> np.uint64(33)) % (len(keys) // WAYS) * WAYS
    row = find_row(keys, 1, home, WAYS, key, rows.reshape(-1), E_WIDTH, E_HOUR, makes)
    if row >= 0 and keys[row] != key:
        keys[row] = key
        for place in range(E_WIDTH):
            rows[row, place] = 0.0
    return int(row)


@kernel
def entity_score(rows: NDArray[np.float64], place: int, hour: int, usual: float, before: float, more: float) -> float:
    """How likely an entity has risen in this hour and the one before, against its own share of the shop's events."""
    if place < 0 or hour - rows[place, E_FIRST] < ENTITY_HOURS:
        return math.nan
    now, past = rows[place, E_NOW], rows[place, E_BEFORE]
    counts, means = rows[place, E_COUNTS], rows[place, E_USUAL]
    if hour != rows[place, E_HOUR]:
        past = now if hour == rows[place, E_HOUR] + 1 else 0.0
        now = 0.0
    share = (counts + 0.5) / max(means + 0.5 * ENTITY_HOURS * usual, 1e-6)
    total = now + more
    evidence = 0.0
    if total >= ENTITY_LEAST:
        evidence = count_evidence(total, max(share * usual, 1.0), ENTITY_SPREAD)
    if total + past >= ENTITY_LEAST:
        evidence = max(evidence, count_evidence(total + past, max(share * (usual + before), 2.0), ENTITY_SPREAD))
    return chance(evidence - math.log(2.0))


@kernel
def count_entity(rows: NDArray[np.float64], place: int, hour: int, usual: float) -> None:
    """Count an event of this hour, and put the hours that are over to the past."""
    if rows[place, E_FIRST] == 0:
        rows[place, E_FIRST] = hour
        rows[place, E_HOUR] = hour
    over = hour - rows[place, E_HOUR]
    if over > 0:
        keep = math.exp(-over / (28.0 * DAY))
        rows[place, E_COUNTS] = keep * rows[place, E_COUNTS] + rows[place, E_NOW]
        # The hours between were of about the present hour's usual count; over weeks that evens out.
        rows[place, E_USUAL] = keep * rows[place, E_USUAL] + min(over, 28.0 * DAY) * usual
        rows[place, E_BEFORE] = rows[place, E_NOW] if over == 1 else 0.0
        rows[place, E_NOW] = 0.0
        rows[place, E_HOUR] = hour
    rows[place, E_NOW] += 1.0


@kernel
def run_series(
    moves: bool,
    types: NDArray[np.int16],
    series: NDArray[np.int64],
    at: NDArray[np.int64],
    received: NDArray[np.int64],
    keys: NDArray[np.uint64],
    places: NDArray[np.int64],
    shop: NDArray[np.float64],
    clock: NDArray[np.int64],
    scratch: NDArray[np.float64],
    entities: NDArray[np.uint64],
    rows: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """Scores of each event, float32 [n, 2]: its series in the whole shop, and its entity's own.

    Parameters
    ----------
    types : int16 [n], of the events.
    series : int64 [types + 1], the series that each type counts in, -1 for none; the last is for unknown types.
    at, received : int64 [n], µs.
    keys : uint64 [all kinds, n], 0 for none.
    places : int64 [series], the row of `keys` with the entity that each series is watched for.
    shop, clock : the shop's series and the present step.
    scratch : as `shop`: where nothing moves, time goes on here.
    """
    ahead = np.full(1, -2, np.int64)
    for row in range(len(types)):
        number = series[types[row]]
        if number < 0 and not moves:
            out[row, 0] = np.nan
            out[row, 1] = np.nan
            continue
        # A client's clock may be years ahead; the time of receipt bounds it.
        now = min(at[row], received[row])
        step = now // STEP
        used, present = shop, clock
        if moves:
            if step > clock[0]:
                roll(shop, clock, step)
        elif step > clock[0]:
            if ahead[0] != step:
                # What `roll` leaves out when it comes from the clock, it must not pass on its way from another event.
                leaps = clock[0] < 0 or step - clock[0] > 2 * WEEK * 6
                if leaps or ahead[0] > step or ahead[0] < clock[0]:
                    scratch[:] = shop
                    ahead[0] = clock[0]
                roll(scratch, ahead, step)
            used, present = scratch, ahead
        out[row, 0] = np.nan
        out[row, 1] = np.nan
        if number < 0:
            continue
        # What comes late is judged by the present, and not counted.
        late = step < present[0]
        step = max(step, present[0])
        hour = step // 6
        usual = expected_hour(used[number], hour)
        out[row, 0] = shop_score(used[number], step, now if not late else step * STEP + STEP - 1, 1.0)
        key = keys[places[number], row]
        if key != _U0:
            key = key ^ (np.uint64(number + 1) * _MIX)
            place = find_entity(entities, rows, key, moves)
            if used[number][P_HOURS] >= WARM_HOURS:
                before = expected_hour(used[number], hour - 1)
                fresh = place >= 0 and rows[place, E_FIRST] == 0
                out[row, 1] = np.nan if fresh else entity_score(rows, place, hour, usual, before, 1.0)
            if moves and not late:
                count_entity(rows, place, hour, usual)
        if moves and not late:
            shop[number, P_HOUR_COUNT] += 1.0
            shop[number, P_STEP_COUNT] += 1.0
