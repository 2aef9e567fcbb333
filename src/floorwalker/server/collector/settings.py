"""Who may send what the collector saw: the file `collector.toml` in the installation's folder."""

from __future__ import annotations

import hashlib
import hmac
import os
import tomllib
from pathlib import Path

import msgspec

from floorwalker.errors import UsageError
from floorwalker.events.hints import hint_refused

FILE = "collector.toml"
KEY_FILE = "collector.key"


class CollectorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of `POST /v1/collect`; without the file nobody may send.

    Parameters
    ----------
    origins : pages that may send, as `https://shop.example.com`.
    shop : whose events they become.
    trusted_proxies : addresses and ranges whose X-Forwarded-For is believed.
    per_client : messages a second of one address (IPv6: of one /64).
    in_all : messages a second of all together.
    """

    origins: tuple[str, ...] = ()
    shop: str = "default"
    trusted_proxies: tuple[str, ...] = ()
    per_client: int = 5
    in_all: int = 500

    def __post_init__(self) -> None:
        for origin in self.origins:
            scheme, mark, host = origin.partition("://")
            if scheme not in ("http", "https") or not mark or not host or "/" in host or "*" in host:
                raise UsageError(f"the origin {origin!r}", allowed="as https://shop.example.com, one by one")
        if not 1 <= len(self.shop) <= 128:
            raise UsageError(f"shop is {self.shop!r}", allowed="1 to 128 characters")
        if not 1 <= self.per_client <= self.in_all <= 100_000:
            raise UsageError(
                f"per_client is {self.per_client}, in_all is {self.in_all}",
                allowed="1 <= per_client <= in_all <= 100000",
            )


def read_settings(folder: Path) -> CollectorSettings:
    """The settings of an installation; `UsageError` for a file that does not fit.

    >>> read_settings(Path("no such folder")).origins
    ()
    """
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return CollectorSettings()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    try:
        return msgspec.convert(tomllib.loads(text), CollectorSettings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        names = CollectorSettings.__struct_fields__
        raise UsageError(f"{path}: {error}", allowed=", ".join(names), fix=hint_refused(str(error), names)) from error


def read_secret(folder: Path, state_secret: bytes) -> bytes:
    """What ids are signed with; also written to `collector.key` as text, for the shop to sign sessions with.

    It is made of the installation's own secret, so it is the same after a restart, and gives nothing of that away.
    """
    secret = hmac.digest(state_secret, b"floorwalker collector", hashlib.sha256).hex().encode()
    path = folder / KEY_FILE
    if not path.exists() or path.read_bytes() != secret:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, secret)
        finally:
            os.close(descriptor)
    return secret
