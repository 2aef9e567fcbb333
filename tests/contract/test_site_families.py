"""What every family of generated sites promises, checked on whatever families exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from floorwalker.simulation._site import ROLES
from floorwalker.simulation.sites import SPLITS, family_split, list_families, make_site
from floorwalker.simulation.sites._grammar import make_words

FAMILIES = list_families()
WORD = re.compile(r"[^\W\d_]{3,}")
TECHNICAL = {"css", "html", "htm", "php", "xml", "jpg", "png", "webp", "index", "cache"}
"""Endings and words of web servers, which are of no language and of no family."""


def fixed_words(family: str) -> set[str]:
    pages = make_site(family, seed=0, items=50).pages
    return {word for page in pages for word in WORD.findall(re.sub(r"\{\w+\}", " ", page.route).lower())}


def vocabulary(family: str) -> set[str]:
    return set(make_words(family, *importlib.import_module(f"floorwalker.simulation.sites.{family}").SOUNDS))


def test_there_are_enough_families_in_each_split() -> None:
    numbers = {split: len(list_families(split)) for split in SPLITS}
    assert numbers["training"] >= 8
    assert numbers["validation"] >= 4
    assert numbers["unseen"] >= 4
    assert sum(numbers.values()) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("items", [1, 50, 3000])
def test_pages_are_whole_distinct_and_printable(family: str, items: int) -> None:
    site = make_site(family, seed=3, items=items)
    assert site.family == family
    assert site.host.endswith(".example")
    assert {page.role for page in site.pages} == set(ROLES)
    assert len({page.route for page in site.pages}) == len(site.pages)
    seen: dict[str, str] = {}
    for page in site.pages:
        assert page.targets
        for target in page.targets:
            assert target.startswith("/")
            assert target.isascii()
            assert " " not in target
            assert "{" not in target
            assert "[" not in target
            assert seen.setdefault(target, page.route) == page.route


@pytest.mark.parametrize("family", FAMILIES)
def test_state_changing_endpoints_are_many_and_sent_by_post(family: str) -> None:
    changing = [page for page in make_site(family, seed=0, items=50).pages if page.state_changing]
    assert len(changing) >= 8
    assert {page.method for page in changing} == {"POST"}
    assert {"basket", "checkout", "login", "offer"} <= {page.role for page in changing}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_alone_decides(family: str) -> None:
    assert make_site(family, seed=5, items=60) == make_site(family, seed=5, items=60)
    assert make_site(family, seed=5, items=60) != make_site(family, seed=6, items=60)


def test_no_fixed_word_of_an_unseen_family_stands_in_another_split() -> None:
    unseen = set().union(*(fixed_words(family) for family in FAMILIES if family_split(family) == "unseen"))
    others = set().union(*(fixed_words(family) for family in FAMILIES if family_split(family) != "unseen"))
    assert unseen & others <= TECHNICAL


def test_invented_vocabularies_hardly_meet() -> None:
    unseen = set().union(*(vocabulary(family) for family in FAMILIES if family_split(family) == "unseen"))
    others = set().union(*(vocabulary(family) for family in FAMILIES if family_split(family) != "unseen"))
    assert len(unseen & others) < 0.002 * len(unseen)


def test_a_large_site_has_as_many_products_as_asked() -> None:
    site = make_site("german_nested", seed=0, items=100_000)
    assert len(site.of_role("product")[0].targets) > 99_000


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="unknown family"):
        make_site("atlantis", seed=0, items=10)
    with pytest.raises(ValueError, match="items is 0"):
        make_site("english_rest", seed=0, items=0)
    with pytest.raises(ValueError, match="unknown split"):
        list_families("test")


def test_the_documentation_lists_each_family_in_its_split() -> None:
    page = (Path(__file__).parents[2] / "docs" / "routes.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip(): set(re.findall(r"`(\w+)`", line))
        for line in page.splitlines()
        if line.startswith("|")
    }
    assert {split: set(list_families(split)) for split in SPLITS} == {split: rows[split] for split in SPLITS}
