"""Rings: planted crews are found with their evidence, crowds and households are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.relation.rings import find_rings
from floorwalker.errors import UsageError


def planted():
    random = np.random.default_rng(1)
    facts = []
    for account in range(400):
        facts += [(account, f"d{account}", "device"), (account, f"ip{random.integers(30)}", "ip")]
    for home in range(0, 60, 2):
        facts += [(home, f"home{home}", "delivery_point"), (home + 1, f"home{home}", "delivery_point")]
    crews = [range(100, 108), range(200, 212)]
    for number, crew in enumerate(crews):
        for account in crew:
            facts += [(account, f"crew{number}-{account % 2}", "device"), (account, f"door{number}", "delivery_point")]
    return facts, crews


def test_crews_are_found_and_households_are_not():
    facts, crews = planted()
    rings = find_rings(*zip(*facts, strict=True))
    assert [set(ring.members) for ring in rings[:2]] == [set(crews[1]), set(crews[0])]
    assert all(ring.score < rings[1].score for ring in rings[2:])
    assert not any(set(ring.members) <= set(range(60)) for ring in rings)


def test_evidence_names_the_entity_and_whom_it_links():
    facts, crews = planted()
    ring = find_rings(*zip(*facts, strict=True))[0]
    door = next(tie for tie in ring.ties if tie.kind == "delivery_point")
    assert (door.entity, set(door.members), door.others) == ("door1", set(crews[1]), 0)
    assert "delivery_point door1 links 12 of them" in ring.tell(most=9)


def test_order_of_facts_changes_nothing():
    facts, _ = planted()
    shuffled = [facts[place] for place in np.random.default_rng(2).permutation(len(facts))]
    assert find_rings(*zip(*facts, strict=True)) == find_rings(*zip(*shuffled, strict=True))


def test_hubs_tie_nobody():
    crowd = [(account, "campus", "device") for account in range(30)]
    assert find_rings(*zip(*crowd, strict=True)) == []
    assert len(find_rings(*zip(*crowd, strict=True), hubs={"device": 40}, density=0.1)) == 1


def lend(members, random) -> list[tuple[int, str, str]]:
    """Two of the crew's devices and two of its cards for each, so that each of these has four."""
    return [
        (account, f"{kind}{thing}", kind)
        for account in members
        for kind in ("device", "payment")
        for thing in random.choice(len(members) // 2, 2, replace=False).tolist()
    ]


def test_a_crew_that_shares_many_devices_is_one_ring():
    random = np.random.default_rng(3)
    facts = lend(range(30), random)
    apart = find_rings(*zip(*facts, strict=True), crews=False)
    whole = find_rings(*zip(*facts, strict=True))
    assert max(len(ring.members) for ring in apart) < 15
    assert len(whole[0].members) >= 28
    assert whole[0].score > apart[0].score


def test_crews_and_homes_that_touch_stay_apart():
    facts, crews = planted()
    before = [ring.members for ring in find_rings(*zip(*facts, strict=True))]
    # Both crews used one telephone once, and each home's children visited the next home.
    facts += [(account, "borrowed", "device") for crew in crews for account in list(crew)[:2]]
    facts += [(account, f"visit{home}", "device") for home in range(0, 58, 2) for account in (home + 1, home + 2)]
    assert [ring.members for ring in find_rings(*zip(*facts, strict=True))[:2]] == before[:2]
    assert not any(len(set(ring.members) & set(range(60))) > 4 for ring in find_rings(*zip(*facts, strict=True)))


def test_accounts_opened_together_weigh_more():
    facts, crews = planted()
    plain = find_rings(*zip(*facts, strict=True))
    late = find_rings(*zip(*facts, strict=True), born=dict.fromkeys(crews[0], 1.0), together=1.0)
    score = {ring.members: ring.score for ring in plain}
    for ring in late:
        assert (ring.score > score[ring.members]) == (set(ring.members) == set(crews[0]))


def test_neighbours_at_one_door_are_less_broad_than_a_crew():
    facts, crews = planted()
    rings = {ring.members: ring for ring in find_rings(*zip(*facts, strict=True))}
    assert rings[tuple(crews[0])].breadth == 1
    door = [(account, "locker", "delivery_point") for account in range(8)]
    coupons = [(account, "TEN", "coupon") for account in range(8)]
    (ring,) = find_rings(*zip(*door, *coupons, strict=True))
    assert ring.breadth == 0


def test_nothing_and_nonsense():
    assert find_rings([], [], []) == []
    with pytest.raises(UsageError, match="of one length"):
        find_rings([1], [1, 2], ["a"])
    with pytest.raises(UsageError, match="density"):
        find_rings([1], [1], ["a"], density=0.0)


def test_columns_of_objects_are_taken_as_they_are():
    facts, _ = planted()
    accounts, entities, kinds = (list(column) for column in zip(*facts, strict=True))
    plain = find_rings(accounts, entities, kinds)
    assert find_rings(np.array(accounts, object), np.array(entities, object), np.array(kinds, object)) == plain
    scalars = np.array([np.int64(account) for account in accounts], object)
    assert find_rings(scalars, entities, kinds) == plain
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"account": accounts, "entity": entities, "kind": kinds})
    assert find_rings(table["account"], table["entity"], table["kind"]) == plain


@pytest.mark.parametrize("missing", [None, float("nan"), np.datetime64("NaT")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_missing_values_are_refused_in_words(missing, place):
    columns = [["ann", "bob", "cas"], ["phone", "phone", "phone"], ["device"] * 3]
    columns[place] = [columns[place][0], missing, columns[place][2]]
    name = ("accounts", "entities", "kinds")[place]
    with pytest.raises(UsageError, match=f"1 missing values in {name}"):
        find_rings(*(np.array(column, object) for column in columns))
    if not isinstance(missing, np.datetime64):
        with pytest.raises(UsageError, match=f"1 missing values in {name}"):
            find_rings(*columns)


def test_numbers_that_are_missing_and_mixed_types_are_refused_in_words():
    with pytest.raises(UsageError, match="2 missing values in entities"):
        find_rings([1, 2, 3], [1.0, np.nan, np.nan], ["device"] * 3)
    with pytest.raises(UsageError, match="entities of the types int, str"):
        find_rings([1, 2, 3], np.array([1, "a", "b"], object), ["device"] * 3)
    pandas = pytest.importorskip("pandas")
    with pytest.raises(UsageError, match="1 missing values in entities"):
        find_rings([1, 2, 3], pandas.Series([1, None, 2], dtype="Int64"), ["device"] * 3)
