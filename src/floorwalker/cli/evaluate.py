"""``floorwalker evaluate``: the numbers that we publish."""

from __future__ import annotations

import inspect
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from floorwalker.cli._output import Json, note, print_json, report_document
from floorwalker.errors import UsageError
from floorwalker.registry import list_parts, load_part

TASKS = "floorwalker.evaluation.tasks"


def evaluate(
    task: Annotated[str, typer.Argument(help="What to evaluate; `list` names the tasks, `table` renews the README's.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the public data sets; FLOORWALKER_DATA without it.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds.", min=1)] = 3,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a figure misses its bar.")] = False,
    as_json: Json = False,
) -> None:
    """Run an evaluation and print its figures with their split and baselines."""
    from floorwalker.evaluation.document import make_document

    known = list_parts(TASKS)
    if task == "list":
        print_json({"tasks": known}) if as_json else print("\n".join(known))
        return
    if task == "table":
        _renew_readme()
        return
    task = task.replace("-", "_")
    if task not in known:
        raise UsageError(f"unknown task {task!r}", allowed=", ".join(known))
    folder = data or (Path(os.environ["FLOORWALKER_DATA"]) if os.environ.get("FLOORWALKER_DATA") else None)
    if folder is not None and not folder.is_dir():
        raise UsageError(f"data folder {folder} does not exist", fix="give --data or set FLOORWALKER_DATA")
    start = time.perf_counter()
    run = load_part(TASKS, task).run
    # Long tasks tell what they are doing; the document alone goes to standard output.
    told = {"progress": note} if "progress" in inspect.signature(run).parameters else {}
    outcome = run(data=folder, seeds=tuple(range(seeds)), **told)
    document = make_document(task, outcome, seconds=time.perf_counter() - start)
    report_document(document, as_json=as_json, check=check)


def _renew_readme() -> None:
    from floorwalker.evaluation.readme import insert_table, read_documents, render_table

    readme = Path("README.md")
    if not readme.exists() or not Path("docs/results").is_dir():
        raise UsageError("no README.md and docs/results here", fix="run it at the root of the repository")
    table = render_table(read_documents(Path("docs/results")))
    readme.write_text(insert_table(readme.read_text("utf-8"), table), "utf-8")
