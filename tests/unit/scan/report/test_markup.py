"""Texts from the log cannot leave their place in the page."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.scan.phrases import printable
from floorwalker.scan.report.markup import content_hash, escape, script_json, table
from floorwalker.testing.scan_results import HOSTILE

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.values: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_an_escaped_text_is_one_text_and_one_attribute(text: str) -> None:
    page = _Collector()
    page.feed(f'<p title="{escape(text)}">{escape(text)}</p>')
    page.close()
    assert page.tags == ["p"]
    assert page.text == printable(text)
    assert page.values == [printable(text)]


@given(VALUES)
def test_script_data_reads_back_and_ends_no_element(value: object) -> None:
    text = script_json(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_open_no_element(text: str) -> None:
    page = _Collector()
    page.feed(table([("a", "")], [[escape(text)]], caption="x"))
    assert set(page.tags) == {"div", "table", "thead", "tr", "th", "tbody", "td"}
    assert html.unescape(escape(text)) == printable(text)


def test_the_policy_names_the_hash_that_browsers_compute() -> None:
    # The example of the Content Security Policy recommendation.
    assert content_hash("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
