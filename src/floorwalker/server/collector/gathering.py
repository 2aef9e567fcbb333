"""Messages of many browsers go to the journal together: a crowd of them must not queue up one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from floorwalker.events.event import Event
from floorwalker.server.engine import IngestJob
from floorwalker.server.problems import ProblemError
from floorwalker.store.vault import PersonalValue

MOST_WAITING = 1000


@dataclass
class Gathering:
    """Takes events one by one and submits them as one job, the next while the last is being made durable.

    Parameters
    ----------
    submit : hands a job on; done once its events are durable.
    most : events that may wait; beyond it `add` raises `ProblemError` 503.
    """

    submit: Callable[[IngestJob], Awaitable[object]]
    most: int = MOST_WAITING
    _waiting: list[tuple[Event, Sequence[PersonalValue], asyncio.Future[None]]] = field(
        default_factory=list, init=False, repr=False
    )
    _task: asyncio.Task[None] | None = field(default=None, init=False, repr=False)

    async def add(self, event: Event, personal: Sequence[PersonalValue]) -> None:
        """Return once the event is durable; raises what submitting its job raised."""
        if len(self._waiting) >= self.most:
            raise ProblemError(503, "too many messages wait", headers={"Retry-After": "5"})
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, personal, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        await done

    async def _work(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            job = IngestJob([event for event, _, _ in taken], [value for _, values, _ in taken for value in values])
            failure: Exception | None = None
            try:
                await self.submit(job)
            except Exception as error:  # noqa: BLE001 - each waiting request must hear of it
                failure = error
            for _, _, done in taken:
                if done.done():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
