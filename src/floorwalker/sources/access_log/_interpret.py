"""From spans to facts: what every format has in common once its fields are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.requests import ODD_TARGET
from floorwalker.sources.access_log._escapes import unescape, unquote
from floorwalker.sources.access_log._scanning import QUESTION_MARK, find_byte, has_control
from floorwalker.sources.access_log._slots import (
    ABNORMAL_TARGET,
    BAD_TIME,
    CLIENT,
    CONTROL_CHARACTERS,
    COOKIE,
    DATE,
    FINE,
    FOREIGN_HOST,
    FORWARDED,
    HOST,
    MALFORMED,
    METHOD,
    NOT_A_REQUEST,
    QUERY,
    REFERRER,
    REQUEST,
    SESSION,
    SIZE,
    STATUS,
    TARGET,
    TARGET_LIMIT,
    TARGET_TOO_LONG,
    TEXT_CLIENT,
    TEXT_FORWARDED,
    TEXT_HOST,
    TEXT_REFERRER,
    TEXT_SESSION,
    TEXT_TARGET,
    TEXT_USER_AGENT,
    TEXTS,
    TIME,
    USER_AGENT,
)
from floorwalker.sources.access_log._targets import (
    authority,
    find_named,
    host_name,
    method_code,
    request_parts,
)
from floorwalker.sources.access_log._times import BAD, parse_time
from floorwalker.store._flat import flat_kernel
from floorwalker.store._hashing import hash_span, is_same_span, widen

JUMP = 3_600_000_000
"""Microseconds by which a clock must fall back to count as having jumped: an hour, as at the end of summer time."""

SESSION_NONE, SESSION_LOGGED, SESSION_COOKIE, SESSION_TARGET, SESSION_ANY = range(5)
"""Where a session id is looked for: nowhere, its own field, the Cookie header, the target, each in this order."""


# Typed, because Numba would compile the functions they are given to anew for each literal.
_COOKIE, _TARGET = np.bool_(False), np.bool_(True)
_U0 = np.uint64(0)
_ODD_TEXT = np.frombuffer(ODD_TARGET.encode(), np.uint8)


@flat_kernel
def number(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    """A decimal number; -1 for `-` or nothing, -2 for anything else."""
    length = end - start
    if length <= 0 or (length == 1 and buffer[start] == 45):
        return -1
    if length > 18:
        return -2
    value = 0
    for at in range(start, end):
        digit = widen(buffer[at]) - 48
        if digit < 0 or digit > 9:
            return -2
        value = value * 10 + digit
    return value


@flat_kernel
def is_same_text(buffer: NDArray[np.uint8], a: int, a_end: int, b: int, b_end: int) -> bool:
    """Whether two spans of one buffer hold the same bytes."""
    return a_end - a == b_end - b and is_same_span(buffer, a, buffer, b, a_end - a)


@flat_kernel
def before_port(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    """Where an address ends that has `:port` behind it; `end` where it has none."""
    at = end
    while at > start and 48 <= buffer[at - 1] <= 57:
        at -= 1
    if at < end and at - 1 > start and buffer[at - 1] == 58 and end - at <= 5:
        return at - 1
    return end


@flat_kernel
def interpret(
    buffer: NDArray[np.uint8],
    rows: int,
    length: int,
    spans: NDArray[np.int32],
    lines: NDArray[np.int32],
    states: NDArray[np.uint8],
    escaped: NDArray[np.uint32],
    bound: int,
    percent: int,
    has_port: bool,
    keeps_odd: bool,
    session_mode: int,
    session_name: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    clock: NDArray[np.int64],
    at: NDArray[np.int64],
    offset: NDArray[np.int16],
    method: NDArray[np.uint8],
    status: NDArray[np.int16],
    size: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    hashes: NDArray[np.uint64],
) -> tuple[int, int]:
    """Fill the columns with the requests among the tokenised lines; answers how many rows there are, and how many of
    them are odd: set aside with their reason, and yet a row, with the one target that stands for all of them.

    Lines that are no request get their reason in `states`. Bytes behind `length` + 16 are scratch for
    texts without their escapes and for targets whose path and query are logged apart.

    Parameters
    ----------
    bound : one bit for each slot that the format fills.
    percent : whether user agents are percent-encoded (1), with spaces as plus signs (2), or not (0).
    has_port : whether a port stands behind the client's address, to be left out.
    keeps_odd : whether odd requests become rows; without it they are set aside and nothing more.
    clock : int64 [3]: the highest time so far, the number of jumps back, and whether any time came; kept between calls.
    starts, ends, hashes : [texts, lines], the text columns.
    """
    count = 0
    odd_rows = 0
    odd_text = length + 16
    scratch = odd_text + len(_ODD_TEXT) + 16
    for k in range(len(_ODD_TEXT)):
        buffer[odd_text + k] = _ODD_TEXT[k]
    kept_start = widen(_U0)
    kept_end = kept_start
    kept_at, kept_offset = 0, 0
    dated = (bound >> DATE) & 1 == 1
    asked = (
        np.uint32(1 << USER_AGENT | 1 << REQUEST | 1 << TARGET | 1 << QUERY | 1 << REFERRER)
        | np.uint32(1 << FORWARDED | 1 << SESSION | 1 << COOKIE | 1 << HOST | 1 << TIME | 1 << METHOD)
    ) & np.uint32(bound)
    for row in range(rows):
        if states[row] != FINE:
            continue
        span = spans[row]
        if escaped[row] & asked != 0:
            for slot in range(len(span)):
                if (escaped[row] & asked) >> np.uint32(slot) & np.uint32(1) != 0 and span[slot, 0] >= 0:
                    # In the scratch room, so that the line itself can still be shown as it was written.
                    begin = scratch
                    for k in range(widen(span[slot, 0]), widen(span[slot, 1])):
                        buffer[scratch] = buffer[k]
                        scratch += 1
                    scratch = unescape(buffer, begin, scratch)
                    span[slot, 0] = begin
                    span[slot, 1] = scratch

        begin, end = widen(span[TIME, 0]), widen(span[TIME, 1])
        if dated:
            # Date and time stand in neighbouring columns; joined by one byte they read as ISO 8601.
            day, day_end = widen(span[DATE, 0]), widen(span[DATE, 1])
            if day_end + 1 != begin:
                states[row] = MALFORMED
                continue
            begin = day
        if (
            end > begin
            and kept_end - kept_start == end - begin
            and is_same_text(buffer, kept_start, kept_end, begin, end)
        ):
            moment, minutes = kept_at, kept_offset
        else:
            moment, minutes = parse_time(buffer, begin, end)
            if moment == BAD:
                states[row] = BAD_TIME
                continue
            kept_start, kept_end, kept_at, kept_offset = begin, end, moment, minutes

        code = number(buffer, widen(span[STATUS, 0]), widen(span[STATUS, 1]))
        sent = number(buffer, widen(span[SIZE, 0]), widen(span[SIZE, 1]))
        if code < -1 or code > 999 or sent < -1:
            states[row] = MALFORMED
            continue

        if span[REQUEST, 0] >= 0:
            verb, begin, end = request_parts(buffer, widen(span[REQUEST, 0]), widen(span[REQUEST, 1]))
        else:
            begin, end = widen(span[TARGET, 0]), widen(span[TARGET, 1])
            verb = 0
            if (bound >> METHOD) & 1 == 1:
                verb = method_code(buffer, widen(span[METHOD, 0]), widen(span[METHOD, 1]))
            if begin >= end or (end - begin == 1 and buffer[begin] == 45):
                verb = -1
        if verb < 0:
            states[row] = NOT_A_REQUEST
            continue
        if span[QUERY, 0] >= 0:
            query, query_end = widen(span[QUERY, 0]), widen(span[QUERY, 1])
            if query < query_end and buffer[query] == 63:
                query += 1
            whole = find_byte(buffer, begin, end, QUESTION_MARK) < end
            if not whole and query < query_end and not (query_end - query == 1 and buffer[query] == 45):
                joined = scratch
                for k in range(begin, end):
                    buffer[scratch] = buffer[k]
                    scratch += 1
                buffer[scratch] = 63
                scratch += 1
                for k in range(query, query_end):
                    buffer[scratch] = buffer[k]
                    scratch += 1
                begin, end = joined, scratch

        host, host_end = widen(span[HOST, 0]), widen(span[HOST, 1])
        if host >= 0:
            host, host_end = host_name(buffer, host, host_end)
        own, own_end = host, host_end
        odd = FINE
        first = buffer[begin]
        if first != 47:
            name, name_end, path = authority(buffer, begin, end)
            if name < name_end and (first | 32) == 104:
                missing = host < 0 or host >= host_end or (host_end - host == 1 and buffer[host] == 45)
                if not missing and not is_same_text(buffer, host, host_end, name, name_end):
                    odd = FOREIGN_HOST
                elif path < end and buffer[path] == 47:
                    host, host_end = name, name_end
                    begin = path
                else:
                    host, host_end = name, name_end
                    # An empty path means the root.
                    joined = scratch
                    buffer[scratch] = 47
                    scratch += 1
                    for k in range(path, end):
                        buffer[scratch] = buffer[k]
                        scratch += 1
                    begin, end = joined, scratch
            elif not (first == 42 and end - begin == 1):
                odd = ABNORMAL_TARGET
        if odd == FINE and end - begin > TARGET_LIMIT:
            states[row] = TARGET_TOO_LONG
            continue
        if odd != FOREIGN_HOST and has_control(buffer, begin, end):
            odd = CONTROL_CHARACTERS
        if odd != FINE:
            states[row] = odd
            if not keeps_odd:
                continue
            odd_rows += 1
            host, host_end = own, own_end
            begin, end = odd_text, odd_text + len(_ODD_TEXT)

        if clock[2] == 0 or moment > clock[0]:
            clock[0] = moment
            clock[2] = 1
        elif moment < clock[0] - JUMP:
            clock[0] = moment
            clock[1] += 1
        at[count] = moment
        offset[count] = minutes
        method[count] = verb
        status[count] = max(code, 0)
        size[count] = sent

        starts[TEXT_TARGET, count] = begin
        ends[TEXT_TARGET, count] = end
        starts[TEXT_HOST, count] = host
        ends[TEXT_HOST, count] = host_end
        starts[TEXT_CLIENT, count] = span[CLIENT, 0]
        ends[TEXT_CLIENT, count] = span[CLIENT, 1]
        if has_port:
            ends[TEXT_CLIENT, count] = before_port(buffer, widen(span[CLIENT, 0]), widen(span[CLIENT, 1]))
        starts[TEXT_FORWARDED, count] = span[FORWARDED, 0]
        ends[TEXT_FORWARDED, count] = span[FORWARDED, 1]
        starts[TEXT_USER_AGENT, count] = span[USER_AGENT, 0]
        ends[TEXT_USER_AGENT, count] = span[USER_AGENT, 1]
        if percent > 0 and span[USER_AGENT, 0] >= 0:
            ends[TEXT_USER_AGENT, count] = unquote(
                buffer, widen(span[USER_AGENT, 0]), widen(span[USER_AGENT, 1]), percent > 1
            )
        name, name_end = 0, 0
        if span[REFERRER, 0] >= 0:
            name, name_end, path = authority(buffer, widen(span[REFERRER, 0]), widen(span[REFERRER, 1]))
        starts[TEXT_REFERRER, count] = name
        ends[TEXT_REFERRER, count] = name_end
        name, name_end = 0, 0
        if session_mode != SESSION_NONE:
            if session_mode in (SESSION_LOGGED, SESSION_ANY) and span[SESSION, 0] >= 0:
                name, name_end = widen(span[SESSION, 0]), widen(span[SESSION, 1])
            if session_mode == SESSION_COOKIE or (session_mode == SESSION_ANY and name >= name_end):
                name, name_end = find_named(
                    buffer, widen(span[COOKIE, 0]), widen(span[COOKIE, 1]), session_name, _COOKIE
                )
            if session_mode == SESSION_TARGET or (session_mode == SESSION_ANY and name >= name_end):
                name, name_end = find_named(buffer, begin, end, session_name, _TARGET)
        starts[TEXT_SESSION, count] = name
        ends[TEXT_SESSION, count] = name_end
        for text in range(TEXTS):
            if starts[text, count] < ends[text, count]:
                hashes[text, count] = hash_span(buffer, starts[text, count], ends[text, count], keys)
        count += 1
    return count, odd_rows
