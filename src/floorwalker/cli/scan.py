"""``floorwalker scan``: web access logs in, abusive visitors out."""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from floorwalker.cli._output import Json
from floorwalker.cli._scan_parts import (
    check_outputs,
    judge_by_labels,
    make_blocklist,
    make_resolver,
    read_role_file,
    run_with_progress,
    save_report,
    write_sheet,
)
from floorwalker.errors import UsageError
from floorwalker.features.network import load_networks
from floorwalker.features.visitors import select_features
from floorwalker.scan.export import check_ending, encode_json, to_json, write_findings
from floorwalker.scan.job import ScanRequest
from floorwalker.scan.labels import read_labels
from floorwalker.scan.machines import Ignore
from floorwalker.scan.masking import mask_result, new_mask_key
from floorwalker.scan.model import detector_maker
from floorwalker.scan.state import SiteState
from floorwalker.scan.table import print_table
from floorwalker.settings import ScanSettings, load_settings, read_settings
from floorwalker.sinks.blocklist import list_formats

LEARNED = ("detector", "feature_groups", "false_alarm_budget", "trim", "trim_rounds")
INPUT, MODEL, OUTPUT, LABELS = "Input", "What is usual", "Output", "Checking by hand"


def scan(
    logs: Annotated[list[str], typer.Argument(help="Log files or globs, compressed or not; - for standard input.")],
    log_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="Id of a format, or an nginx log_format or Apache LogFormat string.", rich_help_panel=INPUT
        ),
    ] = None,
    visitor: Annotated[
        str, typer.Option(help="What makes a visitor: address, host+address or session:NAME.", rich_help_panel=INPUT)
    ] = "address",
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address or CIDR whose forwarding headers are believed.", rich_help_panel=INPUT),
    ] = None,
    own_address: Annotated[
        list[str] | None, typer.Option(help="Address or CIDR of the shop itself.", rich_help_panel=INPUT)
    ] = None,
    roles: Annotated[Path | None, typer.Option(help="TOML file: route pattern = role.", rich_help_panel=INPUT)] = None,
    ignore: Annotated[
        Path | None, typer.Option(help="TOML file of visitors and paths to leave out.", rich_help_panel=INPUT)
    ] = None,
    networks: Annotated[
        Path | None, typer.Option(help="CSV or operator's JSON with more address ranges.", rich_help_panel=INPUT)
    ] = None,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Check crawlers by forward-confirmed reverse DNS.", rich_help_panel=INPUT)
    ] = False,
    train_days: Annotated[
        int | None, typer.Option(help="Days before the judged day to learn from.", rich_help_panel=MODEL)
    ] = None,
    detect_day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day to judge; every day without it.", rich_help_panel=MODEL),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(help="Outlier detector; several, joined by commas, are asked together.", rich_help_panel=MODEL),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Feature groups, joined by commas; nine = paper B's nine alone.", rich_help_panel=MODEL),
    ] = None,
    false_alarm_budget: Annotated[
        float | None,
        typer.Option(help="Share of honest visitors that may be flagged by chance.", rich_help_panel=MODEL),
    ] = None,
    min_visits: Annotated[
        int | None,
        typer.Option(help="Page requests below which a visitor is judged in a cohort.", rich_help_panel=MODEL),
    ] = None,
    routes: Annotated[
        str, typer.Option(help="bilstm merges URLs of one type, none does not.", rich_help_panel=MODEL)
    ] = "bilstm",
    settings: Annotated[
        Path | None, typer.Option(help="TOML file with a [scan] table; options above win.", rich_help_panel=MODEL)
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Keep what was learned, for --load tomorrow.", rich_help_panel=MODEL)
    ] = None,
    load: Annotated[
        Path | None, typer.Option(help="Judge by what an earlier run learned.", rich_help_panel=MODEL)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The only source of chance.", rich_help_panel=MODEL)] = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML report; report.html without it.", rich_help_panel=OUTPUT)
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.", rich_help_panel=OUTPUT)] = False,
    map_sample: Annotated[
        int | None, typer.Option(help="Visitors on the report's map; 0 leaves it out.", rich_help_panel=OUTPUT)
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", help="All judged visitors as .csv, .parquet or .json.", rich_help_panel=OUTPUT),
    ] = None,
    blocklist: Annotated[
        str | None, typer.Option(help="Print a blocklist: nginx, apache, plain or crowdsec.", rich_help_panel=OUTPUT)
    ] = None,
    block_hours: Annotated[
        float, typer.Option(help="Hours until a blocklist entry expires.", min=0.1, max=8784, rich_help_panel=OUTPUT)
    ] = 24.0,
    top: Annotated[
        int, typer.Option(help="Flagged visitors in the terminal's table.", min=0, rich_help_panel=OUTPUT)
    ] = 20,
    mask: Annotated[
        bool,
        typer.Option(
            "--mask", help="Mask addresses and sessions wherever they are shown or written.", rich_help_panel=OUTPUT
        ),
    ] = False,
    as_json: Json = False,
    sample: Annotated[
        int,
        typer.Option(
            help="Write a stratified sheet of so many visitors to label by hand.", min=0, rich_help_panel=LABELS
        ),
    ] = 0,
    sample_file: Annotated[Path, typer.Option(help="Where the sheet goes.", rich_help_panel=LABELS)] = Path(
        "sample.csv"
    ),
    labels: Annotated[
        Path | None,
        typer.Option(help="A filled sheet: prints precision and recall of every detector.", rich_help_panel=LABELS),
    ] = None,
) -> None:
    """Read web access logs and show the visitors that prey on the shop: no labels, no integration."""
    if routes not in ("bilstm", "none"):
        raise UsageError(f"routes is {routes!r}", allowed="bilstm, none")
    if blocklist is not None and as_json:
        raise UsageError(
            "--blocklist and --json both want standard output", fix="run the scan twice, or use --output x.json"
        )
    if blocklist is not None and blocklist not in list_formats():
        raise UsageError(f"unknown blocklist format {blocklist!r}", allowed=", ".join(list_formats()))
    for path in output or []:
        check_ending(path)
    quiet = as_json or blocklist is not None
    html = None if no_report or (report is None and quiet) else report or Path("report.html")
    written = [("--report", html), ("--save", save), ("--sample-file", sample_file if sample else None)]
    written += [("--output", path) for path in output or []]
    check_outputs(logs, [(option, path) for option, path in written if path is not None])
    answers = read_labels(labels) if labels else None
    if labels is not None:
        _refuse_beside_labels(
            {
                "--blocklist": blocklist is not None,
                "--output": bool(output),
                "--sample": bool(sample),
                "--report": report is not None,
            }
        )
    if load is not None:
        _refuse_what_is_loaded(
            {
                "--detector": detector is not None,
                "--features": features is not None,
                "--false-alarm-budget": false_alarm_budget is not None,
                "--roles": roles is not None,
                "--routes": routes != "bilstm",
                "--settings with " + ", ".join(_learned_settings(settings)): bool(_learned_settings(settings)),
            }
        )
    chosen = _settings(
        settings,
        train_days=train_days,
        detector=detector,
        feature_groups=_groups(features),
        false_alarm_budget=false_alarm_budget,
        min_visits=min_visits,
        map_sample=_map_sample(map_sample, drawn=html is not None),
        seed=seed,
    )
    request = ScanRequest(
        paths=tuple(logs),
        log_format=log_format,
        trusted_proxies=tuple(trusted_proxy or ()),
        visitor=visitor,
        detect_day=date(detect_day.year, detect_day.month, detect_day.day) if detect_day else None,
        settings=chosen,
        merge_routes="bilstm" if routes == "bilstm" else "none",
        roles=read_role_file(roles) if roles else None,
        ignore=Ignore.read(ignore) if ignore else None,
        networks=load_networks([networks] if networks else []),
        own_addresses=tuple(own_address or ()),
        resolve=make_resolver() if resolve else None,
        state=SiteState.load(load) if load else None,
        seconds=time.perf_counter,
    )
    # Hundreds of thousands of texts are made and none is dropped before the end: looking for garbage only costs time.
    gc.disable()
    try:
        outcome = run_with_progress(request)
    finally:
        gc.enable()
    if save:
        outcome.state.save(save)
    if answers is not None:
        judge_by_labels(answers, request, outcome, as_json=as_json)
        return
    # The blocklist needs true addresses; everything that is shown may be masked.
    block = make_blocklist(blocklist, outcome, request, block_hours) if blocklist else None
    result = mask_result(outcome.result, new_mask_key()) if mask else outcome.result
    if sample:
        write_sheet(outcome.result, result if mask else None, sample_file, sample, chosen.seed)
    for path in output or []:
        write_findings(result, path)
    tables = [path.name for path in output or [] if path.suffix.lower() == ".csv"]
    if html is not None:
        save_report(result, html, mask, tables[0] if tables else "")
    if block is not None:
        sys.stdout.write(block)
    if as_json:
        sys.stdout.buffer.write(encode_json(to_json(result, masked=mask)))
        return
    print_table(result, Console(stderr=block is not None), top=top, report=html)


def _refuse_what_is_loaded(given: dict[str, bool]) -> None:
    """What was learned comes from the state; another wish beside it would change nothing, without a word."""
    idle = [option for option, is_given in given.items() if is_given]
    if idle:
        raise UsageError(
            f"{', '.join(idle)} beside --load: the loaded state decides that",
            fix="leave it out, or learn anew with it and --save",
        )


def _refuse_beside_labels(given: dict[str, bool]) -> None:
    """`--labels` prints how good the detectors are and writes nothing else."""
    idle = [option for option, is_given in given.items() if is_given]
    if idle:
        raise UsageError(f"{', '.join(idle)} beside --labels", fix="run the scan once without --labels, once with it")


def _learned_settings(path: Path | None) -> list[str]:
    """Settings of a file that only matter while learning, and differ from the defaults."""
    if path is None:
        return []
    given, usual = asdict(read_settings(path)), asdict(ScanSettings())
    return [name for name in LEARNED if given[name] != usual[name]]


def _settings(path: Path | None, **given: object) -> ScanSettings:
    settings = read_settings(path) if path else ScanSettings()
    chosen = load_settings({**asdict(settings), **{name: value for name, value in given.items() if value is not None}})
    # A misspelt name is said before gigabytes are read.
    detector_maker(chosen.detector)
    select_features(chosen.feature_groups)
    return chosen


def _groups(text: str | None) -> list[str] | None:
    if text is None:
        return None
    if text == "nine":
        return ["visits", "time", "pages"]
    return [group.strip() for group in text.split(",") if group.strip()]


def _map_sample(given: int | None, *, drawn: bool) -> int | None:
    """A map that nobody sees is not drawn."""
    return given if drawn else 0
