from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from floorwalker.detectors.behaviour._windows import cut_windows
from floorwalker.detectors.behaviour.lstm import SequenceLSTM
from floorwalker.detectors.behaviour.sequences import Field, Sequences, Vocabulary
from floorwalker.detectors.behaviour.sizes import SIZES, Size
from floorwalker.detectors.behaviour.transformer import CausalTransformer
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError
from floorwalker.models.onnx import OnnxModel

FIELDS = (Field("act", 9, predicted=True), Field("gap", 5, predicted=True), Field("fact", 4))
SIZE = Size(2, 16, 2)


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny matrices on several threads of a busy machine wait for one another."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sequences(n: int = 12, seed: int = 0, longest: int = 30) -> Sequences:
    """Acts count up from a random one; gaps and facts are noise; some sequences are empty."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, n)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens = np.stack([rng.integers(0, field.size, starts[-1]) for field in FIELDS], axis=1)
    for first, last in pairwise(starts):
        tokens[first:last, 0] = (rng.integers(9) + np.arange(last - first)) % 9
    return Sequences(tokens, starts, FIELDS)


def untrained(labels: int = 2, **settings) -> CausalTransformer:
    found = CausalTransformer(**{"size": SIZE, "context": 8, **settings})
    found.fields, found.labels, found.model = FIELDS, labels, None
    found.model = found._make(labels)
    # Noise instead of training: what is tested here holds of any weights.
    torch = pytest.importorskip("torch")
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        for parameter in found.model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return found


@pytest.mark.parametrize("rotary", [True, False])
def test_event_by_event_is_what_whole_sequences_give(rotary) -> None:
    model, given = untrained(rotary=rotary), sequences(5)
    assert given.lengths.max() > 2 * 8
    logits, surprise = model.logits(given), model.surprise(given)
    for number in range(len(given)):
        following = model.follow()
        for row in range(given.starts[number], given.starts[number + 1]):
            found, nats = following.push(given.tokens[row])
            assert found == pytest.approx(logits[row], abs=1e-5)
            assert nats == pytest.approx(surprise[row], abs=1e-5)
    with pytest.raises(InputError, match="codes"):
        model.follow().push(np.array([9, 0, 0]))


def test_what_comes_later_changes_nothing() -> None:
    model, given = untrained(), sequences()
    cut = np.random.default_rng(5).integers(1, 25, len(given))
    short = given.head(cut)
    steps = np.arange(len(given.tokens)) - given.starts[given.owners]
    before = steps < np.minimum(cut, given.lengths)[given.owners]
    assert model.logits(given)[before] == pytest.approx(model.logits(short), abs=1e-5)
    assert model.surprise(given)[before] == pytest.approx(model.surprise(short), abs=1e-5)


@pytest.mark.parametrize("rotary", [True, False])
def test_the_onnx_graph_says_the_same(rotary, tmp_path) -> None:
    model, given = untrained(rotary=rotary), sequences(longest=9)
    model.export_onnx(tmp_path / "model.onnx")
    served = OnnxModel((tmp_path / "model.onnx").read_bytes())
    logits, surprise = model.logits(given), model.surprise(given)
    for number in np.flatnonzero(given.lengths).tolist():
        rows = slice(given.starts[number], given.starts[number + 1])
        found = served.run({"tokens": given.tokens[rows].astype(np.int64)[None]})[0]
        assert found[:, :2] == pytest.approx(logits[rows], abs=1e-4)
        assert found[:, 2] == pytest.approx(surprise[rows], abs=1e-4)


def test_every_event_is_counted_in_one_window() -> None:
    starts = np.array([0, 3, 3, 20, 41])
    windows = cut_windows(starts, 6)
    counted = [row for first, last in zip(windows.counted, windows.stops, strict=True) for row in range(first, last)]
    assert sorted(counted) == list(range(41))
    assert (windows.stops - windows.starts).max() <= 6


@pytest.mark.slow
def test_pretraining_foresees_what_can_be_foreseen_and_distils(tmp_path) -> None:
    past = sequences(60, 1)
    model = CausalTransformer(SIZE, context=16, epochs=15, rate=0.02, patience=15).pretrain(past)
    fresh = sequences(10, 2)
    codes, chances = model.predict_next(fresh, of="act", most=3)
    filled = fresh.lengths > 0
    following = (fresh.tokens[fresh.starts[1:][filled] - 1, 0] + 1) % 9
    assert (codes[filled, 0] == following).mean() > 0.8
    assert (np.diff(chances, axis=1) <= 0).all()
    scrambled = Sequences(np.random.default_rng(1).permuted(fresh.tokens, axis=0), fresh.starts, FIELDS)
    assert model.mean_surprise(scrambled)[filled].min() > model.mean_surprise(fresh)[filled].max()
    assert np.nanmean(model.score(scrambled)) > 0.9 > np.nanmean(model.score(fresh))
    with pytest.raises(UsageError, match="act, gap"):
        model.predict_next(fresh, of="fact")
    labels = (past.lengths > 12).astype(np.float32)
    model.fit(past, labels)
    model.save(tmp_path)
    again = CausalTransformer.load(tmp_path)
    assert np.array_equal(again.score(fresh), model.score(fresh), equal_nan=True)
    pupil = SequenceLSTM(hidden=12, embedding=8, epochs=20, rate=0.03, patience=20, counts=False)
    pupil.fit(past, labels, teacher=model.logits(past), distil=5.0)
    there = ~np.isnan(model.score(fresh))
    assert np.corrcoef(pupil.score(fresh)[there], model.score(fresh)[there])[0, 1] > 0.7


def test_sizes_are_what_they_say() -> None:
    model = untrained()
    blocks = sum(
        parameter.numel() for name, parameter in model.model.named_parameters() if name.startswith(("blocks", "last"))
    )
    assert blocks == SIZE.parameters
    millions = [round(size.parameters / 1e6, 1) for size in SIZES.values()]
    assert millions == [0.1, 1.0, 4.7, 25.2, 99.2, 201.5]
    for wrong in ("enormous", (1, 3, 2)):
        with pytest.raises(UsageError):
            CausalTransformer(wrong if isinstance(wrong, str) else Size(*wrong))


def test_misuse_is_told_in_words(tmp_path) -> None:
    model = CausalTransformer(SIZE)
    for call in (lambda: model.score(sequences()), lambda: model.save(tmp_path), model.follow):
        with pytest.raises(NotReadyError):
            call()
    with pytest.raises(InputError, match="no events"):
        model.pretrain(Sequences(np.zeros((0, 3), int), np.zeros(2, int), FIELDS))
    with pytest.raises(UsageError, match="even"):
        CausalTransformer(context=7)
    with pytest.raises(InputError, match="trained with"):
        untrained().score(Vocabulary(("a",)).encode([["a"]]))
    untrained().save(tmp_path)
    with pytest.raises(ArtefactError):
        SequenceLSTM.load(tmp_path)


@pytest.mark.parametrize("labels", [0, 1, 2])
def test_ties_are_not_foreseen_better_and_empty_sequences_have_no_score(labels) -> None:
    model, width = untrained(max(labels, 1)), (2,) if labels == 2 else ()
    model.labels = labels
    same = sequences(1, seed=1).take([0] * 5)
    assert same.lengths[0]
    model.ranks = np.full(256, model.mean_surprise(same)[0], np.float32)
    if not labels:
        assert model.score(same).tolist() == [0.0] * 5
    empty = model.score(same.head(np.zeros(5, np.int64)))
    assert empty.shape == (5, *width)
    assert np.isnan(empty).all()
    assert model.score(same.take([])).shape == (0, *width)


def test_a_device_that_is_none_is_not_called_a_damaged_file(tmp_path) -> None:
    untrained().save(tmp_path)
    with pytest.raises(UsageError, match="unknown device 'tpu'"):
        CausalTransformer.load(tmp_path, device="tpu")
