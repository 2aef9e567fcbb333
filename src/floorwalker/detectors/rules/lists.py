"""Lists that people keep (allow, deny, watch), as rules ask for them with ``in_list``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.rules.text_kernel import FALSE, TRUE, UNKNOWN
from floorwalker.errors import InputError

LIST_NAMES: tuple[str, ...] = ("allow", "deny", "watch")
"""Lists that every installation has."""

NEVER = 2**63 - 1
"""The end of an entry that does not expire."""


@dataclass(frozen=True)
class ListEntry:
    """One value on one list.

    Parameters
    ----------
    name : the list.
    field : the text field or entity that the value belongs to, such as ``device`` or ``country``.
    value : as events carry it after normalisation: for personal data the token, not the address or number.
    ends_at : microseconds UTC from which it no longer counts; None where it stays.
    author : who put it there.
    reason : why.
    shop : the shop that it holds for; empty for all.
    """

    name: str
    field: str
    value: str
    ends_at: int | None = None
    author: str = ""
    reason: str = ""
    shop: str = ""


class Lists:
    """Lists as rules see them; unchangeable, so that one evaluation sees one state of them.

    Parameters
    ----------
    entries : all entries; of several for the same value the one that lasts longest counts.
    names : lists that exist beside `LIST_NAMES` even while they are empty.

    Raises `InputError` for an entry without name, field or value.

    >>> lists = Lists([ListEntry("deny", "device", "d-7", ends_at=100)])
    >>> lists.contains("deny", "device", ["d-7", "d-7", "d-8", None], [""] * 4, np.array([99, 100, 99, 99]))
    [2, 0, 0, 1]
    """

    def __init__(self, entries: Iterable[ListEntry] = (), names: Iterable[str] = LIST_NAMES) -> None:
        ends: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
        known = dict.fromkeys((*LIST_NAMES, *names))
        for entry in entries:
            if not entry.name or not entry.field or not entry.value:
                raise InputError(f"a list entry lacks its list, field or value: {entry}", allowed="all three given")
            known[entry.name] = None
            of_shop = ends.setdefault((entry.name, entry.field), {}).setdefault(entry.shop, {})
            end = NEVER if entry.ends_at is None else entry.ends_at
            of_shop[entry.value] = max(end, of_shop.get(entry.value, end))
        self.names: tuple[str, ...] = tuple(known)
        self._ends = ends

    def contains(
        self,
        name: str,
        field: str,
        values: Sequence[str | None],
        shops: Sequence[str | None],
        at: NDArray[np.int64],
    ) -> list[int]:
        """Truth values, one an event: whether its value is on the list and has not expired at the event's own time.

        Parameters
        ----------
        values : the field's value in each event; a missing one gives unknown.
        shops : the events' shops.
        at : int64 [n], microseconds UTC.
        """
        by_shop = self._ends.get((name, field))
        if by_shop is None:
            return [UNKNOWN if value is None else FALSE for value in values]
        times = at.tolist()
        everywhere = by_shop.get("", {})
        if len(by_shop) == 1 and everywhere:
            return [
                UNKNOWN if value is None else TRUE if everywhere.get(value, time) > time else FALSE
                for value, time in zip(values, times, strict=True)
            ]
        truths = []
        for value, shop, time in zip(values, shops, times, strict=True):
            if value is None:
                truths.append(UNKNOWN)
                continue
            end = max(everywhere.get(value, time), by_shop.get(shop or "", {}).get(value, time))
            truths.append(TRUE if end > time else FALSE)
        return truths
