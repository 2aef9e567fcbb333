"""A mapping after it was read and found faultless."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """How one field is made.

    Parameters
    ----------
    columns : columns to take it from; without `join` the first that holds something.
    join : put between the columns' texts, all of which are taken; None takes one.
    constant : the same for every record, instead of columns.
    values : text in the column -> text in the field; an empty one means missing.
    patterns : regular expressions, tried in order after `values`; the first that is found decides.
    otherwise : for what neither list holds; None lets the text through.
    unit : of an amount (`major`, `minor`) or a number that stands for a time (`s`, `ms`, `us`).
    formats, time_zone : of a time; see `docs/sources.md`.
    split : characters that stand between the entries of a list; empty for a field that is no list.
    find : a regular expression whose first group is taken from the text, or from each entry, where it is found.
    prefix : put before the text.
    scale : (lowest, highest) of a number that becomes a share of 0 to 1.
    absolute : take the sign off.
    optional : leave the field out where the file lacks the columns.
    on_bad : `refuse` the record, or `drop` the value, where it does not fit the field.
    total : for an amount: the sum over the lines.
    received : for `at`: when the record was read.
    hashed : for `id`: the id is made of these columns' texts.
    """

    columns: tuple[str, ...] = ()
    join: str | None = None
    constant: Any = None
    values: dict[str, str] = field(default_factory=dict)
    patterns: tuple[tuple[str, str], ...] = ()
    otherwise: str | None = None
    unit: str = ""
    formats: tuple[str, ...] = ()
    time_zone: str = ""
    split: str = ""
    find: str = ""
    prefix: str = ""
    scale: tuple[float, float] | None = None
    absolute: bool = False
    optional: bool = False
    on_bad: str = "refuse"
    total: bool = False
    received: bool = False
    hashed: bool = False


@dataclass(frozen=True)
class Condition:
    """When a record makes an event: what one column must hold. See `docs/sources.md`."""

    column: str
    present: bool | None = None
    any_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    matches: str | None = None
    above: float | None = None


@dataclass(frozen=True)
class EventRule:
    """One kind of event that a record can make.

    Parameters
    ----------
    fields : field of the event -> how it is made; `type` is one of them.
    when : conditions that all hold; without any, every record makes the event.
    """

    fields: dict[str, Cell]
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How cells are read.

    Parameters
    ----------
    delimiter : between the cells of a CSV line; empty: whichever of ``, ; tab |`` makes most of the header.
    encoding : of a CSV or JSON-lines file.
    missing : texts that mean "nothing", beside the empty one.
    decimal, thousands : marks inside numbers.
    time_zone : of times that name none.
    time_formats : tried in order for every time that names no formats of its own.
    """

    delimiter: str = ""
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    time_zone: str = ""
    time_formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """From the records of one kind of table to events.

    Parameters
    ----------
    name : goes into ids that are made here: another name, other ids.
    events : what a record can make, in the order in which the events come.
    reading : how cells are read.
    group : a column; records that follow one another and hold the same in it are one (an order with its lines).
    lines : field of an order line -> how it is made; empty makes no lines.
    lenient : fields whose columns the file lacks are left out instead of being a fault, unless the type needs them.
    """

    name: str
    events: tuple[EventRule, ...]
    reading: Reading = Reading()
    group: str = ""
    lines: dict[str, Cell] = field(default_factory=dict)
    lenient: bool = False

    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping names, each once."""
        named: dict[str, None] = {self.group: None} if self.group else {}
        cells = [cell for rule in self.events for cell in rule.fields.values()] + list(self.lines.values())
        for cell in cells:
            named.update(dict.fromkeys(cell.columns))
        for rule in self.events:
            named.update(dict.fromkeys(one.column for one in rule.when))
        return tuple(named)
