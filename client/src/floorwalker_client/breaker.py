"""The circuit breaker: a server that is away costs a few calls their patience, not every call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from floorwalker_client.errors import BreakerOpenError, UsageError


class Breaker:
    """Stops asking a server that does not answer, and tries it again now and then.

    After `failures` calls in a row without an answer every call fails at once for `rest` seconds; then one call is let
    through as a trial. If it fails the next rest is twice as long, up to `longest_rest`; if it succeeds all is well.
    A trial that never reports back blocks nothing: the next one is due after one more rest.

    Parameters
    ----------
    failures : calls in a row.
    rest, longest_rest : seconds.
    clock : monotonic seconds.

    >>> now = [0.0]
    >>> breaker = Breaker(failures=2, rest=5.0, clock=lambda: now[0])
    >>> breaker.fail(), breaker.is_open, breaker.fail(), breaker.is_open
    (None, False, None, True)
    >>> now[0] = 5.0
    >>> breaker.admit()
    >>> breaker.succeed(), breaker.is_open
    (None, False)
    """

    def __init__(
        self,
        failures: int = 5,
        rest: float = 2.0,
        longest_rest: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if failures < 1 or not 0 < rest <= longest_rest:
            raise UsageError(
                f"a breaker of {failures} failures and {rest} to {longest_rest} seconds; allowed: at least 1, above 0"
            )
        self._failures = failures
        self._first_rest = rest
        self._longest_rest = longest_rest
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._rest = rest
        self._open_until: float | None = None
        self._is_trying = False
        self.refused = 0

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once, or would but for a trial that is due."""
        return self._open_until is not None

    def admit(self) -> None:
        """Return where the call may be made; else raise `BreakerOpenError`."""
        if self._open_until is None:
            return
        with self._lock:
            until, now = self._open_until or 0.0, self._clock()
            if now < until:
                self.refused += 1
                raise BreakerOpenError(f"the server did not answer; it is asked again in {until - now:.1f} s")
            # This call is the trial; the others go on failing at once until it is known how it ended.
            self._open_until = now + self._rest
            self._is_trying = True

    def succeed(self) -> None:
        """The server answered."""
        if self._failed == 0 and self._open_until is None:
            return
        with self._lock:
            self._failed, self._rest, self._open_until = 0, self._first_rest, None
            self._is_trying = False

    def fail(self) -> None:
        """The server did not answer."""
        with self._lock:
            self._failed += 1
            if self._is_trying:
                self._is_trying = False
                self._rest = min(2 * self._rest, self._longest_rest)
                self._open_until = self._clock() + self._rest
            elif self._open_until is None and self._failed >= self._failures:
                self._open_until = self._clock() + self._rest
