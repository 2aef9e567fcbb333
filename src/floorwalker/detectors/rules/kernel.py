"""The kernel that evaluates all rules of a table on a batch of events.

Truth values are bytes ordered FALSE < UNKNOWN < TRUE, so AND is the least, OR the greatest and NOT the mirror image:
SQL's three-valued logic. Events are taken in blocks, one lane each: inputs are gathered into slots, derived numbers are
reckoned, every distinct comparison is made once, and the programs of the rules that look at these types of event run
over the results. Within a block every step is a short loop over the lanes, which the processor does many at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules.text_kernel import FALSE, MISSING, PAIR_BITS, TRUE, UNKNOWN, match_patterns
from floorwalker.kernels import kernel

AND, OR, NOT = -1, -2, -3
SECTIONS = 11
(
    COLUMNS, RECKONINGS, LESS, LESS_EQUAL, EQUAL, MISSING_NUMBERS, MEMBERSHIPS, TEXT_LAYOUT, PATTERNS, PROGRAMS,
    PROGRAM_STARTS,
) = range(SECTIONS)  # fmt: skip
"""Parts of `tables`, each at the place of its name: columns of the features by slot; [., 3] operator, left slot and
right slot of what is reckoned, one more slot each; [., 2] slots of comparisons, three kinds; slots that may be missing;
[., 3] slot, start and end in the members; [texts, 8] first term, where each kind of pattern begins, end; [., 3] of
`match_patterns`; conditions, postfix: a term, or AND, OR, NOT; where each begins."""
TEXT_COUNT, CONSTANT_COUNT = SECTIONS + 1, SECTIONS + 2
"""Where `tables` has how many text terms and how many constants there are."""
LANES = 64
STACK = 256
"""Deeper than any condition within the limits: each term is pushed once, and a condition has at most 128."""


def pack_tables(sections: Sequence[NDArray[np.int32]], text_count: int, constant_count: int) -> NDArray[np.int32]:
    """The parts of `tables` in one array: of a call of a kernel each array costs a third of a microsecond."""
    first = SECTIONS + 3
    ends = np.cumsum([first, *(each.size for each in sections)])
    head = [*ends.tolist(), text_count, constant_count]
    return np.concatenate([np.array(head, np.int32), *(each.reshape(-1) for each in sections)]).astype(np.int32)


@kernel
def evaluate_rules(
    feature_values: NDArray[np.float32],  # [n, F]
    feature_missing: NDArray[np.bool_],  # [n, F]
    given: NDArray[np.float64],  # [k, n]
    number_rows: NDArray[np.int32],  # slot after the features' → row of `given`, -1 for none
    tables: NDArray[np.int32],  # of `pack_tables`
    reals: NDArray[np.float64],  # constants, the slots after the numbers'; then members
    letters: NDArray[np.uint32],  # code points of all texts
    text_bounds: NDArray[np.int64],  # [2, n, C] where a text begins in them, -1 for a missing one; where it ends
    pattern_hashes: NDArray[np.uint64],
    pattern_letters: NDArray[np.uint32],
    direct: NDArray[np.uint8],  # [n, D] truth values
    types: NDArray[np.int16],
    applies: NDArray[np.bool_],  # [types, R]: which rules look at a type
    fired: NDArray[np.bool_],  # [n, R] out
) -> int:
    """Set `fired` where a rule's condition is true; unknown is not true. Returns how often that is."""
    text_count, n_constants = tables[TEXT_COUNT], tables[CONSTANT_COUNT]
    constants, members = reals[:n_constants], reals[n_constants:]
    feature_columns = _section(tables, COLUMNS)
    reckonings = _pairs(tables, RECKONINGS, 3)
    less, less_equal, equal = _pairs(tables, LESS, 2), _pairs(tables, LESS_EQUAL, 2), _pairs(tables, EQUAL, 2)
    missing = _section(tables, MISSING_NUMBERS)
    memberships = _pairs(tables, MEMBERSHIPS, 3)
    text_layout = _pairs(tables, TEXT_LAYOUT, 8)
    patterns = _pairs(tables, PATTERNS, 3)
    programs, program_starts = _section(tables, PROGRAMS), _section(tables, PROGRAM_STARTS)
    text_starts, text_ends = text_bounds[0], text_bounds[1]
    total = 0
    n, n_rules = fired.shape
    n_features = len(feature_columns)
    n_numbers = len(number_rows)
    n_inputs = n_features + n_numbers
    n_given = n_inputs + len(constants)
    lanes = min(n, LANES)
    values = np.empty((n_given + len(reckonings), lanes), np.float64)
    for index in range(len(constants)):
        values[n_inputs + index, :] = constants[index]
    first_text = len(less) + len(less_equal) + len(equal) + len(missing) + len(memberships)
    first_direct = first_text + text_count
    terms = np.empty((first_direct + direct.shape[1], lanes), np.uint8)
    stack = np.empty((STACK, lanes), np.uint8)
    pairs = np.empty(PAIR_BITS // 64, np.uint64)
    wanted = np.empty(n_rules, np.bool_)
    for begin in range(0, n, LANES):
        size = min(LANES, n - begin)
        if not _find_wanted(types, begin, size, applies, wanted):
            continue
        for slot in range(n_features):
            column = feature_columns[slot]
            for lane in range(size):
                value = np.float64(feature_values[begin + lane, column])
                values[slot, lane] = math.nan if feature_missing[begin + lane, column] else value
        for slot in range(n_numbers):
            row = number_rows[slot]
            for lane in range(size):
                values[n_features + slot, lane] = given[row, begin + lane] if row >= 0 else math.nan
        _reckon(reckonings, n_given, values, size)
        _compare(less, less_equal, equal, missing, memberships, members, values, terms, size)
        for column in range(len(text_layout)):
            first = first_text + text_layout[column, 0]
            last = text_layout[column + 1, 0] if column + 1 < len(text_layout) else text_count
            for term in range(first, first_text + last):
                for lane in range(size):
                    terms[term, lane] = UNKNOWN if text_starts[begin + lane, column] < 0 else FALSE
            for lane in range(size):
                start = text_starts[begin + lane, column]
                if start >= 0:
                    match_patterns(
                        letters, start, text_ends[begin + lane, column], text_layout, column, patterns,
                        pattern_hashes, pattern_letters, pairs, terms, first_text, lane,
                    )  # fmt: skip
            for pattern in range(text_layout[column, 1 + MISSING], text_layout[column, 2 + MISSING]):
                term = first_text + patterns[pattern, 2]
                for lane in range(size):
                    terms[term, lane] = TRUE if text_starts[begin + lane, column] < 0 else FALSE
        for index in range(direct.shape[1]):
            for lane in range(size):
                terms[first_direct + index, lane] = direct[begin + lane, index]
        for rule in range(n_rules):
            if wanted[rule]:
                _run(programs, program_starts[rule], program_starts[rule + 1], terms, stack, size)
                for lane in range(size):
                    kind = types[begin + lane]
                    looks = 0 <= kind < len(applies) and applies[kind, rule]
                    is_true = looks and stack[0, lane] == TRUE
                    fired[begin + lane, rule] = is_true
                    total += is_true
    return total


@kernel
def _section(tables: NDArray[np.int32], place: int) -> NDArray[np.int32]:
    return tables[tables[place] : tables[place + 1]]


@kernel
def _pairs(tables: NDArray[np.int32], place: int, width: int) -> NDArray[np.int32]:
    found = tables[tables[place] : tables[place + 1]]
    return found.reshape(len(found) // width, width)


@kernel
def _find_wanted(
    types: NDArray[np.int16], begin: int, size: int, applies: NDArray[np.bool_], wanted: NDArray[np.bool_]
) -> bool:
    # Rules that look at the type of any event of the block.
    wanted[:] = False
    found = False
    for lane in range(size):
        kind = types[begin + lane]
        if 0 <= kind < len(applies):
            for rule in range(len(wanted)):
                wanted[rule] |= applies[kind, rule]
                found |= applies[kind, rule]
    return found


@kernel
def _run(
    programs: NDArray[np.int32],
    start: int,
    end: int,
    terms: NDArray[np.uint8],
    stack: NDArray[np.uint8],
    size: int,
) -> None:
    height = 0
    for step in range(start, end):
        code = programs[step]
        if code >= 0:
            for lane in range(size):
                stack[height, lane] = terms[code, lane]
            height += 1
        elif code == NOT:
            for lane in range(size):
                stack[height - 1, lane] = TRUE - stack[height - 1, lane]
        else:
            height -= 1
            if code == AND:
                for lane in range(size):
                    stack[height - 1, lane] = min(stack[height - 1, lane], stack[height, lane])
            else:
                for lane in range(size):
                    stack[height - 1, lane] = max(stack[height - 1, lane], stack[height, lane])


@kernel
def _compare(
    less: NDArray[np.int32],
    less_equal: NDArray[np.int32],
    equal: NDArray[np.int32],
    missing: NDArray[np.int32],
    memberships: NDArray[np.int32],
    members: NDArray[np.float64],
    values: NDArray[np.float64],
    terms: NDArray[np.uint8],
    size: int,
) -> None:
    # No comparison with NaN holds, so twice its outcome plus whether a side is NaN is the truth value.
    place = 0
    for index in range(len(less)):
        left, right = less[index, 0], less[index, 1]
        for lane in range(size):
            a, b = values[left, lane], values[right, lane]
            terms[place, lane] = np.uint8(2 * (a < b) + ((a != a) | (b != b)))
        place += 1
    for index in range(len(less_equal)):
        left, right = less_equal[index, 0], less_equal[index, 1]
        for lane in range(size):
            a, b = values[left, lane], values[right, lane]
            terms[place, lane] = np.uint8(2 * (a <= b) + ((a != a) | (b != b)))
        place += 1
    for index in range(len(equal)):
        left, right = equal[index, 0], equal[index, 1]
        for lane in range(size):
            a, b = values[left, lane], values[right, lane]
            terms[place, lane] = np.uint8(2 * (a == b) + ((a != a) | (b != b)))
        place += 1
    for index in range(len(missing)):
        for lane in range(size):
            a = values[missing[index], lane]
            terms[place, lane] = np.uint8(2 * (a != a))
        place += 1
    for index in range(len(memberships)):
        slot = memberships[index, 0]
        for lane in range(size):
            terms[place, lane] = np.uint8(values[slot, lane] != values[slot, lane])
        for position in range(memberships[index, 1], memberships[index, 2]):
            for lane in range(size):
                terms[place, lane] |= np.uint8(2 * (values[slot, lane] == members[position]))
        place += 1


@kernel
def _reckon(reckonings: NDArray[np.int32], first: int, values: NDArray[np.float64], size: int) -> None:
    # Codes follow `terms.OPERATORS`; a share of nothing is not known, and neither is what no float can hold.
    for index in range(len(reckonings)):
        operator, left, right = reckonings[index, 0], reckonings[index, 1], reckonings[index, 2]
        target = first + index
        if operator == 0:
            for lane in range(size):
                values[target, lane] = values[left, lane] + values[right, lane]
        elif operator == 1:
            for lane in range(size):
                values[target, lane] = values[left, lane] - values[right, lane]
        elif operator == 2:
            for lane in range(size):
                values[target, lane] = values[left, lane] * values[right, lane]
        elif operator == 3:
            for lane in range(size):
                b = values[right, lane]
                values[target, lane] = values[left, lane] / b if b != 0.0 else math.nan
        elif operator == 4:
            for lane in range(size):
                values[target, lane] = -values[left, lane]
        elif operator == 5:
            for lane in range(size):
                values[target, lane] = abs(values[left, lane])
        else:
            for lane in range(size):
                a, b = values[left, lane], values[right, lane]
                if operator == 6:
                    chosen = min(a, b)
                elif operator == 7:
                    chosen = max(a, b)
                else:
                    chosen = a
                values[target, lane] = b if a != a else (a if b != b else chosen)
        for lane in range(size):
            a = values[target, lane]
            values[target, lane] = a if abs(a) < math.inf else math.nan
