"""Labels given by hand: read from a sheet as any spreadsheet may have saved it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import InputError
from floorwalker.scan.phrases import printable, say_count

POSITIVE = frozenset({"yes", "y", "1", "true", "abuse", "abuser", "abusive", "bad", "bot", "malicious", "hunter"})
NEGATIVE = frozenset({"no", "n", "0", "false", "honest", "good", "benign", "normal", "human", "customer", "fine"})
UNDECIDED = frozenset({"", "?", "unsure", "unknown", "unclear", "skip", "-"})
MOST_FAULTS = 20


@dataclass(frozen=True)
class Labels:
    """Labels read from a sheet.

    Parameters
    ----------
    keys : the labelled visitors.
    abusive : bool [n].
    weights : float64 [n]: how many visitors of the log each stands for.
    undecided : rows without a label or with a question mark.
    """

    keys: tuple[str, ...]
    abusive: NDArray[np.bool_]
    weights: NDArray[np.float64]
    undecided: int


def read_labels(path: Path) -> Labels:
    """Read a labelled sheet: comma, semicolon or tab between cells, with or without instructions and a BOM.

    Raises
    ------
    InputError : the sheet cannot be used; all its faults are told at once, with their lines.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"labels {path}: {error.strerror}", fix="check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"labels {path} are not UTF-8", fix="save the sheet as CSV UTF-8") from error
    top = next((line for line in text.splitlines() if line.strip() and not line.lstrip('" ').startswith("#")), "")
    if not top:
        raise InputError(f"labels {path} are empty", allowed="a sheet written by --sample", fix="label its rows")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=top.count))
    try:
        rows = [(reader.line_num, row) for row in reader if any(row) and not row[0].lstrip().startswith("#")]
    except csv.Error as error:
        raise InputError(
            f"labels {path}, line {reader.line_num}: {error}", fix="save the sheet as CSV again"
        ) from error
    heads = [head.strip().lower() for head in rows[0][1]]
    missing = [name for name in ("key", "label") if name not in heads]
    if missing:
        raise InputError(
            f"labels {path} have no column {' and '.join(missing)}",
            allowed="columns key and label, and weight where the sample was stratified",
            fix="label the sheet that --sample wrote",
        )
    return _collect(path, heads, rows[1:])


def _collect(path: Path, heads: list[str], rows: list[tuple[int, list[str]]]) -> Labels:
    key_at, label_at = heads.index("key"), heads.index("label")
    weight_at = heads.index("weight") if "weight" in heads else -1
    faults: list[str] = []
    found: dict[str, tuple[bool, float]] = {}
    undecided = 0
    for line, row in rows:
        cells = [*row, *[""] * (len(heads) - len(row))]
        key, label = cells[key_at].strip(), cells[label_at].strip().lower().lstrip("'")
        if label in UNDECIDED:
            undecided += 1
            continue
        if label not in POSITIVE and label not in NEGATIVE:
            faults.append(f"line {line}: label {printable(label, 30)!r}")
            continue
        weight = _weight(cells[weight_at]) if weight_at >= 0 else 1.0
        if not key:
            faults.append(f"line {line}: no key")
        elif weight is None:
            faults.append(f"line {line}: weight {printable(cells[weight_at], 30)!r}")
        elif key in found and found[key][0] != (label in POSITIVE):
            faults.append(f"line {line}: {key} is labelled both ways")
        else:
            found[key] = (label in POSITIVE, weight)
    if faults:
        more = f" and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise InputError(
            f"labels {path}: {say_count(len(faults), 'fault')}: {'; '.join(faults[:MOST_FAULTS])}{more}",
            allowed="yes, no or ? as label, a key, a positive number as weight",
        )
    if not found:
        raise InputError(f"labels {path}: no row is labelled", fix="write yes or no into the column label")
    return Labels(
        keys=tuple(found),
        abusive=np.array([label for label, _ in found.values()], bool),
        weights=np.array([weight for _, weight in found.values()], np.float64),
        undecided=undecided,
    )


def _weight(text: str) -> float | None:
    try:
        # Spreadsheets in half of Europe write a decimal comma.
        weight = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return weight if np.isfinite(weight) and weight > 0 else None
