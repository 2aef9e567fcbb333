"""Write a generated log as a server would: nginx combined lines, with or without what follows them, or JSON lines."""

from __future__ import annotations

import gzip
import io
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import polars as pl

from floorwalker.errors import UsageError
from floorwalker.simulation.access_log._records import GeneratedLog

FORMATS = ("combined", "combined_extra", "json")
"""`combined`: nginx's and Apache's own. `combined_extra`: with the session cookie and the host in quotes after it.
`json`: one object a line with
nginx's variable names and the time to the millisecond."""

_BLOCK = 200_000


def write_log(
    log: GeneratedLog,
    path: Path,
    *,
    format: str = "combined",  # noqa: A002
    utc_offset_minutes: int | None = None,
) -> None:
    """Write the requests of a log to a file.

    Parameters
    ----------
    path : where; a name that ends in `.gz` is compressed (without a time stamp: same log, same bytes).
    format : one of `FORMATS`.
    utc_offset_minutes : the time zone that the server writes, the shop's own by default.
        Times are cut to whole seconds except in `json`.

    Raises
    ------
    UsageError : unknown format.
    """
    if format not in FORMATS:
        raise UsageError(f"format {format!r}", allowed=", ".join(FORMATS))
    offset = log.utc_offset_minutes if utc_offset_minutes is None else utc_offset_minutes
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed:
                _write(log.requests, packed, format, offset)
        else:
            _write(log.requests, raw, format, offset)


def _write(requests: pl.DataFrame, out: BinaryIO | gzip.GzipFile, format: str, offset: int) -> None:  # noqa: A002
    for block in requests.iter_slices(_BLOCK):
        lines = block.select(_json(offset) if format == "json" else _combined(offset, extra=format == "combined_extra"))
        buffer = io.BytesIO()
        lines.write_csv(buffer, include_header=False, quote_style="never")
        out.write(buffer.getvalue())


def zone(offset_minutes: int) -> str:
    """A time zone as logs write it.

    >>> zone(480), zone(-210)
    ('+0800', '-0330')
    """
    sign = "-" if offset_minutes < 0 else "+"
    return f"{sign}{abs(offset_minutes) // 60:02d}{abs(offset_minutes) % 60:02d}"


def local_time(offset: int) -> pl.Expr:
    """The column `at` as a local date and time."""
    return pl.from_epoch(pl.col("at"), time_unit="us") + timedelta(minutes=offset)


def _combined(offset: int, *, extra: bool) -> pl.Expr:
    parts = [
        pl.col("client"), pl.lit(" - - ["), local_time(offset).dt.strftime("%d/%b/%Y:%H:%M:%S"),
        pl.lit(f" {zone(offset)}] \""),
        pl.col("method"), pl.lit(" "), pl.col("target"), pl.lit(' HTTP/1.1" '), pl.col("status"), pl.lit(" "),
        pl.col("size"), pl.lit(' "'),
        pl.col("referrer").fill_null("-"), pl.lit('" "'), pl.col("user_agent").fill_null("-"), pl.lit('"'),
    ]  # fmt: skip
    if extra:
        parts += [pl.lit(' "'), pl.col("session").fill_null("-"), pl.lit('" "'), pl.col("host"), pl.lit('"')]
    return pl.concat_str(parts)


def _json(offset: int) -> pl.Expr:
    local = f"%Y-%m-%dT%H:%M:%S%.3f{zone(offset)[:3]}:{zone(offset)[3:]}"
    fields: list[tuple[str, pl.Expr]] = [
        ("time", local_time(offset).dt.strftime(local)), ("remote_addr", pl.col("client")), ("host", pl.col("host")),
        ("request_method", pl.col("method")), ("request_uri", pl.col("target")),
        ("status", pl.col("status").cast(pl.String)),
        ("body_bytes_sent", pl.col("size").cast(pl.String)), ("http_referer", pl.col("referrer").fill_null("")),
        ("http_user_agent", pl.col("user_agent").fill_null("")), ("cookie_session", pl.col("session").fill_null("")),
    ]  # fmt: skip
    parts: list[pl.Expr] = [pl.lit("{")]
    for position, (name, value) in enumerate(fields):
        parts += [pl.lit(("," if position else "") + f'"{name}":"'), value, pl.lit('"')]
    return pl.concat_str([*parts, pl.lit("}")])
