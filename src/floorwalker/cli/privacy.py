"""``floorwalker privacy``: what is kept of a person, erasing who they were, and how long anything is kept."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.cli.serve import FOLDER, Database, Folder, need_serving
from floorwalker.errors import UsageError

privacy_app = typer.Typer(
    name="privacy", help="Personal data: hand it out, erase it, let it go by age.", no_args_is_help=True
)

Subject = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="E-mail address, telephone number (+…), account, or token.")
]
Shop = Annotated[str, typer.Option(help="Whose customer it is.")]
All = Annotated[bool, typer.Option("--all", help="Take every account that has the e-mail address or number.")]
By = Annotated[str, typer.Option(help="Who asks, for the audit; the user of the operating system without it.")]
WHY = (
    "What remains names nobody: tokens, and counts made of them. Features and decisions were made from tokens only, "
    "so a replay still gives every one of them again."
)


def _now() -> int:
    return time.time_ns() // 1000


@privacy_app.command()
def export(
    subject: Subject,
    shop: Shop = "default",
    is_all: All = False,
    out: Annotated[
        Path | None, typer.Option(help="Write to this new file, readable by its owner only.", dir_okay=False)
    ] = None,
    by: By = "",
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = True,
) -> None:
    """Print one JSON document with everything that is kept of a person. Works beside a running server."""
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.person import check_installation
    from floorwalker.server.privacy import export_person
    from floorwalker.store.ledger import Ledger

    installation = Installation(folder)
    check_installation(installation)
    ledger = Ledger(database or installation.ledger_url)
    try:
        document = export_person(
            installation, subject, shop=shop, is_all=is_all, ledger=ledger, clock=_now, actor=_actor(by)
        )
    finally:
        ledger.close()
    if out is None:
        print_json(document)
    else:
        _write(out, document)
        note(f"{len(document['values'])} values and {len(document['events'])} events written to {out}")


@privacy_app.command()
def erase(
    subject: Subject,
    shop: Shop = "default",
    is_all: All = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = "",
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """Erase who a person was: the key of their raw values goes, in the vault and thereby in every copy of a value.

    Works beside a running server. It cannot be taken back.
    """
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.privacy import erase_person, plan_erasure
    from floorwalker.store.ledger import Ledger

    installation = Installation(folder)
    person, plan = plan_erasure(installation, subject, shop=shop, is_all=is_all, clock=_now)
    left = plan["remains"]
    note(
        f"{subject}: {plan['keys']} keys in the vault; {left['events']} events, {left['decisions']} decisions, "
        f"{left['labels']} labels and {left['mentions']} mentions by others stay, with {left['tokens']} tokens"
    )
    if plan["other_shops"]:
        shops = ", ".join(sorted(plan["other_shops"]))
        note(f"accounts of the same name in other shops are other people and stay: {shops}")
    if not is_sure:
        if not sys.stdin.isatty():
            raise UsageError("an erasure cannot be taken back, and nobody can be asked here", fix="add --yes")
        typer.confirm("Erase the raw values for good?", abort=True, err=True)
    ledger = Ledger(database or installation.ledger_url)
    try:
        erased = erase_person(installation, person, clock=_now, ledger=ledger, actor=_actor(by))
    finally:
        ledger.close()
    if as_json:
        print_json({**plan, "values_erased": erased, "why_replay_holds": WHY})
    else:
        note(f"{erased} raw values are erased and cannot be opened again, here or in any copy without the vault")
        note(WHY)
        note("Backups of vault.sqlite keep the key alive: delete those as well.")


@privacy_app.command()
def sweep(
    keep: Annotated[
        list[str],
        typer.Option(help="NAME=DAYS: a field (email), every field (values), or a table of the ledger (decisions)."),
    ],
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """Delete raw values not seen for so many days, and rows of the ledger that are so old. For a daily timer.

    Works beside a running server. What is not named is kept.
    """
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.retention import read_periods, sweep_installation
    from floorwalker.store.ledger import Ledger

    periods, installation = read_periods(keep), Installation(folder)
    if not installation.vault.exists():
        raise UsageError(f"{folder} holds no vault", fix="give the --folder that the server was given")
    ledger = Ledger(database or installation.ledger_url)
    try:
        removed = sweep_installation(installation, periods, ledger=ledger, clock=_now)
    finally:
        ledger.close()
    if as_json:
        print_json({"removed": removed})
    else:
        note(", ".join(f"{name}: {count:,} deleted" for name, count in removed.items()))


def _actor(given: str) -> str:
    if given:
        return given
    import getpass

    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _write(path: Path, document: dict[str, Any]) -> None:
    import json

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} exists", fix="give --out another name") from error
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=2, default=str)
