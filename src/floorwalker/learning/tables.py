"""Tables that a user names: CSV, JSON lines or Parquet, by their ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from floorwalker.errors import InputError

if TYPE_CHECKING:
    import polars as pl

FORMATS = (".csv", ".jsonl", ".ndjson", ".parquet")


def read_table(path: Path, what: str, *, needed: Sequence[str], taken: str, words: Sequence[str]) -> pl.DataFrame:
    """The table in a file, with all its columns.

    Parameters
    ----------
    path : its ending says the format, one of `FORMATS`.
    what : it holds, for the refusal: `labels`.
    needed : columns that must be there.
    taken : which columns are taken at all, in words.
    words : columns that are text also where they look like numbers: an id of 007 is not one of 7.

    Raises `InputError` for another ending, a file that cannot be read, or a needed column that is missing.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("subject,value\\n007,1\\n")
    >>> told = "subject; value where it is known"
    >>> read_table(path, "labels", needed=["subject"], taken=told, words=["subject"]).row(0)
    ('007', 1)
    """
    import polars as pl

    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise InputError(f"{what} in {path.name}", allowed=", ".join(FORMATS), fix="save them in one of these formats")
    try:
        if kind == ".csv":
            # A column that begins with a hundred whole numbers may go on with others.
            kinds = dict.fromkeys(words, pl.String)
            table = pl.read_csv(path, infer_schema_length=None, schema_overrides=kinds)
        else:
            table = pl.read_parquet(path) if kind == ".parquet" else pl.read_ndjson(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as broken:
        raise InputError(f"{path} cannot be read: {broken}") from broken
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise InputError(f"{path.name} has no column {missing[0]!r}; it has {', '.join(table.columns)}", allowed=taken)
    return table
