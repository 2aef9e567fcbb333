"""Refusals as `application/problem+json` (RFC 9457): what was given, what was allowed, what to do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from floorwalker.errors import FloorwalkerError

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    400: "The request cannot be understood",
    401: "No valid API key",
    403: "The API key may not do this",
    404: "Not found",
    405: "Method not allowed",
    408: "The request took too long",
    409: "The request conflicts with an earlier one",
    413: "The body is too large",
    415: "Unknown content type",
    422: "A field is not acceptable",
    429: "Too many requests",
    431: "The head of the request is too large",
    500: "The server failed",
    503: "The server is not ready",
}


def title_of(status: int) -> str:
    """One sentence for a status, the same for every problem of it."""
    return _TITLES.get(status, "The request was refused")


class FieldFault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fault of a body: the field by its path, and what is wrong with it."""

    field: str
    message: str
    position: int = -1


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a refused request is answered with.

    Parameters
    ----------
    type : `about:blank` or the name of the kind of problem.
    title : one sentence, the same for every problem of this status.
    status : the HTTP status.
    detail : what was given, what was allowed and what to do.
    faults : fields that are not acceptable.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    faults: tuple[FieldFault, ...] = ()


class ProblemError(FloorwalkerError):
    """A request that is refused.

    Parameters
    ----------
    status : HTTP status.
    given, allowed, fix : as in `FloorwalkerError`.
    faults : fields that are not acceptable.
    headers : sent with the refusal, e.g. `Retry-After`.
    """

    def __init__(
        self,
        status: int,
        given: str,
        *,
        allowed: str = "",
        fix: str = "",
        faults: Sequence[FieldFault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(given, allowed=allowed, fix=fix)
        self.status = status
        self.faults = tuple(faults)
        self.headers = headers or {}

    def body(self) -> bytes:
        """The problem document.

        >>> ProblemError(413, "body of 70000 bytes", allowed="at most 65536").body().decode()
        '{"title":"The body is too large","status":413,"detail":"body of 70000 bytes; allowed: at most 65536"}'
        """
        return msgspec.json.encode(
            ProblemBody(
                title=title_of(self.status),
                status=self.status,
                detail=str(self),
                faults=self.faults,
            )
        )
