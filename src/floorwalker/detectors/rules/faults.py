"""What is wrong with rule files: every fault of every file, with its place, in one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from floorwalker.errors import InputError

SHOWN = 100
"""Faults that the message spells out; all of them are in `RuleError.faults`."""


@dataclass(frozen=True, order=True)
class Fault:
    """One fault, where it is and what to do.

    Parameters
    ----------
    file : path of the rule file below its folder, or the name that was handed in.
    line, column : counted from 1.
    message : what was given, what is allowed.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class RuleError(InputError):
    """Rule files that cannot be used; `faults` holds all that is wrong with all of them.

    >>> print(RuleError([Fault("a.yaml", 3, 5, "unknown field 'amont'")]))
    1 fault in the rules:
    a.yaml:3:5: unknown field 'amont'
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines = [f"{count} in the rules:", *(str(fault) for fault in self.faults[:SHOWN])]
        if len(self.faults) > SHOWN:
            lines.append(f"… and {len(self.faults) - SHOWN} more")
        super().__init__("\n".join(lines))
