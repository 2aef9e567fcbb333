"""Asks a Floorwalker server what to do, from inside a shop's application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floorwalker_client.background import Background, Figures
from floorwalker_client.breaker import Breaker
from floorwalker_client.client import Client
from floorwalker_client.errors import (
    BreakerOpenError,
    ClientError,
    DeadlineError,
    PartlySentError,
    Problem,
    RefusedError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from floorwalker_client.failing import ACTIONS, FAIL_CLOSED, FAIL_OPEN, RAISE, FailurePolicy
from floorwalker_client.fields import EventFields
from floorwalker_client.replies import (
    Applied,
    Decision,
    EventFault,
    LabelReceipt,
    Private,
    Reason,
    Receipt,
)

if TYPE_CHECKING:
    from floorwalker_client.asyncio_client import AsyncClient

__all__ = [
    "ACTIONS",
    "FAIL_CLOSED",
    "FAIL_OPEN",
    "RAISE",
    "Applied",
    "AsyncClient",
    "Background",
    "Breaker",
    "BreakerOpenError",
    "Client",
    "ClientError",
    "DeadlineError",
    "Decision",
    "EventFault",
    "EventFields",
    "FailurePolicy",
    "Figures",
    "LabelReceipt",
    "PartlySentError",
    "Private",
    "Problem",
    "Reason",
    "Receipt",
    "RefusedError",
    "UnavailableError",
    "UnreachableError",
    "UsageError",
]


def __getattr__(name: str) -> Any:
    # A shop that has no event loop need not wait for asyncio's import.
    if name == "AsyncClient":
        from floorwalker_client.asyncio_client import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
