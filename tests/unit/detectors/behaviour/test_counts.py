from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.behaviour import _counts
from floorwalker.detectors.behaviour._counts import PAIRS, CountWeights, fit_counts
from floorwalker.detectors.behaviour._counts_kernel import lay_counts
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.detectors.behaviour.weights import offsets_of

FIELDS = (Field("word", 6, predicted=True), Field("amount", 4))
COUNTS = 10 + PAIRS


def some(n: int, seed: int, tokens: type = np.int32) -> Sequences:
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(rng.integers(0, 9, n))])
    codes = np.stack([rng.integers(0, 6, starts[-1]), rng.integers(0, 4, starts[-1])], axis=1)
    return Sequences(codes.astype(tokens), starts, FIELDS)


def reread(sequences: Sequences, row: int) -> tuple[dict[int, int], set[int]]:
    """How often each place was counted up to this event, and those of the event itself, from the beginning."""
    counts: dict[int, int] = {}
    first = sequences.starts[sequences.owners[row]]
    for each in range(first, row + 1):
        word, amount = sequences.tokens[each].tolist()
        before = int(sequences.tokens[each - 1][0]) if each > first else -1
        now = {word, 6 + amount, 10 + ((before + 2) * 1_000_003 + (word + 1) * 7_919) % PAIRS}
        for place in now:
            counts[place] = counts.get(place, 0) + 1
    return counts, now


@pytest.mark.parametrize("tokens", [np.int32, np.uint8])
def test_laid_and_weighed_counts_are_those_of_rereading(tokens) -> None:
    sequences = some(30, 1, tokens)
    rng = np.random.default_rng(2)
    weights = CountWeights(*(rng.normal(size=shape).astype(np.float32) for shape in ((COUNTS, 2), (COUNTS, 2), (2,))))
    wanted = rng.random(len(sequences.tokens)) < 0.5
    values, columns, ends = lay_counts(sequences.tokens, sequences.starts, offsets_of(FIELDS), wanted, COUNTS, PAIRS)
    logits = weights.run(sequences)
    laid = 0
    for row in range(len(sequences.tokens)):
        counts, now = reread(sequences, row)
        expected = weights.bias.astype(np.float64)
        expected = expected + sum(np.sqrt(count) * weights.often[place] for place, count in counts.items())
        expected = expected + sum(weights.now[place] for place in now)
        assert logits[row] == pytest.approx(expected, abs=1e-4)
        if wanted[row]:
            part = slice(ends[laid], ends[laid + 1])
            assert dict(zip(columns[part].tolist(), values[part].tolist(), strict=True)) == pytest.approx(
                {**{place: np.sqrt(count) for place, count in counts.items()}, **{COUNTS + place: 1.0 for place in now}}
            )
            laid += 1
    assert laid == wanted.sum() == len(ends) - 1


def test_what_lies_behind_the_border_teaches_only_the_second_weights() -> None:
    sequences = some(80, 3)
    rng = np.random.default_rng(4)
    labels = (sequences.tokens[:, :1] == 3).astype(np.float32)
    border = int(sequences.starts[60])
    other = labels.copy()
    other[border:] = rng.integers(0, 2, (len(labels) - border, 1))
    every = np.ones(len(labels), np.bool_)
    first, second = fit_counts(sequences, labels, asked=every, border=border)
    turned, last = fit_counts(sequences, other, asked=every, border=border)
    # The penalty may be another one, for it is chosen there; the sign of what was learned before it is not.
    assert np.array_equal(np.sign(np.round(first.now[:6, 0], 3)), np.sign(np.round(turned.now[:6, 0], 3)))
    assert not np.array_equal(second.now, last.now)
    assert (first.run(sequences)[border:][labels[border:] == 1] > 0).all()


def test_a_label_of_one_class_or_none_is_its_share() -> None:
    sequences = some(40, 5)
    events = len(sequences.tokens)
    labels = np.stack([np.zeros(events), np.full(events, np.nan)], axis=1).astype(np.float32)
    _, whole = fit_counts(sequences, labels, asked=np.ones(events, np.bool_), border=events)
    assert not whole.often.any()
    assert whole.bias[0] < -4
    assert whole.bias[1] == 0


def test_long_sequences_are_learned_from_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    codes = np.stack([rng.integers(0, 6, 6_000), rng.integers(0, 4, 6_000)], axis=1).astype(np.int32)
    sequences = Sequences(codes, np.array([0, 2_000, 4_000, 6_000]), FIELDS)
    labels = (codes[:, :1] == 3).astype(np.float32)
    laid = []

    def watch(*given):
        laid.append(lay_counts(*given))
        return laid[-1]

    monkeypatch.setattr(_counts, "_lay", watch)
    monkeypatch.setattr(_counts, "MOST_VALUES", 50_000)
    _, whole = fit_counts(sequences, labels, asked=np.ones(6_000, np.bool_), border=6_000)
    assert 5 < len(laid[0][2]) - 1 < 6_000
    assert len(laid[0][0]) < 60_000
    logits = whole.run(sequences)[:, 0]
    assert logits[labels[:, 0] == 1].mean() > logits[labels[:, 0] == 0].mean()
