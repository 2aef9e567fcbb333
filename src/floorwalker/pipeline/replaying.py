"""The journal read again: live state is what its records make of it, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from floorwalker.detectors.unusual import DETECTOR, UnusualActivity
from floorwalker.events.bulk.packed import PackedEvents
from floorwalker.features.live import FeatureBatch
from floorwalker.pipeline._ahead import ahead
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.records import (
    EventRecord,
    ListRecord,
    ModelRecord,
    ProvenRecord,
    Record,
    decode_record,
)
from floorwalker.policy.lists import ListBook
from floorwalker.store.journal import RecordBatch

BATCH = 1024
"""Events advanced together: features do not depend on it, speed does."""
PACKED = 4096
"""As `BATCH`, for events read from bytes."""


@dataclass
class Replay:
    """Moves a pipeline along its journal.

    Parameters
    ----------
    pipeline : in the state as of just before the first record that comes.
    load_model : the stored anomaly detector of a version; None where it is lost (the detector is then not ready).
    on_record : told of every record with its sequence, in order, before the events around it are counted.

    Attributes
    ----------
    events : counted so far.
    next : sequence of the record behind the last one.
    last_time : µs UTC, the latest receipt of an event so far; kept by `catch_up` only.
    """

    pipeline: Pipeline
    load_model: Callable[[str], UnusualActivity | None] = field(default=lambda version: None)
    on_record: Callable[[int, Record], None] = field(default=lambda sequence, record: None)
    events: int = 0
    next: int = 0
    last_time: int = 0

    def run(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Apply records to the end."""
        for _ in self.steps(records):
            pass

    def catch_up(self, batches: Iterable[RecordBatch]) -> Iterator[int]:
        """As `run`, from the records' bytes and without an object for each event; gives the events of each step.

        The state is the same to the bit, in a tenth of the time: what counting needs of a record, a kernel reads out of
        its bytes, in a second thread. `on_record` is told of records of other kinds only, in their order.

        Parameters
        ----------
        batches : as `Journal.read_batches` gives them.
        """
        has_lists = False
        for batch, read in ahead(self._read(batches)):
            count = len(read.batch)
            if count:
                self.pipeline.count_packed(read)
                self.events += count
                self.last_time = max(self.last_time, int(read.batch.received_at[-1]))
            others = batch.take(np.flatnonzero(~read.is_event))
            for sequence, data in zip(others.sequences.tolist(), others.records(), strict=True):
                record = decode_record(data)
                self.on_record(sequence, record)
                # Counting asks neither detectors nor lists, so it need not end where they change.
                if isinstance(record, ModelRecord):
                    self._adopt(record)
                elif isinstance(record, ProvenRecord):
                    self.pipeline.prove(record.types, fusion=record.fusion)
                elif isinstance(record, ListRecord):
                    # The rules are shown the lists once, at the end: each time costs as much as the lists are long.
                    put_on(self.pipeline.lists, record)
                    has_lists = True
            self.next = int(batch.sequences[-1]) + 1
            yield count
        if has_lists:
            self.pipeline.show_lists_to_rules()

    def _read(self, batches: Iterable[RecordBatch]) -> Iterator[tuple[RecordBatch, PackedEvents]]:
        pipeline = self.pipeline
        reader = pipeline.make_reader()
        for whole in batches:
            for begin in range(0, len(whole), PACKED):
                batch = whole.take(np.arange(begin, min(begin + PACKED, len(whole))))
                read = reader.read(batch.data, batch.starts, batch.stops)
                # Here and not where it is counted: this thread has less to do.
                if len(read.batch):
                    pipeline.note_packed(read, batch.sequences[read.is_event])
                yield batch, read

    def steps(self, records: Iterable[tuple[int, bytes]]) -> Iterator[tuple[list[EventRecord], FeatureBatch]]:
        """Apply records; after each batch of events gives them with their features as of then.

        The pipeline answers with the detector and the lists that were in force at each batch.
        """
        sequences: list[int] = []
        held: list[EventRecord] = []
        for sequence, data in records:
            record = decode_record(data)
            self.on_record(sequence, record)
            if isinstance(record, EventRecord):
                sequences.append(sequence)
                held.append(record)
                if len(held) == BATCH:
                    yield held, self._count(held, sequences)
                    sequences, held = [], []
            elif isinstance(record, ModelRecord | ListRecord | ProvenRecord):
                # What changes answers ends the batch: the events before it were answered without it.
                if held:
                    yield held, self._count(held, sequences)
                    sequences, held = [], []
                self._change(record)
            self.next = sequence + 1
        if held:
            yield held, self._count(held, sequences)

    def _count(self, held: list[EventRecord], sequences: list[int]) -> FeatureBatch:
        batch = self.pipeline.batch([record.event for record in held])
        self.events += len(held)
        return self.pipeline.count(batch, np.array(sequences, np.int64))

    def _change(self, record: ModelRecord | ListRecord | ProvenRecord) -> None:
        if isinstance(record, ModelRecord):
            self._adopt(record)
        elif isinstance(record, ProvenRecord):
            self.pipeline.prove(record.types, fusion=record.fusion)
        else:
            self.pipeline.change_lists(record.entry, removed=record.removed)

    def _adopt(self, record: ModelRecord) -> None:
        if record.detector == DETECTOR:
            model = self.load_model(record.version)
            self.pipeline.adopt(model or UnusualActivity(self.pipeline.features.names, record.version))


def put_on(lists: ListBook, record: ListRecord) -> None:
    """What a record says of a list, without telling the rules."""
    if record.removed:
        lists.remove(record.entry.list, record.entry.entity, record.entry.key)
    else:
        lists.put(record.entry)
