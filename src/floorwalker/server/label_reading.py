"""Labels of the ledger, each beside the risk that the decision it speaks of had told."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, func, select

from floorwalker.fusion.label_check import MOST_KEPT, LabelBook, LabelledRisk
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import decisions, labels

AT_ONCE = 500
"""Labels read together."""
SPEAKS_OF = {
    "decision": and_(decisions.c.shop == labels.c.shop, decisions.c.id == labels.c.subject),
    "event": and_(decisions.c.shop == labels.c.shop, decisions.c.event_id == labels.c.subject),
    "order": and_(decisions.c.shop == labels.c.shop, decisions.c.order_id == labels.c.subject),
}
"""What a label may speak of to be joined, and how its decision, which is of the same shop, is found. An account, a
device or a dispute has no one decision."""
FATES = ("joined", "withdrawn", "suspected", "without_decision", "by_other_models")
_COLUMNS = (
    labels.c.id, labels.c.sequence, labels.c.shop, labels.c.abuse_type, labels.c.value, labels.c.weight,
    labels.c.matures_at, labels.c.disposition, labels.c.withdrawn_at,
)  # fmt: skip


@dataclass
class LabelReader:
    """Follows the labels of a ledger and keeps the newest beside the risks of their decisions.

    A label speaks of the last decision about its event or order that was made before the label was told. Suspicions,
    and decisions by other learned models than now, do not count.

    Parameters
    ----------
    ledger : open.
    fusion : version of the learned fusion that decides, "" without one.
    """

    ledger: Ledger
    fusion: str
    book: LabelBook = field(default_factory=LabelBook)
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter, init=False, repr=False)
    _through: int | None = field(default=None, init=False, repr=False)
    _withdrawn_at: int = field(default=0, init=False, repr=False)

    @property
    def joined(self) -> int:
        """Labels that were put beside a risk so far."""
        return self.counts("")["joined"]

    def counts(self, shop: str) -> dict[str, int]:
        """How many labels of a shop ("": of all) came to what: each of `FATES`, and `told`, their sum."""
        found = {
            fate: sum(count for (of, kind), count in tuple(self._counts.items()) if kind == fate and shop in ("", of))
            for fate in FATES
        }
        return {"told": sum(found.values()), **found}

    def read(self) -> int:
        """Take what has come since the last call; returns how many labels were joined or taken back."""
        changed = 0
        while (step := self.ledger.read(self._read_some)) is not None:
            changed += step
        return changed + self._forget()

    def _read_some(self, connection: Connection) -> int | None:
        if self._through is None:
            self._through = self._begin(connection)
        query = select(*_COLUMNS).where(labels.c.sequence > self._through).order_by(labels.c.sequence).limit(AT_ONCE)
        rows = connection.execute(query).all()
        if not rows:
            return None
        last = rows[-1].sequence
        decided: dict[str, tuple[int, Any]] = {}
        for kind, found_by in SPEAKS_OF.items():
            asked = (
                select(labels.c.id, decisions.c.sequence, decisions.c.id.label("decision_id"), decisions.c.risks_json,
                       decisions.c.scored_by)
                .join(decisions, found_by)
                .where(
                    labels.c.subject_type == kind, labels.c.sequence > self._through, labels.c.sequence <= last,
                    decisions.c.sequence < labels.c.sequence,
                )
            )  # fmt: skip
            for row in connection.execute(asked):
                if row.id not in decided or decided[row.id][0] < row.sequence:
                    decided[row.id] = row.sequence, row
        before = self.joined
        for label in rows:
            self._take(label, decided.get(label.id, (0, None))[1])
        self._through = last
        return self.joined - before

    def _begin(self, connection: Connection) -> int:
        """The sequence behind which the newest labels begin."""
        newest = select(labels.c.sequence).order_by(labels.c.sequence.desc()).limit(1).offset(MOST_KEPT)
        self._withdrawn_at = connection.execute(select(func.max(labels.c.withdrawn_at))).scalar() or 0
        return int(connection.execute(newest).scalar() or -1)

    def _take(self, label: Any, decision: Any) -> None:
        if label.withdrawn_at is not None:
            fate = "withdrawn"
        elif label.disposition != "confirmed":
            fate = "suspected"
        elif decision is None or decision.risks_json is None:
            fate = "without_decision"
        elif (decision.scored_by or "") != self.fusion:
            fate = "by_other_models"
        else:
            fate = "joined"
        self._counts[label.shop, fate] += 1
        if fate == "joined":
            self.book.add(
                LabelledRisk(
                    label_id=label.id,
                    decision_id=decision.decision_id,
                    shop=label.shop,
                    abuse_type=label.abuse_type,
                    risk=float(json.loads(decision.risks_json).get(label.abuse_type, 0.0)),
                    value=label.value,
                    weight=label.weight,
                    matures_at=label.matures_at,
                )
            )

    def _forget(self) -> int:
        """Take labels out that were taken back since; returns how many."""
        query = select(labels.c.id, labels.c.shop, labels.c.withdrawn_at).where(
            labels.c.withdrawn_at >= self._withdrawn_at
        )
        rows = self.ledger.read(lambda connection: connection.execute(query).all())
        gone = [row for row in rows if self.book.withdraw(row.id)]
        for row in gone:
            self._counts[row.shop, "joined"] -= 1
            self._counts[row.shop, "withdrawn"] += 1
        self._withdrawn_at = max([self._withdrawn_at, *(row.withdrawn_at for row in rows)])
        return len(gone)
