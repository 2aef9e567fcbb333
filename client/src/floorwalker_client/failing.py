"""What a shop does when no decision comes: a choice per type of event, never an accident of `except`.

>>> policy = FailurePolicy(by_type={"withdrawal": "block", "coupon_redeem": "review"})
>>> [policy.action_for(name) for name in ("page_view", "withdrawal", "coupon_redeem")]
['allow', 'block', 'review']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from floorwalker_client.errors import UsageError

ACTIONS: tuple[str, ...] = (
    "allow",
    "observe",
    "throttle",
    "challenge",
    "step_up",
    "limit",
    "review",
    "quarantine",
    "terminate_session",
    "freeze",
    "block",
)
"""What a server may answer, by rising friction."""

RAISE = "raise"
"""Instead of an action: let the caller meet the error."""

PUBLIC_REASON = "This is not possible right now. Please try again in a few minutes."
"""What a person may read who is held up because no decision came: nothing is held against him."""


@dataclass(frozen=True)
class FailurePolicy:
    """The action that is taken where the server gave none.

    Parameters
    ----------
    default : `allow` is fail-open, `block` fail-closed; any other action, or `raise`, is possible.
    by_type : the same by type of event, where it differs.

    A value that is none of these raises `UsageError`.
    """

    default: str = "allow"
    by_type: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, action in (("default", self.default), *self.by_type.items()):
            if action not in (*ACTIONS, RAISE):
                raise UsageError(f"{name}: {action!r} is no action; allowed: {', '.join(ACTIONS)}, {RAISE}")

    def action_for(self, event_type: str) -> str:
        """The action for this type of event."""
        return self.by_type.get(event_type, self.default)


FAIL_OPEN = FailurePolicy("allow")
FAIL_CLOSED = FailurePolicy("block")
