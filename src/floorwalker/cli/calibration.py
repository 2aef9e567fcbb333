"""``floorwalker calibration``: recorded risks beside what became known."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from floorwalker.cli._output import Json, print_json
from floorwalker.cli.serve import FOLDER, Database, Folder, need_serving


def calibration(
    folder: Folder = FOLDER,
    database: Database = "",
    shop: Annotated[str, typer.Option(help="Of this shop; all together without it.")] = "",
    as_json: Json = False,
) -> None:
    """Show by abuse type how far off risks were, by the labels in the ledger; also beside a running server."""
    need_serving()
    from floorwalker.server.calibration import read_calibration
    from floorwalker.server.installation import Installation

    document = read_calibration(Installation(folder), database, shop=shop, now=time.time_ns() // 1000)
    if as_json:
        print_json(document)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("abuse type", "decisions", "abusive", "predicted", "observed", "error", "sound")
    for name, each in document["types"].items():
        figures = [each["predicted"], each["observed"], each["error"]]
        table.add_row(
            name, f"{each['decisions']:,}", f"{each['abusive']:g}",
            *("" if figure is None else f"{figure:.3f}" for figure in figures), "yes" if each["sound"] else "no",
        )  # fmt: skip
    console = Console()
    console.print(table)
    labels = document["labels"]
    console.print(
        f"{labels['joined']:,} of {labels['told']:,} labels speak of a decision by today's models; "
        f"{labels['immature']:,} of these do not count yet",
        soft_wrap=True,
    )
