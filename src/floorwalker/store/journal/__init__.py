"""The journal: every record once, in order, checked, and on the disk before anyone is answered."""

from floorwalker.store.journal.batches import RecordBatch
from floorwalker.store.journal.copying import copy_journal
from floorwalker.store.journal.journal import Journal
from floorwalker.store.journal.reader import read_journal, read_journal_batches
from floorwalker.store.journal.recovery import Recovery
from floorwalker.store.journal.repair import Repair, repair_journal

__all__ = [
    "Journal", "RecordBatch", "Recovery", "Repair", "copy_journal", "read_journal", "read_journal_batches",
    "repair_journal",
]  # fmt: skip
