"""Masked addresses and sessions: a report that can be sent round without sending the visitors with it.

An IPv4 address loses its last octet, an IPv6 address everything below its /48, a session id everything. In their place
stands a short keyed tag, so that two visitors of one network stay two, in every output that is masked with the same
key. The tag is a MAC under a key that is never written: without the key, trying all 256 last octets tells nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import polars as pl

from floorwalker.errors import UsageError
from floorwalker.scan.result import Cleaned, ScanResult

MASKED = r"(^|[.:/0-9])x?~[a-km-z2-9]{5}$"
"""What a masked address, network or session ends in; masking it again leaves it as it is."""

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
# Five letters of five bits each: two addresses of one /24 share a tag once in 2^25 pairs. Twenty-five bits come from a
# table of pairs, since `base64.b32encode` took a third of the time of masking.

MINIMUM_KEY_BYTES = 16

_DOTTED = r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)"
_DASHED = r"(?<!\d)(?<!\d-)(?:\d{1,3}-){3}\d{1,3}(?![\d]|-\d)"
# Also the front part of an address that a cut sample ends in.
_COLONS = r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})(?![0-9A-Za-z:])"
_SECRETS = (
    r"(?P<name>(?<![A-Za-z0-9])[A-Za-z0-9_.\-]{0,24}(?:sess|sid|token|auth|passw|secret|api_?key|e-?mail)[A-Za-z0-9_.\-]{0,16})"
    r"(?P<sign>=|%3[Dd]|\":\s?\")(?P<value>[^\s&;,\"'#]+)"
)
_MAPPED = bytes(10) + b"\xff\xff"
_ANY = re.compile(f"(?P<colons>{_COLONS})|(?P<dotted>{_DOTTED})|(?P<dashed>{_DASHED})|{_SECRETS}", re.IGNORECASE)
_MAY_HOLD = r"\d{1,3}[.\-]\d{1,3}[.\-]\d{1,3}[.\-]\d|[0-9A-Fa-f]:|::|(?i:sess|sid|token|auth|passw|secret|key|mail)"
_VERSION_BEFORE = re.compile(r"(?:[A-Za-z][A-Za-z ]*[/ ]|[vVrR:])$")


def new_mask_key() -> bytes:
    """A fresh key; hand the same one to every output of a run, so that their tags agree."""
    return secrets.token_bytes(32)


@dataclass(frozen=True)
class Masker:
    """Masks addresses, networks, session ids and texts under one key.

    Parameters
    ----------
    key : at least 16 bytes, kept secret; fewer raise `UsageError`.
    sessions : session ids that the log is known to hold: they are masked wherever a text holds them.

    >>> masker = Masker(bytes(16))
    >>> masker.address("203.0.113.7"), masker.address("2001:db8:1:2::7")
    ('203.0.113.x~6vryq', '2001:db8:1:x~8jdbb')
    >>> masker.text("198.51.100.9 GET /?PHPSESSID=abcdef123")
    '198.51.100.x~nibdc GET /?PHPSESSID=x~advyb'
    """

    key: bytes
    sessions: frozenset[str] = frozenset()
    _known: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not MINIMUM_KEY_BYTES <= len(self.key) <= 64:
            raise UsageError(f"a masking key of {len(self.key)} bytes", allowed=f"{MINIMUM_KEY_BYTES} to 64 bytes")

    def tag(self, text: str | bytes) -> str:
        """The keyed tag of a text or a packed address: the same for the same one, unlike any other's."""
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        bits = int.from_bytes(hashlib.blake2b(data, key=self.key, digest_size=4).digest(), "big")
        return _PAIRS[bits & 1023] + _PAIRS[bits >> 10 & 1023] + _LETTERS[bits >> 20 & 31]

    def address(self, text: str) -> str:
        """A client address without its last part; what is no address is masked whole."""
        if text in self._known:
            return self._known[text]
        if _IS_MASKED.search(text):
            return text
        masked = _mask_address(text, self.tag)
        if masked is None:
            # Logs may hold resolved host names, bracketed addresses or ports here.
            inner = self.text(text)
            masked = inner if inner != text else (f"x~{self.tag(text)}" if text else text)
        self._known[text] = masked
        return masked

    def network(self, text: str) -> str:
        """A network no narrower than /24 for IPv4 and /48 for IPv6."""
        address, slash, prefix = text.partition("/")
        masked = _mask_address(address, self.tag) if slash and prefix.isdigit() else None
        if masked is None:
            return self.address(text)
        stem, _, tag = masked.rpartition(":" if ":" in masked else ".")
        if ":" not in masked:
            return text if int(prefix) <= 24 else f"{stem}.0/24{tag[1:]}"
        return text if int(prefix) <= 48 else f"{stem}::/48{tag[1:]}"

    def session(self, text: str) -> str:
        """Nothing of a session id but its tag."""
        return f"x~{self.tag(text)}" if text and not _IS_MASKED.search(text) else text

    def text(self, text: str, *, versions: bool = False) -> str:
        """A text with its addresses, its known sessions and the values of telling parameters masked.

        Parameters
        ----------
        text : any text.
        versions : leave four-part version numbers after a product's name alone, as user agents hold them.
        """
        if self.sessions and len(text) >= _SHORTEST_SESSION:
            text = _replace_known(text, self.sessions, self.session)

        def mask(match: re.Match[str]) -> str:
            if match["value"] is not None:
                if match["value"].startswith("x~"):
                    return match.group()
                return f"{match['name']}{match['sign']}x~{self.tag(match['value'])}"
            return self._mask_match(match, versions)

        return _ANY.sub(mask, text)

    def _mask_match(self, match: re.Match[str], versions: bool) -> str:
        found = match.group()
        if match["dashed"] is not None:
            masked = _mask_address(found.replace("-", "."), self.tag)
            return found if masked is None else masked.replace(".", "-")
        if match["dotted"] is not None and versions and _VERSION_BEFORE.search(match.string[: match.start()]):
            return found
        masked = _mask_address(found, self.tag)
        if masked is not None or match["colons"] is None:
            return found if masked is None else masked
        groups = found.split(":")
        is_clock = len(groups) <= 4 and all(len(group) == 2 for group in groups[-3:])
        if is_clock or not any(groups) or len(groups) < 3:
            return found
        return ":".join(groups[:3]) + f":x~{self.tag(found)}"

    def column(self, name: str, how: Callable[[str], str], frame: pl.DataFrame) -> pl.Series:
        """A text column with `how` applied to each distinct value."""
        column = frame[name]
        if column.null_count() == len(column):
            return column
        texts = column.to_list()
        table: dict[str | None, str | None] = {text: how(text) for text in set(texts) if text is not None}
        return pl.Series(name, [table.get(text) for text in texts], dtype=pl.String)

    def texts(self, column: pl.Series, *, versions: bool = False) -> pl.Series:
        """A column of texts, or of lists of them, masked where a value can hold something to mask."""
        if isinstance(column.dtype, pl.List):
            filled = pl.DataFrame([column.alias("texts")]).with_row_index("row").filter(pl.col("texts").list.len() > 0)
            if not filled.height:
                return column
            new_texts = [[self.text(text or "") for text in texts] for texts in filled["texts"].to_list()]
            table = pl.DataFrame([filled["row"], pl.Series("new", new_texts, dtype=column.dtype)])
            everything = pl.DataFrame([column.alias("texts")]).with_row_index("row").join(table, on="row", how="left")
            return everything.sort("row").select(pl.coalesce("new", "texts").alias(column.name)).to_series()
        distinct = column.drop_nulls().unique()
        if not self.sessions:
            distinct = distinct.filter(distinct.str.contains(_MAY_HOLD))
        changed = {text: new for text in distinct.to_list() if (new := self.text(text, versions=versions)) != text}
        if not changed:
            return column
        return pl.Series(column.name, [changed.get(text, text) for text in column.to_list()], dtype=pl.String)


_SHORTEST_SESSION = 6
_IS_MASKED = re.compile(MASKED)
_TOKENS = re.compile(r"[A-Za-z0-9_\-.~%+/]{6,}")


def _replace_known(text: str, known: frozenset[str], how: Callable[[str], str]) -> str:
    def swap(match: re.Match[str]) -> str:
        token = match.group()
        if token in known:
            return how(token)
        # A token may join path and value with characters that ids use as well.
        return "".join(how(part) if part in known else part for part in re.split(r"([/.~%+])", token))

    return _TOKENS.sub(swap, text)


def _mask_address(text: str, tag: Callable[[bytes], str]) -> str | None:
    """Masked where the text is an address, else None; `inet_pton` reads one ten times faster than `ipaddress`."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None
    if packed.startswith(_MAPPED):
        packed = packed[len(_MAPPED) :]
    if len(packed) == 4:
        return f"{packed[0]}.{packed[1]}.{packed[2]}.x~{tag(packed)}"
    first, second, third = struct.unpack_from("!3H", packed)
    return f"{first:x}:{second:x}:{third:x}:x~{tag(packed)}"


def mask_result(result: ScanResult, key: bytes) -> ScanResult:
    """A copy of a result in which no full address and no session id is left.

    Everything that is shown or written from the copy is masked: columns, reasons, samples, evidence, example URLs,
    warnings. Numbers, flags and row order stay. The blocklist is the one output that needs the unmasked result.

    Parameters
    ----------
    result : what a scan found.
    key : 16 to 64 secret bytes (`new_mask_key`); the same key gives the same tags.
    """
    sessions = result.visitors["session"].drop_nulls().unique().to_list()
    masker = Masker(key, frozenset(text for text in sessions if len(text) >= _SHORTEST_SESSION))
    return replace(
        result,
        cleaned=[_mask_cleaned(part, masker) for part in result.cleaned],
        warnings=[masker.text(text) for text in result.warnings],
        visitors=_mask_frame(result.visitors, masker),
        swarms=_mask_frame(result.swarms, masker),
        machines=_mask_frame(result.machines, masker),
        routes=_mask_frame(result.routes, masker),
        blocklist_refusal=masker.text(result.blocklist_refusal),
    )


def _mask_cleaned(part: Cleaned, masker: Masker) -> Cleaned:
    return replace(part, sample=tuple(masker.text(text) for text in part.sample))


def _mask_frame(frame: pl.DataFrame, masker: Masker) -> pl.DataFrame:
    return frame.with_columns(_masked_columns(frame, masker))


def _masked_columns(frame: pl.DataFrame, masker: Masker) -> Iterable[pl.Series]:
    whole = {"client": masker.address, "network": masker.network, "session": masker.session}
    for name, kind in frame.schema.items():
        if name in whole:
            yield masker.column(name, whole[name], frame)
        elif kind == pl.String or (isinstance(kind, pl.List) and kind.inner == pl.String):
            yield masker.texts(frame[name], versions=name == "user_agent")
