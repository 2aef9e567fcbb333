"""Training: the truth is aligned with the parts, grammars change with their truth, the export equals the network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from floorwalker.evaluation.tasks._routes_sites import draw_sample
from floorwalker.features.routes._learning_walk import build_routes
from floorwalker.features.routes._network import RouteNetwork
from floorwalker.learning._route_augment import CHANGES, augment, splice
from floorwalker.learning._route_teacher import SiteSample, Teacher
from floorwalker.learning.routes import TrainingPlan, collect_examples, cut_sample, train_network
from floorwalker.models.onnx import OnnxModel


@pytest.fixture(scope="module")
def sample() -> SiteSample:
    return draw_sample("polish_comma", seed=1, items=80, requests=1500)


@pytest.mark.parametrize("family", ["polish_comma", "french_controller", "dated_magazine", "chinese_mobile"])
def test_the_truth_as_judge_gives_the_true_routes(family: str) -> None:
    """The walk itself loses nothing: what falls short is what the network decides."""
    from floorwalker.evaluation.tasks._routes_measures import v_measure

    sample = draw_sample(family, seed=2, items=150, requests=3000)
    cut = cut_sample(sample)
    machine, _ = build_routes(cut, sample.counts, sample.posts, Teacher(cut, sample.templates))
    found = np.full(len(cut), -1, np.int32)
    machine.walk(cut, found)
    assert (found >= 0).all()
    assert v_measure(sample.templates, found.tolist()) > 0.995


def matches(template: str, target: str) -> bool:
    path, known = target.partition("?")[0], template.partition("?")[0]
    return re.fullmatch(".*".join(re.escape(piece) for piece in re.split(r"\{\w+\}", known)), path) is not None


@pytest.mark.parametrize("change", [change for change, _ in CHANGES], ids=lambda change: change.__name__)
def test_a_changed_grammar_keeps_template_and_target_together(change, sample: SiteSample) -> None:  # type: ignore[no-untyped-def]
    pairs = list(zip(sample.templates, sample.targets, strict=True))
    for seed in range(4):
        changed = change(list(pairs), sorted(set(sample.templates)), np.random.default_rng(seed))
        assert len(changed) == len(pairs)
        wrong = [pair for pair in changed if not matches(*pair)]
        assert len(wrong) <= 0.02 * len(pairs), wrong[:3]


def test_augmenting_keeps_the_columns_aligned(sample: SiteSample) -> None:
    changed = augment(sample, np.random.default_rng(0))
    assert len(changed.targets) == len(changed.templates) == len(changed.counts) == len(changed.posts)
    assert len(set(changed.targets)) == len(changed.targets)
    joined = splice(sample, changed, np.random.default_rng(1))
    assert len(joined.targets) == len(joined.counts)


def test_a_tiny_training_learns_and_its_export_equals_it(sample: SiteSample) -> None:
    pytest.importorskip("torch")
    training = collect_examples([sample], sampled=40)
    plan = TrainingPlan(members=2, embedding=8, hidden=8, epochs=8, patience=8, batch=32, averaging=0.8, dropout=0.0)
    trained = train_network(training, training, seed=0, plan=plan)
    again = train_network(training, training, seed=0, plan=plan)
    assert trained.fingerprint == again.fingerprint
    assert trained.validation_loss == pytest.approx(again.validation_loss, rel=1e-3)
    assert trained.validation_accuracy > 0.6
    tokens, lengths, labels = training.stack()
    logits = RouteNetwork(OnnxModel(trained.onnx)).logits(tokens, lengths)
    asked = labels >= 0
    assert logits.shape == labels.shape
    assert ((logits > 0) == (labels == 1))[asked].mean() > 0.6


@pytest.mark.slow
def test_a_quick_training_comes_close_to_the_shipped_network(tmp_path: Path) -> None:
    """What ships can be made again from the code that ships."""
    pytest.importorskip("torch")
    from floorwalker.evaluation.tasks.routes import train_default
    from floorwalker.models.artefacts import DEFAULT, load_artefact

    facts = train_default(tmp_path / "routes", seed=0, quick=True)
    shipped = load_artefact(DEFAULT / "routes", name="routes", version=1).manifest["metrics"]
    made = facts["metrics"]["validation_v_measure"]["mean"]
    assert made > shipped["validation_v_measure"]["mean"] - 0.03
