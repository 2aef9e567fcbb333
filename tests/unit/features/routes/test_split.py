"""Cutting targets: what is a segment, a part, a query key."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.features.routes._split import (
    MAX_KEYS,
    MAX_PARTS,
    MAX_SEGMENTS,
    SHAPE_NAMES,
    SplitTargets,
    split_targets,
)


def cut(*targets: str) -> SplitTargets:
    parts = [target.encode() for target in targets]
    return split_targets(np.frombuffer(b"".join(parts), np.uint8), np.cumsum([0, *[len(part) for part in parts]]))


def segments(found: SplitTargets, row: int = 0) -> list[str]:
    return [
        found.slice_text(row, int(found.segment_start[k]), int(found.segment_end[k]))
        for k in range(found.segment_of[row], found.segment_of[row + 1])
    ]


def parts(found: SplitTargets, segment: int = 0) -> list[tuple[str, str]]:
    return [
        (found.slice_text(0, int(found.part_start[k]), int(found.part_end[k])), SHAPE_NAMES[found.part_shape[k]])
        for k in range(found.part_of[segment], found.part_of[segment + 1])
    ]


def keys(found: SplitTargets, row: int = 0) -> list[tuple[str, str]]:
    return [
        (
            found.slice_text(row, int(found.key_start[k]), int(found.key_end[k])),
            found.slice_text(row, int(found.value_start[k]), int(found.value_end[k])),
        )
        for k in range(found.key_of[row], found.key_of[row + 1])
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/", []),
        ("", []),
        ("/a//b/", ["a", "b"]),
        ("http://shop.example/a/b", ["a", "b"]),
        ("https://shop.example", []),
        ("/httpd/x", ["httpd", "x"]),
        ("/a#top", ["a"]),
        ("/%D8%A7%DB%8C", ["ای"]),
        ("/a%2Fb", ["a%2Fb"]),
        ("/a%zz", ["a%zz"]),
        ("/a;jsessionid=12AB/b", ["a", "b"]),
        ("/a;JSESSIONID=12AB?x=1", ["a"]),
        ("/a;size=4", ["a;size=4"]),
        ("*", ["*"]),
    ],
)
def test_segments(target: str, expected: list[str]) -> None:
    assert segments(cut(target)) == expected


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("red-shoe-12.html", [("red", "lower"), ("shoe", "lower"), ("12", "digits_2"), ("html", "lower")]),
        ("n70012", [("n", "lower"), ("70012", "digits_5")]),
        ("200x200", [("200x200", "size")]),
        ("2021", [("2021", "year")]),
        ("0f3a9c", [("0f3a9c", "hex")]),
        ("123e4567-e89b-12d3-a456-426614174000", [("123e4567-e89b-12d3-a456-426614174000", "uuid")]),
        ("b1,p53|x", [("b1", "alnum_lower"), ("p", "lower"), ("53", "digits_2"), ("x", "lower")]),
        ("کفش", [("کفش", "foreign")]),
        ("iPhone", [("iPhone", "mixed")]),
    ],
)
def test_parts_and_their_shapes(segment: str, expected: list[tuple[str, str]]) -> None:
    assert parts(cut("/" + segment)) == expected


def test_query_keys_without_tracking() -> None:
    found = cut("/s?q=a%20b&utm_source=x&gclid=1&fbclid=2&PHPSESSID=3&a[]=4&q=again&flag&=5&we!rd=6")
    assert keys(found) == [("q", "a b"), ("a", "4")]


def test_long_targets_are_bounded() -> None:
    found = cut(
        "/" + "/".join("abcdefghijklmnopqrstuvwxyz"),
        "/" + "-".join(["word"] * 300),
        "/?" + "&".join(f"k{n}=1" for n in range(99)),
    )
    counts = np.diff(found.segment_of)
    assert counts[0] == MAX_SEGMENTS
    assert np.diff(found.part_of).max() <= max(MAX_PARTS, 15)
    assert np.diff(found.key_of)[2] == MAX_KEYS


def test_equal_texts_hash_alike_and_the_seed_changes_the_hash() -> None:
    arena = np.frombuffer(b"/ab/ab", np.uint8)
    first = split_targets(arena, np.array([0, 6]), seed=1)
    other = split_targets(arena, np.array([0, 6]), seed=2)
    assert first.segment_hash[0] == first.segment_hash[1]
    assert first.segment_hash[0] != other.segment_hash[0]


def test_invalid_utf8_and_controls_are_survived() -> None:
    arena = np.frombuffer(b"/%ff\xfe\x00/%", np.uint8)
    found = split_targets(arena, np.array([0, len(arena)]))
    assert len(segments(found)) == 2
