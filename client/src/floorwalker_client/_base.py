"""What the sync and the async client share: how they are set up, and what is checked before a call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from floorwalker_client.breaker import Breaker
from floorwalker_client.errors import UsageError
from floorwalker_client.failing import FAIL_OPEN, FailurePolicy
from floorwalker_client.steps import MOST_EVENTS, Core
from floorwalker_client.wire import Address

if TYPE_CHECKING:
    import ssl


class Settings(TypedDict, total=False):
    """The settings of `BaseClient` by name."""

    shop: str | None
    timeout: float
    patience: float
    failing: FailurePolicy
    breaker: Breaker | None
    context: ssl.SSLContext | None


class BaseClient:
    """Settings of a client.

    Parameters
    ----------
    url : where the server listens, as `http://127.0.0.1:8080`.
    key : of the API, with the scopes of what is asked for.
    shop : put into events that name none.
    timeout : seconds that a decision may take, everything included.
    patience : seconds that any other call may take, everything included.
    failing : what to do where no decision comes, by type of event.
    breaker : the circuit breaker of decisions; everything else has one of its own.
    context : for TLS.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        shop: str | None = None,
        timeout: float = 0.25,
        patience: float = 10.0,
        failing: FailurePolicy = FAIL_OPEN,
        breaker: Breaker | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        check_seconds(timeout=timeout, patience=patience)
        check_key(key)
        self.timeout = timeout
        self.patience = patience
        self.failing = failing
        self.core = Core(key, shop, breaker or Breaker(), Breaker())
        self._address = Address.parse(url)
        self._context = context

    def _deadline(self, patience: float | None) -> float:
        return time.monotonic() + (self.patience if patience is None else patience)


def check_seconds(**given: float) -> None:
    """Raise `UsageError` where a time limit is no positive number of seconds."""
    for name, seconds in given.items():
        if not 0 < seconds < 3600:
            raise UsageError(f"{name} is {seconds!r}; allowed: above 0 and below 3600 seconds")


def check_key(key: str) -> None:
    """Raise `UsageError` for a key that cannot stand in a header, without quoting it."""
    if not key or not key.isprintable() or not key.isascii() or " " in key:
        raise UsageError("the API key has characters that no key has; allowed: fw_… as `floorwalker keys create` says")


def check_piece(piece: int) -> None:
    """Raise `UsageError` for a number of events that no server takes in one body."""
    if not 1 <= piece <= MOST_EVENTS:
        raise UsageError(f"piece is {piece}; allowed: 1 to {MOST_EVENTS}")


def shop_query(core: Core, shop: str | None) -> dict[str, str]:
    """The query that names a shop, where one is named."""
    named = shop or core.shop
    return {"shop": named} if named else {}


def make_label(
    core: Core,
    subject_kind: str,
    subject: str,
    source: str,
    abuse_type: str,
    value: float,
    others: Mapping[str, str | float],
) -> dict[str, object]:
    """The body of a label."""
    body: dict[str, object] = {"subject_kind": subject_kind, "subject": subject, "source": source, "value": value}
    if abuse_type:
        body["abuse_type"] = abuse_type
    if core.shop is not None:
        body["shop"] = core.shop
    return {**body, **others}
