"""One validated settings object, read from TOML or given as keyword arguments.

>>> ScanSettings(false_alarm_budget=0.002).false_alarm_budget
0.002
>>> load_settings({"false_alarm_budget": 2.0, "min_visit": 3})
Traceback (most recent call last):
    ...
floorwalker.errors.UsageError: 2 faults in the settings: unknown setting 'min_visit' (did you mean 'min_visits'?); \
false_alarm_budget is 2.0, allowed: 0 < false_alarm_budget <= 0.2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from floorwalker.errors import UsageError
from floorwalker.registry import nearest_name


@dataclass(frozen=True)
class ScanSettings:
    """How a scan judges visitors.

    Parameters
    ----------
    false_alarm_budget : share of honest visitor-days that the anomaly cut-off may flag by chance.
    min_visits : page requests below which a visitor-day is too sparse to be judged alone; sparse ones are judged as
        cohorts.
    trim : share of the most unusual training rows left out when the detector is fitted again.
    trim_rounds : how often that is repeated.
    train_days : days before the judged day that the detector learns from.
    detector : id of the outlier detector; several, joined by commas, are asked together.
    feature_groups : groups of features that the detector sees.
    min_swarm : clients that a cohort of sparse visitors must have to be reported.
    map_sample : visitors on the t-SNE map; 0 leaves the map out.
    seed : for hash tables, forests and samples.
    """

    false_alarm_budget: float = 0.001
    min_visits: int = 4
    trim: float = 0.02
    trim_rounds: int = 2
    train_days: int = 7
    detector: str = "isolation_forest"
    feature_groups: tuple[str, ...] = (
        "visits", "time", "pages", "cadence", "beacon_cadence", "navigation", "browser", "purpose",
    )  # fmt: skip
    min_swarm: int = 12
    map_sample: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        faults = _check(self)
        if faults:
            raise UsageError("; ".join(faults))


@dataclass(frozen=True)
class _Bound:
    text: str
    holds: Callable[[float], bool]


_BOUNDS: dict[str, _Bound] = {
    "false_alarm_budget": _Bound("0 < false_alarm_budget <= 0.2", lambda value: 0 < value <= 0.2),
    "min_visits": _Bound("1 <= min_visits <= 1000", lambda value: 1 <= value <= 1000),
    "trim": _Bound("0 <= trim < 0.5", lambda value: 0 <= value < 0.5),
    "trim_rounds": _Bound("0 <= trim_rounds <= 10", lambda value: 0 <= value <= 10),
    "train_days": _Bound("1 <= train_days <= 366", lambda value: 1 <= value <= 366),
    "min_swarm": _Bound("2 <= min_swarm", lambda value: value >= 2),
    "map_sample": _Bound("0 <= map_sample <= 20000", lambda value: 0 <= value <= 20000),
    "seed": _Bound("0 <= seed < 2^32", lambda value: 0 <= value < 2**32),
}
_SHARES = ("false_alarm_budget", "trim")
"""Settings that need not be whole numbers."""


def _check(settings: ScanSettings) -> list[str]:
    faults = []
    for name, bound in _BOUNDS.items():
        value = getattr(settings, name)
        kinds = int | float if name in _SHARES else int
        if isinstance(value, bool) or not isinstance(value, kinds) or not bound.holds(value):
            whole = "" if name in _SHARES else ", a whole number"
            faults.append(f"{name} is {value!r}, allowed: {bound.text}{whole}")
    if not isinstance(settings.detector, str) or not settings.detector.strip(", "):
        faults.append(f"detector is {settings.detector!r}, allowed: names of detectors, joined by commas")
    groups: object = settings.feature_groups
    if not isinstance(groups, tuple) or not all(isinstance(group, str) for group in groups):
        faults.append(f"feature_groups is {groups!r}, allowed: a list of names of groups")
    elif not groups:
        faults.append("feature_groups is empty, allowed: at least one group")
    return faults


def load_settings(values: Mapping[str, object], *, source: str = "the settings") -> ScanSettings:
    """Settings from a mapping; every fault is reported at once in a `UsageError`, which names their source."""
    known = [field.name for field in fields(ScanSettings)]
    faults = []
    usable: dict[str, object] = {}
    for name, value in values.items():
        if name in known:
            usable[name] = tuple(value) if isinstance(value, list) else value
        else:
            close = nearest_name(name, known)
            faults.append(f"unknown setting {name!r}" + (f" (did you mean {close!r}?)" if close else ""))
    settings = object.__new__(ScanSettings)
    for field in fields(ScanSettings):
        object.__setattr__(settings, field.name, usable.get(field.name, field.default))
    faults += _check(settings)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise UsageError(f"{count} in {source}: " + "; ".join(faults))
    return settings


def read_settings(path: Path) -> ScanSettings:
    """Settings from the ``[scan]`` table of a TOML file; an unreadable file raises `UsageError`."""
    import tomllib

    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"settings file {path}: {error}", fix="give a TOML file with a [scan] table") from error
    stray = [name for name, value in tables.items() if not isinstance(value, dict) and name != "scan"]
    if stray:
        raise UsageError(
            f"settings file {path}: {', '.join(map(repr, stray))} outside of any table",
            allowed="[scan] followed by name = value",
        )
    table = tables.get("scan", {})
    if not isinstance(table, dict):
        raise UsageError(f"settings file {path}: 'scan' is not a table", allowed="[scan] followed by name = value")
    return load_settings(table, source=f"settings file {path}")
