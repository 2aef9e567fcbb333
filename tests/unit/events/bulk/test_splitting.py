"""Where the events of a body begin and end."""

from __future__ import annotations

import pytest

from floorwalker.errors import InputError
from floorwalker.events.bulk.splitting import TooManyError, split_array, split_lines


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]]", b"[1]x", b'["a]', b"[{]", b"[}]", b"1",
        b"]", b"[1,,2]", b'["a\\"]', b"null",
    ],
)  # fmt: skip
def test_what_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="no JSON array"):
        split_array(body, 5)


def test_an_empty_array_has_no_elements() -> None:
    assert split_array(b" [ \n] ", 5).texts() == []


def test_an_element_may_be_anything_with_closed_brackets() -> None:
    assert split_array(b'[{"a": "]"}, nonsense, ["\\\\"]]', 5).texts() == [b'{"a": "]"}', b"nonsense", b'["\\\\"]']


def test_too_many_are_refused_before_they_are_held() -> None:
    assert len(split_lines(b"1\n" * 5, 5)) == 5
    assert len(split_array(b"[1,1,1,1,1]", 5)) == 5
    for split, body in ((split_lines, b"1\n" * 6), (split_array, b"[" + b"1," * 1_000_000 + b"1]")):
        with pytest.raises(TooManyError, match="more than 5 events"):
            split(body, 5)


def test_blank_lines_cost_nothing() -> None:
    assert len(split_lines(b"\n" * 1_000_000 + b"1", 5)) == 1


def test_a_piece_ends_by_number_or_by_bytes() -> None:
    texts = split_lines(b"\n".join([b"x" * 10] * 10), 20)
    assert texts.piece(0, 4, 1000) == 4
    assert texts.piece(0, 100, 33) == 3
    assert texts.piece(8, 4, 5) == 9
    assert texts.piece(8, 4, 1000) == 10
