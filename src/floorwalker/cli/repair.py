"""``floorwalker repair``: a damaged journal opens again, without the records that are damaged."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.cli.serve import FOLDER, Database, Folder, need_serving
from floorwalker.errors import UsageError


def repair(
    folder: Folder = FOLDER,
    at_least: Annotated[
        int | None,
        typer.Option(
            help="Sequence that the next record must not fall below; without it, the highest that snapshots and ledger "
            "name.", min=0,
        ),
    ] = None,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Database = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say what is damaged in the journal and what a repair would lose; after a yes, repair it.

    Every sound record is kept under its sequence, and files that are changed stay beside the new ones with the ending
    `.damaged`. The server must be stopped. A sound journal is not touched.
    """
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.repairing import find_least, rehearse_repair
    from floorwalker.server.repairing import repair as run

    installation = Installation(folder)
    least = max(find_least(installation, database).values()) if at_least is None else at_least
    found = rehearse_repair(installation, at_least=least)
    document: dict[str, Any] = {
        "lost": [{"first": first, "last": None if last < 0 else last} for first, last in found.lost],
        "changed": [path.name for path in found.changed],
        "at_least": least,
        "repaired": False,
    }
    for first, last in found.lost:
        note(f"lost: every record from {first} on" if last < 0 else f"lost: records {first} to {last}")
    for path in found.changed:
        note(f"rewritten: {path.name}; the original stays as {path.name}.damaged")
    if not found.changed:
        note("the journal is sound, nothing is to be done")
    else:
        if not is_sure:
            if not sys.stdin.isatty():
                raise UsageError("nothing was changed, and nobody can be asked here", fix="to repair it, add --yes")
            typer.confirm("Copy the folder first. Repair the journal now?", abort=True, err=True)
        run(installation, at_least=least)
        document["repaired"] = True
        note("the journal opens again")
    if as_json:
        print_json(document)
