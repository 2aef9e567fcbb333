"""Numbers that the compiler of declarations and the kernels agree on: header words, operations, columns of tables.

A row is a run of 32-bit words in one arena; the same memory is also read as 64-bit words, floats and 16-bit words.
"""

from __future__ import annotations

VERSION = 2
"""Of the layout of rows beside what the declarations say; a state of another one is refused."""

# The head of every row, in 32-bit words: its key, the newest and the oldest time counted into it (µs UTC).
KEY, CLOCK, BORN, HEAD = 0, 2, 4, 6

# Columns of the table of tables.
(
    T_FIRST, T_SECOND, T_BASE, T_WIDTH, T_CAP, T_SLOT_BASE, T_SLOT_MASK, T_FEATURE_START, T_FEATURE_END,
    T_WINDOW_START, T_WINDOW_END, T_BLOCK_START, T_BLOCK_END, T_INVITED, T_SET_START, T_SET_END, T_TOTALS,
    T_DISTINCT_START, T_OTHERS_START, T_FRONT, T_PART, T_TELLS, T_HUB, T_SHARED_BY, T_SHARED_START, T_SHARED_END,
) = range(26)  # fmt: skip
TABLE_COLUMNS = 26
# T_PART: the entity of which one event may have several (`events.parts`), -1 where none. T_TELLS: whether the rows tell
# such entities apart. T_HUB: row of the hubs, -1
# where its entities cannot be one. T_SHARED_BY: bits of the hubs that make the columns `shared[START:END]` missing.

# Columns of the hubs: where the feature goes, the set of all accounts and that of trusted ones, and the rule.
(
    H_OUT, H_ALL, H_ALL_EXACT, H_ALL_PAGE, H_TRUSTED, H_TRUSTED_EXACT, H_TRUSTED_PAGE, H_LEVEL, H_BUCKETS, H_LIMIT,
    H_SHARE, H_AGE,
) = range(12)  # fmt: skip
HUB_COLUMNS = 12

# Places among the marks that the kernel is given beside its tables.
(
    M_ACCOUNT, M_INVITER, M_INVITED_AT, M_ONLY_AT, M_INVITER_CODE, M_COLUMNS, M_STANDING_AT, M_DEVICES, M_KNOWN_AT,
) = range(9)  # fmt: skip

# Running figures of each table: rows used, place of the hand that looks for the oldest, rows evicted.
USED, HAND, EVICTED = 0, 1, 2
TALLIES = 3

# Running figures of the whole state.
WATERMARK, LATE, PAGES_USED, PAGES_FREE, REFUSED, COUNTED = range(6)
FIGURES = 8

# Columns of the windows summed for a table, and of its blocks of rings.
W_LEVEL, W_BUCKETS, W_SUM, W_BLOCK, W_RING, W_ADDED, W_WIDTH, W_TOTAL = range(8)
B_LEVEL, B_BLOCK, B_RING, B_WIDTH, B_FIRST, B_LAST = range(6)

# Operations that make a feature: OP, OUT, then operands.
OP, OUT, A, B, C, D, E, SMALLEST = range(8)
# SMALLEST: of the several values that an event may have for an entity, the smallest is told, not the largest.
(
    READ, DISTINCT, SCALED, QUOTIENT, SINCE, BETWEEN, GAP_MEAN, GAP_SPREAD, GAP_DEVIATION, NEW, ENTROPY, HOUR, TRAVEL,
    DEVIATION, REGRESSION, EXPECTED, DEPTH, ONLY_REDEEM, SURGE,
) = range(19)  # fmt: skip

# Operations that count an event into a row: OP, SELECTION, then operands. SHOWN: the set in whose second word it is
# shown how many values this one has.
SELECTION, SHOWN = 1, 7
(
    ADD, SET_FIRST, SET_LAST, ADD_GAP, ADD_DISTINCT, REMEMBER, ADD_BIN, ADD_HOUR, SET_PLACE, ADD_NORMAL, ADD_PURCHASE,
    ADD_TOKEN, ADD_STANDING, SET_INVITER, MARK_REDEEMED, MARK_BOUGHT,
) = range(16)  # fmt: skip

# How a value is taken into a bucket: added, the largest kept, or counted where it is there.
TO_SUM, TO_LARGEST, TO_COUNT = 0, 1, 2

# Sizes of blocks within a row, in words.
TIME_WORDS = 2
GAP_WORDS = 8  # last time (2), count, mean, squares, mean and squares of the logarithm, unused
PLACE_WORDS = 4  # last time (2), latitude, longitude
NORMAL_WORDS = 4  # count, mean, squares, unused
PURCHASE_WORDS = 14  # last time (2), count, 3 weights, 6 of the covariance, variance, unused
INVITED_WORDS = 4  # inviter's key (2), depth, flags
STANDING_WORDS = 4  # first purchase (2), days with a purchase, the last of these days
BINS = 16
HOURS = 8
MEMORY = 8
TOKENS = 32
TRUSTED_SET = 8  # accounts of an exact set of trusted ones

# How many days of purchases a chargeback takes from an account's standing: all there will ever be.
BARRED = -1_000_000

# Flags of an invited account.
HAS_REDEEMED, HAS_BOUGHT = 1, 2

# Pages of sketches.
REGISTERS = 256
PAGE_RINGS = 15
PAGE_BYTES = REGISTERS * (1 + PAGE_RINGS)

EVICTION_GROUP = 8
"""Rows that compete when one must go: the one whose newest event is oldest."""
