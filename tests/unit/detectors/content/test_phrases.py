"""A language model a class: what it counts, tells by the order of words alone, keeps and answers for odd texts."""

import numpy as np
import pytest

from floorwalker.detectors.content._arrays import pack_arrays, unpack_arrays
from floorwalker.detectors.content._inputs import Inputs
from floorwalker.detectors.content._phrases import LEAST_SHARE, PhraseView
from floorwalker.detectors.content.classifier import TextClassifier

WORDS = np.array([f"{a}{b}" for a in "bdfgklmn" for b in ("ad", "el", "in", "os", "um")])


def make_orders(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Each bag of words twice: in rising order (0) and in falling order (1)."""
    random = np.random.default_rng(seed)
    bags = [np.sort(random.choice(WORDS, 12, replace=False)) for _ in range(count)]
    texts = [" ".join(words) for bag in bags for words in (bag, bag[::-1])]
    return texts, np.tile([0, 1], count)


def fit(texts: list[str], labels: np.ndarray, classes: int = 2) -> PhraseView:
    view = PhraseView()
    view.fit(Inputs(texts, {}), np.asarray(labels, np.int64), classes, balanced=False)
    return view


def say(view: PhraseView, texts: list[str]) -> np.ndarray:
    return view.decide(Inputs(texts, {}))


def test_likelihoods_by_hand() -> None:
    view = fit(["A b", "b a"], np.array([0, 1]))
    # Three kinds of tokens, of which one is the end, and one of each: half is left to tokens that nobody knows.
    alone = 1 / 6 + LEAST_SHARE / 2
    # The beginning is followed by a in the first class and by b in the second; after a stands b, or the end.
    first = np.log([0.5 + 0.5 * (0.5 + 0.5 * alone), 0.5 * 0.5 * alone])
    second = np.log([0.5 * 0.5 * alone, 0.5 + 0.5 * alone])
    assert say(view, ["a"])[0, 0] == pytest.approx(second.mean() - first.mean(), rel=1e-5)


def test_the_order_of_words_is_told() -> None:
    texts, labels = make_orders(60, seed=0)
    asked, truth = make_orders(60, seed=1)
    assert sorted(asked[0].split()) == sorted(asked[1].split())
    assert ((say(fit(texts, labels), asked)[:, 0] > 0) == truth).mean() > 0.95


def test_saved_and_loaded_says_the_same() -> None:
    texts, labels = make_orders(40, seed=2)
    view, again = fit(texts, labels), PhraseView()
    again.restore(unpack_arrays(pack_arrays(view.state())))
    np.testing.assert_allclose(say(again, texts), say(view, texts), atol=5e-3)
    np.testing.assert_array_equal(say(again, texts)[3:4], say(again, texts[3:4]))


@pytest.mark.parametrize("text", ["", " \n", "xyzzy plugh", "\ud800", "\0", "很好" * 3000, "👍👍", "a" * 5000])
def test_odd_texts_have_a_finite_answer(text: str) -> None:
    view = fit(*make_orders(10, seed=3))
    assert np.isfinite(say(view, [text])).all()
    assert say(view, []).shape == (0, 1)
    assert np.isfinite(say(fit(["", "", "a"], np.array([0, 1, 1])), [text])).all()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = make_orders(20, seed=4)
    view = fit(texts, labels)
    whole = say(view, texts)
    monkeypatch.setattr("floorwalker.detectors.content._phrases.CHUNK", 7)
    np.testing.assert_array_equal(say(view, texts), whole)


def test_three_classes_have_a_head_each() -> None:
    texts, labels = make_orders(60, seed=5)
    texts += [" ".join(np.random.default_rng(number).choice(WORDS, 12)) for number in range(60)]
    labels = np.concatenate([labels, np.full(60, 2)])
    told = say(fit(texts, labels, 3), texts)
    assert told.shape == (180, 3)
    np.testing.assert_allclose(told.sum(1), 0, atol=1e-4)
    assert (told.argmax(1) == labels).mean() > 0.95


def test_phrases_stand_among_the_views_of_a_classifier(tmp_path) -> None:
    texts, labels = make_orders(100, seed=6)
    asked, truth = make_orders(40, seed=7)
    classifier = TextClassifier(encoders=(), views=("phrases", "style"), folds=3)
    classifier.fit(texts, labels)
    assert set(classifier.validation) == {"phrases", "style", "grams"}
    assert classifier.chosen == "phrases"
    assert ((classifier.score(asked) > 0.5) == truth).mean() > 0.95
    classifier.save(tmp_path)
    np.testing.assert_allclose(TextClassifier.load(tmp_path).score(asked), classifier.score(asked), atol=0.01)
