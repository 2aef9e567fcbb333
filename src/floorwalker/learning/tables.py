"""Tables that a user names: CSV, JSON lines or Parquet, by their ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from floorwalker.errors import InputError

if TYPE_CHECKING:
    import polars as pl

FORMATS = (".csv", ".jsonl", ".ndjson", ".parquet")


def read_table(path: Path, what: str, *, needed: Sequence[str], taken: str) -> pl.DataFrame:
    """The table in a file, with all its columns.

    Parameters
    ----------
    path : its ending says the format, one of `FORMATS`.
    what : it holds, for the refusal: `labels`.
    needed : columns that must be there.
    taken : which columns are taken at all, in words.

    Raises `InputError` for another ending, a file that cannot be read, or a needed column that is missing.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("subject,value\\ne-1,1\\n")
    >>> read_table(path, "labels", needed=["subject"], taken="subject; value where it is known").shape
    (1, 2)
    """
    import polars as pl

    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"{what} in {path.name}", allowed=", ".join(FORMATS), fix="save them in one of these formats")
    try:
        if kind == ".csv":
            table = pl.read_csv(path)
        else:
            table = pl.read_parquet(path) if kind == ".parquet" else pl.read_ndjson(path)
    except (OSError, pl.exceptions.PolarsError) as broken:
        raise InputError(f"{path} cannot be read: {broken}") from broken
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise InputError(f"{path.name} has no column {missing[0]!r}; it has {', '.join(table.columns)}", allowed=taken)
    return table
