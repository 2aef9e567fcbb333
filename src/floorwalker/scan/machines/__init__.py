"""Machines that are no suspects: recognised, listed apart, and never mixed with shoppers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType

import numpy as np
import polars as pl

from floorwalker.errors import UsageError
from floorwalker.features.network import (
    UNROUTABLE,
    Addresses,
    Networks,
    RangeTable,
    networks_of,
    parse_addresses,
)
from floorwalker.registry import list_parts, load_part
from floorwalker.scan.machines._base import COUNTS, FACTS, VERDICTS, Signature, is_browser
from floorwalker.scan.machines._ignore import Ignore, IgnoreRule
from floorwalker.scan.machines._operators import at_home, is_refutable, refutes, suffixes_of
from floorwalker.scan.machines._resolving import confirmed_name, resolve_all
from floorwalker.scan.machines._signatures import listed_signatures, match_generic, match_signatures

__all__ = [
    "VERDICTS",
    "Ignore",
    "IgnoreRule",
    "Signature",
    "confirmed_name",
    "list_kinds",
    "load_kind",
    "recognise",
]

SCHEMA = {
    "kind": pl.String,
    "name": pl.String,
    "verdict": pl.String,
    "evidence": pl.String,
    "impostor": pl.Boolean,
}
_MOST_LOOK_UPS = 2000
# No honest user agent is longer; an endless one must not cost endless time.
_LONGEST_AGENT = 1000
# So many programs behind one address, crawlers of rivals among them, are a proxy's or a liar's; the address
# proves neither.
_CROWD = 50


def list_kinds() -> list[str]:
    """Ids of the kinds of machine, in alphabetical order."""
    return list_parts(__name__)


def load_kind(kind: str) -> ModuleType:
    """The module of one kind.

    It tells `TITLE`, `ORDER` (the lower is asked first), `SIGNATURES` and `UNNAMED` (which visitors may be of
    this kind without naming themselves so; None for nobody), and judges.
    """
    return load_part(__name__, kind)


@cache
def _kinds() -> dict[str, ModuleType]:
    modules = {kind: load_kind(kind) for kind in list_kinds()}
    return dict(sorted(modules.items(), key=lambda item: int(item[1].ORDER)))


@cache
def _signatures() -> dict[str, tuple[Signature, ...]]:
    own: dict[str, tuple[Signature, ...]] = {kind: module.SIGNATURES for kind, module in _kinds().items()}
    taken = [signature.token for signatures in own.values() for signature in signatures]
    listed = listed_signatures()

    def is_new(signature: Signature) -> bool:
        # A listed machine that is described here already must not come back as another kind.
        if signature.operator:
            return signature.token not in taken
        return not any(token in signature.token for token in taken)

    return {
        kind: (*signatures, *(extra for extra in listed.get(kind, ()) if is_new(extra)))
        for kind, signatures in own.items()
    }


def recognise(
    facts: pl.DataFrame,
    *,
    own_addresses: Sequence[str] = (),
    networks: Networks,
    ignore: Ignore | None = None,
    resolve: Callable[[str], str | None] | None = None,
) -> pl.DataFrame:
    """Tell machines that are no suspects from visitors.

    A declared crawler reads the whole catalogue around the clock: by numbers alone it is the most unusual
    visitor of any shop, and without this step it leads every list of suspects. Texts are matched once for
    each distinct user agent and each distinct address; visitors that can be no machine cost next to nothing.

    Parameters
    ----------
    facts : one row a visitor: `client` and `user_agent` (texts, null where unknown) and the counts and
        measures that `FACTS` names; one that is missing is taken as unknown. Gaps in seconds.
    own_addresses : the shop's own addresses and prefixes.
    networks : known address ranges.
    ignore : what the shop wants left out; it goes before everything else.
    resolve : gives the forward-confirmed host name of an address, e.g. `confirmed_name`; None keeps off the
        network. At most 2,000 addresses are looked up, the busiest first.

    Returns
    -------
    One row for each row of `facts`: `kind` (null for a visitor to be judged), `name`, `verdict` (one of
    `VERDICTS`), `evidence` (a sentence) and `impostor`. An impostor has a kind too: what it claims to be.

    >>> claims = {"client": ["66.249.66.1", "198.51.100.7"], "user_agent": ["Googlebot/2.1"] * 2, "requests": [9, 9]}
    >>> facts = pl.DataFrame(claims)
    >>> recognise(facts, networks=Networks.default())["verdict"].to_list()
    ['verified', 'impostor']
    """
    missing = [column for column in ("client", "user_agent") if column not in facts.columns]
    if missing:
        raise UsageError(f"facts lack the columns {', '.join(missing)}", allowed="client, user_agent and the counts")
    case, addresses = _describe(facts, own_addresses, networks)
    matches = _match_agents(case.select("agent", "user_agent").unique("agent", maintain_order=True))
    found = [_judge_kind(kind, module, case, addresses, matches, resolve) for kind, module in _kinds().items()]
    if ignore is not None and ignore.rules:
        found.insert(0, _judge_ignored(case, addresses, ignore))
    first = pl.concat(found).unique("row", keep="first", maintain_order=True)
    answer = case.select("row").join(first, on="row", how="left", maintain_order="left").drop("row")
    unproven = pl.col("verdict") == "unproven"
    return answer.with_columns(
        kind=pl.when(unproven).then(None).otherwise("kind"), impostor=(pl.col("verdict") == "impostor").fill_null(False)
    ).select(*SCHEMA)


def _describe(facts: pl.DataFrame, own_addresses: Sequence[str], networks: Networks) -> tuple[pl.DataFrame, Addresses]:
    clients = facts["client"].cast(pl.String).fill_null("")
    distinct = clients.unique(maintain_order=True)
    addresses = parse_addresses(distinct)
    own = RangeTable.build(own_addresses).holds(addresses) if own_addresses else np.zeros(len(distinct), np.bool_)
    place = networks.describe(addresses).select(
        network_kind="kind", network_name=pl.col("name"), network_prefix="prefix"
    )
    unroutable = (
        place["network_kind"]
        .fill_null("")
        .is_in([kind for kind in UNROUTABLE if kind not in ("carrier_nat", "documentation")])
    )
    known = place.with_columns(
        client=distinct,
        network=networks_of(addresses),
        is_own=pl.Series(own) | (pl.col("network_kind") == "own").fill_null(False),
        is_unroutable=unroutable,
        is_address=pl.Series(addresses.valid),
        address=pl.int_range(pl.len(), dtype=pl.Int32),
    )
    types = {name: pl.Float64 if name.startswith(("gap", "top")) else pl.Int64 for name in FACTS}
    columns = [
        (pl.col(name) if name in facts.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in types.items()
    ]
    case = (
        facts.select(pl.col("user_agent").cast(pl.String).fill_null("").str.slice(0, _LONGEST_AGENT), *columns)
        .with_columns(clients.alias("client"), pl.int_range(pl.len(), dtype=pl.Int32).alias("row"))
        .with_columns(pl.col("requests").fill_null(pl.sum_horizontal(COUNTS)), agent=_agent_codes(facts))
        .join(known, on="client", how="left", maintain_order="left")
    )
    people = case.filter(is_browser())
    inside = int(people.filter("is_unroutable")["requests"].sum())
    if inside > 0.5 * int(people["requests"].sum()):
        # Most browsers come from private addresses: those are a proxy's, and everybody's, not the shop's own.
        case = case.with_columns(is_unroutable=pl.lit(False))
    return case, addresses


def _agent_codes(facts: pl.DataFrame) -> pl.Series:
    if "user_agent_code" in facts.columns:
        return facts["user_agent_code"]
    # Equal texts get equal numbers by hashing; ranking them would sort them.
    return facts["user_agent"].cast(pl.String).fill_null("").cast(pl.Categorical).to_physical()


def _match_agents(agents: pl.DataFrame) -> pl.DataFrame:
    """What each distinct user agent names: rows of `agent`, `kind`, `signature` and `operator`."""
    named = agents.filter(pl.col("user_agent") != "").select(pl.col("user_agent").unique())
    listed = match_signatures(named["user_agent"], _signatures())
    unknown = named.join(listed, on="user_agent", how="anti")
    generic = match_generic(unknown["user_agent"]).select(
        "user_agent", kind=pl.lit("crawler"), signature="signature", operator=pl.lit("")
    )
    return pl.concat([listed, generic]).join(agents, on="user_agent").drop("user_agent")


def _judge_kind(
    kind: str,
    module: ModuleType,
    case: pl.DataFrame,
    addresses: Addresses,
    matches: pl.DataFrame,
    resolve: Callable[[str], str | None] | None,
) -> pl.DataFrame:
    ours = matches.filter(pl.col("kind") == kind).select("agent", "signature", "operator")
    rows = case.join(ours, on="agent", how="inner", maintain_order="left")
    if module.UNNAMED is not None:
        # Few visitors name themselves; of the others only those are looked at that could be of this kind.
        others = case.filter(module.UNNAMED).join(ours, on="agent", how="anti")
        rows = pl.concat([rows, others.with_columns(signature=pl.lit(""), operator=pl.lit(""))])
    rows = _place_at_home(rows, addresses)
    if kind == "crawler":
        rows = _check_claims(rows, case, addresses, resolve)
    judged: pl.DataFrame = module.judge(rows)
    return judged.select(
        "row",
        pl.lit(module.TITLE).alias("kind"),
        pl.col("name", "verdict", "evidence").cast(pl.String),
    )


def _take(addresses: Addresses, rows: pl.Series) -> Addresses:
    at = rows.to_numpy()
    return Addresses(addresses.family[at], addresses.high[at], addresses.low[at])


def _place_at_home(rows: pl.DataFrame, addresses: Addresses) -> pl.DataFrame:
    # An operator's own network, without the machines that it rents out.
    claims = rows.filter(pl.col("operator") != "", pl.col("network_kind").fill_null("") != "hosting")
    inside = claims.filter(at_home(_take(addresses, claims["address"]), claims["operator"]))["row"]
    return rows.with_columns(is_at_home=pl.col("row").is_in(inside.implode()))


def _check_claims(
    claims: pl.DataFrame, case: pl.DataFrame, addresses: Addresses, resolve: Callable[[str], str | None] | None
) -> pl.DataFrame:
    claims = claims.with_columns(
        is_refutable=is_refutable(claims["operator"]),
        # Some servers log host names; one that is the operator's may be believed, though it was not confirmed.
        is_host_named=~claims["is_address"] & _are_named(claims["client"], claims["operator"]),
        is_refuted=refutes(_take(addresses, claims["address"]), claims["operator"], claims["network_kind"]),
    )
    suspects = claims.filter("is_refuted")["client"].unique()
    crowds = (
        case.filter(pl.col("client").is_in(suspects.implode()))
        .group_by("client")
        .agg(agents=pl.col("user_agent").n_unique())
        .filter(pl.col("agents") >= _CROWD)["client"]
    )
    return _look_up(claims.with_columns(is_crowded=pl.col("client").is_in(crowds.implode())), resolve)


def _are_named(hosts: pl.Series, operators: pl.Series) -> pl.Series:
    named = [
        bool(host)
        and any(host.lower() == suffix or host.lower().endswith(f".{suffix}") for suffix in suffixes_of(name))
        for host, name in zip(hosts, operators, strict=True)
    ]
    return pl.Series(named, dtype=pl.Boolean)


def _look_up(claims: pl.DataFrame, resolve: Callable[[str], str | None] | None) -> pl.DataFrame:
    if resolve is None:
        nothing = pl.lit(None, pl.String)
        return claims.with_columns(host=nothing, host_confirms=pl.lit(False), host_refutes=pl.lit(False))
    open_claims = claims.filter(
        (pl.col("network_name") != pl.col("operator")).fill_null(True),
        pl.col("operator").is_in([name for name in claims["operator"].unique() if suffixes_of(name)]),
    )
    busiest = open_claims.group_by("client").agg(pl.col("requests").sum()).sort("requests", descending=True)
    hosts = resolve_all(busiest["client"].head(_MOST_LOOK_UPS).to_list(), resolve)
    host = claims["client"].replace_strict(hosts, default=None, return_dtype=pl.String)
    confirms = _are_named(host, claims["operator"])
    checkable = pl.Series([bool(suffixes_of(name)) for name in claims["operator"]], dtype=pl.Boolean)
    return claims.with_columns(
        host=host, host_confirms=confirms, host_refutes=host.is_not_null() & checkable & ~confirms
    )


def _judge_ignored(case: pl.DataFrame, addresses: Addresses, ignore: Ignore) -> pl.DataFrame:
    rule = ignore.match_visitors(_take(addresses, case["address"]), case["user_agent"])
    matched = pl.Series(rule)
    reasons = pl.Series([each.reason for each in ignore.rules], dtype=pl.String)
    return case.select(
        "row",
        kind=pl.lit("ignored"),
        name=reasons.gather(matched.clip(lower_bound=0)),
        verdict=pl.lit("verified"),
        evidence=pl.format("in the shop's own ignore list: {}", reasons.gather(matched.clip(lower_bound=0))),
    ).filter(matched >= 0)
