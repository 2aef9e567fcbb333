"""A backtest beside what one counts by hand, on a journal written by a real pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from floorwalker.detectors.rules import RuleError
from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.events.outcomes import Label
from floorwalker.pipeline.records import EventRecord, LabelRecord, encode_record
from floorwalker.server.backtesting import backtest
from floorwalker.server.installation import Installation
from floorwalker.server.startup import make_pipeline
from floorwalker.store.journal import Journal

MINUTE = 60_000_000
START = 1_790_000_000_000_000
END = 1 << 62
RULE = """
abuse_type: promotion_abuse
severity: 0.9
events: [coupon_redeem]
reason: "{device_accounts_1d} accounts"
condition: device_accounts_1d >= 2
cases:
  fires:
    - why: two
      given: {device_accounts_1d: 2}
  does_not:
    - why: one
      given: {device_accounts_1d: 1}
  evades:
    - why: another device
      given: {device_accounts_1d: 1}
"""


def _event(number: int, device: str) -> Event:
    at = START + number * MINUTE
    return Event(
        id=f"e-{number}", type="coupon_redeem", at=at, received_at=at, account=f"a-{number}", device=device,
        coupons=("TEN",), promotion="spring", order=f"o-{number}", amount_minor=500,
    )  # fmt: skip


def _label(number: int, *, value: float, matures_at: int = 0) -> LabelRecord:
    label = Label(
        subject_kind="order", subject=f"o-{number}", abuse_type="promotion_abuse", value=value, source="analyst",
        observed_at=0, matures_at=matures_at,
    )  # fmt: skip
    return LabelRecord(id=f"l-{number}", shop="default", at=START, author="test", label=label)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Ten accounts on one device, a minute apart, each redemption decided; then five on devices of their own."""
    made = Installation(tmp_path / "shop")
    made.folder.mkdir()
    pipeline = make_pipeline(made)
    journal = Journal(made.journal, durability="process", clock=lambda: START)
    events = [_event(number, "d-farm") for number in range(10)] + [
        _event(number, f"d-{number}") for number in range(10, 15)
    ]
    for number, event in enumerate(events):
        judged = pipeline.advance(pipeline.batch([event]), np.array([number]))
        features = judged.features.values[0].astype("<f4").tobytes()
        journal.append([encode_record(EventRecord(event=event, decision=judged.decisions[0], features=features))])
    journal.append([encode_record(_label(3, value=1.0)), encode_record(_label(4, value=0.0))])
    journal.append(
        [encode_record(_label(5, value=1.0, matures_at=START + 10**12)), encode_record(_label(6, value=1.0))]
    )
    journal.append([encode_record(LabelRecord(id="l-6", shop="default", at=START, author="test"))])
    journal.sync()
    journal.close()
    return made


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules" / "promotion_abuse"
    folder.mkdir(parents=True)
    (folder / "two_accounts.yaml").write_text(RULE)
    return tmp_path / "rules"


def test_hits_labels_and_changes_are_those_counted_by_hand(installation: Installation, rules: Path) -> None:
    found = backtest(installation, rules, since=0, until=END, now=START + 1)
    assert (found["events"], found["decisions"], found["labels"]) == (15, 15, 3)
    rule = found["rules"]["promotion_abuse.two_accounts"]
    # The third redemption is the first that sees two accounts before it.
    assert (rule["hits"], rule["subjects"], rule["value_minor"]) == (8, 8, 4000)
    assert (rule["labelled"], rule["right"], rule["immature"], rule["unlabelled"]) == (2, 1, 1, 5)
    assert rule["precision"] == 0.5
    assert rule["precision_interval"][0] < 0.5 < rule["precision_interval"][1]
    assert rule["right_value_minor"] == 500
    assert sum(rule["months"].values()) == 8
    assert sum(found["changes"].values()) >= 2
    assert not any(change.endswith("-> allow") for change in found["changes"])


def test_features_are_of_the_day_also_where_the_evaluation_begins_late(installation: Installation, rules: Path) -> None:
    found = backtest(installation, rules, since=START + 8 * MINUTE, until=START + 10 * MINUTE, now=START)
    assert found["events"] == 2
    assert found["rules"]["promotion_abuse.two_accounts"]["hits"] == 2


def test_a_present_rule_changes_nothing_and_is_not_its_own_neighbour(installation: Installation) -> None:
    texts = Path(__file__).parents[3] / "src" / "floorwalker" / "detectors" / "rules" / "starter"
    found = backtest(installation, texts, since=0, until=END, now=START)
    assert found["changes"] == {}
    rule = found["rules"]["promotion_abuse.many_accounts_one_device"]
    assert rule["hits"] > 0
    assert "promotion_abuse.many_accounts_one_device" not in rule["overlap"]


def test_a_single_file_is_a_rule_too(installation: Installation, rules: Path) -> None:
    found = backtest(installation, rules / "promotion_abuse" / "two_accounts.yaml", since=0, until=END, now=START)
    assert found["rules"]["two_accounts"]["hits"] == 8


def test_what_cannot_be_is_refused(installation: Installation, rules: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--since before --until"):
        backtest(installation, rules, since=5, until=5, now=0)
    with pytest.raises(UsageError, match="no journal"):
        backtest(Installation(tmp_path / "nothing"), rules, since=0, until=END, now=0)
    with pytest.raises(InputError, match="no rules at"):
        backtest(installation, tmp_path / "missing", since=0, until=END, now=0)
    (rules / "promotion_abuse" / "two_accounts.yaml").write_text(
        RULE.replace("device_accounts_1d >=", "device_accouts_1d >=")
    )
    with pytest.raises(RuleError, match="device_accounts_1d"):
        backtest(installation, rules, since=0, until=END, now=0)
