"""A checked condition: numbers, texts and Boolean nodes, equal where they mean the same.

Nodes are frozen and hashable, so that the same comparison in two rules is one entry of the rule table.
Numbers are float64; NaN stands for a missing one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Column:
    """A number of the event, or a live feature."""

    name: str
    feature: bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A number that the analyst wrote."""

    value: float


@dataclass(frozen=True, slots=True)
class Length:
    """How many characters a text has."""

    text: Text


@dataclass(frozen=True, slots=True)
class Reckoning:
    """`operator` (a name of `OPERATORS`) applied to one number or two."""

    operator: str
    left: Number
    right: Number


OPERATORS = ("add", "subtract", "multiply", "divide", "negate", "abs", "least", "greatest", "coalesce")
"""By code of the kernel. What takes one number has it on the left."""

NOTHING = Constant(0.0)
"""The right side of what takes one number. The number itself there would double the walk at every level."""

Number: TypeAlias = Column | Constant | Length | Reckoning


@dataclass(frozen=True, slots=True)
class Piece:
    """A text field or a text constant, perhaps in lower case."""

    value: str
    constant: bool
    lowered: bool


@dataclass(frozen=True, slots=True)
class Text:
    """The first of these pieces that is not missing."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Less:
    """left < right; `or_equal` for <=."""

    left: Number
    right: Number
    or_equal: bool


@dataclass(frozen=True, slots=True)
class Equal:
    """left = right."""

    left: Number
    right: Number


@dataclass(frozen=True, slots=True)
class InNumbers:
    """The number is one of these (sorted)."""

    number: Number
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NumberMissing:
    """IS NULL of a number."""

    number: Number


@dataclass(frozen=True, slots=True)
class TextIn:
    """The text is one of these (sorted); of one value it is equality."""

    text: Text
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextLike:
    """The text fits a pattern: `kind` is prefix, suffix, contains or like."""

    text: Text
    kind: str
    pattern: str


@dataclass(frozen=True, slots=True)
class TextMissing:
    """IS NULL of a text."""

    text: Text


@dataclass(frozen=True, slots=True)
class SameText:
    """Two texts of the event are equal."""

    left: Text
    right: Text


@dataclass(frozen=True, slots=True)
class TextListed:
    """The text is on the list and has not expired."""

    name: str
    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """Unknown stays unknown."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """AND: false wins over unknown, unknown over true."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Either:
    """OR: true wins over unknown, unknown over false."""

    left: Condition
    right: Condition


NumberTerm: TypeAlias = Less | Equal | InNumbers | NumberMissing
TextTerm: TypeAlias = TextIn | TextLike | TextMissing
DirectTerm: TypeAlias = SameText | TextListed
Term: TypeAlias = NumberTerm | TextTerm | DirectTerm
Condition: TypeAlias = Term | Not | Both | Either
