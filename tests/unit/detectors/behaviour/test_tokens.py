from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from floorwalker.detectors.behaviour.sequences import Field, Sequences, Vocabulary, octave
from floorwalker.detectors.behaviour.streams import make_stream
from floorwalker.detectors.behaviour.tokens import EVENT_FIELDS, FEATURES, SHOP_FIELDS, ShopTokens, shop_tokens
from floorwalker.errors import InputError, UsageError
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live.defaults import DEFAULT
from floorwalker.testing import behaviour as build

PLACES = {field.name: place for place, field in enumerate(SHOP_FIELDS)}


def test_every_feature_that_becomes_a_token_exists() -> None:
    known = {feature.name for feature in DEFAULT}
    assert {name for _, name, _ in FEATURES} <= known


def test_tokens_stay_within_their_fields_and_types_keep_their_codes() -> None:
    batch, features = build.events(2000)
    tokens = shop_tokens(batch, features)
    for place, field in enumerate(EVENT_FIELDS):
        assert tokens[:, place].max() < field.size, field.name
    assert (tokens[:, 0] == batch.type + 1).all()
    assert len(EVENT_TYPES) < EVENT_FIELDS[0].size
    amounts = tokens[:, PLACES["amount"]]
    assert np.array_equal(amounts, octave(batch.numbers["amount_minor"]))
    assert {*np.unique(tokens[:, PLACES["client"]])} == {0, 1, 2}


def test_odd_numbers_are_no_fault() -> None:
    batch, features = build.events(5)
    numbers = {name: np.array([np.inf, -np.inf, -5.0, 1e300, np.nan]) for name in batch.numbers}
    features.values[:] = np.array([np.inf, -np.inf, -5.0, 1e30, np.nan], np.float32)[:, None]
    with np.errstate(over="ignore"):
        tokens = shop_tokens(replace(batch, numbers=numbers), features)
    for place, field in enumerate(EVENT_FIELDS):
        assert tokens[:, place].max() < field.size, field.name


def test_a_shop_that_counts_less_has_gaps_in_its_tokens_and_nothing_else() -> None:
    batch, features = build.events(50)
    fewer = replace(features, values=features.values[:, 1:], names=features.names[1:])
    whole, less = shop_tokens(batch, features), shop_tokens(batch, fewer)
    place = 8
    assert whole[:, place].any()
    assert not less[:, place].any()
    assert np.array_equal(np.delete(whole, place, 1), np.delete(less, place, 1))


def test_streams_hold_each_owner_in_order_and_know_what_changed() -> None:
    history = ShopTokens.of(*build.events(500))
    stream = make_stream(history, "account")
    assert sorted(stream.rows.tolist()) == np.flatnonzero(history.account).tolist()
    for number in range(len(stream.sequences)):
        rows = stream.rows[stream.sequences.starts[number] : stream.sequences.starts[number + 1]]
        assert len({*history.account[rows].tolist()}) == 1
        assert (np.diff(rows) > 0).all()
        gaps = stream.sequences.tokens[stream.sequences.starts[number] :, PLACES["gap"]]
        assert gaps[0] == 0
        device = None
        latest = history.at[rows[0]]
        for step, row in enumerate(rows.tolist()):
            changed = stream.sequences.tokens[stream.sequences.starts[number] + step, PLACES["device_changed"]]
            now = int(history.device[row])
            assert changed == (0 if not now or device is None else 1 + (now != device))
            if step:
                sixteenths = max(int(history.at[row]) - int(latest), 0) // 62_500
                assert gaps[step] == 1 + min(sixteenths.bit_length(), 30)
            latest = max(latest, history.at[row])
            device = now or device


def test_vocabularies_take_words_gaps_and_amounts() -> None:
    words = Vocabulary.fit([["a", "b", "a"], ["a", "c"]], gaps=True, amounts=True, most=2)
    assert words.words == ("a", "b")
    found = words.encode([["c", "a"], []], [[np.nan, 1.0], []], [[0.0, -3.0], []])
    assert found.tokens.tolist() == [[0, 0, 1], [1, 6, 1]]
    assert found.lengths.tolist() == [2, 0]
    for given, message in (
        ((([["a"]]),), "missing"),
        (([["a"]], [[1.0, 2.0]], [[1.0]]), "other lengths"),
    ):
        with pytest.raises(InputError, match=message):
            words.encode(*given)
    with pytest.raises(InputError, match="no events"):
        Vocabulary.fit([[]])


def test_sequences_that_do_not_fit_are_refused() -> None:
    of = (Field("act", 3),)
    for tokens, starts, message in (
        (np.array([[3]]), [0, 1], "has the code 3"),
        (np.array([[-1]]), [0, 1], "code"),
        (np.array([[0.5]]), [0, 1], "type"),
        (np.array([[1, 1]]), [0, 1], "shape"),
        (np.array([[1]]), [0, 2], "starts"),
    ):
        with pytest.raises(InputError, match=message):
            Sequences(tokens, np.array(starts), of)
    with pytest.raises(UsageError, match="codes"):
        Field("none", 0)
    three = Sequences(np.array([[0], [1], [2]]), np.array([0, 1, 1, 3]), of)
    assert three.take([2, 0]).tokens.tolist() == [[1], [2], [0]]
    assert three.head(np.array([1, 1, 1])).tokens.tolist() == [[0], [1]]
