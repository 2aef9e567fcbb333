"""How large rules may be, so that a rule file can exhaust neither memory nor time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on rule files; whoever hands in more gets a fault that names the bound.

    Parameters
    ----------
    rules : files in one table.
    file_characters : length of one file.
    condition_characters : length of one condition.
    tokens : words, numbers, texts and signs in one condition.
    depth : nested parentheses, functions and signs before one another.
    terms : comparisons in one condition; a BETWEEN counts two.
    operators : signs of arithmetic in one condition.
    arguments : values in one call of `coalesce`, `least` or `greatest`.
    list_values : values in one IN list.
    text_characters : length of one text constant or pattern.
    wildcards : ``%`` and ``_`` in one LIKE pattern.
    patterns : text constants and patterns in the whole table; this is what one new text may cost.
    reason_characters : length of a reason's template.
    cases : test cases of one rule.
    event_types : event types one rule names.
    """

    rules: int = 5_000
    file_characters: int = 65_536
    condition_characters: int = 4_000
    tokens: int = 1_000
    depth: int = 24
    terms: int = 64
    operators: int = 100
    arguments: int = 16
    list_values: int = 200
    text_characters: int = 200
    wildcards: int = 16
    patterns: int = 20_000
    reason_characters: int = 400
    cases: int = 100
    event_types: int = 100


DEFAULT_LIMITS = Limits()
