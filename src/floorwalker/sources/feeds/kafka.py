"""Topics of a Kafka-protocol broker, one event a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from floorwalker.errors import InputError, MissingExtraError, UsageError
from floorwalker.events.event import Event
from floorwalker.sources.feeds._base import Checkpoint, Clock, Delivery, Feed, Refused
from floorwalker.sources.feeds._making import EventMaker

_EARLIEST, _LATEST = "earliest", "latest"


class KafkaFeed(Feed):
    """Events out of topics.

    The partitions are assigned, not subscribed to: one process owns a shop's state, so there is nobody to share them
    with, and the checkpoint alone says where to go on. Offsets are committed to the group as well, after each
    delivery is safe, for the eyes of lag monitors. A message is one JSON object as `docs/events.md` describes it; one
    without an `id` gets one made of its topic, partition and offset.

    Parameters
    ----------
    servers : `host:port`, several joined by commas.
    topics : names of topics.
    clock : gives `received_at`.
    group : consumer group that offsets are committed to.
    start : where to begin without a checkpoint: `earliest` or `latest`.
    batch : messages in a delivery, at the most.
    wait_seconds : how long one step waits for a message before it says that there is nothing new.
    connect_seconds : how long the broker may take to say what it has.
    options : further settings of librdkafka (TLS, SASL), as its own documentation names them.

    Errors
    ------
    `MissingExtraError` without the `kafka` extra; `InputError` where no broker answers or a topic is missing.
    """

    needs_server: ClassVar[str] = "messages come from a broker; tests/unit/sources/feeds/test_kafka.py starts one"

    def __init__(
        self,
        servers: str,
        topics: Sequence[str],
        *,
        clock: Clock,
        group: str = "floorwalker",
        start: str = _EARLIEST,
        batch: int = 1000,
        wait_seconds: float = 1.0,
        connect_seconds: float = 10.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if start not in (_EARLIEST, _LATEST):
            raise UsageError(f"start is {start!r}", allowed=f"{_EARLIEST}, {_LATEST}")
        if not topics or batch < 1:
            raise UsageError("no topic, or a batch below 1", allowed="at least one topic, batch >= 1")
        try:
            import confluent_kafka
        except ImportError as error:
            raise MissingExtraError("confluent_kafka", "kafka") from error
        self._kafka = confluent_kafka
        self._servers = servers
        self._topics = list(topics)
        self._start = start
        self._batch = batch
        self._wait = wait_seconds
        self._connect = connect_seconds
        self._maker = EventMaker(clock)
        self._consumer = confluent_kafka.Consumer(
            {
                **(options or {}),
                "bootstrap.servers": servers,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "logger": _Quiet(),
            }
        )
        self._next: dict[str, int] | None = None

    @property
    def identity(self) -> str:
        """The topics; brokers come and go."""
        return "kafka " + ",".join(self._topics)

    def read(self, after: Checkpoint | None = None) -> Iterator[Delivery]:
        """Deliveries of the messages beyond the checkpoint, until a step brings none."""
        wanted = {str(name): int(offset) for name, offset in self.position(after).get("next", {}).items()}
        if self._next is None or (after is not None and wanted != self._next):
            self._assign(wanted)
        while True:
            messages = self._consumer.consume(self._batch, timeout=self._wait)
            if not messages:
                return
            if (delivery := self._turn(messages)).records:
                yield delivery

    def _assign(self, wanted: dict[str, int]) -> None:
        kafka = self._kafka
        places = []
        reached: dict[str, int] = {}
        for topic, partition in self._partitions():
            name = f"{topic}/{partition}"
            try:
                low, high = self._consumer.get_watermark_offsets(
                    kafka.TopicPartition(topic, partition), timeout=self._connect
                )
            except kafka.KafkaException as error:
                raise self._unreadable(error) from error
            # A place that the broker has dropped by now: go on with the oldest that is left.
            begin = wanted.get(name, low if self._start == _EARLIEST else high)
            reached[name] = min(max(begin, low), high)
            places.append(kafka.TopicPartition(topic, partition, reached[name]))
        self._consumer.assign(places)
        self._next = reached

    def _partitions(self) -> list[tuple[str, int]]:
        found = []
        for topic in self._topics:
            try:
                metadata = self._consumer.list_topics(topic, timeout=self._connect).topics[topic]
            except (self._kafka.KafkaException, KeyError) as error:
                raise self._unreadable(error) from error
            if metadata.error is not None or not metadata.partitions:
                raise InputError(f"{self._servers} has no topic {topic!r}", fix="create it, or check its name")
            found += [(topic, partition) for partition in sorted(metadata.partitions)]
        return found

    def _unreadable(self, error: Exception) -> InputError:
        detail = error.args[0] if error.args else error
        text = detail.str() if hasattr(detail, "str") else str(detail)
        return InputError(f"Kafka at {self._servers} cannot be read: {text}", fix="check the address and the rights")

    def _turn(self, messages: list[Any]) -> Delivery:
        events: list[Event] = []
        refused: list[Refused] = []
        reached = dict(self._next or {})
        records = 0
        for message in messages:
            if (fault := message.error()) is not None:
                if fault.code() == self._kafka.KafkaError._PARTITION_EOF or fault.retriable():
                    continue
                raise InputError(f"Kafka at {self._servers} cannot be read: {fault.str()}", fix="check its own log")
            records += 1
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            reached[f"{topic}/{partition}"] = offset + 1
            place = f"{topic}, partition {partition}, offset {offset}"
            body = message.value()
            if body is None:
                refused.append(Refused(place, "record", "an empty message", ""))
                continue
            made = self._maker.make(body, place, event_id=f"k_{topic}-{partition}-{offset}"[-256:])
            if isinstance(made, Refused):
                refused.append(made)
            else:
                events.append(made)
        self._next = reached
        return Delivery(events, refused, Checkpoint(self.identity, {"next": reached}), records)

    def confirm(self, checkpoint: Checkpoint) -> None:
        """Commit the offsets to the group; a broker that does not answer is no fault, for the checkpoint counts."""
        places = []
        for name, offset in checkpoint.position["next"].items():
            topic, _, partition = name.rpartition("/")
            places.append(self._kafka.TopicPartition(topic, int(partition), offset))
        self._consumer.commit(offsets=places, asynchronous=True)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


class _Quiet:
    """Takes librdkafka's log lines: what matters comes as an error of a message or a call."""

    def log(self, *arguments: object, **named: object) -> None:
        """Drop a line."""


FEED = KafkaFeed
