"""What becomes known, when, and what never does."""

from __future__ import annotations

import numpy as np
import polars as pl

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.decode import decode_event
from floorwalker.events.outcomes import OUTCOMES, SOURCES
from floorwalker.events.reason_codes import classify
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.outcomes import AUDITS, DISCOVERIES, FRAUD_CODES, SCHEMA, make_outcomes
from floorwalker.simulation.shop.scenario import DAY

START = 1_761_523_200_000_000


def shop(
    orders: int, *, abuse_type: str = "", skill: str = "", kind: str = "order"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    ids = [f"{number * 2654435761 % 2**40:x}{abuse_type[:1]}" for number in range(orders)]
    events = pl.DataFrame(
        {
            "id": ids,
            "at": [START + number * 1000 for number in range(orders)],
            "type": [kind] * orders,
            "account": [f"a{number % 50}" for number in range(orders)],
            "order": [f"o{one}" for one in ids],
            "amount_minor": [4_000] * orders,
            "currency": ["EUR"] * orders,
            "card.scheme": ["visa", "mastercard"] * (orders // 2),
        }
    )
    phase = "harmful" if abuse_type else ""
    facts = {"abuse_type": [abuse_type] * orders, "phase": [phase] * orders, "skill": [skill] * orders}
    return events, pl.DataFrame({"id": ids, **facts})


def test_the_model_speaks_the_vocabulary_of_events() -> None:
    assert {one.kind for one in DISCOVERIES} <= set(OUTCOMES)
    assert {one.source for one in DISCOVERIES} <= set(SOURCES)
    assert {one.abuse_type for one in DISCOVERIES} - {""} == set(ABUSE_TYPES)
    assert {abuse_type for abuse_type, _ in AUDITS.values()} <= set(ABUSE_TYPES)
    assert all(classify(scheme, code).abuse_type == "payment_fraud" for scheme, code in FRAUD_CODES.items())


def test_a_stolen_card_comes_back_late_or_never() -> None:
    events, truth = shop(4_000, abuse_type="payment_fraud", skill="expert")
    found = make_outcomes(events, truth, Chance(1), end_at=START).table
    charged = found.filter(pl.col("kind") == "chargeback").join(events, left_on="event", right_on="id", suffix="_of")
    assert 0.46 < len(charged) / 4_000 < 0.54
    days = (charged["at"] - charged["at_of"]) / DAY
    assert 5 <= days.min() <= days.max() <= 120
    assert 18 < days.median() < 30
    assert set(charged["reason_code"]) == {"10.4", "4837"}
    assert charged["order"].n_unique() == len(charged)


def test_no_bank_takes_back_what_it_declined() -> None:
    events, truth = shop(2_000, abuse_type="payment_fraud", skill="naive", kind="payment_declined")
    found = make_outcomes(events, truth, Chance(1), end_at=START).table
    assert len(found) > 0
    assert "chargeback" not in found["kind"].to_list()


def test_a_letter_names_the_scheme_of_the_orders_card() -> None:
    paid, truth = shop(400, abuse_type="return_abuse", skill="naive", kind="payment_authorised")
    asked = paid.with_columns(
        pl.format("{}r", "id").alias("id"), pl.lit("refund_requested").alias("type"),
        pl.lit(None, pl.String).alias("card.scheme"), pl.col("at") + 1,
    )  # fmt: skip
    known = pl.concat([truth.with_columns(pl.lit("preparatory").alias("phase")), truth.with_columns(asked["id"])])
    found = make_outcomes(pl.concat([paid, asked]), known, Chance(1), end_at=START).table
    charged = found.filter(pl.col("kind") == "chargeback").join(paid.select("order", "card.scheme"), on="order")
    assert len(charged) > 20
    assert charged["scheme"].to_list() == charged["card.scheme"].to_list()


def test_nothing_is_heard_of_what_was_refused() -> None:
    events, truth = shop(1_000, abuse_type="promotion_abuse", skill="naive", kind="coupon_redeem")
    assert len(make_outcomes(events, truth, Chance(1), end_at=START).table) > 100
    assert len(make_outcomes(events, truth, Chance(1), end_at=START, refused=events["id"].to_list()).table) == 0


def test_verdicts_err_both_ways() -> None:
    honest = make_outcomes(*shop(20_000, kind="review"), Chance(1), end_at=START).table
    guilty = make_outcomes(*shop(5_000, abuse_type="content_abuse", skill="naive"), Chance(1), end_at=START).table
    wrong = honest.filter(pl.col("kind") == "verdict")["value"].to_numpy()
    right = guilty.filter(pl.col("kind") == "verdict")["value"].to_numpy()
    assert 0.02 < np.mean(wrong) < 0.12
    assert 0.88 < np.mean(right) < 0.98


def test_experts_are_found_less_often() -> None:
    shares = [
        len(make_outcomes(*shop(4_000, abuse_type="scraping", skill=skill), Chance(1), end_at=START).table)
        for skill in ("naive", "expert")
    ]
    assert shares[1] < shares[0] / 2


def test_honest_customers_dispute_too_and_letters_come_as_events() -> None:
    events, truth = shop(40_000)
    outcomes = make_outcomes(events, truth, Chance(1), end_at=START + 30 * DAY)
    charged = outcomes.table.filter(pl.col("kind") == "chargeback")
    assert 40 <= len(charged) <= 110
    assert charged["reason_code"].n_unique() > 2
    assert 0 < len(outcomes.entries) < len(charged) + len(outcomes.table.filter(pl.col("kind") == "dispute_won"))
    for entry in outcomes.entries:
        assert entry.event.at < START + 30 * DAY
        assert entry.truth.abuse_type == ""
    assert outcomes.table.schema == pl.Schema(SCHEMA)


def test_letters_are_events_that_the_server_takes() -> None:
    import msgspec

    events, truth = shop(400, abuse_type="payment_fraud", skill="naive")
    entries = make_outcomes(events, truth, Chance(1), end_at=START + 200 * DAY).entries
    body = msgspec.json.encode(msgspec.structs.replace(entries[0].event, id="e-1"))
    assert decode_event(body, now=START + 300 * DAY).type == "dispute_chargeback"


def test_a_letter_belongs_to_the_campaign_of_its_order_and_to_no_customer() -> None:
    bad, guilty = shop(400, abuse_type="payment_fraud", skill="naive")
    good, innocent = shop(20_000)
    truth = pl.concat([guilty.with_columns(campaign=pl.lit(7)), innocent.with_columns(campaign=pl.lit(-1))])
    entries = make_outcomes(pl.concat([bad, good]), truth, Chance(1), end_at=START + 200 * DAY).entries
    stolen = set(bad["order"])
    assert {entry.truth.campaign for entry in entries} == {-1, 7}
    for entry in entries:
        assert entry.truth.campaign == (7 if entry.event.order in stolen else -1)
        assert (entry.truth.segment, entry.truth.adversary) == ("bank", "")


def test_order_of_rows_and_of_calls_changes_nothing() -> None:
    events, truth = shop(2_000, abuse_type="payment_fraud", skill="naive")
    one = make_outcomes(events, truth, Chance(7), end_at=START + 30 * DAY).table
    halves = [
        make_outcomes(part, truth, Chance(7), end_at=START + 30 * DAY).table for part in (events[:900], events[900:])
    ]
    assert one.equals(pl.concat(halves).sort("at", "event", "kind"))
    assert make_outcomes(events.reverse(), truth, Chance(7), end_at=START + 30 * DAY).table.equals(one)


def test_an_empty_shop_learns_nothing() -> None:
    events, truth = shop(2)
    assert len(make_outcomes(events[:0], truth[:0], Chance(1), end_at=START).table) == 0


def test_that_somebody_looked_does_not_tell_what_was_found() -> None:
    bad, guilty = shop(600, abuse_type="inventory_abuse", skill="naive", kind="add_to_cart")
    good, innocent = shop(3_000, kind="add_to_cart")
    found = make_outcomes(pl.concat([bad, good]), pl.concat([guilty, innocent]), Chance(1), end_at=START).table
    verdicts = found.filter(pl.col("kind") == "verdict").join(
        pl.concat([guilty, innocent]).select("phase", event="id"), on="event"
    )
    of_honest = verdicts.filter(pl.col("phase") == "")
    assert len(of_honest) > len(verdicts) / 2
    assert set(of_honest["abuse_type"]) == {"inventory_abuse"}
    assert 0.0 < of_honest["value"].mean() < 0.2
