"""A process that gives way has the class for idle times, and goes on where that is forbidden."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the class is Linux's")

SAY = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_IDLE)"
FORBID = "import os\ndef forbidden(*given): raise PermissionError\nos.sched_setscheduler = forbidden\n"


@pytest.mark.parametrize(("before", "idle"), [("", "True"), (FORBID, "False")])
def test_a_process_gives_way(before: str, idle: str) -> None:
    program = f"{before}from floorwalker.server.turns import give_way\ngive_way(19)\n{SAY}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["19", idle]
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19
