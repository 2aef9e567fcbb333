"""Every detector in the folder passes every check, with each of the settings it names."""

from __future__ import annotations

import functools
import subprocess
import sys

import numpy as np
import pytest

from floorwalker.detectors.anomaly import Capabilities, Detector, list_detectors, load_detector
from floorwalker.errors import UsageError
from floorwalker.testing.detectors import CHECKS

CASES = [
    pytest.param(name, settings, id=f"{name}-{index}")
    for name in list_detectors()
    for index, settings in enumerate(load_detector(name).examples())
]

APPROXIMATE = [name for name in list_detectors() if load_detector(name).capabilities.approximate_above]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "settings"), CASES)
def test_contract(name, settings, check):
    check(functools.partial(load_detector(name), **settings))


@pytest.mark.parametrize("name", list_detectors())
def test_class_states_what_it_is(name):
    detector_class = load_detector(name)
    assert isinstance(detector_class.capabilities, Capabilities)
    assert detector_class.capabilities.source
    assert detector_class.capabilities.score_meaning
    assert isinstance(detector_class(), Detector)
    assert "Parameters" in detector_class.__doc__
    assert "Scores" in detector_class.__doc__


@pytest.mark.parametrize(
    "name", [name for name in list_detectors() if load_detector(name).capabilities.approximate_above]
)
def test_works_on_landmarks_above_the_stated_size(name):
    detector_class = load_detector(name)
    above = detector_class.capabilities.approximate_above
    rows = np.random.default_rng(1).normal(size=(above + 2000, 3)).astype(np.float32)
    rows[-20:] += 9
    scores = detector_class().fit(rows).score(rows)
    assert np.median(scores[-20:]) > np.quantile(scores[:-20], 0.99)


def test_no_detector_needs_scikit_learn_to_fit_or_score():
    script = """
import sys
import numpy as np
from floorwalker.detectors.anomaly import list_detectors, load_detector
rows = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
for name in list_detectors():
    load_detector(name)().fit(rows).score(rows)
print([name for name in ("sklearn", "torch") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_name_lists_the_known_and_guesses():
    with pytest.raises(UsageError, match="did you mean 'isolation_forest'"):
        load_detector("isolaton_forest")
