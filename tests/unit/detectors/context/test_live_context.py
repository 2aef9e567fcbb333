"""What was met before: an oracle in plain Python, any batching, bounded rows, words for people, stored ones."""

import math

import numpy as np
import pytest

from floorwalker.detectors.context.live import (
    DIFFERING,
    FOLLOWED,
    LISTED,
    OUTPUTS,
    PAIRS,
    SHARES,
    SINGLE,
    LiveContext,
    tell_column,
)
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import CardFacts, DeviceFacts, Event, NetworkFacts
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch

START = 1_760_000_000_000_000
HOUR = 3_600_000_000
KEYER = EntityKeyer(bytes(16))
FEATURES = FeatureBatch([], np.zeros(0, np.int64), np.zeros((0, 0), np.float32), (), np.zeros((0, 0), np.bool_))
PLACES = {name: place for place, name in enumerate(OUTPUTS)}


def history(count: int = 120, seed: int = 0) -> list[Event]:
    random = np.random.default_rng(seed)
    events, at = [], START
    for number in range(count):
        at += int(random.integers(1, HOUR))
        a, b, c, d = (int(one) for one in random.integers(0, 4, 4))
        events.append(
            Event(
                id=f"e-{number}", type=("page_view", "order")[a % 2], at=at, session=f"s-{b}", item=f"i-{c}",
                account=f"a-{d}" if d else None, user_agent=f"browser {a}", language=("de", "en", None)[c % 3],
                country=("DE", "FR")[b % 2], referrer="/" if c else None, reason=None if b else "late",
                network=NetworkFacts(country="DE", kind=("mobile", "hosting", None)[c % 3]),
                device_facts=DeviceFacts(kind="phone", screen=f"{a}x{b}"),
                card=CardFacts(issuer_country="FR", funding="debit") if c else None,
            )
        )  # fmt: skip
    return events


def run(context: LiveContext, events: list[Event]) -> np.ndarray:
    return context.advance(make_batch(events, KEYER), FEATURES)


def slow_columns(batch: EventBatch) -> np.ndarray:
    """Every column, by reading all that was before again."""
    out = np.full((len(batch), len(OUTPUTS)), np.nan)
    texts = batch.texts

    def of(name: str, row: int) -> object:
        return (int(batch.keys[name][row]) or None) if name in batch.keys else texts[name][row]

    for row in range(len(batch)):
        for names in [(one,) for one in SINGLE] + list(PAIRS):
            values = [of(name, row) for name in names]
            if None in values:
                continue
            before = [one for one in range(row) if [of(name, one) for name in names] == values]
            known = (batch.at[row] - batch.at[before[0]]) / 1e6 if before else 0.0
            start = PLACES[f"context.{'.'.join(names)}.known_seconds"]
            out[row, start : start + 2] = min(known, 86_400), min(len(before), 30)
        for name in FOLLOWED:
            before = [one for one in range(row) if of(name, one) == of(name, row) is not None]
            if before:
                start = PLACES[f"context.{name}.silent_seconds"]
                out[row, start : start + 2] = (batch.at[row] - batch.at[before[-1]]) / 1e6, batch.type[before[-1]]
                out[row, start + 2] = len({of("item", one) for one in before} - {None})
        same = [one for one in range(row) if batch.type[one] == batch.type[row]]
        for name in SHARES:
            if (value := texts[name][row]) is not None:
                times = sum(texts[name][one] == value for one in same)
                out[row, PLACES[f"context.{name}.share"]] = (times + 1) / (len(same) + 2)
        for name, (one, other) in DIFFERING.items():
            if texts[one][row] is not None and texts[other][row] is not None:
                out[row, PLACES[f"context.{name}"]] = texts[one][row] != texts[other][row]
        for name, words in LISTED.items():
            if texts[name][row] is not None:
                out[row, PLACES[f"context.{name}.word"]] = words.index(texts[name][row])
        out[row, PLACES["context.referrer.said"]] = texts["referrer"][row] is not None
        out[row, PLACES["context.hour"]] = batch.at[row] // HOUR % 24
    return out


def test_it_is_what_reading_the_past_again_gives():
    batch = make_batch(history(), KEYER)
    found = LiveContext(rows=1 << 14).advance(batch, FEATURES)
    np.testing.assert_allclose(found, slow_columns(batch), rtol=1e-5)
    assert np.isfinite(found).any(axis=0).sum() > 25


@pytest.mark.parametrize("size", [1, 7, 64])
def test_any_batching_gives_the_same(size):
    events = history()
    whole, piecewise = LiveContext(rows=1 << 14), LiveContext(rows=1 << 14)
    every = run(whole, events)
    for start in range(0, len(events), size):
        part = make_batch(events[start : start + size], KEYER)
        foretold = piecewise.score(part, FEATURES)
        found = piecewise.advance(part, FEATURES)
        np.testing.assert_array_equal(found, every[start : start + size])
        np.testing.assert_array_equal(foretold[0], found[0])
    np.testing.assert_array_equal(whole.words, piecewise.words)


def test_rows_are_bounded_and_a_flood_forgets():
    context = LiveContext(rows=64)
    run(context, [Event(id="e-1", type="page_view", at=START, account="a-1", user_agent="old")])
    flood = [
        Event(id=f"f-{n}", type="page_view", at=START + n, account=f"b-{n}", user_agent=f"browser {n}")
        for n in range(1, 500)
    ]
    run(context, flood)
    again = Event(id="e-2", type="page_view", at=START + HOUR, account="a-1", user_agent="old")
    assert run(context, [again])[0, PLACES["context.account.user_agent.times"]] == 0
    assert len(context.words) == 64 * 4


def test_a_straggler_makes_nothing_younger_and_no_time_negative():
    context = LiveContext(rows=1 << 10)
    for at in (START, START - HOUR, START + HOUR):
        found = run(context, [Event(id=f"e-{at}", type="login_succeeded", at=at, account="a-1")])
    assert found[0, PLACES["context.account.known_seconds"]] == 3600
    late = run(context, [Event(id="e-late", type="login_succeeded", at=START - 2 * HOUR, account="a-1")])
    assert late[0, PLACES["context.account.known_seconds"]] == 0


def test_shares_are_shares_whatever_was_forgotten():
    context = LiveContext(rows=64)
    events = [
        Event(id=f"e-{n}", type="refund_requested" if n % 9 == 0 else "page_view", at=START + n, account=f"a-{n}",
              user_agent=f"browser {n}", language="en")
        for n in range(800)
    ]  # fmt: skip
    share = run(context, events)[:, PLACES["context.language.share"]]
    assert share.max() <= 1.0
    assert share.min() > 0.0


def test_who_comes_late_is_not_what_happened_last():
    context = LiveContext(rows=1 << 10)
    for kind, at in (("order", START), ("login_failed", START - HOUR)):
        run(context, [Event(id=kind, type=kind, at=at, account="a-1")])
    last = run(context, [Event(id="e-3", type="logout", at=START + HOUR, account="a-1")])[0]
    assert last[PLACES["context.account.last_type"]] == TYPE_CODES["order"]
    assert last[PLACES["context.account.silent_seconds"]] == 3600


@pytest.mark.parametrize("rows", [0, 3, 100, 1 << 30])
def test_odd_sizes_are_refused(rows):
    with pytest.raises(UsageError, match="room for"):
        LiveContext(rows=rows)


def test_a_state_of_another_size_is_refused_and_its_own_goes_on():
    first, second = LiveContext(rows=1 << 12), LiveContext(rows=1 << 12)
    events = history()
    run(first, events[:60])
    with pytest.raises(ArtefactError, match="words"):
        LiveContext(rows=64).restore(first.state())
    second.restore({name: array.copy() for name, array in first.state().items()})
    np.testing.assert_array_equal(run(first, events[60:]), run(second, events[60:]))


def test_its_folder_holds_its_size(tmp_path):
    LiveContext(rows=128).save(tmp_path / "context")
    loaded = LiveContext.load(tmp_path / "context")
    assert (len(loaded.words), loaded.version) == (128 * 4, "1.128")
    (tmp_path / "context" / "context.json").write_text('{"rows": 100}')
    with pytest.raises(ArtefactError):
        LiveContext.load(tmp_path / "context")


@pytest.mark.parametrize(
    ("column", "said", "text"),
    [
        ("context.session.item.times", {"times": 0.0}, "this session was never met with this item before"),
        (
            "context.account.ip_network.known_seconds",
            {"known_seconds": 7300.0, "times": 3.0},
            "this account was met with this network 3 times before, first 2 hours ago",
        ),
        (
            "context.network_ja4.times",
            {"known_seconds": 12.0, "times": 1.0},
            "this connection fingerprint was met 1 time before, first less than a minute ago",
        ),
        (
            "context.account.ip.times",
            {"known_seconds": 86_400.0, "times": 30.0},
            "this account was met with this address 30 or more times before, first a day or more ago",
        ),
    ],
)
def test_what_was_met_is_told_in_words(column, said, text):
    start = column.rpartition(".")[0]
    assert tell_column(column, {f"{start}.{name}": value for name, value in said.items()}) == text


def test_every_column_has_words_and_nothing_else_has():
    found = run(LiveContext(rows=1 << 14), history())
    for name, place in PLACES.items():
        for value in found[np.isfinite(found[:, place]), place][:3].tolist():
            row = dict(zip(OUTPUTS, found[-1].tolist(), strict=True)) | {name: value}
            assert tell_column(name, row), name
    assert tell_column("context.network_kind.word", {"context.network_kind.word": 99.0}) == (
        "the kind of network is an unknown one"
    )
    assert tell_column("context.hour", {"context.hour": math.nan}) is None
    assert tell_column("memory.account.worst", {"memory.account.worst": 1.0}) is None
