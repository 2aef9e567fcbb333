"""Put a log together: people, abusers and machines act, the server answers, and the truth is written beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.events.requests import METHODS
from floorwalker.simulation._site import Site
from floorwalker.simulation.access_log._addresses import AddressBook
from floorwalker.simulation.access_log._agents import AgentBook
from floorwalker.simulation.access_log._catalogue import Catalogue
from floorwalker.simulation.access_log._crowd import Crowd, join_crowds
from floorwalker.simulation.access_log._family import Family, list_families, load_family
from floorwalker.simulation.access_log._records import ABUSIVE_KINDS, SKILLS, SPLITS, GeneratedLog, Scenario
from floorwalker.simulation.access_log._render import NO_REFERRER, Rendered, render, session_words
from floorwalker.simulation.access_log._town import Town, split_visits

OUTSIDE = (
    "https://www.google.com/", "https://www.facebook.com/", "https://compare.example/", "https://deals.example/", "https://mail.example/",
)  # fmt: skip
"""Referrers from outside, by source."""

_WEEK = np.array([0.97, 0.95, 0.96, 0.98, 1.04, 1.1, 1.0])
_NOISE = 0.05


@dataclass(frozen=True)
class _Party:
    name: str
    family: Family
    crowd: Crowd


def generate(scenario: Scenario) -> GeneratedLog:
    """Generate a shop's access log with the truth beside it.

    Parameters
    ----------
    scenario : what to generate; the same scenario gives the same bytes.

    Raises
    ------
    UsageError : unknown family, or one of the other split: routes are learned on the site families of `training` and
        `validation`, which go with `choose`; `report` takes the unseen ones.
    """
    from floorwalker.simulation import sites

    if scenario.site_family not in sites.list_families():
        raise UsageError(f"site family {scenario.site_family!r}", allowed=", ".join(sites.list_families()))
    wanted = {"choose": ("training", "validation"), "report": ("unseen",)}.get(scenario.split)
    if wanted is not None and sites.family_split(scenario.site_family) not in wanted:
        raise UsageError(
            f"site family {scenario.site_family!r} is not of the split {scenario.split!r}",
            allowed=", ".join(name for part in wanted for name in sites.list_families(part)),
            fix="or use split='both' where nothing is tuned or published",
        )
    site = sites.make_site(scenario.site_family, seed=scenario.seed, items=scenario.items)
    return generate_on(site, scenario)


def generate_on(site: Site, scenario: Scenario) -> GeneratedLog:
    """As `generate`, on a site that is already there (its `family` need not be a listed one)."""
    _check(scenario)
    root = np.random.SeedSequence([scenario.seed, 0xF10])
    for_shop, for_town, for_people, for_server, for_log = (np.random.default_rng(child) for child in root.spawn(5))
    catalogue = Catalogue(site, for_shop)
    regime = {"choose": 0, "report": 1}.get(scenario.split, int(for_town.integers(2)))
    town = Town(scenario, catalogue, AddressBook(for_town), AgentBook(), regime)
    parties = _invite(town, for_people)
    crowd = join_crowds([party.crowd for party in parties])
    party_of = np.repeat(np.arange(len(parties)), [len(party.crowd.actors) for party in parties])
    requests = render(catalogue, for_server, crowd, town.end)
    return _write_down(town, for_log, parties, party_of, crowd, requests)


def _check(scenario: Scenario) -> None:
    if scenario.split not in SPLITS:
        raise UsageError(f"split {scenario.split!r}", allowed=", ".join(SPLITS))
    if scenario.days < 1 or scenario.visitors_per_day < 0 or scenario.hunters < 0 or scenario.items < 1:
        raise UsageError(f"scenario {scenario}", allowed="days and items >= 1, counts >= 0")
    for name in (*(scenario.adversaries or ()), *(scenario.honest or ())):
        family = load_family(name)
        if not family.belongs(scenario.split):
            raise UsageError(
                f"family {name!r} belongs to the split {family.split!r}, not to {scenario.split!r}",
                fix="choose another family, or split='both' where nothing is tuned or published",
            )


def _invite(town: Town, chance: Generator) -> list[_Party]:
    scenario = town.scenario
    days = np.arange(scenario.days)
    is_promotion = np.isin(days, scenario.promotion_days)
    weekday = np.array([(scenario.first_day.toordinal() + int(day) - 1) % 7 for day in days])
    usual = scenario.visitors_per_day * _WEEK[weekday] * np.exp(_NOISE * chance.standard_normal(scenario.days))
    names: list[tuple[str, NDArray[np.int64]]] = []
    honest = _load(scenario.honest if scenario.honest is not None else list_families("honest", split=scenario.split))
    total = sum(family.share for _, family in honest) or 1.0
    crowd_total = sum(family.share * family.on_promotion for _, family in honest) or 1.0
    more = np.where(is_promotion, usual * max(scenario.surge - 1.0, 0.0), 0.0)
    for name, family in honest:
        daily = usual * (family.share / total) + more * (family.share * family.on_promotion / crowd_total)
        names.append((name, split_visits(chance, 1.0, daily)))
    listed = scenario.adversaries
    if listed is None:
        listed = tuple(name for kind in ABUSIVE_KINDS for name in list_families(kind, split=scenario.split))
    if scenario.hunters:
        names.extend(_assign(chance, scenario.hunters, _load(sorted(listed)), is_promotion))
    if scenario.machines:
        names.extend((name, np.rint(usual).astype(np.int64)) for name in list_families("machine", split=scenario.split))
    parties = []
    for name, daily in names:
        family = load_family(name)
        # A stream of its own for each family: adding one changes nobody else's visits.
        own = np.random.default_rng([scenario.seed, 0xFA, *name.encode()])
        if daily.sum():
            parties.append(_Party(name, family, family.act(town, own, daily)))
    if not parties:
        raise UsageError("a scenario without any visitor", allowed="visitors_per_day, hunters or machines above zero")
    return parties


def _load(names: list[str] | tuple[str, ...]) -> list[tuple[str, Family]]:
    return [(name, load_family(name)) for name in names]


def _assign(
    chance: Generator, hunters: int, families: list[tuple[str, Family]], is_promotion: NDArray[np.bool_]
) -> list[tuple[str, NDArray[np.int64]]]:
    """Operators of each family on each day; sums are exact on every ordinary day."""
    shares = np.array([family.share for _, family in families])
    lasting = np.array([family.is_lasting for _, family in families])
    hunting = np.array([family.share * max(family.on_promotion - 1.0, 0.0) for _, family in families])
    steady = _round(chance, hunters * shares / shares.sum())
    counts = np.repeat(steady[:, None], len(is_promotion), axis=1)
    extra = min(1.0, float(hunting.sum() / shares.sum()))
    for day in range(len(is_promotion)):
        left = hunters - int(steady[lasting].sum())
        free = np.where(lasting, 0.0, shares)
        if free.sum():
            counts[~lasting, day] = _round(chance, left * free / free.sum())[~lasting]
        if is_promotion[day] and hunting.sum():
            counts[:, day] += _round(chance, hunters * extra * hunting / hunting.sum())
    return [(name, counts[row]) for row, (name, _) in enumerate(families)]


def _round(chance: Generator, wanted: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers with the same sum, each within one of what is wanted (systematic rounding)."""
    order = chance.permutation(len(wanted))
    edges = np.floor(np.cumsum(wanted[order]) + chance.random() * 0.999 + 1e-9)
    whole = np.empty(len(wanted), np.int64)
    whole[order] = np.diff(np.concatenate([[0], edges])).astype(np.int64)
    return whole


def _write_down(
    town: Town, chance: Generator, parties: list[_Party], party_of: NDArray[np.int64], crowd: Crowd, made: Rendered
) -> GeneratedLog:
    scenario, site = town.scenario, town.catalogue.site
    client, client_texts = town.addresses.texts(made.address)
    pair = client.astype(np.int64) * len(town.agents.texts) + made.agent
    distinct, visitor_of = np.unique(pair, return_inverse=True)
    number = chance.permutation(len(distinct)).astype(np.int32)
    midnight = datetime(
        scenario.first_day.year, scenario.first_day.month, scenario.first_day.day, tzinfo=UTC
    ).timestamp()
    start = int(midnight) - scenario.utc_offset_minutes * 60
    at = start * 1_000_000 + np.rint(made.at * 1000.0).astype(np.int64) * 1000
    agents = pl.Series(town.agents.texts).replace("", None)
    base = f"https://{site.host}"
    texts = pl.Series(town.catalogue.texts)
    referrers = pl.concat([base + texts, pl.Series(OUTSIDE)])
    code = np.where(made.referrer <= -10, len(texts) - 10 - made.referrer, made.referrer)
    seen_referrer = pl.Series(np.where(code == NO_REFERRER, 0, code)).cast(pl.UInt32)
    salt = int(chance.integers(1 << 60))
    requests = pl.DataFrame(
        {
            "at": at,
            "client": client_texts.gather(client),
            "user_agent": agents.gather(made.agent),
            "method": pl.Series(METHODS).gather(made.method),
            "target": texts.gather(made.target),
            "status": made.status,
            "size": made.size,
            "referrer": referrers.gather(seen_referrer),
            "session": _sessions(made, salt),
            "visitor": number[visitor_of],
            "has_referrer": code != NO_REFERRER,
            "has_session": crowd.actors.keeps_cookies[made.actor],
        }
    ).with_columns(
        pl.lit(site.host).alias("host"),
        pl.when("has_referrer").then("referrer").alias("referrer"),
        pl.when("has_session").then("session").alias("session"),
    )
    from floorwalker.simulation.access_log._records import REQUEST_COLUMNS

    requests = requests.select(pl.col(name).cast(dtype) for name, dtype in REQUEST_COLUMNS.items())
    truth = _truth(parties, party_of, crowd, made, requests)
    return GeneratedLog(requests, truth, site, scenario.utc_offset_minutes)


def _sessions(made: Rendered, salt: int) -> pl.Series:
    """Session cookies as 26 hexadecimal digits, one text a distinct session."""
    words = session_words(made.actor, made.at, salt)
    _, first, place = np.unique(words[:, 0], return_index=True, return_inverse=True)
    digits = np.ascontiguousarray(words[first]).tobytes().hex()
    texts = pl.Series([digits[32 * k : 32 * k + 26] for k in range(len(first))], dtype=pl.String)
    return texts.gather(place)


def _truth(
    parties: list[_Party], party_of: NDArray[np.int64], crowd: Crowd, made: Rendered, requests: pl.DataFrame
) -> pl.DataFrame:
    party = party_of[made.actor]
    abusive = np.array([p.family.abusive for p in parties])
    frame = requests.select("visitor", "client", "user_agent", "at").with_columns(
        pl.Series("party", party.astype(np.int32)),
        pl.Series("is_abuse", abusive[party]),
        pl.Series("skill", crowd.actors.skill[made.actor]),
        pl.Series("campaign", (crowd.actors.campaign[made.actor]).astype(np.int64)),
    )
    main = frame.group_by("visitor", "party").agg(pl.len().alias("n"), pl.col("skill").max(), pl.col("campaign").max())
    main = main.sort("visitor", "n", "party", descending=[False, True, False]).unique(
        "visitor", keep="first", maintain_order=True
    )
    facts = frame.group_by("visitor").agg(
        pl.col("client").first(), pl.col("user_agent").first(), pl.col("is_abuse").mean().alias("abusive_share"),
        pl.col("at").min().alias("first_at"), pl.col("at").max().alias("last_at"),
        pl.len().cast(pl.Int64).alias("requests"),
    )  # fmt: skip
    of_party = pl.DataFrame(
        {
            "party": np.arange(len(parties), dtype=np.int32),
            "family": [p.name for p in parties],
            "kind": [p.family.kind for p in parties],
            "category": pl.Series([p.family.category for p in parties], dtype=pl.String),
        }
    )
    joined = facts.join(main, on="visitor").join(of_party, on="party")
    skills = pl.Series(SKILLS)
    numbered = pl.col("party").cast(pl.Int64) * 100_000 + pl.col("campaign")
    campaign = pl.when(pl.col("campaign") >= 0).then(numbered).cast(pl.Int32).alias("campaign")
    return joined.sort("visitor").select(
        "visitor", "client", "user_agent", "family", "kind",
        (pl.col("abusive_share") >= 0.5).alias("abusive"),
        "abusive_share",
        pl.when(pl.col("skill") >= 0).then(pl.lit(skills).implode().list.get(pl.col("skill").clip(0))).alias("skill"),
        campaign,
        "category", "first_at", "last_at", "requests",
    )  # fmt: skip
