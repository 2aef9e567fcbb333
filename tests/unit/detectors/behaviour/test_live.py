from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.behaviour.live import OUTPUTS, LiveBehaviour
from floorwalker.detectors.behaviour.model import BehaviourModel
from floorwalker.detectors.behaviour.tokens import ShopTokens
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.testing import behaviour as build


def test_any_batching_gives_the_scores_of_the_whole_history() -> None:
    history, model = build.events(300), build.model()
    wanted = model.score_history(ShopTokens.of(*history))
    rng = np.random.default_rng(3)
    live, start, found = LiveBehaviour(model, accounts=20, sessions=40), 0, []
    while start < 300:
        size = int(rng.integers(1, 40))
        found.append(live.advance(*build.part(history, start, start + size)))
        start += size
    assert np.concatenate(found) == pytest.approx(wanted, abs=1e-6, nan_ok=True)
    assert live.outputs == OUTPUTS
    assert wanted.shape[1] == len(OUTPUTS)


def test_without_account_and_session_nothing_is_said() -> None:
    history = build.events(300)
    scores = LiveBehaviour(build.model(), accounts=20, sessions=40).advance(*history)
    nobody = (history[0].keys["account"] == 0) & (history[0].keys["session"] == 0)
    assert nobody.any()
    assert np.isnan(scores[nobody]).all()
    known = scores[~nobody]
    assert ((known >= 0) & (known <= 1)).all()


def test_score_moves_nothing_and_sees_each_event_alone() -> None:
    live, history = LiveBehaviour(build.model(), accounts=20, sessions=40), build.events(100)
    live.advance(*build.part(history, 0, 80))
    before = {name: array.copy() for name, array in live.state().items()}
    together = live.score(*build.part(history, 80, 100))
    alone = np.concatenate([live.score(*build.part(history, row, row + 1)) for row in range(80, 100)])
    assert np.array_equal(together, alone, equal_nan=True)
    assert all(np.array_equal(array, before[name]) for name, array in live.state().items())
    assert np.array_equal(together[:1], live.advance(*build.part(history, 80, 81)), equal_nan=True)


def test_a_restored_state_goes_on_alike_and_a_foreign_one_is_refused() -> None:
    model, history = build.model(), build.events(200)
    live = LiveBehaviour(model, accounts=20, sessions=40)
    live.advance(*build.part(history, 0, 150))
    state = {name: array.copy() for name, array in live.state().items()}
    again = LiveBehaviour(model, accounts=20, sessions=40)
    again.advance(*build.part(history, 30, 60))
    again.restore(state)
    rest = build.part(history, 150, 200)
    assert np.array_equal(live.advance(*rest), again.advance(*rest), equal_nan=True)
    with pytest.raises(ArtefactError, match="belongs to the model"):
        LiveBehaviour(build.model(seed=5)).restore(state)
    with pytest.raises(ArtefactError, match="words"):
        LiveBehaviour(model, accounts=2, sessions=40).restore(state)
    with pytest.raises(ArtefactError, match="lacks"):
        again.restore({"version": state["version"]})


def test_the_oldest_are_forgotten_and_the_rest_stays_right() -> None:
    model, history = build.model(), build.events(400, people=60)
    small, large = LiveBehaviour(model, accounts=20, sessions=200), LiveBehaviour(model, accounts=200, sessions=200)
    few, many = [], []
    for start in range(0, 400, 7):
        few.append(small.advance(*build.part(history, start, start + 7)))
        many.append(large.advance(*build.part(history, start, start + 7)))
    figures = small.figures()
    assert figures["rows.account"] == 20
    assert figures["evicted.account"] > 20
    assert large.figures()["evicted.account"] == 0
    same = np.isclose(np.concatenate(few), np.concatenate(many), equal_nan=True).all(axis=1)
    assert 0.1 < same.mean() < 1


def test_what_changed_is_marked_for_snapshots() -> None:
    live, history = LiveBehaviour(build.model(), accounts=600, sessions=40), build.events(200, people=300)
    live.advance(*build.part(history, 0, 100))
    pages, first = live.pages()["rows.account"]
    assert first == 0
    held = live.state()["rows.account"].copy()
    changed = np.ones(len(pages.marks), np.bool_)
    pages.want(0, changed)
    live.advance(*build.part(history, 100, 200))
    pages.save(0, len(pages.marks), most=len(pages.marks))
    assert np.array_equal(pages.saved[: len(held)], held)
    assert not np.array_equal(live.state()["rows.account"][: len(held)], held)


def test_a_saved_model_scores_alike_and_damage_is_refused(tmp_path) -> None:
    model, history = build.model(), ShopTokens.of(*build.events(50))
    model.save(tmp_path)
    again = BehaviourModel.load(tmp_path)
    assert again.version == model.version
    assert np.array_equal(again.score_history(history), model.score_history(history), equal_nan=True)
    with (tmp_path / "weights.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtefactError, match="not the file of its manifest"):
        LiveBehaviour.load(tmp_path)


def test_reasons_name_the_event_and_explanations_the_events_that_mattered() -> None:
    model, history = build.model(), build.events(200)
    live = LiveBehaviour(model, accounts=20, sessions=40)
    scores = live.advance(*history)
    reasons = live.reasons(*history, scores, least=0.9)
    for row, named in enumerate(reasons):
        assert len(named) == (scores[row, :-1] >= 0.9).sum()
    assert any(reasons)
    key = int(history[0].keys["account"].max())
    found = [reason for kind in ABUSE_TYPES for reason in live.explain(account=key, session=key, abuse_type=kind)]
    assert found
    assert all("without it" in reason.text and 0 < reason.severity <= 1 for reason in found)
    assert live.explain(account=12345, abuse_type="scraping") == []
    with pytest.raises(UsageError, match="unknown abuse type"):
        live.explain(account=key, abuse_type="arson")
