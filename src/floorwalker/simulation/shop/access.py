"""The nginx access log that matches a run: one combined line for every event that came from a client."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from floorwalker.simulation.shop.honest.shelf import HOST

_GETS = ("page_view", "search")
_STATUS = {"login_failed": 401, "payment_declined": 402, "code_sent": 202, "client_signals": 204, "decoy_touched": 404}
_ESCAPES = ((" ", "%20"), ('"', "%22"), ("\\", "%5C"))


def write_lines(day: Path, target: Path) -> None:
    """Lines of one day's events, in their order, in the combined format."""
    names = ["at", "type", "ip", "url", "status", "referrer", "user_agent"]
    frame = pl.read_ipc(day, columns=names).filter(pl.col("url").is_not_null(), pl.col("ip").is_not_null())
    path = pl.col("url").str.strip_prefix(HOST)
    referrer = pl.col("referrer").fill_null("-")
    for letter, escaped in _ESCAPES:
        path = path.str.replace_all(letter, escaped, literal=True)
        referrer = referrer.str.replace_all(letter, escaped, literal=True)
    status = pl.coalesce("status", pl.col("type").replace_strict(_STATUS, default=200, return_dtype=pl.Int64))
    size = pl.col("at") % 24_000 + 900
    time = pl.from_epoch("at", time_unit="us").dt.strftime("%d/%b/%Y:%H:%M:%S +0000")
    line = pl.concat_str(
        pl.col("ip"), pl.lit(" - - ["), time, pl.lit('] "'),
        pl.when(pl.col("type").is_in(_GETS)).then(pl.lit("GET ")).otherwise(pl.lit("POST ")), path,
        pl.lit(' HTTP/1.1" '), status.cast(pl.String), pl.lit(" "), size.cast(pl.String), pl.lit(' "'), referrer,
        pl.lit('" "'), pl.col("user_agent").fill_null("-").str.replace_all('"', "%22", literal=True), pl.lit('"'),
    )  # fmt: skip
    with target.open("wb") as out:
        text = frame.select(line.str.join("\n").alias("line")).item() if len(frame) else ""
        out.write(text.encode() + (b"\n" if text else b""))
