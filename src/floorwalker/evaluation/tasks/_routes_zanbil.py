"""Three hundred lines of a real shop's log, grouped by hand before anything was scored on them."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from pathlib import Path

from floorwalker.errors import InputError

LOG = Path("access_logs") / "zanbil_access_10k.log.gz"
_REQUEST = re.compile(rb'"([A-Z]+) (\S+)[^"]*"')


def read_zanbil(data: Path, groups: Path) -> tuple[list[str], list[bool], dict[int, str]]:
    """The log's targets in order, whether each was sent by POST, and the groups by line (from 0).

    Parameters
    ----------
    data : folder with the public data sets.
    groups : CSV with the columns `line` (from 1) and `group`.

    Errors
    ------
    InputError : the log or the groups are missing.
    """
    try:
        lines = gzip.decompress((data / LOG).read_bytes()).splitlines()
        with groups.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as missing:
        raise InputError(f"{missing.filename} cannot be read: {missing.strerror}", fix="check --data") from missing
    targets, posts = [], []
    for line in lines:
        found = _REQUEST.search(line)
        targets.append(found.group(2).decode("latin-1") if found else "")
        posts.append(bool(found) and found is not None and found.group(1) == b"POST")
    return targets, posts, {int(row["line"]) - 1: row["group"] for row in rows}


def summarise(groups: dict[int, str]) -> dict[str, int]:
    """Lines and groups of the sheet."""
    return {"lines": len(groups), "groups": len(Counter(groups.values()))}
