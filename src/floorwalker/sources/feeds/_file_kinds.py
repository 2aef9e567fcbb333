"""What a file is, told by its first bytes."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from floorwalker.errors import InputError
from floorwalker.sources.feeds._csv import find_delimiter
from floorwalker.sources.feeds._lines import LineReader, bytes_before

_HEAD_LINES = 200
_HEAD_BYTES = 1024
TAIL_BYTES = 256
"""How many of a record's last bytes are known again when its file is read on."""


@dataclass(frozen=True)
class FileHead:
    """A file and what its first bytes say.

    Parameters
    ----------
    path : the file.
    kind : `json`, `csv`, `parquet` or `empty`.
    columns : of its table; of JSON lines, the dotted paths that the first lines hold.
    delimiter : of a CSV file.
    body_offset : where a CSV file's records begin.
    fingerprint, fingerprint_bytes : hash of its first line and the line's length: a file that was replaced has another.
    first_record : hash of a CSV file's second line, which its header does not tell; empty where it is not whole yet.
    """

    path: Path
    kind: str
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    body_offset: int = 0
    fingerprint: str = ""
    fingerprint_bytes: int = 0
    first_record: str = ""

    def continues(self, place: Mapping[str, Any]) -> bool:
        """Whether this is the file that a checkpoint's note is about, and not one that was put in its stead.

        What a note of an earlier version does not say is not compared.
        """
        if (self.fingerprint, self.fingerprint_bytes) != (place["head"], place["head_bytes"]):
            return False
        first, offset = place.get("first", ""), place["offset"]
        if first and self.first_record and first != self.first_record:
            return False
        if self.kind not in ("csv", "json") or not offset:
            return True
        size = place.get("tail_bytes", 0)
        # The line's end stands between its last bytes and the offset, unless the file ended without one.
        found = bytes_before(self.path, offset, size + 1)
        if found is None:
            return False
        return not size or hash_bytes(found.removesuffix(b"\n")[-size:]) == place["tail"]

    def note(self, last: bytes) -> dict[str, Any]:
        """What a checkpoint says beside the offset: hashes of the first record and of the last one's end."""
        tail = last[-TAIL_BYTES:]
        return {"first": self.first_record, "tail": hash_bytes(tail), "tail_bytes": len(tail)}


def look_at(path: Path, encoding: str, delimiter: str = "") -> FileHead:
    """Look at a file; what is no table and no JSON lines raises `InputError`."""
    try:
        with open(path, "rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="check the path and its rights") from error
    if magic == b"PAR1":
        return _look_at_parquet(path)
    lines: list[bytes] = []
    ends: list[int] = []
    for line, end, _ in LineReader(path):
        if not lines and not line.strip():
            continue
        lines.append(line.removeprefix(b"\xef\xbb\xbf") if not lines else line)
        ends.append(end)
        if len(lines) >= _HEAD_LINES:
            break
    if not lines:
        return FileHead(path, "empty")
    first = lines[0]
    mark = hash_bytes(first)
    start = first.lstrip()[:1]
    if start == b"{":
        return FileHead(path, "json", _json_paths(lines), fingerprint=mark, fingerprint_bytes=len(first))
    if start == b"[":
        raise InputError(
            f"{path} is one JSON array", allowed="JSON lines, one object a line", fix="convert it: jq -c '.[]' FILE"
        )
    try:
        header = first.decode(encoding).rstrip("\r")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not {encoding}", allowed="JSON lines, CSV or Parquet", fix="name its encoding in the mapping"
        ) from error
    delimiter = delimiter or find_delimiter(header)
    try:
        columns = split_header(header, delimiter)
    except csv.Error as error:
        if "\r" in header:
            raise InputError(
                f"{path} ends its lines with carriage returns alone", allowed="line feeds, with or without them",
                fix="convert it: tr '\\r' '\\n' < FILE",
            ) from error  # fmt: skip
        raise InputError(f"{path} has no CSV header: {error}", allowed="JSON lines, CSV or Parquet") from error
    # A second line without its newline may still be growing.
    whole = len(lines) > 1 and ends[1] - ends[0] > len(lines[1])
    return FileHead(path, "csv", columns, delimiter, ends[0], mark, len(first), hash_bytes(lines[1]) if whole else "")


def hash_bytes(text: bytes) -> str:
    """A short hash by which bytes are known again."""
    return hashlib.blake2b(text, digest_size=12).hexdigest()


def split_header(header: str, delimiter: str) -> tuple[str, ...]:
    """A header's names; a name that comes again gets a number."""
    names: dict[str, None] = {}
    for cell in next(csv.reader([header], delimiter=delimiter), []):
        name, count = cell.strip(), 1
        while name in names:
            count += 1
            name = f"{cell.strip()}.{count}"
        names[name] = None
    return tuple(names)


def _look_at_parquet(path: Path) -> FileHead:
    try:
        columns = tuple(pl.read_parquet_schema(path))
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path} is a damaged Parquet file: {error}") from error
    with open(path, "rb") as file:
        file.seek(-min(path.stat().st_size, _HEAD_BYTES), 2)
        mark = hash_bytes(file.read())
    return FileHead(path, "parquet" if rows else "empty", columns, fingerprint=mark, fingerprint_bytes=rows)


def flatten(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Objects inside objects as dotted names.

    >>> flatten({"a": {"b": 1}, "c": [1]})
    {'a.b': 1, 'c': [1]}
    """
    flat: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _json_paths(lines: list[bytes]) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for line in lines:
        try:
            values = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(values, dict):
            paths.update(dict.fromkeys(flatten(values)))
    return tuple(paths)
