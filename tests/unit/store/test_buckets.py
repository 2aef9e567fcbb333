"""Rows in buckets: a key is found again until those of its bucket that were heard of later fill it."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.store.buckets import find_row


@pytest.mark.parametrize(("ways", "apart", "width", "at"), [(1, 1, 1, 0), (4, 3, 5, 2), (8, 1, 2, 1)])
def test_a_bucket_holds_the_latest_of_its_keys(ways, apart, width, at):
    random = np.random.default_rng(ways)
    buckets = 3
    keys = np.zeros(buckets * ways * apart, np.uint64)
    heard = np.zeros(buckets * ways * width, np.int64)
    known: list[dict[int, int]] = [{} for _ in range(buckets)]
    for now in range(1, 600):
        key = np.uint64(random.integers(1, 40))
        bucket = int(key) % buckets
        there = known[bucket]
        given = (keys, apart, bucket * ways, ways, key, heard, width, at)
        row = int(find_row(*given, False))
        assert (row >= 0) == (int(key) in there)
        if random.random() < 0.3:
            continue
        room = int(find_row(*given, True))
        assert bucket * ways <= room < (bucket + 1) * ways
        if row >= 0:
            assert room == row
        elif len(there) < ways:
            assert keys[room * apart] == 0
        else:
            longest = min(there, key=lambda one: there[one])
            assert int(keys[room * apart]) == longest
            del there[longest]
        keys[room * apart] = key
        heard[room * width + at] = there[int(key)] = now
