"""What live features answer in cases small enough to be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live import declarations as say

START = 1_760_000_000_000_000
SECOND = 1_000_000
KEYER = EntityKeyer(bytes(range(16)))
SMALL = Limits(rows={}, other_rows=2_000, sketches=64)
EVENTS = say.What("events")


def make(*events: Event) -> EventBatch:
    return make_batch(events, KEYER)


def happen(number: int, kind: str, seconds: float = 0.0, **fields: object) -> Event:
    at = START + int(seconds * SECOND)
    return Event(id=f"e-{number}", type=kind, at=at, received_at=at, **fields)


def test_of_fifty_redemptions_in_one_batch_the_second_sees_the_first() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    coupons = ("ONE-PER-DEVICE",)
    batch = make(
        *(
            happen(n, "coupon_redeem", n, account=f"a-{n}", device="d-1", coupons=coupons, promotion="p")
            for n in range(50)
        )
    )
    found = live.advance(batch)
    assert found.column("coupon_device_redemptions_life").tolist() == list(range(50))
    assert found.column("promotion_device_redemptions_life").tolist() == list(range(50))
    assert found.column("device_promotion_accounts_1d")[:5].tolist() == [0, 1, 2, 3, 4]


def test_a_missing_key_counts_for_nothing_and_has_no_features() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    found = live.advance(
        make(*(happen(n, "login_failed", n, email="who@example.com", device="unknown") for n in range(3)))
    )
    columns = [place for place, name in enumerate(found.names) if name.startswith(("device_", "account_", "session_"))]
    assert found.missing[:, columns].all()
    assert np.isnan(found.values[:, columns]).all()
    assert live.figures()["rows.device"] == 0


def test_depth_fan_out_and_invitees_who_only_redeem() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    events = [happen(0, "sign_up", 0, account="root")]
    events += [happen(n, "sign_up", n, account=f"child-{n}", inviter="root") for n in (1, 2, 3, 4)]
    events += [happen(5, "sign_up", 5, account="grandchild", inviter="child-1")]
    events += [happen(n, "coupon_redeem", n, account=f"child-{n - 5}", coupons=("C",)) for n in (6, 7, 8)]
    # One of the three redeemers then pays the full price.
    events += [happen(9, "order", 9, account="child-1", order="o-1", amount_minor=900, currency="EUR")]
    live.advance(make(*events))
    asked = live.score(
        make(
            *(
                happen(20, "page_view", 20, account=name, url="/")
                for name in ("root", "child-1", "child-2", "grandchild")
            )
        )
    )
    assert asked.column("account_tree_depth").tolist() == [0, 1, 1, 2]
    # The inviter of an invited account is known without being named again.
    assert asked.column("inviter_invitees_life")[1:].tolist() == [4, 4, 1]
    assert asked.column("inviter_only_redeem_share")[1:].tolist() == [0.5, 0.5, 0.0]


def test_times_from_sign_up_to_claim_to_redemption() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    found = live.advance(
        make(
            happen(0, "sign_up", 0, account="a"),
            happen(1, "coupon_claim", 2.5, account="a", coupons=("C",)),
            happen(2, "coupon_redeem", 6, account="a", coupons=("C",)),
            happen(3, "page_view", 10, account="a", url="/"),
        )
    )
    assert found.column("account_signup_to_claim_seconds")[3] == 2.5
    assert found.column("account_claim_to_redeem_seconds")[3] == 3.5
    assert found.column("account_age_seconds")[3] == 10.0
    assert found.column("account_since_claim_seconds")[2] == 3.5


def test_an_event_beyond_the_lateness_is_flagged_and_not_counted() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=Limits(rows={}, other_rows=50, sketches=4, lateness_seconds=600))
    found = live.advance(
        make(
            happen(0, "page_view", 0, account="a", url="/"),
            happen(1, "page_view", -601, account="a", url="/"),
            happen(2, "page_view", -599, account="a", url="/"),
            happen(3, "page_view", 1, account="a", url="/"),
        )
    )
    assert found.column("event_late").tolist() == [0, 1, 0, 0]
    assert found.column("account_events_1h").tolist() == [0, 1, 1, 2]
    assert live.figures()["late"] == 1


def test_an_event_from_the_future_is_taken_at_its_receipt() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    ahead = Event(id="e", type="page_view", at=START + 3600 * SECOND, received_at=START, account="a", url="/")
    found = live.advance(make(ahead, happen(1, "page_view", 1, account="a", url="/")))
    assert found.as_of.tolist() == [START, START + SECOND]
    assert found.column("account_events_1m").tolist() == [0, 1]


def test_impossible_travel_from_berlin_to_sydney_in_an_hour() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    found = live.advance(
        make(
            happen(0, "login_succeeded", 0, account="a", latitude=52.52, longitude=13.405),
            happen(1, "login_succeeded", 3600, account="a", latitude=-33.87, longitude=151.21),
        )
    )
    # 16,094 km by the usual great-circle calculators, less 50.
    assert found.column("account_travel_kmh")[1] == pytest.approx(16_044, rel=0.003)


def test_a_purchase_like_the_others_is_normal_and_a_tenfold_one_is_not() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    day = 86_400
    past = [
        happen(n, "order", n * 7 * day, account="a", order=f"o-{n}", amount_minor=4_000 + 50 * n, currency="EUR")
        for n in range(12)
    ]
    live.advance(make(*past))
    asked = live.score(
        make(
            happen(50, "checkout", 84 * day, account="a", amount_minor=4_500, currency="EUR"),
            happen(51, "checkout", 84 * day, account="a", amount_minor=45_000, currency="EUR"),
        )
    )
    usual, tenfold = asked.column("account_amount_regression").tolist()
    assert abs(usual) < 1.0 < 4.0 < tenfold
    assert asked.column("account_amount_expected")[0] == pytest.approx(4_500, rel=0.1)


def test_a_surge_compares_an_address_with_its_own_past() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    hour = 3600
    fresh = live.advance(make(*(happen(n, "page_view", n, ip="198.51.100.9", url="/") for n in range(50))))
    assert fresh.missing[:, fresh.names.index("ip_surge_1h")].all()
    calm = [happen(n, "page_view", n * hour / 4, ip="198.51.100.7", url="/") for n in range(4 * 48)]
    live.advance(make(*calm))
    burst = [happen(n, "page_view", 48 * hour + n, ip="198.51.100.7", url="/") for n in range(100)]
    found = live.advance(make(*burst)).column("ip_surge_1h")
    assert found[0] == pytest.approx(1.0, abs=0.3)
    assert found[-1] > 10


def test_tokens_are_the_last_types_with_the_octave_of_their_gaps() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    live.advance(
        make(
            happen(0, "login_succeeded", 0, account="a"),
            happen(1, "page_view", 0.5, account="a", url="/"),
            happen(2, "order", 10, account="a", order="o", amount_minor=1, currency="EUR"),
        )
    )
    key = np.array([KEYER.key("default", "account", "a"), 0, 77], np.uint64)
    batch_key = make(happen(9, "page_view", 11, account="a", url="/")).keys["account"]
    tokens = live.sequence(np.concatenate([batch_key, key[1:]]))
    kinds = [TYPE_CODES["login_succeeded"] + 1, TYPE_CODES["page_view"] + 1, TYPE_CODES["order"] + 1 + 256 * 4]
    assert tokens[0, -3:].tolist() == kinds
    assert not tokens[0, :-3].any()
    assert not tokens[1:].any()
    assert tokens.dtype == np.uint16


def test_tokens_go_round_after_thirty_two() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    batch = make(*(happen(n, "page_view" if n % 2 else "search", n, account="a", url="/") for n in range(45)))
    live.advance(batch)
    types = (live.sequence(batch.keys["account"][:1])[0] % 256).tolist()
    assert types == [int(code) + 1 for code in batch.type[-32:]]


def test_a_state_of_other_declarations_or_with_too_many_rows_is_refused() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    live.advance(make(*(happen(n, "page_view", n, account=f"a-{n}", url="/") for n in range(30))))
    with pytest.raises(ArtefactError, match="other declarations"):
        LiveFeatures(DEFAULT[:-1], seed=1, limits=SMALL).restore(live.state())
    with pytest.raises(ArtefactError, match="account"):
        LiveFeatures(DEFAULT, seed=1, limits=Limits(rows={}, other_rows=10, sketches=64)).restore(live.state())


def test_declarations_that_cannot_be_compiled_are_all_named() -> None:
    wrong = (
        say.Feature("a", ("account",), say.Count(EVENTS), None),
        say.Feature("b", ("planet",), say.Count(EVENTS), "1d"),
        say.Feature("c", ("account",), say.Count(say.What("x", ("no_such_type",))), "1d"),
        say.Feature("d", ("account",), say.Distinct(EVENTS, "colour"), "1d"),
        say.Feature("d", ("account",), say.Count(EVENTS), "1d"),
    )
    with pytest.raises(UsageError) as caught:
        LiveFeatures(wrong, seed=1)
    for word in ("a: Count needs a window", "planet", "no_such_type", "colour", "two features are called 'd'"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "limits", [{"other_rows": 0}, {"sketches": -1}, {"lateness_seconds": -1}, {"rows": {"ip": 1 << 23}}]
)
def test_limits_out_of_range_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Limits(**limits)  # type: ignore[arg-type]


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="seed"):
        LiveFeatures(DEFAULT, seed=-1)


@pytest.mark.parametrize("code", [-1, 3_000])
def test_an_event_of_an_unknown_type_has_features_and_is_not_counted(code: int) -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    batch = make(*(happen(n, "page_view", n, account="a", url="/") for n in range(4)))
    batch.type[1] = code
    found = live.advance(batch)
    assert found.column("account_events_1h").tolist() == [0, 1, 1, 2]


def test_columns_with_gaps_between_their_values_are_taken() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    batch = make(*(happen(n, "page_view", n, account="a", url="/") for n in range(6)))
    half = EventBatch(
        batch.id[::2], batch.type[::2], batch.at[::2], batch.received_at[::2],
        {name: column[::2] for name, column in batch.keys.items()},
        {name: column[::2] for name, column in batch.numbers.items()},
        {name: column[::2] for name, column in batch.texts.items()},
    )  # fmt: skip
    assert live.advance(half).column("account_events_1h").tolist() == [0, 1, 2]


def test_an_empty_batch_has_no_rows() -> None:
    live = LiveFeatures(DEFAULT, seed=1, limits=SMALL)
    found = live.advance(make())
    assert len(found) == 0
    assert found.values.shape == (0, len(live.names))


def test_the_oldest_entities_go_when_a_table_is_full() -> None:
    declared = tuple(say.over("life", "n", "device", say.Count(EVENTS)))
    live = LiveFeatures(declared, seed=1, limits=Limits(rows={"device": 80}, sketches=0))
    live.advance(make(*(happen(n, "page_view", n, device=f"d-{n}", url="/") for n in range(80))))
    # Forty stay in use, then twenty new ones come.
    live.advance(make(*(happen(n, "page_view", 100 + n, device=f"d-{2 * n}", url="/") for n in range(40))))
    live.advance(make(*(happen(n, "page_view", 200 + n, device=f"new-{n}", url="/") for n in range(20))))
    asked = live.score(make(*(happen(n, "page_view", 300, device=f"d-{n}", url="/") for n in range(80))))
    counts = asked.column("n_life")
    assert (counts[0::2] == 2).all()
    assert (counts[1::2] == 0).sum() == 20
    assert live.figures()["evicted.device"] == 20
