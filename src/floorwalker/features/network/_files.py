"""A user's own address ranges: `label,cidr` lines or the JSON that operators publish."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from floorwalker.errors import UsageError
from floorwalker.features.network.ranges import read_prefixes

_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
}

# Public lists of providers' ranges name the provider alone; its kind is known.
_KNOWN = {
    provider: kind
    for kind, providers in {
        "hosting": "amazon digitalocean google linode microsoft oracle vultr github hetzner ovh protonvpn",
        "cdn": "cloudflare fastly akamai cloudfront",
        "relay": "apple-proxy",
        "crawler": "bing googlebot openai perplexity duckduckbot duckassistbot facebook telegram twitter",
        "monitor": "pingdom statuscake uptimerobot",
    }.items()
    for provider in providers.split()
}

_OPERATORS = {
    "bing": "Microsoft",
    "googlebot": "Google",
    "openai": "OpenAI",
    "perplexity": "Perplexity",
    "duckduckbot": "DuckDuckGo",
    "duckassistbot": "DuckDuckGo",
    "facebook": "Meta",
    "telegram": "Telegram",
    "twitter": "X",
    "cloudflare": "Cloudflare",
    "pingdom": "Pingdom",
    "statuscake": "StatusCake",
    "uptimerobot": "UptimeRobot",
}


def read_networks_file(path: Path, kinds: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Read `(kind, name, prefix)` rows from a file.

    Parameters
    ----------
    path : a CSV with the columns label and cidr (a header line is allowed), or JSON as operators publish it,
        `{"prefixes": [{"ipv4Prefix": …}]}`, whose ranges become crawlers named after the file. `.gz`, `.xz`
        and `.bz2` are unpacked. A label is a kind (`carrier`), a kind and a name (`cdn:our edge`), or the
        name of a provider that is known here (`amazon`).
    kinds : the kinds that a label may name.

    Raises
    ------
    UsageError : with every fault of the file at once, by line.
    """
    try:
        text = _UNPACK.get(path.suffix, bytes)(path.read_bytes()).decode("utf-8-sig")
    except (OSError, EOFError, lzma.LZMAError, ValueError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UsageError(
            f"networks file {str(path)!r} cannot be read: {why}",
            fix="check the path and the encoding (UTF-8)",
        ) from error
    rows, faults = _from_json(path, text) if text.lstrip().startswith("{") else _from_csv(text, kinds)
    _, _, wrong = read_prefixes([row[2] for _, row in rows])
    faults += [(rows[at][0], f"{rows[at][1][2]!r} is no address range") for at in wrong]
    if faults or not rows:
        listed = "; ".join(f"line {line}: {fault}" for line, fault in sorted(faults)[:20])
        more = f"; and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise UsageError(
            f"networks file {str(path)!r}: {listed or 'it holds no range'}{more}",
            allowed=f"lines 'label,cidr', the label one of {', '.join(kinds)}, or kind:name, or a known provider",
        )
    return [row for _, row in rows]


_Rows = tuple[list[tuple[int, tuple[str, str, str]]], list[tuple[int, str]]]


def _from_csv(text: str, kinds: tuple[str, ...]) -> _Rows:
    rows: list[tuple[int, tuple[str, str, str]]] = []
    faults: list[tuple[int, str]] = []
    for line, cells in enumerate(csv.reader(text.splitlines()), start=1):
        if not cells or cells[0].lstrip().startswith("#"):
            continue
        if len(cells) < 2:
            faults.append((line, f"{cells[0]!r} has no second column"))
            continue
        label, prefix = cells[0].strip(), cells[1].strip()
        if line == 1 and prefix.lower() in ("cidr", "prefix", "network", "range"):
            continue
        kind, _, name = label.partition(":")
        if kind in kinds:
            rows.append((line, (kind, name.strip() or f"your {kind}", prefix)))
        elif label.lower() in _KNOWN:
            known = label.lower()
            rows.append((line, (_KNOWN[known], _OPERATORS.get(known, label), prefix)))
        else:
            faults.append((line, f"unknown label {label!r}"))
    return rows, faults


def _from_json(path: Path, text: str) -> _Rows:
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        return [], [(1, f"not JSON: {error}")]
    listed = document.get("prefixes") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return [], [(1, "no list under the key 'prefixes'")]
    name = path.name.partition(".")[0]
    kind, operator = _KNOWN.get(name.lower(), "crawler"), _OPERATORS.get(name.lower(), name)
    rows: list[tuple[int, tuple[str, str, str]]] = []
    faults: list[tuple[int, str]] = []
    for position, item in enumerate(listed, start=1):
        prefix = item.get("ipv4Prefix") or item.get("ipv6Prefix") if isinstance(item, dict) else None
        if isinstance(prefix, str):
            rows.append((position, (kind, operator, prefix)))
        else:
            faults.append((position, "an entry without ipv4Prefix or ipv6Prefix"))
    return rows, faults
