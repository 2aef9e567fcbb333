"""Guessing and overriding what a route is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.errors import InputError
from floorwalker.features.routes import ROLES, guess_role, match_role, read_roles
from floorwalker.simulation import _site


def test_the_roles_are_those_of_the_simulator() -> None:
    assert ROLES == _site.ROLES


@pytest.mark.parametrize(
    ("route", "role"),
    [
        ("/product/{}", "product"),
        ("/category/{}/{}", "category"),
        ("/search?q={}", "search"),
        ("/?s={}", "search"),
        ("/deals/{}", "offer"),
        ("/api/v2/items/{}/stock", "offer"),
        ("/warenkorb/entfernen", "basket"),
        ("/index.php?route=checkout/payment", "checkout"),
        ("/wp-login.php", "login"),
        ("/account/orders", "other"),
        ("/account/login", "login"),
        ("/hooks/payments/{}", "callback"),
        ("/sitemap.xml", "feed"),
        ("/img/{}.jpg", "asset"),
        ("/favicon.ico", "asset"),
        ("/robots.txt", "asset"),
        ("/collect?cid={}", "beacon"),
        ("/healthz", "health"),
        ("/about", "other"),
        ("/", "other"),
        ("(other)", "other"),
    ],
)
def test_guesses(route: str, role: str) -> None:
    assert guess_role(route) == role


def test_the_longest_pattern_wins_and_braces_are_one_part() -> None:
    roles = {"/shop/*": "category", "/shop/{}/stock": "offer", "*": "other"}
    assert match_role("/shop/{}/stock", roles) == "offer"
    assert match_role("/shop/x/y/stock", roles) == "category"
    assert match_role("/elsewhere", roles) == "other"
    assert match_role("/elsewhere", {"/shop/*": "category"}) is None
    assert match_role("/shop/{}?page={}", {"/shop/{}": "product"}) == "product"


def test_a_file_of_roles_is_read(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('"/deals/*" = "offer"\n"/m/product/{}" = "product"\n', encoding="utf-8")
    assert read_roles(path) == {"/deals/*": "offer", "/m/product/{}": "product"}


def test_all_faults_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('"/a" = "shoes"\n"b" = "offer"\n"/c" = 3\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_roles(path)
    message = str(caught.value)
    assert all(part in message for part in ("'shoes'", "'b'", "'/c' has 3", "allowed: roles product"))


@pytest.mark.parametrize("content", [b"= =", b"\xff\xfe"])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roles.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not TOML"):
        read_roles(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_roles(tmp_path / "missing.toml")
