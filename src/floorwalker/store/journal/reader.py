"""Read a journal, by its owner or beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from floorwalker.store.errors import DamagedError, name_storage_error
from floorwalker.store.journal.batches import RecordBatch
from floorwalker.store.journal.evidence import durable_claim_behind
from floorwalker.store.journal.frames import find_frame
from floorwalker.store.journal.segments import (
    BUFFER_BYTES,
    WAY_OUT,
    FrameError,
    Segment,
    list_segments,
    read_header,
    scan_segment,
)  # fmt: skip

NO_END = 2**62
"""A sequence that no journal reaches."""
FEW_BYTES = 128 * 1024
USUAL_BYTES = 1024
"""Who asks for some records (one decision, mostly, or what a ledger takes at once) does not have 8 MiB checked: the
buffer holds as many records of so many bytes."""


def read_segments(
    segments: Sequence[Segment], sizes: Sequence[int], first: int, stop: int
) -> Iterator[tuple[RecordBatch, int, int]]:
    """Batches of the records from `first` to before `stop`, each with the offset and sequence behind it.

    Raises `FrameError` where a segment's bytes are no sound frames, and `DamagedError` where a segment is missing.
    """
    for index, segment in enumerate(segments):
        following = segments[index + 1].first if index + 1 < len(segments) else NO_END
        if following <= first:
            continue
        if segment.first >= stop:
            return
        sequence, offset = segment.find_point(first)
        buffer_bytes = min(BUFFER_BYTES, max(FEW_BYTES, (stop - first) * USUAL_BYTES))
        for batch, place, expected in scan_segment(segment, offset, sequence, sizes[index], buffer_bytes):
            sequence = expected
            wanted = batch.between(first, stop)
            if len(wanted):
                yield wanted, place, expected
            if expected >= stop:
                return
        if following not in (NO_END, sequence):
            raise DamagedError(
                f"{segment.path} ends before record {sequence}, and the next segment begins with {following}",
                path=segment.path, offset=sizes[index], sequence=sequence, fix=WAY_OUT,
            )  # fmt: skip


def was_acknowledged(segment: Segment, error: FrameError) -> bool:
    """Whether bytes that are no sound frame should be one: a later frame calls that record durable.

    The owner may have written the record, and others behind it, after somebody looked and found the room for it empty.
    It was whole before any frame could call it durable, so it is looked for again after the claim was seen.
    """
    if durable_claim_behind(segment, error.offset, error.sequence) <= error.sequence:
        return False
    data = np.fromfile(segment.path, np.uint8, offset=error.offset)
    place, sequence, _ = find_frame(data, 0, len(data), error.sequence, segment.salt)
    return (place, sequence) != (0, error.sequence)


def read_journal_batches(folder: Path, first: int = 0, stop: int = NO_END) -> Iterator[RecordBatch]:
    """Batches of a journal that another process may be writing to; takes no lock and changes nothing.

    Parameters
    ----------
    folder : the journal.
    first : sequence of the first record wanted.
    stop : sequence before which to end; the default reads what was complete when the reading got there.

    A record that is just being written ends the reading; damage raises `DamagedError` with the segment and the offset.
    """
    segments: list[Segment] = []
    try:
        segments += [read_header(path) for path in list_segments(folder)]
        sizes = [segment.path.stat().st_size for segment in segments]
        for batch, _, _ in read_segments(segments, sizes, first, stop):
            yield batch
    except FrameError as error:
        is_last = bool(segments) and error.path == segments[-1].path
        if not is_last or was_acknowledged(segments[-1], error):
            raise error.as_error() from None
    except OSError as error:
        # Also where the owner dropped an old segment just now.
        raise name_storage_error(error, "read", folder) from error


def read_journal(folder: Path, first: int = 0, stop: int = NO_END) -> Iterator[tuple[int, bytes]]:
    """As `read_journal_batches`, one record at a time with its sequence."""
    for batch in read_journal_batches(folder, first, stop):
        yield from zip(batch.sequences.tolist(), batch.records(), strict=True)
