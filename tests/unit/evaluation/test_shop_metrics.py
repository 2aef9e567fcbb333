"""What a risk team asks of risks, on a made-up test part small enough to count by hand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from floorwalker.evaluation.tasks._shop_metrics import (
    NAMED_POINTS,
    Judged,
    judge_campaigns,
    judge_customers,
    judge_events,
    judge_fairness,
    judge_reviews,
    judge_unseen,
)
from floorwalker.evaluation.tasks._shop_thresholds import event_threshold, type_thresholds
from floorwalker.events.types import TYPE_CODES

DAY = 86_400_000_000
ORDER = TYPE_CODES["order"]
NO_ORDERS = pl.Series("order", [], pl.String)


def part(*rows: tuple[str | None, str, float, float]) -> Judged:
    """Events as (account, phase, risk, loss), one an hour."""
    accounts, phases, risks, losses = zip(*rows, strict=True)
    bad = [phase != "" for phase in phases]
    truth = pl.DataFrame(
        {
            "phase": phases, "abuse_type": ["promotion_abuse" if one else "" for one in bad],
            "campaign": [0 if one else -1 for one in bad],
            "adversary": ["human_farms" if one else "" for one in bad],
            "family": ["human_farms" if one else "" for one in bad],
            "skill": ["expert" if one else "" for one in bad], "loss_minor": losses,
            "segment": ["traveller" if one == "t" else "resident" for one in accounts], "account": accounts,
            "session": ["s"] * len(rows),
        }
    )  # fmt: skip
    n = len(rows)
    return Judged(
        np.array(risks, np.float32)[:, None], np.array(risks, np.float32), truth, np.arange(n) * DAY // 24,
        np.full(n, ORDER, np.int16),
        np.full(n, 1e9, np.float32), np.zeros(n, np.bool_), NO_ORDERS.extend_constant(None, n),
    )  # fmt: skip


TEST = part(
    ("a", "", 0.1, 0), ("b", "", 0.2, 0), ("x", "preparatory", 0.9, 0), ("x", "harmful", 0.4, 30),
    ("c", "", 0.8, 0), ("x", "harmful", 0.9, 70), ("y", "harmful", 0.3, 100), ("d", "", 0.3, 0),
)  # fmt: skip


def test_a_threshold_is_what_that_share_of_honest_events_reaches():
    assert (TEST.score[TEST.honest] >= event_threshold(TEST, 0.25)).sum() == 1
    assert (TEST.score[TEST.honest] >= event_threshold(TEST, 0.0)).sum() == 0
    assert event_threshold(TEST, 1.0) < 1e-5


def test_ties_do_not_touch_more_than_the_share():
    many = part(*[("a", "", 0.5, 0.0)] * 9, ("b", "", 0.9, 0.0))
    assert (many.score >= event_threshold(many, 0.5)).mean() == 0.1


def test_recall_counts_harmful_events_and_false_alarms_honest_ones():
    found = judge_events(TEST, 0.5)
    assert found["recall"] == pytest.approx(1 / 3)
    assert found["fpr"] == pytest.approx(1 / 4)
    assert found["precision"] == pytest.approx(1 / 2)
    assert found["recall_by_skill"] == {"expert": pytest.approx(1 / 3)}


def test_customers_are_caught_once_and_what_comes_after_is_saved():
    found = judge_customers(TEST, 0.5)
    assert found["customer"] == {
        "recall_at_insult_0_5": 0.5, "insult_rate": pytest.approx(0.25), "abusers": 2, "honest": 4,
    }  # fmt: skip
    assert found["value"]["recall"] == pytest.approx(0.5)
    assert found["abuse_type"]["recall"] == {"promotion_abuse": 0.5}


def test_an_account_meets_a_decision_where_it_asks_for_something_a_guest_everywhere():
    people = part(("a", "harmful", 0.9, 10), ("b", "harmful", 0.9, 10), (None, "harmful", 0.9, 10))
    people.type[:] = [TYPE_CODES["code_sent"], TYPE_CODES["page_view"], TYPE_CODES["page_view"]]
    assert people.decided().tolist() == [True, False, True]
    assert people.decided(NAMED_POINTS).tolist() == [False, False, True]
    assert judge_customers(people, 0.5)["value"]["recall"] == pytest.approx(2 / 3)
    assert judge_customers(people, 0.5, points=NAMED_POINTS)["value"]["recall"] == pytest.approx(1 / 3)


def test_a_longer_part_gets_a_stricter_threshold_where_the_same_customers_come_again():
    luck = np.random.default_rng(1).permutation(200)
    people = part(*[(f"p{place % 100}", "", luck[place] / 200, 0.0) for place in range(200)])
    equal, twice = type_thresholds(people, 0.1, 200)[0], type_thresholds(people, 0.1, 400)[0]
    touched = [len(set(people.truth["account"].filter(people.score >= edge))) for edge in (equal, twice)]
    # A half touches half as many of its hundred as the whole does.
    assert touched == [10, 5]


def test_new_customers_are_touched_as_often_in_a_longer_part():
    people = part(*[(f"p{number}", "", (number * 37 % 100) / 100, 0.0) for number in range(100)])
    assert type_thresholds(people, 0.1, 100) == type_thresholds(people, 0.1, 200)


def test_customers_who_are_touched_every_day_are_no_more_in_a_longer_part():
    people = part(*[(f"p{number}", "", number / 100, 0.0) for number in range(100)] * 2)
    assert type_thresholds(people, 0.1, 200) == type_thresholds(people, 0.1, 400)


def two_kinds(seed: int) -> Judged:
    """Honest customers of whom every eighth looks guilty of the first kind; abusers look a little guilty of the second
    kind, at which hardly an honest customer does."""
    rng = np.random.default_rng(seed)
    honest = part(*[(f"p{number}", "", 0.0, 0.0) for number in range(800)])
    bad = part(*[(f"x{number}", "harmful", 0.0, 10.0) for number in range(100)])
    first = np.r_[np.where(rng.random(800) < 0.125, 0.7, 0.0), np.where(rng.random(100) < 0.1, 0.7, 0.0)]
    second = np.r_[np.where(rng.random(800) < 0.01, 0.5, 0.0), np.where(rng.random(100) < 0.8, 0.5, 0.0)]
    order = rng.permutation(900)
    risk = np.column_stack([first, second])[order].astype(np.float32)
    return Judged(
        risk, risk.max(axis=1), pl.concat([honest.truth, bad.truth])[order],
        np.arange(900) * DAY // 24, np.full(900, ORDER, np.int16), np.full(900, 1e9, np.float32),
        np.zeros(900, np.bool_), NO_ORDERS.extend_constant(None, 900),
    )  # fmt: skip


def test_a_kind_that_is_told_apart_badly_gets_a_higher_threshold():
    learned, later = two_kinds(1), two_kinds(2)
    # One threshold for both kinds has to stand above what an eighth of the honest reach.
    common = judge_customers(later, 0.71)
    thresholds = type_thresholds(learned, 0.02, 900)
    assert thresholds[0] > 0.7
    assert thresholds[1] <= 0.5
    found = judge_customers(later, thresholds)
    assert common["customer"]["recall_at_insult_0_5"] == 0
    assert found["customer"]["recall_at_insult_0_5"] > 0.7
    assert found["customer"]["insult_rate"] < 0.02
    assert found["value"]["recall"] > 0.7


@pytest.mark.parametrize(("share", "common"), [(0.0, 0.71), (0.005, 0.71), (0.3, 0.5)])
def test_no_more_are_touched_than_the_share_where_thresholds_are_set(share, common):
    learned = two_kinds(3)
    found = judge_customers(learned, type_thresholds(learned, share, 900))
    assert found["customer"]["insult_rate"] <= share
    # Never worse than the lowest threshold for all.
    alike = judge_customers(learned, common)
    assert alike["customer"]["insult_rate"] <= share
    assert found["customer"]["recall_at_insult_0_5"] >= alike["customer"]["recall_at_insult_0_5"]


def test_the_latest_part_alone_says_who_is_touched():
    learned = two_kinds(4)
    # In the first half nobody honest looks guilty of the second kind; in the second half one in five does.
    learned.risk[:450, 1] = np.where(learned.honest[:450], 0.0, learned.risk[:450, 1])
    learned.risk[450:540, 1] = 0.5
    assert judge_customers(learned, type_thresholds(learned, 0.02, 900))["customer"]["insult_rate"] <= 0.02
    late = learned.latest(0.5)
    assert len(late.at) == 450
    found = judge_customers(late, type_thresholds(learned, 0.02, 450, latest=0.5))
    assert found["customer"]["insult_rate"] <= 0.02


def test_a_part_without_abusers_has_one_threshold_for_all():
    people = part(*[(f"p{number}", "", number / 100, 0.0) for number in range(100)])
    (threshold,) = type_thresholds(people, 0.1, 100)
    assert 0.89 < threshold < 0.91
    assert judge_customers(people, threshold)["customer"]["insult_rate"] == pytest.approx(0.1)


def test_days_segments_campaigns_and_unseen_families():
    assert judge_reviews(TEST, before=part(("z", "", 0.1, 0)), seed=0)["precision_200"] == pytest.approx(2 / 6)
    assert judge_campaigns(TEST, 0.95)["loss_before_flag"] == 1.0
    assert judge_campaigns(TEST, 0.5)["loss_before_flag"] == 0.0
    assert judge_unseen(TEST, 0.5) == {"recall_at_fpr_1_0": pytest.approx(1 / 3), "events": 3}
    many = part(*[("a", "", 0.1, 0.0)] * 300, *[("t", "", 0.9, 0.0)] * 100)
    assert judge_fairness(many, 0.5)["max_fpr_ratio"] == pytest.approx(4.0)


def test_a_parcel_is_as_suspicious_as_its_order_was(monkeypatch: pytest.MonkeyPatch):
    """Both were suspected alike a week ago; only one's order leaves today, and by then the other is forgotten."""
    monkeypatch.setattr("floorwalker.evaluation.tasks._shop_metrics.FIRST", 1)
    before = part(("x", "harmful", 0.9, 1), ("a", "", 0.9, 0), ("b", "", 0.3, 0))
    before = replace(before, order=pl.Series("order", ["o-1", "o-2", None]))
    later = part(("a", "", 0.1, 0), ("b", "", 0.3, 0), ("x", "preparatory", 0.0, 0))
    later = replace(later, at=later.at + 7 * DAY, order=pl.Series("order", ["o-3", None, "o-1"]))
    assert judge_reviews(later, before=before, seed=0)["precision_200"] == 1.0
    assert later.latest(0.4).order.to_list() == ["o-1"]
    unknown = replace(later, order=pl.Series("order", ["o-3", None, "o-4"]))
    assert judge_reviews(unknown, before=before, seed=0)["precision_200"] == 0.0
    # Parcels without account and visit are nobody's whom a team could look at.
    guest = replace(later, truth=later.truth.with_columns(account=None, session=pl.Series(["s", "s", None])))
    assert judge_reviews(guest, before=before, seed=0)["precision_200"] == 0.0


def test_whom_a_team_suspected_yesterday_it_looks_at_today(monkeypatch: pytest.MonkeyPatch):
    """Of two who do the same today, the one who was caught before comes first; of her today's risk says nothing."""
    monkeypatch.setattr("floorwalker.evaluation.tasks._shop_metrics.FIRST", 1)
    yesterday = part(("x", "harmful", 0.9, 1), ("a", "", 0.2, 0))
    today = part(("a", "", 0.3, 0), ("x", "preparatory", 0.2, 0))
    today = replace(today, at=today.at + DAY)
    told = judge_reviews(today, before=yesterday, seed=0)
    assert told["precision_200"] == 1.0
    assert told["precision_200_by_risk"] == 0.0
    # The one before is nobody of today, and what is told of her truth moves nothing.
    innocent = replace(yesterday, truth=yesterday.truth.with_columns(phase=pl.lit("")))
    assert judge_reviews(today, before=innocent, seed=0) == told
