"""What is wrong with an event that somebody sent, and in which field.

A message never repeats the value of a text: it may be a card number, a password or somebody's address, and messages
end in replies and logs.
"""

from __future__ import annotations

from dataclasses import dataclass

from floorwalker.errors import InputError


class FieldError(InputError):
    """An event that cannot be taken in.

    Parameters
    ----------
    field : path of the field at fault, `lines[2].quantity`; `body` where the text as a whole is at fault.
    given, allowed, fix : as in `floorwalker.errors.FloorwalkerError`.

    >>> raise FieldError("amount_minor", "it is negative", allowed="a whole number >= 0")
    Traceback (most recent call last):
        ...
    floorwalker.events.faults.FieldError: amount_minor: it is negative; allowed: a whole number >= 0
    """

    def __init__(self, field: str, given: str, *, allowed: str = "", fix: str = "") -> None:
        super().__init__(f"{field}: {given}", allowed=allowed, fix=fix)
        self.field = field


@dataclass(frozen=True)
class Fault:
    """One event of many that was refused.

    Parameters
    ----------
    position : its place among the events sent, from 0; blank lines do not count.
    field : as in `FieldError`.
    message : what is wrong, in one line.
    """

    position: int
    field: str
    message: str
