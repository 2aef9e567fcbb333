"""One type under several forms is one route; what only looks alike stays apart."""

from __future__ import annotations

import numpy as np

from floorwalker.features.routes import RouteTable
from floorwalker.store.strings import StringTable

RNG = np.random.default_rng(5)
WORDS = ["lamp", "chair", "table", "mirror", "carpet", "vase", "clock", "shelf", "stool", "frame", "candle", "oak"]
FILLER = ["/", "/about", "/cart/add", "/cart/remove", "/login"] + [f"/note/{word}-{word[::-1]}" for word in WORDS]


def name(number: int) -> str:
    return f"{WORDS[number % 12]}-{WORDS[number // 12 % 12]}-{WORDS[(number * 5 + number // 7) % 12]}"


def names_of(targets: list[str]) -> list[str]:
    texts = StringTable(seed=0)
    codes = texts.intern_texts([*targets, *FILLER])
    table = RouteTable.learn(texts, np.bincount(codes, minlength=len(texts)).astype(np.int64))
    found = [table.routes[code] for code in table.assign(texts, 0)[codes[: len(targets)]]]
    copy = RouteTable.from_state(table.state())
    assert [copy.routes[code] for code in copy.assign(texts, 0)[codes[: len(targets)]]] == found
    return found


def test_an_id_with_and_without_its_name_is_one_page() -> None:
    ids = range(10_300, 10_420)
    bare = [f"/item/{k}" for k in ids]
    named = [f"/item/{k}/{name(k)}" for k in range(10_400, 10_500)]
    deeper = [f"/item/{k}/{k * 3 + 1}/{name(k)}" for k in range(10_450, 10_550)]
    assert set(names_of(bare + named + deeper)) == {"/item/{}"}


def test_what_has_many_names_below_it_is_a_folder() -> None:
    folders = [f"/shelf/{k}" for k in range(500, 530)]
    pages = [f"/shelf/{k}/{name(k * 7 + j)}" for k in range(500, 530) for j in range(6)]
    found = names_of(folders + pages)
    assert set(found[:30]).isdisjoint(found[30:])


def test_what_an_id_is_asked_for_is_no_name_of_it() -> None:
    bare = [f"/item/{k}" for k in range(300, 360)]
    stock = [f"/item/{k}/stock" for k in range(300, 360)]
    found = names_of(bare + stock)
    assert set(found[:60]).isdisjoint(found[60:])


def filters(number: int) -> str:
    return ",".join(f"{letter}{RNG.integers(1, 60)}" for letter in ("b", "p", "v")[: 2 + number % 2])


def test_a_list_of_filters_is_one_page_in_the_path_and_in_a_key() -> None:
    paths = [f"/filter/{filters(k)}" for k in range(150)]
    keys = [f"/filter?f={filters(k)}" for k in range(60)]
    assert len(set(names_of(paths + keys))) == 1


def test_a_number_in_a_key_is_not_the_number_in_the_path() -> None:
    found = names_of([f"/goods/{k}" for k in range(100, 200)] + [f"/goods?shelf={k}" for k in range(100, 160)])
    assert set(found[:100]).isdisjoint(found[100:])


def test_file_names_in_a_key_name_no_act() -> None:
    files = [f"/image/get?path=/Image/{word}{k}.jpg" for k, word in enumerate(WORDS, start=3)]
    assert set(names_of(files)) == {"/image/get?path={}"}


def test_a_stray_format_among_pictures_is_no_type_of_its_own() -> None:
    pictures = [f"/art/{WORDS[k % 12]}-{k}.png" for k in range(60)]
    stray = [f"/art/{word}.gif" for word in ("wait", "grey", "spin", "line")]
    assert len(set(names_of(pictures + stray))) == 1
    counters = [f"/art/{k * 7919}.gif" for k in range(50)]
    found = names_of(pictures + counters)
    assert set(found[:60]).isdisjoint(found[60:])


def test_words_behind_ids_say_what_the_id_is_of() -> None:
    def ids(number: int, below: int) -> list[int]:
        found: list[int] = RNG.choice(below, number, replace=False).tolist()
        return found

    sizes = ("50x50", "100x100", "150x150", "200x200")
    kinds = {
        "/image/{}/goodsModel/{}": [f"/image/{k}/goodsModel/{sizes[k % 4]}" for k in ids(700, 60_000)],
        "/image/{}/goodsType/{}": [f"/image/{k}/goodsType/{sizes[k % 2]}" for k in ids(80, 6_000)],
        "/image/{}/brand": [f"/image/{k}/brand" for k in ids(150, 900)],
        "/image/{}/slide": [f"/image/{k}/slide" for k in ids(30, 1_300)],
        "/image/{}/sale": [f"/image/{k}/sale" for k in ids(20, 9_000)],
    }
    photos = [f"/image/{k}?name={WORDS[k % 12]}{k}.jpg&wh=200x200" for k in ids(400, 30_000)]
    found = iter(names_of([target for targets in kinds.values() for target in targets] + photos))
    for route, targets in kinds.items():
        assert {next(found) for _ in targets} == {route}


def test_sizes_behind_ids_remain_values() -> None:
    found = names_of([f"/photo/{k}/{size}" for k in range(7000, 7100) for size in ("small", "large", "thumb")])
    assert len(set(found)) <= 3
    assert all(name.startswith("/photo/{}/") for name in found)


def test_nothing_between_delimiters_does_not_split_a_type() -> None:
    plain = [f"/wares/{name(k)}-{k}" for k in range(120)]
    bracketed = [f"/wares/{name(k)}-({WORDS[k % 12]}-{k})" for k in range(200, 290)]
    assert len(set(names_of(plain + bracketed))) <= 2
