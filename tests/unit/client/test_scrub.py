"""What is taken out before anything leaves, against the server's own eyes."""

from __future__ import annotations

import json

import pytest
from floorwalker_client.cards import hide_cards
from floorwalker_client.scrub import scrub, scrub_text, tidy_text
from hypothesis import example, given
from hypothesis import strategies as st

from floorwalker.events.cards import find_card_number
from floorwalker.events.secrets import is_secret, names_secret

CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222")
PIECES = st.lists(
    st.one_of(
        st.sampled_from(CARDS),
        st.sampled_from(["4111", "1111", " ", "-", ".", "/", "a", "X", "\u2009", "٤١١١", "=", "8", "12345678", "\n"]),
        st.text(max_size=4),
        st.integers(0, 10**19).map(str),
    ),
    max_size=12,
).map("".join)


@given(PIECES)
@example("4111 1111-1111 1111")
@example("a4111111111111111 4111111111111111.")
@example("0.4111111111111111")
@example("41111111 1111 1111")
@example("41111111 11111111")
@example("٤١١١١١١١١١١١١١١١")
@example("4111111111111111 4111111111111111 4111111111111111")
def test_cards_are_found_where_the_server_finds_them(text: str) -> None:
    hidden = hide_cards(text)
    assert find_card_number(hidden) is None
    if find_card_number(text) is None:
        assert hidden == text
    else:
        assert hidden != text


@given(PIECES, st.sampled_from(["password", "pwd", "x"]), st.sampled_from(["=", '": "', ":", " is "]), PIECES)
def test_no_text_is_left_that_the_server_refuses(before: str, name: str, mark: str, after: str) -> None:
    cleaned = scrub_text(f"{before}{name}{mark}{after}")
    assert not names_secret(cleaned)
    assert find_card_number(cleaned) is None


@given(
    st.dictionaries(st.sampled_from(["pin", "password", "cvv_result", "note", "PAN", "new_password", "age"]), PIECES)
)
def test_no_name_is_left_that_the_server_refuses(given_fields: dict[str, str]) -> None:
    left = scrub({"attributes": given_fields})["attributes"]
    assert not [name for name, value in left.items() if is_secret(name, value)]
    assert left.get("note") == (scrub_text(given_fields["note"]) if "note" in given_fields else None)


def test_numbers_that_are_cards_go_and_others_stay() -> None:
    given_fields = {"a": 4111111111111111, "b": 4990, "c": [4111111111111111, 1], "d": True, "e": None, "f": 1.5}
    assert scrub(given_fields) == {"b": 4990, "c": [1], "d": True, "e": None, "f": 1.5}


@pytest.mark.parametrize("text", ["a\x00b", "a\x85b", "a\ud800b", "a\x7fb"])
def test_odd_characters_are_replaced(text: str) -> None:
    assert tidy_text(text) == "a\ufffdb"
    json.dumps(tidy_text(text)).encode()
