"""Small bodies: strict JSON of one kind, refused with the field named."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from floorwalker.errors import InputError
from floorwalker.events.faults import FieldError
from floorwalker.events.hints import hint_refused
from floorwalker.server.problems import FieldFault, ProblemError

Body = TypeVar("Body")
_PATH = re.compile(r"^(?P<message>.*?)(?: - at `\$?\.?(?P<path>[^`]*)`)?$")


def read_body(body: bytes, kind: type[Body]) -> Body:
    """A body of one kind; raises `ProblemError`: 400 for what is no JSON, 422 for a field that does not fit.

    >>> from floorwalker.server.replies import AppliedBody
    >>> read_body(b'{"action": "block"}', AppliedBody).by
    'policy'
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        found = _PATH.match(str(error))
        message = found["message"] if found else "it does not fit"
        path = (found["path"] if found else "") or "body"
        if hint := hint_refused(message, _names_of(kind)):
            message = f"{message}; {hint}"
        raise ProblemError(422, f"{path}: {message}", faults=[FieldFault(field=path, message=message)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, "the body is not JSON", allowed="one JSON object in UTF-8") from error


def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(getattr(kind, "__struct_fields__", ()))


def as_problem(error: InputError) -> ProblemError:
    """A refused field or body as a problem; 413 for what is too large, else 422."""
    if isinstance(error, FieldError):
        status = 413 if error.field == "body" and "bytes" in error.given else 422
        return ProblemError(
            status,
            error.given,
            allowed=error.allowed,
            fix=error.fix,
            faults=[FieldFault(field=error.field, message=error.given)],
        )
    return ProblemError(422, error.given, allowed=error.allowed, fix=error.fix)
