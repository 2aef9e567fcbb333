"""``floorwalker train``: make the models that ship."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from floorwalker.cli._output import Json, note, print_json

train_app = typer.Typer(help="Train the models that ship.", no_args_is_help=True)


@train_app.callback()
def _root() -> None:
    """Train the models that ship."""


@train_app.command()
def routes(
    out: Annotated[Path, typer.Option("--out", help="Folder of the artefact.")],
    seed: Annotated[int, typer.Option(help="The only source of chance.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A small model in under a minute, for CI.")] = False,
    as_json: Json = False,
) -> None:
    """The BiLSTM that tells which parts of a URL vary, from generated sites; no hand labels."""
    from floorwalker.evaluation.tasks.routes import train_default

    manifest = train_default(out, seed=seed, quick=quick, progress=None if as_json else note)
    if as_json:
        print_json(manifest)
    else:
        note(f"written to {out}")
