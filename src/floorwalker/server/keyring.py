"""The API keys that a running server knows, kept ready so that no request waits for the ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from floorwalker.server.keys import ApiKey, has_hash, hash_secret, split_key
from floorwalker.server.problems import ProblemError
from floorwalker.server.rates import RateLimits

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="floorwalker"'}


@dataclass
class KeyRing:
    """Checks keys against a copy that is renewed from the ledger every few seconds.

    Parameters
    ----------
    load : gives all keys that are not revoked; called in a background thread by `renew`.
    clock : µs that never jump, for the rates: where the clock of the machine is set back, no key shall wait for it.

    A key made while the server runs works after the next renewal, a revoked one ends with it (`renew_seconds`).
    """

    load: Callable[[], Iterable[ApiKey]]
    renew_seconds: float = 1.0
    clock: Callable[[], int] = field(default=lambda: time.monotonic_ns() // 1000, repr=False)
    _keys: dict[str, tuple[ApiKey, ...]] = field(default_factory=dict, init=False, repr=False)
    _limits: RateLimits = field(default_factory=RateLimits, init=False, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def renew(self) -> None:
        """Load the keys now."""
        grouped: dict[str, list[ApiKey]] = {}
        for key in self.load():
            grouped.setdefault(key.id, []).append(key)
        self._keys = {identity: tuple(keys) for identity, keys in grouped.items()}

    def start(self, on_error: Callable[[Exception], None]) -> None:
        """Renew in the background until `stop`; while the ledger does not answer the known keys stay."""

        def run() -> None:
            while not self._ended.wait(self.renew_seconds):
                try:
                    self.renew()
                except Exception as error:  # noqa: BLE001 - a ledger that is away must not lock every shop out
                    on_error(error)

        self._thread = threading.Thread(target=run, name="key-renewal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the renewal."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def check(self, text: str, scope: str, *, now: int) -> ApiKey:
        """The key of this text, if it may do this now.

        Parameters
        ----------
        text : what the request gave, "" for nothing.
        scope : what is about to be done, one of `floorwalker.server.keys.SCOPES`.
        now : µs UTC, by which keys expire.

        Raises `ProblemError`: 401 for no key, an unknown, wrong or expired one (which of these is not said), 403 for a
        key without the scope, 429 with `Retry-After` beyond its rate.
        """
        found = self._find(text)
        if found is None or not found.is_valid(now):
            raise ProblemError(
                401,
                "the API key is missing, unknown or expired" if text else "no API key",
                allowed="Authorization: Bearer fw_…",
                fix="make one with: floorwalker keys create",
                headers=CHALLENGE,
            )
        if not found.may(scope):
            raise ProblemError(
                403,
                f"the API key has the scopes {', '.join(sorted(found.scopes))}",
                allowed=f"a key with the scope {scope}",
            )
        wait = self._limits.take(found.id, found.rate_per_second, now=self.clock())
        if wait > 0:
            raise ProblemError(
                429,
                f"more than {found.rate_per_second} requests a second with this key",
                headers={"Retry-After": str(max(1, round(wait)))},
            )
        return found

    def _find(self, text: str) -> ApiKey | None:
        identity, secret = split_key(text)
        digest = hash_secret(secret)
        # While a key is being rotated two secrets have the same id; each is compared, in constant time.
        candidates = self._keys.get(identity) or (None,)
        found = None
        for candidate in candidates:
            if has_hash(candidate, digest):
                found = candidate
        return found
