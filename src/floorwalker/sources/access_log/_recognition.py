"""Recognising the format of a file by trying every format on its first lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import InputError, UsageError
from floorwalker.registry import nearest_name
from floorwalker.sources.access_log._addresses import canonical_address
from floorwalker.sources.access_log._blocks import Block
from floorwalker.sources.access_log._files import PEEK_BYTES
from floorwalker.sources.access_log._parsing import LineParser, Parsed
from floorwalker.sources.access_log._program import JsonShape, Program, SessionRule, compile_layout
from floorwalker.sources.access_log._slots import COMMENT, EMPTY, LINE_LIMIT, STRUCTURAL, TEXT_CLIENT
from floorwalker.sources.access_log._templates import parse_template
from floorwalker.sources.access_log.formats import list_formats, load_format

HEAD_LINES = 300
CUSTOM = "custom"
"""The id of a format that was given as a format string."""

_LOOKED_AT = 30
_MOST_LINES = 10_000
_ENOUGH = 0.25
"""The share of lines that must fit: below it a file is no log of that format but holds a few such lines."""


@dataclass(frozen=True)
class DetectedFormat:
    """Which format a log has and how that is known: its id and a sentence."""

    id: str
    note: str


@dataclass(frozen=True)
class Recognised:
    """The program for one file and what its first lines said."""

    program: Program
    note: str
    first_at: int | None


@dataclass(frozen=True)
class _Trial:
    program: Program
    share: float
    fits: int
    told: float
    first_at: int | None
    rank: int


def head_lines(head: bytes, count: int) -> list[bytes]:
    """The first whole lines, without those that are too long to matter."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(lines) > 1 and (len(head) >= PEEK_BYTES or not lines[-1]):
        lines.pop()  # cut, or what is behind the last newline
    return [line.strip(b"\0\r") for line in lines[:count]]


def _try(program: Program, lines: Sequence[bytes], keys: NDArray[np.uint64], rank: int) -> _Trial:
    data = b"\n".join(lines) + b"\n"
    block = Block.of_size(len(data))
    block.memory[: len(data)] = data
    block.length = len(data)
    parsed = next(LineParser(program, keys).parse(block))
    counts = {reason: count for reason, count, _ in parsed.asides}
    content = parsed.lines - counts.get(EMPTY, 0) - counts.get(COMMENT, 0)
    fits = len(parsed) + sum(count for reason, count in counts.items() if reason in STRUCTURAL - {EMPTY, COMMENT})
    first_at = int(parsed.at.min()) if len(parsed) else None
    if not len(parsed):
        fits = 0
    # How much the format understands: the texts it finds in a line that it accepts, and whether clients are addresses
    # (a syslog prefix also reads as a name and two unknown fields).
    texts = float(np.count_nonzero(parsed.ends > parsed.starts)) / max(len(parsed), 1)
    told = round(texts + 2 * _address_share(parsed), 1)
    return _Trial(program, fits / max(content, 1), fits, told, first_at, rank)


def _address_share(parsed: Parsed) -> float:
    spans = zip(
        parsed.starts[TEXT_CLIENT][:_LOOKED_AT].tolist(), parsed.ends[TEXT_CLIENT][:_LOOKED_AT].tolist(), strict=True
    )
    texts = [bytes(parsed.block.memory[start:end]).decode("latin-1") for start, end in spans if start < end]
    return sum(canonical_address(text) is not None for text in texts) / max(len(texts), 1)


def recognise(
    head: bytes, name: str, keys: NDArray[np.uint64], session: SessionRule | None, log_format: str | None
) -> Recognised:
    """The format of a file from its first bytes; `InputError` where none fits.

    Every layout of every format parses the first lines; the one that fits most of them wins, then the one that finds
    more in them. Lines with odd requests in them fit: scanners write many of those.
    """
    lines = head_lines(head, HEAD_LINES)
    if not any(line.strip() for line in lines):
        raise InputError(f"{name} holds no log lines", allowed="a log with at least one request")
    if log_format is not None:
        return _given(lines, name, keys, session, log_format)
    best = _best(lines, keys, session)
    if best.share < _ENOUGH:
        # A scanner's hour can fill the first lines with nothing but junk.
        lines = head_lines(head, _MOST_LINES)
        best = _best(lines, keys, session)
    if best.share < _ENOUGH:
        raise _unknown(lines, name)
    part = load_format(best.program.format)
    extra = f", {best.program.layout.note}" if best.program.layout.note else ""
    tried = sum(1 for line in lines if line.strip() and not line.startswith(b"#"))
    note = f"{part.title}{extra}: {_fitting(best.fits, tried)}"
    return Recognised(best.program, note, best.first_at)


def _best(lines: Sequence[bytes], keys: NDArray[np.uint64], session: SessionRule | None) -> _Trial:
    braces = sum(line.lstrip().startswith(b"{") for line in lines)
    trials = []
    for format_id in list_formats():
        part = load_format(format_id)
        trials += [
            _try(compile_layout(format_id, layout, session), lines, keys, part.rank)
            for layout in part.layouts(lines)
            # A tokeniser that cannot win is not even loaded: on the first run that saves its compilation.
            if (braces if isinstance(layout.shape, JsonShape) else 2 * braces < len(lines))
        ]
    return max(trials, key=lambda trial: (round(trial.share, 2), trial.told, trial.rank, trial.share))


def _given(
    lines: Sequence[bytes], name: str, keys: NDArray[np.uint64], session: SessionRule | None, log_format: str
) -> Recognised:
    known = list_formats()
    if log_format in known:
        part = load_format(log_format)
        layouts, format_id, rank = part.layouts(lines), log_format, part.rank
    elif "$" in log_format or "%" in log_format:
        layouts, format_id, rank = [parse_template(log_format)], CUSTOM, 0
    else:
        near = nearest_name(log_format, known)
        raise UsageError(
            f"unknown log format {log_format!r}",
            allowed=", ".join(known) + ", or a format string of nginx or Apache",
            fix=f"did you mean {near}?" if near else "",
        )
    trials = [_try(compile_layout(format_id, layout, session), lines, keys, rank) for layout in layouts]
    best = max(trials, key=lambda trial: (round(trial.share, 2), trial.told, trial.share), default=None)
    if best is None or not best.fits:
        raise InputError(
            f"none of the first lines of {name} ({len(lines)} looked at) fits the format {log_format!r}; "
            f"the first is {_cut(lines)}",
            fix="leave the format out to have it recognised, or correct it",
        )
    return Recognised(best.program, f"{log_format}, as given: {_fitting(best.fits, len(lines))}", best.first_at)


def _fitting(fits: int, tried: int) -> str:
    return "its only line fits" if tried == 1 else f"{fits} of the first {tried} lines fit"


def _cut(lines: Sequence[bytes]) -> str:
    first = next((line for line in lines if line.strip() and not line.startswith(b"#")), lines[0])
    text = first[:120].decode("utf-8", "replace")
    return repr(text + ("…" if len(first) > 120 else ""))


def _unknown(lines: Sequence[bytes], name: str) -> InputError:
    data = b"\n".join(lines)
    start = data[:4096].decode("utf-8", "replace")
    odd = sum(mark == "\ufffd" or mark < "\t" or "\r" < mark < " " for mark in start)
    if odd * 20 > len(start):
        return InputError(
            f"{name} is a binary file", allowed="an access log, plain or packed with gzip, zstd, bzip2 or xz"
        )
    return InputError(
        f"{name} has a format that is not known; its first line is {_cut(lines)}",
        allowed=", ".join(list_formats()),
        fix=_advice([line.strip() for line in lines if line.strip()]),
    )


def _advice(lines: Sequence[bytes]) -> str:
    """What to do about lines that no format fits, as far as they tell what wrote them."""
    first = lines[0]
    if re.match(rb"\[\s*(\{|$)", first):
        return "it looks like one JSON array: put each of its records on a line of its own, jq -c '.[]' FILE"
    if len(first) > LINE_LIMIT:
        return "its lines are longer than 64 KiB: an access log holds one request a line"
    if first.startswith(b'{"log":'):
        return "it looks like Docker's own JSON around each line: take it off, jq -j .log FILE | floorwalker scan -"
    if re.match(rb"\d{4}/\d\d/\d\d [\d:]{8} \[\w+\] \d|\[[^]]+\] \[[^]]*\w+:\w+\] \[pid ", first):
        return "it looks like an error log: give the access log"
    if first.startswith(b"{"):
        return """give the keys with --format, in the order of the line: '{"t":"$msec","ip":"$remote_addr",…}'"""
    return "give its log_format string with --format"
