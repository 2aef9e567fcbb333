"""How far a simulated shop may lie from the real ones: measured on the real data alone, before anything is fitted.

`floorwalker evaluate realism_bounds --json` prints the bounds and says whether they are the committed ones, which stand
in `realism_bounds.json` beside this file: `python -m floorwalker.evaluation.tasks.realism_bounds DATA` writes it, and
`floorwalker evaluate realism` judges by it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from floorwalker.errors import UsageError
from floorwalker.evaluation.tasks._realism_statistics import LEAST_BOUND, STATISTICS, measure_bounds
from floorwalker.evaluation.tasks._realism_tables import Tables, read_real

BOUNDS = Path(__file__).with_name("realism_bounds.json")
"""The committed bounds, by name of the statistic."""


def run(*, data: Path | None, seeds: Sequence[int] = (0,)) -> dict[str, Any]:
    """Measure the bounds and say whether the committed ones are the same.

    Parameters
    ----------
    data : folder of the public data sets.
    seeds : not used: there is no chance in it.
    """
    if data is None:
        raise UsageError("bounds come from public data that was not named", fix="give --data or set FLOORWALKER_DATA")
    real = read_real(data)
    bounds = measure_bounds(real)
    return {
        "metrics": {**bounds, "differs_from_committed": float(bounds != read_bounds())},
        "data": describe(real),
        "split": "each real table cut in two at its median time",
        "bars": {"differs_from_committed": {"max": 0.0}},
        "notes": [
            f"a bound is max({LEAST_BOUND}, twice the distance between the halves)",
            *(f"{one.name} ({one.source}): {one.meaning}" for one in STATISTICS),
        ],
    }


def read_bounds() -> dict[str, float]:
    """The committed bounds."""
    return {str(name): float(bound) for name, bound in json.loads(BOUNDS.read_text("utf-8")).items()}


def describe(tables: Tables) -> dict[str, int]:
    """Rows of every table."""
    return {
        name: len(getattr(tables, name)) for name in ("clicks", "actions", "invoices", "lines", "visits", "requests")
    }


if __name__ == "__main__":
    BOUNDS.write_text(json.dumps(measure_bounds(read_real(Path(sys.argv[1]))), indent=2) + "\n", "utf-8")
