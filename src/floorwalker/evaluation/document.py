"""The one shape in which every evaluation and benchmark reports."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Mapping
from typing import Any

MEGABYTE = 1 << 20


def make_document(task: str, outcome: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
    """The document that ``evaluate TASK --json`` and ``bench NAME --json`` print.

    Parameters
    ----------
    task : name of the task or benchmark.
    outcome : what the task's `run` gave: `metrics`, and where it has them `baselines`, `split`, `seeds`, `data`,
        `bars`, `notes`.
    seconds : how long it took.

    Returns
    -------
    Keys `task`, `data`, `split`, `seeds`, `machine`, `metrics`, `baselines`, `bars`, `notes`, `seconds`,
    `peak_memory_mb`.
    """
    return {
        "task": task,
        "data": outcome.get("data"),
        "split": outcome.get("split"),
        "seeds": outcome.get("seeds"),
        "machine": describe_machine(),
        "metrics": outcome["metrics"],
        "baselines": outcome.get("baselines", {}),
        "bars": outcome.get("bars", {}),
        "notes": outcome.get("notes", []),
        "seconds": round(seconds, 2),
        "peak_memory_mb": round(peak_memory_mb(), 1),
    }


def describe_machine() -> dict[str, Any]:
    """Processor, cores and Python of this machine."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
    }


def peak_memory_mb() -> float:
    """Largest resident size of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MEGABYTE if sys.platform == "darwin" else peak / 1024


def figure(metrics: Mapping[str, Any], key: str) -> float | None:
    """A figure by its dotted key; of a figure with spread, the mean. None where there is none.

    >>> figure({"random": {"roc_auc": {"mean": 0.9, "sd": 0.1}}}, "random.roc_auc")
    0.9
    """
    value: Any = metrics
    for level in key.split("."):
        if not isinstance(value, Mapping) or level not in value:
            return None
        value = value[level]
    if isinstance(value, Mapping):
        value = value.get("mean")
    return float(value) if isinstance(value, int | float) else None


def missed_bars(document: Mapping[str, Any]) -> list[str]:
    """A sentence for each bar that the document's figures do not reach.

    `bars` maps a dotted key to `{"min": x}`, `{"max": x}` or both; a figure that is missing misses its bar.

    >>> missed_bars({"metrics": {"auc": 0.8, "rate": 0.1}, "bars": {"auc": {"min": 0.9}, "rate": {"max": 0.2}}})
    ['auc is 0.8, the bar is at least 0.9']
    """
    missed = []
    for key, bar in document.get("bars", {}).items():
        value = figure(document["metrics"], key)
        if value is None:
            missed.append(f"{key} was not measured")
            continue
        if "min" in bar and not value >= bar["min"]:
            missed.append(f"{key} is {value:.4g}, the bar is at least {bar['min']}")
        if "max" in bar and not value <= bar["max"]:
            missed.append(f"{key} is {value:.4g}, the bar is at most {bar['max']}")
    return missed
