"""The rule table against a slow oracle that walks sqlglot's tree with plain Python three-valued logic."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from floorwalker.detectors.rules import ListEntry, Lists, RuleError, RuleTable, make_schema
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import FeatureBatch

FEATURES = ("f1", "f2", "f3")
NUMBERS = ("amount_minor", "quantity")
TEXTS = ("country", "url", "device", "inviter")
SCHEMA = make_schema(features=FEATURES, numbers=NUMBERS, texts=(*TEXTS, "shop"))
NOW = 1_000
LISTS = Lists(
    [
        ListEntry("deny", "device", "DE"),
        ListEntry("deny", "device", "a_b", ends_at=NOW),
        ListEntry("watch", "country", "a", ends_at=NOW + 1),
        ListEntry("watch", "country", "fr", shop="other"),
    ]
)
ON_LISTS = {("deny", "device"): {"DE"}, ("watch", "country"): {"a"}}

# Few values, so that equalities and edges come up often.
CONSTANTS = ("0", "1", "2", "0.7", "-1", "1e3", "2.5")
WORDS = ("DE", "fr", "a_b", "a%b", "", "É", "ab", "aab", "İx")
PATTERNS = ("a%", "%b", "%a%", "a_b", "%", "_", "a%b", "%a_", "_%b%", "", "DE", "%%a", "a%b%a", "%aab")


def numbers(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from((*FEATURES, *NUMBERS, *CONSTANTS, "length(country)", "length(lower(url))"))
    if depth == 0:
        return leaf
    inner = numbers(depth - 1)
    return st.one_of(
        leaf,
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("abs({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("{}({}, {})".format, st.sampled_from(("least", "greatest", "coalesce")), inner, inner),
    )


def texts(depth: int = 1) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(TEXTS)
    if depth == 0:
        return leaf
    return st.one_of(
        leaf,
        st.builds("lower({})".format, texts(0)),
        st.builds("coalesce({}, {})".format, texts(0), st.one_of(texts(0), st.sampled_from(WORDS).map(quote))),
        st.builds("lower(coalesce({}, {}))".format, texts(0), texts(0)),
    )


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def fielded(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = re.compile("|".join((*FEATURES, *NUMBERS, *TEXTS)))
    return strategy.filter(lambda text: names.search(text) is not None)


def atoms() -> st.SearchStrategy[str]:
    number = fielded(numbers(2))
    word = st.sampled_from(WORDS).map(quote)
    listed = st.lists(st.sampled_from(CONSTANTS), min_size=1, max_size=3).map(", ".join)
    words = st.lists(word, min_size=1, max_size=4).map(", ".join)
    comparison = st.sampled_from(("<", "<=", ">", ">=", "=", "<>"))
    negated = st.sampled_from(("", "NOT "))
    return st.one_of(
        st.builds("{} {} {}".format, number, comparison, numbers(1)),
        st.builds("{} {}BETWEEN {} AND {}".format, number, negated, numbers(1), st.sampled_from(CONSTANTS)),
        st.builds("{} {}IN ({})".format, number, negated, listed),
        st.builds("{} IS {}NULL".format, number, negated),
        st.sampled_from((*FEATURES, *NUMBERS)),
        st.builds("{} {} {}".format, texts(), st.sampled_from(("=", "<>")), st.one_of(texts(), word)),
        st.builds("{} {}IN ({})".format, texts(), negated, words),
        st.builds("{} IS {}NULL".format, texts(), negated),
        st.builds("{} {}LIKE {}".format, texts(), negated, st.sampled_from(PATTERNS).map(quote)),
        st.builds("starts_with({}, {})".format, texts(), word),
        st.sampled_from(("in_list('deny', device)", "in_list('watch', country)", "in_list('allow', url)")),
    )


def conditions(depth: int = 2) -> st.SearchStrategy[str]:
    if depth == 0:
        return atoms()
    inner = conditions(depth - 1)
    return st.one_of(
        atoms(),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(("AND", "OR")), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(("AND", "OR")), inner),
        st.builds("NOT ({})".format, inner),
    )


ROW = st.fixed_dictionaries(
    {
        **dict.fromkeys(FEATURES, st.sampled_from((None, 0.0, 1.0, 2.0, 0.7, -1.0, 2.5, 1e30))),
        **dict.fromkeys(NUMBERS, st.sampled_from((None, 0.0, 1.0, 2.0, 0.7, 1000.0, 1e300))),
        **dict.fromkeys(TEXTS, st.one_of(st.none(), st.sampled_from(WORDS), st.text("aAbB%_é", max_size=6))),
    }
)


# The oracle: None is unknown.


def value_of(node: exp.Expression, row: dict, single: bool) -> object:
    """A number or a text; `single` rounds what was written to float32, as features are."""
    if isinstance(node, exp.Paren):
        return value_of(node.this, row, single)
    if isinstance(node, exp.Column):
        value = row[node.name]
        return float(np.float32(value)) if node.name in FEATURES and value is not None else value
    if isinstance(node, exp.Literal):
        if node.is_string:
            return node.this
        return float(np.float32(node.this)) if single else float(node.this)
    if isinstance(node, exp.Lower):
        text = value_of(node.this, row, single)
        return None if text is None else text.lower()
    if isinstance(node, exp.Length):
        text = value_of(node.this, row, single)
        return None if text is None else float(len(text))
    if isinstance(node, exp.Coalesce | exp.Least | exp.Greatest):
        given = [value_of(part, row, single) for part in (node.this, *node.expressions)]
        given = [one for one in given if one is not None]
        if not given:
            return None
        return given[0] if isinstance(node, exp.Coalesce) else (min if isinstance(node, exp.Least) else max)(given)
    left = value_of(node.this, row, single)
    if left is None:
        return None
    if isinstance(node, exp.Neg):
        return -left
    if isinstance(node, exp.Abs):
        return abs(left)
    right = value_of(node.expression, row, single)
    if right is None or (isinstance(node, exp.Div) and right == 0):
        return None
    result = {
        exp.Add: lambda: left + right, exp.Sub: lambda: left - right,
        exp.Mul: lambda: left * right, exp.Div: lambda: left / right,
    }[type(node)]()  # fmt: skip
    return result if math.isfinite(result) else None


def rounds(*nodes: exp.Expression) -> bool:
    """Whether constants in a comparison are read as float32: features and constants alone, nothing reckoned."""
    parts = [part for node in nodes for part in node.walk()]
    columns = [part.name for part in parts if isinstance(part, exp.Column)]
    reckoned = any(isinstance(part, exp.Binary | exp.Length) for part in parts)
    return bool(columns) and set(columns) <= set(FEATURES) and not reckoned


def truth(node: exp.Expression, row: dict) -> bool | None:
    if isinstance(node, exp.Paren):
        return truth(node.this, row)
    if isinstance(node, exp.Not):
        inner = truth(node.this, row)
        return None if inner is None else not inner
    if node.args.get("negate"):
        plain = node.copy()
        plain.set("negate", None)
        return truth(exp.Not(this=plain), row)
    if isinstance(node, exp.And | exp.Or):
        wins = isinstance(node, exp.Or)
        sides = (truth(node.this, row), truth(node.expression, row))
        return wins if wins in sides else None if None in sides else not wins
    if isinstance(node, exp.Is):
        return value_of(node.this, row, False) is None
    if isinstance(node, exp.Between):
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
        return truth(exp.And(this=low, expression=high), row)
    if isinstance(node, exp.In):
        given = [truth(exp.EQ(this=node.this.copy(), expression=one.copy()), row) for one in node.expressions]
        return None if None in given else True in given
    if isinstance(node, exp.Anonymous):
        name, field = node.expressions[0].this, node.expressions[1].name
        return None if row[field] is None else row[field] in ON_LISTS.get((name, field), ())
    if isinstance(node, exp.Column):
        return None if row[node.name] is None else row[node.name] != 0
    single = isinstance(node, exp.Binary) and rounds(node.this, node.expression)
    left, right = value_of(node.this, row, single), value_of(node.expression, row, single)
    if left is None or right is None:
        return None
    if isinstance(node, exp.StartsWith):
        return left.startswith(right)
    if isinstance(node, exp.Like):
        pattern = "".join({"%": ".*", "_": "."}.get(one, re.escape(one)) for one in right)
        return re.fullmatch(pattern, left, re.DOTALL) is not None
    return {
        exp.EQ: left == right, exp.NEQ: left != right,
        exp.LT: type(node) is exp.LT and left < right, exp.LTE: type(node) is exp.LTE and left <= right,
        exp.GT: type(node) is exp.GT and left > right, exp.GTE: type(node) is exp.GTE and left >= right,
    }[type(node)]  # fmt: skip


def table_of(conditions: list[str]) -> RuleTable:
    return RuleTable.load(
        {
            f"rule_{number:03}.yaml": "abuse_type: scraping\nseverity: 0.5\nevents: any\nreason: r\ncondition: |\n  "
            + condition.replace("\n", " ")
            for number, condition in enumerate(conditions)
        },
        schema=SCHEMA,
        lists=LISTS,
    )


def columns_of(rows: list[dict]) -> tuple[EventBatch, FeatureBatch]:
    n = len(rows)
    at = np.full(n, NOW, np.int64)
    values = np.array([[np.nan if row[name] is None else row[name] for name in FEATURES] for row in rows], np.float32)
    batch = EventBatch(
        id=[str(row) for row in range(n)],
        type=np.full(n, TYPE_CODES["order"], np.int16),
        at=at,
        received_at=at,
        keys={},
        numbers={name: np.array([np.nan if row[name] is None else row[name] for row in rows]) for name in NUMBERS},
        texts={**{name: [row[name] for row in rows] for name in TEXTS}, "shop": ["shop"] * n},
    )
    return batch, FeatureBatch(batch.id, at, values.reshape(n, len(FEATURES)), FEATURES, np.isnan(values))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(conditions(), min_size=1, max_size=6), st.lists(ROW, min_size=1, max_size=6))
def test_the_table_says_what_the_oracle_says(written: list[str], rows: list[dict]) -> None:
    fired = table_of(written).evaluate(*columns_of(rows)).fired
    trees = [sqlglot.parse_one(condition) for condition in written]
    expected = np.array([[truth(tree, row) is True for tree in trees] for row in rows])
    wrong = np.argwhere(fired != expected)
    assert not len(wrong), [(written[column], rows[row], bool(fired[row, column])) for row, column in wrong.tolist()]


DATABASE_ROW = st.fixed_dictionaries(
    {
        **dict.fromkeys(FEATURES, st.sampled_from((None, 0.0, 1.0, 2.0, -1.0, 2.5))),
        **dict.fromkeys(NUMBERS, st.sampled_from((None, 0.0, 1.0, 2.0, 1000.0))),
        **dict.fromkeys(TEXTS, st.one_of(st.none(), st.sampled_from(WORDS[:-1]), st.text("aAbB%_é", max_size=6))),
    }
)
"""Without what a database reckons otherwise: it goes to infinity, and it lowers one letter of WORDS to one, not two."""


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    st.lists(
        conditions(1).filter(lambda text: "in_list" not in text and "/" not in text and "0.7" not in text),
        min_size=1, max_size=5,
    ),
    st.lists(DATABASE_ROW, min_size=1, max_size=5),
)  # fmt: skip
def test_a_database_gives_the_same_answers(written: list[str], rows: list[dict]) -> None:
    duckdb = pytest.importorskip("duckdb")
    kinds = [*((name, "FLOAT") for name in FEATURES), *((name, "DOUBLE") for name in NUMBERS)]
    kinds += [(name, "VARCHAR") for name in TEXTS]
    with duckdb.connect() as database:
        # Its optimiser takes 1 BETWEEN -1 AND 0 for true where the 1 is coalesce(abs(-1), -1).
        database.execute("PRAGMA disable_optimizer")
        database.execute(f"CREATE TABLE events ({', '.join(f'{name} {kind}' for name, kind in kinds)})")
        database.executemany(
            f"INSERT INTO events VALUES ({', '.join('?' * len(kinds))})",
            [[row[name] for name, _ in kinds] for row in rows],
        )
        fires = [f"CASE WHEN ({one}) THEN true ELSE false END" for one in written]
        expected = database.execute(f"SELECT {', '.join(fires)} FROM events")
        fired = table_of(written).evaluate(*columns_of(rows)).fired
        assert fired.tolist() == [list(row) for row in expected.fetchall()]


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(conditions(1), min_size=1, max_size=4), st.lists(ROW, min_size=2, max_size=6))
def test_events_alone_and_rules_alone_fire_as_together(written: list[str], rows: list[dict]) -> None:
    together = table_of(written).evaluate(*columns_of(rows)).fired
    apart = np.array(
        [[table_of([condition]).evaluate(*columns_of([row])).fired[0, 0] for condition in written] for row in rows]
    )
    assert (together == apart).all()


SOUP = st.sampled_from(
    (
        *FEATURES, *NUMBERS, *TEXTS, "in_list", "coalesce", "abs", "least", "lower", "length", "starts_with", "AND",
        "OR", "NOT", "IN", "IS", "NULL", "LIKE", "BETWEEN", "TRUE", "(", ")", ",", "=", "<>", "<", ">=", "+", "-",
        "*", "/", "1", "0.5", "'a'", "'%a_'", "SELECT", "--", "/*", ";", "::", "||", "CASE", "ANY", "ESCAPE", "ILIKE",
        "DISTINCT", "FROM", ".", "[", "]", "{", "}", "@", "$1", "?", '"f1"', "`f1`", "x'41'", "$$a$$", "\\",
    )
)  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(SOUP, min_size=1, max_size=14).map(" ".join), st.text(max_size=40)))
def test_whatever_is_written_is_a_rule_or_a_fault(condition: str) -> None:
    text = "abuse_type: scraping\nseverity: 0.5\nevents: any\nreason: r\ncondition: " + json.dumps(condition)
    table, faults = None, ()
    try:
        table = RuleTable.load({"r.yaml": text}, schema=SCHEMA)
    except RuleError as error:
        faults = error.faults
    assert all(1 <= fault.line <= 6 for fault in faults)
    if table is not None:
        row = dict.fromkeys((*FEATURES, *NUMBERS, *TEXTS))
        assert table.evaluate(*columns_of([row])).fired.shape == (1, 1)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@, \n\t?0.~\x00é", max_size=60))
def test_whatever_stands_in_a_file_is_a_fault(text: str) -> None:
    with pytest.raises(RuleError):
        RuleTable.load({"r.yaml": text}, schema=SCHEMA)
