"""What a request says: route, and parameters with their values, decoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from floorwalker.errors import InputError

MOST_PARAMETERS = 256
"""Parameters of one request that are read; what stands behind them is read as one value named `(rest)`."""

BARE = "(bare)"
"""The name of a piece without an equals sign."""

REST = "(rest)"


@dataclass(frozen=True)
class Request:
    """One request as a server received it. Headers, cookies and the session are no part of it: they tell who asks.

    Parameters
    ----------
    method : as sent; compared without case.
    target : path and query, with or without scheme and host; or a whole URL.
    body : of a form (`a=1&b=2`), already text; empty where there is none.

    >>> Request("GET", "https://shop.example/cart?item=3").method
    'GET'
    """

    method: str
    target: str
    body: str = ""


@dataclass(frozen=True)
class Parsed:
    """A request in parts: `method` in capitals, `path` in lower case and without host, `names` and `values`."""

    method: str
    path: str
    names: tuple[str, ...]
    values: tuple[str, ...]


def parse_request(request: Request) -> Parsed:
    """Split a request and decode its parameters once; what stays encoded then was encoded twice.

    >>> parse_request(Request("get", "http://shop.example/A/b.jsp?x=1&y=a%27+b", "z"))
    Parsed(method='GET', path='/a/b.jsp', names=('x', 'y', '(bare)'), values=('1', "a' b", 'z'))
    """
    target = request.target
    scheme = target.find("://")
    if 0 < scheme < 12:
        slash = target.find("/", scheme + 3)
        target = target[slash:] if slash >= 0 else "/"
    path, _, query = target.partition("?")
    names: list[str] = []
    values: list[str] = []
    for part in (query, request.body):
        if not part:
            continue
        pieces = part.split("&", MOST_PARAMETERS)
        for place, piece in enumerate(pieces):
            name, equals, value = piece.partition("=")
            if place == MOST_PARAMETERS:
                name, value = REST, piece
            elif not equals:
                name, value = BARE, piece
            names.append(_decode(name))
            values.append(_decode(value))
    return Parsed(request.method.upper().strip(), _decode(path).lower() or "/", tuple(names), tuple(values))


def as_requests(requests: Sequence[Request | tuple[str, str] | tuple[str, str, str] | str]) -> list[Request]:
    """Requests as given in any of their forms: records, `(method, target[, body])`, or `"METHOD target"`.

    Errors
    ------
    InputError : something else, or one request in place of many.
    """
    if isinstance(requests, str | Request):
        raise InputError("one request was given", allowed="a list of requests", fix="put it into a list")
    answer = []
    for row, one in enumerate(requests):
        if isinstance(one, Request):
            answer.append(one)
        elif isinstance(one, str):
            method, blank, target = one.partition(" ")
            answer.append(Request(method, target) if blank else Request("GET", one))
        elif isinstance(one, tuple) and len(one) in (2, 3) and all(isinstance(part, str) for part in one):
            answer.append(Request(*one))
        else:
            raise InputError(f"requests[{row}] is {one!r:.80}", allowed="Request, (method, target[, body]) or a text")
    return answer


def _decode(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    content = unquote_to_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
