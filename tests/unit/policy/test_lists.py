from __future__ import annotations

import numpy as np

from floorwalker.events.entities import ENTITIES
from floorwalker.events.parts import Parts
from floorwalker.policy.lists import ListBook, ListEntry


def entry(name: str, key: int, entity: str = "account", expires_at: int = 0) -> ListEntry:
    return ListEntry(
        list=name, shop="s", entity=entity, value=str(key), key=key, author="ann", reason="r", created_at=1,
        expires_at=expires_at,
    )  # fmt: skip


def match(book: ListBook, at: int = 50, **keys: list[int]) -> list[str]:
    columns = {name: np.array(column, np.uint64) for name, column in keys.items()}
    return book.match(columns, np.full(len(next(iter(columns.values()))), at, np.int64))


def test_deny_beats_watch_beats_allow() -> None:
    book = ListBook([entry("allow", 1), entry("watch", 1), entry("deny", 2), entry("allow", 2), entry("allow", 3)])
    assert match(book, account=[1, 2, 3, 4]) == ["watch", "deny", "allow", ""]


def test_entries_of_several_entities_are_asked() -> None:
    book = ListBook([entry("deny", 9, "ip"), entry("watch", 1)])
    assert match(book, account=[1, 0], ip=[9, 9], device=[1, 1]) == ["deny", "deny"]


def test_one_of_several_coupons_is_enough_to_be_watched_or_denied_but_not_to_be_let_in() -> None:
    book = ListBook(
        [entry("deny", 7, "coupon"), entry("watch", 8, "coupon", expires_at=60), entry("allow", 9, "coupon")]
    )
    coupon, item = ENTITIES.index("coupon"), ENTITIES.index("item")
    parts = Parts(
        np.array([0, 0, 1, 1, 2, 2, 3, 3], np.int32),
        np.array([coupon, coupon, coupon, coupon, coupon, coupon, item, item], np.int8),
        np.array([1, 7, 1, 8, 1, 9, 1, 7], np.uint64),
        np.zeros((4, 8)),
    )
    keys = {"coupon": np.array([1, 1, 1, 0], np.uint64)}
    assert book.match(keys, np.full(4, 50), parts) == ["deny", "watch", "", ""]
    assert book.match(keys, np.full(4, 60), parts) == ["deny", "", "", ""]


def test_a_missing_entity_is_on_no_list() -> None:
    assert match(ListBook([entry("deny", 5)]), account=[0]) == [""]


def test_an_entry_ends_at_its_time() -> None:
    book = ListBook([entry("deny", 5, expires_at=100)])
    assert match(book, at=99, account=[5]) == ["deny"]
    assert match(book, at=100, account=[5]) == [""]


def test_putting_again_replaces_and_removing_is_told() -> None:
    book = ListBook()
    book.put(entry("deny", 5, expires_at=10))
    book.put(entry("deny", 5))
    assert len(book) == 1
    assert match(book, account=[5]) == ["deny"]
    assert book.remove("deny", "account", 5)
    assert not book.remove("deny", "account", 5)
    assert match(book, account=[5]) == [""]
