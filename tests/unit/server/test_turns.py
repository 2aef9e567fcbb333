"""A process that gives way has the class for idle times, and goes on where that is forbidden."""

import ctypes
import os
import platform
import struct
import subprocess
import sys
import threading

import pytest

from floorwalker.server.turns import SHORT_SECONDS, ask_for_turns, step_back

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the class is Linux's")

SAY = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_IDLE)"
FORBID = "import os\ndef forbidden(*given): raise PermissionError\nos.sched_setscheduler = forbidden\n"


@pytest.mark.parametrize(("before", "idle"), [("", "True"), (FORBID, "False")])
def test_a_process_gives_way(before: str, idle: str) -> None:
    program = f"{before}from floorwalker.server.turns import give_way\ngive_way(19)\n{SAY}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["19", idle]
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


def test_a_thread_steps_back_alone_with_what_it_starts() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    found = list[int]()

    def run() -> None:
        assert step_back(12)
        assert step_back(7)
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        started = subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True)
        found.append(int(started.stdout.split()[0]))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [max(12, before)] * 2
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def slice_of_this_thread() -> int:
    """Nanoseconds, by sched_getattr(2)."""
    room = ctypes.create_string_buffer(56)
    call = {"x86_64": 315, "aarch64": 275}[platform.machine()]
    assert ctypes.CDLL(None).syscall(ctypes.c_long(call), 0, room, 56, 0) == 0
    return struct.unpack_from("=IIQiIQ", room.raw)[5]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the numbers of its calls are not known")
def test_who_steps_back_does_not_keep_short_turns() -> None:
    found = list[int]()

    def run() -> None:
        if not ask_for_turns(SHORT_SECONDS):
            return
        found.append(slice_of_this_thread())
        step_back(10)
        found.append(slice_of_this_thread())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if not found or found[0] != SHORT_SECONDS * 1e9:
        pytest.skip("this system has turns of one length")
    assert found[1] > 2 * found[0]


def test_a_turn_is_given_away_to_whoever_may_run() -> None:
    """A thread that waits for the same core goes on although this one never sleeps."""
    core = {min(os.sched_getaffinity(0))}
    program = (
        "import os, sys\n"
        "from floorwalker.server.turns import give_turn\n"
        f"os.sched_setaffinity(0, {core})\n"
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\n"
        "if os.fork() == 0:\n"
        "    os.write(1, b'child')\n"
        "    os._exit(0)\n"
        "give_turn()\n"
        "os.write(1, b' parent')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if "PermissionError" in done.stderr:
        pytest.skip("real-time turns need the right to them")
    assert done.stdout == "child parent"
