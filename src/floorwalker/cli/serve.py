"""``floorwalker serve``: decisions over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.errors import MissingExtraError

FOLDER = Path("floorwalker-data")
Folder = Annotated[Path, typer.Option("--folder", help="Where this installation keeps everything.")]
Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="FLOORWALKER_DATABASE",
        help="URL of the ledger, as postgresql://…; SQLite in the folder without it.",
    ),
]


def serve(
    folder: Folder = FOLDER,
    host: Annotated[str, typer.Option(help="Address to listen on; keep it inside your network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8080,
    durability: Annotated[
        Literal["power_loss", "process"],
        typer.Option(help="What an answered event survives: loss of power, or the end of this process only."),
    ] = "power_loss",
    database: Database = "",
    mode: Annotated[
        Literal["shadow", "enforce"],
        typer.Option(help="shadow: answer `allow` and record what would be done. enforce: answer it."),
    ] = "shadow",
    snapshot_seconds: Annotated[int, typer.Option(help="Least time between two snapshots.", min=1)] = 60,
    snapshot_events: Annotated[int, typer.Option(help="Events after which a snapshot is due.", min=1)] = 50_000,
    company_ms: Annotated[
        float, typer.Option(help="Longest wait of a request for others to share its work with.", min=0, max=1)
    ] = 0.0,
    history_minutes: Annotated[
        float, typer.Option(help="Minutes between two updates of the Parquet history; 0 leaves it to you.", min=0)
    ] = 5.0,
    history_days: Annotated[
        int, typer.Option(help="Remove rows of the history so many days after their day; 0 keeps all.", min=0)
    ] = 0,
    models: Annotated[
        Path | None,
        typer.Option(
            help="Folder that `floorwalker train` wrote, or `default`; kept in the installation from then on."
        ),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            help="Folder that `floorwalker train texts` wrote: reads texts beside the decisions from then on; "
            "`none` takes it out."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Serve decisions until SIGTERM or Ctrl-C; logs are JSON lines on standard error."""
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.logs import configure_logs
    from floorwalker.server.run import ServeOptions, Server

    configure_logs()
    if models is not None:
        from floorwalker.models.artefacts import DEFAULT
        from floorwalker.server.startup import install_models

        install_models(Installation(folder), DEFAULT / "shop" if str(models) == "default" else models)
    if texts is not None:
        from floorwalker.server.startup import install_texts, remove_texts

        if str(texts) == "none":
            remove_texts(Installation(folder))
        else:
            install_texts(Installation(folder), texts)
    options = ServeOptions(
        Installation(folder),
        host,
        port,
        durability,
        database,
        mode,
        company_ms,
        snapshot_seconds,
        snapshot_events,
        history_minutes,
        history_days,
    )

    def say_ready(bound: int) -> None:
        if as_json:
            print_json({"host": host, "port": bound, "folder": str(folder), "mode": mode})
            # A pipe would keep the line until the end, and whoever started us waits for it.
            import sys

            sys.stdout.flush()
        else:
            note(f"floorwalker listens on http://{host}:{bound} in {mode} mode; keys: floorwalker keys create")

    Server(options, say_ready).run()


def need_serving() -> None:
    """Raise `MissingExtraError` where the packages that serving needs are not installed."""
    from importlib.util import find_spec

    for package in ("litestar", "uvicorn", "sqlalchemy", "sqlglot", "siphash24", "structlog", "cryptography"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "serve")
