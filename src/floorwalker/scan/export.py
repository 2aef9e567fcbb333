"""A scan's findings as files for other programs: CSV, Parquet and one JSON document with a stable schema."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from floorwalker.errors import UsageError
from floorwalker.scan.result import CATEGORIES, TIERS, ScanResult
from floorwalker.scan.summary import headline, summarise

SCHEMA = "floorwalker.scan"
SCHEMA_VERSION = 1
"""Raised when a key of the JSON document changes its meaning or goes; new keys do not raise it."""

LIST_SEPARATOR = " | "

FORMULA_STARTS = r"^[=+\-@\t\r\n＝＋－＠]"
"""What makes a spreadsheet run a cell: also after its own Unicode folding of full-width signs."""


def _plain(value: Any) -> Any:
    """Values that JSON knows: moments as ISO 8601, no NaN, no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    # Shortest decimals: float32 0.93 is written 0.93, not 0.9300000071525574.
    narrow = [name for name, kind in frame.schema.items() if kind == pl.Float32]
    wide = frame.with_columns(pl.col(name).cast(pl.Float64).round_sig_figs(7) for name in narrow)
    return [_plain(row) for row in wide.iter_rows(named=True)]


def to_json(result: ScanResult, *, masked: bool = False) -> dict[str, Any]:
    """The findings as one document of lists, dictionaries, texts, numbers and nulls.

    The schema stands in docs/report.md. Flagged visitors are listed in full, strongest first; unflagged ones only
    count (`write_parquet` holds every judged visitor).

    Parameters
    ----------
    result : what a scan found, already masked where it shall be.
    masked : whether it is, to be said in the document.

    >>> import numpy as np
    >>> from floorwalker.testing.scan_results import make_scan_result
    >>> document = to_json(make_scan_result(np.random.default_rng(7), visitors=40))
    >>> document["schema"], document["schema_version"], document["summary"]["flagged"]
    ('floorwalker.scan', 1, 2)
    """
    summary = summarise(result)
    source = result.source
    flagged = []
    for row in _rows(result.flagged):
        row["features"] = {name: row.pop(name) for name in result.features}
        row.pop("flagged")
        flagged.append(row)
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "masked": masked,
        "headline": headline(result, summary),
        "warnings": _plain(result.warnings),
        "source": {
            "files": _plain(source.files),
            "format": source.format,
            "format_note": _plain(source.format_note),
            "lines": source.lines,
            "requests": source.requests,
            "size_bytes": source.size_bytes,
            "first_at": _plain(source.first_at),
            "last_at": _plain(source.last_at),
        },
        "training_days": _plain(result.training_days),
        "judged_days": _plain(result.judged_days),
        "summary": {
            "visitors": summary.visitors,
            "visitor_days": result.visitors.height,
            "flagged": summary.flagged,
            "flagged_visitor_days": len(flagged),
            "flagged_by_tier": {tier: summary.tiers[tier] for tier in TIERS},
            "flagged_by_category": {category: summary.categories[category] for category in CATEGORIES},
            "flagged_by_pattern": dict(summary.patterns),
            "swarms_flagged": summary.swarms,
            "machines": summary.machines,
            "impostors": summary.impostors,
        },
        "threshold": {
            "detector": result.detector,
            "score": _plain(float(result.threshold)),
            "budget": _plain(float(result.budget)),
        },
        "features": [
            {
                "name": name,
                "unit": result.feature_units.get(name, ""),
                "median": _plain(float(result.medians.get(name, math.nan))),
            }
            for name in result.features
        ],
        "flagged": flagged,
        "swarms": _rows(result.swarms),
        "machines": _rows(result.machines),
        "routes": _rows(result.routes),
        "days": _rows(result.days),
        "cleaned": [
            {"reason": part.reason, "count": part.count, "unit": part.unit, "sample": _plain(part.sample)}
            for part in result.cleaned
        ],
        "blocklist": {"allowed": result.blocklist_allowed, "refusal": _plain(result.blocklist_refusal)},
        "seconds": _plain(dict(result.seconds)),
    }


def encode_json(document: dict[str, Any], *, indent: int = 2) -> bytes:
    """A document as UTF-8, keys in their order, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=indent) + b"\n"


def flatten_visitors(result: ScanResult, *, flagged_only: bool = False) -> pl.DataFrame:
    """The visitors as a spreadsheet may open them: lists joined, no cell that runs as a formula.

    A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break gets a leading apostrophe: a user agent such as
    `=HYPERLINK(…)` would otherwise run in the analyst's spreadsheet (CWE-1236).
    """
    frame = result.flagged if flagged_only else result.visitors
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    joined = frame.with_columns(pl.col(name).list.join(LIST_SEPARATOR) for name in lists)
    texts = [name for name, kind in joined.schema.items() if kind == pl.String]
    return joined.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA_STARTS)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )


def write_csv(result: ScanResult, path: Path, *, flagged_only: bool = False) -> None:
    """Write one row a judged visitor and day, or only the flagged ones strongest first, as UTF-8 CSV."""
    flatten_visitors(result, flagged_only=flagged_only).write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S")


def write_parquet(result: ScanResult, path: Path, *, flagged_only: bool = False) -> None:
    """Write the visitors with their types and lists as they are."""
    frame = result.flagged if flagged_only else result.visitors
    frame.write_parquet(path, compression="zstd", metadata={"schema": SCHEMA, "schema_version": str(SCHEMA_VERSION)})


def write_json(result: ScanResult, path: Path, *, masked: bool = False) -> None:
    """Write the document of `to_json`."""
    path.write_bytes(encode_json(to_json(result, masked=masked)))


WRITERS: dict[str, Callable[[ScanResult, Path], None]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".json": write_json,
}


def check_ending(path: Path) -> str:
    """The file's ending, lower-cased; one that no writer knows raises `UsageError`.

    >>> check_ending(Path("found.CSV"))
    '.csv'
    """
    ending = path.suffix.lower()
    if ending not in WRITERS:
        raise UsageError(
            f"the output {path.name!r}", allowed=f"a name that ends in {', '.join(WRITERS)}", fix="change the ending"
        )
    return ending


def write_findings(result: ScanResult, path: Path) -> None:
    """Write the findings in the form that the file's ending names; another ending raises `UsageError`."""
    WRITERS[check_ending(path)](result, path)
