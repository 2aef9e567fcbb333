"""Roles of routes: what a page is for, guessed from words, endings and shape, and overridable by a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from floorwalker.errors import InputError
from floorwalker.features.routes._words import WORDS

ROLES = (
    "product", "category", "search", "offer", "login", "basket", "checkout", "callback", "feed", "asset", "beacon",
    "health", "other",
)  # fmt: skip
"""What a route is for; `offer` covers coupons, deals, flash sales and stock checks."""

_ENDINGS = """css js mjs map png jpg jpeg gif webp avif svg ico bmp tif tiff woff woff2 ttf otf eot mp4 webm mp3 ogg wav
    pdf swf webmanifest dpg heic wasm less scss"""
ASSET_ENDINGS = frozenset(_ENDINGS.split())
_ASSET_FILES = frozenset({"favicon", "robots", "manifest", "apple-touch-icon", "browserconfig", "crossdomain", "ads"})
_WORD = re.compile(r"[^\W_]+")

# An earlier role wins: a basket's stock check is about the basket, a product's picture is an asset.
_ORDER = (
    "health",
    "basket",
    "login",
    "callback",
    "offer",
    "search",
    "checkout",
    "beacon",
    "asset",
    "feed",
    "category",
    "product",
)
_ORDERS = "order orders bestellung pedido ordine objednavka zakaz siparis commande zamowienie dingdan"
_ORDER_WORDS = frozenset(_ORDERS.split())


@cache
def _words_of(role: str) -> frozenset[str]:
    return frozenset(WORDS[role].split())


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """`*` stands for any text, `{}` for itself or one variable part; a glob without query covers every query."""
    parts = [
        ".*" if piece == "*" else r"[^/?&]+" if piece == "{}" else re.escape(piece)
        for piece in re.split(r"(\*|\{\})", glob)
    ]
    tail = "" if "?" in glob else r"(\?.*)?"
    return re.compile("".join(parts) + tail, re.DOTALL)


def match_role(route: str, roles: Mapping[str, str]) -> str | None:
    """The role of the longest pattern that covers the route, or None.

    Parameters
    ----------
    route : a route's name, e.g. `/deals/{}`.
    roles : pattern to role. In a pattern, `*` stands for any text and `{}` for one variable part.

    >>> match_role("/deals/{}", {"/deals/*": "offer", "/*": "other"})
    'offer'
    """
    covering = [glob for glob in roles if _pattern(glob).fullmatch(route)]
    return roles[max(covering, key=len)] if covering else None


def guess_role(route: str) -> str:
    """What a route is for, from its fixed words.

    The guess matters for the features: requests for assets and beacons are not page visits, and the monitoring kind
    of abuser is
    known by his interest in offers and stock.

    >>> [guess_role(route) for route in ("/cart/add", "/static/{}.css", "/api/v2/items/{}/stock", "/about")]
    ['basket', 'asset', 'offer', 'other']
    """
    path, _, query = route.partition("?")
    last = path.rsplit("/", 1)[-1]
    stem, dot, ending = last.rpartition(".")
    if dot and ending.lower() in ASSET_ENDINGS:
        return "beacon" if ending.lower() == "gif" and _holds(stem, "beacon") else "asset"
    if stem.lower() in _ASSET_FILES and dot:
        return "feed" if stem.lower() == "sitemap" else "asset"
    if dot and ending.lower() in {"rss", "atom", "rdf"}:
        return "feed"
    if dot and ending.lower() == "xml":
        return "feed"
    dispatched = " ".join(pair.partition("=")[2] for pair in query.split("&") if "{}" not in pair)
    words = set(_WORD.findall(f"{path} {dispatched}".lower().replace("{}", " ")))
    keys = set(_WORD.findall(" ".join(pair.partition("=")[0] for pair in query.split("&")).lower()))
    if words & _words_of("account") and not words & (
        _words_of("login") | _words_of("basket") | _words_of("checkout") - _ORDER_WORDS
    ):
        return "offer" if words & {"coupon", "coupons", "voucher", "vouchers", "kupon", "gutschein"} else "other"
    for role in _ORDER:
        if words & _words_of(role):
            return role
    if keys & (_words_of("search") | {"q", "s"}):
        return "search"
    return "other"


def _holds(text: str, role: str) -> bool:
    return bool(set(_WORD.findall(text.lower())) & _words_of(role))


def read_roles(path: Path) -> dict[str, str]:
    """Read a file of roles: TOML, a pattern in quotes on the left, a role on the right.

    ::

        "/deals/*" = "offer"
        "/m/product/{}" = "product"

    Errors
    ------
    InputError : the file cannot be read, is no TOML, or has faults; all faults are named at once.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as missing:
        raise InputError(f"{path} cannot be read: {missing.strerror}", fix="check the path") from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise InputError(
            f"{path} is not TOML: {broken}", allowed='lines such as "/deals/*" = "offer"', fix="correct it"
        ) from broken
    faults = []
    for pattern, role in table.items():
        if not isinstance(role, str):
            faults.append(
                f"{pattern!r} has {role!r}, not a role in quotes (a table needs quotes around patterns with dots)"
            )
        elif role not in ROLES:
            faults.append(f"{pattern!r} has the unknown role {role!r}")
        if not pattern.startswith(("/", "*")):
            faults.append(f"{pattern!r} begins neither with / nor with *")
    if faults:
        raise InputError(
            f"{path}: " + "; ".join(faults), allowed="roles " + ", ".join(ROLES), fix="correct these lines"
        )
    return dict(table)
