"""Reading a mapping file; all its faults are said at once, each with the nearest name."""

from __future__ import annotations

import re
import tomllib
import zoneinfo
from collections.abc import Iterable
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

from floorwalker.errors import MissingExtraError, UsageError
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.registry import nearest_name
from floorwalker.sources.mapping._currencies import EXPONENTS
from floorwalker.sources.mapping._fields import EVENT_FIELDS, LINE_FIELDS, FieldKind, field_kind
from floorwalker.sources.mapping._model import Cell, Condition, EventRule, Mapping, Reading

_READY = Path(__file__).parent / "ready"
_TOP = ("name", "read", "group", "lenient", "fields", "lines", "events")
_READ = {
    "delimiter": str, "encoding": str, "missing": list, "decimal": str, "thousands": str, "time_zone": str,
    "time_formats": list,
}  # fmt: skip
_CELL: dict[str, type | tuple[type, ...]] = {
    "column": str, "columns": list, "join": str, "constant": (str, int, float, bool, list), "values": dict,
    "patterns": dict, "otherwise": str, "unit": str, "formats": list, "time_zone": str, "split": str, "find": str,
    "prefix": str, "scale": list, "absolute": bool, "optional": bool, "on_bad": str, "total": bool, "received": bool,
    "hash": list,
}  # fmt: skip
_WHEN: dict[str, type | tuple[type, ...]] = {
    "column": str, "is": str, "in": list, "not_in": list, "matches": str, "above": (int, float),
}  # fmt: skip
_NEEDS = {kind.name: kind.needs for kind in EVENT_TYPES}


def list_ready_mappings() -> list[str]:
    """Names of the mappings that come with the product."""
    return sorted(path.stem for path in _READY.glob("*.toml"))


def load_mapping(given: str | Path) -> Mapping:
    """The mapping of a TOML or YAML file, or the ready one of this name.

    Errors
    ------
    `UsageError` with every fault of the file; `MissingExtraError` for YAML without the `serve` extra.

    >>> load_mapping("shopify_orders").group
    'Name'
    """
    path = Path(given)
    ready = list_ready_mappings()
    if str(given) in ready:
        path = _READY / f"{given}.toml"
    elif not path.exists():
        close = nearest_name(str(given), ready)
        raise UsageError(
            f"the mapping {str(given)!r} is neither a file nor a ready mapping",
            allowed=f"a TOML or YAML file, or {', '.join(ready)}",
            fix=f"did you mean {close!r}?" if close else "",
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"mapping {path}: {error}", allowed="a TOML or YAML file in UTF-8") from error
    return parse_mapping(_read_table(path, text), name=path.stem)


def _read_table(path: Path, text: str) -> object:
    if path.suffix.lower() in (".yaml", ".yml"):
        try:
            import yaml
        except ImportError as error:
            raise MissingExtraError("yaml", "serve") from error
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"mapping {path}: {error}", allowed="YAML") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"mapping {path}: {error}", allowed="TOML, or YAML in a file named .yaml") from error


def parse_mapping(table: object, *, name: str) -> Mapping:
    """The mapping that a table describes.

    Parameters
    ----------
    table : what the TOML or YAML file holds.
    name : the mapping's name where the table gives none.

    Errors
    ------
    `UsageError` listing every fault.

    >>> parse_mapping({"fields": {"type": {"constant": "ordr"}, "at": "When", "acount": "Customer"}}, name="x")
    Traceback (most recent call last):
        ...
    floorwalker.errors.UsageError: 2 faults in the mapping 'x': fields.type: unknown type of event 'ordr' (did you \
mean 'order'?); fields.acount: no field of an event (did you mean 'account'?)
    """
    faults: list[str] = []
    if not isinstance(table, dict):
        raise UsageError(f"the mapping {name!r} is no table", allowed="[fields] with field = column")
    _refuse_unknown(table, _TOP, "", faults)
    name = table.get("name", name)
    reading = _read_reading(table.get("read", {}), faults)
    shared = _read_cells(table.get("fields", {}), "fields", field_kind, list(EVENT_FIELDS), faults)
    lines = _read_cells(table.get("lines", {}), "lines", LINE_FIELDS.get, list(LINE_FIELDS), faults)
    rules = []
    given = table.get("events", [{}])
    if not isinstance(given, list) or not given:
        faults.append("events: allowed: [[events]] tables, at least one")
        given = []
    for place, part in enumerate(given):
        where = f"events[{place}]" if "events" in table else ""
        rules.append(_read_rule(part, where, shared, bool(lines), faults))
    group = table.get("group", "")
    if not isinstance(group, str) or not isinstance(name, str):
        faults.append("name and group: allowed: text")
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise UsageError(f"{count} in the mapping {str(name)!r}: " + "; ".join(faults))
    return Mapping(
        name=name,
        events=tuple(rules),
        reading=reading,
        group=group,
        lines=lines,
        lenient=table.get("lenient", False) is True,
    )


def guess(name: str, known: Iterable[str]) -> str:
    """``(did you mean …?)`` or nothing."""
    close = nearest_name(name, list(known))
    return f" (did you mean {close!r}?)" if close else ""


def _refuse_unknown(table: Table[str, object], known: Iterable[str], where: str, faults: list[str]) -> None:
    known = list(known)
    odd = [name for name in table if name not in known]
    faults += [f"{where}{name}: unknown{guess(str(name), known)}, allowed: {', '.join(known)}" for name in odd]


def _check_types(table: Table[str, Any], kinds: Table[str, Any], where: str, faults: list[str]) -> dict[str, Any]:
    _refuse_unknown(table, kinds, f"{where}.", faults)
    fine: dict[str, Any] = {}
    for name, value in table.items():
        if name not in kinds:
            continue
        kind = kinds[name] if isinstance(kinds[name], tuple) else (kinds[name],)
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind):
            faults.append(f"{where}.{name}: allowed: {' or '.join(_WORDS[one] for one in kind)}")
        else:
            fine[name] = value
    return fine


_WORDS: dict[type, str] = {
    str: "text", list: "a list", dict: "a table", bool: "true or false", int: "a number", float: "a number",
}  # fmt: skip


def _read_reading(table: object, faults: list[str]) -> Reading:
    if not isinstance(table, dict):
        faults.append("read: allowed: a table")
        return Reading()
    fine = _check_types(table, _READ, "read", faults)
    if (zone := fine.get("time_zone")) and not _is_zone(zone):
        faults.append(f"read.time_zone: unknown time zone {zone!r}{guess(zone, zoneinfo.available_timezones())}")
    if (encoding := fine.get("encoding")) is not None:
        try:
            "".encode(encoding)
        except LookupError:
            faults.append(f"read.encoding: unknown encoding {encoding!r}")
    marks = [mark for mark in ("delimiter", "decimal") if mark in fine and len(fine[mark]) != 1]
    faults += [f"read.{mark}: allowed: one character" for mark in marks]
    fine.update({name: tuple(map(str, fine[name])) for name in ("missing", "time_formats") if name in fine})
    return Reading(**fine)


def _is_zone(name: str) -> bool:
    return name in zoneinfo.available_timezones()


def _read_cells(table: object, where: str, find: Any, known: list[str], faults: list[str]) -> dict[str, Cell]:
    if not isinstance(table, dict):
        faults.append(f"{where}: allowed: a table of field = column")
        return {}
    cells: dict[str, Cell] = {}
    for path, given in _flatten(table, find):
        kind = find(path)
        if kind is None:
            faults.append(
                f"{where}.{path}: no field of an {'order line' if find != field_kind else 'event'}{guess(path, known)}"
            )
            continue
        if (cell := _read_cell(given, f"{where}.{path}", path, kind, faults)) is not None:
            cells[path] = cell
    return cells


def _flatten(table: dict[str, Any], find: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Nested tables as dotted paths: TOML writes `shipping_address.city` as either."""
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and find(path) is None and not (set(value) & set(_CELL)):
            found += _flatten(value, find, f"{path}.")
        else:
            found.append((path, value))
    return found


def _read_cell(given: object, where: str, path: str, kind: FieldKind, faults: list[str]) -> Cell | None:
    if isinstance(given, str):
        given = {"column": given}
    if isinstance(given, list):
        given = {"columns": given}
    if not isinstance(given, dict):
        faults.append(f"{where}: allowed: a column's name, a list of columns, or a table with column or constant")
        return None
    before = len(faults)
    fine = _check_types(given, _CELL, where, faults)
    columns = tuple(map(str, fine.get("columns", fine.get("hash", ())))) or (
        (fine["column"],) if "column" in fine else ()
    )
    ways = [
        name
        for name in ("column", "columns", "hash", "constant", "total", "received")
        if fine.get(name) not in (None, False)
    ]
    if len(ways) != 1 and len(faults) == before:
        faults.append(
            f"{where}: {' and '.join(ways) or 'nothing'} given, allowed: one of column, columns, constant"
            + {"id": ", hash", "at": ", received", "amount_minor": ", total"}.get(path, "")
        )
    for name, only in (("hash", "id"), ("received", "at"), ("total", "amount_minor")):
        if name in fine and path != only:
            faults.append(f"{where}.{name}: only {only} can be made so")
    if len(faults) == before:
        _check_cell(fine, where, path, kind, faults)
    scale = fine.get("scale")
    return Cell(
        columns=columns,
        join=fine.get("join"),
        constant=fine.get("constant"),
        values={str(key): _text(value) for key, value in fine.get("values", {}).items()},
        patterns=tuple((str(key), _text(value)) for key, value in fine.get("patterns", {}).items()),
        otherwise=fine.get("otherwise"),
        unit=fine.get("unit", ""),
        formats=tuple(map(str, fine.get("formats", ()))),
        time_zone=fine.get("time_zone", ""),
        split=fine.get("split", ",") if kind.name == "list" else "",
        find=fine.get("find", ""),
        prefix=fine.get("prefix", ""),
        scale=(float(scale[0]), float(scale[1])) if scale and len(scale) == 2 else None,
        absolute=fine.get("absolute", False),
        optional=fine.get("optional", False),
        on_bad=fine.get("on_bad", "refuse"),
        total=fine.get("total", False),
        received=fine.get("received", False),
        hashed="hash" in fine,
    )  # fmt: skip


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_cell(fine: dict[str, Any], where: str, path: str, kind: FieldKind, faults: list[str]) -> None:
    units = {"money": ("major", "minor"), "time": ("s", "ms", "us")}.get(kind.name, ())
    unit = fine.get("unit")
    if unit is not None and unit not in units:
        faults.append(f"{where}.unit: {unit!r}, allowed: {', '.join(units) or 'no unit for this field'}")
    if kind.name == "money" and unit is None and not fine.get("total") and "constant" not in fine:
        faults.append(f'{where}: an amount needs its unit, allowed: unit = "major" (12.34) or "minor" (1234)')
    if (zone := fine.get("time_zone")) and not _is_zone(zone):
        faults.append(f"{where}.time_zone: unknown time zone {zone!r}{guess(zone, zoneinfo.available_timezones())}")
    if fine.get("on_bad", "refuse") not in ("refuse", "drop"):
        faults.append(f"{where}.on_bad: {fine['on_bad']!r}, allowed: refuse, drop")
    if (scale := fine.get("scale")) is not None and (
        len(scale) != 2 or not all(isinstance(one, int | float) for one in scale) or not scale[0] < scale[1]
    ):
        faults.append(f"{where}.scale: allowed: [lowest, highest]")
    if "split" in fine and (kind.name != "list" or not fine["split"]):
        faults.append(f"{where}.split: allowed: the characters between the entries, for coupons alone")
    if "find" in fine:
        _check_pattern(fine["find"], f"{where}.find", faults)
        if "(" not in fine["find"]:
            faults.append(f"{where}.find: allowed: a regular expression with a group, e.g. code:([^|]+)")
    for pattern in fine.get("patterns", {}):
        _check_pattern(str(pattern), f"{where}.patterns", faults)
    said = [*map(_text, fine.get("values", {}).values()), *map(_text, fine.get("patterns", {}).values())]
    said += [fine["otherwise"]] if "otherwise" in fine else []
    said += [_text(fine["constant"])] if "constant" in fine else []
    for value in dict.fromkeys(said):
        _check_value(value, where, path, kind, faults)


def _check_pattern(pattern: str, where: str, faults: list[str]) -> None:
    import polars as pl

    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except (re.error, pl.exceptions.ComputeError):
        faults.append(f"{where}: {pattern!r} is no regular expression (look-around and back-references are none here)")


def _check_value(value: str, where: str, path: str, kind: FieldKind, faults: list[str]) -> None:
    if value == "":
        return
    if path == "type":
        if value not in TYPE_CODES and value != SKIP:
            faults.append(f"{where}: unknown type of event {value!r}{guess(value, TYPE_CODES)}")
    elif kind.choices and value not in kind.choices:
        faults.append(f"{where}: {value!r}{guess(value, kind.choices)}, allowed: {kind.allowed}")
    elif kind.pattern and not re.search(kind.pattern, value):
        faults.append(f"{where}: {value!r}, allowed: {kind.allowed}")
    elif path == "currency" and value not in EXPONENTS:
        faults.append(f"{where}: {value!r} is no currency of ISO 4217{guess(value, EXPONENTS)}")


SKIP = "skip"
"""As a type: the record makes no event."""


def _read_rule(part: object, where: str, shared: dict[str, Cell], has_lines: bool, faults: list[str]) -> EventRule:
    if not isinstance(part, dict):
        faults.append(f"{where}: allowed: a table")
        return EventRule(shared)
    _refuse_unknown(part, ("type", "when", "fields"), f"{where}." if where else "", faults)
    label = f"{where}.fields" if where else "fields"
    own = _read_cells(part.get("fields", {}), label, field_kind, list(EVENT_FIELDS), faults)
    fields = {**shared, **own}
    if "type" in part:
        kind = part["type"]
        if kind not in TYPE_CODES:
            faults.append(f"{where}.type: unknown type of event {kind!r}{guess(str(kind), TYPE_CODES)}")
        fields["type"] = Cell(constant=kind)
    if "type" not in fields:
        faults.append(f'{where or "fields"}: type is missing, allowed: type = {{ constant = "order" }} or a column')
    if "at" not in fields:
        faults.append(f"{where or 'fields'}: at is missing: an event needs its time")
    for path, cell in fields.items():
        if cell.total and not has_lines:
            faults.append(f"{label}.{path}.total: there are no [lines] to sum")
    _check_needs(fields, where or "fields", has_lines, faults)
    conditions = part.get("when", [])
    conditions = [conditions] if isinstance(conditions, dict) else conditions
    return EventRule(fields, tuple(_read_condition(one, f"{where}.when", faults) for one in conditions))


def _check_needs(fields: dict[str, Cell], where: str, has_lines: bool, faults: list[str]) -> None:
    """A type whose needed fields the mapping never fills would refuse every record."""
    cell = fields.get("type")
    if cell is None:
        return
    types = [cell.constant] if cell.constant else [*cell.values.values(), *(kind for _, kind in cell.patterns)]
    filled = {path.partition(".")[0] for path in fields} | ({"lines"} if has_lines else set())
    for kind in types + ([cell.otherwise] if cell.otherwise else []):
        lacking = [need for need in _NEEDS.get(str(kind), ()) if not filled & set(need.split("|"))]
        faults += [
            f"{where}: the type {kind!r} needs {' or '.join(need.split('|'))}, which no column fills"
            for need in lacking
        ]


def _read_condition(given: object, where: str, faults: list[str]) -> Condition:
    if not isinstance(given, dict) or "column" not in given or len(given) != 2:
        faults.append(f"{where}: allowed: column and one of {', '.join(list(_WHEN)[1:])}")
        return Condition("")
    fine = _check_types(given, _WHEN, where, faults)
    if "is" in fine and fine["is"] not in ("present", "missing"):
        faults.append(f"{where}.is: {fine['is']!r}, allowed: present, missing")
    if "matches" in fine:
        _check_pattern(fine["matches"], f"{where}.matches", faults)
    return Condition(
        column=fine.get("column", ""),
        present={"present": True, "missing": False}.get(fine.get("is", "")),
        any_of=tuple(map(str, fine["in"])) if "in" in fine else None,
        none_of=tuple(map(str, fine["not_in"])) if "not_in" in fine else None,
        matches=fine.get("matches"),
        above=fine.get("above"),
    )
