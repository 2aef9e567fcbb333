"""The record of what a web server logged: requests, as columns.

Access logs hold millions of lines, so their texts are interned: a column holds int32 codes, and the texts stand once
in tables that the reader keeps (`floorwalker.store.strings.StringTable`). Everything after the reader works
on codes and asks for a text only where a person will read it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "OTHER")
"""Request methods by code; a method that is not listed is `OTHER`."""

MISSING = -1
"""The code of a text that the log does not hold (`-` in most formats)."""

ODD_TARGET = "(abnormal)"
"""The target of requests whose own is set aside as abnormal: what they asked for is not kept, but whoever sends nothing
else must not vanish with it. No target of a log reads like this, since all others begin with `/` or are `*`."""


@dataclass(frozen=True)
class RequestBatch:
    """`n` requests in the order of their times.

    Parameters
    ----------
    at : int64 [n], microseconds since 1970-01-01 UTC.
    utc_offset : int16 [n], the log's own offset from UTC in minutes; gives the shop's local day and hour.
    host : int32 [n], code of the virtual host, or `MISSING`.
    client : int32 [n], code of the client's address as text, after trusted proxies were taken off.
    session : int32 [n], code of the session id where one was asked for, else `MISSING`.
    user_agent : int32 [n], code of the user agent, or `MISSING`.
    target : int32 [n], code of the request target as logged (path and query), or of `ODD_TARGET`.
    referrer_host : int32 [n], code of the referrer's host name, or `MISSING`.
    method : uint8 [n], index into `METHODS`.
    status : int16 [n], HTTP status, 0 where unknown.
    size : int64 [n], bytes sent, -1 where unknown.
    """

    at: NDArray[np.int64]
    utc_offset: NDArray[np.int16]
    host: NDArray[np.int32]
    client: NDArray[np.int32]
    session: NDArray[np.int32]
    user_agent: NDArray[np.int32]
    target: NDArray[np.int32]
    referrer_host: NDArray[np.int32]
    method: NDArray[np.uint8]
    status: NDArray[np.int16]
    size: NDArray[np.int64]

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"columns of different lengths: {lengths}")

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: NDArray[np.intp] | slice) -> RequestBatch:
        """The requests at these positions, in this order."""
        return RequestBatch(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})
