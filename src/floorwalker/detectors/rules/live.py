"""The rule table that decides now, and how another takes its place without anybody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from floorwalker.detectors.rules.lists import Lists
from floorwalker.detectors.rules.schema import Schema
from floorwalker.detectors.rules.table import RuleTable

REST_SECONDS = 0.0001


def rest() -> None:
    """Let the other threads of the process run."""
    time.sleep(REST_SECONDS)


class LiveRules:
    """Holds the current table.

    Readers take `current` once a batch and see one table from beginning to end. A reload builds the next table beside
    it, in the thread that asked, resting after each rule that it checks so that decisions go on, and then swaps the
    reference. A reload that fails changes nothing.

    Parameters
    ----------
    table : the first table.
    """

    def __init__(self, table: RuleTable) -> None:
        self._current = table
        self._writer = threading.Lock()

    @property
    def current(self) -> RuleTable:
        """The table that decides now."""
        return self._current

    def reload(
        self,
        source: Path | Mapping[str, str],
        *,
        schema: Schema,
        lists: Lists | None = None,
        between: Callable[[], None] = rest,
    ) -> RuleTable:
        """Load rules and put them in place; unchanged files are not checked again.

        Raises what `RuleTable.load` raises, with the old rules still in place.
        """
        with self._writer:
            table = RuleTable.load(
                source, schema=schema, lists=lists or self._current.lists, previous=self._current, between=between
            )
            self._current = table
            return table

    def adopt(self, table: RuleTable) -> RuleTable:
        """Put a table in place that was loaded elsewhere, with the lists as they are now.

        Whoever has to do it at one place of a journal loads with `RuleTable.load` and calls this there: it takes
        microseconds.
        """
        with self._writer:
            self._current = table.with_lists(self._current.lists)
            return self._current

    def replace_lists(self, lists: Lists) -> RuleTable:
        """Put other lists in place; rules stay."""
        with self._writer:
            self._current = self._current.with_lists(lists)
            return self._current
