"""Labelled texts out of files: read as they are written, in the order of their times."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from floorwalker.errors import InputError
from floorwalker.fusion.late_texts import LateTexts, train_texts
from floorwalker.learning.texts import train_texts_of

pytest.importorskip("sklearn")
HARMLESS = [f"a lovely quiet room number {number}, we slept well" for number in range(30)]
HARMFUL = [f"buy now!!! cheap pills {number}, click here" for number in range(30)]
MIXED = [text for pair in zip(HARMLESS, HARMFUL, strict=True) for text in pair]


def test_a_file_of_texts_becomes_a_classifier_whatever_its_order(tmp_path: Path) -> None:
    unknown = [None, float("nan")] * 15
    table = pl.DataFrame({"at": range(90), "text": MIXED + HARMLESS, "value": [0.0, 1.0] * 30 + unknown})
    table.sample(fraction=1, shuffle=True, seed=1).write_csv(tmp_path / "texts.csv")
    found = train_texts_of(tmp_path / "texts.csv", tmp_path / "out", encoders=())
    assert (found["labelled"], found["harmful"], found["held_out"], found["ordinary"]) == (60, 30, 18, 39)
    assert found["held_out_roc_auc"] == 1
    late = LateTexts.load(tmp_path / "out")
    assert (late.abuse_type, late.encoders) == ("content_abuse", ())


def test_nothing_is_measured_on_texts_of_one_kind(tmp_path: Path) -> None:
    values = [0.0, 1.0] * 20 + [1.0] * 20 + [float("nan")] * 30
    facts = train_texts(MIXED[:40] + HARMFUL[:20] + HARMLESS, values, tmp_path, encoders=(), views=("characters",))
    assert not [name for name in facts if name.startswith("held_out_")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("words,value\na,1\n", "no column 'text'"),
        ("text,value\na,much\n", "value"),
        ("text,value\na,2\n", "outside of 0 to 1"),
        ("text,value\na,1\nb,0\n", "ordinary texts"),
    ],
)
def test_faulty_files_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        train_texts_of(path, tmp_path / "out", encoders=())
