"""The route table on logs small and large, honest and hostile."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.features.routes import RouteTable
from floorwalker.features.routes._learning_walk import MAX_ROUTES, OVERFLOW
from floorwalker.store.strings import StringTable

RNG = np.random.default_rng(11)
WORDS = ["lamp", "chair", "table", "mirror", "carpet", "vase", "clock", "shelf", "stool", "frame", "candle", "basketry"]
SHOP = (
    [f"/p/{RNG.choice(WORDS)}-{RNG.choice(WORDS)}-{k}" for k in range(120)]
    + [f"/api/items/{k}/stock" for k in range(300, 400)]
    + [f"/api/items/{k}/reviews" for k in range(300, 360)]
    + [f"/search?q={word}&page={k}" for word in WORDS for k in range(3)]
    + [f"/media/{size}/{k}.jpg" for size in ("60x60", "300x300") for k in range(80)]
    + ["/cart/add", "/cart/remove", "/cart/update", "/login", "/logout", "/checkout/pay", "/", "/about"]
)  # fmt: skip


def table_of(targets: list[str], **options: object) -> tuple[RouteTable, StringTable, list[str]]:
    texts = StringTable(seed=0)
    codes = texts.intern_texts(targets)
    counts = np.bincount(codes, minlength=len(texts)).astype(np.int64)
    table = RouteTable.learn(texts, counts, **options)  # type: ignore[arg-type]
    return table, texts, [table.routes[code] for code in table.assign(texts, 0)[codes]]


@pytest.fixture(scope="module")
def shop() -> tuple[RouteTable, StringTable, list[str]]:
    return table_of(SHOP)


def test_urls_of_one_type_are_one_route(shop: tuple[RouteTable, StringTable, list[str]]) -> None:
    names = shop[2]
    assert len(set(names[:120])) == 1
    assert set(names[120:220]) == {"/api/items/{}/stock"}
    assert set(names[220:280]) == {"/api/items/{}/reviews"}


def test_state_changing_endpoints_stay_apart(shop: tuple[RouteTable, StringTable, list[str]]) -> None:
    assert shop[2][-8:-2] == ["/cart/add", "/cart/remove", "/cart/update", "/login", "/logout", "/checkout/pay"]


def test_roles_follow_the_routes_and_can_be_overridden(shop: tuple[RouteTable, StringTable, list[str]]) -> None:
    table = shop[0]
    roles = dict(zip(table.routes, table.roles, strict=True))
    assert roles["/api/items/{}/stock"] == "offer"
    assert roles["/cart/add"] == "basket"
    other, _, _ = table_of(SHOP, roles={"/api/items/*": "product"})
    assert dict(zip(other.routes, other.roles, strict=True))["/api/items/{}/stock"] == "product"


def test_new_targets_join_known_routes(shop: tuple[RouteTable, StringTable, list[str]]) -> None:
    table, texts, names = table_of(SHOP)
    first = len(texts)
    texts.intern_texts(
        ["/p/new-lamp-9999", "/api/items/77777/stock", "/cart/add?utm_source=mail", "/never/seen/before"]
    )
    found = [table.routes[code] for code in table.assign(texts, first)]
    assert found[:3] == [names[0], "/api/items/{}/stock", "/cart/add"]
    assert found[3] == "/never/seen/before"


def test_assigning_in_pieces_is_assigning_at_once() -> None:
    table, texts, _ = table_of(SHOP)
    whole = table.assign(texts, 0)
    assert np.array_equal(np.concatenate([table.assign(texts, 0)[:50], table.assign(texts, 50)]), whole)
    assert table.assign(texts, len(texts)).shape == (0,)


def test_the_state_restores_an_equal_table() -> None:
    table, texts, _ = table_of(SHOP, roles={"/about": "category"})
    copy = RouteTable.from_state(table.state())
    assert copy.routes == table.routes
    assert copy.roles == table.roles
    texts.intern_texts(["/another/page", "/p/fresh-vase-1"])
    assert np.array_equal(copy.assign(texts, 0), table.assign(texts, 0))
    assert copy.routes == table.routes


def test_a_damaged_state_is_refused() -> None:
    state = table_of(SHOP)[0].state()
    with pytest.raises(ArtefactError, match="damaged"):
        RouteTable.from_state({"facts": state["facts"]})
    with pytest.raises(ArtefactError, match="damaged"):
        RouteTable.from_state({**state, "facts": np.frombuffer(b"{", np.uint8)})


def test_one_target_and_none() -> None:
    assert table_of(["/only"])[2] == ["/only"]
    empty = StringTable(seed=0)
    table = RouteTable.learn(empty, np.zeros(0, np.int64))
    assert len(table.assign(empty, 0)) == 0
    empty.intern_texts(["/later?x=1"])
    assert len(table.assign(empty, 0)) == 1


def test_unmerged_routes_are_the_urls_themselves() -> None:
    table, texts, names = table_of(SHOP, merge="none")
    assert names == SHOP
    texts.intern_texts(["/x"])
    assert table.routes[table.assign(texts, len(texts) - 1)[0]] == "/x"


def test_invented_urls_do_not_grow_the_table_without_bound() -> None:
    table, texts, _ = table_of(SHOP)
    rng = np.random.default_rng(2)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    junk = [
        "/" + "/".join("".join(rng.choice(letters, 6)) for _ in range(int(rng.integers(1, 7)))) for _ in range(4000)
    ]
    junk += [f"/?{''.join(rng.choice(letters, 5))}=1" for _ in range(500)]
    first = len(texts)
    texts.intern_texts(junk)
    codes = table.assign(texts, first)
    assert len(codes) == len(texts) - first
    assert len(table.routes) <= MAX_ROUTES
    assert len(table.routes) < 1500
    learned, _, _ = table_of(junk)
    assert len(learned.routes) <= MAX_ROUTES
    assert OVERFLOW in learned.routes


def test_methods_keep_endpoints_apart_in_any_language() -> None:
    acts = ["/zub/kral", "/zub/mola", "/zub/tevi", "/zub/sarn"]
    targets = [f"/zub/{word}-{k}" for word in WORDS for k in range(20)] + acts
    texts = StringTable(seed=0)
    codes = texts.intern_texts(targets)
    counts = np.full(len(texts), 3, np.int64)
    posts = np.zeros(len(texts), np.int64)
    posts[codes[-4:]] = 3
    table = RouteTable.learn(texts, counts, posts=posts)
    assert [table.routes[code] for code in table.assign(texts, 0)[-4:]] == acts


@pytest.mark.parametrize("key", ["do", "zzq"])
def test_acts_behind_a_query_key_stay_apart(key: str) -> None:
    targets = [f"/cart.php?{key}={act}" for act in ("add", "remove", "empty", "login")] + SHOP
    names = table_of(targets)[2]
    assert len(set(names[:4])) == 4


def test_wrong_arguments_are_named() -> None:
    texts = StringTable(seed=0)
    with pytest.raises(UsageError, match="role 'shoes'"):
        RouteTable.learn(texts, np.zeros(0, np.int64), roles={"/x": "shoes"})
    with pytest.raises(UsageError, match="3 counts for 0 targets"):
        RouteTable.learn(texts, np.zeros(3, np.int64))
