"""The kernel that evaluates all rules of a table on a batch of events.

Truth values are bytes ordered FALSE < UNKNOWN < TRUE, so AND is the least, OR the greatest and NOT the mirror image:
SQL's three-valued logic. Per event: inputs are gathered into slots, derived numbers are reckoned, every distinct
comparison is made once, and the programs of the rules that look at this type of event run over the results.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules.text_kernel import FALSE, MISSING, PAIR_BITS, TRUE, UNKNOWN, match_patterns
from floorwalker.kernels import kernel

AND, OR, NOT, SKIP_IF_FALSE, SKIP_IF_TRUE = -1, -2, -3, -4, -5
STACK = 1_024
"""Deeper than any condition within the limits."""


@kernel
def evaluate_rules(
    feature_values: NDArray[np.float32],  # [n, F]
    feature_missing: NDArray[np.bool_],  # [n, F]
    feature_columns: NDArray[np.int32],  # slot → column
    numbers: NDArray[np.float64],  # [n, Q]: the slots after the features'
    constants: NDArray[np.float64],  # the slots after those
    reckonings: NDArray[np.int32],  # [K, 3] operator, left slot, right slot: one more slot each
    less: NDArray[np.int32],  # [., 2] slots
    less_equal: NDArray[np.int32],
    equal: NDArray[np.int32],
    missing: NDArray[np.int32],  # slots
    memberships: NDArray[np.int32],  # [., 3] slot, start and end in `members`
    members: NDArray[np.float64],
    letters: NDArray[np.uint32],  # code points of all texts
    text_starts: NDArray[np.int64],  # [n, C] where a text begins in them, -1 for a missing one
    text_ends: NDArray[np.int64],
    text_layout: NDArray[np.int32],  # [C, 8] first term, where each kind of pattern begins, end
    text_count: int,
    patterns: NDArray[np.int32],
    pattern_hashes: NDArray[np.uint64],
    pattern_letters: NDArray[np.uint32],
    direct: NDArray[np.uint8],  # [n, D] truth values
    types: NDArray[np.int16],
    type_starts: NDArray[np.int32],  # per type: where its rules begin in `type_rules`
    type_rules: NDArray[np.int32],
    programs: NDArray[np.int32],  # postfix: a term, AND, OR, NOT, or a skip and where to
    program_starts: NDArray[np.int32],
    fired: NDArray[np.bool_],  # [n, R] out
) -> None:
    """Set `fired` where a rule's condition is true; unknown is not true."""
    n_features = len(feature_columns)
    n_numbers = numbers.shape[1]
    n_inputs = n_features + n_numbers
    n_given = n_inputs + len(constants)
    values = np.empty(n_given + len(reckonings), np.float64)
    values[n_inputs:n_given] = constants
    n_terms = (
        len(less) + len(less_equal) + len(equal) + len(missing) + len(memberships) + text_count + direct.shape[1]
    )  # fmt: skip
    terms = np.empty(n_terms, np.uint8)
    pairs = np.empty(PAIR_BITS // 64, np.uint64)
    stack = np.empty(STACK, np.uint8)
    for row in range(len(types)):
        kind = types[row]
        if kind < 0 or kind + 1 >= len(type_starts) or type_starts[kind] == type_starts[kind + 1]:
            continue
        for slot in range(n_features):
            column = feature_columns[slot]
            values[slot] = math.nan if feature_missing[row, column] else feature_values[row, column]
        for slot in range(n_numbers):
            values[n_features + slot] = numbers[row, slot]
        _reckon(reckonings, n_given, values)
        place = 0
        for index in range(len(less)):
            left, right = values[less[index, 0]], values[less[index, 1]]
            truth = TRUE if left < right else FALSE
            terms[place] = UNKNOWN if left != left or right != right else truth
            place += 1
        for index in range(len(less_equal)):
            left, right = values[less_equal[index, 0]], values[less_equal[index, 1]]
            truth = TRUE if left <= right else FALSE
            terms[place] = UNKNOWN if left != left or right != right else truth
            place += 1
        for index in range(len(equal)):
            left, right = values[equal[index, 0]], values[equal[index, 1]]
            truth = TRUE if left == right else FALSE
            terms[place] = UNKNOWN if left != left or right != right else truth
            place += 1
        for index in range(len(missing)):
            value = values[missing[index]]
            terms[place] = TRUE if value != value else FALSE
            place += 1
        for index in range(len(memberships)):
            value = values[memberships[index, 0]]
            if value != value:
                terms[place] = UNKNOWN
            else:
                found = FALSE
                for position in range(memberships[index, 1], memberships[index, 2]):
                    if members[position] == value:
                        found = TRUE
                        break
                terms[place] = found
            place += 1
        for column in range(len(text_layout)):
            first = text_layout[column, 0]
            after = text_layout[column + 1, 0] if column + 1 < len(text_layout) else text_count
            start = text_starts[row, column]
            truth = UNKNOWN if start < 0 else FALSE
            for term in range(place + first, place + after):
                terms[term] = truth
            if start < 0:
                for pattern in range(text_layout[column, 1 + MISSING], text_layout[column, 2 + MISSING]):
                    terms[place + patterns[pattern, 2]] = TRUE
            else:
                match_patterns(
                    letters, start, text_ends[row, column], text_layout, column, patterns, pattern_hashes,
                    pattern_letters, pairs, terms, place,
                )  # fmt: skip
        place += text_count
        for index in range(direct.shape[1]):
            terms[place] = direct[row, index]
            place += 1
        for position in range(type_starts[kind], type_starts[kind + 1]):
            rule = type_rules[position]
            height = 0
            step = program_starts[rule]
            end = program_starts[rule + 1]
            while step < end:
                code = programs[step]
                step += 1
                if code >= 0:
                    stack[height] = terms[code]
                    height += 1
                elif code == NOT:
                    stack[height - 1] = TRUE - stack[height - 1]
                elif code <= SKIP_IF_FALSE:
                    # False AND anything is false, true OR anything is true: most rules end at their first term.
                    if stack[height - 1] == (FALSE if code == SKIP_IF_FALSE else TRUE):
                        step = programs[step]
                    else:
                        step += 1
                else:
                    height -= 1
                    over = stack[height]
                    under = stack[height - 1]
                    if code == AND:
                        stack[height - 1] = over if over < under else under
                    else:
                        stack[height - 1] = over if over > under else under
            fired[row, rule] = stack[0] == TRUE


@kernel
def _reckon(reckonings: NDArray[np.int32], first: int, values: NDArray[np.float64]) -> None:
    # Codes follow `terms.OPERATORS`.
    for index in range(len(reckonings)):
        operator = reckonings[index, 0]
        left, right = values[reckonings[index, 1]], values[reckonings[index, 2]]
        if operator == 0:
            result = left + right
        elif operator == 1:
            result = left - right
        elif operator == 2:
            result = left * right
        elif operator == 3:
            # A share of nothing is not known.
            result = left / right if right != 0.0 else math.nan
        elif operator == 4:
            result = -left
        elif operator == 5:
            result = abs(left)
        elif left != left:
            result = right
        elif right != right:
            result = left
        elif operator == 6:
            result = min(left, right)
        elif operator == 7:
            result = max(left, right)
        else:
            result = left
        values[first + index] = result if math.isfinite(result) else math.nan
