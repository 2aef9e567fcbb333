"""Every feed in the folder passes every check, with each of the examples it gives."""

from __future__ import annotations

import pytest

from floorwalker.errors import UsageError
from floorwalker.sources.feeds import Feed, FeedExample, list_feeds, load_feed
from floorwalker.testing.sources import CHECKS

ALONE = [name for name in list_feeds() if not load_feed(name).needs_server]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[FeedExample]]:
    return {name: load_feed(name).examples(tmp_path_factory.mktemp(name)) for name in ALONE}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ALONE)
def test_contract(name, check, examples):
    assert examples[name], f"{name} gives no examples and does not say why"
    for example in examples[name]:
        check(example)


@pytest.mark.parametrize("name", list_feeds())
def test_class_states_what_it_is(name):
    feed = load_feed(name)
    assert issubclass(feed, Feed)
    assert "Parameters" in feed.__doc__
    assert bool(feed.needs_server) != (name in ALONE)


def test_unknown_name_lists_the_known():
    with pytest.raises(UsageError, match="access_logs, database, files, kafka"):
        load_feed("kafak")
