"""One model says whether it is abuse, small ones of which kind: shares add up, and a type is spoken of in its place."""

import shutil

import numpy as np
import pytest

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.errors import ArtefactError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.fusion.calibration import Calibration
from floorwalker.fusion.stacked import ANY, HANDS, SPOKEN, StackedFusion

ORDER, LOGIN, VIEW = (np.int16(TYPE_CODES[name]) for name in ("order", "login_succeeded", "page_view"))
FRAUD, TAKEOVER = ABUSE_TYPES.index("payment_fraud"), ABUSE_TYPES.index("account_takeover")
NAMES = ("oddness", "kind")


def trees(outputs: tuple[str, ...] = (ANY, *ABUSE_TYPES)) -> tuple[BoostedTrees, np.ndarray]:
    """Column 0 says whether it is abuse, column 1 of which of two kinds."""
    rows = np.random.default_rng(0).random((4000, 2)).astype(np.float32)
    bad = rows[:, 0] > 0.9
    label = np.full((len(rows), 1 + len(ABUSE_TYPES)), np.nan)
    label[:, 0] = bad
    label[bad, 1:] = 0.0
    label[bad & (rows[:, 1] > 0.5), 1 + FRAUD] = 1.0
    label[bad & (rows[:, 1] <= 0.5), 1 + TAKEOVER] = 1.0
    keep = [(ANY, *ABUSE_TYPES).index(name) for name in outputs]
    model = BoostedTrees(rounds=40, rate=0.3, max_bin=63, threads=1, validation_share=0.0, blind_rounds=40)
    return model.fit(rows, label[:, keep], names=NAMES, outputs=outputs), rows


@pytest.fixture(scope="module")
def fusion() -> StackedFusion:
    model, rows = trees()
    relevant = np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
    relevant[ORDER, [FRAUD, TAKEOVER]] = True
    relevant[LOGIN, TAKEOVER] = True
    ordinary = model.trees(ANY).score(rows[rows[:, 0] <= 0.9])
    return StackedFusion(model, relevant, StackedFusion.ranks_of(ordinary, len(ordinary)), {})


GRAVE = np.array([[0.97, 0.9], [0.97, 0.1], [0.97, 0.9], [0.97, 0.9], [0.2, 0.9]], np.float32)
TYPES = np.array([ORDER, ORDER, LOGIN, VIEW, ORDER], np.int16)


def test_shares_add_up_and_only_the_judged_types_have_one(fusion):
    scores = fusion.scores(GRAVE, TYPES)
    np.testing.assert_allclose(scores.sum(axis=1), fusion.suspect(GRAVE, TYPES), rtol=1e-5)
    assert scores[0, FRAUD] > 10 * scores[0, TAKEOVER] > 0
    assert scores[1, TAKEOVER] > 10 * scores[1, FRAUD] > 0
    assert np.flatnonzero(scores[2]).tolist() == [TAKEOVER]
    assert not scores[3].any()


def test_the_likeliest_type_has_the_whole_risk(fusion):
    risk = fusion.risk(fusion.scores(GRAVE, TYPES))
    assert risk[0].argmax() == FRAUD
    assert risk[1].argmax() == TAKEOVER
    assert risk[0].max() == pytest.approx(risk[2].max())
    assert risk[:3].max(axis=1).min() > SPOKEN > risk[4].max()
    assert not risk[3].any()


def test_what_is_common_is_shared_evenly_and_asks_no_small_model(fusion):
    scores = fusion.scores(GRAVE[4:], TYPES[4:])
    assert scores[0, FRAUD] == scores[0, TAKEOVER] > 0


def test_a_row_does_not_depend_on_the_rows_beside_it(fusion):
    together = fusion.scores(GRAVE, TYPES)
    for place in range(len(GRAVE)):
        np.testing.assert_array_equal(fusion.scores(GRAVE[[place]], TYPES[[place]])[0], together[place])


def test_rows_in_double_precision_are_judged_as_they_are(fusion):
    double = GRAVE.astype(np.float64)
    np.testing.assert_array_equal(fusion.scores(double, TYPES), fusion.scores(GRAVE, TYPES))
    threshold = fusion.trees.trees("payment_fraud").threshold[0]
    double[0, 1] = np.nextafter(threshold, 1.0)
    double[1, 1] = threshold
    one, other = fusion.scores(double, TYPES)[:2]
    assert one[FRAUD] != other[FRAUD]


def test_what_is_judged_is_the_risk_of_the_scores_where_it_is_spoken_of(fusion):
    rows = np.random.default_rng(4).random((300, 2)).astype(np.float32)
    types = np.random.default_rng(5).choice(TYPES, 300)
    whole = fusion.suspect(rows, types)
    risk = fusion.risk(fusion.scores(rows, types))
    np.testing.assert_array_equal(fusion.judge(rows, types, whole), np.where(risk >= SPOKEN, risk, 0))
    for row in range(300):
        alone = fusion.judge(rows[[row]], types[[row]], whole[[row]])
        expected = np.where(risk[row] >= SPOKEN, risk[row], 0)
        np.testing.assert_array_equal(np.zeros(len(ABUSE_TYPES)) if alone is None else alone[0], expected)


def test_a_risk_is_told_as_what_it_is(fusion):
    assert fusion.tell("payment_fraud", 0.4) == "it looks like payment fraud; one ordinary event in 100 looks as bad"
    sure = Calibration(np.array([0.0, 1.0]), np.array([0.2, 0.8]))
    told = StackedFusion(fusion.trees, fusion.relevant, fusion.ranks, {"payment_fraud": sure})
    assert told.tell("payment_fraud", 0.4) == "the models take it for payment fraud with a probability of 0.40"
    assert "looks as bad" in told.tell("account_takeover", 0.4)


def test_reasons_name_the_abuse_type(fusion):
    (because,) = fusion.reasons(GRAVE[:1], "payment_fraud")
    assert because[0].code == "transaction.payment_fraud.oddness"


def test_it_is_read_as_it_was_written(fusion, tmp_path):
    fusion.save(tmp_path / "fusion", facts={})
    again = StackedFusion.load(tmp_path / "fusion")
    assert again.version == fusion.version
    np.testing.assert_array_equal(again.scores(GRAVE, TYPES), fusion.scores(GRAVE, TYPES))
    np.testing.assert_array_equal(again.risk(again.scores(GRAVE, TYPES)), fusion.risk(fusion.scores(GRAVE, TYPES)))


@pytest.fixture(scope="module")
def with_hands(fusion) -> StackedFusion:
    """The second opinion goes by the other column."""
    rows = np.random.default_rng(7).random((4000, 2)).astype(np.float32)
    model = BoostedTrees(rounds=40, rate=0.3, max_bin=63, threads=1, validation_share=0.0, blind_rounds=40)
    hands = model.fit(rows, (rows[:, 1] > 0.9)[:, None], names=NAMES, outputs=(HANDS,))
    ordinary = hands.trees(HANDS).score(rows[rows[:, 1] <= 0.9])
    ranks = StackedFusion.ranks_of(ordinary, len(ordinary))
    return StackedFusion(fusion.trees, fusion.relevant, fusion.ranks, {}, hands, ranks)


def test_whoever_looks_guilty_twice_comes_first(fusion, with_hands):
    columns = np.array([[0.97, 0.1], [0.97, 0.95], [0.2, 0.95], [0.2, 0.1]], np.float32)
    whole = fusion.suspect(columns, np.full(4, ORDER))
    first = fusion.suspicion(whole, columns)
    assert fusion.speaks_of(whole).tolist() == [True, True, False, False]
    both = with_hands.suspicion(whole, columns)
    assert both[1] > both[0] > both[2:].max()
    assert not both[2:].any()
    assert not first[2:].any()
    assert both.max() <= 1
    # Alone as beside others, and no risk moves.
    np.testing.assert_array_equal([with_hands.suspicion(whole[[row]], columns[[row]])[0] for row in range(4)], both)
    np.testing.assert_array_equal(with_hands.scores(GRAVE, TYPES), fusion.scores(GRAVE, TYPES))
    types = np.full(4, ORDER)
    np.testing.assert_array_equal(with_hands.judge(columns, types, whole), fusion.judge(columns, types, whole))


def test_the_second_opinion_is_written_and_read(fusion, with_hands, tmp_path):
    with_hands.save(tmp_path / "fusion", facts={})
    again = StackedFusion.load(tmp_path / "fusion")
    assert again.version == with_hands.version != fusion.version
    whole = fusion.suspect(GRAVE, TYPES)
    np.testing.assert_array_equal(again.suspicion(whole, GRAVE), with_hands.suspicion(whole, GRAVE))
    # One whose ranks are not known says nothing, and is no other model for it.
    silent = StackedFusion(fusion.trees, fusion.relevant, fusion.ranks, {}, with_hands.hands, None)
    silent.save(tmp_path / "silent", facts={})
    assert not (tmp_path / "silent" / "hands").exists()
    assert StackedFusion.load(tmp_path / "silent").version == silent.version == fusion.version
    # What stands there from before is not heard by a fusion without one.
    fusion.save(tmp_path / "fusion", facts={})
    assert StackedFusion.load(tmp_path / "fusion").hands is None
    with_hands.save(tmp_path / "fusion", facts={})
    other = BoostedTrees(rounds=5, threads=1, validation_share=0.0, blind_rounds=5)
    rows = np.random.default_rng(0).random((100, 2))
    other.fit(rows, (rows[:, 0] > 0.5)[:, None], names=("x", "y"), outputs=(HANDS,)).save(tmp_path / "fusion" / "hands")
    with pytest.raises(ArtefactError, match="other columns"):
        StackedFusion.load(tmp_path / "fusion")
    shutil.rmtree(tmp_path / "fusion" / "hands")
    with pytest.raises(ArtefactError, match="hands"):
        StackedFusion.load(tmp_path / "fusion")


def test_trees_that_cannot_say_whether_are_refused():
    model, _ = trees(ABUSE_TYPES)
    with pytest.raises(ArtefactError, match="allowed: one for 'any'"):
        StackedFusion(model, np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_), None, {})


def test_a_calm_event_is_one_of_which_nothing_is_spoken(fusion):
    rows = np.random.default_rng(3).random((500, 2)).astype(np.float32)
    types = np.full(len(rows), ORDER)
    whole = fusion.suspect(rows, types)
    calm = np.array([fusion.is_calm(whole[row : row + 1]) for row in range(len(rows))])
    risk = fusion.risk(fusion.scores(rows, types, whole))
    np.testing.assert_array_equal(risk, fusion.risk(fusion.scores(rows, types)))
    assert risk[calm].max() < SPOKEN
    assert calm[risk.max(axis=1) < SPOKEN - 0.05].all()
    assert 100 < calm.sum() < len(rows)
    assert fusion.is_calm(whole[calm])
    assert not fusion.is_calm(whole)
