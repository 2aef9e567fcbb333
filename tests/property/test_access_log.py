"""Whatever bytes come, every line is accounted for and nothing but our own errors is raised."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.errors import FloorwalkerError
from floorwalker.sources.access_log import AccessLog, list_formats
from floorwalker.sources.access_log._slots import ODD, REASONS
from floorwalker.sources.access_log.formats import load_format

EXAMPLES = {format_id: [line.encode() for line in load_format(format_id).examples] for format_id in list_formats()}


def lines_of(data: bytes) -> int:
    """Lines as `wc -l` counts them, and a last one without its newline."""
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


def check(data: bytes, **options: object) -> AccessLog | None:
    """Read the bytes as a log; all lines must be requests or set aside."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        try:
            log = AccessLog([path], **options)  # type: ignore[arg-type]
            sample = log.sample(50)
            batches = list(log.batches())
        except FloorwalkerError:
            return None
    rows = sum(map(len, batches))
    odd = {REASONS[reason] for reason in ODD}
    assert len(sample) <= max(rows, 50)
    # Odd requests are set aside, and yet rows: their senders are to be judged.
    assert rows == log.requests + sum(count for reason, count, _, _ in log.cleaned if reason in odd)
    assert log.requests + sum(count for _, count, _, _ in log.cleaned) == log.lines == lines_of(data)
    assert log.size_bytes == len(data)
    for batch in batches:
        assert np.all(np.diff(batch.at) >= 0)
        for column in ("host", "client", "session", "user_agent", "target", "referrer_host"):
            codes = getattr(batch, column)
            assert codes.min() >= -1
            assert codes.max() < len(getattr(log.tables, column))
        assert batch.target.min() >= 0
        assert np.all((batch.status >= 0) & (batch.status <= 999))
        assert np.all(batch.size >= -1)
    return log


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_arbitrary_bytes(data: bytes) -> None:
    check(data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 10))
def test_arbitrary_bytes_behind_a_magic_number(data: bytes, pick: int) -> None:
    magic = [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh9", b"\xfd7zXZ\0", gzip.compress(b"x" * 40)[:-4]][pick % 5]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(magic + data)
        with pytest.raises(FloorwalkerError):
            list(AccessLog([path]).batches())


def spoiled(line: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    """A line with pieces replaced by others."""
    for at, width, piece in cuts:
        at %= len(line) + 1
        line = line[:at] + piece + line[at + width % 40 :]
    return line


MARKS = b'" \\ \\" \\x \\u12 \\ud800 % %2 [ ] { } - :// http:// ? # ; | : 1e400'.split()
MARKS += [b" ", b"\t", b"\0", b"9" * 25, b"\r", b"\n", b"\xff", b"/" * 9000]
PIECES = st.one_of(st.binary(max_size=6), st.sampled_from(MARKS))
CUTS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), PIECES), max_size=4)


@pytest.mark.parametrize("format_id", list_formats())
@settings(max_examples=25, deadline=None)
@given(spoilings=st.lists(CUTS, min_size=1, max_size=8))
def test_spoiled_lines_of_every_format(format_id: str, spoilings: list[list[tuple[int, int, bytes]]]) -> None:
    examples = EXAMPLES[format_id]
    lines = [spoiled(examples[k % len(examples)], cuts) for k, cuts in enumerate(spoilings)]
    check(b"\n".join([*examples, *lines]), log_format=format_id, session="sid", trusted_proxies=["192.0.2.0/24"])


@settings(max_examples=40, deadline=None)
@given(
    st.text(st.sampled_from('$%{}[]()"\\ /|ab_-hrtuOC>i:'), max_size=40),
    st.sampled_from(["", "%t %r", '[$time_local] "$request"', "$msec $request_uri"]),
)
def test_arbitrary_format_strings(text: str, core: str) -> None:
    check(b"\n".join(EXAMPLES["combined"]), log_format=text + core)
    check(b"\n".join(EXAMPLES["combined"]), log_format=core + text)
