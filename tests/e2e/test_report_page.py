"""The report in a real browser: it works, it asks nobody, and the attacker's texts stay texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from floorwalker.evaluation.screenshot import Page, find_browser, open_browser, screenshot
from floorwalker.scan.report import write_report
from floorwalker.testing.scan_results import HOSTILE, make_scan_result

pytestmark = pytest.mark.skipif(find_browser() is None, reason="no Chromium or Chrome is installed")


@pytest.fixture(name="page", scope="module")
def make_page() -> Iterator[Page]:
    with open_browser() as page:
        yield page


@pytest.fixture(name="report", scope="module")
def make_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    result = make_scan_result(np.random.default_rng(2), visitors=900, hostile=True, flagged_share=0.06, judge_all=True)
    write_report(result, path, mask=False)
    return path


@pytest.fixture(name="opened")
def open_report(page: Page, report: Path) -> Page:
    page.logged.clear()
    page.requested.clear()
    page.resize(1280, 900)
    page.prefer("light")
    page.open(report)
    return page


def _rows(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('tr.suspect').length"))


def _type(page: Page, text: str) -> None:
    page.evaluate(
        f"(() => {{ const box = document.getElementById('search'); box.value = {text!r};"
        "box.dispatchEvent(new Event('input')); return new Promise(done => setTimeout(done, 250)); })()"
    )


def test_no_text_of_the_log_runs_or_makes_an_element(opened: Page) -> None:
    for _ in range(4):
        opened.evaluate("document.getElementById('more').click()")
    opened.evaluate("document.querySelectorAll('.toggle').forEach(button => button.click())")
    opened.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true; })")
    assert "owned" not in opened.evaluate("document.title")
    body = opened.evaluate("document.body.textContent")
    for text in HOSTILE[:3]:
        assert text in body
    assert (
        opened.evaluate("document.querySelectorAll('img, iframe, object, embed, base, a[href^=javascript]').length")
        == 0
    )
    assert opened.evaluate("document.querySelectorAll('script').length") == 2
    assert opened.logged == []


def test_the_policy_stops_what_an_escape_would_have_missed(opened: Page) -> None:
    opened.evaluate(
        "document.body.insertAdjacentHTML('beforeend', "
        '\'<img src=x onerror="document.title=1"><svg onload="document.title=2"></svg>\')'
    )
    opened.evaluate(
        "(() => { const script = document.createElement('script'); script.textContent = 'document.title = 3';"
        "document.body.append(script); return new Promise(done => setTimeout(done, 100)); })()"
    )
    assert opened.evaluate("document.title").startswith("Floorwalker")
    assert any("Content Security Policy" in text for text in opened.logged)


def test_it_asks_the_network_for_nothing(opened: Page) -> None:
    opened.evaluate("document.querySelector('.toggle').click()")
    assert all(url.startswith(("file:", "data:")) for url in opened.requested)
    assert len([url for url in opened.requested if url.startswith("file:")]) == 1


def test_searching_and_filtering_narrow_the_table(opened: Page) -> None:
    everything = _rows(opened)
    assert everything == 25
    assert "54 rows, 25 shown" in opened.evaluate("document.getElementById('found').textContent")
    _type(opened, "HYPERLINK")
    assert 0 < _rows(opened) < everything
    _type(opened, "no such visitor")
    assert _rows(opened) == 0
    opened.evaluate(
        "(() => { document.getElementById('clear').click(); return new Promise(d => setTimeout(d, 60)); })()"
    )
    assert _rows(opened) == everything
    opened.evaluate("document.querySelector('.tile[data-filter=tier][data-value=\"1\"]').click()")
    tiers = opened.evaluate("[...new Set([...document.querySelectorAll('tr.suspect .tier')].map(t => t.textContent))]")
    assert tiers == ["◐ strong pattern"]
    assert opened.evaluate("document.querySelector('.tile[data-value=\"1\"]').getAttribute('aria-pressed')") == "true"


def test_sorting_by_score_both_ways(opened: Page) -> None:
    script = "[...document.querySelectorAll('tr.suspect')].map(r => Number(r.children[5].textContent))"
    click = "[...document.querySelectorAll('.sort')].find(b => b.textContent === 'Score').click()"
    opened.evaluate(click)
    down = opened.evaluate(script)
    opened.evaluate(click)
    up = opened.evaluate(script)
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    assert down != up
    assert opened.evaluate("document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "ascending"


def test_a_row_opens_by_keyboard_and_compares_with_the_site(opened: Page) -> None:
    opened.evaluate("document.querySelector('.toggle').focus()")
    opened.press("Enter")
    assert opened.evaluate("document.querySelector('.toggle').getAttribute('aria-expanded')") == "true"
    told = opened.evaluate("document.querySelector('tr.detail').textContent")
    for part in ("Why", "user agent", "Compared with the site's visitors", "gap mean", "site's median"):
        assert part in told
    opened.press("Enter")
    assert opened.evaluate("document.querySelectorAll('tr.detail').length") == 0


def test_show_more_shows_the_rest(opened: Page) -> None:
    opened.evaluate("document.getElementById('more').click()")
    assert _rows(opened) == 50
    opened.evaluate("document.getElementById('more').click()")
    assert _rows(opened) == 54
    assert opened.evaluate("document.getElementById('more').hidden")


def test_the_map_tells_who_is_under_the_pointer_and_leads_to_the_row(opened: Page) -> None:
    spot = opened.evaluate(
        "(() => { const svg = document.getElementById('map-points'); svg.scrollIntoView({ behavior: 'instant' });"
        "const map = JSON.parse(document.getElementById('data').textContent).map;"
        "const at = map.flag.findIndex(row => row >= 0); const box = svg.getBoundingClientRect();"
        "return { x: box.left + map.x[at] / 1000 * box.width, y: box.top + map.y[at] / 1000 * box.height }; })()"
    )
    opened.call("Input.dispatchMouseEvent", type="mouseMoved", **spot)
    assert not opened.evaluate("document.getElementById('tip').hidden")
    assert "click for the row" in opened.evaluate("document.getElementById('tip').textContent")
    for kind in ("mousePressed", "mouseReleased"):
        opened.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **spot)
    opened.evaluate("new Promise(done => setTimeout(done, 200))")
    assert opened.evaluate("document.querySelectorAll('tr.detail').length") == 1
    before = opened.evaluate("document.querySelector('#map-points .point.c-normal').getAttribute('d').length")
    opened.evaluate("document.querySelector('#map-legend .c-normal').click()")
    assert opened.evaluate("document.querySelector('#map-points .point.c-normal').getAttribute('d')") == ""
    opened.evaluate("document.querySelector('#map-legend .c-normal').click()")
    opened.evaluate("document.getElementById('zoom-in').click()")
    assert opened.evaluate("document.querySelector('#map-points .point.c-normal').getAttribute('d').length") < before


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light")])
def test_it_fits_every_screen(opened: Page, width: int, scheme: str) -> None:
    opened.resize(width, 900)
    opened.prefer("dark" if scheme == "dark" else "light")
    opened.evaluate("document.querySelector('.toggle').click()")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = opened.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert _luminance(ink) > _luminance(paper) if scheme == "dark" else _luminance(ink) < _luminance(paper)
    assert _contrast(ink, paper) > 7


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_it_opens_fast_with_many_visitors(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    write_report(make_scan_result(np.random.default_rng(2), visitors=40_000, flagged_share=0.05), path, mask=False)
    page.resize(1280, 900)
    page.open(path)
    # Measured 0.3 s; room is left for a busy machine.
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domComplete") < 4000
    assert path.stat().st_size < 2_000_000


def test_a_screenshot_is_a_picture_of_the_size_asked_for(report: Path, tmp_path: Path) -> None:
    png = tmp_path / "report.png"
    screenshot(report, png, 800, 600)
    data = png.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (800, 600)
    assert len(data) > 20_000
