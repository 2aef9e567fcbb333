"""Numbers and foreign texts as a reader sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.scan.phrases import printable, say_bytes, say_count, say_duration, say_number, say_share, say_value
from floorwalker.testing.scan_results import HOSTILE

FORBIDDEN = {*map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u202e", "\u2066", "\u2028", "\ufeff"}


@given(st.text())
def test_printable_text_holds_nothing_that_steers_a_terminal(text: str) -> None:
    clean = printable(text)
    assert not FORBIDDEN & set(clean)
    assert printable(clean) == clean
    clean.encode()


@given(st.text(), st.integers(1, 40))
def test_printable_text_keeps_to_its_limit(text: str, limit: int) -> None:
    assert len(printable(text, limit)) <= limit


def test_lone_surrogates_are_written_out() -> None:
    assert printable("a\udcffb") == "a\\udcffb"


def test_ordinary_scripts_are_left_alone() -> None:
    for text in ("محصول", "商品", "Ünïcödé", "emoji 🛒"):
        assert printable(text) == text
    assert all("\x1b" not in printable(text) for text in HOSTILE)


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0 s"), (59.6, "1 min"), (3600, "1 h"), (86_399, "23 h 59 min"), (float("inf"), "–")]
)
def test_durations(number: float, text: str) -> None:
    assert say_duration(number) == text


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_can_be_said(value: float) -> None:
    for unit in ("seconds", "share", "requests", "bits", ""):
        assert say_value(value, unit)
    assert say_number(value)


def test_shares_do_not_round_to_nothing_or_to_everything() -> None:
    assert say_share(1, 10_000_000) == "< 0.01 %"
    assert say_share(5, 5) == "100 %"
    assert say_share(9995, 10_000) == "99.9 %"


def test_counts_and_sizes() -> None:
    assert say_count(0, "visitor") == "0 visitors"
    assert say_bytes(0) == "0 B"
    assert say_bytes(1_500_000_000_000_000) == "1.5e+03 TB"
