"""Recurrent states of live accounts and sessions: rows in one flat array, found by key, the oldest given up first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._lstm_kernel import heads, sigmoid, step, surprise_of
from floorwalker.detectors.behaviour._token_kernel import code_change, code_gap, fill_tokens, inline_kernel
from floorwalker.events.batch import KEY_PLACES
from floorwalker.kernels import kernel
from floorwalker.store.pages import guard

KEY, AT, DEVICE, NETWORK, COUNT, HEAD = 0, 1, 2, 3, 4, 5
"""64-bit words at the beginning of a row; then hidden and cell as float32, then the tokens of the last events."""
USED, HAND, EVICTED = 0, 1, 2
FIELDS, PLACES, COLUMNS, KINDS, OFFSETS, FORESEEN, END = range(7)
"""Of a plan: how many tokens an event says by itself, and where each part begins and the last ends."""
SHAPES, SHAPE = 7, 6
STREAM_FIELDS = 3
"""Tokens that an event says beside the one before it."""
STREAM_KEYS = (KEY_PLACES["account"], KEY_PLACES["session"])
DEVICE_KEY, NETWORK_KEY = KEY_PLACES["device"], KEY_PLACES["ip_network"]
GROUP = 16
"""Rows among which the oldest is given up when there is no room."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_U0 = np.uint64(0)
_U32 = np.uint64(32)


@inline_kernel
def _home(key: np.uint64, slots: NDArray[np.int32]) -> int:
    # Keys are keyed hashes already; their owners cannot choose where they fall.
    return np.int64((key * _MIX) >> _U32) & (len(slots) - 1)  # type: ignore[return-value]


@inline_kernel
def find(key: np.uint64, slots: NDArray[np.int32], words: NDArray[np.uint64], width: int) -> int:
    """The number of the key's row, or -1."""
    at = _home(key, slots)
    while slots[at] != 0:
        number = np.int64(slots[at]) - 1
        if words[number * width + KEY] == key:
            return number  # type: ignore[return-value]
        at = (at + 1) & (len(slots) - 1)
    return -1


@inline_kernel
def put(key: np.uint64, number: int, slots: NDArray[np.int32]) -> None:
    """Let the slots know a row."""
    at = _home(key, slots)
    while slots[at] != 0:
        at = (at + 1) & (len(slots) - 1)
    slots[at] = np.int32(number + 1)


@inline_kernel
def drop(number: int, slots: NDArray[np.int32], words: NDArray[np.uint64], width: int) -> None:
    """Take a row out of the slots and move those behind it up (Knuth, volume 3, algorithm 6.4R)."""
    mask = len(slots) - 1
    hole = _home(words[number * width + KEY], slots)
    while slots[hole] != number + 1:
        hole = (hole + 1) & mask
    at = hole
    while True:
        at = (at + 1) & mask
        if slots[at] == 0:
            break
        home = _home(words[(np.int64(slots[at]) - 1) * width + KEY], slots)
        if ((at - home) & mask) >= ((at - hole) & mask):
            slots[hole] = slots[at]
            hole = at
    slots[hole] = np.int32(0)


@inline_kernel
def make(
    key: np.uint64,
    slots: NDArray[np.int32],
    words: NDArray[np.uint64],
    times: NDArray[np.int64],
    width: int,
    tally: NDArray[np.int64],
) -> int:
    """The number of a row for a new key; the row itself is as it was."""
    rows = len(words) // width
    if tally[USED] < rows:
        number = tally[USED]
        tally[USED] += 1
    else:
        number = tally[HAND]
        for beside in range(1, min(GROUP, rows)):
            other = (tally[HAND] + beside) % rows
            if times[other * width + AT] < times[number * width + AT]:
                number = other
        tally[HAND] = (tally[HAND] + GROUP) % rows
        tally[EVICTED] += 1
        drop(number, slots, words, width)
    put(key, number, slots)
    found: int = number
    return found


@kernel
def fill_slots(words: NDArray[np.uint64], used: int, width: int, slots: NDArray[np.int32]) -> None:
    """Let the slots know all rows in use, after a restore."""
    for number in range(used):
        put(words[number * width + KEY], number, slots)


@kernel
def run_stream(
    moves: bool,
    keys: NDArray[np.uint64],
    at: NDArray[np.int64],
    device: NDArray[np.uint64],
    network: NDArray[np.uint64],
    base: NDArray[np.uint8],
    kept: int,
    width: int,
    offsets: NDArray[np.int64],
    foreseen: NDArray[np.int64],
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    recurrent: NDArray[np.float32],
    head: NDArray[np.float32],
    head_bias: NDArray[np.float32],
    ahead: NDArray[np.float32],
    ahead_bias: NDArray[np.float32],
    words: NDArray[np.uint64],
    times: NDArray[np.int64],
    reals: NDArray[np.float32],
    codes: NDArray[np.uint8],
    slots: NDArray[np.int32],
    tally: NDArray[np.int64],
    paged: NDArray[np.uint64],
    saved: NDArray[np.uint64],
    marks: NDArray[np.uint8],
    logits: NDArray[np.float32],
    surprises: NDArray[np.float32],
) -> None:
    """Each event's step in the stream of its key; where `moves` the state goes on.

    Parameters
    ----------
    base : uint8 [n, B], tokens of the events without those of the stream.
    kept : how many events' tokens a row remembers.
    width : 64-bit words of a row.
    words, times, reals, codes : one array of rows in four types.
    slots : int32, a power of two; the row's number plus one.
    tally : int64 [3].
    paged, saved, marks : of the pages of `words`.
    logits, surprises : float32 [n, K] and [n], filled; NaN where the key is 0.
    """
    size = recurrent.shape[0]
    own = base.shape[1]
    span = own + 3
    state = np.empty(2 * size, np.float32)
    gates = np.empty(4 * size, np.float32)
    scratch = np.empty(max(len(ahead_bias), 1), np.float32)
    tokens = np.empty(span, np.uint8)
    for row in range(len(keys)):
        if keys[row] == _U0:
            logits[row] = np.float32(np.nan)
            surprises[row] = np.float32(np.nan)
            continue
        number = find(keys[row], slots, words, width)
        start = number * width
        for place in range(own):
            tokens[place] = base[row, place]
        if number >= 0:
            tokens[own] = code_gap(times[start + AT], at[row])
            tokens[own + 1] = code_change(words[start + DEVICE], device[row])
            tokens[own + 2] = code_change(words[start + NETWORK], network[row])
            for k in range(2 * size):
                state[k] = reals[2 * (start + HEAD) + k]
        else:
            tokens[own] = 0
            tokens[own + 1] = 0
            tokens[own + 2] = 0
            for k in range(2 * size):
                state[k] = 0.0
        surprises[row] = surprise_of(tokens, foreseen, state, ahead, ahead_bias, scratch)
        step(tokens, offsets, table, bias, recurrent, state, gates)
        heads(state, head, head_bias, logits[row])
        if not moves:
            continue
        if number < 0:
            number = make(keys[row], slots, words, times, width, tally)
            start = number * width
            guard(start, start + width - 1, paged, saved, marks)
            for k in range(width):
                words[start + k] = _U0
            words[start + KEY] = keys[row]
            times[start + AT] = at[row]
        else:
            guard(start, start + width - 1, paged, saved, marks)
        times[start + AT] = max(times[start + AT], at[row])
        if device[row] != _U0:
            words[start + DEVICE] = device[row]
        if network[row] != _U0:
            words[start + NETWORK] = network[row]
        for k in range(2 * size):
            reals[2 * (start + HEAD) + k] = state[k]
        if kept > 0:
            place = 8 * (start + HEAD + size) + (times[start + COUNT] % kept) * span
            for k in range(span):
                codes[place + k] = tokens[k]
        times[start + COUNT] += 1


@kernel
def _table(reals: NDArray[np.float32], first: int, rows: int, columns: int) -> NDArray[np.float32]:
    return reals[first : first + rows * columns].reshape(rows, columns)


@kernel
def judge_events(
    moves: bool,
    types: NDArray[np.int16],
    at: NDArray[np.int64],
    routes: NDArray[np.uint64],
    numbers: NDArray[np.float64],
    keys: NDArray[np.uint64],
    features: NDArray[np.float32],
    plan: NDArray[np.int64],
    mixing: NDArray[np.float32],
    ranks: NDArray[np.float32],
    account: NDArray[np.float32],
    account_words: NDArray[np.uint64],
    account_slots: NDArray[np.int32],
    account_tally: NDArray[np.int64],
    account_saved: NDArray[np.uint64],
    account_marks: NDArray[np.uint8],
    session: NDArray[np.float32],
    session_words: NDArray[np.uint64],
    session_slots: NDArray[np.int32],
    session_tally: NDArray[np.int64],
    session_saved: NDArray[np.uint64],
    session_marks: NDArray[np.uint8],
    out: NDArray[np.float32],
) -> None:
    """From events to opinions in one call: tokens, a step of each stream, and both opinions together.

    Parameters
    ----------
    types, routes, numbers, features : as `fill_tokens` takes them.
    keys : uint64 [all kinds, n], in the order of `KEY_PLACES`.
    plan : of `make_plan`.
    mixing, ranks, out : as `combine` takes them.
    account, session : all weights behind one another; then words, slots, tally and pages of the states.
    """
    tokens = np.zeros((len(types), plan[FIELDS]), np.uint8)
    fill_tokens(
        types, routes, numbers, plan[plan[PLACES] : plan[COLUMNS]], features, plan[plan[COLUMNS] : plan[KINDS]],
        plan[plan[KINDS] : plan[OFFSETS]], tokens,
    )  # fmt: skip
    logits = np.empty((2, len(types), out.shape[1] - 1), np.float32)
    surprises = np.empty((2, len(types)), np.float32)
    offsets, foreseen = plan[plan[OFFSETS] : plan[FORESEEN]], plan[plan[FORESEEN] : plan[END]]
    # One place where a stream is run: what is called at two is compiled twice.
    for kind in range(2):
        weights, words, slots, tally, saved, marks = (
            account, account_words, account_slots, account_tally, account_saved, account_marks,
        )  # fmt: skip
        if kind == 1:
            weights, words, slots, tally, saved, marks = (
                session, session_words, session_slots, session_tally, session_saved, session_marks,
            )  # fmt: skip
        shape = plan[SHAPES + kind * SHAPE : SHAPES + (kind + 1) * SHAPE]
        codes, size, labels, outputs, kept, width = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
        bias = codes * 4 * size
        recurrent = bias + 4 * size
        head = recurrent + size * 4 * size
        head_bias = head + size * labels
        ahead = head_bias + labels
        ahead_bias = ahead + size * outputs
        run_stream(
            moves, keys[STREAM_KEYS[kind]], at, keys[DEVICE_KEY], keys[NETWORK_KEY], tokens, kept, width, offsets,
            foreseen.reshape(len(foreseen) // 3, 3), _table(weights, 0, codes, 4 * size), weights[bias:recurrent],
            _table(weights, recurrent, size, 4 * size), _table(weights, head, size, labels), weights[head_bias:ahead],
            _table(weights, ahead, size, outputs), weights[ahead_bias : ahead_bias + outputs], words,
            words.view(np.int64), words.view(np.float32), words.view(np.uint8), slots, tally, words, saved, marks,
            logits[kind], surprises[kind],
        )  # fmt: skip
    combine(logits[0], logits[1], surprises[0], surprises[1], mixing, ranks, out)


def make_plan(
    places: NDArray[np.int64],
    columns: NDArray[np.int64],
    kinds: NDArray[np.int64],
    offsets: NDArray[np.int64],
    foreseen: NDArray[np.int64],
    shapes: Sequence[Sequence[int]],
) -> NDArray[np.int64]:
    """What `judge_events` must know of events and weights, in one array: each array costs a call a third of a
    microsecond.

    Parameters
    ----------
    places, columns, kinds : as `fill_tokens` takes them.
    offsets, foreseen : of the fields of the streams.
    shapes : of each stream the numbers of codes, cells, labels and foreseen codes, tokens kept, words of a row.
    """
    parts = [places, columns, kinds, offsets, foreseen.reshape(-1)]
    first = SHAPES + SHAPE * len(shapes)
    starts = np.cumsum([first, *(len(part) for part in parts)])
    fields = len(offsets) - STREAM_FIELDS
    return np.concatenate([[fields], starts, np.ravel(np.array(shapes)), *parts]).astype(np.int64)


@kernel
def combine(
    account: NDArray[np.float32],
    session: NDArray[np.float32],
    account_surprise: NDArray[np.float32],
    session_surprise: NDArray[np.float32],
    mixing: NDArray[np.float32],
    ranks: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Opinions of both streams together.

    Parameters
    ----------
    account, session : float32 [n, K], logits; NaN where there is no such stream.
    mixing : float32 [3, K, 3]: for both, for the account alone, for the session alone, the weights of the account's
        logit, of the session's, and a constant.
    ranks : float32 [2, R], rising surprises of account and session that are exceeded equally often each.
    out : float32 [n, K + 1], probability of each label and rank of the surprise; NaN without any stream.
    """
    labels = account.shape[1]
    for row in range(len(out)):
        has_account = not math.isnan(account_surprise[row])
        has_session = not math.isnan(session_surprise[row])
        if not has_account and not has_session:
            out[row] = np.float32(np.nan)
            continue
        pattern = 0 if has_account and has_session else 1 if has_account else 2
        for k in range(labels):
            logit = mixing[pattern, k, 2]
            if has_account:
                logit += mixing[pattern, k, 0] * account[row, k]
            if has_session:
                logit += mixing[pattern, k, 1] * session[row, k]
            out[row, k] = sigmoid(logit)
        highest = np.float32(0.0)
        if has_account:
            highest = rank_of(account_surprise[row], ranks[0])
        if has_session:
            highest = max(highest, rank_of(session_surprise[row], ranks[1]))
        out[row, labels] = highest


@inline_kernel
def rank_of(value: np.float32, ranks: NDArray[np.float32]) -> np.float32:
    """Share of the ranks that are not above the value."""
    low, high = 0, len(ranks)
    while low < high:
        middle = (low + high) // 2
        if ranks[middle] <= value:
            low = middle + 1
        else:
            high = middle
    found: np.float32 = np.float32(low / len(ranks))
    return found
