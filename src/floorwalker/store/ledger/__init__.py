"""The ledger: what people ask about, in SQL tables rebuilt from the journal when lost."""

from floorwalker.store.ledger.database import Ledger, put, sqlite_url
from floorwalker.store.ledger.paging import Page, read_page
from floorwalker.store.ledger.projector import Projector, put_rows
from floorwalker.store.ledger.replies import StoredReply, find_reply, forget_expired
from floorwalker.store.ledger.retention import sweep_ledger

__all__ = [
    "Ledger", "Page", "Projector", "StoredReply", "find_reply", "forget_expired", "put", "put_rows", "read_page",
    "sqlite_url", "sweep_ledger",
]  # fmt: skip
