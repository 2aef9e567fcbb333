"""What became known reaches the events of the same hands, and no others."""

import json

import numpy as np
import polars as pl
import pytest

from floorwalker.errors import InputError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.learning.shop.labels import SCHEMA, labels_of_outcomes, read_labels, spread_labels
from floorwalker.learning.shop.recording import record

DAY = 86_400_000_000
START = 1_760_000_000_000_000
CARD = {"payment": "card-1"}
TAKEOVER, PROMOTION, FRAUD = (
    ABUSE_TYPES.index(name) for name in ("account_takeover", "promotion_abuse", "payment_fraud")
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    def event(number: int, kind: str, account: str, session: str, device: str, day: float, **more: object):
        return {
            "id": f"e-{number}", "type": kind, "at": START + int(day * DAY), "account": account, "session": session,
            "device": device, **({"coupons": ["TEN"]} if kind == "coupon_redeem" else {}), **more,
        }  # fmt: skip

    rows = [
        event(0, "coupon_redeem", "ring", "s0", "d0", 0.0),
        event(1, "page_view", "ring", "s0", "d0", 0.1, url="/sale"),
        event(2, "coupon_redeem", "ring", "s1", "d0", 1.0),
        event(3, "coupon_redeem", "honest", "s2", "d1", 1.1),
        event(4, "login_succeeded", "victim", "thief", "d2", 2.0),
        event(5, "login_succeeded", "victim", "home", "d3", 2.1),
        event(6, "login_succeeded", "victim", "thief2", "d2", 2.2),
        event(7, "order", "buyer", "s3", "d4", 3.0, order="o-1", amount_minor=900, currency="EUR"),
        event(8, "coupon_redeem", "ring", "s5", "d0", 30.0),
        event(9, "login_succeeded", "victim", "thief", "d2", 30.1),
        event(10, "order", "buyer", "s6", "d4", 30.2, order="o-2", amount_minor=900, currency="EUR"),
        event(11, "order", "stranger", "s7", "d5", 30.3, order="o-3", amount_minor=50, currency="EUR", **CARD),
        event(12, "order", "another", "s8", "d6", 30.4, order="o-4", amount_minor=60, currency="EUR", **CARD),
        event(13, "page_view", "farmer", "s9", "d7", 30.5, url="/sale"),
        event(14, "page_view", "farmer", "s9", "d7", 30.6, url="/sale"),
        event(15, "page_view", "farmer", "s10", "d7", 30.7, url="/sale"),
    ]
    found = record([rows], tmp_path_factory.mktemp("labels") / "columns")
    assert found.left_out == 0, found.first_fault
    return found


def said(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_a_proof_speaks_of_the_account_near_in_time_and_of_proven_types(recording):
    known = spread_labels(recording, said(("event", "e-0", "promotion_abuse", 1.0, 5, 1.0)))
    assert np.flatnonzero(known[:, PROMOTION] == 1).tolist() == [0, 2]
    assert np.isnan(known[1, PROMOTION])
    assert np.isnan(known[3]).all()
    assert np.isnan(known[:, FRAUD]).all()


def test_a_takeover_speaks_of_the_thiefs_visit_and_not_of_the_victim(recording):
    known = spread_labels(recording, said(("event", "e-4", "account_takeover", 1.0, 5, 1.0)))
    assert np.flatnonzero(known[:, TAKEOVER] == 1).tolist() == [4, 9]


def test_payment_fraud_speaks_of_the_card_and_not_of_the_account(recording):
    labels = said(("order", "o-1", "payment_fraud", 1.0, 5, 1.0), ("event", "e-11", "payment_fraud", 1.0, 5, 1.0))
    known = spread_labels(recording, labels)
    assert np.flatnonzero(known[:, FRAUD] == 1).tolist() == [7, 11, 12]


def test_a_proof_by_what_everybody_does_speaks_of_the_visit(recording):
    known = spread_labels(recording, said(("event", "e-13", "promotion_abuse", 1.0, 5, 1.0)))
    assert np.flatnonzero(known[:, PROMOTION] == 1).tolist() == [13, 14]


def test_what_was_judged_honest_stays_honest(recording):
    labels = said(("event", "e-0", "promotion_abuse", 1.0, 5, 1.0), ("event", "e-2", "promotion_abuse", 0.0, 6, 1.0))
    known = spread_labels(recording, labels)
    assert known[0, PROMOTION] == 1
    assert known[2, PROMOTION] == 0


def test_from_one_half_on_a_value_is_abuse_and_without_one_it_is_nothing(recording):
    labels = said(
        ("event", "e-0", "promotion_abuse", 0.7, 5, 1.0), ("event", "e-2", "promotion_abuse", 0.3, 6, 1.0),
        ("event", "e-8", "promotion_abuse", None, 6, 1.0),
    )  # fmt: skip
    known = spread_labels(recording, labels)
    assert known[[0, 2], PROMOTION].tolist() == [1, 0]
    assert np.isnan(known[8, PROMOTION])


def test_what_was_not_known_then_is_not_used(recording):
    labels = said(("order", "o-1", "payment_fraud", 1.0, START + 9 * DAY, 1.0))
    assert np.isnan(spread_labels(recording, labels, known_at=START + 9 * DAY)).all()
    assert spread_labels(recording, labels, known_at=START + 9 * DAY + 1)[7, FRAUD] == 1


def test_chargebacks_count_by_their_reason_codes():
    columns = {
        "at": [1, 2, 3], "kind": ["chargeback", "chargeback", "verdict"], "source": ["chargeback"] * 2 + ["analyst"],
        "event": ["e-1", "e-2", "e-3"], "order": ["o-1", "o-2", None], "account": [None] * 3, "item": [None] * 3,
        "scheme": ["visa", "visa", None], "reason_code": ["10.4", "13.1", None],
        "abuse_type": [None, None, "scraping"], "value": [None, None, 0.0], "amount_minor": [1, 1, None],
    }  # fmt: skip
    labels = labels_of_outcomes(pl.DataFrame(columns))
    assert labels.select("subject_kind", "subject", "abuse_type", "value").rows() == [
        ("order", "o-1", "payment_fraud", 1.0),
        ("event", "e-3", "scraping", 0.0),
    ]


def test_a_shops_own_labels_need_two_columns(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("subject,abuse_type\ne-1,scraping\n")
    assert read_labels(path).row(0) == ("event", "e-1", "scraping", 1.0, 0, 1.0)


def test_ids_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "labels.csv"
    numbers = "".join(f"{number:05},scraping,1\n" for number in range(120))
    path.write_text(f"subject,abuse_type,value\n{numbers}e-1,scraping,0.5\ne-2,scraping,NaN\ne-3,scraping,\n")
    labels = read_labels(path)
    assert labels["subject"].to_list() == [*(f"{number:05}" for number in range(120)), "e-1", "e-2", "e-3"]
    assert labels["value"].to_list() == [1.0] * 120 + [0.5, None, None]
    lines = tmp_path / "labels.jsonl"
    rows = [{"subject": number, "abuse_type": "scraping", "value": 1} for number in range(120)]
    lines.write_text("\n".join(map(json.dumps, [*rows, {"subject": "e-1", "abuse_type": "scraping", "value": 0.5}])))
    labels = read_labels(lines)
    assert labels.row(0)[1] == "0"
    assert labels.row(-1)[1:4] == ("e-1", "scraping", 0.5)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("labels.csv", "who,abuse_type\ne-1,scraping\n", "no column 'subject'"),
        ("labels.csv", "subject,abuse_type\ne-1,fraud\n", "abuse_type 'fraud'"),
        ("labels.csv", "subject,abuse_type,subject_kind\ne-1,scraping,person\n", "subject_kind 'person'"),
        ("labels.csv", "subject,abuse_type,value\ne-1,scraping,much\n", "value"),
        ("labels.csv", "subject,abuse_type,value\ne-1,scraping,2\n", "value 2.0"),
        ("labels.csv", "", "cannot be read"),
        ("labels.xlsx", "x", "labels in labels.xlsx"),
    ],
)
def test_faulty_labels_are_named(tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_labels(path)
