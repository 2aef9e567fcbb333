"""The decision that stands in for one that did not come."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from floorwalker_client.errors import ClientError
from floorwalker_client.failing import PUBLIC_REASON, RAISE, FailurePolicy
from floorwalker_client.replies import Decision

log = logging.getLogger("floorwalker_client")


def fall_back(policy: FailurePolicy, event: object, error: Exception) -> Decision:
    """The decision of the failure policy; where it says `raise`, the error is raised.

    Errors that are not ours (a bug, an event that is no mapping) are treated alike: no page shall break because of us.
    """
    named = event if isinstance(event, Mapping) else {}
    action = policy.action_for(str(named.get("type", "")))
    if action == RAISE:
        raise error
    failure = str(error) if isinstance(error, ClientError) else f"{type(error).__name__}: {error}"
    warn("no decision (%s): %s instead", failure, action)
    return Decision(
        id="",
        event_id=str(named.get("id", "")),
        action=action,
        public_reason="" if action in ("allow", "observe") else PUBLIC_REASON,
        answered=False,
        failure=failure,
    )


class _Throttle:
    """Lets a message through once in a while: a dead server must not fill the shop's log."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def admit(self, message: str) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(message, -self._seconds) < self._seconds:
                return False
            self._last[message] = now
        return True


_throttle = _Throttle(10.0)


def warn(message: str, *values: object) -> None:
    """A warning in the log, at most one of its kind every ten seconds."""
    if _throttle.admit(message):
        log.warning(message, *values)
