"""What can go wrong between a shop and its Floorwalker server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from floorwalker_client.replies import Receipt


class ClientError(Exception):
    """The base of every error of this package that a caller may meet."""


class UsageError(ClientError):
    """The client was set up or called with values that do not fit."""


class UnreachableError(ClientError):
    """No answer: refused, cut off, not HTTP."""


class DeadlineError(UnreachableError):
    """No answer within the time allowed for the whole call."""


class BreakerOpenError(UnreachableError):
    """Not even tried: the server did not answer several times in a row, and its rest is not over."""


@dataclass
class Problem:
    """A refusal as the server words it (RFC 9457).

    Parameters
    ----------
    status : of HTTP.
    title, detail : what is wrong; `detail` says what was given, what is allowed and what to do.
    faults : fields at fault, each with `field` and `message`.
    """

    status: int
    title: str = ""
    detail: str = ""
    faults: tuple[dict[str, Any], ...] = ()


class RefusedError(ClientError):
    """The server answered and refused: a wrong key, an event that does not fit, an id that is not kept.

    Parameters
    ----------
    problem : what it said.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.status}: {problem.detail or problem.title or 'refused'}")


class UnavailableError(RefusedError):
    """The server answered that it cannot at the moment (429, 502, 503, 504), and went on doing so.

    Parameters
    ----------
    retry_after : seconds after which it wants to be asked again; 0.0 where it did not say.
    """

    def __init__(self, problem: Problem, retry_after: float = 0.0) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class PartlySentError(ClientError):
    """Some of many events were taken before the server stopped answering.

    Parameters
    ----------
    receipt : of those that were taken or refused one by one.
    sent : how many of the events given that covers, from the first on; the others may be sent again, ids and all.

    The cause (`__cause__`) is the error that ended it.
    """

    def __init__(self, receipt: Receipt, sent: int) -> None:
        self.receipt = receipt
        self.sent = sent
        super().__init__(f"{sent} events were sent, then the server stopped answering")
