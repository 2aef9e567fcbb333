"""Cursor pagination: a page names where the next one begins, so that rows added meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from floorwalker.server.problems import FieldFault, ProblemError

Position = TypeVar("Position")
DEFAULT_LIMIT = 100
MOST = 1000


def read_limit(given: int | None, default: int = DEFAULT_LIMIT) -> int:
    """How many rows a page shall have; outside 1 to `MOST` raises `ProblemError` 422."""
    if given is None:
        return default
    if not 1 <= given <= MOST:
        message = f"limit is {given}"
        raise ProblemError(422, message, allowed=f"1 to {MOST}", faults=[FieldFault(field="limit", message=message)])
    return given


def write_cursor(position: object) -> str:
    """A position as text that callers hand back unread.

    >>> read_cursor(write_cursor([12, "a"]), list)
    [12, 'a']
    """
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(position)).rstrip(b"=").decode()


def read_cursor(text: str, kind: type[Position]) -> Position:
    """The position of a cursor; a text that is none raises `ProblemError` 422."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position: Position = msgspec.msgpack.decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise refuse_cursor() from error
    return position


def refuse_cursor() -> ProblemError:
    """What is raised for a cursor that no page gave."""
    message = "the cursor is none of ours"
    return ProblemError(
        422, message, fix="take it from the page before", faults=[FieldFault(field="cursor", message=message)]
    )
