"""How fast rules are: 100 rules of three terms on one event and on batches, and the reload of 1,000."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from floorwalker.detectors.rules import ListEntry, Lists, LiveRules, RuleTable, Schema, default_schema, signals
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import NUMBER_FIELDS, TEXT_FIELDS, EventBatch
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live.batch import FeatureBatch

RULES = 100
RELOADED = 1_000
BATCH = 1_000
FEATURES = 120
ROUNDS = 5
SINGLES = 2_000
BATCHES = 20
BARS = {
    "single_event_us": {"max": 200.0},
    "batch_us_per_event": {"max": 5.0},
    "reload_seconds": {"max": 1.0},
}
_TEXTS = (
    "country IN ('DE', 'AT', 'C{n}')", "url LIKE '/shop/{n}/%'", "lower(user_agent) LIKE '%agent-{n}%'",
    "currency = 'Y{n}'", "email_domain LIKE '%.test{n}'", "in_list('watch', device)", "referrer IS NULL",
    "starts_with(payment, 'pay_{n}_')",
)  # fmt: skip


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = ROUNDS,
    rules: int = RULES,
    reloaded: int = RELOADED,
    singles: int = SINGLES,
    batches: int = BATCHES,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure; medians over the rounds.

    Parameters
    ----------
    folder : where the rules that are reloaded are written.
    clock : monotonic seconds.
    rounds : how often each figure is measured.
    rules : rules in the table that is evaluated: two numeric terms and a text term each.
    reloaded : rule files of the reload.
    singles : events that are evaluated one by one in a round.
    batches : batches of 1,000 events that are evaluated in a round.
    """
    say = progress or (lambda text: None)
    names = tuple(f"feature_{number}" for number in range(FEATURES))
    schema = default_schema(names)
    lists = Lists([ListEntry("watch", "device", f"d-{number}") for number in range(0, 10_000, 97)])
    texts = {f"scraping/rule_{number}.yaml": _rule(number) for number in range(reloaded)}
    table = RuleTable.load(dict(list(texts.items())[:rules]), schema=schema, lists=lists)
    generator = np.random.default_rng(seed)
    several = [_columns(names, BATCH, generator) for _ in range(batches)]
    ones = [_columns(names, 1, generator) for _ in range(singles)]
    table.evaluate(*ones[0])
    for file, text in texts.items():
        path = folder / "rules" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    share_fired = 0.0
    figures: dict[str, list[float]] = {
        name: [] for name in (*BARS, "single_event_p99_us", "reload_decision_p99_us", "signals_us")
    }
    for number in range(rounds):
        # Fresh text caches each time: every user agent and URL is new to the table.
        table = RuleTable.load(dict(list(texts.items())[:rules]), schema=schema, lists=lists)
        gc.collect()
        times = []
        for batch, features in ones:
            start = clock()
            table.evaluate(batch, features)
            times.append(clock() - start)
        figures["single_event_us"].append(statistics.median(times) * 1e6)
        figures["single_event_p99_us"].append(float(np.quantile(times, 0.99)) * 1e6)
        times, hits = [], []
        for batch, features in several:
            start = clock()
            hits.append(table.evaluate(batch, features))
            times.append(clock() - start)
        figures["batch_us_per_event"].append(statistics.median(times) / BATCH * 1e6)
        share_fired = float(np.mean([one.fired.mean() for one in hits]))
        start = clock()
        for one in hits:
            signals(one)
        figures["signals_us"].append((clock() - start) / (batches * BATCH) * 1e6)
        seconds, delays = _reload(LiveRules(table), folder / "rules", schema, ones, clock)
        figures["reload_seconds"].append(seconds)
        figures["reload_decision_p99_us"].append(float(np.quantile(delays, 0.99)) * 1e6)
        say(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:.3g}" for name, values in figures.items()))
    return {
        "data": {
            "rules": rules, "terms": 3 * rules, "comparisons": table.comparisons, "features": FEATURES,
            "batch": BATCH, "reloaded": reloaded, "share_fired": share_fired, "source": f"generated, seed {seed}",
        },
        "split": "none: speed only",
        "seeds": [seed],
        "metrics": {name: statistics.median(values) for name, values in figures.items()},
        "baselines": {},
        "bars": BARS,
        "notes": [
            "every third term is a text term; every user agent and URL is new to the table",
            "reload: every file read and checked anew, beside a thread that decides up to 1,000 times a second",
            "reload_decision_p99_us: one event's evaluation in that thread meanwhile",
            "signals_us: reasons and scores of the hits, per event of a batch",
        ],
    }  # fmt: skip


_TEXTS_READ = ("country", "url", "user_agent", "currency", "email_domain", "device", "referrer", "payment")


def _reload(
    live: LiveRules,
    folder: Path,
    schema: Schema,
    ones: Sequence[tuple[EventBatch, FeatureBatch]],
    clock: Callable[[], float],
) -> tuple[float, list[float]]:
    """Seconds of a reload, and seconds of each evaluation in another thread while it went on."""
    done = threading.Event()
    delays = [0.0]

    def decide() -> None:
        while not done.is_set():
            start = clock()
            live.current.evaluate(*ones[len(delays) % len(ones)])
            delays.append(clock() - start)
            time.sleep(0.001)

    thread = threading.Thread(target=decide)
    thread.start()
    try:
        start = clock()
        # One more name of a list is another vocabulary, under which no rule counts as checked.
        live.reload(folder, schema=schema, lists=Lists(names=["other"]))
        seconds = clock() - start
    finally:
        done.set()
        thread.join()
    return seconds, delays


def _rule(number: int) -> str:
    text = _TEXTS[number % len(_TEXTS)].format(n=number)
    first, second = number * 2 % FEATURES, (number * 2 + 1 + number % 37 * 2) % FEATURES
    missing = ", ".join(f"{name}: null" for name in _TEXTS_READ)
    return f"""\
abuse_type: {ABUSE_TYPES[number % len(ABUSE_TYPES)]}
severity: 0.5
events: any
reason: "feature {first} is {{feature_{first}}}"
condition: |
  feature_{first} >= {90 + number % 10}
  AND (feature_{second} * 2 < amount_minor / {1 + number} OR {text})
cases:
  fires:
    - why: all of it
      given: {{feature_{first}: 100, feature_{second}: 0, amount_minor: 900000, {missing}}}
"""


def _columns(names: tuple[str, ...], n: int, generator: np.random.Generator) -> tuple[EventBatch, FeatureBatch]:
    numbers = {name: np.full(n, np.nan) for name in NUMBER_FIELDS}
    numbers["amount_minor"] = generator.uniform(100, 100_000, n)
    texts: dict[str, list[str | None]] = {name: [None] * n for name in TEXT_FIELDS}
    marks = generator.integers(0, 1 << 40, n).tolist()
    texts["shop"] = ["shop"] * n
    texts["country"] = [("DE", "FR", "US", "CN")[mark % 4] for mark in marks]
    texts["currency"] = ["EUR"] * n
    texts["url"] = [f"/shop/{mark % 500}/item/{mark}" for mark in marks]
    texts["user_agent"] = [f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Agent-{mark}" for mark in marks]
    texts["email_domain"] = [f"mail{mark % 5_000}.example.com" for mark in marks]
    texts["device"] = [f"d-{mark % 20_000}" for mark in marks]
    texts["payment"] = [f"pay_{mark % 1_000}_{mark}" for mark in marks]
    values = generator.uniform(0, 100, (n, len(names))).astype(np.float32)
    missing = generator.random((n, len(names))) < 0.1
    at = np.full(n, 1_700_000_000_000_000, np.int64)
    batch = EventBatch(
        id=[str(mark) for mark in marks],
        type=generator.integers(0, len(EVENT_TYPES), n).astype(np.int16),
        at=at,
        received_at=at,
        keys={},
        numbers=numbers,
        texts=texts,
    )
    return batch, FeatureBatch(batch.id, at, values, names, missing)
