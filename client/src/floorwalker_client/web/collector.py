"""What the browser collector sends to the shop's own path: checked, and made an event.

The browser's id is made here and signed, so that nobody can write into another's: `fd1_<random>.<signature>`. Events
hold the part before the point only, so that a log or an analyst's screen gives nobody an id that would be accepted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from floorwalker_client.errors import UsageError

MOST_BYTES = 4096
"""Bytes of what the collector sends, at most."""
COOKIE = "fw_id"
_SIGNALS: dict[str, type | tuple[type, ...]] = {
    "webdriver": bool, "headless": bool, "tampered": bool, "trap_filled": bool, "pointer_moves": int,
    "pointer_straightness": (int, float), "touches": int, "key_presses": int, "key_gap_ms": (int, float),
    "key_gap_spread_ms": (int, float), "pastes": int, "scrolls": int, "dwell_ms": int, "form_ms": int,
}  # fmt: skip
_DEVICE: dict[str, type | tuple[type, ...]] = {
    "kind": str, "screen": str, "utc_offset_minutes": int, "fingerprint": str, "fingerprint_confidence": (int, float),
}  # fmt: skip
"""What a page may say of a device; attestation, root and the like are an app's to say, and a page's to lie about."""
_PARTS = 16


@dataclass(frozen=True)
class Collector:
    """The collector under the shop's own name.

    Parameters
    ----------
    secret : signs ids; at least 16 bytes, the same in all processes of the shop. With the text of the server's
        `collector.key` the ids are the same as those that the server itself gives out.
    path : below which the script (`…/collector.js`) and the door (`…/collect`) stand.
    days : how long a browser keeps its id.
    """

    secret: bytes
    path: str = "/_fw"
    days: int = 180

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise UsageError(f"a secret of {len(self.secret)} bytes; allowed: at least 16")
        if not self.path.startswith("/") or self.path.endswith("/") or len(self.path) < 2:
            raise UsageError(f"the collector's path is {self.path!r}; allowed: as /_fw")

    def make_id(self, shop: str) -> str:
        """A new id, signed."""
        name = "fd1_" + _text(secrets.token_bytes(16))
        return f"{name}.{sign(self.secret, 'device', shop, name)}"

    def read_id(self, shop: str, signed: str | None) -> str | None:
        """The id without its signature; None where it is none of ours."""
        name, _, signature = (signed or "").partition(".")
        if len(name) != 26 or not name.startswith("fd1_") or not signature.isascii():
            return None
        return name if hmac.compare_digest(sign(self.secret, "device", shop, name), signature) else None


def sign(secret: bytes, kind: str, shop: str, value: str) -> str:
    """The signature of an id (`device`) or of a session that a page may name (`session`): 22 characters.

    >>> sign(b"sixteen bytes or more", "session", "default", "s-1")
    'TEz7BGgkriApd3-ts7323w'
    """
    told = "\x00".join((kind, shop, value)).encode("utf-8", "surrogateescape")
    return _text(hmac.digest(secret, told, hashlib.sha256)[:16])


def read_collected(body: bytes) -> dict[str, Any] | None:
    """The fields of an event out of what a browser sent; None where it is not what the collector sends.

    Names that the collector does not know are dropped, and so are values of another kind.
    """
    if len(body) > MOST_BYTES:
        return None
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or given.get("v") != 1:
        return None
    view, number = given.get("view"), given.get("n")
    if not isinstance(view, str) or not 8 <= len(view) <= 32 or not view.isalnum() or type(number) is not int:
        return None
    signals, device = _pick(given.get("signals"), _SIGNALS), _pick(given.get("device"), _DEVICE)
    if not signals and not device:
        return None
    event: dict[str, Any] = {"type": "client_signals", "channel": "web", "signals": signals, "device_facts": device}
    event["attributes"] = {"view": view, "view_part": number, "fingerprint_parts": _parts(given.get("parts"))}
    language = given.get("language")
    if isinstance(language, str) and 0 < len(language) <= 35:
        event["language"] = language
    page = given.get("page")
    if isinstance(page, str) and page.startswith("/"):
        event["url"] = page[:1024]
    return event


def _pick(given: object, known: dict[str, type | tuple[type, ...]]) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    picked: dict[str, Any] = {}
    for name, kind in known.items():
        value = given.get(name)
        if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            continue
        if isinstance(value, str) and not 0 < len(value) <= 64:
            continue
        if isinstance(value, int | float) and not -1e9 <= value <= 1e9:
            continue
        picked[name] = value
    return picked


def _parts(given: object) -> dict[str, list[object]]:
    """Parts of the fingerprint: name -> [hash, confidence]."""
    if not isinstance(given, dict):
        return {}
    return {
        name: value
        for name, value in list(given.items())[:_PARTS]
        if isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and len(value[0]) <= 32
        and isinstance(value[1], int | float)
        and 0 <= value[1] <= 1
        and len(name) <= 32
    }


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
