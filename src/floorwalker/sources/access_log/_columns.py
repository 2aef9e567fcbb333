"""From parsed blocks to batches: interning the texts, and deciding who the client is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.requests import MISSING, RequestBatch
from floorwalker.sources.access_log._addresses import TrustedProxies, client_text
from floorwalker.sources.access_log._parsing import Parsed
from floorwalker.sources.access_log._scanning import are_plain_ipv4, query_starts
from floorwalker.sources.access_log._slots import (
    TEXT_CLIENT,
    TEXT_FORWARDED,
    TEXT_HOST,
    TEXT_REFERRER,
    TEXT_SESSION,
    TEXT_TARGET,
    TEXT_USER_AGENT,
)
from floorwalker.store._hashing import hash_spans
from floorwalker.store.strings import StringTable


@dataclass(frozen=True)
class RequestTables:
    """The texts behind the codes of a `RequestBatch`."""

    host: StringTable
    client: StringTable
    session: StringTable
    user_agent: StringTable
    target: StringTable
    referrer_host: StringTable

    @classmethod
    def empty(cls, seed: int, target_capacity: int) -> RequestTables:
        """New tables; all share one seed, so that a hash is computed once whichever table it goes to."""
        return cls(
            host=StringTable(seed=seed),
            client=StringTable(seed=seed),
            session=StringTable(seed=seed),
            user_agent=StringTable(seed=seed),
            target=StringTable(seed=seed, capacity=target_capacity),
            referrer_host=StringTable(seed=seed),
        )

    def all(self) -> tuple[StringTable, ...]:
        """The tables in the order of their columns."""
        return self.host, self.client, self.session, self.user_agent, self.target, self.referrer_host

    def held(self) -> tuple[int, ...]:
        """How many texts each table holds."""
        return tuple(table.held for table in self.all())


class _Mapped:
    """A growing array by code; position -1 (missing) always answers `default`."""

    def __init__(self, dtype: type[np.generic], default: int) -> None:
        self._default = default
        self._values = np.full(1 << 10, default, dtype)
        self.size = 0

    def extend(self, values: NDArray[Any]) -> None:
        needed = self.size + len(values) + 1
        if needed > len(self._values):
            longer = np.full(2 * needed, self._default, self._values.dtype)
            longer[: self.size] = self._values[: self.size]
            self._values = longer
        self._values[self.size : self.size + len(values)] = values
        self.size += len(values)

    def __getitem__(self, codes: NDArray[np.int32]) -> NDArray[np.generic]:
        return self._values[codes]


class Interner:
    """Turns parsed blocks into batches, in the order of their lines.

    Addresses are made canonical, and forwarding headers read, once per distinct text instead of once per line.

    Parameters
    ----------
    tables : where the texts go.
    proxies : whose forwarding headers are believed.
    """

    def __init__(self, tables: RequestTables, proxies: TrustedProxies) -> None:
        self.tables = tables
        self.shortened = 0
        self._proxies = proxies
        seed = tables.client.seed
        self._raw = StringTable(seed=seed)
        self._clients = _Mapped(np.int32, MISSING)
        self._trusted = _Mapped(np.bool_, False)
        self._headers = StringTable(seed=seed)
        self._forwarded = _Mapped(np.int32, MISSING)

    def intern(self, parsed: Parsed) -> RequestBatch:
        """The batch of one parsed block; its buffer may be used again afterwards."""
        tables = self.tables
        return RequestBatch(
            at=parsed.at,
            utc_offset=parsed.offset,
            host=self._codes(parsed, TEXT_HOST, tables.host),
            client=self._client_codes(parsed),
            session=self._codes(parsed, TEXT_SESSION, tables.session),
            user_agent=self._codes(parsed, TEXT_USER_AGENT, tables.user_agent),
            target=self._target_codes(parsed),
            referrer_host=self._codes(parsed, TEXT_REFERRER, tables.referrer_host),
            method=parsed.method,
            status=parsed.status,
            size=parsed.size,
        )

    def _codes(self, parsed: Parsed, text: int, table: StringTable) -> NDArray[np.int32]:
        return table.intern_hashed(parsed.block.buffer, parsed.starts[text], parsed.ends[text], parsed.hashes[text])

    def _target_codes(self, parsed: Parsed) -> NDArray[np.int32]:
        """Targets may be made up without end: past three quarters of the room only their paths are kept."""
        table = self.tables.target
        buffer = parsed.block.buffer
        starts, ends, hashes = (part[TEXT_TARGET] for part in (parsed.starts, parsed.ends, parsed.hashes))
        soft = table.capacity * 3 // 4
        if table.held + len(starts) <= soft:
            return table.intern_hashed(buffer, starts, ends, hashes)
        codes = table.intern_hashed(buffer, starts, ends, hashes, soft_capacity=soft)
        late = np.flatnonzero(codes < MISSING)
        if len(late):
            starts = starts[late]
            ends, whole = np.empty(len(late), np.int64), ends[late]
            hashes = np.empty(len(late), np.uint64)
            with np.errstate(over="ignore"):
                query_starts(buffer, starts, whole, ends)
                hash_spans(buffer, starts, ends, table.keys, hashes)
            codes[late] = table.intern_hashed(buffer, starts, ends, hashes)
            self.shortened += int(np.count_nonzero((ends < whole) & (codes[late] != table.overflow)))
        return codes

    def _client_codes(self, parsed: Parsed) -> NDArray[np.int32]:
        raw = self._codes(parsed, TEXT_CLIENT, self._raw)
        if len(self._raw) > self._clients.size:
            self._learn_clients()
        clients: NDArray[np.int32] = self._clients[raw]  # type: ignore[assignment]
        if not self._proxies:
            return clients
        rows = np.flatnonzero(self._trusted[raw])
        if len(rows):
            spans = (part[TEXT_FORWARDED][rows] for part in (parsed.starts, parsed.ends, parsed.hashes))
            headers = self._headers.intern_hashed(parsed.block.buffer, *spans)
            if len(self._headers) > self._forwarded.size:
                named = [self._proxies.walk(text) or "" for text in self._headers.since(self._forwarded.size).to_list()]
                self._forwarded.extend(self.tables.client.intern_texts(named))
            found = self._forwarded[headers]
            clients[rows] = np.where(found >= 0, found, clients[rows])  # type: ignore[operator]
        return clients

    def _learn_clients(self) -> None:
        """Canonical forms of the client texts that are new; most are plain IPv4 and stay as they are."""
        raw, table, first = self._raw, self.tables.client, self._clients.size
        starts, ends = raw.offsets[first:-1], raw.offsets[first + 1 :]
        plain = np.empty(len(starts), np.bool_)
        are_plain_ipv4(raw.arena, starts, ends, plain)
        codes = np.empty(len(plain), np.int32)
        # The raw table's arena and hashes are used as they are: both tables have the same keys.
        codes[plain] = table.intern_hashed(
            raw.arena_with_padding, starts[plain], ends[plain], raw.hashes[first:][plain]
        )
        others = np.flatnonzero(~plain)
        codes[others] = table.intern_texts([client_text(raw.text(first + int(code))) for code in others])
        self._clients.extend(codes)
        if self._proxies:
            self._trusted.extend(np.array([table.text(int(code)) in self._proxies for code in codes], np.bool_))
