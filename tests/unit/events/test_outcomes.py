"""Labels, and what a chargeback's reason code is evidence of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from floorwalker.events.faults import FieldError
from floorwalker.events.outcomes import DAY, SOURCES, Label, read_label
from floorwalker.events.reason_codes import REASON_CODES, classify, label_chargeback


def say(**fields: Any) -> bytes:
    values = {
        "subject_kind": "order",
        "subject": "o-1",
        "abuse_type": "payment_fraud",
        "value": 1.0,
        "source": "analyst",
        "observed_at": 5,
        "matures_at": 7,
    }
    return json.dumps({name: value for name, value in (values | fields).items() if value is not None}).encode()


def test_a_label_counts_from_its_maturity_on() -> None:
    label = read_label(say())
    assert (label.is_mature(6), label.is_mature(7)) == (False, True)
    assert label.disposition == "confirmed"
    assert SOURCES["chargeback"] == 120 * DAY


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("subject_kind", {"subject_kind": "house"}),
        ("subject", {"subject": ""}),
        ("abuse_type", {"abuse_type": "fraud"}),
        ("source", {"source": "rumour"}),
        ("value", {"value": 1.5}),
        ("value", {"value": "yes"}),
        ("weight", {"weight": -0.1}),
        ("matures_at", {"matures_at": 4}),
        ("disposition", {"disposition": "maybe"}),
        ("subject", {"subject": None}),
        ("mood", {"mood": 1}),
    ],
)
def test_a_label_that_does_not_fit_is_refused_by_name(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as caught:
        read_label(say(**fields))
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_label_is_refused(body: bytes) -> None:
    with pytest.raises(FieldError):
        read_label(body)


def test_every_fraud_code_of_visa_today_begins_with_ten_and_no_other_is_fraud() -> None:
    for (scheme, code), entry in REASON_CODES.items():
        assert (entry.abuse_type is None) == (entry.weight == 0), (scheme, code)
        if scheme == "visa" and "." in code:
            assert (entry.abuse_type == "payment_fraud") == code.startswith("10."), code
        if scheme == "amex":
            is_fraud = code == "4540" or (code.startswith("F") and code not in ("FR4", "FR6"))
            assert (entry.abuse_type == "payment_fraud") == is_fraud, code
        if scheme == "discover" and code.startswith("UA"):
            assert entry.abuse_type == "payment_fraud"


@pytest.mark.parametrize(
    ("scheme", "code", "abuse_type", "weight"),
    [
        ("Visa", " 10.4 ", "payment_fraud", 1.0),
        ("visa", "13.1", None, 0.0),
        ("visa", "12.6", None, 0.0),
        ("visa", "12.6.2", None, 0.0),
        ("visa", "83", "payment_fraud", 1.0),
        ("visa", "75", "payment_fraud", 0.5),
        ("mastercard", "4847", "payment_fraud", 1.0),
        ("mastercard", "4834", None, 0.0),
        ("mastercard", "4835", None, 0.0),
        ("amex", "FR2", "payment_fraud", 1.0),
        ("amex", "FR4", None, 0.0),
        ("amex", "4540", "payment_fraud", 1.0),
        ("discover", "7030", "payment_fraud", 1.0),
        ("discover", "DA", None, 0.0),
        ("MasterCard", "4837", "payment_fraud", 1.0),
        ("mc", "04837", "payment_fraud", 1.0),
        ("mastercard", "4853", None, 0.0),
        ("mastercard", "4863", "payment_fraud", 0.5),
        ("American Express", "f29", "payment_fraud", 1.0),
        ("amex", "C08", None, 0.0),
        ("discover", "UA02", "payment_fraud", 1.0),
        ("discover", "RG", None, 0.0),
        ("visa", "99.9", None, 0.0),
        ("nobody", "10.4", None, 0.0),
    ],
)
def test_reason_codes_say_what_they_are_evidence_of(
    scheme: str, code: str, abuse_type: str | None, weight: float
) -> None:
    found = classify(scheme, code)
    assert (found.abuse_type, found.weight) == (abuse_type, weight)


def test_only_fraud_codes_make_labels() -> None:
    label = label_chargeback("Visa", "10.4", order="o-1", observed_at=9, shop="s")
    assert label == Label(
        shop="s",
        subject_kind="order",
        subject="o-1",
        abuse_type="payment_fraud",
        value=1.0,
        source="chargeback",
        observed_at=9,
        matures_at=9,
        reason="visa:10.4",
    )
    assert label_chargeback("visa", "13.7", order="o-1", observed_at=9) is None
