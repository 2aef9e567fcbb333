"""``floorwalker replay``: the journal through the same pipeline again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.cli.serve import FOLDER, Folder, need_serving


def replay(
    folder: Folder = FOLDER,
    out: Annotated[
        Path | None, typer.Option(help="Write event ids and features to this Parquet file.", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Count every journalled event again from nothing, and compare: features bit for bit, and decisions.

    Works beside a running server, up to what is journalled by then. Features that differ end in exit code 1.
    """
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.replaying import compare_history

    started = time.perf_counter()
    found = compare_history(Installation(folder), out)
    document: dict[str, Any] = {**found, "seconds": round(time.perf_counter() - started, 3)}
    if as_json:
        print_json(document)
    else:
        note(
            f"{found['events']:,} events, {found['decisions']:,} decisions compared: "
            f"{found['features_differ']:,} with other features, {found['actions_differ']:,} with another action; "
            f"{found['joined']:,} signals joined later"
        )
    if found["features_differ"]:
        raise typer.Exit(1)
