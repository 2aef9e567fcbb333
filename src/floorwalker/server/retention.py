"""How long raw values and the ledger's rows are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from floorwalker.errors import UsageError
from floorwalker.server.installation import Installation
from floorwalker.server.vaults import open_vault
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.retention import AGE_COLUMNS, sweep_ledger

DAY = 86_400_000_000
VALUES = "values"
"""Stands for every field of raw values that is not named itself."""
FIELDS = (
    "email", "phone", "ip", "shipping_address", "billing_address", "account", "inviter", "recipient", "seller",
    "session", "device", "url", "referrer", "reason", "text", "attributes",
)  # fmt: skip
"""Fields of events out of which raw personal values are taken."""
_MOST_DAYS = 36_500


def read_periods(texts: list[str]) -> dict[str, int]:
    """Days by name, out of texts as ``email=365``.

    Raises `UsageError` for a name that is neither a field, nor a table of the ledger, nor `values`, and for days that
    are no whole number from 1 on.

    >>> read_periods(["email=365", "decisions=730"])
    {'email': 365, 'decisions': 730}
    """
    periods: dict[str, int] = {}
    for text in texts:
        name, _, days = text.partition("=")
        if name not in (VALUES, *FIELDS, *AGE_COLUMNS):
            raise UsageError(
                f"nothing of the name {name!r} is kept by age", allowed=", ".join((VALUES, *FIELDS, *AGE_COLUMNS))
            )
        if not (days.isascii() and days.isdigit()) or not 1 <= int(days[:9]) <= _MOST_DAYS:
            raise UsageError(f"{text!r}", allowed=f"{name}=DAYS, 1 to {_MOST_DAYS}")
        periods[name] = int(days)
    if not periods:
        raise UsageError("nothing is named that shall go by age", fix="add --keep email=365, for example")
    return periods


def sweep_installation(
    installation: Installation, periods: Mapping[str, int], *, ledger: Ledger, clock: Callable[[], int]
) -> dict[str, int]:
    """Delete what is older than its period; returns how many values (`values`) and rows of each named table went.

    Works beside a running server, which hears of it within a second. What is not named is kept.

    Parameters
    ----------
    installation, ledger : whose.
    periods : days by name, see `read_periods`. Values count from the day on which they were last seen.
    clock : µs UTC.
    """
    fields = dict.fromkeys(FIELDS, periods[VALUES] * DAY) if VALUES in periods else {}
    fields |= {name: days * DAY for name, days in periods.items() if name in FIELDS}
    removed = {}
    if fields:
        with open_vault(installation, clock=clock) as vault:
            removed[VALUES] = vault.sweep(fields)
    tables = {name: days * DAY for name, days in periods.items() if name in AGE_COLUMNS}
    return {**removed, **sweep_ledger(ledger, tables, now=clock())}
