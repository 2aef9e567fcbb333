"""``floorwalker simulate``: a whole shop's events, or only an access log, made up but true to life."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.errors import UsageError

_LOG_ONLY = ("truth", "site", "visitors", "hunters", "promotion_day", "surge")
_STREAM_ONLY = ("speed", "times", "connections", "replay", "pages")
_SHOP_ONLY = ("events", "access_log", "cores", "malicious_share", "only", "shop", "stream", *_STREAM_ONLY)


def simulate(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for a whole shop's events, truth and outcomes.")
    ] = None,
    events: Annotated[int, typer.Option(help="Whole shop: about how many events; 5_000_000 may be written.")] = 100_000,
    access_log: Annotated[
        Path | None, typer.Option("--access-log", help="Whole shop: file for the matching nginx access log.")
    ] = None,
    cores: Annotated[int | None, typer.Option(help="Whole shop: processes; all cores without it.", min=1)] = None,
    malicious_share: Annotated[float, typer.Option(help="Whole shop: share of malicious events, up to 0.03.")] = 0.026,
    only: Annotated[list[str] | None, typer.Option(help="Whole shop: only these adversaries.")] = None,
    shop: Annotated[str, typer.Option(help="Whole shop: its name in every event.")] = "default",
    stream: Annotated[
        str, typer.Option(metavar="URL", help="Whole shop: send it live to this server; its key is in FLOORWALKER_KEY.")
    ] = "",
    speed: Annotated[float, typer.Option(help="With --stream: events a second; 0 for no bound.", min=0)] = 0.0,
    times: Annotated[float, typer.Option(help="With --stream: times real time; 0 for no bound.", min=0)] = 0.0,
    connections: Annotated[int, typer.Option(help="With --stream: at the same time.", min=1, max=64)] = 4,
    replay: Annotated[bool, typer.Option(help="With --stream: adversaries do not hear the answers.")] = False,
    pages: Annotated[
        int, typer.Option(help="With --stream: ask about every so-manieth page of a visit; 0 for none.", min=0)
    ] = 10,
    log: Annotated[Path | None, typer.Option("--log", help="Only an access log: where; .gz compresses.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Log only: Parquet file for who each visitor really is.")] = None,
    site: Annotated[str, typer.Option(help="Log only: family of sites.")] = "english_rest",
    days: Annotated[int | None, typer.Option(help="Local days: 30 of a whole shop, 8 of a log.", min=1)] = None,
    visitors: Annotated[int, typer.Option(help="Log only: honest visits on an average day.", min=1)] = 2000,
    hunters: Annotated[int, typer.Option(help="Log only: abusers at work on each day.", min=0)] = 20,
    promotion_day: Annotated[
        list[int] | None, typer.Option(help="Log only: position of a promotion day, 0 is the first.")
    ] = None,
    surge: Annotated[
        float, typer.Option(help="Log only: honest crowd on promotion days, times the usual.", min=1.0)
    ] = 1.0,
    first_day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First local day.")] = None,
    seed: Annotated[int, typer.Option(help="The only source of chance: same seed, same bytes.")] = 0,
    as_json: Json = False,
) -> None:
    """Write a whole shop's traffic (--out) or one access log (--log), with honest people and abusers, and the truth."""
    given = {
        name
        for name in (*_LOG_ONLY, *_SHOP_ONLY)
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    if (log is None) == (out is None):
        raise UsageError(
            "say what to write" if log is None else "both --out and --log are given",
            allowed="--out FOLDER for a whole shop's events, or --log FILE for an access log alone",
        )
    wrong = sorted(given & set(_LOG_ONLY if out is not None else _SHOP_ONLY))
    if wrong:
        raise UsageError(
            f"--{wrong[0].replace('_', '-')} does not go with {'--out' if out is not None else '--log'}",
            fix="floorwalker simulate --help says which option belongs to which",
        )
    unused = sorted(given & set(_STREAM_ONLY))
    if unused and not stream:
        raise UsageError(f"--{unused[0]} goes with --stream", fix="add --stream URL")
    if out is not None:
        written = bool(stream) and (out / "manifest.json").is_file()
        remade = sorted(given & (set(_SHOP_ONLY) - {"stream", *_STREAM_ONLY}))
        if written and remade:
            raise UsageError(
                f"--{remade[0].replace('_', '-')} does not fit: {out} holds a shop already",
                fix="name another folder, or leave the option out to send this one",
            )
        if not written:
            facts, sentence = _whole_shop(
                out, events=events, seed=seed, days=30 if days is None else days, first_day=first_day, shop=shop,
                cores=cores, malicious_share=malicious_share, only=tuple(only or ()), access_log=access_log,
            )  # fmt: skip
        if stream:
            from floorwalker.cli._streaming import stream_folder

            pace = {"speed": speed, "times": times}
            facts, sentence = stream_folder(out, stream, **pace, connections=connections, replay=replay, pages=pages)
    else:
        assert log is not None
        facts, sentence = _log_alone(
            log, truth, site, 8 if days is None else days, visitors, hunters, tuple(promotion_day or ()), surge,
            first_day, seed,
        )  # fmt: skip
    if as_json:
        print_json(facts)
    else:
        note(sentence)


def _whole_shop(
    out: Path, *, first_day: datetime | None, cores: int | None, access_log: Path | None, **scenario: Any
) -> tuple[dict[str, Any], str]:
    from dataclasses import asdict

    from floorwalker.simulation.shop.run import simulate as run
    from floorwalker.simulation.shop.scenario import Scenario

    if first_day is not None:
        scenario["first_day"] = date(first_day.year, first_day.month, first_day.day)
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file", fix="name a folder: --out FOLDER")
    summary = run(Scenario(**scenario), out, cores=cores, access_log=access_log, progress=note)
    facts = {**asdict(summary), "seed": scenario["seed"], "access_log": str(access_log) if access_log else None}
    if summary.absent:
        note(_say_absent(summary.absent))
    if summary.absent_families:
        note(f"no room for these families: {', '.join(summary.absent_families)} (5,000,000 events have all of them)")
    return facts, (
        f"{summary.events:,} events, {summary.malicious:,} of them malicious, {summary.outcomes:,} outcomes, "
        f"{summary.campaigns:,} campaigns, written to {out}"
    )


def _say_absent(absent: dict[str, list[str]]) -> str:
    """Which kinds of abuse a run has no room for: those that no part has once, the others by part."""
    from floorwalker.simulation.shop.scenario import SPLITS

    everywhere = [kind for kind in absent.get("train", ()) if all(kind in absent.get(split, ()) for split in SPLITS)]
    parts = [f"no {', '.join(everywhere)} in any part"] if everywhere else []
    for split, kinds in absent.items():
        lacking = [kind for kind in kinds if kind not in everywhere]
        parts += [f"no {', '.join(lacking)} in {split}"] if lacking else []
    return f"too small for every kind of abuse: {'; '.join(parts)} (500,000 events have room for all of them)"


def _log_alone(
    log: Path, truth: Path | None, site: str, days: int, visitors: int, hunters: int, promotions: tuple[int, ...],
    surge: float, first_day: datetime | None, seed: int,
) -> tuple[dict[str, Any], str]:  # fmt: skip
    from floorwalker.simulation.access_log import Scenario, generate, write_log
    from floorwalker.simulation.sites import family_split, list_families

    if site not in list_families():
        raise UsageError(f"unknown site family {site!r}", allowed=", ".join(list_families()))
    if days > 90:
        raise UsageError(f"a log of {days} days", allowed="1 to 90")
    outside = [day for day in promotions if not 0 <= day < days]
    if outside:
        raise UsageError(f"promotion day {outside[0]} in a log of {days} days", allowed=f"0 to {days - 1}")
    generated = generate(
        Scenario(
            site_family=site,
            seed=seed,
            # Families of visitors go with families of sites: what is learned on one set is judged on the other.
            split="report" if family_split(site) == "unseen" else "choose",
            days=days,
            visitors_per_day=visitors,
            first_day=date(first_day.year, first_day.month, first_day.day) if first_day else date(2021, 11, 4),
            promotion_days=promotions,
            surge=surge,
            hunters=hunters,
        )
    )
    write_log(generated, log)
    if truth is not None:
        generated.truth.write_parquet(truth)
    facts = {
        "log": str(log),
        "truth": str(truth) if truth else None,
        "requests": len(generated.requests),
        "visitors": len(generated.truth),
        "abusive": int(generated.truth["abusive"].sum()),
        "seed": seed,
    }
    return facts, (
        f"{facts['requests']:,} requests of {facts['visitors']:,} visitors, {facts['abusive']:,} of them abusive, "
        f"written to {log}"
    )
