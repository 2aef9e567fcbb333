"""Card numbers, and what only looks like one."""

from __future__ import annotations

import pytest

from floorwalker.events.cards import find_card_number, is_card_number
from floorwalker.events.decode import decode_event


@pytest.mark.parametrize("text", ["+4915112345678", "+49 151 1234 5678", "call +4915112345678 now", "＋4915112345678"])
def test_a_telephone_number_with_its_plus_sign_is_no_card(text: str) -> None:
    assert is_card_number("4915112345678")
    assert find_card_number(text) is None


@pytest.mark.parametrize("text", ["+4111111111111111", "+1 4111 1111 1111 1111", "1+4915112345678 4915112345678"])
def test_a_plus_sign_hides_no_card(text: str) -> None:
    assert find_card_number(text) is not None


def test_a_telephone_number_that_looks_like_a_card_is_taken() -> None:
    body = b'{"id":"e-1","type":"sign_up","at":1700000000000000,"account":"a-1","phone":"+4915112345678"}'
    assert decode_event(body, now=1_700_000_000_000_001).phone == "+4915112345678"
