from __future__ import annotations

import numpy as np
import pytest

from floorwalker.fusion.label_check import (
    LEAST_LABELS,
    LEAST_OF_A_KIND,
    LabelBook,
    LabelledRisk,
    check_risks,
)


def label(number: int, **changes: object) -> LabelledRisk:
    given = {
        "label_id": f"l-{number}", "decision_id": f"d-{number}", "shop": "north", "abuse_type": "payment_fraud",
        "risk": 0.5, "value": 1.0, "weight": 1.0, "matures_at": 0, **changes,
    }  # fmt: skip
    return LabelledRisk(**given)  # type: ignore[arg-type]


def test_the_error_is_the_mean_distance_between_told_and_seen() -> None:
    risks = np.repeat([0.1, 0.9], 500)
    values = np.r_[np.arange(500) % 5 == 0, np.arange(500) % 10 != 0]
    found = check_risks(risks, values)
    # Told .1, seen .2; told .9, seen .9.
    assert found.error == pytest.approx(0.05)
    assert (found.predicted, found.observed, found.decisions, found.abusive) == (0.5, 0.55, 1000, 550)
    assert [each.decisions for each in found.bins] == [100] * 10
    assert [each.predicted for each in found.bins] == [0.1] * 5 + [0.9] * 5


def test_nothing_is_said_before_there_is_enough_of_both_kinds() -> None:
    def perfect(abusive: int, honest: int) -> bool:
        known = np.r_[np.ones(abusive), np.zeros(honest)]
        return check_risks(known, known).is_sound

    assert perfect(LEAST_OF_A_KIND, LEAST_LABELS - LEAST_OF_A_KIND)
    assert not perfect(LEAST_OF_A_KIND - 1, LEAST_LABELS)
    assert not perfect(LEAST_LABELS, LEAST_OF_A_KIND - 1)
    assert not perfect(LEAST_OF_A_KIND, LEAST_LABELS - LEAST_OF_A_KIND - 1)
    assert not check_risks([], []).is_sound
    assert check_risks([], []).error is None


def test_ranks_are_no_probabilities() -> None:
    # Chargebacks come of decisions of every rank: risk .6 with one abuse in fifty.
    found = check_risks(np.full(2600, 0.6), np.arange(2600) % 50 == 0)
    assert found.is_enough
    assert not found.is_sound


def test_labels_mature_are_taken_back_and_count_once_a_decision() -> None:
    book = LabelBook()
    book.add(label(1, matures_at=100))
    book.add(label(2, decision_id="d-1", value=0.0, weight=0.5))
    book.add(label(3, shop="south", abuse_type="scraping", risk=0.25, value=0.0))
    assert book.immature(50) == 1
    assert book.next_maturity(50) == 100
    assert book.checks(50)["north", "payment_fraud"].observed == 0
    both = book.checks(100)["north", "payment_fraud"]
    assert (both.decisions, both.observed) == (1, pytest.approx(2 / 3, abs=1e-4))
    assert set(book.checks(100)) == {
        ("north", "payment_fraud"),
        ("", "payment_fraud"),
        ("south", "scraping"),
        ("", "scraping"),
    }
    assert book.withdraw("l-1")
    assert not book.withdraw("l-1")
    assert book.next_maturity(50) is None
    assert book.checks(100)["", "payment_fraud"].observed == 0


def test_only_the_newest_labels_are_kept() -> None:
    book = LabelBook(most=10)
    for number in range(25):
        book.add(label(number))
    assert len(book) == 10
    assert not book.withdraw("l-14")
    book.add(label(15, value=0.0))
    book.add(label(25))
    assert not book.withdraw("l-16")
    assert book.withdraw("l-15")
