"""The kernels against a slow reading of combined lines by a regular expression."""

from __future__ import annotations

import gzip
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from floorwalker.events.requests import METHODS, ODD_TARGET
from floorwalker.sources.access_log import AccessLog
from floorwalker.sources.access_log._ordering import concatenated

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(rf"(\S+) (\S+) (.+?) \[([^\]]+)\] {_QUOTED} (\d+|-) (\d+|-) {_QUOTED} {_QUOTED}(?: .*)?")
_REQUEST = re.compile(r"([A-Za-z_-]{1,32}) +(\S.*?) HTTP/\d(?:\.\d)?")

Row = tuple[int, int, str, str, str | None, str | None, str, int, int]


def _unescape(text: str) -> str:
    plain = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}

    def one(found: re.Match[str]) -> str:
        return chr(int(found[1][1:], 16)) if found[1].startswith("x") else plain.get(found[1], found[1])

    raw = text.encode().decode("latin-1")  # one character for each byte
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", one, raw).encode("latin-1").decode("utf-8", "replace")


def slow_rows(lines: list[str]) -> list[Row | None]:
    """What each line says, or None where it is set aside."""
    rows: list[Row | None] = []
    for line in lines:
        found = _LINE.fullmatch(line)
        request = _REQUEST.fullmatch(_unescape(found[5])) if found else None
        if found is None or request is None or not request[2].startswith("/"):
            rows.append(None)
            continue
        when = datetime.strptime(found[4], "%d/%b/%Y:%H:%M:%S %z")
        method = request[1] if request[1] in METHODS else "OTHER"
        referrer = urlsplit(_unescape(found[8])).hostname if "://" in found[8] else None
        agent = _unescape(found[9])
        minutes = (when.utcoffset() or timedelta()) // timedelta(minutes=1)
        size = -1 if found[7] == "-" else int(found[7])
        status = 0 if found[6] == "-" else int(found[6])
        at = int(when.timestamp()) * 1_000_000
        shown = None if agent in {"", "-"} else agent
        rows.append((at, minutes, found[1], request[2], shown, referrer, method, status, size))
    return rows


def fast_rows(path: Path) -> list[Row]:
    """What `AccessLog` says."""
    log = AccessLog([path])
    batch = concatenated(list(log.batches()))
    tables = log.tables
    columns = (
        batch.at.tolist(),
        batch.utc_offset.tolist(),
        tables.client.texts(batch.client).to_list(),
        tables.target.texts(batch.target).to_list(),
        tables.user_agent.texts(batch.user_agent).to_list(),
        tables.referrer_host.texts(batch.referrer_host).to_list(),
        [METHODS[code] for code in batch.method],
        batch.status.tolist(),
        batch.size.tolist(),
    )
    return [row for row in zip(*columns, strict=True) if row[3] != ODD_TARGET]


def agree(path: Path, lines: list[str]) -> list[Row]:
    """Check that both readings hold the same requests; order within a second is the file's."""
    slow = [row for row in slow_rows(lines) if row is not None]
    fast = fast_rows(path)
    assert fast == sorted(slow, key=lambda row: row[0])
    return fast


def generated_lines(seed: int, count: int) -> list[str]:
    """Combined lines with everything that is allowed, and some that is not."""
    rng = np.random.default_rng(seed)
    agents = [
        r"Mozilla/5.0 (X11; \"odd\") é",
        "-",
        "curl/8",
        r"back\\slash \x22 \xC3\xA9",
        "",
        "Mozilla/5.0 (" + "x" * 300 + ")",
    ]
    targets = ["/", "/a?b=c&d=%20", "/caf\\xC3\\xA9", "/" + "long/" * 400, "cart", "/a b", "/?q=../../etc/passwd"]
    requests = ["GET {} HTTP/1.1", "POST {} HTTP/2.0", "BREW {} HTTP/1.0", "{}", "G3T {} HTTP/1.1"]
    referrers = [
        "-",
        "https://Shop.Example/x",
        "http://a:b@shop.example:81?x",
        "",
        "about:blank",
        "android-app://com.example/",
    ]
    lines = []
    for k in range(count):
        second = int(k * 0.7)
        clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        client = f"198.51.100.{rng.integers(256)}" if rng.random() < 0.8 else f"2001:db8::{rng.integers(1, 4096):x}"
        request = str(rng.choice(requests)).format(rng.choice(targets))
        user, zone = rng.choice(["-", "ann", "x y"]), rng.choice(["+0200", "+0330"])
        status, size = rng.integers(100, 600), rng.choice(["-", "0", "123456789012"])
        line = f'{client} - {user} [07/May/2024:{clock} {zone}] "{request}" {status} {size} '
        line += f'"{rng.choice(referrers)}" "{rng.choice(agents)}"'
        lines.append(line + str(rng.choice(["", ' "-"', " 0.003 x"])))
    return lines


@pytest.mark.parametrize("seed", range(3))
def test_generated_lines(seed: int, tmp_path: Path) -> None:
    lines = generated_lines(seed, 2000)
    (tmp_path / "a").write_text("\n".join(lines))
    assert len(agree(tmp_path / "a", lines)) > 500


def public_log(name: str) -> Path:
    folder = os.environ.get("FLOORWALKER_DATA", "")
    path = Path(folder) / name
    if not folder or not path.exists():
        pytest.skip("FLOORWALKER_DATA does not hold the public logs")
    return path


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "requests"),
    [("access_logs/zanbil_access_10k.log.gz", 10_018), ("access_logs/semicomplete_apache_10k.log.gz", 9_999)],
)
def test_real_shop_and_site_logs(name: str, requests: int) -> None:
    path = public_log(name)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert len(agree(path, lines)) == requests


@pytest.mark.data
def test_session_log_without_addresses() -> None:
    log = AccessLog([public_log("iliou_webbot/phase1_humans.log.gz")], session="cookie:PHPSESSID")
    batch = concatenated(list(log.batches()))
    assert log.format.id == "combined_session"
    assert len(batch) / log.lines > 0.998
    assert (batch.client == -1).all()
    assert len(log.tables.session) > 50
