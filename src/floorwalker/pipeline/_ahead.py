"""The next items of an iterator, made by a second thread while this one works on those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], most: int = 2) -> Iterator[Item]:
    """The items in their order; up to `most` of them are made before they are asked for.

    What making them raises is raised here, at its place.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """

    def take() -> tuple[Item, ...]:
        for item in items:
            return (item,)
        return ()

    with ThreadPoolExecutor(1, "floorwalker-ahead") as thread:
        waiting: deque[Future[tuple[Item, ...]]] = deque(thread.submit(take) for _ in range(most))
        while waiting:
            found = waiting.popleft().result()
            if not found:
                return
            waiting.append(thread.submit(take))
            yield found[0]
