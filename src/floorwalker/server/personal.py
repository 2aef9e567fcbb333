"""Raw personal values on their way to the vault: beside the decisions, in large transactions."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from floorwalker.errors import FloorwalkerError
from floorwalker.store.vault import PersonalValue

MOST_WAITING = 200_000
"""Values that wait for a vault that does not answer; beyond it the oldest are dropped, and said to be. Senders of many
events are slowed down long before."""
AT_ONCE = 2_000
MOST_GIVEN = 200_000
"""Values remembered as put: 14 MB at the most."""
_DAY = 86_400_000_000


@dataclass
class PersonalQueue:
    """Takes raw values from the thread that decides and puts them into the vault in a thread of its own.

    Events hold tokens and need nothing of this, so no reply waits for it: a crash loses the raw values of its last
    fraction of a second, and no event. The same value of the same person is put once a day, which is how exactly the
    vault knows when it was seen last; most values come again and again, and the keeper would do little else.

    Parameters
    ----------
    put : the vault's.
    on_fault : told of a vault that does not answer; what waits is tried again.
    clock : µs UTC.
    seconds : rest between two transactions.
    """

    put: Callable[[Iterable[PersonalValue]], int]
    on_fault: Callable[[str, str], None]
    clock: Callable[[], int] = field(default=lambda: 0)
    seconds: float = 0.2
    _waiting: deque[PersonalValue] = field(default_factory=deque, init=False, repr=False)
    _given: set[int] = field(default_factory=set, init=False, repr=False)
    _day: int = field(default=-1, init=False, repr=False)
    _must_forget: bool = field(default=False, init=False, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _thread: threading.Thread | None = field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, values: Sequence[PersonalValue]) -> None:
        """Hand over values; returns at once."""
        day = self.clock() // _DAY
        if self._must_forget or day != self._day or len(self._given) > MOST_GIVEN:
            self._must_forget, self._day = False, day
            self._given.clear()
        for value in values:
            # Under the secret of this process: nobody can choose two that are taken for one.
            mark = hash((value.shop, value.subject, value.field, value.token))
            if mark not in self._given:
                self._given.add(mark)
                self._waiting.append(value)
        dropped = 0
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            dropped += 1
        if dropped:
            self.forget_given()
            self.on_fault("vault", f"{dropped} raw values were dropped, the vault has not answered for too long")

    def forget_given(self) -> None:
        """Put every value again, as after somebody was erased or values were lost; in any thread."""
        self._must_forget = True

    def start(self) -> None:
        """Begin to put values into the vault."""
        self._thread = threading.Thread(target=self._run, name="vault")
        self._thread.start()

    def stop(self) -> None:
        """Put what waits, then end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._empty()

    def _run(self) -> None:
        while not self._ended.wait(self.seconds):
            self._empty()

    def _empty(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                self.put({(each.subject, each.field, each.token): each for each in taken}.values())
            except FloorwalkerError as error:
                self._waiting.extendleft(reversed(taken))
                self.on_fault("vault", str(error))
                return
