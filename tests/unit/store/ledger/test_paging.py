"""Pages together are the list, whatever their size, and cursors are checked."""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import select

from floorwalker.errors import InputError
from floorwalker.store.ledger import Ledger, put, read_page
from floorwalker.store.ledger.tables import lists

OpenLedger = Callable[[], Ledger]
BY = (lists.c.added_at, lists.c.value)


def fill(ledger: Ledger, times: list[int]) -> list[str]:
    rows = [
        {"shop": "s", "list": "deny", "entity": "email", "value": f"v{index:03d}", "sequence": index, "author": "a",
         "reason": "r", "added_at": at, "expires_at": None}
        for index, at in enumerate(times)
    ]  # fmt: skip
    ledger.write(lambda connection: put(connection, lists, rows))
    return [row["value"] for row in sorted(rows, key=lambda row: (row["added_at"], row["value"]), reverse=True)]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_together_are_the_list(open_ledger: OpenLedger, limit: int, newest_first: bool) -> None:
    ledger = open_ledger()
    expected = fill(ledger, [5, 1, 1, 9, 1, 1, 7, 7, 2, 2])
    found: list[str] = []
    cursor = None
    while True:
        page = ledger.read(
            lambda c, cursor=cursor: read_page(
                c, select(lists), BY, cursor=cursor, limit=limit, newest_first=newest_first
            )
        )
        assert len(page.rows) <= limit
        found += [row["value"] for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == (expected if newest_first else expected[::-1])


def packed(values: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(values)).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor", ["", "!!!", "abc", "é", packed([1]), packed(["a", "b"]), packed([True, "b"]), packed([2**63, "b"])]
)
def test_foreign_cursors_are_refused(open_ledger: OpenLedger, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        open_ledger().read(lambda connection: read_page(connection, select(lists), BY, cursor=cursor))


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limits_are_bounded(open_ledger: OpenLedger, limit: int) -> None:
    with pytest.raises(InputError, match="limit"):
        open_ledger().read(lambda connection: read_page(connection, select(lists), BY, limit=limit))
