"""What a name, or several of them, make for a detector."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.anomaly.ensemble import Ensemble
from floorwalker.errors import UsageError
from floorwalker.scan.model import detector_maker


def test_detectors_joined_by_commas_are_asked_together() -> None:
    rows = np.random.default_rng(4).normal(size=(120, 3)).astype(np.float32)
    detector = detector_maker("histogram, knn,histogram")()
    detector.fit(rows)
    expected = Ensemble(members=("histogram", "knn")).fit(rows).score(rows)
    assert np.array_equal(detector.score(rows), expected)


@pytest.mark.parametrize("names", ["knn,forrest", "knn,ensemble", ","])
def test_names_that_make_no_detector_are_refused(names: str) -> None:
    with pytest.raises(UsageError):
        detector_maker(names)
