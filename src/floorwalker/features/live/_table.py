"""Lay out the rows of one table, and say how each feature is read from them and each event counted into them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from floorwalker.events.parts import PART_ENTITIES
from floorwalker.features.live import _layout as layout
from floorwalker.features.live import declarations as say
from floorwalker.features.live._vocabulary import AMOUNT, Vocabulary
from floorwalker.features.live.windows import LEVELS, WINDOWS, Window

_EVERYTHING = say.What("events")
_INVITATIONS = say.What("invitations", ("sign_up", "invitation_accepted"))
_REDEMPTIONS = say.What("redemptions", ("coupon_redeem",))
_FULL_PRICE = say.What("orders without a coupon", ("order",), "coupons", at_most=0.0, otherwise=0.0)
_FALLEN = say.What("refunds and cancelled orders", ("refund_issued", "order_cancelled"))
_CHARGED_BACK = say.What("chargebacks", ("dispute_chargeback",))
_KNOWN_USE = say.What("logins and orders", ("login_succeeded", "order"))
_WEEK = 7 * 86_400
_ONE = -1
"""In place of a number field: each event counts one."""


@dataclass(frozen=True)
class _Column:
    """A figure that every bucket of a level keeps: selection, number field, and how a value is taken in."""

    selection: int
    number: int
    mode: int = layout.TO_SUM


@dataclass(frozen=True)
class _Total:
    """A column looked at over so many buckets: becomes a place among the sums."""

    window: Window
    column: _Column


@dataclass(frozen=True)
class _Place:
    """A block of words within the row: becomes its offset."""

    key: tuple[object, ...]


@dataclass(frozen=True)
class _Page:
    """The sketch of one window of a set: becomes the offset of the word that refers to it."""

    key: tuple[object, ...]
    window: Window


@dataclass(frozen=True)
class _Windows:
    """Where the windows of a set begin (or end) among those of the table."""

    key: tuple[object, ...]
    end: bool


Operand = int | _Total | _Place | _Page | _Windows


@dataclass(frozen=True)
class Table:
    """One table's share of the program; offsets are 32-bit words within a row."""

    width: int
    sums: int
    front: int
    features: list[list[int]]
    factors: list[float]
    windows: list[list[int]]
    blocks: list[list[int]]
    sets: list[list[int]]
    rings: list[list[_Column]]
    updates: list[list[int]]
    hubs: list[list[int]]
    shared: list[int]
    told: set[str]
    places: dict[tuple[object, ...], int]
    vocabulary: Vocabulary

    def updates_of(self, kind: int, adds: list[list[int]], first_block: int) -> Iterator[list[int]]:
        """What an event of this type does to a row; the columns that it adds to are appended to `adds`. The table's
        blocks of rings are numbered from `first_block` on."""
        for update in self.updates:
            if self.vocabulary.can_hold(update[layout.SELECTION], kind):
                yield update
        for block, columns in enumerate(self.rings):
            start = len(adds)
            adds.extend(
                [place, column.number, column.selection, column.mode]
                for place, column in enumerate(columns)
                if self.vocabulary.can_hold(column.selection, kind)
            )
            if len(adds) > start:
                yield [layout.ADD, 0, first_block + block, start, len(adds), 0, 0, 0]

    @property
    def tells(self) -> bool:
        """Whether its rows tell entities apart of which one event may have several."""
        return bool(self.told & {*PART_ENTITIES})

    def place(self, *key: object) -> int:
        """Offset of a block, or -1 where the table has none."""
        return self.places.get(key, -1)


@dataclass
class _Rings:
    """Windows, blocks and their columns, and the place of each total among the sums."""

    windows: list[list[int]]
    blocks: list[list[int]]
    columns: list[list[_Column]]
    found: dict[_Total, int]
    sums: int


class TableBuilder:
    """Gathers what the features of one table need, then lays it out."""

    def __init__(self, of: tuple[str, ...], vocabulary: Vocabulary) -> None:
        self.of = of
        self._vocabulary = vocabulary
        self._features: list[tuple[int, int, list[Operand], float]] = []
        self._smallest: set[int] = set()
        self._shared: list[int] = []
        self._hubs: list[list[Operand]] = []
        self._seldom: list[tuple[object, ...]] = []
        self._told: set[str] = set()
        self._totals: list[_Total] = []
        self._sizes: dict[tuple[object, ...], int] = {}
        self._updates: list[tuple[int, int, list[Operand]]] = []
        self._sets: dict[tuple[object, ...], list[Window]] = {}

    def keep_tokens(self) -> None:
        """The last event tokens of each row."""
        self._block("tokens", size=layout.TOKENS // 2 + 2)
        self._update(layout.ADD_TOKEN, _EVERYTHING, _Place(("tokens",)))

    def keep_inviter(self) -> None:
        """Who invited this account, how deep it stands in the tree, whether it has redeemed and bought."""
        if ("invited",) in self._sizes:
            return
        place = self._block("invited", size=layout.INVITED_WORDS)
        self._update(layout.SET_INVITER, _INVITATIONS, place)
        self._update(layout.MARK_REDEEMED, _REDEMPTIONS, place)
        self._update(layout.MARK_BOUGHT, _FULL_PRICE, place)

    def keep_standing(self) -> None:
        """Of each account, what its purchases and their ends say for it; see `declarations.Hub`."""
        place = self._block("standing", size=layout.STANDING_WORDS)
        self._update(layout.ADD_STANDING, _FULL_PRICE, place, 1)
        self._update(layout.ADD_STANDING, _FALLEN, place, -1)
        self._update(layout.ADD_STANDING, _CHARGED_BACK, place, layout.BARRED)

    def keep_known(self) -> None:
        """When each account was first seen on each device."""
        self._time(layout.SET_FIRST, _KNOWN_USE)

    def known_at(self) -> tuple[object, ...]:
        """The key of the block that `keep_known` makes."""
        return self._time(layout.SET_FIRST, _KNOWN_USE).key

    def add(self, feature: say.Feature, out: int) -> None:
        """Take a feature in, to be written to column `out`."""
        kind = feature.aggregate
        if kind.smallest:
            self._smallest.add(out)
        if feature.sharing:
            self._shared.append(out)
        window = WINDOWS[feature.window] if feature.window is not None else WINDOWS["life"]
        match kind:
            case say.Mean():
                above = self._total(window, kind.what, kind.number)
                self._read(layout.QUOTIENT, out, above, self._total(window, kind.what, kind.number, layout.TO_COUNT))
            case say.Max():
                self._read(layout.READ, out, self._total(window, kind.what, kind.number, layout.TO_LARGEST))
            case say.Sum():
                self._read(layout.READ, out, self._total(window, kind.what, kind.number))
            case say.Count():
                self._read(layout.READ, out, self._total(window, kind.what, None))
            case say.Rate():
                self._read(layout.SCALED, out, self._total(window, kind.what, None), factor=1.0 / window.seconds)
            case say.Ratio():
                above = self._total(window, kind.what, kind.number)
                self._read(layout.QUOTIENT, out, above, self._total(window, kind.below, kind.number))
            case say.Surge():
                past = WINDOWS[kind.baseline]
                above, below = self._total(window, kind.what, None), self._total(past, kind.what, None)
                self._read(layout.SURGE, out, above, below, past.seconds, kind.least_age, factor=window.seconds)
            case say.Distinct():
                key = self._keep_distinct(kind.what, kind.of, kind.exact, window)
                self._read(
                    layout.DISTINCT, out, _Place(key), kind.exact, _Page(key, window), window.level, window.buckets
                )  # fmt: skip
            case say.Hub():
                self._add_hub(kind, out)
            case _:
                self._add_lasting(kind, out)

    def _keep_distinct(
        self, what: say.What, of: str, exact: int, window: Window, shown: _Place | None = None
    ) -> tuple[object, ...]:
        """A set; how many values it has is shown beside the number of another one, if that is given."""
        key = ("set", self._vocabulary.selection(what), of, exact)
        self._told.add(of)
        windows = self._sets.setdefault(key, [])
        if not windows:
            self._update(
                layout.ADD_DISTINCT, what, _Place(key), self._vocabulary.code(of), exact,
                _Windows(key, end=False), _Windows(key, end=True), 0 if shown is None else shown,
            )  # fmt: skip
        if window not in windows:
            windows.append(window)
        return key

    def _add_hub(self, kind: say.Hub, out: int) -> None:
        window = WINDOWS[kind.over]
        trusted = say.What(f"{kind.what.name} of trusted accounts", kind.what.types, say.TRUSTED_ACCOUNT, at_least=1.0)
        everybody = self._keep_distinct(kind.what, "account", kind.exact, window)
        customers = self._keep_distinct(trusted, "account", layout.TRUSTED_SET, window, _Place(everybody))
        self._seldom.append(customers)
        self._hubs.append(
            [
                out, _Place(everybody), kind.exact, _Page(everybody, window), _Place(customers), layout.TRUSTED_SET,
                _Page(customers, window), window.level, window.buckets, kind.limit, round(1000 * kind.share), _WEEK,
            ]
        )  # fmt: skip

    def _add_lasting(self, kind: say.Aggregate, out: int) -> None:
        match kind:
            case say.SinceLast():
                self._read(layout.SINCE, out, self._time(layout.SET_LAST, kind.what))
            case say.SinceFirst():
                self._read(layout.SINCE, out, self._time(layout.SET_FIRST, kind.what))
            case say.Between():
                first, then = self._time(layout.SET_FIRST, kind.what), self._time(layout.SET_FIRST, kind.then)
                self._read(layout.BETWEEN, out, first, then)
            case say.GapSpread():
                self._read(layout.GAP_SPREAD, out, self._gaps(kind.what))
            case say.GapDeviation():
                self._read(layout.GAP_DEVIATION, out, self._gaps(kind.what))
            case say.GapMean():
                self._read(layout.GAP_MEAN, out, self._gaps(kind.what))
            case say.Entropy():
                self._told.add(kind.of)
                code = self._vocabulary.code(kind.of)
                self._read(layout.ENTROPY, out, self._kept(layout.ADD_BIN, layout.BINS, kind.what, code))
            case say.New():
                self._told.add(kind.of)
                code = self._vocabulary.code(kind.of)
                self._read(layout.NEW, out, self._kept(layout.REMEMBER, layout.MEMORY, kind.what, code), code)
            case say.UsualHour():
                self._read(layout.HOUR, out, self._kept(layout.ADD_HOUR, layout.HOURS, kind.what))
            case say.Travel():
                self._read(layout.TRAVEL, out, self._kept(layout.SET_PLACE, layout.PLACE_WORDS, kind.what))
            case say.Deviation():
                number = self._vocabulary.number(kind.number)
                place = self._kept(layout.ADD_NORMAL, layout.NORMAL_WORDS, kind.what, number)
                self._read(layout.DEVIATION, out, place, number)
            case say.Regression():
                place = self._kept(layout.ADD_PURCHASE, layout.PURCHASE_WORDS, kind.what, AMOUNT)
                self._read(layout.EXPECTED if isinstance(kind, say.Expected) else layout.REGRESSION, out, place)
            case say.TreeDepth():
                self.keep_inviter()
                self._read(layout.DEPTH, out, _Place(("invited",)))
            case say.OnlyRedeem():
                invitees = self._total(WINDOWS["life"], _INVITATIONS, None)
                self._read(layout.ONLY_REDEEM, out, self._block("only", size=2), invitees)
            case _:
                raise TypeError(f"no program for {type(kind).__name__}")

    def lay_out(self) -> Table:
        """Fix every offset. Totals come first, then blocks, aligned to 64 bits, then the rings, level by level."""
        places: dict[tuple[object, ...], int] = {}
        pages: dict[tuple[tuple[object, ...], str], int] = {}
        spans: dict[tuple[object, ...], tuple[int, int]] = {}
        rings, at = self._lay_totals(layout.HEAD)
        for key, size in self._sizes.items():
            places[key] = at
            at += size + size % 2
        set_rows: list[list[int]] = []

        def lay_set(key: tuple[object, ...], at: int) -> int:
            places[key] = at
            exact = key[3]
            assert isinstance(exact, int)
            # How many values there are, a word of the hubs, the values with their ticks, one page for each window.
            spans[key] = len(set_rows), len(set_rows) + len(self._sets[key])
            at += 2 + 2 * exact
            for window in self._sets[key]:
                pages[key, window.name] = at
                set_rows.append([at, window.level, window.buckets])
                at += 1
            return at + at % 2

        for key in self._sets:
            if key not in self._seldom:
                at = lay_set(key, at)
        front = at
        for block in rings.blocks:
            block[layout.B_BLOCK] = at
            for summed in rings.windows[block[layout.B_FIRST] : block[layout.B_LAST]]:
                summed[layout.W_BLOCK] = at
            at += block[layout.B_RING] * block[layout.B_WIDTH]
        at += at % 2
        # What is seldom looked at stands behind, for what stands in front is asked of memory ahead, line by line.
        for key in self._seldom:
            at = lay_set(key, at)
        table = Table(
            width=at, sums=rings.sums, front=front, features=[], factors=[], windows=rings.windows,
            blocks=rings.blocks, sets=set_rows, rings=rings.columns, updates=[], hubs=[], shared=self._shared,
            told=self._told, places=places, vocabulary=self._vocabulary,
        )  # fmt: skip

        def resolve(operand: Operand) -> int:
            match operand:
                case _Total():
                    return rings.found[operand]
                case _Place():
                    return places[operand.key]
                case _Page():
                    return pages[operand.key, operand.window.name]
                case _Windows():
                    return spans[operand.key][operand.end]
            return operand

        # Features of one operation stand together: the kernel's branches then are easy to foresee.
        for op, out, operands, factor in sorted(self._features, key=lambda feature: feature[:2]):
            row = _padded([op, out, *map(resolve, operands)])
            row[layout.SMALLEST] = out in self._smallest
            table.features.append(row)
            table.factors.append(factor)
        for op, selection, operands in self._updates:
            table.updates.append(_padded([op, selection, *map(resolve, operands)]))
        table.hubs.extend([resolve(operand) for operand in hub] for hub in self._hubs)
        return table

    def _lay_totals(self, at: int) -> tuple[_Rings, int]:
        """Where the totals of every window stand; the buckets get their places later."""
        rings = _Rings([], [], [], {}, 0)
        for level in range(len(LEVELS)):
            totals = [total for total in self._totals if total.window.level == level]
            if not totals:
                continue
            # Figures that are added stand before those that keep the largest, so that each can be summed in one run.
            columns = sorted(dict.fromkeys(total.column for total in totals), key=_is_largest)
            added = sum(not _is_largest(column) for column in columns)
            ring = LEVELS[level].buckets
            first = len(rings.windows)
            for window in dict.fromkeys(total.window for total in totals):
                rings.windows.append([level, window.buckets, rings.sums, 0, ring, added, len(columns), at])
                for total in totals:
                    if total.window == window:
                        rings.found[total] = rings.sums + columns.index(total.column)
                rings.sums += len(columns)
                at += len(columns)
            rings.columns.append(columns)
            rings.blocks.append([level, 0, ring, len(columns), first, len(rings.windows)])
        return rings, at + at % 2

    def _total(self, window: Window, what: say.What, number: str | None, mode: int = layout.TO_SUM) -> _Total:
        field = _ONE if number is None else self._vocabulary.number(number)
        column = _Column(self._vocabulary.selection(what), field, mode)
        total = _Total(window, column)
        if total not in self._totals:
            self._totals.append(total)
        return total

    def _block(self, *key: object, size: int) -> _Place:
        self._sizes.setdefault(key, size)
        return _Place(key)

    def _kept(self, op: int, size: int, what: say.What, *operands: int) -> _Place:
        key = (op, self._vocabulary.selection(what), *operands)
        if key not in self._sizes:
            self._update(op, what, _Place(key), *operands)
        return self._block(*key, size=size)

    def _time(self, op: int, what: say.What) -> _Place:
        return self._kept(op, layout.TIME_WORDS, what)

    def _gaps(self, what: say.What) -> _Place:
        return self._kept(layout.ADD_GAP, layout.GAP_WORDS, what)

    def _read(self, op: int, out: int, *operands: Operand, factor: float = 1.0) -> None:
        self._features.append((op, out, list(operands), factor))

    def _update(self, op: int, what: say.What, *operands: Operand) -> None:
        self._updates.append((op, self._vocabulary.selection(what), list(operands)))


def _padded(row: list[int]) -> list[int]:
    return row + [0] * (8 - len(row))


def _is_largest(column: _Column) -> bool:
    return column.mode == layout.TO_LARGEST
