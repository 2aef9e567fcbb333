"""``floorwalker train``: models of a shop out of its history, and the model of URLs that ships."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from floorwalker import __version__
from floorwalker.cli._output import Json, note, print_json
from floorwalker.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from floorwalker.learning.shop.recording import Recording

ROUTES, TEXTS = "routes", "texts"
PIECE = 20_000


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A folder as `floorwalker simulate` writes it; `routes` trains the model of URLs instead, `texts` the "
            "classifier of texts, from --labels with the columns text and value."
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the models.")] = Path("models"),
    events: Annotated[
        list[str] | None, typer.Option(help="Files of events in the order of their times: JSON lines, CSV, Parquet.")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="File that says which column is which field, or a ready mapping's name.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV, JSON lines or Parquet: subject, abuse_type, value, observed_at.")
    ] = None,
    validation: Annotated[
        float, typer.Option(help="Latest share of the time, on which ranks are set.", min=0.05, max=0.5)
    ] = 0.2,
    modalities: Annotated[str | None, typer.Option(help="Detectors to train, with commas; all without it.")] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Probabilities instead of ranks, where the shop's own labels suffice.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The only source of chance.")] = 0,
    device: Annotated[str, typer.Option(help="Of the deep models: cpu, cuda, cuda:1, mps.")] = "cpu",
    graph_network: Annotated[
        bool, typer.Option("--graph-network", help="Learn a network over the live graph's neighbours as well.")
    ] = False,
    tune_encoder: Annotated[
        bool, typer.Option("--tune-encoder", help="`texts`: train the encoder further on them, on --device.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small models in a minute or two, to try things.")] = False,
    as_json: Json = False,
) -> None:
    """Train a shop's models from its events and what became known of them; `serve` loads the folder.

    Under `torchrun` the processes share the batches of the LSTM, and the first of them writes the models.
    """
    with _own_folder(out) as folder:
        _train(
            data, folder, events or [], mapping, labels, validation, modalities, seed=seed, device=device, quick=quick,
            calibrate=calibrate, graph_network=graph_network, tune_encoder=tune_encoder, as_json=as_json,
        )  # fmt: skip


@contextmanager
def _own_folder(out: Path) -> Iterator[Path]:
    """The folder of the models; for the further processes of `torchrun` one that goes with them, and silence."""
    if int(os.environ.get("RANK", "0")) == 0:
        yield out
        return
    with (
        TemporaryDirectory(prefix="floorwalker-train-") as folder,
        Path(os.devnull).open("w", encoding="utf-8") as nothing,
        redirect_stdout(nothing),
        redirect_stderr(nothing),
    ):
        yield Path(folder)


def _train(
    data: str | None,
    out: Path,
    events: Sequence[str],
    mapping: str | None,
    labels: Path | None,
    validation: float,
    modalities: str | None,
    *,
    seed: int,
    device: str,
    quick: bool,
    calibrate: bool,
    graph_network: bool,
    tune_encoder: bool,
    as_json: bool,
) -> None:
    from floorwalker.models.devices import check_device

    check_device(device)
    if data == ROUTES:
        _train_routes(out, seed=seed, quick=quick, as_json=as_json)
        return
    if data == TEXTS:
        _train_texts(labels, out, seed=seed, quick=quick, tune_on=device if tune_encoder else None, as_json=as_json)
        return
    if (data is None) == (not events):
        raise UsageError(
            "give a folder or --events, one of them",
            fix="floorwalker train data --out models, or floorwalker train --events events.parquet --labels labels.csv",
        )
    from floorwalker.evaluation.extras import need_training_extra
    from floorwalker.learning.shop.plan import MODALITIES, TrainingPlan
    from floorwalker.learning.shop.training import train_shop, train_without_labels

    need_training_extra()
    start = time.perf_counter()
    chosen = MODALITIES if modalities is None else tuple(filter(None, modalities.split(",")))
    recording = _record(Path(data) if data else None, events, mapping, out)
    known = _known_today(_labels_of(Path(data) if data else None, labels))
    first, second = _edges(recording, Path(data) if data else None, validation)
    plan = TrainingPlan(
        first, second, known_at=second if data else None, modalities=chosen, calibrate=calibrate, seed=seed,
        device=device, graph_network=graph_network,
        rounds=60 if quick else 300, most_rows=30_000 if quick else 200_000, epochs=2 if quick else 6,
    )  # fmt: skip

    def say(text: str) -> None:
        note(f"{time.perf_counter() - start:6.0f} s  {text}")

    if known is None:
        facts = train_without_labels(recording, out, plan, progress=say)
    else:
        facts = train_shop(recording, known, out, plan, progress=say).facts
    facts |= {"seconds": round(time.perf_counter() - start, 1), "left_out": recording.left_out}
    if as_json:
        print_json(facts)
        return
    _tell(facts, out)


def _train_routes(out: Path, *, seed: int, quick: bool, as_json: bool) -> None:
    from floorwalker.evaluation.tasks.routes import train_default

    manifest = train_default(out, seed=seed, quick=quick, progress=None if as_json else note)
    if as_json:
        print_json(manifest)
    else:
        note(f"written to {out}")


def _train_texts(labels: Path | None, out: Path, *, seed: int, quick: bool, tune_on: str | None, as_json: bool) -> None:
    from floorwalker.detectors.content.tuned import Tuning
    from floorwalker.evaluation.extras import need_training_extra
    from floorwalker.learning.texts import train_texts_of

    need_training_extra()
    if labels is None:
        raise UsageError("no texts were given", fix="floorwalker train texts --labels texts.csv --out models")
    encoders = () if quick else ("minilm_layers",)
    tuning = None if tune_on is None else Tuning(device=tune_on)
    facts = train_texts_of(labels, out / TEXTS, encoders=encoders, tuning=tuning, seed=seed)
    if as_json:
        print_json(dict(facts))
        return
    note(
        f"{facts['texts']:,} texts, {facts['labelled']:,} labelled, {facts['harmful']:,} of them abuse; "
        f"{facts['held_out']:,} labelled ones held out, ranks by {facts['ordinary']:,} ordinary ones"
    )
    if "held_out_roc_auc" in facts:
        note(
            f"held out: ROC AUC {facts['held_out_roc_auc']:.3f}, average precision "
            f"{facts['held_out_average_precision']:.3f}; chosen: {facts['chosen']}"
        )
    note(f"written to {out / TEXTS}; floorwalker serve --texts {out / TEXTS}")


def _record(folder: Path | None, events: Sequence[str], mapping: str | None, out: Path) -> Recording:
    """The history as columns; what an interrupted run recorded of the same files is used again."""
    from floorwalker.learning.shop.recording import is_recorded, open_recording, record, record_frames

    columns = out / "recording"
    marker = out / "recorded.json"
    sources = [str(folder / "events.parquet")] if folder else [*events]
    wanted = {
        "sources": [_stamp(name) for source in sources for name in _files_of(source)],
        "mapping": mapping,
        "mapping_digest": _digest_of(mapping),
        "version": __version__,
    }
    if marker.exists() and json.loads(marker.read_text("utf-8")) == wanted and is_recorded(columns):
        note("the events were recorded before")
        return open_recording(columns)
    out.mkdir(parents=True, exist_ok=True)
    marker.unlink(missing_ok=True)
    table = mapping is None and len(sources) == 1 and sources[0].endswith(".parquet")
    shown = 0

    def show(done: int) -> None:
        nonlocal shown
        if done - shown >= 250_000:
            shown = done
            note(f"{done:,} events recorded")

    if table:
        recording = record_frames(_frames_of(Path(sources[0])), columns, progress=show)
    else:
        recording = record(_of_files(events, mapping), columns, progress=show)
    if recording.left_out:
        note(f"{recording.left_out:,} events were left out; the first: {recording.first_fault}")
    marker.write_text(json.dumps(wanted), "utf-8")
    return recording


def _files_of(source: str) -> list[str]:
    """The files that a name or a pattern stands for; the name itself where it stands for none."""
    return [source] if Path(source).exists() else sorted(glob.glob(source, recursive=True)) or [source]


def _digest_of(mapping: str | None) -> str | None:
    """Of the bytes of a mapping's file; None for a ready one, which changes with the package alone."""
    from floorwalker.sources.mapping import list_ready_mappings

    if mapping is None or mapping in list_ready_mappings() or not Path(mapping).is_file():
        return None
    return hashlib.blake2b(Path(mapping).read_bytes(), digest_size=16).hexdigest()


def _stamp(name: str) -> list[Any]:
    path = Path(name)
    if not path.exists():
        return [name, None]
    facts = path.stat()
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns]


def _frames_of(path: Path) -> Iterator[pl.DataFrame]:
    from floorwalker.events.frames import read_table

    if not path.exists():
        raise UsageError(
            f"there is no {path}", allowed="a folder with events.parquet", fix="floorwalker simulate --out"
        )
    yield from read_table(path, rows=PIECE)


def _of_files(names: Sequence[str], mapping: str | None) -> Iterator[list[dict[str, Any]]]:
    import msgspec

    from floorwalker.sources.feeds.files import FilesFeed
    from floorwalker.sources.mapping import load_mapping

    now = time.time_ns() // 1000
    feed = FilesFeed(
        [*names], clock=lambda: now, mapping=load_mapping(mapping) if mapping else None, batch=PIECE, keep_received=True
    )
    try:
        for delivery in feed.read():
            yield [msgspec.to_builtins(event) for event in delivery.events]
    finally:
        feed.close()


def _labels_of(folder: Path | None, labels: Path | None) -> pl.DataFrame | None:
    import polars as pl

    from floorwalker.learning.shop.labels import labels_of_outcomes, read_labels

    if labels is not None:
        return read_labels(labels)
    if folder is not None and (folder / "outcomes.parquet").exists():
        return labels_of_outcomes(pl.read_parquet(folder / "outcomes.parquet"))
    return None


def _known_today(labels: pl.DataFrame | None) -> pl.DataFrame | None:
    """The labels without those that become known in the future only: such times are mistakes."""
    import polars as pl

    if labels is None:
        return None
    known = labels.filter(pl.col("observed_at").fill_null(0) <= time.time_ns() // 1000)
    if later := len(labels) - len(known):
        note(f"{later:,} labels left out: their observed_at (µs UTC) lies in the future")
    return known


def _edges(recording: Recording, folder: Path | None, validation: float) -> tuple[int, int]:
    """When learning ends and when validation ends."""
    if folder is not None and (folder / "manifest.json").exists():
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        if edges := manifest.get("split_edges"):
            return int(edges[0]), int(edges[1])
    first, last = int(recording.at.min()), int(recording.at.max()) + 1
    return last - int((last - first) * validation), last


def _tell(facts: Mapping[str, Any], out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if "proven" in facts:
        table = Table("abuse type", "proven events", "learned", title="What could be learned")
        for name, count in facts["proven"].items():
            table.add_row(name, f"{count:,}", "no: too few" if name in facts["not_learned"] else "yes")
        console.print(table)
    else:
        console.print("no labels: learned what is usual, and what follows what; nothing says what is abuse")
    for name in facts.get("not_fused", ()):
        console.print(f"fusion does not hear what {name} learned: in the validation part it does better without")
    console.print(f"{facts['seconds']:,} s; models in {out}", soft_wrap=True)
