"""What a caller may see of a decision: the action and a public reason, never the signal behind it.

>>> Reply(decision_id="d-1", action="challenge", public_reason=PUBLIC_REASONS["challenge"]).public_reason
'We need to check that you are not a program.'
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from floorwalker.errors import UsageError
from floorwalker.events.abuse import ACTIONS

PUBLIC_REASONS = MappingProxyType(
    {
        "allow": "",
        "observe": "",
        "throttle": "Too many requests. Try again in a moment.",
        "challenge": "We need to check that you are not a program.",
        "step_up": "We need to check that it is you.",
        "limit": "This is not available for you at the moment.",
        "review": "We are looking at your request and will come back to you.",
        "quarantine": "Thank you. It will be visible once it has been checked.",
        "terminate_session": "You have been logged out. Log in again.",
        "freeze": "Your account is on hold. Contact the support.",
        "block": "This is not possible.",
    }
)
"""What an attacker may read, by action: nothing in it tells one cause from another."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to one event.

    Parameters
    ----------
    decision_id : under which the shop reports what it really did, and an analyst finds the private reasons.
    action : one of `floorwalker.events.abuse.ACTIONS`; another raises `UsageError`.
    public_reason : a sentence that may be shown to whoever is asking.
    challenge : what the client needs to answer a challenge or a step-up; None for the other actions.
    """

    decision_id: str
    action: str
    public_reason: str = ""
    challenge: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise UsageError(f"unknown action {self.action!r}", allowed=", ".join(ACTIONS))
