"""``floorwalker history``: months of events as Parquet files, and questions to them in SQL."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.cli.serve import FOLDER, Database, Folder, need_serving

history_app = typer.Typer(
    name="history", help="Events as Parquet files: made from the journal, asked in SQL.", no_args_is_help=True
)


def _now() -> int:
    return time.time_ns() // 1000


@history_app.command()
def update(
    keep_days: Annotated[int, typer.Option(help="Remove rows so many days after their day; 0 keeps all.", min=0)] = 0,
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """Bring the history up to date. Works beside a running server, up to what its ledger knows."""
    need_serving()
    from floorwalker.server.event_history import update_history
    from floorwalker.server.installation import Installation

    found = update_history(Installation(folder), clock=_now, database=database, keep_days=keep_days)
    if as_json:
        print_json(dict(found))
    else:
        note(f"{found['records']:,} records read, {found['joined']} files joined, {found['removed']:,} rows removed")


@history_app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT over the view `events`.")],
    rows: Annotated[int, typer.Option(help="At most so many rows.", min=1, max=1_000_000)] = 10_000,
    seconds: Annotated[float, typer.Option(help="Break off after this time.", min=0.1)] = 60.0,
    folder: Folder = FOLDER,
    as_json: Json = False,
) -> None:
    """Answer one SELECT over the history; it can read nothing else and change nothing."""
    need_serving()
    from floorwalker.server.event_history import query_history
    from floorwalker.server.installation import Installation

    found = query_history(Installation(folder), sql, rows=rows, seconds=seconds)
    if as_json:
        print_json(found)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*(escape(name) for name in found["columns"]))
    for row in found["rows"]:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    Console().print(table)
    if found["cut"]:
        note(f"only the first {rows:,} rows are shown; more with --rows")
