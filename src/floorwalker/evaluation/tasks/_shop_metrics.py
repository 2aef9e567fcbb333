"""What a risk team asks of risks on a simulated shop's test part: who is caught, how early, and who is bothered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events.types import TYPE_CODES
from floorwalker.fusion.accounts import suspect_days
from floorwalker.metrics import confusion, roc_auc
from floorwalker.simulation.shop.campaigns import TEST_ONLY
from floorwalker.simulation.shop.scenario import DAY
from floorwalker.simulation.shop.thinning import RARE, thin

DECISION_POINTS: tuple[str, ...] = (
    "login_succeeded", "login_failed", "sign_up", "password_reset", "code_sent", "address_change", "contact_change",
    "coupon_claim", "coupon_redeem", "invitation_sent", "invitation_accepted", "group_buy_opened", "group_buy_joined",
    "add_to_cart", "checkout", "order", "order_cancelled", "payment_method_added", "top_up", "transfer", "withdrawal",
    "refund_requested", "review", "rating", "listing", "message", "livestream",
)  # fmt: skip
"""Where an account meets a decision: whatever a customer asks of the shop, beyond looking at pages. A visitor without
account meets it at every event."""
NAMED_POINTS: tuple[str, ...] = (
    "login_succeeded", "login_failed", "coupon_claim", "coupon_redeem", "checkout", "order", "refund_requested",
    "review", "rating",
)  # fmt: skip
"""Log-in, coupon, checkout, refund and review alone."""
FIRST = 200
"""Accounts a day that a team can look at."""
SEGMENTS: Mapping[str, tuple[str, ...]] = {
    "carrier_or_campus": ("mobile_only", "campus", "dormitory", "office_worker"),
    "pickup_point": ("locker_user", "pickup_user", "forwarder_user", "group_member"),
    "vpn": ("vpn_user", "relay_user"),
    "traveller": ("traveller",),
    "accessibility": ("accessibility",),
}
"""Segments of the simulator, by the names of what is asked for; new customers and guests are told by the events."""


@dataclass(frozen=True)
class Judged:
    """Events of one part with what is true of them.

    Parameters
    ----------
    risk : float32 [n, abuse types], on one scale for all types: how rare so high a score is.
    suspicion : float32 [n], how suspicious each makes whoever did it.
    truth : a row an event: `phase`, `abuse_type`, `campaign`, `family`, `skill`, `loss_minor`, `segment`, `account`,
        `session`.
    at : int64 [n], µs UTC.
    type : int16 [n], codes of event types.
    age : float32 [n], seconds since the account's sign-up; NaN where it is not known.
    promotion : bool [n], on a promotion day.
    order : strings [n], the order that each is about; null of none.
    """

    risk: NDArray[np.float32]
    suspicion: NDArray[np.float32]
    truth: pl.DataFrame
    at: NDArray[np.int64]
    type: NDArray[np.int16]
    age: NDArray[np.float32]
    promotion: NDArray[np.bool_]
    order: pl.Series

    def latest(self, share: float) -> Judged:
        """The last events alone, so many of all."""
        start = len(self.at) - int(share * len(self.at))
        return Judged(
            self.risk[start:], self.suspicion[start:], self.truth[start:], self.at[start:], self.type[start:],
            self.age[start:], self.promotion[start:], self.order[start:],
        )  # fmt: skip

    @property
    def score(self) -> NDArray[np.float32]:
        """The highest risk of each event."""
        found: NDArray[np.float32] = self.risk.max(axis=1)
        return found

    @property
    def harmful(self) -> NDArray[np.bool_]:
        """Events that take value."""
        return np.asarray((self.truth["phase"] == "harmful").to_numpy())

    @property
    def honest(self) -> NDArray[np.bool_]:
        """Events of honest people, the victims' own included."""
        return np.asarray((self.truth["phase"] == "").to_numpy())

    @property
    def subject(self) -> NDArray[np.int64]:
        """A number for each account, and for each session of nobody."""
        return self.customer.rank("dense").cast(pl.Int64).to_numpy()

    @property
    def customer(self) -> pl.Series:
        """Each account by its name, and each session of nobody by its own."""
        who = pl.coalesce("account", pl.format("session {}", "session"), pl.lit(""))
        return self.truth.select(who.alias("who"))["who"]

    def decided(self, points: Sequence[str] = DECISION_POINTS) -> NDArray[np.bool_]:
        """Events at a decision point, by the types of event that are one for an account."""
        codes = [TYPE_CODES[name] for name in points]
        found: NDArray[np.bool_] = np.isin(self.type, codes) | self.truth["account"].is_null().to_numpy()
        return found


def judge_events(test: Judged, threshold: float) -> dict[str, Any]:
    """Recall and false-positive rate of events, and paper C's figures at the threshold."""
    flagged = test.score >= threshold
    harmful, honest = test.harmful, test.honest
    told = harmful | honest
    counts = confusion(harmful[told], flagged[told])
    kinds, skills = test.truth["abuse_type"].to_numpy(), test.truth["skill"].to_numpy()
    return {
        "recall": float(flagged[harmful].mean()),
        "fpr": float(flagged[honest].mean()),
        "accuracy": (counts.true_positives + counts.true_negatives) / max(int(told.sum()), 1),
        "precision": counts.precision.value,
        "f1": counts.f1,
        "roc_auc": roc_auc(harmful[told], test.score[told]),
        "recall_by_abuse_type": _means(flagged[harmful], kinds[harmful]),
        "recall_by_skill": _means(flagged[harmful], skills[harmful]),
    }


def judge_customers(
    test: Judged, threshold: float | NDArray[np.float32], *, points: Sequence[str] = DECISION_POINTS
) -> dict[str, Any]:
    """What is caught at decision points, and how many honest customers are touched.

    Parameters
    ----------
    threshold : of all abuse types, or float32 [abuse types], one for each.
    points : types of event at which an account meets a decision.
    """
    touched = (test.risk >= threshold).any(axis=1) & test.decided(points)
    frame = test.truth.select("phase", "abuse_type", "loss_minor").with_columns(
        pl.Series("who", test.subject), pl.Series("at", test.at), pl.Series("touched", touched)
    )
    people = frame.group_by("who").agg(
        (pl.col("phase") != "").any().alias("malicious"),
        (pl.col("phase") == "harmful").any().alias("harmful"),
        (pl.col("touched") & (pl.col("phase") == "")).any().alias("bothered"),
        (pl.col("touched") & (pl.col("phase") != "")).any().alias("caught"),
        pl.col("at").filter(pl.col("touched") & (pl.col("phase") != "")).min().alias("first"),
    )
    honest, abusers = people.filter(~pl.col("malicious")), people.filter("harmful")
    losses = frame.filter(pl.col("phase") == "harmful").join(people.select("who", "first"), on="who", how="left")
    saved = losses.filter(pl.col("first").is_not_null() & (pl.col("at") >= pl.col("first")))["loss_minor"].sum()
    by_type = (
        frame.filter(pl.col("phase") == "harmful")
        .select("who", "abuse_type")
        .unique()
        .join(people.select("who", "caught"), on="who")
        .group_by("abuse_type")
        .agg(pl.col("caught").mean())
    )
    recalls = dict(by_type.sort("abuse_type").iter_rows())
    return {
        "customer": {
            "recall_at_insult_0_5": share_of(abusers["caught"]),
            "insult_rate": share_of(honest["bothered"]),
            "abusers": len(abusers),
            "honest": len(honest),
        },
        "value": {"recall": float(saved) / max(float(losses["loss_minor"].sum()), 1.0)},
        "abuse_type": {
            "macro_recall": float(np.mean(list(recalls.values()) or [np.nan])),
            "min_recall": float(min(recalls.values(), default=np.nan)),
            "recall": recalls,
        },
    }


def judge_reviews(test: Judged, *, before: Judged, seed: int) -> dict[str, float]:
    """Precision of the highest accounts of each day, on the whole test and on one with few abusers.

    Parameters
    ----------
    before : the part right before the test, of which a team remembers whom it suspected; nobody looks at its truth.
    """
    days = _days(test, before, np.ones(len(test.at), np.bool_))
    rare = _days(test, before, thin(test.truth, RARE, seed))
    return {
        "precision_200": _precision(days),
        "precision_200_rare": _precision(rare),
        "precision_200_by_risk": _precision(days.with_columns(suspicion="risk")),
        "abusers_a_day": _abusers_a_day(days),
        "abusers_a_day_rare": _abusers_a_day(rare),
    }


def _days(test: Judged, before: Judged, rows: NDArray[np.bool_]) -> pl.DataFrame:
    """Accounts by day of the test, with the suspicion by which a team looks at them (`suspect_days`), and with the
    highest risk of that day alone."""
    names = _numbers(before.customer, test.customer, rows)
    found = suspect_days(
        names,
        np.concatenate([before.at, test.at[rows]]),
        np.concatenate([before.suspicion, test.suspicion[rows]]),
        order=_numbers(before.order, test.order, rows),
    )
    here = pl.DataFrame(
        {
            "who": names[len(before.at) :], "day": test.at[rows] // DAY, "risk": test.score[rows],
            "bad": ~test.honest[rows],
        }
    )  # fmt: skip
    # What has neither account nor visit, as a guest's parcel, is nobody whom a team could look at.
    somebody = here.filter(test.customer.filter(pl.Series(rows)) != "")
    told = somebody.group_by("day", "who").agg(pl.col("risk").max(), pl.col("bad").any())
    return told.join(pl.DataFrame(found._asdict()), on=("day", "who"), how="left")


def _numbers(before: pl.Series, test: pl.Series, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """One number for each name, from 1 on, 0 for none."""
    numbers = pl.concat([before, test.filter(pl.Series(rows))]).rank("dense").fill_null(0)
    return numbers.cast(pl.Int64).to_numpy()


def _precision(days: pl.DataFrame) -> float:
    first = days.sort("suspicion", "who", descending=True).group_by("day").head(FIRST)
    return float(first.group_by("day").agg(pl.col("bad").mean())["bad"].mean() or 0.0)  # type: ignore[arg-type]


def _abusers_a_day(days: pl.DataFrame) -> float:
    return float(days.group_by("day").agg(pl.col("bad").sum())["bad"].mean() or 0.0)  # type: ignore[arg-type]


def judge_fairness(test: Judged, threshold: float) -> dict[str, Any]:
    """False-positive rates of those whom detectors like to mistake for abusers, beside everybody's."""
    honest = test.honest
    flagged = test.score >= threshold
    overall = float(flagged[honest].mean())
    segment = test.truth["segment"].to_numpy()
    groups = {name: honest & np.isin(segment, parts) for name, parts in SEGMENTS.items()}
    groups["new_customer"] = honest & (test.age < 7 * 86_400)
    groups["guest"] = honest & test.truth["account"].is_null().to_numpy()
    rates = {name: float(flagged[rows].mean()) for name, rows in groups.items() if rows.sum() >= 100}
    days = honest & test.promotion
    return {
        "max_fpr_ratio": max(rates.values(), default=np.nan) / max(overall, 1e-12),
        "fpr_ratio": {name: rate / max(overall, 1e-12) for name, rate in sorted(rates.items())},
        "promotion_fpr_ratio": float(flagged[days].mean()) / max(overall, 1e-12) if days.any() else None,
    }


def judge_campaigns(test: Judged, threshold: float) -> dict[str, float]:
    """Median share of a campaign's loss that was taken before its first flagged event."""
    frame = test.truth.select("campaign", "phase", "loss_minor").with_columns(
        pl.Series("at", test.at), pl.Series("flagged", test.score >= threshold)
    )
    found = (
        frame.filter(pl.col("phase") != "")
        .group_by("campaign")
        .agg(
            pl.col("loss_minor").sum().alias("loss"),
            pl.col("loss_minor").filter(pl.col("at") < pl.col("at").filter("flagged").min()).sum().alias("before"),
            pl.col("flagged").any(),
        )
        .filter(pl.col("loss") > 0)
        .with_columns(pl.when("flagged").then(pl.col("before") / pl.col("loss")).otherwise(1.0).alias("share"))
    )
    return {"loss_before_flag": float(found["share"].median() or 0.0), "flagged": share_of(found["flagged"])}  # type: ignore[arg-type]


def judge_unseen(test: Judged, threshold: float) -> dict[str, Any]:
    """Recall of families that no training saw."""
    unseen = test.harmful & np.isin(test.truth["family"].to_numpy(), sorted(TEST_ONLY))
    if not unseen.any():
        return {"recall_at_fpr_1_0": None, "events": 0}
    return {"recall_at_fpr_1_0": float((test.score[unseen] >= threshold).mean()), "events": int(unseen.sum())}


def _means(values: NDArray[np.bool_], groups: NDArray[Any]) -> dict[str, float]:
    return {str(name): float(values[groups == name].mean()) for name in np.unique(groups.astype(str))}


def share_of(column: pl.Series) -> float:
    """The share of a column of truths that is true; 0 of an empty one."""
    return float(column.mean() or 0.0) if len(column) else 0.0  # type: ignore[arg-type]
