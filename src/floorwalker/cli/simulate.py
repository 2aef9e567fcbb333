"""``floorwalker simulate``: a generated shop's traffic."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.errors import UsageError


def simulate(
    log: Annotated[Path, typer.Option("--log", help="Access log to write; .gz compresses.")],
    truth: Annotated[Path | None, typer.Option(help="Parquet file for who each visitor really is.")] = None,
    site: Annotated[str, typer.Option(help="Family of sites.")] = "english_rest",
    days: Annotated[int, typer.Option(help="Local days.", min=1, max=90)] = 8,
    visitors: Annotated[int, typer.Option(help="Honest visits on an average day.", min=1)] = 2000,
    hunters: Annotated[int, typer.Option(help="Abusers at work on each day.", min=0)] = 20,
    promotion_day: Annotated[
        list[int] | None, typer.Option(help="Position of a promotion day, 0 is the first.")
    ] = None,
    surge: Annotated[float, typer.Option(help="Honest crowd on promotion days, times the usual.", min=1.0)] = 1.0,
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First local day.")] = datetime(2021, 11, 4),  # noqa: DTZ001
    seed: Annotated[int, typer.Option(help="The only source of chance: same seed, same bytes.")] = 0,
    as_json: Json = False,
) -> None:
    """Write a shop's access log with honest visitors, machines and hunters, and the truth beside it."""
    from floorwalker.simulation.access_log import Scenario, generate, write_log
    from floorwalker.simulation.sites import family_split, list_families

    if site not in list_families():
        raise UsageError(f"unknown site family {site!r}", allowed=", ".join(list_families()))
    promotions = tuple(promotion_day or ())
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
            first_day=date(first_day.year, first_day.month, first_day.day),
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
    if as_json:
        print_json(facts)
    else:
        note(
            f"{facts['requests']:,} requests of {facts['visitors']:,} visitors, {facts['abusive']:,} of them abusive, "
            f"written to {log}"
        )
