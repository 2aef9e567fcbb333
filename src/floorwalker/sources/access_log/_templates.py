"""Format strings as servers' configurations write them: nginx `log_format` and Apache `LogFormat`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from floorwalker.errors import UsageError
from floorwalker.sources.access_log._program import Field, Layout, TextShape

_NGINX = {
    "remote_addr": "client",
    "realip_remote_addr": "peer",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "epoch",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "document_uri": "path",
    "args": "query",
    "query_string": "query",
    "status": "status",
    "upstream_status": "",
    "body_bytes_sent": "size",
    "bytes_sent": "all_bytes",
    "host": "host",
    "http_host": "header:host",
    "server_name": "server",
    "proxy_add_x_forwarded_for": "forwarded",
    "session_id": "session",
    "sessionid": "session",
    "cookies": "header:cookie",
}

_APACHE = {
    "h": "client",
    "a": "client",
    "r": "request",
    "s": "status",
    "b": "size",
    "B": "size",
    "O": "all_bytes",
    "v": "host",
    "V": "server",
    "m": "method",
    "U": "path",
    "q": "query",
}

_PLACE = "\0"


@dataclass(frozen=True)
class _Piece:
    """A field's name, the literal behind it, and how many spaces its value holds."""

    name: str
    behind: str
    spaces: int = 0


def _pieces_to_layout(pieces: list[_Piece], opening: str) -> Layout:
    fields: list[Field] = []
    before = opening
    for piece in pieces:
        quoted = before.endswith('"') and piece.behind.startswith('"')
        fields.append(Field(piece.name, piece.behind, quoted, piece.spaces if piece.behind == " " else 0))
        before = piece.behind
    return Layout(TextShape(tuple(fields), opening))


def nginx_template(text: str) -> Layout:
    """The layout of an nginx `log_format` string; the directive around it may be there too.

    >>> shape = nginx_template('$remote_addr [$time_local] "$request" $status').shape
    >>> [item.name for item in shape.fields]
    ['client', 'time', 'request', 'status']
    """
    text = text.strip()
    directive = re.match(r"log_format\s+\S+\s+(?:escape=\w+\s+)?", text)
    if directive:
        quoted = re.findall(r"'((?:[^'\\]|\\.)*)'", text[directive.end() :])
        text = "".join(quoted) or text[directive.end() :].rstrip("; ")
        text = text.replace("\\'", "'").replace("\\n", "")
    text = re.sub(r"\$\{(\w+)\}", lambda found: f"${found[1]}{_PLACE}", text)
    text = re.sub(r"\$(?:scheme|https)\b(://)", r"$ignored_scheme\1", text)
    text = re.sub(r"\$(?:uri|document_uri)\$is_args\$(?:args|query_string)", "$request_uri", text)
    # One field: an IPv6 address is full of the colon that stands before its port.
    text, ported = re.subn(rf"\$remote_addr{_PLACE}?:\$remote_port\b", f"$remote_addr{_PLACE}", text)
    found = list(re.finditer(rf"\$(\w+){_PLACE}?", text))
    if not found:
        raise UsageError(f"log format {text!r} holds no variable", allowed="nginx variables such as $remote_addr")
    pieces: list[_Piece] = []
    opening = text[: found[0].start()]
    for position, variable in enumerate(found):
        last = position + 1 == len(found)
        behind = text[variable.end() :] if last else text[variable.end() : found[position + 1].start()]
        if not behind and not last:
            following = found[position + 1][1]
            if not (variable[1] in {"host", "http_host", "server_name"} and following == "request_uri"):
                raise UsageError(
                    f"${variable[1]} and ${following} touch each other in the log format",
                    fix="put a space or another separator between them",
                )
        pieces.append(_Piece(_nginx_name(variable[1]), behind, {"time_local": 1, "request": 2}.get(variable[1], 0)))
    return replace(_with_touching_host(pieces, opening), has_port=ported > 0)


def _with_touching_host(pieces: list[_Piece], opening: str) -> Layout:
    """`$scheme://$host$request_uri` becomes one field: an absolute target."""
    joined: list[_Piece] = []
    for piece in pieces:
        if not joined or joined[-1].behind:
            joined.append(piece)
            continue
        joined.pop()
        scheme = joined.pop() if joined else _Piece("", "")
        if scheme.name or scheme.behind != "://":
            raise UsageError("a host and a path touch each other in the log format", fix="log them apart")
        joined.append(_Piece("target", piece.behind))
    return _pieces_to_layout(joined, opening)


def _nginx_name(variable: str) -> str:
    if variable in _NGINX:
        return _NGINX[variable]
    if variable.startswith("http_"):
        return "header:" + variable[5:].replace("_", "-").lower()
    if variable.startswith("cookie_"):
        return "cookie:" + variable[7:].lower()
    return ""


_DIRECTIVE = re.compile(r"%(?:!?[\d,]+)?[<>]?(?:\{(?P<argument>[^}]*)\}[<>]?)?(?P<letter>\^\w\w|[A-Za-z%])")


def apache_template(text: str) -> Layout:
    r"""The layout of an Apache `LogFormat` string; the directive around it may be there too.

    >>> shape = apache_template('%h %l %u %t "%r" %>s %b "%{Referer}i"').shape
    >>> [item.name for item in shape.fields]
    ['client', '', '', 'time', 'request', 'status', 'size', 'header:referer']
    """
    text = text.strip()
    directive = re.match(r'LogFormat\s+"((?:[^"\\]|\\.)*)"', text)
    if directive:
        text = directive[1]
    text = text.replace('\\"', '"').replace("\\t", "\t").replace("\\n", "")
    text = text.replace("%U%q", "%{whole}U")
    text, ported = re.subn(r"(%[<>]?[ah]):%\{remote\}p", r"\1", text)
    found = [item for item in _DIRECTIVE.finditer(text) if item["letter"] != "%"]
    if not found:
        raise UsageError(f"log format {text!r} holds no directive", allowed="Apache directives such as %h")
    opening = text[: found[0].start()].replace("%%", "%")
    pieces: list[_Piece] = []
    for position, item in enumerate(found):
        last = position + 1 == len(found)
        behind = text[item.end() :] if last else text[item.end() : found[position + 1].start()]
        behind = behind.replace("%%", "%")
        if not behind and not last:
            raise UsageError(
                f"{item[0]} and {found[position + 1][0]} touch each other in the log format",
                fix="put a space or another separator between them",
            )
        name = _apache_name(item["letter"], item["argument"])
        spaces = 2 if name == "request" else (item["argument"] or "").count(" ")
        if item["letter"] == "t" and item["argument"] is None:
            # %t writes its brackets itself.
            behind = "]" + behind
            if pieces:
                pieces[-1] = replace(pieces[-1], behind=pieces[-1].behind + "[")
            else:
                opening += "["
        pieces.append(_Piece(name, behind, spaces))
    return replace(_pieces_to_layout(pieces, opening), has_port=ported > 0)


def _apache_name(letter: str, argument: str | None) -> str:
    if argument is None:
        return "time" if letter == "t" else _APACHE.get(letter, "")
    if letter == "i":
        return "header:" + argument.lower()
    if letter == "C":
        return "cookie:" + argument.lower()
    if letter == "a":
        return "peer" if argument == "c" else "client"
    if letter == "U":
        return "target"
    if letter == "t":
        return "" if argument.endswith("_frac") else "time"
    if letter in {"e", "n"}:
        return {"session": "session", "session_id": "session", "sessionid": "session"}.get(argument.lower(), "")
    return ""


def parse_template(text: str) -> Layout:
    """The layout of a format string of nginx (`$`) or Apache (`%`); `UsageError` where it is neither."""
    if "$" in text:
        return nginx_template(text)
    if "%" in text:
        return apache_template(text)
    raise UsageError(
        f"log format {text!r}", allowed="the id of a format, an nginx log_format string or an Apache LogFormat string"
    )
