"""After the rehearsal nothing is compiled or loaded any more while somebody waits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CHECK = """
import json, sys
from pathlib import Path
from numba.core.dispatcher import Dispatcher
from floorwalker.server.filling import Clock, Filler, Plan
from floorwalker.server.installation import Installation
from floorwalker.server.rehearsal import rehearse
from floorwalker.server.startup import Runtime
from floorwalker.features.live import Limits

def ready():
    return {
        f"{name}.{kernel.__name__}": len(kernel.signatures)
        for name, module in sorted(sys.modules.items()) if name.startswith("floorwalker.")
        for kernel in vars(module).values() if isinstance(kernel, Dispatcher) and kernel.__module__ == name
    }

limits = Limits(rows=dict.fromkeys(Limits().rows, 1000), other_rows=1000, sketches=1000)
clock = Clock(1_800_000_000_000_000)
runtime = Runtime(Installation(Path(sys.argv[1])), clock, durability="process", limits=limits)
runtime.prepare()
runtime.recover()
cold = ready()
if sys.argv[2] == "rehearsed":
    rehearse(clock)
before = ready()
filler = Filler(runtime, clock, Plan(accounts=500, events=600, behind=0, tails=200))
filler.work(600, 1000)
runtime.snapshot()
filler.maintain()
after = ready()
runtime.close()
print(json.dumps(sorted(name for name, count in after.items() if count > before.get(name, 0))))
"""


def late_kernels(folder: Path, how: str) -> list[str]:
    command = [sys.executable, "-c", CHECK, str(folder), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    # The rules of the installation itself are rehearsed on its own pipeline, see `Server._warm_up`.
    return [name for name in found if not name.startswith("floorwalker.detectors.rules.")]


def test_no_kernel_is_met_for_the_first_time_after_the_rehearsal(tmp_path: Path) -> None:
    assert late_kernels(tmp_path / "one", "rehearsed") == []
    assert len(late_kernels(tmp_path / "two", "not rehearsed")) > 3
