"""A rule file's YAML as a small tree that knows where everything stands.

Only what a rule needs is read: one mapping, lists, and scalars. Anchors, aliases, tags and second documents are
refused, so a small file cannot unfold into a large one and no object is ever made. Scalars follow YAML 1.2: ``NO`` and
``on`` are texts, only ``true`` and ``false`` are truth values.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml

from floorwalker.detectors.rules.faults import Fault

DEPTH = 8
NODES = 5_000
_PASSED_OVER = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\Z")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Place(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


class Scalar(NamedTuple):
    """A text, number, truth value or nothing; `start` and `end` are positions in the file."""

    value: str | float | bool | None
    text: str
    place: Place
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Items:
    """A list."""

    values: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class Table:
    """A mapping with text keys."""

    values: dict[str, Node]
    keys: dict[str, Place]
    place: Place


Node: TypeAlias = Scalar | Items | Table


class _RefusedError(Exception):
    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def read_document(file: str, text: str) -> Table | Fault:
    """The file's tree, or what is wrong with it.

    >>> read_document("a.yaml", "severity: 0.5").values["severity"].value
    0.5
    >>> print(read_document("a.yaml", "a: &x 1\\nb: *x"))
    a.yaml:1:4: anchors and aliases are not allowed; write the value out
    """
    starts = _line_starts(text)
    try:
        return _build(text, starts)
    except _RefusedError as refused:
        return Fault(file, refused.place.line, refused.place.column, str(refused))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        return Fault(file, line, column, f"not YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        return Fault(file, 1, 1, f"not YAML: {str(error).splitlines()[0]}")


def _build(text: str, starts: list[int]) -> Table:
    # A stack of open containers instead of recursion: depth is bounded here, not by the interpreter.
    open_nodes: list[tuple[Place, list[Node]]] = []
    finished: Table | None = None
    count = 0
    for event in yaml.parse(text, Loader=_LOADER):
        kind = type(event)
        mark = event.start_mark
        if mark is None or kind in _PASSED_OVER:
            continue
        place = Place(mark.line + 1, mark.column + 1)
        if kind is yaml.DocumentStartEvent:
            if finished is not None:
                raise _RefusedError(place, "a second document in the file; one rule a file")
            continue
        node: Node | None = None
        if kind is yaml.MappingEndEvent:
            begun, parts = open_nodes.pop()
            node = _table(parts, begun)
        elif kind is yaml.SequenceEndEvent:
            begun, parts = open_nodes.pop()
            node = Items(tuple(parts), begun)
        else:
            count += 1
            if count > NODES:
                raise _RefusedError(place, f"more than {NODES} values in one file")
            if kind is yaml.AliasEvent or getattr(event, "anchor", None) is not None:
                raise _RefusedError(place, "anchors and aliases are not allowed; write the value out")
            tag = getattr(event, "tag", None)
            if tag is not None:
                raise _RefusedError(place, f"the tag {tag!r} is not allowed")
            if kind is yaml.ScalarEvent:
                node = _scalar(event, place, starts)
            else:
                if len(open_nodes) >= DEPTH:
                    raise _RefusedError(place, f"nested deeper than {DEPTH} levels")
                open_nodes.append((place, []))
        if node is None:
            continue
        if open_nodes:
            open_nodes[-1][1].append(node)
        elif isinstance(node, Table):
            finished = node
        else:
            raise _RefusedError(place, "the file holds no mapping; allowed: name: value, one a line")
    if finished is None:
        raise _RefusedError(Place(1, 1), "the file is empty")
    return finished


def _table(parts: list[Node], place: Place) -> Table:
    values: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise _RefusedError(key.place, "a key must be a name")
        if key.text in values:
            raise _RefusedError(key.place, f"{key.text!r} is given twice")
        values[key.text] = value
        keys[key.text] = key.place
    return Table(values, keys, place)


def _scalar(event: Any, place: Place, starts: list[int]) -> Scalar:
    style = event.style or ""
    text = str(event.value)
    value: str | float | bool | None = text
    if not style:
        if text in ("", "~", "null"):
            value = None
        elif text in ("true", "false"):
            value = text == "true"
        elif _NUMBER.match(text) and math.isfinite(float(text)):
            value = float(text)
    start = starts[event.start_mark.line] + event.start_mark.column
    end = starts[min(event.end_mark.line, len(starts) - 1)] + event.end_mark.column
    return Scalar(value, text, place, start, end, style)


def _line_starts(text: str) -> list[int]:
    # The breaks that YAML counts.
    return [0, *(match.end() for match in re.finditer("\r\n|[\r\n\x85\u2028\u2029]", text)), len(text)]


def place_inside(source: str, scalar: Scalar, offset: int) -> Place:
    """Where the character at `offset` of a scalar's text stands in the file.

    Folding and indenting change white space only, so the place is found by counting the other characters.

    >>> source = "condition: |\\n  a > 1\\n  AND b > 2\\n"
    >>> table = read_document("a.yaml", source)
    >>> place_inside(source, table.values["condition"], offset=10)
    Place(line=3, column=7)
    """
    position = scalar.start
    if scalar.quote in ("|", ">"):
        position = source.find("\n", position) + 1
    elif scalar.quote:
        position += 1
    wanted = sum(not character.isspace() for character in scalar.text[:offset])
    while position < scalar.end:
        character = source[position]
        if not character.isspace():
            if wanted == 0:
                break
            wanted -= 1
            doubled = scalar.quote == "'" and source.startswith("''", position)
            if doubled or (scalar.quote == '"' and character == "\\"):
                position += 1
        position += 1
    before = source[:position]
    line_start = max(before.rfind("\n"), before.rfind("\r")) + 1
    return Place(before.count("\n") + 1, position - line_start + 1)
