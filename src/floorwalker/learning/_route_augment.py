"""Other grammars from known ones: the same site with another language prefix, other delimiters, other endings.

Fourteen families written by hand are few. A change that is made to a template and to its targets alike keeps the truth
and gives the network a grammar that it has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import numpy as np

from floorwalker.learning._route_teacher import SiteSample

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ENDINGS = ("", ".html", ".htm", ".php", ".aspx", ".do", ".x")
_PAGE_ENDING = re.compile(r"\.(html?|do|php|aspx|jsp|cgi)$")
_FILE_ENDING = re.compile(r"\.\w{1,5}$")
_PICTURE = re.compile(r"\.(jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
_LAST_NAME = re.compile(r"/[^/{]*\{(slug|row|name|word|id|key|below|group)\}[^/]*/?$")
_PLACE = re.compile(r"\{\w+\}")
_FIXED_WORD = re.compile(r"[a-z]{3,}")
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
    for change, chance in CHANGES:
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


def splice(first: SiteSample, second: SiteSample, rng: np.random.Generator) -> SiteSample:
    """Some pages of one site beside some of another: each page then stands among siblings that it never had."""
    rows: list[tuple[SiteSample, int]] = []
    seen: set[str] = set()
    for sample in (first, second):
        kept = {template for template in sorted(set(sample.templates)) if rng.random() < 0.6}
        for row, (template, target) in enumerate(zip(sample.templates, sample.targets, strict=True)):
            if template in kept and target not in seen:
                seen.add(target)
                rows.append((sample, row))
    if len(rows) < 10:
        return first
    return replace(
        first,
        targets=tuple(sample.targets[row] for sample, row in rows),
        templates=tuple(sample.templates[row] for sample, row in rows),
        counts=np.array([sample.counts[row] for sample, row in rows]),
        posts=np.array([sample.posts[row] for sample, row in rows]),
    )


Pairs = list[tuple[str, str]]


def _words(rng: np.random.Generator, count: int) -> list[str]:
    return [_word(rng, 3, 10) for _ in range(count)]


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


def _rows_by_template(pairs: Pairs) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, (template, _) in enumerate(pairs):
        rows.setdefault(template, []).append(row)
    return rows


def _few_values(rng: np.random.Generator) -> list[str]:
    """The values of a size or a view: `200x200`, `w320`, `thumb`, `3`."""
    count, kind = int(rng.integers(2, 7)), int(rng.integers(0, 8))
    numbers = rng.integers(2, 90, count) * 20
    if kind == 0:
        return [f"{number}x{number if rng.random() < 0.6 else number // 2}" for number in numbers.tolist()]
    if kind == 1:
        letter = "whsx"[int(rng.integers(0, 4))]
        return [f"{letter}{number}" for number in numbers.tolist()]
    if kind == 2:
        return [str(number) for number in numbers.tolist()]
    if kind == 3:
        return list("smlx")[: max(2, count - 2)]
    if kind == 4:
        return [f"{number}_{number}" for number in numbers.tolist()]
    return _words(rng, count)


def _add_sizes(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """Pictures of a few sizes, as a folder or a part of a file's name; the same pictures come in several."""
    result = list(pairs)
    for template, rows in _rows_by_template(pairs).items():
        path = template.partition("?")[0]
        if not _PICTURE.search(path) or "{" not in path or len(rows) < 8 or rng.random() < 0.2:
            continue
        values = _few_values(rng)
        place = int(rng.integers(1, path.count("/") + 2))
        style = int(rng.choice(4, p=(0.2, 0.25, 0.35, 0.2)))
        joint = "-_.,;="[int(rng.integers(0, 6))]
        prefix = _word(rng, 2, 6) + joint if rng.random() < 0.2 else ""
        bare = rng.random() < 0.35

        def insert(text: str, value: str, *, style: int, joint: str, place: int, prefix: str, bare: bool) -> str:
            head, mark, query = text.partition("?")
            stem, dot, ending = head.rpartition(".")
            if style == 0:
                return f"{stem}{joint}{prefix}{value}{dot}{ending}{mark}{query}"
            if style == 3:
                return f"{stem}/{prefix}{value}{dot}{ending}{mark}{query}"
            if bare:
                # A picture without an ending, as resizing services have it.
                head = stem
            if style == 1:
                return f"{head}/{prefix}{value}{mark}{query}"
            folders = head.split("/")
            at = min(place, len(folders) - 1)
            return "/".join([*folders[:at], prefix + value, *folders[at:]]) + mark + query

        skew = 1 + rng.random()
        picks = (rng.random(len(rows)) ** skew * len(values)).astype(int).tolist()
        others = rng.integers(0, len(rows), len(rows)).tolist()
        same = (rng.random(len(rows)) < 0.5).tolist()
        name = insert(template, "{size}", style=style, joint=joint, place=place, prefix=prefix, bare=bare)
        for row, pick, other, own in zip(rows, picks, others, same, strict=True):
            target = pairs[row][1] if own else pairs[rows[other]][1]
            if target.count("/") != template.count("/"):
                target = pairs[row][1]
            text = insert(target, values[pick], style=style, joint=joint, place=place, prefix=prefix, bare=bare)
            result[row] = (name, text)
    return result


def _nest(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """Names move into folders of a few or many categories, some far larger than others."""
    result = list(pairs)
    categories = ["-".join(_words(rng, int(rng.integers(1, 3)))) for _ in range(int(2 ** rng.uniform(1.5, 7)))]
    skew = 1 + 2 * rng.random()
    for template, rows in _rows_by_template(pairs).items():
        path = template.partition("?")[0]
        if _FILE_ENDING.search(path) and not _PAGE_ENDING.search(path):
            continue
        if not _LAST_NAME.search(path) or len(rows) < 8 or rng.random() < 0.5:
            continue
        depth = path.rstrip("/").count("/")
        if any(pairs[row][1].partition("?")[0].rstrip("/").count("/") != depth for row in rows):
            continue
        picks = (rng.random(len(rows)) ** skew * len(categories)).astype(int).tolist()
        name = _put_folder(template, "{nest}")
        for row, pick in zip(rows, picks, strict=True):
            result[row] = (name, _put_folder(pairs[row][1], categories[pick]))
    return result


def _put_folder(text: str, folder: str) -> str:
    path, mark, query = text.partition("?")
    slash = "/" if path.endswith("/") else ""
    head, _, last = path.rstrip("/").rpartition("/")
    return f"{head}/{folder}/{last}{slash}{mark}{query}"


def _clone(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """A second type of page with the same ids: half of the requests for `/stock/{id}` become `/review/{id}`."""
    result = list(pairs)
    for template, rows in _rows_by_template(pairs).items():
        path = template.partition("?")[0]
        words = [word for word in _FIXED_WORD.findall(_PLACE.sub("", path)) if word not in ("html", "php", "htm")]
        if not words or len(rows) < 12 or "{" not in template or _PICTURE.search(path) or rng.random() < 0.6:
            continue
        word = words[-1]
        copies = _words(rng, int(rng.integers(1, 4)))
        sought = re.compile(rf"(?<![\w%]){re.escape(word)}(?![\w%])")
        if len(sought.findall(path)) != 1 or "{" + word + "}" in path:
            continue
        picks = rng.integers(0, len(copies) + 1, len(rows)).tolist()
        others = rng.integers(0, len(rows), len(rows)).tolist()
        for row, pick, other in zip(rows, picks, others, strict=True):
            if pick:
                head, mark, query = template.partition("?")
                renamed = sought.sub(copies[pick - 1], head, count=1) + mark + query
                head, mark, query = pairs[rows[other] if rng.random() < 0.5 else row][1].partition("?")
                if len(sought.findall(head)) == 1:
                    result[row] = (renamed, sought.sub(copies[pick - 1], head, count=1) + mark + query)
    return result


def _add_facets(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """Lists of filters in a folder of their own: `b12,p7`, `colour:red|size:4`, `12+15+99`, names of any script."""
    result = list(pairs)
    listed = [
        name for name, rows in _rows_by_template(pairs).items() if len(rows) >= 8 and "{" in name.partition("?")[0]
    ]
    if not listed:
        return pairs
    joint, inner = ",|;+:"[int(rng.integers(0, 5))], ":=|-"[int(rng.integers(0, 4))]
    letters = [_word(rng, 1, 3) for _ in range(int(rng.integers(1, 5)))]
    words = [_foreign(word, rng) if rng.random() < 0.4 else word for word in _words(rng, 25)]
    most = int(2 ** rng.uniform(1, 4.5))
    mixture = rng.dirichlet(np.ones(4))
    folder = f"/{_word(rng)}/" if rng.random() < 0.6 else "/"
    replaced = rng.random() < 0.6

    def facet() -> str:
        kind = int(rng.choice(4, p=mixture))
        if kind == 0:
            return f"{letters[int(rng.integers(0, len(letters)))]}{int(rng.integers(1, 3000))}"
        if kind == 1:
            return f"{letters[0]}{int(rng.integers(1, 40))}{inner}{words[int(rng.integers(0, len(words)))]}"
        if kind == 2:
            return str(int(rng.integers(1, 9999)))
        return words[int(rng.integers(0, len(words)))]

    for template in [name for name in listed if rng.random() < 0.25][:2]:
        head, mark, query = template.partition("?")
        name = f"{folder}{{facets}}" if replaced else f"{head.rstrip('/')}{folder}{{facets}}{mark}{query}"
        for row in [row for row, (known, _) in enumerate(pairs) if known == template]:
            text = joint.join(facet() for _ in range(int(rng.integers(1, most + 1))))
            head, mark, query = pairs[row][1].partition("?")
            target = f"{folder}{text}{mark}{query}" if replaced else f"{head.rstrip('/')}{folder}{text}{mark}{query}"
            result[row] = (name, target)
    return result


def _foreign(word: str, rng: np.random.Generator) -> str:
    """A word in another script, percent-encoded."""
    base = (0x430, 0x3B1, 0x627, 0x5D0, 0x4E00, 0xAC00)[int(rng.integers(0, 6))]
    return quote("".join(chr(base + (ord(letter) - 97) % 24) for letter in word))


def _uproot(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """One type of page loses its folder, so that its names stand beside fixed pages at the root."""
    shapes = {_PLACE.sub("{}", template) for template in templates}
    able = []
    for template in templates:
        parts = template.split("/")
        shorter = "/" + "/".join(parts[2:])
        if len(parts) > 2 and "{" not in parts[1] and "{" in parts[2] and _PLACE.sub("{}", shorter) not in shapes:
            able.append(template)
    if not able:
        return pairs
    chosen = able[int(rng.integers(0, len(able)))]
    return [
        ("/" + a.split("/", 2)[2], "/" + b.split("/", 2)[2]) if a == chosen and b.count("/") > 1 else (a, b)
        for a, b in pairs
    ]


def _suffix(pairs: Pairs, templates: list[str], rng: np.random.Generator) -> Pairs:
    """Names get a number with a letter before it; another page is the first one's name and a word."""
    result = list(pairs)
    joint = "-_.~"[int(rng.integers(0, 4))]
    for template, rows in _rows_by_template(pairs).items():
        path = template.partition("?")[0]
        if not _LAST_NAME.search(path) or _PICTURE.search(path) or len(rows) < 8 or rng.random() < 0.5:
            continue
        letter = _word(rng, 0, 3) if rng.random() < 0.7 else ""
        numbers = (int(10 ** rng.uniform(2, 6)) + np.cumsum(rng.integers(1, 40, len(rows)))).tolist()
        numbered, word = rng.random() < 0.6, _word(rng, 3, 9) if rng.random() < 0.6 else ""
        copied = (rng.random(len(rows)) < 0.4).tolist()
        for row, number, copy in zip(rows, numbers, copied, strict=True):
            added = f"{joint}{letter}{number}" if numbered else ""
            place = f"{joint}{letter}{{number}}" if numbered else ""
            tail = f"{joint}{word}" if copy and word else ""
            result[row] = (_append(template, place + tail), _append(pairs[row][1], added + tail))
    return result


def _append(text: str, tail: str) -> str:
    """Put a tail behind the last name, before its ending."""
    path, mark, query = text.partition("?")
    slash = "/" if path.endswith("/") else ""
    path = path.rstrip("/")
    found = _PAGE_ENDING.search(path)
    ending = found.group(0) if found else ""
    return f"{path[: len(path) - len(ending)]}{tail}{ending}{slash}{mark}{query}"


CHANGES: tuple[tuple[Callable[[Pairs, list[str], np.random.Generator], Pairs], float], ...] = (
    (_add_sizes, 0.6),
    (_nest, 0.3),
    (_uproot, 0.25),
    (_suffix, 0.25),
    (_clone, 0.4),
    (_to_query, 0.35),
    (_add_facets, 0.35),
    (_join_segments, 0.15),
    (_swap_delimiter, 0.3),
    (_swap_ending, 0.35),
    (_shift, 0.15),
    (_prefix, 0.3),
)
"""The changes in their order, each with its chance."""
