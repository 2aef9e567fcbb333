"""The README's table comes from what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.errors import InputError
from floorwalker.evaluation.readme import insert_table, read_documents, render_table

ROOT = Path(__file__).parents[3]


def test_the_readme_holds_the_table_of_the_kept_documents() -> None:
    documents = read_documents(ROOT / "docs" / "results")
    assert {"scan", "visitors"} <= set(documents)
    assert render_table(documents) in (ROOT / "README.md").read_text("utf-8")


def test_a_document_without_a_figure_is_refused() -> None:
    document = {"metrics": {}, "baselines": {}, "bars": {}}
    with pytest.raises(InputError, match="moderate_auc"):
        render_table({"visitors": document})


def test_nothing_is_rounded_onto_a_bar_that_it_misses() -> None:
    figures = {"within_bound_share": 1.0, "c2st_auc": 0.80004}
    table = render_table({"realism": {"metrics": figures, "baselines": {}, "bars": {"c2st_auc": {"max": 0.8}}}})
    assert "| 0.80004 | ≤ 0.8 |" in table


def test_a_readme_without_a_place_is_refused() -> None:
    with pytest.raises(InputError, match="no place"):
        insert_table("# Floorwalker", "table")
