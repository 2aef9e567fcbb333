"""The live state of a shop's entities, and the features read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import NUMBER_FIELDS, Columns, EventBatch
from floorwalker.events.entities import ENTITIES
from floorwalker.events.parts import PART_NUMBERS
from floorwalker.features.live import _layout as layout
from floorwalker.features.live._codes import CountryCodes, route_codes
from floorwalker.features.live._compile import Program, compile_features
from floorwalker.features.live._kernel import BLOCK, run
from floorwalker.features.live._parts import lay_parts
from floorwalker.features.live._rows import fill_slots
from floorwalker.features.live._sketch import POWERS, TICKS
from floorwalker.features.live._tokens import read_tokens
from floorwalker.features.live.batch import FeatureBatch
from floorwalker.features.live.declarations import Feature
from floorwalker.features.live.defaults import DEFAULT
from floorwalker.features.live.limits import Limits
from floorwalker.features.live.windows import LEVELS, MICROSECONDS
from floorwalker.kernels import quiet
from floorwalker.store.pages import PAGE_BYTES, Pages

State = dict[str, NDArray[Any]]

_run: Callable[..., None] = run
"""The kernel; its forty arrays are put together once, as one tuple."""

_NO_STARTS = np.zeros(1, np.int64)
_NO_KINDS = np.zeros(0, np.int64)


class LiveFeatures:
    """Named numbers of each event, as of just before it is counted.

    One object holds the state of one shop. It is for one thread at a time. Every event of a batch sees those before it,
    so any batching gives the same bits. Events that were given before are counted again: leaving duplicates out is the
    pipeline's matter.

    Parameters
    ----------
    declarations : what to compute; the default set covers every abuse type.
    seed : 0 <= seed < 2^64, secret; keys are mixed with it before they choose a slot or a sketch's register.
    limits : how many rows each table may have, and how late events may come.

    Errors
    ------
    `UsageError` where a declaration cannot be compiled or the memory for the caps is not to be had.
    """

    def __init__(self, declarations: Sequence[Feature] = DEFAULT, *, seed: int, limits: Limits | None = None) -> None:
        if not 0 <= seed < 1 << 64:
            raise UsageError(f"seed is {seed}", allowed="0 <= seed < 2^64")
        self.declarations = tuple(declarations)
        self.limits = limits or Limits()
        self._seed = np.uint64(seed)
        self._program = compile_features(self.declarations, self.limits.rows, self.limits.other_rows)
        self._countries = CountryCodes()
        numbers = self._program.numbers
        self._own_places = np.array([numbers.index(name) if name in numbers else -1 for name in PART_NUMBERS], np.int64)
        self._number_rows, self._lacking = _find_numbers(numbers)
        codes = self._program.codes
        # Of a code that is no key the first row is taken, and then written over.
        self._key_rows = np.array([ENTITIES.index(name) if name in ENTITIES else 0 for name in codes], np.intp)
        self._other_codes = [(place, name) for place, name in enumerate(codes) if name not in ENTITIES]
        self._clear()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns: `event_late`, then the declarations in their order."""
        return self._program.names

    def advance(self, batch: EventBatch) -> FeatureBatch:
        """The features of each event, which is then counted; events of one batch see the earlier ones."""
        return self._run(batch, moves=True)

    def score(self, batch: EventBatch) -> FeatureBatch:
        """The features of each event as if it came next, alone. Nothing moves."""
        return self._run(batch, moves=False)

    def sequence(self, keys: NDArray[np.uint64]) -> NDArray[np.uint16]:
        """The last 32 event tokens of accounts: uint16 [n, 32], oldest first, padded with 0 at the front.

        A token is the type's code plus one, plus 256 times the octave of the gap before it: 0 below one second, then
        one more than the whole binary logarithm of the seconds, 15 at the most.
        """
        tokens = np.zeros((len(keys), layout.TOKENS), np.uint16)
        program = self._program
        if program.account >= 0:
            with np.errstate(over="ignore"):
                read_tokens(
                    np.ascontiguousarray(keys, np.uint64), program.tables[program.account], program.tokens_at,
                    self._seed, self._slots, self._arena, self._words, self._shorts, tokens,
                )  # fmt: skip
        return tokens

    def figures(self) -> dict[str, int]:
        """Running figures: events counted and late, rows in use and evicted by table, sketches in use and refused."""
        figures = {
            "counted": int(self._figures[layout.COUNTED]),
            "late": int(self._figures[layout.LATE]),
            "watermark": int(self._figures[layout.WATERMARK]),
            "sketches": int(self._figures[layout.PAGES_USED] - self._figures[layout.PAGES_FREE]),
            "sketches_refused": int(self._figures[layout.REFUSED]),
        }
        for number, of in enumerate(self._program.entities):
            figures["rows." + "*".join(of)] = int(self._tallies[number, layout.USED])
            figures["evicted." + "*".join(of)] = int(self._tallies[number, layout.EVICTED])
        return figures

    def bytes_in_use(self) -> int:
        """Bytes of rows, slots and sketches that are in use."""
        widths = self._program.tables[:, layout.T_WIDTH]
        rows = int((self._tallies[:, layout.USED] * widths).sum()) * 4
        return rows + self._slots.nbytes + int(self._figures[layout.PAGES_USED]) * layout.PAGE_BYTES

    def state(self) -> State:
        """The whole state as named arrays: views, valid until the next `advance`, so copy or write them before."""
        pages = int(self._figures[layout.PAGES_USED])
        state: State = {
            "declarations": np.frombuffer(bytes.fromhex(self._program.digest), np.uint8),
            "seed": np.array([self._seed], np.uint64),
            "figures": self._figures,
            "tallies": self._tallies,
            "sketches": self._pages[: pages * layout.PAGE_BYTES],
            "sketch_heads": self._heads[:pages],
            "sketch_estimates": self._estimates[:pages],
            "sketches_free": self._free[: int(self._figures[layout.PAGES_FREE])],
        }
        for number, of in enumerate(self._program.entities):
            state["rows." + "*".join(of)] = self._rows_of(number, int(self._tallies[number, layout.USED]))
        return state

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """For the large arrays of `state` the pages that they lie in, and with which one each begins."""
        bases = self._program.tables[:, layout.T_BASE].tolist()
        found = {
            "rows." + "*".join(of): (self._row_pages, base * 4 // PAGE_BYTES)
            for of, base in zip(self._program.entities, bases, strict=True)
        }
        return {**found, "sketches": (self._sketch_pages, 0)}

    def make_room(self, shapes: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]) -> State:
        """Forget everything, and give the memory, full of zeros, that the large arrays of a state shall be read into.

        `restore` must follow with these arrays, or this object is of no more use.

        Parameters
        ----------
        shapes : type and shape of each array of the state.
        """
        self._clear()
        places: State = {"sketches": self._pages}
        for number, of in enumerate(self._program.entities):
            places["rows." + "*".join(of)] = self._rows_of(number, int(self._program.tables[number, layout.T_CAP]))
        room: State = {}
        for name, place in places.items():
            dtype, shape = shapes.get(name, (place.dtype, ()))
            if dtype == place.dtype and len(shape) == 1 and shape[0] <= len(place):
                room[name] = place[: shape[0]]
        return room

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; what was counted before is forgotten.

        Errors
        ------
        `ArtefactError` where the state is of other declarations, misses a part, or has more rows than the caps allow.
        """
        given = bytes(np.asarray(state.get("declarations", np.zeros(0)), np.uint8))
        if given != bytes.fromhex(self._program.digest):
            raise ArtefactError(
                "the state was made with other declarations of features", fix="replay the journal into a new state"
            )
        used = np.asarray(state["tallies"])[:, layout.USED]
        over = [
            "*".join(of)
            for number, of in enumerate(self._program.entities)
            if used[number] > self._program.tables[number, layout.T_CAP]
        ]
        pages = int(np.asarray(state["figures"])[layout.PAGES_USED])
        if over or pages > self.limits.sketches:
            raise ArtefactError(
                f"the state has more than the limits allow of: {', '.join(over or ['sketches'])}",
                fix="raise the limits or replay the journal",
            )
        if any(np.may_share_memory(array, self._arena) for name, array in state.items() if name.startswith("rows.")):
            # It was read into its place; `make_room`.
            self._slots[:] = 0
        else:
            self._clear()
        self._seed = np.uint64(np.asarray(state["seed"])[0])
        self._figures[:] = state["figures"]
        self._tallies[:] = state["tallies"]
        self._tallies[:, layout.HAND] %= self._program.tables[:, layout.T_CAP]
        _copy(state["sketches"], self._pages[: pages * layout.PAGE_BYTES])
        self._heads[:pages] = state["sketch_heads"]
        self._estimates[:pages] = state["sketch_estimates"]
        self._free[: int(self._figures[layout.PAGES_FREE])] = state["sketches_free"]
        with np.errstate(over="ignore"):
            for number, of in enumerate(self._program.entities):
                count = int(used[number])
                _copy(state["rows." + "*".join(of)], self._rows_of(number, count))
                fill_slots(self._program.tables[number], count, self._seed, self._slots, self._arena)

    def _clear(self) -> None:
        program, sketches = self._program, self.limits.sketches
        try:
            self._arena = np.zeros((program.words + 1) // 2, np.uint64)
            self._slots = np.zeros(program.slots, np.uint32)
            self._pages = np.zeros(sketches * layout.PAGE_BYTES, np.uint8)
        except MemoryError as error:
            raise UsageError(
                f"there is no memory for live features: {4 * program.words:,} bytes", fix="lower the limits"
            ) from error
        self._words = self._arena.view(np.uint32)
        self._shorts = self._arena.view(np.uint16)
        self._figures = np.zeros(layout.FIGURES, np.int64)
        self._tallies = np.zeros((len(program.tables), layout.TALLIES), np.int64)
        self._heads = np.zeros(sketches, np.int64)
        self._estimates = np.zeros(sketches, np.float64)
        self._free = np.zeros(max(sketches, 1), np.int32)
        self._row_pages, self._sketch_pages = Pages(self._arena), Pages(self._pages)
        self._fixed = self._arguments(program)

    def _arguments(self, program: Program) -> tuple[Any, ...]:
        """What every call of the kernel is given, in its order from `seed` on."""
        codes = program.codes
        marks = np.array(
            [program.account, program.inviter, program.invited_at, program.only_at, codes.index("inviter"),
             len(program.names), program.standing_at, program.devices, program.known_at], np.int64,
        )  # fmt: skip
        tables = len(program.tables)
        # Lines of memory that the rows of one event begin with, and one for each of their rings.
        lines = int((program.tables[:, layout.T_FRONT] // 16 + 2).sum()) + len(program.blocks)
        return (
            self.limits.lateness_seconds * MICROSECONDS, marks, program.tables, self._tallies, program.windows,
            program.blocks, program.features, program.factors, program.spans, program.updates, program.adds,
            program.hubs, program.shared, program.sets, program.type_bits, program.ranges, self._slots,
            self._arena, self._arena.view(np.int64), self._words, self._arena.view(np.float32), self._shorts,
            self._figures, self._free, self._pages, self._heads, self._estimates, TICKS,
            POWERS, np.zeros(layout.REGISTERS, np.uint8), np.zeros(program.sums, np.float64),
            np.zeros(tables, np.int64), np.zeros(tables, np.int64), np.zeros((BLOCK + 1, tables + 1), np.int64),
            np.zeros((BLOCK + 1, tables), np.uint64), np.zeros((BLOCK + 1, tables), np.uint64),
            np.zeros(BLOCK * tables, np.uint64), np.zeros(BLOCK * lines, np.uint64),
            np.zeros((4, len(LEVELS)), np.int64), *self._row_pages.arguments[1:], *self._sketch_pages.arguments,
        )  # fmt: skip

    def _rows_of(self, number: int, count: int) -> NDArray[np.uint32]:
        table = self._program.tables[number]
        base, width = int(table[layout.T_BASE]), int(table[layout.T_WIDTH])
        return self._words[base : base + count * width]

    def _run(self, batch: EventBatch, *, moves: bool) -> FeatureBatch:
        n, parts = len(batch.id), batch.parts
        # Where an event has several values, the features of each are worked out in a further row.
        rows, names = n + 1 if len(parts) else n, self._program.names
        values, missing = np.empty((rows, len(names)), np.float32), np.empty((rows, len(names)), np.bool_)
        values.fill(np.nan)
        missing.fill(True)
        as_of = np.empty(n, np.int64)
        if n:
            codes, numbers = self._codes_of(batch), self._numbers_of(batch)
            starts, kinds = _NO_STARTS, _NO_KINDS
            with quiet():
                if len(parts):
                    starts, kinds = np.zeros(n + 1, np.int64), np.empty(len(parts), np.int64)
                    lay_parts(
                        parts.row, parts.entity, parts.key, np.ascontiguousarray(parts.numbers), self._own_places,
                        starts, kinds, codes, numbers,
                    )  # fmt: skip
                _run(
                    moves, np.ascontiguousarray(batch.type), np.ascontiguousarray(batch.at),
                    np.ascontiguousarray(batch.received_at), starts, kinds, codes, numbers,
                    self._seed, *self._fixed, as_of, values.reshape(-1), missing.reshape(-1),
                )  # fmt: skip
        if rows > n:
            values, missing = values[:n], missing[:n]
        return FeatureBatch(list(batch.id), as_of, values, names, missing)

    def _codes_of(self, batch: EventBatch) -> NDArray[np.uint64]:
        n, keys = len(batch.id), batch.keys
        further = len(batch.parts)
        if isinstance(keys, Columns):
            codes = keys.rows.take(self._key_rows, axis=0)
            if further:
                whole = np.zeros((len(codes), n + further), np.uint64)
                whole[:, :n] = codes
                codes = whole
        else:
            codes = np.zeros((len(self._program.codes), n + further), np.uint64)
            for place, name in enumerate(self._program.codes):
                if name in keys:
                    codes[place, :n] = keys[name]
        given = keys.further if isinstance(keys, Columns) else keys
        for place, name in self._other_codes:
            if name in given:
                codes[place, :n] = given[name]
            elif name == "country":
                codes[place, :n] = self._country_codes(batch.texts)
            elif name == "route" and "url" in batch.texts:
                urls = batch.texts["url"]
                codes[place, :n] = route_codes(urls) if urls.count(None) < n else 0
            elif name == "type":
                codes[place, :n] = int(batch.type[0]) + 1 if n == 1 else batch.type + 1
            else:
                codes[place, :n] = 0
        return codes

    def _country_codes(self, texts: Mapping[str, list[str | None]]) -> NDArray[np.uint64] | int:
        """The country that the event names, or else that of its network."""
        named, network = texts.get("country"), texts.get("network_country")
        if named is None or network is None:
            either = named or network
        else:
            either = [one or other for one, other in zip(named, network, strict=True)]
        if either is None:
            return 0
        if len(either) == 1:
            return self._countries[either[0]]
        return np.array([self._countries[name] for name in either], np.uint64)

    def _numbers_of(self, batch: EventBatch) -> NDArray[np.float64]:
        n = len(batch.id)
        further = len(batch.parts)
        if isinstance(batch.numbers, Columns):
            values = batch.numbers.rows.take(self._number_rows, axis=0)
            if further:
                whole = np.empty((len(values), n + further), np.float64)
                whole[:, :n] = values
                values = whole
            for place in self._lacking:
                values[place] = np.nan
            return values
        values = np.empty((len(self._program.numbers), n + further), np.float64)
        for place, name in enumerate(self._program.numbers):
            values[place, :n] = batch.numbers.get(name, np.nan)
            if name == "amount_minor" and "amount_base_minor" in batch.numbers:
                base = batch.numbers["amount_base_minor"]
                values[place, :n] = np.where(np.isnan(base), values[place, :n], base)
        return values


def _find_numbers(numbers: Sequence[str]) -> tuple[NDArray[np.intp], list[int]]:
    """Where these numbers stand among the columns of a batch, and which of them no batch has.

    The amount in the base currency is missing only where the amount is, so it stands for both.
    """
    names = ["amount_base_minor" if name == "amount_minor" else name for name in numbers]
    lacking = [place for place, name in enumerate(names) if name not in NUMBER_FIELDS]
    rows = [NUMBER_FIELDS.index(name) if name in NUMBER_FIELDS else 0 for name in names]
    return np.array(rows, np.intp), lacking


def _copy(array: NDArray[Any], place: NDArray[Any]) -> None:
    """Put an array into its place, unless it is there."""
    if array.shape != place.shape or array.ctypes.data != place.ctypes.data:
        place[:] = array
