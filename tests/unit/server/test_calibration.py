"""Labels beside recorded risks: joined by the ledger, mature, taken back, rebuilt; and what decisions then say."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from floorwalker.events.event import Event
from floorwalker.events.outcomes import Label
from floorwalker.features.live import Limits
from floorwalker.pipeline.records import LabelRecord, ProvenRecord
from floorwalker.server.calibration import CalibrationWatch, read_calibration
from floorwalker.server.engine import Decided, DecideJob, RecordJob
from floorwalker.server.installation import Installation
from floorwalker.server.problems import ProblemError
from floorwalker.server.records_to_rows import write_rows
from floorwalker.server.replaying import compare_history, explain_decision
from floorwalker.server.startup import Runtime
from floorwalker.store.ledger import Ledger, Projector

SECOND = 1_000_000
START = 1_760_000_000 * SECOND
SMALL = Limits(rows={}, other_rows=2000, sketches=200)
NUMBERS = itertools.count()


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += 1000
        return self.now


class Shop:
    """A runtime with its ledger and the watch, without HTTP."""

    def __init__(self, folder: Path) -> None:
        self.installation = Installation(folder)
        self.runtime = Runtime(self.installation, Clock(), durability="process", limits=SMALL)
        self.runtime.open()
        self.engine = self.runtime.engine
        self.ledger = Ledger(self.installation.ledger_url)
        self.projector = Projector(self.engine.journal, self.ledger, write_rows, clock=lambda: 0)
        self.faults: list[str] = []
        self.watch = CalibrationWatch(
            self.engine, self.ledger, self._keep, lambda: self.projector.reached,
            lambda place, text: self.faults.append(text),
        )  # fmt: skip

    async def _keep(self, record: ProvenRecord) -> None:
        self.work(RecordJob((record,), then=lambda _: self.engine.pipeline.prove(record.types, fusion=record.fusion)))

    def work(self, *jobs: Any) -> list[Any]:
        outcomes, through = self.engine.work(jobs)
        self.engine.commit(through)
        return outcomes

    def decide(self, **fields: Any) -> Any:
        number = next(NUMBERS)
        at = START + number * SECOND
        event = Event(**{"id": f"e-{number}", "type": "checkout", "at": at, "received_at": at, **fields})
        (outcome,) = self.work(DecideJob(event))
        assert isinstance(outcome, Decided)
        return outcome.decision

    def label(self, name: str, subject_kind: str, subject: str, **fields: Any) -> None:
        given = {
            "shop": "default", "abuse_type": "payment_fraud", "value": 1.0, "source": "analyst", "observed_at": START,
            "matures_at": START, **fields,
        }  # fmt: skip
        label = Label(subject_kind=subject_kind, subject=subject, **given)
        self.tell(LabelRecord(id=name, shop=given["shop"], at=self.engine.now(), author="ann", label=label))

    def tell(self, record: LabelRecord) -> None:
        (sequence,) = self.work(RecordJob((record,)))
        self.watch.wake(sequence)

    def step(self) -> dict[str, Any]:
        self.projector.catch_up()
        asyncio.run(self.watch.step())
        return self.watch.document("default")

    def close(self) -> None:
        self.ledger.close()
        self.runtime.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "data")
    yield made
    made.close()


def test_labels_join_the_decision_they_speak_of(shop: Shop, tmp_path: Path) -> None:
    first = shop.decide(id="e-first", order="o-1")
    last = shop.decide(id="e-last", order="o-1")
    shop.label("l-1", "decision", first.id, value=0.0)
    shop.label("l-2", "event", "e-last", value=0.0, weight=0.5)
    shop.label("l-3", "order", "o-1", weight=0.5, source="chargeback")
    shop.label("l-4", "account", "a-1")
    shop.label("l-5", "event", "e-last", disposition="suspected")
    shop.label("l-6", "event", "e-elsewhere")
    shop.label("l-7", "event", "e-last", shop="other")
    shop.label("l-9", "decision", first.id, shop="other")
    found = shop.step()
    # The seventh and the ninth are another shop's, whose decisions these are not.
    assert found["labels"] == {
        "told": 6, "joined": 3, "immature": 0, "withdrawn": 0, "suspected": 1, "without_decision": 2,
        "by_other_models": 0,
    }  # fmt: skip
    everywhere = shop.watch.document()["labels"]
    assert (everywhere["told"], everywhere["joined"]) == (8, 3)
    fraud = found["types"]["payment_fraud"]
    # The order's last decision carries both the event's label and the order's.
    assert (fraud["decisions"], fraud["abusive"], fraud["calibrated"]) == (2, 0.5, False)
    assert fraud["predicted"] == pytest.approx(
        (first.risks.get("payment_fraud", 0) + last.risks.get("payment_fraud", 0)) / 2, abs=1e-4
    )
    assert found["types"]["scraping"]["error"] is None
    again = read_calibration(shop.installation, now=shop.engine.now())
    assert again["types"]["payment_fraud"]["decisions"] == 2
    # A label told before the decision was made is no truth about that decision.
    shop.label("l-8", "event", "e-soon")
    shop.decide(id="e-soon")
    assert shop.step()["labels"]["without_decision"] == 3


def test_labels_count_when_mature_and_until_taken_back(shop: Shop) -> None:
    decision = shop.decide()
    later = shop.engine.now() + 10**9
    shop.label("l-1", "decision", decision.id, matures_at=later)
    found = shop.step()
    assert (found["labels"]["immature"], found["types"]["payment_fraud"]["decisions"]) == (1, 0)
    assert asyncio.run(shop.watch.step()) is False
    shop.runtime.clock.now = later  # type: ignore[attr-defined]
    assert shop.step()["types"]["payment_fraud"]["decisions"] == 1
    shop.tell(LabelRecord(id="l-1", shop="default", at=shop.engine.now(), author="ann"))
    found = shop.step()
    assert (found["labels"]["withdrawn"], found["types"]["payment_fraud"]["decisions"]) == (1, 0)


def test_the_command_says_the_same_where_the_fusion_is_lost(tmp_path: Path) -> None:
    (tmp_path / "data" / "trained" / "fusion").mkdir(parents=True)
    shop = Shop(tmp_path / "data")
    decision = shop.decide()
    assert "fusion" in decision.degraded
    shop.label("l-1", "decision", decision.id)
    found = shop.step()
    shown = read_calibration(shop.installation, shop="default", now=shop.engine.now())
    shop.close()
    assert found["labels"]["joined"] == 1
    assert (shown["labels"], shown["fusion"]) == (found["labels"], found["fusion"])


def test_what_the_disk_refused_is_tried_again(shop: Shop) -> None:
    decision = shop.decide()
    shop.label("l-1", "decision", decision.id)
    shop.engine.pipeline.prove({"default": ("payment_fraud",)}, fusion="")
    keep, tries = shop.watch.keep, []

    async def refuse(record: ProvenRecord) -> None:
        tries.append(record)
        raise ProblemError(503, "the disk is full")

    shop.watch.keep = refuse
    for _ in range(2):
        with pytest.raises(ProblemError):
            shop.step()
    assert len(tries) == 2
    shop.watch.keep = keep
    shop.step()
    assert shop.engine.pipeline.proven == {}


RULE = """
abuse_type: payment_fraud
severity: {severity}
mode: active
events: [checkout]
reason: "an amount of its own"
condition: |
  amount_minor = {amount}
cases:
  fires:
    - why: this amount
      given: {{amount_minor: {amount}}}
  does_not:
    - why: another one
      given: {{amount_minor: 9}}
  evades:
    - why: another one
      given: {{amount_minor: 8}}
"""


def tell_truth(shop: Shop, decisions: list[Any], name: str) -> None:
    """Labels that are abuse as often as the risk says."""
    for number, decision in enumerate(decisions):
        is_abuse = (number * 0.6180339887) % 1 < decision.risks.get("payment_fraud", 0.0)
        shop.label(f"{name}-{number}", "decision", decision.id, value=float(is_abuse))


def test_enough_labels_make_decisions_calibrated_also_after_a_restart_and_in_replay(tmp_path: Path) -> None:
    rules = tmp_path / "data" / "rules" / "payment_fraud"
    rules.mkdir(parents=True)
    for amount, severity in ((1, 0.2), (2, 0.5), (3, 0.8)):
        (rules / f"amount_{amount}.yaml").write_text(RULE.format(amount=amount, severity=severity))
    shop = Shop(tmp_path / "data")

    def decide(number: int) -> Any:
        return shop.decide(amount_minor=number % 4, currency="EUR", account=f"a-{number}")

    first = [decide(number) for number in range(400)]
    assert {decision.risk for decision in first} == {0, 20, 50, 80}
    tell_truth(shop, first, "few")
    tell_truth(shop, first, "the-same-again")
    found = shop.step()["types"]["payment_fraud"]
    assert (found["decisions"], found["calibrated"], found["sound"]) == (400, False, False)
    assert found["error"] < 0.05
    second = [decide(number) for number in range(400, 700)]
    assert not any(decision.calibrated for decision in [*first, *second])
    tell_truth(shop, second, "more")
    found = shop.step()["types"]["payment_fraud"]
    assert (found["decisions"], found["calibrated"], found["sound"]) == (700, True, True)
    late, calm = decide(3), decide(0)
    assert (late.calibrated, calm.calibrated) == (True, False)
    shop.close()
    again = Shop(tmp_path / "data")
    assert dict(again.engine.pipeline.proven) == {"default": ("payment_fraud",)}
    assert again.step()["types"]["payment_fraud"] == found
    # Labels that say otherwise take it back.
    for number, decision in enumerate(second):
        again.label(f"other-{number}", "decision", decision.id, value=0.0, weight=1.0)
        again.tell(LabelRecord(id=f"more-{number}", shop="default", at=again.engine.now(), author="ann"))
    found = again.step()["types"]["payment_fraud"]
    assert found["calibrated"] is False
    assert again.engine.pipeline.proven == {}
    again.close()
    without_snapshots = Shop(tmp_path / "data")
    assert without_snapshots.engine.pipeline.proven == {}
    without_snapshots.close()
    assert compare_history(again.installation)["features_differ"] == 0
    for decision in (late, calm, first[3]):
        assert explain_decision(again.installation, decision.id)["equal"] is True
    assert [shop.faults, again.faults] == [[], []]
