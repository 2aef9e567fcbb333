"""What a shop wants left out: its own machines, partners and paths, each with a reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.features.network import Addresses, RangeTable
from floorwalker.features.network.ranges import read_prefixes

_KEYS = ("addresses", "user_agents", "paths", "reason")


@dataclass(frozen=True)
class IgnoreRule:
    """One entry of an ignore file.

    Parameters
    ----------
    reason : why; shown in the report.
    addresses : addresses and prefixes; empty for any.
    user_agents : globs (`*`, `?`), compared without regard to case; empty for any.
    paths : globs of request targets.
    """

    reason: str
    addresses: tuple[str, ...] = ()
    user_agents: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ignore:
    """Visitors and paths that a shop knows and wants left out.

    Parameters
    ----------
    rules : a visitor is left out when it matches all that one rule names.
    """

    rules: tuple[IgnoreRule, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Ignore:
        """Read a TOML file of ``[[ignore]]`` tables; every fault is reported at once in a `UsageError`."""
        try:
            document = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(
                f"ignore file {str(path)!r} cannot be read: {error}", fix="give a TOML file of [[ignore]] tables"
            ) from error
        return cls.from_document(document, source=str(path))

    @classmethod
    def from_document(cls, document: Mapping[str, object], *, source: str = "ignore file") -> Ignore:
        """Build from what a TOML file holds.

        >>> Ignore.from_document({"ignore": [{"user_agents": ["OurApp/*"], "reason": "our app"}]}).rules[0].reason
        'our app'
        """
        entries = document.get("ignore")
        faults = [f"unknown table {name!r}" for name in document if name != "ignore"]
        if not isinstance(entries, list):
            entries = []
            faults.append("it has no [[ignore]] table")
        rules = [_read_rule(position, entry, faults) for position, entry in enumerate(entries, start=1)]
        if faults:
            raise UsageError(
                f"{source}: {'; '.join(faults)}",
                allowed="[[ignore]] tables with a reason and addresses, user_agents (globs) or paths (globs)",
            )
        return cls(tuple(rules))

    def match_visitors(self, addresses: Addresses, agents: pl.Series) -> NDArray[np.int32]:
        """For each visitor the first rule that it matches, or -1.

        Parameters
        ----------
        addresses : of the visitors.
        agents : their user agents, null where unknown.
        """
        found = np.full(len(agents), -1, np.int32)
        for position, rule in enumerate(self.rules):
            if not rule.addresses and not rule.user_agents:
                continue
            matches = np.ones(len(agents), np.bool_)
            if rule.addresses:
                matches &= RangeTable.build(rule.addresses).holds(addresses)
            if rule.user_agents:
                matches &= _match(agents, rule.user_agents, fold_case=True)
            found[(found < 0) & matches] = position
        return found

    def match_targets(self, targets: pl.Series) -> NDArray[np.bool_]:
        """Which request targets are to be left out."""
        globs = tuple(glob for rule in self.rules for glob in rule.paths)
        return _match(targets, globs, fold_case=False) if globs else np.zeros(len(targets), np.bool_)


def _match(texts: pl.Series, globs: tuple[str, ...], *, fold_case: bool) -> NDArray[np.bool_]:
    parts = (re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".") for glob in globs)
    pattern = f"(?s{'i' if fold_case else ''})^(?:{'|'.join(parts)})$"
    matched: NDArray[np.bool_] = texts.fill_null("").str.contains(pattern).to_numpy()
    return matched


def _read_rule(position: int, entry: object, faults: list[str]) -> IgnoreRule:
    place = f"entry {position}"
    if not isinstance(entry, dict):
        faults.append(f"{place} is no table")
        return IgnoreRule("")
    faults += [f"{place} has an unknown key {key!r}" for key in entry if key not in _KEYS]
    reason = entry.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        faults.append(f"{place} has no reason")
    lists = {key: _read_list(place, key, entry.get(key, []), faults) for key in _KEYS[:-1]}
    if not any(lists.values()):
        faults.append(f"{place} names no addresses, user_agents or paths")
    if lists["paths"] and (lists["addresses"] or lists["user_agents"]):
        faults.append(f"{place} mixes paths with addresses or user_agents; make two entries of it")
    wrong = read_prefixes(lists["addresses"])[2]
    faults += [f"{place}: {lists['addresses'][row]!r} is no address or prefix" for row in wrong]
    return IgnoreRule(str(reason), lists["addresses"], lists["user_agents"], lists["paths"])


def _read_list(place: str, key: str, value: object, faults: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        faults.append(f"{place}: {key} is {value!r}, not a list of texts")
        return ()
    return tuple(value)
