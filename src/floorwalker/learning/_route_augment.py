"""Other grammars from known ones: the same site with another language prefix, other delimiters, other endings.

Fourteen families written by hand are few. A change that is made to a template and to its targets alike keeps the truth
and gives the network a grammar that it has not seen.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from floorwalker.learning._route_teacher import SiteSample

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ENDINGS = ("", ".html", ".htm", ".php", ".aspx", ".do", ".x")
_PAGE_ENDING = re.compile(r"\.(html?|do|php|aspx|jsp|cgi)$")
_FILE_ENDING = re.compile(r"\.\w{1,5}$")
_PLAIN_KEY = re.compile(r"^[\w-]+=")


def augment(sample: SiteSample, rng: np.random.Generator) -> SiteSample:
    """The sample in another grammar, with some of its pages left out."""
    pairs = list(zip(sample.templates, sample.targets, strict=True))
    templates = sorted(set(sample.templates))
    dropped = {template for template in templates if rng.random() < 0.15}
    keep = [row for row, (template, _) in enumerate(pairs) if template not in dropped]
    if len(keep) < 10:
        return sample
    pairs = [pairs[row] for row in keep]
    templates = [template for template in templates if template not in dropped]
    for change, chance in (
        (_to_query, 0.35),
        (_join_segments, 0.2),
        (_swap_delimiter, 0.35),
        (_swap_ending, 0.35),
        (_shift, 0.15),
        (_prefix, 0.35),
    ):
        if rng.random() < chance:
            pairs = change(pairs, templates, rng)
            templates = sorted({template for template, _ in pairs})
    distinct: dict[str, int] = {}
    for row, (_, target) in enumerate(pairs):
        distinct.setdefault(target, row)
    rows = list(distinct.values())
    origin = np.array(keep)[rows]
    return replace(
        sample, targets=tuple(pairs[row][1] for row in rows), templates=tuple(pairs[row][0] for row in rows),
        counts=sample.counts[origin], posts=sample.posts[origin],
    )  # fmt: skip


Pairs = list[tuple[str, str]]


def _word(rng: np.random.Generator, low: int = 2, high: int = 9) -> str:
    return "".join(_LETTERS[int(k)] for k in rng.integers(0, 26, int(rng.integers(low, high))))


def _change_path(text: str, change: re.Pattern[str] | None, old: str, new: str) -> str:
    path, mark, query = text.partition("?")
    path = change.sub(new, path) if change is not None else path.replace(old, new)
    return path + mark + query


def _prefix(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """A folder before most pages: one word, or one of a few countries, shops or languages."""
    variable = rng.random() < 0.7
    kind = rng.random()
    count = int(rng.integers(2, 9)) if variable else 1
    if kind < 0.45:
        values = [_word(rng, 2, 3) for _ in range(count)]
    elif kind < 0.75:
        values = [f"{_word(rng, 2, 3)}-{_word(rng, 2, 3)}" for _ in range(count)]
    else:
        values = [_word(rng, 3, 9) for _ in range(count)]
    spared = {template for template in templates if rng.random() < 0.25}
    skew = 1.0 + 2 * rng.random()
    picks = (rng.random(len(pairs)) ** skew * count).astype(int).tolist()
    name = "{prefix}" if variable else values[0]
    return [
        (template, target) if template in spared else (f"/{name}{template}", f"/{values[pick]}{target}")
        for (template, target), pick in zip(pairs, picks, strict=True)
    ]


def _swap_delimiter(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """`-` (or `_`) becomes another delimiter in every path."""
    old = "-" if rng.random() < 0.75 else "_"
    new = ("-", "_", ",", "~", ".", "+", "--", ":")[int(rng.integers(0, 8))]
    return [(_change_path(a, None, old, new), _change_path(b, None, old, new)) for a, b in pairs]


def _swap_ending(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """Pages get another ending, or lose theirs; a folder becomes a file."""
    new = _ENDINGS[int(rng.integers(0, len(_ENDINGS)))]
    chosen = {
        template: rng.random() < 0.85
        and (
            _PAGE_ENDING.search(template.partition("?")[0]) is not None
            or not _FILE_ENDING.search(template.partition("?")[0])
        )
        for template in templates
    }

    def change(text: str) -> str:
        path, mark, query = text.partition("?")
        path = _PAGE_ENDING.sub("", path).rstrip("/")
        return (path + new if path else "/") + mark + query

    return [(change(a), change(b)) if chosen[a] and a.partition("?")[0] != "/" else (a, b) for a, b in pairs]


def _join_segments(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """`/a/b/c` becomes `/a,b,c` (or with another delimiter) on some pages."""
    mark = (",", "-", "_", ".", ";", "|")[int(rng.integers(0, 6))]
    chosen = {template: rng.random() < 0.6 for template in templates}

    def change(text: str) -> str:
        path, query_mark, query = text.partition("?")
        return "/" + path.strip("/").replace("/", mark) + query_mark + query

    return [(change(a), change(b)) if chosen[a] else (a, b) for a, b in pairs]


def _shift(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """Fixed paths move into a dispatching key: `/cart/add?x=1` becomes `/index.php?r=cart/add&x=1`."""
    script, key = f"/{_word(rng)}.php", _word(rng, 1, 7)
    joint = ("/", ".", "_", "-")[int(rng.integers(0, 4))]
    chosen = {template: "{" not in template.partition("?")[0] and rng.random() < 0.8 for template in templates}

    def change(text: str) -> str:
        path, mark, query = text.partition("?")
        if mark and not all(_PLAIN_KEY.match(pair) for pair in query.split("&")):
            return text
        name = path.strip("/").replace("/", joint)
        return f"{script}?{key}={name}{'&' + query if query else ''}" if name else text

    return [(change(a), change(b)) if chosen[a] else (a, b) for a, b in pairs]


_LAST_PLACE = re.compile(r"/\{\w+\}/?$")


def _to_query(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """A last variable folder moves into a query key: `/stock/123` becomes `/stock.php?id=123`."""
    ending = _ENDINGS[int(rng.integers(0, len(_ENDINGS)))]
    shared = _word(rng, 1, 6)
    keys: dict[str, str] = {}
    for template in templates:
        path, _, query = template.partition("?")
        if not query and _LAST_PLACE.search(path) and path.count("/") > 1 and rng.random() < 0.7:
            keys[template] = shared if rng.random() < 0.7 else _word(rng, 1, 8)

    def change(text: str, key: str) -> str:
        path, mark, query = text.partition("?")
        folder, _, value = path.rstrip("/").rpartition("/")
        return f"{folder}{ending}?{key}={value}{'&' + query if mark else ''}"

    return [(change(a, keys[a]), change(b, keys[a])) if a in keys else (a, b) for a, b in pairs]
