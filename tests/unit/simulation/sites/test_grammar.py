"""How a template becomes URLs."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.simulation.sites._grammar import World, make_words

WORDS = make_words("test", "b d k", "a o u", "_ n")


def world(items: int = 40) -> World:
    return World(np.random.default_rng(1), WORDS, items)


def test_a_long_column_keeps_its_order_and_a_short_one_is_chosen_from() -> None:
    made = world()
    made.page("/p/{size}/{id}", "product", id=["1", "2", "3", "4"], size=["s", "l"])
    page = made.pages[0]
    assert [target.rsplit("/", 1)[1] for target in page.targets] == ["1", "2", "3", "4"]
    assert {target.split("/")[2] for target in page.targets} <= {"s", "l"}
    assert page.route == "/p/{size}/{id}"


def test_optional_parts_are_left_out_of_the_route_and_of_some_targets() -> None:
    made = world()
    made.page(
        "/c/{row}[?page={page}][&sort={sort}]",
        "category",
        200,
        row=[f"r{k}" for k in range(200)],
        page=["2"],
        sort=["up"],
    )
    page = made.pages[0]
    assert page.route == "/c/{row}"
    shapes = {target.partition("?")[2] for target in page.targets}
    assert shapes == {"", "page=2", "sort=up", "page=2&sort=up"}


def test_targets_are_distinct() -> None:
    made = world()
    made.page("/x/{size}", "other", 50, size=["a", "b"])
    assert sorted(made.pages[0].targets) == ["/x/a", "/x/b"]


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown role"):
        world().page("/", "home")


def test_words_are_percent_encoded_and_always_the_same() -> None:
    words = make_words("greek", "λ κ", "α ο", "ς")
    assert words == make_words("greek", "λ κ", "α ο", "ς")
    assert all(word.startswith("%") for word in words)


def test_ids_are_distinct_and_hashes_have_their_length() -> None:
    made = world()
    assert len(set(made.ids(500, 10))) == 500
    assert {len(code) for code in made.codes(20, 12)} == {12}
    assert all(len(text) == 36 for text in made.uuids(5))
