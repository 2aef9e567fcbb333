"""The journal read again: live state is what its records make of it, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from floorwalker.detectors.unusual import DETECTOR, UnusualActivity
from floorwalker.features.live import FeatureBatch
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.records import (
    EventRecord,
    ListRecord,
    ModelRecord,
    Record,
    decode_record,
)

BATCH = 1024
"""Events advanced together: features do not depend on it, speed does."""


@dataclass
class Replay:
    """Moves a pipeline along its journal.

    Parameters
    ----------
    pipeline : in the state as of just before the first record that comes.
    load_model : the stored anomaly detector of a version; None where it is lost (the detector is then not ready).
    on_record : told of every record with its sequence, in order, before the events around it are counted.
    """

    pipeline: Pipeline
    load_model: Callable[[str], UnusualActivity | None] = field(default=lambda version: None)
    on_record: Callable[[int, Record], None] = field(default=lambda sequence, record: None)
    events: int = 0
    next: int = 0

    def run(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Apply records to the end."""
        for _ in self.steps(records):
            pass

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
            elif isinstance(record, ModelRecord | ListRecord):
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

    def _change(self, record: ModelRecord | ListRecord) -> None:
        if isinstance(record, ModelRecord):
            if record.detector == DETECTOR:
                model = self.load_model(record.version)
                self.pipeline.adopt(model or UnusualActivity(self.pipeline.features.names, record.version))
        else:
            self.pipeline.change_lists(record.entry, removed=record.removed)
