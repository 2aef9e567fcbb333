"""Live features against a slow oracle that rereads the whole history, and the laws of advance, score and restore."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event, Identity, OrderLine
from floorwalker.events.parts import NO_PARTS, PART_ENTITIES, PART_NUMBERS, Parts
from floorwalker.events.types import EVENT_TYPES, TYPE_CODES
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live import declarations as say
from floorwalker.features.live._codes import route_codes
from floorwalker.features.live._rows import mix
from floorwalker.features.live.windows import LEVELS, WINDOWS

SEED = 11
LATENESS = 3 * 86_400
SMALL = Limits(rows={}, other_rows=200, sketches=16, lateness_seconds=LATENESS)
START = 1_760_000_000_000_000
SECOND = 1_000_000

FAILED = say.What("failed logins", ("login_failed",))
LOGINS = say.What("logins", ("login_succeeded",))
ORDERS = say.What("orders", ("order",))
DISCOUNTED = say.What("orders with a coupon", ("order",), "coupons", at_least=1)
EVENTS = say.What("events")
VIEWS = say.What("views", ("page_view",))
CLAIMS = say.What("claims", ("coupon_claim",))
REDEMPTIONS = say.What("redemptions", ("coupon_redeem",))
INVITED = say.What("invitations", ("sign_up", "invitation_accepted"))
SIGN_UPS = say.What("sign-ups", ("sign_up",))
KNOWN_USE = ("login_succeeded", "order")
REFUNDS = say.What("refunds", ("refund_issued",))
LARGE = say.What("large orders", ("order",), "amount_minor", at_least=1_000.0)
DAY = 86_400_000_000
ALL_WINDOWS = " ".join(WINDOWS)
TABLE = (
    *say.over(ALL_WINDOWS, "a_events", "account", say.Count(EVENTS)),
    *say.over("1m 1d 180d life", "a_spent", "account", say.Sum(ORDERS, "amount_minor")),
    *say.over("1h 30d", "a_max", "account", say.Max(ORDERS, "amount_minor")),
    *say.over("7d 365d", "a_mean", "account", say.Mean(ORDERS, "amount_minor")),
    *say.over("1m", "a_rate", "account", say.Rate(VIEWS)),
    *say.over("1h 7d life", "a_devices", "account", say.Distinct(EVENTS, "device")),
    *say.over("30d", "a_countries", "account", say.Distinct(LOGINS, "country")),
    *say.over("90d", "a_share", "account", say.Ratio(DISCOUNTED, ORDERS)),
    *say.over("90d", "a_value_share", "account", say.Ratio(DISCOUNTED, ORDERS, "amount_minor")),
    *say.over("1h", "a_surge", "account", say.Surge(EVENTS, "30d")),
    say.one("a_since", "account", say.SinceLast(LOGINS)),
    say.one("a_first", "account", say.SinceFirst(LOGINS)),
    say.one("a_claim_redeem", "account", say.Between(CLAIMS, REDEMPTIONS)),
    say.one("a_gap", "account", say.GapMean(EVENTS)),
    say.one("a_gap_spread", "account", say.GapSpread(EVENTS)),
    say.one("a_gap_deviation", "account", say.GapDeviation(LOGINS)),
    say.one("a_entropy", "account", say.Entropy(EVENTS, "type")),
    say.one("a_routes", "account", say.Entropy(VIEWS, "route")),
    say.one("a_new_device", "account", say.New(LOGINS, "device")),
    say.one("a_new_country", "account", say.New(EVENTS, "country")),
    say.one("a_hour", "account", say.UsualHour(EVENTS)),
    say.one("a_travel", "account", say.Travel(LOGINS)),
    say.one("a_deviation", "account", say.Deviation(ORDERS, "amount_minor")),
    say.one("a_regression", "account", say.Regression(ORDERS)),
    say.one("a_expected", "account", say.Expected(ORDERS)),
    say.one("a_depth", "account", say.TreeDepth(EVENTS)),
    *say.over("10m 1d", "d_failed", "device", say.Count(FAILED)),
    *say.over("1d", "d_accounts", "device", say.Distinct(FAILED, "account")),
    *say.over("life", "i_invitees", "inviter", say.Count(INVITED)),
    say.one("i_only", "inviter", say.OnlyRedeem(EVENTS)),
    *say.over("1d life", "pair_redemptions", "device*promotion", say.Count(REDEMPTIONS)),
    *say.over("30d", "pair_inviter", "promotion*inviter", say.Count(REDEMPTIONS)),
    *say.over("1d life", "c_redemptions", "coupon", say.Count(REDEMPTIONS)),
    *say.over("30d", "c_devices", "coupon", say.Distinct(EVENTS, "device")),
    *say.over("90d", "c_items", "coupon", say.Distinct(ORDERS, "item")),
    *say.over("life", "pair_coupon", "device*coupon", say.Count(REDEMPTIONS), sharing=True),
    *say.over("1d", "x_pieces", "item", say.Sum(ORDERS, "quantity")),
    *say.over("life", "x_large", "item", say.Count(LARGE)),
    *say.over("7d", "x_mean", "item", say.Mean(ORDERS, "amount_minor")),
    *say.over("30d", "x_max", "item", say.Max(ORDERS, "amount_minor")),
    say.one("x_since", "item", say.SinceLast(ORDERS)),
    say.one("x_gap", "item", say.GapMean(EVENTS)),
    say.one("x_deviation", "item", say.Deviation(ORDERS, "amount_minor")),
    *say.over("30d", "s_refunded", "seller", say.Ratio(REFUNDS, ORDERS, "amount_minor")),
    *say.over("1d 30d", "a_items", "account", say.Distinct(ORDERS, "item")),
    say.one("a_new_item", "account", say.New(ORDERS, "item")),
    say.one("a_item_bins", "account", say.Entropy(ORDERS, "item")),
    *say.over("life", "pair_item", "account*item", say.Count(ORDERS)),
    *say.over("30d", "d_seen", "device", say.Distinct(EVENTS, "account"), sharing=True),
    say.one("d_is_hub", "device", say.Hub(EVENTS, "30d", 1, 0.4)),
)  # fmt: skip
APPROXIMATE = (say.Regression, say.Deviation, say.GapDeviation, say.GapMean, say.GapSpread, say.Travel, say.Entropy)
"""Computed another way by the oracle, so equal only up to rounding."""


@dataclass
class Happening:
    """One event in plain terms."""

    kind: str
    at: int
    received_at: int
    keys: dict[str, int]
    numbers: dict[str, float]
    country: str | None
    url: str | None
    several: dict[str, list[tuple[int, dict[str, float]]]] = field(default_factory=dict)
    """Values of one kind of entity, each with the numbers that are its own."""

    def values(self, entity: str, keys: dict[str, int]) -> list[int]:
        """The keys of this kind of entity that the event names."""
        if entity in self.several:
            return [key for key, _ in self.several[entity]]
        return [keys[entity]] if keys.get(entity) else []

    def seen_by(self, entity: str, key: int) -> Happening:
        """The event as one of its several values has it."""
        own = dict(self.several[entity]).get(key, {})
        plain = {name: value for name, value in self.numbers.items() if name not in PART_NUMBERS}
        others = {name: values for name, values in self.several.items() if name != entity}
        return replace(self, keys={**self.keys, entity: key}, numbers=plain | own, several=others)


def parts_of(events: list[Happening]) -> Parts:
    rows = [
        (row, ENTITIES.index(entity), key, [own.get(number, np.nan) for number in PART_NUMBERS])
        for row, event in enumerate(events)
        for entity in PART_ENTITIES
        for key, own in event.several.get(entity, ())
    ]
    if not rows:
        return NO_PARTS
    row, entity, key, numbers = zip(*rows, strict=True)
    return Parts(
        np.array(row, np.int32), np.array(entity, np.int8), np.array(key, np.uint64), np.array(numbers, np.float64).T
    )


def as_batch(events: list[Happening]) -> EventBatch:
    n = len(events)
    keys = {name: np.array([e.keys.get(name, 0) for e in events], np.uint64).reshape(n) for name in ENTITIES}
    names = ("amount_minor", "quantity", "coupons", "latitude", "longitude")
    return EventBatch(
        id=[str(i) for i in range(n)],
        type=np.array([TYPE_CODES[e.kind] for e in events], np.int16).reshape(n),
        at=np.array([e.at for e in events], np.int64).reshape(n),
        received_at=np.array([e.received_at for e in events], np.int64).reshape(n),
        keys=keys,
        numbers={name: np.array([e.numbers.get(name, np.nan) for e in events], np.float64) for name in names},
        texts={"country": [e.country for e in events], "url": [e.url for e in events]},
        parts=parts_of(events),
    )


def bucket(at: int, level: int) -> int:
    width = LEVELS[level].seconds
    return at // (width * SECOND) if width else 0


@dataclass
class Seen:
    """One counted event as the oracle keeps it."""

    at: int
    event: Happening
    keys: dict[str, int]


@dataclass
class Oracle:
    """Rereads everything for every number."""

    features: tuple[say.Feature, ...]
    history: list[Seen] = field(default_factory=list)
    watermark: int = 0

    def advance(self, event: Happening) -> dict[str, float]:
        at = event.at if not 0 < event.received_at < event.at else event.received_at
        keys = dict(event.keys)
        account = keys.get("account", 0)
        if not keys.get("inviter") and account:
            keys["inviter"] = self.inviter_of(account)
        late = at < self.watermark - LATENESS * SECOND
        answers = {"event_late": float(late)}
        hubs = {
            feature.of[0]
            for feature in self.features
            if isinstance(feature.aggregate, say.Hub) and self.answer(feature, event, at, keys) == 1.0
        }
        for feature in self.features:
            is_hidden = feature.sharing and hubs & {*feature.of}
            answers[feature.name] = math.nan if is_hidden else self.answer_all(feature, event, at, keys)
        if not late:
            trusted = replace(event, numbers={**event.numbers, say.TRUSTED_ACCOUNT: float(self.trusts(at, keys))})
            self.watermark = max(self.watermark, at)
            self.history.append(Seen(at, trusted, keys))
        return answers

    def answer_all(self, feature: say.Feature, event: Happening, at: int, keys: dict[str, int]) -> float:
        """The largest, or the smallest, over the event's several values."""
        several = next((name for name in feature.of if name in event.several), None)
        if several is None:
            return self.answer(feature, event, at, keys)
        answers = [
            self.answer(feature, event.seen_by(several, key), at, {**keys, several: key})
            for key in event.values(several, keys)
        ]
        known = [answer for answer in answers if not math.isnan(answer)]
        return (min if feature.aggregate.smallest else max)(known, default=math.nan)

    def trusts(self, at: int, keys: dict[str, int]) -> bool:
        """Whether the account of an event that comes now is trusted."""
        days, last, first = 0, 0, 0
        known = [
            seen.at
            for seen in self.history
            if seen.event.kind in KNOWN_USE
            and keys.get("account") and keys.get("device")
            and (seen.keys.get("account"), seen.keys.get("device")) == (keys["account"], keys["device"])
        ]  # fmt: skip
        for seen in self.history:
            if not keys.get("account") or seen.keys.get("account") != keys["account"]:
                continue
            numbers = seen.event.numbers
            if seen.event.kind in ("refund_issued", "order_cancelled"):
                days -= days > 0
            elif seen.event.kind == "dispute_chargeback":
                days = -1_000_000
            elif (
                seen.event.kind == "order"
                and not numbers.get("coupons", 0)
                and numbers.get("amount_minor", 0) > 0
                and seen.at // DAY > last
            ):
                days, last, first = days + 1, seen.at // DAY, first or seen.at
        return days >= 2 and at - first >= 14 * DAY and bool(known) and at - min(known) >= 7 * DAY

    def touches(self, of: tuple[str, ...], kind: str) -> bool:
        if of == ("account",):
            return True
        if of == ("account", "device") and kind in KNOWN_USE:
            return True
        for feature in self.features:
            if feature.of != of:
                continue
            parts = [getattr(feature.aggregate, name, None) for name in ("what", "below", "then")]
            if isinstance(feature.aggregate, say.OnlyRedeem):
                parts = [INVITED]
            if any(what is not None and (not what.types or kind in what.types) for what in parts):
                return True
        return False

    def past(self, of: tuple[str, ...], keys: dict[str, int]) -> list[Seen]:
        found = []
        for seen in self.history:
            for name in of:
                if name in seen.event.several and keys[name] in seen.event.values(name, seen.keys):
                    seen = Seen(seen.at, seen.event.seen_by(name, keys[name]), {**seen.keys, name: keys[name]})
            same = all(name not in seen.event.several and seen.keys.get(name) == keys[name] for name in of)
            if same and self.touches(of, seen.event.kind):
                found.append(seen)
        return found

    def inviter_of(self, account: int) -> int:
        for seen in self.history:
            if seen.keys.get("account") == account and seen.event.kind in INVITED.types and seen.keys.get("inviter"):
                return seen.keys["inviter"]
        return 0

    def depth_of(self, account: int) -> float:
        for place, seen in enumerate(self.history):
            if seen.keys.get("account") == account and seen.event.kind in INVITED.types and seen.keys.get("inviter"):
                earlier = Oracle(self.features, self.history[:place])
                above = seen.keys["inviter"]
                return 1.0 + (earlier.depth_of(above) if above != account else 0.0)
        return 0.0

    def only_redeem(self, inviter: int) -> int:
        """Invitees who have redeemed and not bought without a coupon, told from the moments when it changed."""
        count = 0
        flags: dict[int, set[str]] = {}
        for place, seen in enumerate(self.history):
            account = seen.keys.get("account", 0)
            if not account:
                continue
            kind = seen.event.kind
            if kind == "coupon_redeem":
                mark = "redeemed"
            elif kind == "order" and not seen.event.numbers.get("coupons", 0.0) > 0:
                mark = "bought"
            else:
                continue
            mine = flags.setdefault(account, set())
            if mark in mine:
                continue
            mine.add(mark)
            before = Oracle(self.features, self.history[: place + 1])
            is_known = any(
                s.keys.get("inviter") == inviter and before.touches(("inviter",), s.event.kind)
                for s in before.history[:place]
            )
            if before.inviter_of(account) != inviter or not is_known:
                continue
            if mark == "redeemed" and "bought" not in mine:
                count += 1
            if mark == "bought" and "redeemed" in mine:
                count = max(count - 1, 0)
        return count

    def answer(self, feature: say.Feature, event: Happening, at: int, keys: dict[str, int]) -> float:
        if not all(keys.get(name) for name in feature.of):
            return math.nan
        past = self.past(feature.of, keys)
        now = max([at, *(seen.at for seen in past)])
        kind = feature.aggregate
        if isinstance(kind, say.Hub):
            inside_now = inside(past, now, WINDOWS[kind.over])
            everybody = {seen.keys["account"] for seen in inside_now if seen.keys.get("account")}
            trusted = {
                seen.keys["account"] for seen in inside_now
                if seen.keys.get("account") and seen.event.numbers[say.TRUSTED_ACCOUNT]
            }  # fmt: skip
            is_old = past and now - min(seen.at for seen in past) >= 7 * DAY
            return float(len(trusted) > kind.limit and len(trusted) >= kind.share * len(everybody) and bool(is_old))
        chosen = [seen for seen in past if holds(kind.what, seen.event)]
        window = WINDOWS[feature.window] if feature.window else WINDOWS["life"]
        recent = inside(chosen, now, window)
        match kind:
            case say.Mean():
                return quotient(total(recent, kind.number, window), len(having(recent, kind.number)))
            case say.Max():
                return max([0.0, *(np.float32(s.event.numbers[kind.number]) for s in having(recent, kind.number))])
            case say.Sum():
                return total(recent, kind.number, window)
            case say.Rate():
                return len(recent) / window.seconds
            case say.Count():
                return len(recent)
            case say.Ratio():
                below = inside([s for s in past if holds(kind.below, s.event)], now, window)
                if kind.number:
                    return quotient(total(recent, kind.number, window), total(below, kind.number, window))
                return quotient(len(recent), len(below))
            case say.Surge():
                longer = WINDOWS[kind.baseline]
                base = len(inside(chosen, now, longer))
                age = (now - min((s.at for s in past), default=now)) / SECOND
                if age < kind.least_age:
                    return math.nan
                span = min(max(age, window.seconds), longer.seconds)
                return quotient(len(recent) / window.seconds, base / span)
            case say.Distinct():
                return len({v for s in recent for v in codes(kind.of, s.event, s.keys)})
        times = [seen.at for seen in chosen]
        match kind:
            case say.SinceLast():
                return (now - max(times)) / SECOND if times else math.nan
            case say.SinceFirst():
                return (now - min(times)) / SECOND if times else math.nan
            case say.Between():
                then = [s.at for s in past if holds(kind.then, s.event)]
                return max(min(then) - min(times), 0) / SECOND if then and times else math.nan
            case say.GapMean():
                return gap_answer(kind, times, now)
            case say.Entropy():
                bins: dict[int, int] = {}
                for seen in chosen:
                    for value in codes(kind.of, seen.event, seen.keys):
                        where = int(mixed(value)) >> 60
                        bins[where] = bins.get(where, 0) + 1
                whole = sum(bins.values())
                return -sum(c / whole * math.log2(c / whole) for c in bins.values()) if whole else math.nan
            case say.New():
                mine = codes(kind.of, event, keys)
                past_values = [v for s in reversed(chosen) for v in reversed(codes(kind.of, s.event, s.keys))]
                known = list(dict.fromkeys(past_values))[:8]
                return float(not {*mine} <= {*known}) if mine and known else math.nan
            case say.UsualHour():
                slots = [(s.at // (3 * 3600 * SECOND)) % 8 for s in chosen]
                mine = (now // (3 * 3600 * SECOND)) % 8
                return slots.count(mine) / len(slots) if len(slots) >= 10 else math.nan
            case say.Travel():
                return travel(chosen, event, now)
            case say.Deviation():
                logs = [math.log1p(s.event.numbers[kind.number]) for s in having(chosen, kind.number)]
                mine = event.numbers.get(kind.number, math.nan)
                if len(logs) < 3 or math.isnan(mine):
                    return math.nan
                spread = math.sqrt((np.var(logs) * len(logs) + 0.5) / (len(logs) + 2))
                return (math.log1p(mine) - float(np.mean(logs))) / spread
            case say.Regression():
                return regression(chosen, event, now, is_amount=isinstance(kind, say.Expected))
            case say.TreeDepth():
                return self.depth_of(keys["account"])
            case say.OnlyRedeem():
                invitees = sum(1 for s in past if s.event.kind in INVITED.types)
                return min(self.only_redeem(keys["inviter"]) / invitees, 1.0) if invitees else math.nan
        raise AssertionError(kind)


def holds(what: say.What, event: Happening) -> bool:
    if what.types and event.kind not in what.types:
        return False
    if what.number is None:
        return True
    value = event.numbers.get(what.number, math.nan if what.otherwise is None else what.otherwise)
    return what.at_least <= value <= what.at_most


def inside(seen: list[Seen], now: int, window: Any) -> list[Seen]:
    newest = bucket(now, window.level)
    return [s for s in seen if newest - window.buckets < bucket(s.at, window.level) <= newest]


def having(seen: list[Seen], number: str) -> list[Seen]:
    return [s for s in seen if not math.isnan(s.event.numbers.get(number, math.nan))]


def total(seen: list[Seen], number: str, window: Any) -> float:
    buckets: dict[int, np.float32] = {}
    for s in having(seen, number):
        where = bucket(s.at, window.level)
        buckets[where] = np.float32(float(buckets.get(where, np.float32(0))) + s.event.numbers[number])
    return float(np.float32(sum(float(buckets[where]) for where in sorted(buckets))))


def quotient(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan


def codes(name: str, event: Happening, keys: dict[str, int]) -> list[int]:
    if name == "country":
        return [int.from_bytes(event.country.encode(), "big")] if event.country else []
    if name == "type":
        return [TYPE_CODES[event.kind] + 1]
    if name == "route":
        return [int(route_codes([event.url])[0])] if event.url else []
    return event.values(name, keys)


def mixed(value: int) -> int:
    with np.errstate(over="ignore"):
        return int(mix(np.uint64(value), np.uint64(SEED)))


def gap_answer(kind: say.Aggregate, times: list[int], now: int) -> float:
    gaps, newest = [], None
    for at in times:
        if newest is None:
            newest = at
        elif at >= newest:
            gaps.append((at - newest) / SECOND)
            newest = at
    if isinstance(kind, say.GapDeviation):
        if len(gaps) < 3 or newest is None:
            return math.nan
        logs = np.log1p(gaps)
        return (math.log1p((now - newest) / SECOND) - float(logs.mean())) / math.sqrt(
            (float(logs.var()) * len(logs) + 0.5) / (len(logs) + 2)
        )
    if isinstance(kind, say.GapSpread):
        return float(np.std(gaps)) if len(gaps) >= 2 else math.nan
    return float(np.mean(gaps)) if gaps else math.nan


def travel(seen: list[Seen], event: Happening, now: int) -> float:
    placed: Seen | None = None
    for s in seen:
        if "latitude" in s.event.numbers and (placed is None or s.at >= placed.at):
            placed = s
    if placed is None or "latitude" not in event.numbers:
        return math.nan
    here, there = event.numbers, placed.event.numbers
    # Angle between the two places as vectors: another way than the haversine.
    vectors = []
    for place in (here, there):
        north, east = math.radians(place["latitude"]), math.radians(place["longitude"])
        vectors.append((math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)))
    dot = sum(a * b for a, b in zip(*vectors, strict=True))
    kilometres = 6371.0 * math.acos(min(max(dot, -1.0), 1.0))
    return max(kilometres - 50.0, 0.0) / (max(now - placed.at, 60 * SECOND) / 3600 / SECOND)


def regression(seen: list[Seen], event: Happening, now: int, *, is_amount: bool) -> float:
    """The recursive least squares of `_normal`, written with matrices in double precision."""
    weights, covariance, variance, count, last = np.zeros(3), np.diag([1.0, 0.25, 0.25]), 0.25, 0, None

    def look(happening: Happening, at: int) -> np.ndarray[Any, Any]:
        days = max(at - last, 0) / 86_400 / SECOND if last is not None else 0.0
        return np.array([1.0, math.log1p(days), math.log1p(happening.numbers.get("quantity", 1.0))])

    for s in having(seen, "amount_minor"):
        y, x = math.log1p(s.event.numbers["amount_minor"]), look(s.event, s.at)
        if count == 0:
            weights[0] = y
        else:
            gain = covariance @ x
            wide = 1.0 + x @ gain
            most = 3.0 * math.sqrt(variance * wide)
            error = min(max(y - weights @ x, -most), most)
            weights = weights + gain / wide * error
            covariance = covariance - np.outer(gain, gain) / wide
            variance += (error * error / wide - variance) / (count + 3.0)
        count += 1
        last = s.at if last is None else max(last, s.at)
    if count < 3:
        return math.nan
    x = look(event, now)
    if is_amount:
        return math.expm1(weights @ x)
    mine = event.numbers.get("amount_minor", math.nan)
    return (math.log1p(mine) - weights @ x) / math.sqrt(variance * (1.0 + x @ covariance @ x))


KINDS = (
    "page_view", "login_succeeded", "login_failed", "order", "order", "coupon_claim", "coupon_redeem", "sign_up",
    "invitation_accepted", "refund_issued", "order", "order", "order_cancelled", "dispute_chargeback",
)  # fmt: skip
STEPS = (0, 1, 4, 9, 40, 400, 4_000, 40_000, 400_000, 4_000_000, -1, -30, -5_000, -90_000, -400_000)
"""Seconds from one event to the next: within every bucket, over every edge, back in time and beyond the lateness."""


OWN_NUMBERS = st.fixed_dictionaries(
    {},
    optional={
        "quantity": st.sampled_from((1.0, 3.0)),
        "amount_minor": st.sampled_from((0.0, 199.0, 12_345.0)),
        "discount_minor": st.just(5.0),
    },
)
more_values = st.dictionaries(
    st.sampled_from(PART_ENTITIES),
    st.dictionaries(st.integers(1, 3), OWN_NUMBERS, min_size=1, max_size=3).map(lambda each: list(each.items())),
)
"""Kinds of entity with several values, most often of none."""


@st.composite
def histories(draw: st.DrawFn) -> list[Happening]:
    at = START
    events = []
    for _ in range(draw(st.integers(1, 45))):
        at += draw(st.sampled_from(STEPS)) * SECOND + draw(st.integers(0, 3)) * 137_000
        kind = draw(st.sampled_from(KINDS))
        keys = {
            "account": draw(st.integers(0, 3)),
            "device": draw(st.integers(0, 4)),
            "promotion": draw(st.integers(0, 1)),
            "inviter": draw(st.sampled_from((0, 0, 1, 2))) if kind in INVITED.types else 0,
            "coupon": draw(st.integers(0, 3)) if kind in ("coupon_redeem", "order") else 0,
            "item": draw(st.integers(0, 2)),
            "seller": draw(st.integers(0, 2)),
        }
        several = draw(more_values) if kind in ("coupon_redeem", "order", "refund_issued") else {}
        keys |= {entity: values[0][0] for entity, values in several.items()}
        numbers: dict[str, float] = {}
        if kind in ("order", "refund_issued"):
            numbers["amount_minor"] = draw(st.sampled_from((0.0, 199.0, 4_999.0, 120_001.0)))
            numbers["coupons"] = draw(st.sampled_from((0.0, 1.0)))
            if draw(st.booleans()):
                numbers["quantity"] = float(draw(st.integers(1, 4)))
        if kind == "login_succeeded" and draw(st.booleans()):
            numbers |= {
                "latitude": draw(st.sampled_from((52.5, -33.9))),
                "longitude": draw(st.sampled_from((13.4, 151.2))),
            }
        received = at + draw(st.sampled_from((0, 0, 1, -1, -3_600))) * SECOND
        events.append(
            Happening(
                kind, at, received, keys, numbers, draw(st.sampled_from((None, "DE", "FR"))),
                draw(st.sampled_from((None, "/", "/p/12", "/p/7?x=1", "/cart"))), several,
            )
        )  # fmt: skip
    return events


@st.composite
def customers(draw: st.DrawFn) -> list[Happening]:
    """A few accounts that buy on few devices over weeks, and now and then lose what they gained."""
    kinds = ("order", "order", "order", "order", "login_succeeded", "sign_up", "refund_issued", "dispute_chargeback")
    at = START
    events = []
    for _ in range(draw(st.integers(10, 40))):
        at += draw(st.sampled_from((0, 3_600, 86_400, 3 * 86_400, 5 * 86_400, -7_200))) * SECOND
        # Chargebacks and refunds are rarer than purchases.
        kind = draw(st.sampled_from(kinds)) if draw(st.booleans()) else "order"
        keys = {"account": draw(st.integers(1, 3)), "device": draw(st.integers(1, 2)), "promotion": 1}
        numbers = {"amount_minor": draw(st.sampled_from((900.0, 900.0, 900.0, 0.0)))} if kind == "order" else {}
        if kind == "order" and draw(st.integers(0, 5)) == 0:
            numbers["coupons"] = 1.0
        events.append(Happening(kind, at, at, keys, numbers, None, None))
    return events


HUBS = (
    *say.over("30d", "d_accounts", "device", say.Distinct(EVENTS, "account"), sharing=True),
    *say.over("1d", "d_events", "device", say.Count(EVENTS)),
    say.one("d_is_hub", "device", say.Hub(EVENTS, "30d", 1, 0.7)),
    *say.over("life", "pair", "device*promotion", say.Count(ORDERS), sharing=True),
    *say.over("7d", "own", "account*device", say.Count(ORDERS)),
)


def same_bits(left: Any, right: Any) -> bool:
    return left.values.tobytes() == right.values.tobytes() and (left.missing == right.missing).all()


COMMON = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@COMMON
@given(histories())
def test_every_number_is_what_rereading_the_history_gives(events: list[Happening]) -> None:
    live = LiveFeatures(TABLE, seed=SEED, limits=SMALL)
    oracle = Oracle(TABLE)
    found = live.advance(as_batch(events))
    kinds = {feature.name: feature.aggregate for feature in TABLE}
    for row, event in enumerate(events):
        for name, expected in oracle.advance(event).items():
            value = float(found.values[row, found.names.index(name)])
            what = (row, name, value, expected)
            assert bool(found.missing[row, found.names.index(name)]) == math.isnan(expected), what
            if not math.isnan(expected):
                loose = isinstance(kinds.get(name), APPROXIMATE)
                # The spread of gaps of weeks keeps 24 bits of each gap, so a tenth of a second is lost.
                least = 0.1 if isinstance(kinds.get(name), say.GapSpread) else 2e-3
                assert value == pytest.approx(expected, rel=2e-3 if loose else 3e-7, abs=least if loose else 1e-9), what


@COMMON
@given(customers())
def test_hubs_are_those_that_rereading_the_history_finds(events: list[Happening]) -> None:
    live = LiveFeatures(HUBS, seed=SEED, limits=SMALL)
    oracle = Oracle(HUBS)
    found = live.advance(as_batch(events))
    for row, event in enumerate(events):
        expected = oracle.advance(event)
        mine = {name: float(found.values[row, place]) for place, name in enumerate(found.names)}
        np.testing.assert_equal(mine, expected, err_msg=str(row))


@COMMON
@given(histories(), st.data())
def test_any_batching_gives_the_same_bits(events: list[Happening], data: st.DataObject) -> None:
    whole, parts = (LiveFeatures(DEFAULT, seed=SEED, limits=SMALL) for _ in range(2))
    together = whole.advance(as_batch(events))
    values, missing = [], []
    start = 0
    while start < len(events):
        end = start + data.draw(st.integers(1, len(events) - start))
        part = parts.advance(as_batch(events[start:end]))
        values.append(part.values)
        missing.append(part.missing)
        start = end
    assert np.concatenate(values).tobytes() == together.values.tobytes()
    assert (np.concatenate(missing) == together.missing).all()
    assert whole.figures() == parts.figures()


@COMMON
@given(histories(), histories())
def test_score_moves_nothing_and_foretells_the_next_event(past: list[Happening], asked: list[Happening]) -> None:
    live = LiveFeatures(TABLE, seed=SEED, limits=SMALL)
    live.advance(as_batch(past))
    before = {name: array.copy() for name, array in live.state().items()}
    first = live.score(as_batch(asked))
    assert same_bits(first, live.score(as_batch(asked)))
    for name, array in live.state().items():
        assert array.tobytes() == before[name].tobytes(), name
    advanced = live.advance(as_batch(asked[:1]))
    assert first.values[0].tobytes() == advanced.values[0].tobytes()


@COMMON
@given(histories(), histories(), st.integers(2, 40), st.booleans())
def test_a_restored_state_goes_on_bit_for_bit(
    first: list[Happening], then: list[Happening], cap: int, is_read_into_its_place: bool
) -> None:
    limits = Limits(rows={"account": cap}, other_rows=cap, sketches=4, lateness_seconds=LATENESS)
    live = LiveFeatures(DEFAULT, seed=SEED, limits=limits)
    live.advance(as_batch(first))
    other = LiveFeatures(DEFAULT, seed=99, limits=limits)
    other.advance(as_batch(then))
    state = {name: array.copy() for name, array in live.state().items()}
    if is_read_into_its_place:
        room = other.make_room({name: (array.dtype, array.shape) for name, array in state.items()})
        assert {*room} == {name for name in state if name.startswith("rows.") or name == "sketches"}
        for name, place in room.items():
            assert not place.any()
            place[:] = state[name]
        state |= room
    other.restore(state)
    assert same_bits(live.advance(as_batch(then)), other.advance(as_batch(then)))
    assert live.figures() == other.figures()


@COMMON
@given(st.lists(st.integers(1, 60), min_size=1, max_size=120), st.integers(1, 5))
def test_tables_stay_within_their_caps_and_find_every_row_they_hold(keys: list[int], cap: int) -> None:
    declared = tuple(say.over("life", "n", "device", say.Count(EVENTS)))
    live = LiveFeatures(declared, seed=SEED, limits=Limits(rows={"device": cap}, sketches=0))
    held: dict[int, int] = {}
    for step, key in enumerate(keys):
        event = Happening("page_view", START + step * SECOND, 0, {"device": key}, {}, None, None)
        value = float(live.advance(as_batch([event])).column("n_life")[0])
        # A row either is the one we know of or has been given up in between; it never is another key's.
        assert value in (held.get(key, 0), 0)
        held[key] = int(value) + 1
        figures = live.figures()
        assert figures["rows.device"] <= cap
    assert figures["evicted.device"] >= len(set(keys)) - cap
    assert len(EVENT_TYPES) == len(TYPE_CODES)


LINE_NAMES = st.sampled_from((None, "a", "b", "unknown"))
MONEY = st.none() | st.integers(0, 10**15)
LINES = st.lists(
    st.builds(
        OrderLine, item=LINE_NAMES, seller=LINE_NAMES, quantity=st.none() | st.integers(0, 10**9), price_minor=MONEY,
        list_price_minor=MONEY, discount_minor=MONEY,
    ),
    max_size=4,
)  # fmt: skip
NAMED = st.builds(
    Event, id=st.just("e"), type=st.just("order"), at=st.just(7), item=LINE_NAMES, seller=LINE_NAMES,
    quantity=st.none() | st.integers(0, 9), amount_minor=MONEY, list_price_minor=MONEY, discount_minor=MONEY,
    coupons=st.lists(st.sampled_from(("x", "y", "z", "unknown")), max_size=4).map(tuple), lines=LINES.map(tuple),
    identity=st.none() | st.builds(Identity, amount_base_minor=MONEY, hubs=st.sampled_from(((), ("item",)))),
)  # fmt: skip


@COMMON
@given(st.lists(NAMED, min_size=1, max_size=4))
def test_parts_are_what_rereading_the_coupons_and_lines_gives(events: list[Event]) -> None:
    keyer = EntityKeyer(bytes(16))
    expected: list[tuple[int, str, int, list[float]]] = []
    for row, event in enumerate(events):
        hubs = event.identity.hubs if event.identity else ()
        base = event.identity.amount_base_minor if event.identity else None
        amount = event.amount_minor if base is None else base
        whole = [event.quantity, amount, event.list_price_minor, event.discount_minor]
        coupons = [code for code in dict.fromkeys(event.coupons) if code != "unknown"]
        if len(coupons) > 1:
            mine = [math.nan if number is None else float(number) for number in whole]
            expected += [(row, "coupon", keyer.key("default", "coupon", code), mine) for code in coupons]
        for entity, own in (("item", event.item), ("seller", event.seller)):
            if not event.lines or entity in hubs:
                continue
            named = [(getattr(line, entity) or own, line) for line in event.lines]
            names = [name for name, _ in named]
            if own not in names:
                names.insert(0, own)
            for name in dict.fromkeys(name for name in names if name not in (None, "unknown")):
                lines = [line for other, line in named if other == name]
                pieces = [1.0 if line.quantity is None else float(line.quantity) for line in lines]
                mine = [sum(pieces) if lines else math.nan if event.quantity is None else float(event.quantity)]
                for number in ("price_minor", "list_price_minor", "discount_minor"):
                    prices = [getattr(line, number) for line in lines]
                    products = [many * price for many, price in zip(pieces, prices, strict=True) if price is not None]
                    mine.append(sum(products) if products else math.nan)
                if base is not None and event.amount_minor:
                    mine[1] = mine[1] * base / event.amount_minor
                expected.append((row, entity, keyer.key("default", entity, str(name)), mine))
    whole_batch = make_batch(events, keyer).parts
    single = [make_batch([event], keyer).parts for event in events]
    found = list(
        zip(
            whole_batch.row.tolist(), [ENTITIES[entity] for entity in whole_batch.entity.tolist()],
            whole_batch.key.tolist(), whole_batch.numbers.T.tolist(), strict=True,
        )
    )  # fmt: skip
    assert [entry[:3] for entry in found] == [entry[:3] for entry in expected]
    np.testing.assert_array_equal([entry[3] for entry in found], [entry[3] for entry in expected])
    assert [key for parts in single for key in parts.key.tolist()] == whole_batch.key.tolist()
