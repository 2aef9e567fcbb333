"""The process in the background: scores come later, never wait, and outlive the worker."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from floorwalker.detectors.content.background import BackgroundScorer
from floorwalker.detectors.content.classifier import TextClassifier
from floorwalker.errors import UsageError

GOOD = ["a quiet room and kind people", "we slept well, breakfast was fine", "clean and near the station"]
BAD = ["BUY NOW!!! cheap cheap", "best price!!! click now", "cheap watches!!! buy buy"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    classifier = TextClassifier(encoders=(), views=("characters", "style"), folds=2)
    classifier.fit(GOOD * 3 + BAD * 3, [0] * 9 + [1] * 9).save(folder)
    return folder


def collect_all(scorer: BackgroundScorer, count: int, seconds: float = 60) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    ends = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < ends:
        scorer.wait(0.5)
        found |= scorer.collect()
    return found


@pytest.mark.slow
def test_scores_come_later_and_equal_those_of_the_same_process(saved: Path) -> None:
    with BackgroundScorer(saved) as scorer:
        assert not scorer.status().ready
        scorer.submit([f"e{place}" for place in range(7)], [*GOOD, *BAD, None])
        found = collect_all(scorer, 6)
        assert scorer.status().ready
        assert scorer.collect() == {}
    expected = TextClassifier.load(saved).score([*GOOD, *BAD])
    assert [found[f"e{place}"] for place in range(6)] == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.slow
def test_worker_that_dies_is_started_again_and_loses_nothing(saved: Path) -> None:
    with BackgroundScorer(saved) as scorer:
        scorer.submit(["a"], GOOD[:1])
        assert collect_all(scorer, 1).keys() == {"a"}
        os.kill(scorer._process.pid, signal.SIGKILL)
        scorer.submit(["b", "c"], BAD[:2])
        assert collect_all(scorer, 2).keys() == {"b", "c"}
        assert scorer.status().restarts == 1
        assert not scorer.status().degraded


@pytest.mark.slow
def test_broken_model_degrades_the_answer_and_says_so(tmp_path: Path) -> None:
    with BackgroundScorer(tmp_path, restarts=1) as scorer:
        scorer.submit(["a"], GOOD[:1])
        assert scorer.wait(60)
        status = scorer.status()
        assert status.degraded
        assert status.dropped == 1
        scorer.submit(["b"], GOOD[:1])
        assert scorer.collect() == {}


def test_a_process_that_cannot_be_started_degrades_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with BackgroundScorer(tmp_path, restarts=1) as scorer:
        scorer.submit(["a"], GOOD[:1])
        assert scorer.wait(60)
        status = scorer.status()
    assert status.degraded
    assert "cannot be started" in status.reason


def test_a_process_that_says_no_answers_degrades_the_answer(tmp_path: Path) -> None:
    with BackgroundScorer(tmp_path, restarts=1, module="this") as scorer:
        scorer.submit(["a"], GOOD[:1])
        assert scorer.wait(60)
        status = scorer.status()
    assert status.degraded
    assert "no answer" in status.reason


def test_too_many_push_out_the_oldest(tmp_path: Path) -> None:
    with BackgroundScorer(tmp_path, most=3) as scorer:
        scorer.submit([str(number) for number in range(10)], GOOD[:1] * 10)
        assert scorer.status().waiting <= 3
        assert scorer.status().dropped >= 7
        with pytest.raises(UsageError):
            scorer.submit(["a"], [])


def test_room_is_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        BackgroundScorer(tmp_path, most=0)
