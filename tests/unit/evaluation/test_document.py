"""The shape of every report, and its bars."""

from __future__ import annotations

from floorwalker.evaluation.document import figure, make_document, missed_bars


def test_a_document_has_every_key_that_a_reader_expects() -> None:
    document = make_document("x", {"metrics": {"a": 1.0}}, seconds=1.234)
    expected = {"task", "data", "split", "seeds", "machine", "metrics", "baselines", "seconds", "peak_memory_mb"}
    assert expected <= set(document)
    assert document["peak_memory_mb"] > 1


def test_bars_bite_on_both_sides_and_on_what_was_not_measured() -> None:
    document = {
        "metrics": {"low": 0.1, "high": {"mean": 0.9, "sd": 0.01}, "nested": {"deep": 3}, "nothing": None},
        "bars": {
            "low": {"min": 0.2},
            "high": {"max": 0.8},
            "nested.deep": {"min": 2, "max": 4},
            "nothing": {"min": 0},
            "absent": {"max": 1},
        },
    }
    missed = missed_bars(document)
    assert [sentence.split()[0] for sentence in missed] == ["low", "high", "nothing", "absent"]


def test_not_a_number_misses_its_bar() -> None:
    assert missed_bars({"metrics": {"a": float("nan")}, "bars": {"a": {"min": 0}}})
    assert figure({"a": True}, "b") is None
