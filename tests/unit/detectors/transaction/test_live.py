"""Trees over live features: columns found by name, the same bits whatever the batching."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.detectors.transaction.live import LiveTransactions, feature_meanings, make_rows, row_names
from floorwalker.errors import UsageError
from floorwalker.evaluation.benchmarks._feature_traffic import make_traffic
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.features.live import DEFAULT, FeatureBatch, LiveFeatures


@pytest.fixture(scope="module")
def traffic():
    batch = make_traffic(600, seed=1, batch=600)[0]
    return batch, LiveFeatures(seed=1).advance(batch)


@pytest.fixture(scope="module")
def live(traffic):
    batch, features = traffic
    rows, names = make_rows(batch, features), row_names(features.names)
    labels = np.zeros((len(rows), 2))
    labels[:, 0] = rows[:, names.index("event.amount_minor")] > 4_000
    labels[:, 1] = batch.numbers["status"] == 404
    model = BoostedTrees(rounds=8, threads=1, rate=0.3, max_bin=255, validation_share=0, blind_rounds=8).fit(
        rows, labels, names=names, outputs=["payment_fraud", "scraping"]
    )
    model.meanings = feature_meanings()
    return LiveTransactions(model)


def test_a_column_for_each_abuse_type_and_nan_where_nothing_was_learned(traffic, live):
    scores = live.advance(*traffic)
    assert scores.shape == (600, len(ABUSE_TYPES))
    assert scores.dtype == np.float32
    learned = [ABUSE_TYPES.index("payment_fraud"), ABUSE_TYPES.index("scraping")]
    assert not np.isnan(scores[:, learned]).any()
    assert np.isnan(np.delete(scores, learned, axis=1)).all()


def test_replaying_gives_the_same_bits_whatever_the_batching(traffic, live):
    batch, features = traffic
    together = live.score(batch, features)
    alone = [live.advance(batch.take([row]), features.take([row])) for row in range(0, 600, 37)]
    assert np.array_equal(np.concatenate(alone), together[::37], equal_nan=True)
    live.restore(live.state())
    assert np.array_equal(live.score(batch, features), together, equal_nan=True)


def test_features_are_found_by_name_and_missing_ones_are_missing(traffic, live):
    batch, features = traffic
    turned = FeatureBatch(
        features.event_ids, features.as_of, features.values[:, ::-1], features.names[::-1], features.missing[:, ::-1]
    )
    assert np.array_equal(live.score(batch, turned), live.score(batch, features), equal_nan=True)
    few = FeatureBatch(features.event_ids, features.as_of, features.values[:, :3], features.names[:3],
                       features.missing[:, :3])  # fmt: skip
    assert np.isnan(live.rows(batch, few)[:, 3 : len(DEFAULT)]).all()
    # A feature that has the name of a number of the event is not that number.
    assert np.isnan(make_rows(batch, few, ["amount_minor"])).all()


def test_reasons_are_given_where_the_score_is_high(traffic, live, tmp_path):
    batch, features = traffic
    scores = live.score(batch, features)
    found = live.reasons(batch, features, scores, least=0.3)
    high = np.nanmax(scores, axis=1) >= 0.3
    assert high.any()
    assert [bool(reasons) for reasons in found] == high.tolist()
    codes = {reason.code for reasons in found for reason in reasons}
    assert "transaction.payment_fraud.event.amount_minor" in codes
    live.model.save(tmp_path)
    again = LiveTransactions.load(tmp_path)
    assert again.version == live.version
    assert again.reasons(batch, features, scores, least=0.3) == found


def test_every_live_feature_has_a_phrase_and_outputs_are_abuse_types():
    assert {feature.name for feature in DEFAULT} <= set(feature_meanings())
    model = BoostedTrees(rounds=1, threads=1).fit([[0.0], [1.0]] * 20, [0, 1] * 20)
    with pytest.raises(UsageError, match="score"):
        LiveTransactions(model)
