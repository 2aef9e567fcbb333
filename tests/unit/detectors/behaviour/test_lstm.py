from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.behaviour.lstm import SequenceLSTM, share_foreseen_better
from floorwalker.detectors.behaviour.sequences import Sequences, Vocabulary
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.testing import behaviour as build

WORDS = Vocabulary(tuple("abcdrx"))


def planted(n: int, seed: int) -> tuple[Sequences, np.ndarray]:
    """Half of them have `r`, later `x`; the others have both the other way round: counts say nothing."""
    rng = np.random.default_rng(seed)
    lists, labels = [], (rng.random(n) < 0.5).astype(np.float32)
    for label in labels:
        words = rng.choice(list("abcd"), rng.integers(3, 9)).tolist()
        first, second = sorted(rng.choice(len(words) + 1, 2, replace=False))
        words.insert(second, "x" if label else "r")
        words.insert(first, "r" if label else "x")
        lists.append(words)
    return WORDS.encode(lists), labels


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    good, bad = scores[labels == 0], scores[labels == 1]
    return float((bad[:, None] > good).mean() + 0.5 * (bad[:, None] == good).mean())


def small(**settings) -> SequenceLSTM:
    return SequenceLSTM(**{"hidden": 12, "embedding": 8, "epochs": 25, "rate": 0.03, "patience": 25, **settings})


def test_the_order_of_events_is_learned_which_no_count_shows(tmp_path) -> None:
    past, labels = planted(400, 1)
    model = small().fit(past, labels)
    fresh, truth = planted(200, 2)
    scores = model.score(fresh)
    assert auc(truth, scores) > 0.95
    model.save(tmp_path)
    assert np.array_equal(SequenceLSTM.load(tmp_path).score(fresh), scores)
    assert model.embed(fresh).shape == (200, 12)
    with pytest.raises(InputError, match="fitted with"):
        model.score(Vocabulary(("a",)).encode([["a"]]))


def test_weights_for_serving_say_what_pytorch_says() -> None:
    torch = pytest.importorskip("torch")
    from floorwalker.detectors.behaviour._lstm_training import LstmModel, LstmPlan

    sequences, _ = planted(20, 3)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = LstmModel(sequences.fields, 2, LstmPlan(hidden=7, embedding=5)).eval()
    ran = model.export(torch.ones(2)).run(sequences)
    for number in range(20):
        rows = slice(sequences.starts[number], sequences.starts[number + 1])
        tokens = torch.from_numpy(sequences.tokens[rows]).long()[:, None]
        with torch.no_grad():
            logits, ahead, out, _ = model(tokens, (torch.zeros(1, 1, 7), torch.zeros(1, 1, 7)))
            unforeseen = torch.nn.functional.cross_entropy(ahead[:, 0], tokens[:, 0, 0], reduction="none")
        assert ran.logits[rows] == pytest.approx(logits[:, 0].numpy(), abs=1e-5)
        assert ran.surprise[rows] == pytest.approx(unforeseen.numpy(), abs=1e-5)
        assert ran.last[number, :7] == pytest.approx(out[-1, 0].numpy(), abs=1e-5)


def test_what_comes_later_changes_nothing() -> None:
    sequences, _ = planted(50, 4)
    weights = build.weights(8, labels=3, of=sequences.fields)
    cut = np.random.default_rng(5).integers(1, 6, 50)
    whole, heads = weights.run(sequences), weights.run(sequences.head(cut))
    steps = np.arange(len(sequences.tokens)) - sequences.starts[sequences.owners]
    before = steps < np.minimum(cut, sequences.lengths)[sequences.owners]
    assert np.array_equal(whole.logits[before], heads.logits)
    assert np.array_equal(whole.surprise[before], heads.surprise)


def frequent(n: int, seed: int) -> tuple[Sequences, np.ndarray]:
    """In one of four, one of 60 words comes five times and more, anywhere among up to 80."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.25).astype(np.float32)
    lists = []
    for label in labels:
        words = rng.integers(1, 60, rng.integers(10, 80))
        words[rng.permutation(len(words))[: rng.integers(5, 8) if label else rng.integers(0, 5)]] = 60
        lists.append(words.tolist())
    return Vocabulary(tuple(map(str, range(1, 61)))).encode(lists), labels


def test_what_counts_show_is_learned_from_few_sequences(tmp_path) -> None:
    past, labels = frequent(200, 1)
    fresh, truth = frequent(300, 2)
    model, alone = (SequenceLSTM(epochs=6, seed=1, counts=counts).fit(past, labels) for counts in (True, False))
    assert auc(truth, model.score(fresh)) > 0.92
    assert auc(truth, alone.score(fresh)) < 0.9
    model.save(tmp_path)
    assert np.array_equal(SequenceLSTM.load(tmp_path).score(fresh), model.score(fresh))
    # As of each event: what comes later changes nothing, and no sequence the next one.
    lengths = np.random.default_rng(3).integers(1, 40, len(fresh))
    heads = fresh.head(lengths)
    steps = np.arange(len(fresh.tokens)) - fresh.starts[fresh.owners]
    kept = steps < np.minimum(lengths, fresh.lengths)[fresh.owners]
    assert np.array_equal(model.score_events(fresh)[kept], model.score_events(heads))
    assert np.array_equal(model.score(fresh.take([7])), model.score(fresh)[[7]])


def test_counts_and_lstm_speak_alike_where_nothing_was_kept_back() -> None:
    past, _ = frequent(4, 1)
    assert small(epochs=1).fit(past, [0, 1, 0, 1]).mixing.tolist() == [[0.5, 0.5, 0.0]]
    each = np.where(np.arange(len(past.tokens)) % 3 == 0, np.nan, np.arange(len(past.tokens)) % 2)
    assert small(epochs=1).fit(past, each).score_events(past).shape == (len(past.tokens),)


def test_counts_that_do_not_fit_are_refused(tmp_path) -> None:
    past, labels = frequent(20, 1)
    model = small(epochs=1).fit(past, labels)
    mixing, linear = model.mixing, model.linear
    model.mixing = mixing[:, :2]
    model.save(tmp_path / "mixing")
    model.mixing, model.linear = mixing, type(linear)(linear.often[:-1], linear.now, linear.bias)
    model.save(tmp_path / "counts")
    for name, message in (("mixing", "the mixing has shape"), ("counts", "often of the counts has shape")):
        with pytest.raises(ArtefactError, match=message):
            SequenceLSTM.load(tmp_path / name)


@pytest.mark.slow
def test_shuffled_labels_teach_nothing() -> None:
    past, labels = planted(400, 1)
    # Exactly half of each class is turned round: what is left to find is chance alone.
    shuffled = labels.copy()
    for kind in (0, 1):
        rows = np.flatnonzero(labels == kind)
        shuffled[rows[::2]] = 1 - kind
    model, fresh = small(epochs=8).fit(past, shuffled), (planted(400, 2), planted(400, 3))
    found = [auc(truth, model.score(sequences)) for sequences, truth in fresh]
    assert abs(np.mean(found) - 0.5) < 0.1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_also_after_a_break(tmp_path) -> None:
    past, labels = planted(100, 1)
    whole = small(epochs=4, seed=3).fit(past, labels).score(past)

    def stop(name: str, done: int, epochs: int, figure: float) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(epochs=4, seed=3, checkpoint=tmp_path, progress=stop).fit(past, labels)
    seen: list[int] = []
    again = small(epochs=4, seed=3, checkpoint=tmp_path, progress=lambda name, done, *_: seen.append(done))
    assert again.fit(past, labels).score(past) == pytest.approx(whole, abs=1e-6)
    assert seen == [3, 4]
    assert small(epochs=4, seed=4).fit(past, labels).score(past) != pytest.approx(whole, abs=1e-3)
    (tmp_path / "lstm.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ArtefactError, match="checkpoint"):
        small(epochs=4, seed=3, checkpoint=tmp_path).fit(past, labels)


def test_odd_data_are_taken_or_refused_in_words() -> None:
    past, labels = planted(6, 1)
    with pytest.raises(NotReadyError):
        small().score(past)
    for given, message in (
        (np.full(6, 2.0), "other than 0 and 1"),
        (np.zeros(5), "shape"),
        (["yes"] * 6, "no numbers"),
    ):
        with pytest.raises(InputError, match=message):
            small().fit(past, given)
    with pytest.raises(InputError, match="no events"):
        small().fit(WORDS.encode([[]]))
    with pytest.raises(UsageError, match="hidden"):
        SequenceLSTM(hidden=0)
    one_class = small(epochs=1).fit(past, np.zeros(6))
    assert (one_class.score(past) < 0.6).all()
    assert np.isnan(one_class.score(WORDS.encode([[], ["a"]]))).tolist() == [True, False]
    alone = small(epochs=1).fit(past.take([0]))
    assert alone.score(past).shape == (6,)
    with pytest.raises(NotReadyError, match="no labels"):
        alone.score_events(past)
    unknown = np.where(np.arange(12).reshape(6, 2) % 5 == 0, np.nan, 1.0)
    assert small(epochs=1).fit(past, unknown).score(past).shape == (6, 2)
    assert labels.shape == (6,)


def test_without_labels_the_usual_is_not_called_unusual() -> None:
    lists = [["a", "b", "c"]] * 190 + [["c", "c", "a"]] * 10
    known = WORDS.encode([lists[place] for place in np.random.default_rng(0).permutation(200)])
    model = small(hidden=8, embedding=4, epochs=10).fit(known)
    usual, odd, odder = model.score(WORDS.encode([["a", "b", "c"], ["c", "c", "a"], ["x", "x", "x"]]))
    assert usual == 0.0
    assert 0.8 < odd < 1.0
    assert odder == 1.0


def test_surprises_that_only_rounding_tells_apart_are_ties() -> None:
    ranks = np.array([0.5, 0.5, 0.5, 0.5, 2.0], np.float32)
    means = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0.6, 2.0, 2.1, np.nan], np.float32)
    expected = np.array([0, 0, 0.8, 0.8, 1, np.nan], np.float32)
    np.testing.assert_array_equal(share_foreseen_better(ranks, means), expected)


@pytest.mark.parametrize("columns", [0, 1, 2])
def test_empty_sequences_alone_have_no_score(columns) -> None:
    past, labels = planted(12, 1)
    model = small(epochs=1).fit(past, np.tile(labels[:, None], columns) if columns else None)
    width = (2,) if columns == 2 else ()
    empty = model.score(WORDS.encode([[], []]))
    assert empty.shape == (2, *width)
    assert np.isnan(empty).all()
    assert model.score(WORDS.encode([])).shape == (0, *width)


def test_a_checkpoint_of_other_teaching_is_not_resumed(tmp_path) -> None:
    past, labels = planted(40, 1)
    told = np.random.default_rng(2).normal(size=(len(past.tokens), 1)).astype(np.float32)
    later, _ = planted(40, 7)
    learned = past.take(np.arange(34))
    # As many events to learn from, other ones to validate with.
    other = Sequences(
        np.concatenate([learned.tokens, later.tokens[later.starts[34] :]]),
        np.concatenate([learned.starts, later.starts[35:] - later.starts[34] + learned.starts[-1]]), past.fields,
    )  # fmt: skip

    def epochs(given: Sequences = past, **settings) -> list[int]:
        seen: list[int] = []
        model = small(epochs=2, checkpoint=tmp_path, progress=lambda name, done, *_: seen.append(done))
        model.fit(given, labels, **settings)
        return seen

    assert epochs() == [1, 2]
    assert epochs() == []
    assert epochs(teacher=told) == [1, 2]
    assert epochs(teacher=told) == []
    assert epochs(teacher=-told) == [1, 2]
    assert epochs(teacher=-told, distil=0.5) == [1, 2]
    assert epochs() == [1, 2]
    assert epochs(other) == [1, 2]
