"""Other ways to merge URLs: a rich regular expression, a prefix trie, Drain3, no merging."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from floorwalker.errors import MissingExtraError

_TRACKING = re.compile(
    r"^(utm_.*|gclid|fbclid|msclkid|yclid|_ga|mc_.*|phpsessid|jsessionid|sid|sessionid)$", re.IGNORECASE
)
_DISPATCH = re.compile(
    r"^(route|r|controller|action|act|mode|op|cmd|do|task|view|module|mod|func|method|operation|operationname|event|handler|page_type|c|a|m)$",
    re.IGNORECASE,
)
_PAGING = re.compile(
    r"^(page|p|pg|offset|start|from|limit|per_?page|size|sort|order|order_?by|dir|lang|locale|currency|view|v|ver|version|t|ts|_|rand|callback|ref|source)$",
    re.IGNORECASE,
)
_ENDING = re.compile(
    r"\.(html?|php|aspx?|jsp|do|cgi|css|js|mjs|json|xml|png|jpe?g|gif|webp|svg|avif|ico|woff2?|ttf|pdf|rss|txt)$",
    re.IGNORECASE,
)
_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", re.IGNORECASE)
_HEX = re.compile(r"^(?=.*\d)[0-9a-f]{6,}$", re.IGNORECASE)
_DATE = re.compile(r"^\d{4}-\d{1,2}(-\d{1,2})?$|^\d{8}$")
_SIZE = re.compile(r"^[wh]?\d+(x\d+)?(px)?$", re.IGNORECASE)
_VERSION = re.compile(r"^v?\d+(\.\d+)+$", re.IGNORECASE)
_API_VERSION = re.compile(r"^v\d$", re.IGNORECASE)
_FACETS = re.compile(r"[,|:=]")
_LOCALE = re.compile(r"^[a-z]{2}[-_][a-z]{2}$")
_PREFIXED = re.compile(r"^([a-z]{1,3})[-_]?\d{2,}$", re.IGNORECASE)


def _segment(segment: str) -> str:
    """One segment with what looks variable replaced; written without a look at the families it is measured on."""
    text = unquote(segment)
    found = _ENDING.search(text)
    ending = found.group(0).lower() if found else ""
    stem = text[: len(text) - len(ending)]
    stem = re.sub(r";[^/]*$", "", stem)
    if not stem:
        return ending
    if _API_VERSION.match(stem):
        return stem + ending
    if any(shape.match(stem) for shape in (_UUID, _HEX, _DATE, _SIZE, _VERSION, _LOCALE)) or stem.isdigit():
        return "{}" + ending
    if (
        any(ord(character) > 127 for character in stem)
        or _FACETS.search(stem)
        or "%" in stem
        or "+" in stem
        or " " in stem
    ):
        return "{}" + ending
    prefixed = _PREFIXED.match(stem)
    if prefixed:
        return prefixed.group(1) + "{}" + ending
    digits = sum(character.isdigit() for character in stem)
    parts = [part for part in re.split(r"[-_.~]", stem) if part]
    if digits and (digits >= 3 or len(parts) > 1 or digits / len(stem) > 0.2):
        return "{}" + ending
    if len(parts) >= 3 or len(stem) > 24:
        return "{}" + ending
    if not stem.islower() and not stem.isupper() and len(stem) >= 16:
        return "{}" + ending
    return stem + ending


def by_expressions(targets: Sequence[str]) -> list[str]:
    """A rich heuristic: numbers, hashes, dates, sizes, slugs, facets, foreign scripts, endings, dispatching keys."""
    answers = []
    for target in targets:
        path, _, query = target.partition("?")
        segments = "/".join(_segment(segment) for segment in path.split("/") if segment)
        keys = []
        for pair in sorted(query.split("&")) if query else []:
            name, equals, value = pair.partition("=")
            if not equals or _TRACKING.match(name):
                continue
            if _DISPATCH.match(name) and not value.isdigit():
                keys.append(f"{name}={value}")
            elif not _PAGING.match(name):
                keys.append(f"{name}={{}}")
        answers.append(f"/{segments}?{'&'.join(keys)}")
    return answers


def by_trie(targets: Sequence[str], *, fan_out: int) -> list[str]:
    """A prefix trie: children of a node with more than `fan_out` of them become one; query values are dropped."""
    paths = [[segment for segment in target.partition("?")[0].split("/") if segment] for target in targets]
    answers: list[list[str]] = [[] for _ in targets]
    waiting = [(list(range(len(targets))), 0)]
    while waiting:
        rows, depth = waiting.pop()
        children: dict[str, list[int]] = {}
        for row in rows:
            if len(paths[row]) > depth:
                children.setdefault(paths[row][depth], []).append(row)
        if len(children) > fan_out:
            children = {"{}": [row for members in children.values() for row in members]}
        for name, members in children.items():
            for row in members:
                answers[row].append(name)
            waiting.append((members, depth + 1))
    keys = (
        "&".join(sorted(pair.partition("=")[0] for pair in target.partition("?")[2].split("&"))) for target in targets
    )
    return ["/" + "/".join(answer) + "?" + key for answer, key in zip(answers, keys, strict=True)]


def by_drain(targets: Sequence[str], *, similarity: float) -> list[int]:
    """Drain3, the log-template miner, on targets split at slashes and query delimiters.

    Errors
    ------
    MissingExtraError : Drain3 is not installed.
    """
    try:
        from drain3 import TemplateMiner
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError as missing:
        raise MissingExtraError("drain3", "evaluate") from missing
    settings: Any = TemplateMinerConfig()
    settings.drain_sim_th = similarity
    settings.drain_depth = 5
    settings.drain_max_children = 100
    settings.drain_extra_delimiters = ["/", "?", "&", "="]
    settings.profiling_enabled = False
    miner: Any = TemplateMiner(config=settings)
    for target in targets:
        miner.add_log_message(unquote(target) or "/")
    answers = []
    for target in targets:
        match = miner.match(unquote(target) or "/", full_search_strategy="fallback")
        answers.append(-1 if match is None else int(match.cluster_id))
    return answers


def unmerged(targets: Sequence[str]) -> list[str]:
    """Every URL a type of its own."""
    return list(targets)
