from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from floorwalker.detectors.behaviour.live import LiveBehaviour
from floorwalker.detectors.behaviour.streams import make_stream
from floorwalker.detectors.behaviour.tokens import ShopTokens
from floorwalker.detectors.behaviour.training import draw_sequences, train_behaviour
from floorwalker.errors import InputError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.testing import behaviour as build

pytest.importorskip("torch")
TINY = {"hidden": 6, "embedding": 4, "epochs": 1}


def labels(n: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((n, len(ABUSE_TYPES))) < 0.05).astype(np.float32)


def test_a_shop_without_sessions_or_labels_learns_what_there_is() -> None:
    pair = build.events(400)
    history = ShopTokens.of(*pair)
    nobody = np.zeros(400, np.uint64)
    alone = train_behaviour(replace(history, session=nobody), labels(400), validation_from=300, **TINY)
    scores = alone.score_history(replace(history, session=nobody))
    assert np.array_equal(np.isnan(scores[:, 0]), history.account == 0)
    unknown = np.full((400, len(ABUSE_TYPES)), np.nan, np.float32)
    unlabelled = train_behaviour(history, unknown, validation_from=400, **TINY)
    live = LiveBehaviour(unlabelled, accounts=50, sessions=50).advance(*pair)
    assert live == pytest.approx(unlabelled.score_history(history), abs=1e-6, nan_ok=True)
    assert np.nanmax(live[:, -1]) > 0.9
    with pytest.raises(InputError, match="somebody"):
        train_behaviour(replace(history, session=nobody, account=nobody), labels(400), validation_from=300, **TINY)
    for wrong, border, message in (
        (labels(5), 300, "shape"),
        (labels(400) * 2, 300, "other than"),
        (labels(400), 9, "learn"),
    ):
        with pytest.raises(InputError, match=message):
            train_behaviour(history, wrong, validation_from=border, **TINY)


def test_what_is_behind_the_border_teaches_no_weight() -> None:
    history, known = ShopTokens.of(*build.events(400)), labels(400)
    first = train_behaviour(history, known, validation_from=300, **TINY)
    other = np.concatenate([known[:300], 1 - known[300:]])
    second = train_behaviour(history, other, validation_from=300, **TINY)
    for name, array in first.account.state().items():
        assert np.array_equal(array, getattr(second.account, name)), name


def test_sequences_with_abuse_stay_and_the_others_are_drawn_with_their_weight() -> None:
    history, known = ShopTokens.of(*build.events(3000, people=150)), np.zeros((3000, len(ABUSE_TYPES)), np.float32)
    guilty = history.account[np.flatnonzero(history.account)[:5]]
    known[np.isin(history.account, guilty), 0] = 1
    stream = make_stream(history, "account")
    picked, weights = draw_sequences(stream, known, 3000, 1000, np.random.default_rng(1))
    assert {*guilty.tolist()} <= {*history.account[picked.rows].tolist()}
    bad = np.isin(history.account[picked.rows], guilty)
    assert (weights[bad] == 1).all()
    assert weights[~bad].min() > 1
    assert weights.sum() == pytest.approx(len(stream.rows), rel=0.25)


_PROCESS = """
import numpy as np
from floorwalker.detectors.behaviour import SequenceLSTM, Vocabulary
lists = [["a", "b", "c"] * (1 + place % 7) for place in range(60)]
words = Vocabulary.fit(lists)
labels = np.arange(60) % 2
model = SequenceLSTM(hidden=6, embedding=4, epochs=2, seed=1).fit(words.encode(lists), labels)
print(model.score(words.encode(lists)).tobytes().hex())
"""


@pytest.mark.slow
def test_two_processes_learn_one_model() -> None:
    given = {
        **os.environ,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29553",
        "OMP_NUM_THREADS": "1",
    }
    started = [
        subprocess.Popen([sys.executable, "-c", _PROCESS], env={**given, "RANK": str(rank)}, stdout=subprocess.PIPE)
        for rank in range(2)
    ]
    answers = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert answers[0] == answers[1] != b""
