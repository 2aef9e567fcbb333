"""Turns on a core: who asks for short ones waits less for the next, and who can wait gives way."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

give_turn: Callable[[], object] = getattr(os, "sched_yield", lambda: None)
"""Let another thread that may run on this core do so now.

Whoever wakes up while it is ahead of its share, if only by a hair, waits for the end of the turn of whoever has the
core, which is noticed at a tick of the clock: four milliseconds at most on many systems. Of a thread that gives its
turn away every tenth of a millisecond it gets the core back within that time, however nice the thread is.
"""
SHORT_SECONDS = 0.0001
"""The shortest turn that Linux gives."""
_CALLS = {"x86_64": 314, "aarch64": 274}
"""Numbers of sched_setattr, which the standard library lacks."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""size, policy, flags, nice, priority, runtime, deadline, period; see sched_setattr(2)."""
_NANOSECONDS = 1_000_000_000


def ask_for_turns(seconds: float) -> bool:
    """Ask for turns of this length for the calling thread, and those that it starts; whether the system took note.

    Linux 6.12 and later lets a thread that wakes go before one whose turn is longer, if it had its share: without it
    the event loop waited up to three milliseconds, at each request and each sync, for the keeper of the ledger to end
    its turn on the same core. Shares do not change, so nobody starves by it. Older systems and other ones go on as
    before.

    Parameters
    ----------
    seconds : 0.0001 to 0.1; 0 for the system's own length.

    >>> ask_for_turns(0) in (True, False)
    True
    """
    number = _CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None:
        return False
    try:
        if os.sched_getscheduler(0) != os.SCHED_OTHER:
            return False
    except OSError:
        # A sandbox may forbid to ask.
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    given = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, int(seconds * _NANOSECONDS), 0, 0)
    try:
        call = ctypes.CDLL(None).syscall
    except (OSError, AttributeError):
        return False
    return bool(call(ctypes.c_long(number), 0, ctypes.c_char_p(given), 0) == 0)


def step_back(niceness: int) -> bool:
    """Let the calling thread have what the others of its process leave, and processes that it starts from then on;
    whether the system took note. Its turns are as long as the system's again, so that those of the event loop are the
    shorter ones.

    Whoever wakes up goes before it at once only if it has had no more than its share, of which all that may run count:
    the nicer they are, the sooner. Beside a thread of niceness 10 the event loop waited for the clock's next tick, up
    to four milliseconds, after one sync in thirty; beside one of 19 hardly ever.

    Linux alone counts niceness by thread; elsewhere nothing changes, for it would be the whole process's. Without it a
    detector that learns in a thread of its own shares a core evenly with the event loop: for the second that it takes,
    whoever asked waited for seventy milliseconds at the 99th percentile.

    Parameters
    ----------
    niceness : 0 to 19; it is never taken back.

    >>> step_back(0) in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, max(niceness, os.getpriority(os.PRIO_PROCESS, thread)))
    except OSError:
        return False
    ask_for_turns(0)
    return True


def give_way(niceness: int) -> None:
    """Let the calling process have what nobody else wants: niced, and on Linux of the class for idle times.

    Whoever wakes goes before a process of that class at once, without waiting for the end of its turn. Where a
    container forbids the class, niceness alone remains.

    Parameters
    ----------
    niceness : 0 to 19.
    """
    os.nice(niceness)
    if sys.platform.startswith("linux"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
