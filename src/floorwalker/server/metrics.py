"""Figures for Prometheus; labels come from closed sets only, so that no sender can make series."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class _Times(Collector):
    """A histogram of `_SECONDS` for one thread: the library's own locks twice and looks through all buckets."""

    def __init__(self, name: str, meaning: str) -> None:
        self._name, self._meaning = name, meaning
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0
        self._created = time.time_ns() / 1e9

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterable[HistogramMetricFamily]:
        bounds = [*map(floatToGoString, _SECONDS), "+Inf"]
        family = HistogramMetricFamily(self._name, self._meaning)
        family.add_metric([], list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)
        family.add_sample(f"{self._name}_created", {}, self._created)
        yield family


class Metrics:
    """The server's own figures, in a registry of its own.

    >>> metrics = Metrics()
    >>> metrics.count_decision("allow", "low")
    >>> b'floorwalker_decisions_total{action="allow",level="low"} 1.0' in metrics.render()
    True
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self._decisions = Counter(
            "floorwalker_decisions", "Decisions by intended action and level.", ["action", "level"], registry=registry
        )
        self._refusals = Counter(
            "floorwalker_refusals", "Requests refused, by route and status.", ["route", "status"], registry=registry
        )
        self._seconds = _Times("floorwalker_decision_seconds", "Time from request to reply.")
        registry.register(self._seconds)
        self._failures = Counter(
            "floorwalker_detector_failures", "Calls that a detector failed.", ["detector"], registry=registry
        )
        self._faults = Counter(
            "floorwalker_faults", "Things that went wrong beside the decisions.", ["place"], registry=registry
        )
        self._children: dict[tuple[str, str], Counter] = {}
        self._routes: dict[tuple[str, int], Counter] = {}

    def count_decision(self, action: str, level: str) -> None:
        """One more decision; `action` is the intended one."""
        child = self._children.get((action, level))
        if child is None:
            child = self._children[action, level] = self._decisions.labels(action, level)
        child.inc()

    def count_refusal(self, route: str, status: int) -> None:
        """One more request that was refused; `route` is the route's own name, never the path as it was sent."""
        child = self._routes.get((route, status))
        if child is None:
            child = self._routes[route, status] = self._refusals.labels(route, str(status))
        child.inc()

    def count_failure(self, detector: str) -> None:
        """A detector raised."""
        self._failures.labels(detector).inc()

    def count_fault(self, place: str) -> None:
        """Something went wrong beside the decisions."""
        self._faults.labels(place).inc()

    def observe_seconds(self, seconds: float) -> None:
        """How long a decision took."""
        self._seconds.observe(seconds)

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A figure that is read when somebody asks."""
        Gauge(f"floorwalker_{name}", meaning, registry=self._registry).set_function(read)

    def watch_each(
        self, name: str, meaning: str, label: str, values: Sequence[str], read: Callable[[str], float]
    ) -> None:
        """As `watch`, one figure for each of these values of a label."""
        gauge = Gauge(f"floorwalker_{name}", meaning, [label], registry=self._registry)
        for value in values:
            gauge.labels(value).set_function(partial(read, value))

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)
