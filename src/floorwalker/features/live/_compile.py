"""Declarations become a program: where each number lies in a row, and what the kernel does about it, as plain arrays.

Nothing is generated as code: the kernel interprets these arrays, so another table of features starts as fast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.events.entities import ENTITIES
from floorwalker.events.parts import PART_ENTITIES
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import _layout as layout
from floorwalker.features.live._table import TableBuilder
from floorwalker.features.live._vocabulary import Vocabulary
from floorwalker.features.live.declarations import PLAIN_CODES, Feature, Hub
from floorwalker.features.live.windows import WINDOWS
from floorwalker.store.pages import PAGE_BYTES

_DEVICES = ("account", "device")

LATE_FEATURE = "event_late"
"""The one feature that belongs to no entity: 1 where the event came too late to be counted."""

_PAGE_WORDS = PAGE_BYTES // 4


@dataclass(frozen=True)
class Program:
    """What the kernel interprets; every array is described in `_layout`."""

    names: tuple[str, ...]
    entities: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...]
    codes: tuple[str, ...]
    tables: NDArray[np.int64]
    windows: NDArray[np.int64]
    blocks: NDArray[np.int64]
    features: NDArray[np.int64]
    factors: NDArray[np.float64]
    spans: NDArray[np.int64]
    updates: NDArray[np.int64]
    adds: NDArray[np.int64]
    hubs: NDArray[np.int64]
    shared: NDArray[np.int64]
    sets: NDArray[np.int64]
    type_bits: NDArray[np.uint64]
    ranges: NDArray[np.float64]
    sums: int
    words: int
    slots: int
    account: int
    inviter: int
    invited_at: int
    only_at: int
    tokens_at: int
    standing_at: int
    devices: int
    known_at: int
    digest: str


def compile_features(features: Sequence[Feature], caps: Mapping[str, int], default_cap: int) -> Program:
    """Lay out rows and write the program; nobody may change what its arrays hold.

    Programs are kept: making one takes as long as counting ten thousand events.

    Parameters
    ----------
    features : the declarations; their order is the order of the columns, after `event_late`.
    caps : most rows of a table by its name (`account`, `promotion*device`).
    default_cap : most rows of every other table.

    Errors
    ------
    `UsageError` naming every declaration that cannot be compiled.
    """
    return _compile(tuple(features), tuple(sorted(caps.items())), default_cap)


@lru_cache(maxsize=8)
def _compile(features: tuple[Feature, ...], given: tuple[tuple[str, int], ...], default_cap: int) -> Program:
    caps = dict(given)
    _check(features)
    vocabulary = Vocabulary()
    builders: dict[tuple[str, ...], TableBuilder] = {}
    for column, feature in enumerate(features, start=1):
        builder = builders.setdefault(feature.of, TableBuilder(feature.of, vocabulary))
        builder.add(feature, column)
    if ("account",) in builders:
        account = builders["account",]
        account.keep_tokens()
        if ("inviter",) in builders:
            account.keep_inviter()
    if any(isinstance(feature.aggregate, Hub) for feature in features):
        for of in (("account",), _DEVICES):
            builders.setdefault(of, TableBuilder(of, vocabulary))
        builders["account",].keep_standing()
        builders[_DEVICES].keep_known()
    order = sorted(builders, key=lambda of: (len(of), [ENTITIES.index(name) for name in of]))
    names = (LATE_FEATURE, *(feature.name for feature in features))
    figures = (layout.VERSION, layout.PAGE_BYTES, layout.TOKENS)
    digest = hashlib.sha256(repr((tuple(features), figures)).encode()).hexdigest()
    return _link(names, [builders[of] for of in order], vocabulary, caps, default_cap, digest)


def _check(features: Iterable[Feature]) -> None:
    faults = []
    seen: set[str] = {LATE_FEATURE}
    hubs: set[tuple[str, ...]] = set()
    types = {kind.name for kind in EVENT_TYPES}
    for feature in features:
        if feature.name in seen:
            faults.append(f"two features are called {feature.name!r}")
        seen.add(feature.name)
        if not 1 <= len(feature.of) <= 2 or any(name not in ENTITIES for name in feature.of):
            faults.append(
                f"{feature.name} is of {'*'.join(feature.of)!r}, allowed: one or two of {', '.join(ENTITIES)}"
            )
        if feature.aggregate.windowed != (feature.window is not None):
            needs = "needs a window" if feature.aggregate.windowed else "has no window"
            faults.append(f"{feature.name}: {type(feature.aggregate).__name__} {needs}")
        for what in (getattr(feature.aggregate, name, None) for name in ("what", "below", "then")):
            unknown = [name for name in what.types if name not in types] if what is not None else []
            if unknown:
                faults.append(f"{feature.name} looks at {', '.join(unknown)}, which are no event types")
        code = getattr(feature.aggregate, "of", None)
        if isinstance(feature.aggregate, Hub):
            faults += _faults_of_hub(feature, feature.aggregate, hubs)
        if len({*feature.of} & {*PART_ENTITIES}) > 1 or {"item", "seller"} <= {*feature.of, code}:
            faults.append(f"{feature.name} combines two of {', '.join(PART_ENTITIES)}, of which an event has many")
        if code is not None and code not in (*ENTITIES, *PLAIN_CODES):
            allowed = ", ".join((*ENTITIES, *PLAIN_CODES))
            faults.append(f"{feature.name} tells {code!r} apart, allowed: {allowed}")
    if faults:
        raise UsageError("; ".join(faults))


def _faults_of_hub(feature: Feature, kind: Hub, seen: set[tuple[str, ...]]) -> list[str]:
    faults = []
    if len(feature.of) != 1 or feature.of[0] in ("account", *PART_ENTITIES):
        faults.append(f"{feature.name}: only a single entity that accounts share can be a hub")
    if feature.of in seen:
        faults.append(f"{feature.name} is the second rule for hubs of {feature.of[0]}")
    if kind.over not in WINDOWS or kind.limit < 1 or not 0.0 < kind.share <= 1.0 or kind.what.number is not None:
        allowed = f"a window of {', '.join(WINDOWS)}; a limit from 1 on; 0 < share <= 1; events without a range"
        faults.append(f"{feature.name} is a hub {kind}, allowed: {allowed}")
    seen.add(feature.of)
    return faults


def _link(
    names: tuple[str, ...],
    builders: list[TableBuilder],
    vocabulary: Vocabulary,
    caps: Mapping[str, int],
    default_cap: int,
    digest: str,
) -> Program:
    types = len(EVENT_TYPES)
    tables = np.zeros((len(builders), layout.TABLE_COLUMNS), np.int64)
    spans = np.zeros((len(builders), types, 2), np.int64)
    windows: list[list[int]] = []
    blocks: list[list[int]] = []
    features: list[list[int]] = []
    factors: list[float] = []
    updates: list[list[int]] = []
    adds: list[list[int]] = []
    hubs: list[list[int]] = []
    shared: list[int] = []
    sets: list[list[int]] = []
    words = slots = sums = 0
    places = ("account", "inviter", "invited_at", "only_at", "tokens_at", "standing_at", "devices", "known_at")
    marks = dict.fromkeys(places, -1)
    hub_bits: dict[str, int] = {}
    for number, builder in enumerate(builders):
        table = builder.lay_out()
        row = tables[number]
        cap = caps.get("*".join(builder.of), default_cap)
        size = 1 << max(4, (2 * cap - 1).bit_length())
        row[layout.T_FIRST] = vocabulary.code(builder.of[0])
        row[layout.T_SECOND] = vocabulary.code(builder.of[1]) if len(builder.of) == 2 else -1
        row[layout.T_BASE], row[layout.T_WIDTH], row[layout.T_CAP] = words, table.width, cap
        row[layout.T_SLOT_BASE], row[layout.T_SLOT_MASK] = slots, size - 1
        row[layout.T_FEATURE_START], row[layout.T_FEATURE_END] = len(features), len(features) + len(table.features)
        row[layout.T_WINDOW_START], row[layout.T_WINDOW_END] = len(windows), len(windows) + len(table.windows)
        row[layout.T_BLOCK_START], row[layout.T_BLOCK_END] = len(blocks), len(blocks) + len(table.blocks)
        row[layout.T_SET_START], row[layout.T_SET_END] = len(sets), len(sets) + len(table.sets)
        for block in table.blocks:
            block[layout.B_FIRST] += len(windows)
            block[layout.B_LAST] += len(windows)
        # Every table begins with a page of memory: snapshots take whole pages.
        words += -(-cap * table.width // _PAGE_WORDS) * _PAGE_WORDS
        slots += size
        row[layout.T_TOTALS], row[layout.T_FRONT] = table.sums, table.front
        row[layout.T_INVITED] = "inviter" in builder.of
        row[layout.T_PART] = next((ENTITIES.index(name) for name in builder.of if name in PART_ENTITIES), -1)
        row[layout.T_TELLS] = table.tells
        row[layout.T_HUB] = -1
        if table.hubs:
            row[layout.T_HUB] = len(hubs)
            hub_bits[builder.of[0]] = hub_bits.get(builder.of[0], 0) | 1 << len(hubs)
            hubs += table.hubs
        row[layout.T_SHARED_BY] = sum(hub_bits.get(name, 0) for name in builder.of)
        row[layout.T_SHARED_START], row[layout.T_SHARED_END] = len(shared), len(shared) + len(table.shared)
        shared += table.shared
        kinds = [feature[layout.OP] for feature in table.features]
        row[layout.T_DISTINCT_START] = len(features) + kinds.count(layout.READ)
        row[layout.T_OTHERS_START] = row[layout.T_DISTINCT_START] + kinds.count(layout.DISTINCT)
        sums = max(sums, table.sums)
        features += table.features
        factors += table.factors
        windows += table.windows
        blocks += table.blocks
        sets += table.sets
        for kind in range(types):
            spans[number, kind, 0] = len(updates)
            updates.extend(table.updates_of(kind, adds, len(blocks) - len(table.blocks)))
            spans[number, kind, 1] = len(updates)
        if builder.of == ("account",):
            marks |= {"account": number, "invited_at": table.place("invited"), "tokens_at": table.place("tokens")}
            marks["standing_at"] = table.place("standing")
        if builder.of == _DEVICES and marks["standing_at"] >= 0:
            marks |= {"devices": number, "known_at": table.place(*builder.known_at())}
        if builder.of == ("inviter",):
            marks |= {"inviter": number, "only_at": table.place("only")}
    return Program(
        names=names,
        entities=tuple(builder.of for builder in builders),
        numbers=tuple(vocabulary.numbers),
        codes=tuple(vocabulary.codes),
        tables=tables,
        windows=_matrix(windows, 8),
        blocks=_matrix(blocks, 6),
        features=_matrix(features, 8),
        factors=np.array(factors, np.float64),
        spans=spans,
        updates=_matrix(updates, 8),
        adds=_matrix(adds, 4),
        hubs=_matrix(hubs, layout.HUB_COLUMNS),
        shared=np.array(shared, np.int64),
        sets=_matrix(sets, 3),
        type_bits=vocabulary.type_bits(),
        ranges=vocabulary.ranges(),
        sums=max(sums, 1),
        words=words,
        slots=slots,
        digest=digest,
        **marks,
    )


def _matrix(rows: list[list[int]], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(len(rows), width)
