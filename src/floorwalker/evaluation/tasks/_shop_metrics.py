"""What a risk team asks of risks on a simulated shop's test part: who is caught, how early, and who is bothered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events.types import TYPE_CODES
from floorwalker.metrics import confusion, roc_auc
from floorwalker.simulation.shop.campaigns import TEST_ONLY
from floorwalker.simulation.shop.scenario import DAY
from floorwalker.simulation.shop.thinning import RARE, thin

STEPS = np.append(np.arange(0.30, 1.0, 0.02), np.inf).astype(np.float32)
"""Thresholds that are tried; the last touches nobody."""
PRICES: tuple[float, ...] = tuple(np.geomspace(2.0, 128.0, 13).tolist())
SWEEPS = 4
DECISION_POINTS: tuple[str, ...] = (
    "login_succeeded", "login_failed", "sign_up", "coupon_claim", "coupon_redeem", "invitation_accepted", "checkout",
    "order", "payment_method_added", "refund_requested", "review", "rating", "listing", "message", "add_to_cart",
)  # fmt: skip
"""Where an account meets a decision; a visitor without account meets it at every event."""
_DECIDED = np.array([TYPE_CODES[name] for name in DECISION_POINTS], np.int16)
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
    truth : a row an event: `phase`, `abuse_type`, `campaign`, `family`, `skill`, `loss_minor`, `segment`, `account`,
        `session`.
    at : int64 [n], µs UTC.
    type : int16 [n], codes of event types.
    age : float32 [n], seconds since the account's sign-up; NaN where it is not known.
    promotion : bool [n], on a promotion day.
    """

    risk: NDArray[np.float32]
    truth: pl.DataFrame
    at: NDArray[np.int64]
    type: NDArray[np.int16]
    age: NDArray[np.float32]
    promotion: NDArray[np.bool_]

    def latest(self, share: float) -> Judged:
        """The last events alone, so many of all."""
        start = len(self.at) - int(share * len(self.at))
        return Judged(
            self.risk[start:], self.truth[start:], self.at[start:], self.type[start:], self.age[start:],
            self.promotion[start:],
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
        who = pl.coalesce("account", pl.format("session {}", "session"), pl.lit(""))
        return self.truth.select(who.rank("dense").cast(pl.Int64).alias("who"))["who"].to_numpy()

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Events at a decision point."""
        found: NDArray[np.bool_] = np.isin(self.type, _DECIDED) | self.truth["account"].is_null().to_numpy()
        return found


def event_threshold(validation: Judged, share: float) -> float:
    """The risk that this share of the honest validation events reaches; never 0, which is no risk."""
    return _exceeded_by(validation.score[validation.honest], share)


def subject_threshold(validation: Judged, share: float, events: int) -> float:
    """The risk at which this share of the honest customers is touched in a part of `events` events."""
    highest, allowed = _highest_of_honest(validation, share, events)
    return _exceeded_by(highest, allowed)


def _highest_of_honest(validation: Judged, share: float, events: int) -> tuple[NDArray[np.float32], float]:
    """The highest risk of each honest customer at decision points; and the share of them that may be touched here, for
    `share` to be touched in a part of `events` events.

    A longer part has more customers, and touches more of those who come again: the share grows as far as the same
    people come back. How fast is read off the validation part, from its halves to its whole.
    """
    frame = pl.DataFrame(
        {
            "who": validation.subject, "score": validation.score, "decided": validation.decided,
            "bad": ~validation.honest, "late": np.arange(len(validation.at)) >= len(validation.at) // 2,
        }
    )  # fmt: skip
    people = frame.group_by("who").agg(
        pl.col("score").filter("decided").max().fill_null(0.0).alias("all"),
        # Null where the customer was not there in that half at all.
        *(
            pl.when(here.any()).then(pl.col("score").filter(pl.col("decided") & here).max().fill_null(0.0)).alias(name)
            for name, here in (("early", ~pl.col("late")), ("late", pl.col("late")))
        ),
        pl.col("bad").any(),
    )
    honest = people.filter(~pl.col("bad"))
    highest = honest["all"].to_numpy()
    edge = _exceeded_by(highest, share)
    whole = float((highest >= edge).mean())
    half = float(np.mean([_share(honest[name].drop_nulls() >= edge) for name in ("early", "late")]))
    growth = float(np.clip(np.log2(whole / half), 0.0, 1.0)) if half else 1.0
    longer = max(1.0, events / max(len(validation.at), 1))
    return highest, share / longer**growth


def type_thresholds(validation: Judged, share: float, events: int, *, latest: float = 1.0) -> NDArray[np.float32]:
    """A risk for each abuse type from which on a decision is touched: float32 [abuse types].

    A shop's policy has a ladder for each abuse type, for some cost more and are told apart better than others. Here
    that is the share of abusers that are caught and the share of the money that is saved, in the validation part, where
    a touched honest customer costs alike everywhere: as little as lets no more than `share` of them be touched. Found
    by moving one threshold after the other, from a common one on.

    Parameters
    ----------
    share, events : of the honest customers that may be touched in a part of so many events.
    latest : share of the validation part, at its end, in which they are counted.
    """
    last = validation.latest(latest)
    highest, allowed = _highest_of_honest(last, share, events)
    whole, end = _Touches(validation), _Touches(last)
    found = np.full(validation.risk.shape[1], _exceeded_by(highest, allowed), np.float32)
    best, most = found, whole.gain(found)
    for price in PRICES:
        found = _dearest(whole, found, price)
        gain = whole.gain(found)
        if gain > most and end.bothered(found) <= allowed:
            best, most = found, gain
    return _lowered(whole, end, best, allowed)


def _lowered(whole: _Touches, end: _Touches, start: NDArray[np.float32], allowed: float) -> NDArray[np.float32]:
    """Thresholds a step lower where that gains most for each honest customer's share, until no more may be touched."""
    found = start
    while True:
        gain, cost = whole.gain(found), end.bothered(found)
        best, most = None, 0.0
        for place in range(len(found)):
            tried = found.copy()
            below = STEPS[found[place] > STEPS]
            if len(below):
                tried[place] = below[-1]
                more, touched = whole.gain(tried) - gain, end.bothered(tried)
                rate = more / max(touched - cost, 1e-6)
                if touched <= allowed and more > 0 and rate > most:
                    best, most = tried, rate
        if best is None:
            return found
        found = best


def _dearest(touches: _Touches, start: NDArray[np.float32], price: float) -> NDArray[np.float32]:
    """Thresholds that gain most where so much is paid for each honest customer's share."""
    found = start.copy()

    def worth(thresholds: NDArray[np.float32]) -> float:
        return touches.gain(thresholds) - price * touches.bothered(thresholds)

    value = worth(found)
    for _ in range(SWEEPS):
        before = found.copy()
        for place in range(len(found)):
            for candidate in STEPS:
                tried = found.copy()
                tried[place] = candidate
                if (better := worth(tried)) > value + 1e-12:
                    found, value = tried, better
        if (before == found).all():
            break
    return found


class _Touches:
    """Who is touched by thresholds, of the events that any threshold could touch."""

    def __init__(self, part: Judged) -> None:
        harmful, honest, who = part.harmful, part.honest, part.subject - 1
        count = int(who.max()) + 1 if len(who) else 0
        malicious, abuser = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        malicious[who[~honest]] = True
        abuser[who[harmful]] = True
        self._customers = max(int((~malicious).sum()), 1)
        self._abusers = max(int(abuser.sum()), 1)
        asked = part.decided & (part.score >= STEPS[0])
        rows = np.flatnonzero(asked & (np.where(honest, ~malicious[who], abuser[who])))
        self._risk, self._who, self._honest, self._row = part.risk[rows], who[rows], honest[rows], rows
        losses = np.flatnonzero(harmful)
        self._loss = part.truth["loss_minor"].to_numpy()[losses].astype(np.float64)
        self._loss_row, self._loss_who = losses, who[losses]
        self._first = np.full(count, len(who), np.int64)

    def bothered(self, thresholds: NDArray[np.float32]) -> float:
        """Share of the honest customers that are touched."""
        touched = (self._risk >= thresholds).any(axis=1) & self._honest
        return len(np.unique(self._who[touched])) / self._customers

    def gain(self, thresholds: NDArray[np.float32]) -> float:
        """Share of the abusers that are touched, and share of the money that is lost from then on."""
        touched = (self._risk >= thresholds).any(axis=1) & ~self._honest
        first = self._first.copy()
        # Backwards, so that the first event of each is written last.
        first[self._who[touched][::-1]] = self._row[touched][::-1]
        saved = self._loss[self._loss_row >= first[self._loss_who]].sum()
        return len(np.unique(self._who[touched])) / self._abusers + float(saved) / max(float(self._loss.sum()), 1.0)


def _exceeded_by(score: NDArray[np.float32], share: float) -> float:
    """A little more than the highest risk that must not be reached, so that at most this share reaches it."""
    allowed = int(share * len(score))
    if allowed >= len(score):
        return 1e-6
    edge = np.partition(score, len(score) - 1 - allowed)[len(score) - 1 - allowed]
    return float(max(np.nextafter(edge, np.float32(np.inf)), 1e-6))


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


def judge_customers(test: Judged, threshold: float | NDArray[np.float32]) -> dict[str, Any]:
    """What is caught at decision points, and how many honest customers are touched.

    Parameters
    ----------
    threshold : of all abuse types, or float32 [abuse types] as `type_thresholds` finds them.
    """
    touched = (test.risk >= threshold).any(axis=1) & test.decided
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
            "recall_at_insult_0_5": _share(abusers["caught"]),
            "insult_rate": _share(honest["bothered"]),
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


def judge_reviews(test: Judged, *, seed: int) -> dict[str, float]:
    """Precision of the highest accounts of each day, on the whole test and on one with few abusers."""
    rare = thin(test.truth, RARE, seed)
    return {
        "precision_200": _precision(test, np.ones(len(test.at), np.bool_)),
        "precision_200_rare": _precision(test, rare),
        "abusers_a_day": _abusers_a_day(test, np.ones(len(test.at), np.bool_)),
        "abusers_a_day_rare": _abusers_a_day(test, rare),
    }


def _days(test: Judged, rows: NDArray[np.bool_]) -> pl.DataFrame:
    """Accounts by day, with the suspicion by which a team looks at them: the highest of the day.

    Sums of what is spoken of, also divided by the number of events or its root, find fewer. Chosen on another scenario.
    """
    frame = pl.DataFrame({"who": test.subject, "day": test.at // DAY, "score": test.score, "bad": ~test.honest}).filter(
        pl.Series(rows)
    )
    return frame.group_by("day", "who").agg(pl.col("score").max(), pl.col("bad").any())


def _precision(test: Judged, rows: NDArray[np.bool_]) -> float:
    days = _days(test, rows).sort("score", "who", descending=True).group_by("day").head(FIRST)
    return float(days.group_by("day").agg(pl.col("bad").mean())["bad"].mean() or 0.0)  # type: ignore[arg-type]


def _abusers_a_day(test: Judged, rows: NDArray[np.bool_]) -> float:
    days = _days(test, rows).group_by("day").agg(pl.col("bad").sum())
    return float(days["bad"].mean() or 0.0)  # type: ignore[arg-type]


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
    return {"loss_before_flag": float(found["share"].median() or 0.0), "flagged": _share(found["flagged"])}  # type: ignore[arg-type]


def judge_unseen(test: Judged, threshold: float) -> dict[str, Any]:
    """Recall of families that no training saw."""
    unseen = test.harmful & np.isin(test.truth["family"].to_numpy(), sorted(TEST_ONLY))
    if not unseen.any():
        return {"recall_at_fpr_1_0": None, "events": 0}
    return {"recall_at_fpr_1_0": float((test.score[unseen] >= threshold).mean()), "events": int(unseen.sum())}


def _means(values: NDArray[np.bool_], groups: NDArray[Any]) -> dict[str, float]:
    return {str(name): float(values[groups == name].mean()) for name in np.unique(groups.astype(str))}


def _share(column: pl.Series) -> float:
    return float(column.mean() or 0.0) if len(column) else 0.0  # type: ignore[arg-type]
