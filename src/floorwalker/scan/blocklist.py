"""Which addresses may be blocked: those of proven abusers, and of nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from floorwalker.errors import InputError, UsageError
from floorwalker.features.network import Networks, RangeTable, blocking_units, parse_addresses
from floorwalker.scan.machines import recognise
from floorwalker.scan.phrases import say_count
from floorwalker.scan.result import TIERS, ScanResult
from floorwalker.sinks.blocklist import BlockEntry, write_entries

BLOCKING_TIERS = TIERS[:2]
"""Tiers whose visitors may be blocked; what is only unusual is for a person to look at."""

SPARED_KINDS = {
    "private": "private or reserved address",
    "loopback": "private or reserved address",
    "link_local": "private or reserved address",
    "documentation": "private or reserved address",
    "reserved": "private or reserved address",
    "carrier_nat": "carrier network",
    "carrier": "carrier network",
    "relay": "privacy relay that many people share",
    "cdn": "delivery network or load balancer",
    "load_balancer": "delivery network or load balancer",
    "crawler": "crawler's published range",
    "monitor": "monitor's published range",
    "own": "the shop's own address",
}
"""Kinds of network that are never blocked, with the reason as it is counted."""


@dataclass(frozen=True)
class WouldHaveHit:
    """Whom the entries would have hit, had they stood while the log was written.

    Parameters
    ----------
    visitors : visitors behind the entries.
    unflagged : those of them that no evidence speaks against; 0 by construction, counted all the same.
    checkouts : completed checkouts behind the entries; 0 by construction.
    """

    visitors: int
    unflagged: int
    checkouts: int


@dataclass(frozen=True)
class Blocklist:
    """Addresses to block.

    Parameters
    ----------
    entries : in the order of their addresses.
    withheld : reason to number of addresses that it kept off the list, the commonest first; an address is
        counted once, under the first reason that holds.
    would_have_hit : the list tried on the log that it was made from.
    made_at : the time of making.
    """

    entries: tuple[BlockEntry, ...]
    withheld: dict[str, int]
    would_have_hit: WouldHaveHit
    made_at: datetime

    def summary(self) -> list[str]:
        """What to tell the person who asked for the list, line by line."""
        hit = self.would_have_hit
        lines = [
            f"{say_count(len(self.entries), 'address', 'addresses')} to block; on this log they would have hit "
            f"{say_count(hit.visitors, 'visitor')}, {say_count(hit.unflagged)} of them not flagged, and "
            f"{say_count(hit.checkouts, 'checkout')}"
        ]
        return lines + [f"withheld: {count} ({reason})" for reason, count in self.withheld.items()]


def build_blocklist(
    result: ScanResult,
    *,
    networks: Networks,
    now: datetime,
    own_addresses: Sequence[str] = (),
    trusted_proxies: Sequence[str] = (),
    lifetime_hours: float = 24.0,
    others: pl.DataFrame | None = None,
) -> Blocklist:
    """Make the blocklist of a scan.

    Blocking is the one output that can hurt the shop by itself, so it is built from what must never be on it.
    A flagged visitor's address is listed when the evidence is proven or a strong pattern, unless the address
    (for IPv6 the whole /64) is private or reserved, the shop's own, a trusted proxy's, a delivery network's,
    a carrier's or a relay's, or in a published range of crawlers or monitors; or a machine that was set apart
    calls from it; or a visitor who was not flagged shares it; or a checkout was completed from it; or its
    visitor may be a real crawler that could not be checked.

    Parameters
    ----------
    result : what the scan found, unmasked.
    networks : known address ranges.
    now : the time of making, with a time zone.
    own_addresses, trusted_proxies : addresses and prefixes that are the shop's.
    lifetime_hours : hours until an entry expires; addresses change hands.
    others : visitors that the result has no rows for, since they were too sparse or came on days that were
        not judged: `visitor`, `client`, `checkouts`. They share addresses too.

    Raises
    ------
    InputError : the addresses of the log are not the visitors' own (`ScanResult.blocklist_allowed`).
    UsageError : `now` has no time zone, the lifetime is not positive, or an own address or proxy is no
        address.
    """
    if not result.blocklist_allowed:
        raise InputError(
            f"no blocklist can be made: {result.blocklist_refusal or 'the addresses are not the visitors'}"
        )
    if now.tzinfo is None or lifetime_hours <= 0:
        raise UsageError(
            f"blocklist made at {now!r} for {lifetime_hours} hours", allowed="a time with its zone, a positive lifetime"
        )
    candidates, everybody = _collect(result, others)
    kept_off = _find_reasons(candidates, everybody, result, networks, (*own_addresses, *trusted_proxies))
    listed = candidates.join(kept_off, on="unit", how="anti").sort("order")
    expires_at = now + timedelta(hours=lifetime_hours)
    entries = tuple(
        BlockEntry(unit, tier, evidence or "", pattern or "unusual", expires_at)
        for unit, tier, evidence, pattern in listed.select("unit", "tier", "evidence", "pattern").iter_rows()
    )
    counted = kept_off.group_by("reason").len().sort("len", "reason", descending=[True, False])
    withheld = {str(reason): int(count) for reason, count in counted.iter_rows()}
    return Blocklist(entries, withheld, _try_out(everybody, listed), now)


def format_blocklist(blocklist: Blocklist, kind: str) -> str:
    """The blocklist as the text of a file; `kind` is one of `floorwalker.sinks.blocklist.list_formats()`."""
    return write_entries(blocklist.entries, kind, made_at=blocklist.made_at)


def _with_units(visitors: pl.DataFrame) -> pl.DataFrame:
    clients = visitors["client"].fill_null("")
    distinct = clients.unique(maintain_order=True)
    units = pl.DataFrame({"client": distinct, "unit": blocking_units(parse_addresses(distinct))})
    return visitors.with_columns(client=clients).join(units, on="client", how="left", maintain_order="left")


def _collect(result: ScanResult, others: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row for each address that could be blocked, and one for each visitor-day with its address."""
    blockable = pl.col("flagged") & pl.col("tier").is_in(BLOCKING_TIERS).fill_null(False)
    judged = result.visitors.select(
        "visitor",
        "client",
        "user_agent",
        "tier",
        "pattern",
        "rank",
        "checkouts",
        evidence=pl.col("reasons").list.head(2).list.join("; "),
        blockable=blockable,
    )
    if others is not None:
        rest = others.select("visitor", "client", "checkouts").cast({"visitor": pl.Int32, "checkouts": pl.Int32})
        judged = pl.concat([judged, rest.with_columns(blockable=pl.lit(False))], how="diagonal_relaxed")
    everybody = _with_units(judged)
    # One day's evidence condemns the visitor on its other days too.
    everybody = everybody.with_columns(condemned=pl.col("blockable").any().over("visitor"))
    candidates = (
        everybody.filter("blockable")
        .with_columns(unit=pl.coalesce("unit", "client"))
        .sort("rank", descending=True, nulls_last=True)
        .group_by("unit", maintain_order=True)
        .agg(
            pl.col("client").first(),
            pl.col("tier").sort_by(pl.col("tier").replace_strict({tier: n for n, tier in enumerate(TIERS)})).first(),
            pl.col("evidence", "pattern").first(),
        )
    )
    addresses = parse_addresses(candidates["client"])
    order = pl.DataFrame({"high": addresses.high, "low": addresses.low}).select(
        order=pl.struct("high", "low").rank("dense")
    )
    return candidates.with_columns(order.to_series(), is_address=pl.Series(addresses.valid)), everybody


def _find_reasons(
    candidates: pl.DataFrame,
    everybody: pl.DataFrame,
    result: ScanResult,
    networks: Networks,
    own: Sequence[str],
) -> pl.DataFrame:
    """Why an address is kept off the list: `unit` and `reason`, one row an address that is kept off."""
    addresses = parse_addresses(candidates["client"])
    found = [candidates.filter(~pl.col("is_address")).select("unit", reason=pl.lit("no address"))]
    mine = [text for text in own if text]
    tables = [(RangeTable.build(mine), "the shop's own address or a trusted proxy")] if mine else []
    by_reason: dict[str, list[str]] = {}
    for kind, reason in SPARED_KINDS.items():
        by_reason.setdefault(reason, []).append(kind)
    tables += [(networks.of_kinds(*kinds), reason) for reason, kinds in by_reason.items()]
    for table, reason in tables:
        spared = candidates.filter(pl.Series(table.touches(addresses), dtype=pl.Boolean))
        found.append(spared.select("unit", reason=pl.lit(reason)))
    machines = _with_units(result.machines.filter(~pl.col("impostor")).select("client"))
    found.append(machines.select("unit", reason=pl.lit("shared with a machine that was set apart")))
    # Orders of condemned visitors count as well: whoever buys is not shut out by a machine.
    buyers = everybody.filter(pl.col("checkouts") > 0)
    found.append(buyers.select("unit", reason=pl.lit("completed a checkout")))
    innocent = everybody.filter(~pl.col("condemned"))
    found.append(innocent.select("unit", reason=pl.lit("shared with visitors who are not flagged")))
    found.append(_find_possible_crawlers(everybody, networks))
    return pl.concat(found).join(candidates, on="unit", how="semi").unique("unit", keep="first", maintain_order=True)


def _find_possible_crawlers(everybody: pl.DataFrame, networks: Networks) -> pl.DataFrame:
    # Who claims to be a crawler from an address that neither proves nor refutes it is shown, but not blocked.
    claims = everybody.filter(pl.col("blockable") & (pl.col("tier") != TIERS[0]))
    verdicts = recognise(claims.select("client", "user_agent"), networks=networks)["verdict"]
    reason = pl.lit("may be a real crawler")
    return claims.filter((verdicts == "unproven").fill_null(False)).select("unit", reason=reason)


def _try_out(everybody: pl.DataFrame, listed: pl.DataFrame) -> WouldHaveHit:
    hit = everybody.join(listed, on="unit", how="semi")
    return WouldHaveHit(
        visitors=hit["visitor"].n_unique(),
        unflagged=hit.filter(~pl.col("condemned"))["visitor"].n_unique(),
        checkouts=int(hit["checkouts"].sum() or 0),
    )
