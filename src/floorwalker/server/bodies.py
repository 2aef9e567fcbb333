"""Small bodies: strict JSON of one kind, refused with the field named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from floorwalker.errors import InputError
from floorwalker.events.cards import find_card_number
from floorwalker.events.faults import FieldError
from floorwalker.events.hints import hint_refused
from floorwalker.server.problems import FieldFault, ProblemError

Body = TypeVar("Body")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PATH = re.compile(r"^(?P<message>.*?)(?: - at `\$?\.?(?P<path>[^`]*)`)?$")


def read_body(body: bytes, kind: type[Body]) -> Body:
    """A body of one kind; raises `ProblemError`: 400 for what is no JSON, 422 for a field that does not fit.

    >>> from floorwalker.server.replies import AppliedBody
    >>> read_body(b'{"action": "block"}', AppliedBody).by
    'policy'
    """
    try:
        found_body = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        found = _PATH.match(str(error))
        message = found["message"] if found else "it does not fit"
        path = (found["path"] if found else "") or "body"
        if hint := hint_refused(message, _names_of(kind)):
            message = f"{message}; {hint}"
        raise ProblemError(422, f"{path}: {message}", faults=[FieldFault(field=path, message=message)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, "the body is not JSON", allowed="one JSON object in UTF-8") from error
    check_texts({name: getattr(found_body, name) for name in _names_of(kind)})
    return found_body


def check_texts(fields: Mapping[str, object]) -> None:
    """Refuse texts that no record may hold: control characters (some databases take none) and card numbers.

    Raises `ProblemError` 422 with every such field.
    """
    faults = []
    for name, value in fields.items():
        if not isinstance(value, str):
            continue
        if _CONTROL.search(value):
            faults.append(FieldFault(field=name, message="it holds a control character"))
        elif find_card_number(value) is not None:
            faults.append(FieldFault(field=name, message="it holds a card number"))
    if faults:
        raise ProblemError(422, "; ".join(f"{fault.field}: {fault.message}" for fault in faults), faults=faults)


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
