from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from floorwalker.errors import UsageError
from floorwalker.sources.feeds import FeedOptions, list_feeds, notes_folder, open_feed, recognise
from floorwalker.sources.feeds._opening import KINDS


def clock() -> int:
    return 1_760_000_000_000_000


def test_every_feed_that_exists_can_be_opened() -> None:
    assert sorted(KINDS) == list_feeds()


@pytest.mark.parametrize(
    ("sources", "kind"),
    [
        (["a.jsonl", "b/*.csv"], "files"), (["sqlite:///x.db"], "database"), (["postgresql://h/d"], "database"),
        (["kafka://h:1,g:2/t,u"], "kafka"),
    ],
)  # fmt: skip
def test_sources_say_what_they_are(sources: list[str], kind: str) -> None:
    assert recognise(sources) == kind


def test_a_url_beside_others_is_refused() -> None:
    with pytest.raises(UsageError):
        recognise(["a.csv", "sqlite:///x.db"])


@pytest.mark.parametrize(
    ("kind", "sources", "options", "named"),
    [
        ("files", ["x.csv"], {"table": "orders"}, "--table"),
        ("access_logs", ["x.log"], {"overlap": 3.0}, "--overlap"),
        ("access_logs", ["x.log", "y.log"], {}, "2 sources"),
        ("database", ["sqlite:///x.db"], {}, "--column"),
        ("database", ["sqlite:///x.db"], {"table": "t", "column": "c", "start": "latest"}, "--start"),
        ("kafka", ["kafka://h:1"], {}, "topic"),
        ("kafka", ["kafka://h:1/t"], {"log_format": "common"}, "--log-format"),
        ("kafca", ["kafka://h:1/t"], {}, "did you mean 'kafka'"),
    ],
)
def test_what_does_not_fit_together_is_named(
    kind: str, sources: list[str], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(UsageError, match=named):
        open_feed(kind, sources, FeedOptions(**options), clock=clock)


def test_notes_belong_to_one_source_and_one_server(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("")
    first = open_feed("files", [str(tmp_path / "x.jsonl")], FeedOptions(follow=True), clock=clock)
    second = open_feed("files", [str(tmp_path / "*.jsonl")], FeedOptions(follow=True), clock=clock)
    places = {
        notes_folder(tmp_path, "files", feed, url) for feed in (first, second) for url in ("http://a", "http://b")
    }
    assert len(places) == 4
    assert notes_folder(tmp_path, "files", first, "http://a/") in places
