"""A kernel over an encoder's layers: what it computes, rules that bend, what is kept, odd rows."""

import numpy as np
import pytest

from floorwalker.detectors.content._arrays import pack_arrays, unpack_arrays
from floorwalker.detectors.content._inputs import Inputs
from floorwalker.detectors.content._kernel_view import KernelView, _draw
from floorwalker.detectors.content._views import DenseView
from floorwalker.detectors.content.classifier import TextClassifier

COLUMNS = 200


def make_rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two habits, each in half of the columns; the class is whether a text has both or neither."""
    random = np.random.default_rng(seed)
    habits = random.choice([-1.0, 1.0], (count, 2))
    rows = np.repeat(habits, COLUMNS // 2, axis=1) + random.normal(0, 1, (count, COLUMNS))
    return rows.astype(np.float32), (habits.prod(1) > 0).astype(np.int64)


def inputs_of(rows: np.ndarray) -> Inputs:
    return Inputs([""] * len(rows), {"minilm_layers": rows})


def fit(rows: np.ndarray, labels: np.ndarray, classes: int = 2) -> KernelView:
    view = KernelView("layers_kernel", "minilm_layers")
    view.fit(inputs_of(rows), labels, classes, balanced=classes > 2)
    return view


def test_it_is_the_support_vector_machine_with_that_kernel() -> None:
    from sklearn.svm import SVC

    rows, labels = make_rows(120, seed=0)
    asked, _ = make_rows(60, seed=8)
    mean, deviation = rows.mean(0), rows.std(0)
    model = SVC(C=2.0, gamma=0.5 / COLUMNS).fit((rows - mean) / deviation, labels)
    expected = model.decision_function((asked - mean) / deviation)
    np.testing.assert_allclose(fit(rows, labels).decide(inputs_of(asked))[:, 0], expected, atol=0.02)


def test_of_many_texts_some_are_drawn_and_rare_classes_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = make_rows(300, seed=9)
    labels[np.flatnonzero(labels == 1)[:-20]] = 0
    monkeypatch.setattr("floorwalker.detectors.content._kernel_view.MOST_TEXTS", 60)
    some = _draw(labels, 2)
    assert len(some) == len(set(some.tolist())) == 60
    assert labels[some].sum() == 20
    assert len(fit(rows, labels).state()["known"]) <= 60


def test_a_rule_that_no_line_tells_is_found() -> None:
    rows, labels = make_rows(300, seed=1)
    asked, truth = make_rows(300, seed=2)
    line = DenseView("minilm_layers", ("minilm_layers",), 0.003)
    line.fit(inputs_of(rows), labels, 2, balanced=False)
    assert ((line.decide(inputs_of(asked))[:, 0] > 0) == truth).mean() < 0.6
    assert ((fit(rows, labels).decide(inputs_of(asked))[:, 0] > 0) == truth).mean() > 0.95


def test_saved_and_loaded_says_the_same() -> None:
    rows, labels = make_rows(80, seed=3)
    view, again = fit(rows, labels), KernelView("layers_kernel", "minilm_layers")
    again.restore(unpack_arrays(pack_arrays(view.state())))
    np.testing.assert_allclose(again.decide(inputs_of(rows)), view.decide(inputs_of(rows)), atol=5e-3)


@pytest.mark.parametrize("columns", [1, 2, 3, 64])
def test_odd_rows_have_a_finite_answer(columns: int) -> None:
    random = np.random.default_rng(4)
    rows = random.normal(size=(30, columns)).astype(np.float32)
    rows[:, 0] = 7
    view = fit(rows, np.arange(30) % 2)
    odd = np.array([[0.0] * columns, [np.nan] * columns, [np.inf] * columns, [1e30] * columns], np.float32)
    assert np.isfinite(view.decide(inputs_of(odd))).all()
    assert view.decide(inputs_of(odd[:0])).shape == (0, 1)


def test_three_classes_have_a_head_each() -> None:
    rows, labels = make_rows(240, seed=5)
    labels[rows[:, :100].mean(1) + rows[:, 100:].mean(1) > 1] = 2
    told = fit(rows, labels, 3).decide(inputs_of(rows))
    assert told.shape == (240, 3)
    assert (told.argmax(1) == labels).mean() > 0.95


def test_it_comes_with_its_encoder_alone(tmp_path) -> None:
    rows, labels = make_rows(240, seed=6)
    asked, truth = make_rows(100, seed=7)
    texts = [f"text {number}" for number in range(240)]
    classifier = TextClassifier(views=("style",), folds=3).fit(texts, labels, embeddings={"minilm_layers": rows})
    assert classifier.chosen in ("layers_kernel", "all")
    given = {"embeddings": {"minilm_layers": asked}}
    score = classifier.score(texts[:100], **given)
    assert ((score > 0.5) == truth).mean() > 0.95
    classifier.save(tmp_path)
    np.testing.assert_allclose(TextClassifier.load(tmp_path).score(texts[:100], **given), score, atol=0.01)
    for encoders in ((), ("minilm",)):
        other = TextClassifier(encoders=encoders, views=("style",), folds=2)
        other.fit(texts, labels, embeddings={"minilm": rows})
        assert "layers_kernel" not in other.validation
