"""A rule's reason: a sentence with the event's own numbers and texts filled in.

Templates name fields and features in braces, perhaps with a format: ``{amount_minor:,.0f}``, ``{share:.0%}``. They
reach nothing else: no attribute, no index, no expression. What a client sent is shortened and stripped of control
characters, so that it cannot write into a log or a terminal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from floorwalker.detectors.rules.limits import Limits
from floorwalker.detectors.rules.schema import Kind, Schema
from floorwalker.registry import nearest_name

MISSING = "(missing)"
TEXT_SHOWN = 80
_FORMAT = re.compile(r",?(\.[0-6][f%])?\Z")


@dataclass(frozen=True)
class ReasonTemplate:
    """A checked template.

    Parameters
    ----------
    pieces : plain text, name, format; the name is empty where only text is left.
    """

    pieces: tuple[tuple[str, str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Fields and features that the sentence shows."""
        return tuple(name for _, name, _ in self.pieces if name)

    def fill(self, value_of: Callable[[str], float | str | None]) -> str:
        """The sentence, with each name's value from `value_of`; None and NaN show as missing.

        >>> from floorwalker.detectors.rules.limits import DEFAULT_LIMITS
        >>> schema = {"device_accounts_1d": Kind.FEATURE}
        >>> template, _ = read_template("{device_accounts_1d} accounts", schema, DEFAULT_LIMITS)
        >>> template.fill({"device_accounts_1d": 6.0}.get)
        '6 accounts'
        """
        return "".join(text + (_shown(value_of(name), form) if name else "") for text, name, form in self.pieces)


def _shown(value: float | str | None, form: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, str):
        clean = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value)
        return clean if len(clean) <= TEXT_SHOWN else f"{clean[:TEXT_SHOWN]}…"
    if form:
        return format(value, form)
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.3g}"


def read_template(text: str, schema: Schema, limits: Limits) -> tuple[ReasonTemplate, list[str]]:
    """The template, and everything that is wrong with it."""
    faults = []
    if len(text) > limits.reason_characters:
        return ReasonTemplate(()), [f"the reason has {len(text)} characters, allowed: {limits.reason_characters}"]
    if not text.strip():
        return ReasonTemplate(()), ["the reason is empty"]
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        return ReasonTemplate(()), [f"not a template: {error}; write {{{{ for a brace"]
    pieces = []
    for plain, name, form, conversion in parts:
        pieces.append((plain, name or "", form or ""))
        if name is None:
            continue
        kind = schema.get(name)
        if kind is None:
            close = nearest_name(name[:80], list(schema))
            hint = f" (did you mean {close!r}?)" if close else ""
            faults.append(f"the reason names an unknown field or feature {name[:80]!r}{hint}")
        elif kind == Kind.TEXT and form:
            faults.append(f"the format {form[:40]!r} of {name!r}, which is a text; allowed: none")
        elif conversion or not _FORMAT.match(form or ""):
            shown = (form or f"!{conversion}")[:40]
            faults.append(f"the format {shown!r} of {name!r}; allowed: such as .0f ,.0f .2f .0%")
    return ReasonTemplate(tuple(pieces)), faults
