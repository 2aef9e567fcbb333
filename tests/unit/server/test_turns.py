"""Who gives way has the class for idle times, and goes on where that is forbidden; a thread steps back alone."""

import os
import subprocess
import sys
import threading

import pytest

from floorwalker.server.turns import step_back

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the class is Linux's")

SAY = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_IDLE)"
FORBID = "import os\ndef forbidden(*given): raise PermissionError\nos.sched_setscheduler = forbidden\n"


@pytest.mark.parametrize(("before", "idle"), [("", "True"), (FORBID, "False")])
def test_a_process_gives_way(before: str, idle: str) -> None:
    program = f"{before}from floorwalker.server.turns import give_way\ngive_way(19)\n{SAY}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["19", idle]
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


def test_a_thread_steps_back_alone() -> None:
    before, heard = os.getpriority(os.PRIO_PROCESS, 0), []

    def beside() -> None:
        step_back(17)
        heard.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    assert heard == [17]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
