"""Every error as the problem that a caller may read; what was our fault goes into the log, without any value."""

from __future__ import annotations

import structlog
from litestar.exceptions import HTTPException, ValidationException

from floorwalker.errors import InputError
from floorwalker.server.bodies import as_problem
from floorwalker.server.metrics import Metrics
from floorwalker.server.problems import FieldFault, ProblemError
from floorwalker.store.errors import StoreError

log = structlog.get_logger("floorwalker.server")


def refuse(error: Exception, route: str, metrics: Metrics) -> ProblemError:
    """The refusal of a request, counted, and logged where it is our fault.

    Parameters
    ----------
    route : the route's own name; a path may hold ids of customers.
    """
    problem = _as_problem(error)
    if problem.status >= 500 and problem.status != 503:
        # The message may quote a body: kind and place say enough.
        log.error("request failed", kind=type(error).__name__, place=_place(error))
    metrics.count_refusal(route, problem.status)
    return problem


def _as_problem(error: Exception) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, ValidationException):
        return _as_unfit(error)
    if isinstance(error, HTTPException):
        status = error.status_code
        detail = (
            "nothing stands at this address" if status == 404 else error.detail if status in (400, 405, 413) else ""
        )
        headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
        return ProblemError(status, detail, headers=headers)
    if isinstance(error, StoreError):
        return ProblemError(503, str(error), headers={"Retry-After": "5"})
    if isinstance(error, InputError):
        return as_problem(error)
    return ProblemError(500, "the server failed; its log says where")


def _as_unfit(error: ValidationException) -> ProblemError:
    """A parameter that does not fit, named; its value is not told again."""
    told = error.extra if isinstance(error.extra, list) else []
    faults = [
        FieldFault(field=str(each.get("key", "")), message=str(each.get("message", "it does not fit")))
        for each in told
        if isinstance(each, dict)
    ]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    return ProblemError(422, detail or "a parameter does not fit", faults=faults)


def _place(error: Exception) -> str:
    """Where an error was raised: file and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
