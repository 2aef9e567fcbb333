"""Which places of a path name what is asked for, and which only tell one thing of a kind from another.

`/orders/1042` and `/orders/1043` are one route. Left apart, each would be a route that nobody had asked for before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from floorwalker.detectors.content._request_parsing import Parsed

LEAST_NAMES = 30
"""Different segments behind one place, each of them rare, from which on they may be names of things."""

NEW_SHARE = 0.1
"""They are where so large a share of the requests that pass the place have one that no other has (Good 1953: so often
the next one is new). Where fewer have, they are accidents, or somebody who probes."""

OWN_COUNT = 8
"""A segment this often is a route of its own, whatever stands beside it: that makes a profile."""

OWN_SHARE = 0.1
"""One with a word in it that looks like an identifier (`form1040`) is a route of its own with this share, too."""

MOST_SEGMENTS = 64
"""Of a path; what stands behind them is read as one."""

_IDENTIFIER = re.compile(
    r"""(
      \d+
    | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}
    | (?=[a-f]*\d)[0-9a-f]{8,}
    | (?=(?:[a-z]*\d){2})(?=(?:\d*[a-z]){2})[0-9a-z]{12,}
    | (?=(?:[^\d]*\d){4})[0-9a-z_\-]{20,}
    | [a-z]{1,8}[_\-]?\d{3,}
    )(\.[a-z]{2,5})?""",
    re.ASCII | re.VERBOSE,
)
_PLACEHOLDER = re.compile(r"\{\{|\{id\}|\{\}")
_PLAIN = {"{{": "{", "{id}": "0", "{}": "a"}


@dataclass(frozen=True, eq=False)
class Routes:
    """Where segments of paths are names of things, by `learn_routes`.

    Identifiers (numbers, UUIDs, long hexadecimal or random tokens, `order-1042`) are told by their form wherever they
    stand, and become `{id}`. Other names become `{}` at the places that were learned.

    Parameters
    ----------
    kept : of the route up to each such place, the segments behind it that are routes of their own.
    words : of the route up to there, segments that look like identifiers and are routes of their own.
    """

    kept: Mapping[str, frozenset[str]]
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def place(self, request: Parsed) -> Parsed:
        """The request with a route for its path, and what stood at its places as parameters before all others.

        >>> Routes({}).place(Parsed("GET", "/orders/1042/lines", ("page",), ("2",)))
        Parsed(method='GET', path='/orders/{id}/lines', names=('(segment 2)', 'page'), values=('1042', '2'))
        """
        if not request.path.startswith("/"):
            return replace(request, path=request.path.replace("{", "{{"))
        route, names, values = "", [], []
        for number, segment in enumerate(_split(request.path), 1):
            route, value = self._follow(route, segment)
            if value:
                names.append(f"(segment {number})")
                values.append(value)
        return replace(request, path=route, names=(*names, *request.names), values=(*values, *request.values))

    def _follow(self, route: str, segment: str) -> tuple[str, str]:
        """The route one segment on, and what stands there where it is a place."""
        found = _IDENTIFIER.fullmatch(segment)
        if found is not None and segment not in self.words.get(route, ()):
            return f"{route}/{{id}}{found[2] or ''}", found[1]
        kept = self.kept.get(route)
        if kept is None or found is not None or segment in kept or not segment:
            return f"{route}/" + segment.replace("{", "{{"), ""
        return f"{route}/{{}}", segment


def learn_routes(requests: Sequence[Parsed]) -> Routes:
    """The places at which the paths of normal requests have ever other names."""
    kept: dict[str, frozenset[str]] = {}
    words: dict[str, frozenset[str]] = {}
    routes = Routes(kept, words)
    waiting = [("", _split(request.path)) for request in requests if request.path.startswith("/")]
    while waiting:
        passed: dict[str, Counter[str]] = {}
        for route, segments in waiting:
            passed.setdefault(route, Counter())[segments[0]] += 1
        for route, counter in passed.items():
            every = counter.total()
            own = {one for one, many in counter.items() if many >= OWN_COUNT}
            alike = {one for one in counter if _IDENTIFIER.fullmatch(one)}
            if busy := {one for one in own & alike if one[0].isalpha() and counter[one] >= OWN_SHARE * every}:
                words[route] = frozenset(busy)
            names = counter.keys() - own - alike
            if len(names) >= LEAST_NAMES and sum(counter[one] == 1 for one in names) >= NEW_SHARE * every:
                kept[route] = frozenset(own - alike)
        waiting = [(routes._follow(route, first)[0], rest) for route, (first, *rest) in waiting if rest]
    return routes


def _split(path: str) -> list[str]:
    return path.split("/", MOST_SEGMENTS)[1:]


def as_path(route: str) -> str:
    """A path as it may have been sent, of a route with places.

    >>> as_path("/orders/{id}/{{x}/{}")
    '/orders/0/{x}/a'
    """
    return _PLACEHOLDER.sub(lambda found: _PLAIN[found[0]], route)
