"""Rings: groups of accounts that share more than strangers do, each with what ties it together.

>>> rings = find_rings(
...     ["ann", "bob", "cas", "ann", "bob", "cas", "dot", "eve"],
...     ["phone-1", "phone-1", "phone-1", "card-1", "card-1", "card-1", "card-9", "phone-9"],
...     ["device", "device", "device", "payment", "payment", "payment", "payment", "device"],
... )
>>> [ring.members for ring in rings]
[('ann', 'bob', 'cas')]
>>> print(rings[0].tell())
3 accounts: device phone-1 links 3 of them (ann, bob, cas); payment card-1 links 3 of them (ann, bob, cas)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.relation._community import find_communities, join_parts
from floorwalker.errors import UsageError

HUB = 20
"""Most accounts of an entity of a kind without a limit of its own: of more it is a hub and says nothing."""
WEIGHTS: Mapping[str, float] = {
    "ip": 0.3,
    "ip_network": 0.1,
    "coupon": 0.2,
    "promotion": 0.1,
    "item": 0.2,
    "seller": 0.1,
}
"""Weight of kinds that strangers share, too; every other kind weighs 1."""
LEAST_OWN = 0.3
"""Weight of a kind from which on it makes a ring broader."""
DENSITY = 0.25
"""Least weight of a mean pair: a single entity ties up to 15 accounts into a ring, one of 16 says too little alone."""
HOUSEHOLD = 4.0
"""Members at which a ring's size has said 63 % of what it can say: below, families live."""


@dataclass(frozen=True)
class Tie:
    """One entity that links members of a ring.

    Parameters
    ----------
    kind : device, payment, delivery point and so on.
    entity : which one.
    members : the members who have it.
    others : accounts outside the ring who have it, too.
    weight : what it says, in shared pairs discounted by how many share it.
    """

    kind: str
    entity: Any
    members: tuple[Any, ...]
    others: int
    weight: float


@dataclass(frozen=True)
class Ring:
    """A group of accounts and what ties it together.

    Parameters
    ----------
    members : accounts, in their order.
    ties : strongest first.
    score : in [0, 1), a rank and no probability: it grows with the members, with what a mean member shares with the
        others, with the number of ties, for one shared thing may be an accident, and with the share of members opened
        together, where that is known.
    """

    members: tuple[Any, ...]
    ties: tuple[Tie, ...]
    score: float

    @property
    def breadth(self) -> float:
        """Share of the members that things of a second kind link: 0 where all share things of one kind alone, as
        neighbours at a pickup point do, 1 where all share a door and a device, say. What strangers share, as coupons,
        is no kind here."""
        linked: dict[str, set[Any]] = {}
        for tie in self.ties:
            if WEIGHTS.get(tie.kind, 1.0) >= LEAST_OWN:
                linked.setdefault(tie.kind, set()).update(tie.members)
        shares = sorted((len(members) / len(self.members) for members in linked.values()), reverse=True)
        return shares[1] if len(shares) > 1 else 0.0

    def tell(self, *, most: int = 3) -> str:
        """A sentence for an analyst, with at most so many ties."""
        parts = []
        for tie in self.ties[:most]:
            names = ", ".join(str(member) for member in tie.members[:5])
            more = ", …" if len(tie.members) > 5 else ""
            parts.append(f"{tie.kind} {tie.entity} links {len(tie.members)} of them ({names}{more})")
        return f"{len(self.members)} accounts: " + "; ".join(parts)


def find_rings(
    accounts: ArrayLike,
    entities: ArrayLike,
    kinds: ArrayLike,
    *,
    hubs: Mapping[str, int] | None = None,
    weights: Mapping[str, float] | None = None,
    density: float = DENSITY,
    crews: bool = True,
    least_members: int = 3,
    born: Mapping[Any, float] | None = None,
    together: float = 2 * 86_400_000_000,
) -> list[Ring]:
    """The rings among accounts that have entities.

    Two accounts are tied by each entity that both have, by `weight of its kind / log2(accounts that have it)`: a device
    of two people says more than an address of thirty. Entities of more accounts than `hubs` allows say nothing.
    Communities of that graph whose mean pair is tied by more than `density` are the rings; those that are tied to one
    another nearly as much as within themselves are one, at two fifths of the density, for a crew that shares several
    devices among dozens has few who share the same one.

    Parameters
    ----------
    accounts, entities, kinds : [m] each, a row a fact "this account has this entity of this kind"; doubles are
        harmless. Missing values must be left out, and the values of a column must be of one type.
    hubs : kind -> most accounts of an entity that still says something; `HUB` for the others.
    weights : kind -> weight; `WEIGHTS` and 1 for the others.
    density : least weight of a mean pair.
    crews : whether such communities are joined.
    least_members : smaller groups are not reported.
    born : account -> time of opening; ties of accounts opened within `together` of one another count in the score.
    together : in the unit of `born`.

    Returns
    -------
    Rings, highest score first. Accounts that share nothing are in none.

    Errors
    ------
    `UsageError` for columns that do not fit together, and for missing values: all who lack a thing would share it.
    """
    rows = [_checked(accounts, "accounts"), _checked(entities, "entities"), _checked(kinds, "kinds")]
    if any(column.ndim != 1 or len(column) != len(rows[0]) for column in rows):
        raise UsageError(
            f"accounts {rows[0].shape}, entities {rows[1].shape}, kinds {rows[2].shape}", allowed="flat, of one length"
        )
    if density <= 0 or least_members < 2:
        raise UsageError(f"density={density}, least_members={least_members}", allowed="above 0, from 2")
    if not len(rows[0]):
        return []
    who, account = _number(rows[0], "accounts")
    names, kind = _number(rows[2], "kinds")
    what, thing = _number(rows[1], "entities")
    facts = np.unique(np.stack([kind, thing, account]), axis=1)
    # An entity is its kind and its name: the same number may be a card of one account and a door of another.
    entity_of = facts[0] * len(what) + facts[1]
    known, entity, degree = np.unique(entity_of, return_inverse=True, return_counts=True)
    limits = np.array([(hubs or {}).get(str(name), HUB) for name in names])
    weight_of = np.array([(weights or {}).get(str(name), WEIGHTS.get(str(name), 1.0)) for name in names], np.float64)
    of_kind = known // len(what)
    says = (degree >= 2) & (degree <= limits[of_kind])
    weight = np.where(says, weight_of[of_kind] / np.log2(np.maximum(degree, 2)), 0.0)
    start, neighbour, tie = _pairs(facts[2], entity, weight, len(who))
    community = find_communities(start, neighbour, tie, density)
    if crews:
        community = join_parts(start, neighbour, tie, community, density)
    found = _gather(facts[2], entity, weight, community)
    born_at = None if born is None else np.array([float(born.get(name, np.nan)) for name in who.tolist()])
    things = what.tolist()
    labels = [(str(names[of]), things[number]) for of, number in zip(of_kind, known % len(what), strict=True)]
    rings = []
    for members, ties in found:
        if len(members) < least_members:
            continue
        told = tuple(
            Tie(
                labels[thing][0], labels[thing][1], tuple(who[inside].tolist()),
                int(degree[thing]) - len(inside), strength,
            )
            for thing, inside, strength in ties
        )  # fmt: skip
        share = 0.0 if born_at is None else _share_together(born_at[members], together)
        rings.append(Ring(tuple(who[members].tolist()), told, _judge(len(members), told, share)))
    return sorted(rings, key=lambda ring: (-ring.score, str(ring.members[0])))


def _checked(column: ArrayLike, name: str) -> NDArray[Any]:
    """A column as an array; `UsageError` where a value is missing."""
    values = np.asarray(column)
    missing = np.zeros(values.shape, np.bool_)
    if values.dtype.kind == "O":
        missing = _find_missing(values)
    elif values.dtype.kind in "US" and not isinstance(column, np.ndarray):
        # Beside texts NumPy makes a text of NaN.
        given = np.asarray(column, np.object_)
        missing = _find_missing(given) if given.shape == values.shape else missing
    elif values.dtype.kind in "fcmM":
        missing = values != values
    if missing.any():
        raise UsageError(
            f"{int(missing.sum())} missing values in {name}", allowed="facts that are known", fix="leave those rows out"
        )
    return values


def _number(values: NDArray[Any], name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The values that there are, in order, and of each row which it has; `UsageError` where they have no order."""
    try:
        known, place = np.unique(values, return_inverse=True)
    except TypeError as mixed:
        types = ", ".join(sorted({type(value).__name__ for value in values.tolist()}))
        raise UsageError(
            f"{name} of the types {types}", allowed="values of one type", fix="make texts of all"
        ) from mixed
    return known, place


def _find_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where an array of objects holds None, NaN, or what pandas takes for them."""

    def is_missing(value: Any) -> bool:
        # NaN and NaT differ from themselves; of pandas' NA not even that is known.
        differs = value != value
        return value is None or not isinstance(differs, bool | np.bool_) or bool(differs)

    return np.array([is_missing(value) for value in values.ravel().tolist()], np.bool_).reshape(values.shape)


def _pairs(
    account: NDArray[np.int64], entity: NDArray[np.int64], weight: NDArray[np.float64], nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The ties of all pairs of accounts, as neighbour lists."""
    order = np.argsort(entity, kind="stable")
    order = order[weight[entity[order]] > 0]
    sorted_entity, sorted_account = entity[order], account[order]
    first = np.searchsorted(sorted_entity, sorted_entity, side="left")
    size = np.searchsorted(sorted_entity, sorted_entity, side="right") - first
    source = np.repeat(sorted_account, size)
    offset = np.arange(len(source)) - np.repeat(np.cumsum(size) - size, size)
    target = sorted_account[np.repeat(first, size) + offset]
    worth = np.repeat(weight[sorted_entity], size)
    apart = source != target
    pair, place = np.unique(source[apart] * nodes + target[apart], return_inverse=True)
    total = np.bincount(place, weights=worth[apart], minlength=len(pair))
    start = np.zeros(nodes + 1, np.int64)
    start[1:] = np.cumsum(np.bincount(pair // nodes, minlength=nodes))
    return start, np.asarray(pair % nodes, np.int64), np.asarray(total, np.float64)


def _gather(
    account: NDArray[np.int64], entity: NDArray[np.int64], weight: NDArray[np.float64], community: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], list[tuple[int, NDArray[np.int64], float]]]]:
    """Of each community of two and more: its members, and its entities with whom they link and how strongly."""
    inside: dict[int, list[tuple[int, NDArray[np.int64], float]]] = {}
    useful = np.flatnonzero(weight[entity] > 0)
    useful = useful[np.lexsort((account[useful], entity[useful], community[account[useful]]))]
    ring, thing = community[account[useful]], entity[useful]
    edges = np.flatnonzero(np.diff(ring) | np.diff(thing)) + 1
    for rows in np.split(useful, edges):
        if len(rows) >= 2:
            number = int(entity[rows[0]])
            strength = float(weight[number] * len(rows) * (len(rows) - 1) / 2)
            inside.setdefault(int(community[account[rows[0]]]), []).append((number, account[rows], strength))
    found = []
    sizes = np.bincount(community)
    order = np.argsort(community, kind="stable")
    ends = np.cumsum(sizes)
    for number, ties in inside.items():
        members = np.sort(order[ends[number] - sizes[number] : ends[number]])
        found.append((members, sorted(ties, key=lambda tie: (-tie[2], tie[0]))))
    return found


def _share_together(born: NDArray[np.float64], together: float) -> float:
    """Share of members opened within this time of another member."""
    times = np.sort(born[np.isfinite(born)])
    if len(times) < 2:
        return 0.0
    close = np.diff(times) <= together
    near = np.concatenate([close, [False]]) | np.concatenate([[False], close])
    return float(near.mean())


def _judge(members: int, ties: tuple[Tie, ...], together: float) -> float:
    shared = 2.0 * sum(tie.weight * len(tie.members) / (len(tie.members) + tie.others) for tie in ties) / members
    size = 1.0 - np.exp(-(members - 1) / HOUSEHOLD)
    variety = 1.0 - 0.5 ** len(ties)
    return float(size * variety * (1.0 - np.exp(-shared * (0.5 + together))))
