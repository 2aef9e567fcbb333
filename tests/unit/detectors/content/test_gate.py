"""Trees over all views: kept where what is together matters, not kept where they only learn by heart."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.content._gate import LEAST_TEXTS, Gate
from floorwalker.detectors.content.classifier import GATE, TextClassifier
from floorwalker.errors import ArtefactError

PRAISE, BLAME = ("lovely", "great", "perfect", "fine"), ("broken", "late", "awful", "noisy")
THINGS = ("room", "bed", "lamp", "case", "phone", "cable", "shirt", "towel")


def make_reviews(count: int, seed: int):
    """Praise with one star is fake, and whatever has three: neither the words nor more or fewer stars tell."""
    random = np.random.default_rng(seed)
    praise, stars = random.random(count) < 0.5, random.choice([1, 3, 5], count)
    texts = [
        f"{random.choice(PRAISE if good else BLAME)} {random.choice(THINGS)} {random.choice(THINGS)}"
        for good in praise.tolist()
    ]
    fake = (praise & (stars == 1)) | (stars == 3)
    return texts, fake.astype(int), stars[:, None].astype(np.float32)


def make_classifier() -> TextClassifier:
    return TextClassifier(encoders=(), views=("words",), folds=2, objective="macro_f1")


@pytest.fixture(scope="module")
def told():
    texts, fake, stars = make_reviews(LEAST_TEXTS, 0)
    return make_classifier().fit(texts, fake, extra=stars)


def test_what_only_matters_together_is_found(told, tmp_path):
    assert told.trees_kept
    assert told.validation[GATE] > told.validation["harmless by " + told.chosen]
    texts, fake, stars = make_reviews(300, 1)
    score = told.score(texts, extra=stars)
    assert ((score > 0.5) == fake).mean() > 0.8
    assert np.array_equal(score[:7], told.score(texts[:7], extra=stars[:7]))
    told.save(tmp_path)
    loaded = TextClassifier.load(tmp_path)
    assert loaded.trees_kept
    assert ((loaded.score(texts, extra=stars) > 0.5) == (score > 0.5)).mean() > 0.98
    (tmp_path / "gate_0.txt").write_text("tree\n")
    with pytest.raises(ArtefactError):
        TextClassifier.load(tmp_path)


@pytest.mark.slow
def test_shuffled_labels_teach_trees_nothing():
    texts, fake, stars = make_reviews(LEAST_TEXTS, 2)
    shuffled = np.random.default_rng(3).permutation(fake)
    classifier = make_classifier().fit(texts, shuffled, extra=stars)
    others, truth, beside = make_reviews(400, 4)
    assert abs(((classifier.score(others, extra=beside) > 0.5) == truth).mean() - 0.5) < 0.12


def test_one_half_is_the_threshold(told):
    gate = Gate.read(told._gate.texts, told._gate.threshold)
    rows = np.zeros((1, gate.trees.features), np.float32)
    moved = Gate.read(gate.texts, float(gate.trees.raw(rows.astype(float))[0]))
    assert moved.score(rows)[0] == pytest.approx(0.5)
