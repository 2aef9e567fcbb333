"""Tables written as JSON texts say what nested dictionaries say."""

from __future__ import annotations

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.events.frame_texts import write_rows
from floorwalker.events.frames import nest_rows

TEXTS = st.none() | st.text(max_size=12) | st.sampled_from(['a":null,"b', '\\\\"', "{}", ",null]", "\n\r\x00", "🙂"])
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
REAL = st.none() | st.floats(allow_nan=False)
LINE = st.none() | st.fixed_dictionaries({"item": TEXTS, "tags": st.none() | st.lists(TEXTS, max_size=2), "n": WHOLE})
ROW = st.fixed_dictionaries(
    {
        "id": TEXTS, "type": st.sampled_from(["order", "logout", None]), "at": WHOLE, "text": TEXTS, "rating": REAL,
        "guest": st.none() | st.booleans(), "coupons": st.none() | st.lists(TEXTS, max_size=3),
        "lines": st.none() | st.lists(LINE, max_size=3), "card.scheme": TEXTS, "card.stored": st.none() | st.booleans(),
        'odd"\\.a:b': WHOLE, "signals.gap": REAL, "signals.deep.name": TEXTS,
    }
)  # fmt: skip
SCHEMA = {
    "id": pl.String, "type": pl.String, "at": pl.Int64, "text": pl.String, "rating": pl.Float64, "guest": pl.Boolean,
    "coupons": pl.List(pl.String),
    "lines": pl.List(pl.Struct({"item": pl.String, "tags": pl.List(pl.String), "n": pl.Int64})),
    "card.scheme": pl.String, "card.stored": pl.Boolean, 'odd"\\.a:b': pl.Int64, "signals.gap": pl.Float64,
    "signals.deep.name": pl.String,
}  # fmt: skip


@given(st.lists(ROW, max_size=6))
@settings(max_examples=50, deadline=None)
def test_texts_hold_the_same_rows(rows: list[dict[str, object]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    texts = write_rows(frame)
    read = [msgspec.json.decode(texts.body[a:b]) for a, b in zip(texts.starts, texts.stops, strict=True)]
    assert read == msgspec.json.decode(msgspec.json.encode(nest_rows(frame)))


def test_columns_that_polars_writes_otherwise_are_levelled_or_go_the_long_way() -> None:
    frame = pl.DataFrame(
        {
            "id": ["a", "b"], "type": pl.Series(["order", "logout"], dtype=pl.Categorical), "at": [1, 2],
            "short": pl.Series([0.1, None], dtype=pl.Float32), "card": [{"scheme": "visa"}, {"scheme": None}],
        }
    )  # fmt: skip
    for more in (
        {},
        {"rating": [float("nan"), 1.0]},
        {"card.scheme": ["amex", None]},
        {"rows": [[float("inf")], [1.0]]},
    ):
        given_frame = frame.with_columns(**more)
        texts = write_rows(given_frame)
        read = [msgspec.json.decode(texts.body[a:b]) for a, b in zip(texts.starts, texts.stops, strict=True)]
        wanted = msgspec.json.decode(msgspec.json.encode(nest_rows(given_frame)))
        assert [{k: v for k, v in row.items() if v != {}} for row in read] == [
            {k: v for k, v in row.items() if v != {}} for row in wanted
        ]
