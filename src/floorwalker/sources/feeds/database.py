"""Tables of an SQL database, read on by a column that grows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Row
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import polars as pl

from floorwalker.errors import FloorwalkerError, InputError, MissingExtraError, UsageError
from floorwalker.events.event import Event
from floorwalker.registry import nearest_name
from floorwalker.sources.feeds._base import Checkpoint, Clock, Delivery, Feed, FeedExample, Refused
from floorwalker.sources.feeds._making import EventMaker
from floorwalker.sources.mapping import Mapper, Mapping, own_mapping

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, FromClause, Select

_OVERLAP = "overlap"


@dataclass
class _Page:
    """Some rows, and where the next ones begin.

    Parameters
    ----------
    place : of the last row; None before the first.
    with_place : begin at the place instead of behind it.
    rows, refused : rows that were read, and those that could not be.
    count : all of them.
    """

    place: list[Any] | None
    with_place: bool = False
    rows: list[Row[str, Any]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    count: int = 0


class DatabaseFeed(Feed):
    """Events out of a table, a view or a query.

    Rows come in the order of a column that never falls (a number that counts up, or the time of the last change) and,
    among equal ones, of the key. The checkpoint holds the last row's; the next reading begins behind it. A transaction
    that was begun earlier and committed later would be passed over by that, so each reading begins `overlap` before
    the highest value seen: what comes twice has the same ids.

    Parameters
    ----------
    url : of SQLAlchemy (`postgresql+psycopg://…`, `sqlite:///shop.db`).
    table : a table or view, `schema.name` for one outside the default schema; or a query (`SELECT …`).
    column : the column that grows. Rows where it is NULL are never read: `warnings` says how many there are.
    clock : gives `received_at`.
    key : columns that tell rows of equal `column` apart; the primary key where None. Rows where one is NULL are never
        read: `warnings` says how many there are. With a query they must be given, unless `column` alone is unique (then
        an empty list).
    mapping : from `load_mapping`; None where columns are named like an event's fields. It may not have a group.
    overlap : how far each reading goes back, in the column's own unit (seconds for times, rounded up to whole days for
        dates and to whole numbers for integers); 0 for a table that is only appended to by one writer.
    batch : rows in a delivery.

    Errors
    ------
    `MissingExtraError` without SQLAlchemy or the database's driver; `UsageError` for what cannot be; `InputError` where
    the database does not answer.
    """

    def __init__(
        self,
        url: str,
        table: str,
        column: str,
        *,
        clock: Clock,
        key: Sequence[str] | None = None,
        mapping: Mapping | None = None,
        overlap: float = 0.0,
        batch: int = 1000,
    ) -> None:
        if batch < 1 or overlap < 0:
            raise UsageError(f"batch is {batch}, overlap is {overlap}", allowed="batch >= 1, overlap >= 0")
        if mapping is not None and mapping.group:
            raise UsageError(
                f"the mapping {mapping.name!r} joins rows by {mapping.group!r}",
                fix="leave group out; let a query join an order's rows",
            )
        self._engine = _connect(url)
        self._url = self._engine.url.render_as_string(hide_password=True)
        self._table = table
        self._batch = batch
        self._overlap = overlap
        self._clock = clock
        self._maker = EventMaker(clock)
        self.warnings: list[str] = []
        self._source, primary = self._reflect(table)
        names = list(self._source.c.keys())
        self._column = _known(column, names, "column")
        given = primary if key is None else list(key)
        if not given and key is None and not _is_query(table):
            raise UsageError(
                f"{table} has no primary key", fix="give key: columns that tell rows of equal column apart"
            )
        if key is None and _is_query(table):
            raise UsageError("a query has no primary key", fix="give key, or [] where the column alone is unique")
        self._key = [_known(name, names, "key") for name in given if name != column]
        self._names = names
        self._mapper = Mapper(mapping or own_mapping(names, self._label), names, self._label)
        self._count_missing()

    @property
    def _label(self) -> str:
        return "the query" if _is_query(self._table) else self._table

    @property
    def identity(self) -> str:
        """The database (without its password), the table and the column."""
        return f"database {self._url} {self._table} by {self._column}"

    def _reflect(self, table: str) -> tuple[FromClause, list[str]]:
        """What is read, and its primary key."""
        import sqlalchemy as sa

        try:
            with self._engine.connect() as connection:
                if _is_query(table):
                    text = table.strip().rstrip(";")
                    result = connection.execute(sa.text(f"SELECT * FROM ({text}) AS source WHERE 1 = 0"))  # noqa: S608
                    columns: list[Any] = [sa.column(name) for name in result.keys()]  # noqa: SIM118
                    return sa.text(text).columns(*columns).subquery("source"), []
                schema, _, name = table.rpartition(".")
                inspector = sa.inspect(connection)
                known = inspector.get_table_names(schema or None) + inspector.get_view_names(schema or None)
                if name not in known:
                    close = nearest_name(name, known)
                    raise UsageError(
                        f"no table or view {table!r} in {self._url}",
                        allowed=", ".join(sorted(known)[:30]),
                        fix=f"did you mean {close!r}?" if close else "",
                    )
                reflected = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection)
                return reflected, [str(one.name) for one in reflected.primary_key.columns]
        except sa.exc.SQLAlchemyError as error:
            raise _unreadable(self._url, error) from error

    def _count_missing(self) -> None:
        import sqlalchemy as sa

        try:
            with self._engine.connect() as connection:
                for name in (self._column, *self._key):
                    query = sa.select(sa.func.count()).select_from(self._source).where(self._source.c[name].is_(None))
                    if missing := int(connection.execute(query).scalar() or 0):
                        why = "" if name == self._column else ", which is part of the key"
                        self.warnings.append(f"{missing:,} rows have no {name}{why}: they are not read")
        except sa.exc.SQLAlchemyError as error:
            raise _unreadable(self._url, error) from error

    def read(self, after: Checkpoint | None = None) -> Iterator[Delivery]:
        """Deliveries of the rows beyond the checkpoint, up to the last one committed."""
        import sqlalchemy as sa

        notes = self.position(after)
        last = [_from_json(value) for value in notes["last"]] if notes else None
        page = _Page(last if last is None else self._go_back(last), with_place=bool(last and self._overlap))
        try:
            with self._engine.connect() as connection:
                while True:
                    page = self._page(connection, page.place, page.with_place)
                    if page.place is None or not page.count:
                        break
                    # While rows of the overlap come again, the checkpoint stays where it was.
                    if last is None or _is_after(page.place, last):
                        last = page.place
                    yield self._turn(page, last)
                    if page.count < self._batch:
                        break
        except sa.exc.SQLAlchemyError as error:
            raise _unreadable(self._url, error) from error

    def _go_back(self, last: list[Any]) -> list[Any]:
        """Where reading begins: `overlap` before the checkpoint, with all the rows that share that value.

        Days and whole numbers go back by whole ones, so an overlap of less than one still goes back.
        """
        if not self._overlap:
            return last
        value = last[0]
        if isinstance(value, datetime):
            return [value - timedelta(seconds=self._overlap)]
        if isinstance(value, date):
            return [value - timedelta(days=math.ceil(self._overlap / 86_400))]
        if isinstance(value, Decimal):
            return [value - Decimal(self._overlap)]
        if isinstance(value, int):
            return [value - math.ceil(self._overlap)]
        if isinstance(value, float):
            return [value - self._overlap]
        raise UsageError(
            f"overlap is {self._overlap}, but {self._column} holds {type(value).__name__}",
            allowed="numbers and times can be stepped back",
        )

    def _page(self, connection: Connection, place: list[Any] | None, with_place: bool) -> _Page:
        """The next rows; where the driver cannot read all of them, those that it can, and the others refused."""
        try:
            found = connection.execute(self._select(place, with_place)).mappings()
            rows: list[Row[str, Any]] = [dict(row) for row in found]
        except Exception as error:
            if not _is_fault_of_a_row(error):
                raise
            connection.rollback()
            return self._page_in_parts(connection, place, with_place)
        return _Page(self._place_of(rows[-1]) if rows else place, rows=rows, count=len(rows))

    def _page_in_parts(self, connection: Connection, place: list[Any] | None, with_place: bool) -> _Page:
        """Smaller and smaller runs of rows until one that cannot be read is alone; then larger ones again."""
        page = _Page(place, with_place)
        size = self._batch
        hidden: list[Refused] = []  # rows behind the place whose own place cannot be read
        while page.count < self._batch or hidden:
            query = self._select(page.place, page.with_place).offset(len(hidden))
            try:
                found = connection.execute(query.limit(min(size, max(1, self._batch - page.count)))).mappings()
                rows = [dict(row) for row in found]
            except Exception as error:
                if not _is_fault_of_a_row(error):
                    raise
                connection.rollback()
                if size > 1:
                    size = (size + 1) // 2
                    continue
                cells, bad = self._read_cells(connection, query)
                rows = [] if bad else [cells]
                if bad:
                    reason = f"the driver cannot read what stands in {', '.join(bad)}"
                    if not {self._column, *self._key}.isdisjoint(bad):
                        behind = "the first row" if page.place is None else f"behind {self._name(page.place)}"
                        hidden.append(Refused(f"{self._label}, {behind}", "record", reason, _show(cells)))
                        continue
                    page.refused.append(Refused(self._place(cells), "record", reason, _show(cells)))
                    page.count += 1
            else:
                if not rows:
                    break
                cells = rows[-1]
                size = min(2 * size, self._batch)
            page.rows += rows
            page.refused += hidden
            page.count += len(rows) + len(hidden)
            page.place, page.with_place, hidden = self._place_of(cells), False, []
        if hidden:
            text = f"{len(hidden):,} rows at the end have an unreadable place ({hidden[0].reason}): they are not read"
            if text not in self.warnings:
                self.warnings.append(text)
        return page

    def _read_cells(self, connection: Connection, query: Select[Any]) -> tuple[dict[str, Any], list[str]]:
        """The first row of a query cell by cell, and the columns that cannot be read."""
        cells: dict[str, Any] = {}
        bad = []
        for name in self._names:
            try:
                cells[name] = connection.execute(query.with_only_columns(self._source.c[name]).limit(1)).scalar()
            except Exception as error:
                if not _is_fault_of_a_row(error):
                    raise
                connection.rollback()
                bad.append(name)
        return cells, bad

    def _place_of(self, row: Row[str, Any]) -> list[Any]:
        return [row[name] for name in (self._column, *self._key)]

    def _select(self, place: list[Any] | None, with_place: bool) -> Select[Any]:
        import sqlalchemy as sa

        columns = [self._source.c[name] for name in (self._column, *self._key)]
        query = sa.select(self._source).order_by(*columns).limit(self._batch)
        # Rows without a whole place cannot be told apart, and no reading could begin behind one.
        query = query.where(*[column.is_not(None) for column in columns])
        if place is None:
            return query
        if with_place:
            return query.where(columns[0] >= place[0])
        # (a, b) > (x, y) spelt out, for not every database compares rows.
        reached = []
        for depth in range(len(place)):
            same = [column == value for column, value in zip(columns[:depth], place[:depth], strict=True)]
            reached.append(sa.and_(*same, columns[depth] > place[depth]))
        return query.where(sa.or_(*reached))

    def _turn(self, page: _Page, last: list[Any]) -> Delivery:
        events: list[Event] = []
        refused = list(page.refused)
        rows = page.rows
        frame = pl.DataFrame(
            [[_as_text(row[name]) for name in self._names] for row in rows],
            schema=dict.fromkeys(self._names, pl.String),
            orient="row",
        )
        mapped = self._mapper.map(frame, now=self._clock())
        for row, path, reason in mapped.faults:
            refused.append(Refused(self._place(rows[row]), path, reason, _show(rows[row])))
        for row, body in mapped.bodies:
            made = self._maker.make(body, self._place(rows[row]))
            if isinstance(made, Refused):
                refused.append(Refused(made.place, made.field, made.reason, _show(rows[row])))
            else:
                events.append(made)
        checkpoint = Checkpoint(self.identity, {"last": [_to_json(value) for value in last]})
        return Delivery(events, refused, checkpoint, page.count, mapped.skipped, dict(mapped.dropped))

    def _place(self, row: Row[str, Any]) -> str:
        return f"{self._label}, row {self._name(self._place_of(row))}"

    def _name(self, place: list[Any]) -> str:
        pairs = zip((self._column, *self._key), place, strict=False)
        return ", ".join(f"{name} = {value}" for name, value in pairs)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @classmethod
    def examples(cls, folder: Path) -> list[FeedExample]:
        """An SQLite table by its number, and one by a time that many rows share."""
        from floorwalker.sources.feeds._database_examples import make_examples

        return make_examples(folder)


def _connect(url: str) -> Engine:
    try:
        import sqlalchemy as sa
    except ImportError as error:
        raise MissingExtraError("sqlalchemy", "serve") from error
    try:
        return sa.create_engine(url, poolclass=sa.NullPool)
    except sa.exc.ArgumentError as error:
        raise UsageError(
            "no URL of a database", allowed="postgresql+psycopg://USER@HOST/NAME, sqlite:///FILE"
        ) from error
    except ImportError as error:
        raise MissingExtraError(error.name or "psycopg", "postgres") from error


def _unreadable(url: str, error: Exception) -> InputError:
    text = str(getattr(error, "orig", None) or error).splitlines()
    return InputError(f"{url} cannot be read: {text[0] if text else error}", fix="check the address, rights and query")


def _is_fault_of_a_row(error: Exception) -> bool:
    """Whether a value could not be read, and not the database: a lock or a lost connection is no fault of a row."""
    import sqlalchemy as sa

    if isinstance(error, sa.exc.DataError):
        return True
    if isinstance(error, sa.exc.OperationalError):
        return "Could not decode to UTF-8" in str(error.orig)
    return isinstance(error, ValueError | TypeError | ArithmeticError)


def _is_query(table: str) -> bool:
    return table.lstrip()[:7].lower() in ("select ", "select\n", "select\t") or table.lstrip()[:5].lower() == "with "


def _known(name: str, names: list[str], what: str) -> str:
    if name not in names:
        close = nearest_name(name, names)
        raise UsageError(
            f"{what} {name!r} is not there",
            allowed=", ".join(names),
            fix=f"did you mean {close!r}?" if close else "",
        )
    return name


def _is_after(place: list[Any], last: list[Any]) -> bool:
    try:
        return bool(place > last)
    except TypeError:
        return True


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
        return value.isoformat(timespec="microseconds")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return "\x1e".join(_as_text(one) or "" for one in value)
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return str(value)


def _show(row: Row[str, Any]) -> str:
    return msgspec.json.encode({name: _as_text(value) for name, value in row.items()}).decode()


_KINDS: dict[str, Any] = {
    "datetime": datetime.fromisoformat, "date": date.fromisoformat, "decimal": Decimal, "uuid": UUID,
    "bytes": bytes.fromhex,
}  # fmt: skip


def _to_json(value: Any) -> Any:
    """A value of a row as JSON that can be turned back."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, UUID):
        return {"uuid": str(value)}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if value is None or isinstance(value, int | float | str):
        return value
    raise UsageError(f"rows cannot be ordered by {type(value).__name__}", allowed="numbers, texts, times, UUIDs")


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        if kind not in _KINDS:
            raise FloorwalkerError(f"the checkpoint holds a value of unknown kind {kind!r}")
        return _KINDS[kind](text)
    return value


FEED = DatabaseFeed
