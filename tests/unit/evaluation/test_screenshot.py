"""A missing browser or file is said clearly."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.evaluation.screenshot import BrowserError, Page, find_browser, screenshot


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOORWALKER_BROWSER", str(tmp_path / "none"))
    assert find_browser() is None
    with pytest.raises(UsageError, match="install one"):
        screenshot(tmp_path / "report.html", tmp_path / "report.png")


def test_the_named_browser_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.touch()
    monkeypatch.setenv("FLOORWALKER_BROWSER", str(browser))
    assert find_browser() == str(browser)


def test_a_program_that_is_no_browser_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(BrowserError):
        Page("/bin/false", tmp_path)
