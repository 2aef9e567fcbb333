"""User agents are written by whoever calls: nothing in them may break or stall the recognition."""

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.features.network import Networks
from floorwalker.scan.machines import VERDICTS, recognise

WORDS = st.sampled_from(
    [
        "Mozilla/5.0 (",
        "Googlebot/2.1",
        "compatible; ",
        "+http://x.example)",
        "bot",
        "{}",
        "{0}",
        "%s",
        "okhttp/4",
        "\\",
        '"',
        "\x00",
        "é",
        "like ",
    ]
)
AGENTS = st.none() | st.text(max_size=60) | st.lists(WORDS, max_size=8).map("".join)
CLIENTS = st.none() | st.text(max_size=20) | st.ip_addresses().map(str)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(CLIENTS, AGENTS, st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_anything_is_answered_row_by_row(rows: list[tuple[str | None, str | None, int, int]]) -> None:
    schema = {"client": pl.String, "user_agent": pl.String, "page_requests": pl.Int64, "feed_requests": pl.Int64}
    facts = pl.DataFrame(rows, schema=schema, orient="row")
    answer = recognise(facts, networks=Networks.default())
    assert len(answer) == len(rows)
    assert answer["impostor"].null_count() == 0
    assert set(answer["verdict"].drop_nulls().to_list()) <= set(VERDICTS)
    named = answer.filter(pl.col("verdict").is_not_null())
    assert named["evidence"].null_count() == named["name"].null_count() == 0


@pytest.mark.parametrize(
    "part", ["better stack ", "Googlebot/2.1 ", "bot", "a@", "Klarna ", "like Googlebot", "mozilla/5.0 ("]
)
def test_endless_agents_take_no_endless_time(part: str) -> None:
    facts = pl.DataFrame(
        {"client": ["203.0.113.7"] * 20, "user_agent": [part * (100_000 // len(part)) + str(n) for n in range(20)]}
    )
    began = time.monotonic()
    assert len(recognise(facts, networks=Networks.default())) == 20
    assert time.monotonic() - began < 5.0
