"""A profile as one document: what a person reads and what a program reads are the same numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from floorwalker.sources.doctor._columns import MADE
from floorwalker.sources.doctor._needs import ABUSE_NEEDS, DETECTOR_NEEDS
from floorwalker.sources.doctor._profile import ENTITY_FIELDS, Profile
from floorwalker.sources.doctor._rules import judge_rules
from floorwalker.sources.doctor._support import Verdict, judge
from floorwalker.sources.mapping._currencies import EXPONENTS

HUB_ACCOUNTS = 50
"""Different accounts behind one value, from which on it is called a hub."""

_PERSONAL = frozenset({"account", "session", "email", "phone", "payment", "delivery_address", "inviter"})
_MOST_HUBS = 5


def iso(at: int) -> str:
    """A time as text.

    >>> iso(1_760_000_000_000_000)
    '2025-10-09T08:53:20Z'
    """
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(field: str, value: str) -> str:
    """A value as a report may show it: of personal ones the ends are left.

    >>> shown("email", "jane.roe@example.com"), shown("device", "unknown"), shown("account", "a-1")
    ('ja…@example.com', 'unknown', '…')
    """
    if field not in _PERSONAL:
        return value[:80]
    if field == "email" and "@" in value:
        return f"{value[:2]}…@{value.rpartition('@')[2]}"[:80]
    return f"{value[:2]}…{value[-2:]}" if len(value) > 6 else "…"


def make_report(profile: Profile) -> dict[str, Any]:
    """The document that `floorwalker doctor --json` prints; see `docs/doctor.md`."""
    records = profile.events + profile.refused
    types = profile.type_counts()
    abuse = judge(ABUSE_NEEDS, types, profile.usable)
    detectors = judge(DETECTOR_NEEDS, types, profile.usable)
    report: dict[str, Any] = {
        "records": records,
        "events": profile.events,
        "refused": {
            "count": profile.refused,
            "share": _share(profile.refused, records),
            "fields": [
                {"field": name, "count": count, "reason": profile.refused_examples[name][0],
                 "first_place": profile.refused_examples[name][1]}
                for name, count in profile.refused_fields.most_common()
            ],
        },
        "types": types,
        "duplicates": _duplicates(profile),
        "time": _times(profile),
        "currencies": _currencies(profile),
        "fields": [_field(profile, name) for name in profile.seen_fields()],
        "never_filled": _never_filled(profile),
        "hubs": _hubs(profile),
        "abuse_types": [_verdict(one) for one in abuse],
        "detectors": [_verdict(one) for one in detectors],
        "starter_rules": judge_rules(types, profile.usable),
    }  # fmt: skip
    report["warnings"] = _warnings(report)
    return report


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _duplicates(profile: Profile) -> dict[str, Any]:
    ids, contents = profile.ids, profile.contents
    return {
        "same_id_share": ids.repeated_share,
        "same_content_share": contents.repeated_share,
        "is_exact": ids.is_exact and contents.is_exact,
    }


def _times(profile: Profile) -> dict[str, Any] | None:
    times = profile.times
    if not times.count:
        return None
    return {
        "first": iso(times.first),
        "last": iso(times.last),
        "days_spanned": times.days_spanned,
        "days_with_events": times.days_with_events,
        "out_of_order_share": _share(times.out_of_order, times.count),
        "late_share": _share(times.late, times.count),
        "worst_lateness_seconds": times.worst_lateness / 1e6,
        "midnight_share": _share(times.at_midnight, times.count),
        "whole_second_share": _share(times.whole_seconds, times.count),
        "gaps": [{"start": iso(gap.start), "end": iso(gap.end), "hours": gap.hours} for gap in times.gaps()],
        "clock": None if not times.received else {
            "events_with_receipt": times.received,
            "median_seconds": times.skew_quantile(0.5),
            "p01_seconds": times.skew_quantile(0.01),
            "p99_seconds": times.skew_quantile(0.99),
            "ahead_share": _share(times.ahead, times.received),
            "late_share": _share(times.received_late, times.received),
            "zone_fault_hours": times.zone_fault_hours,
        },
    }  # fmt: skip


def _currencies(profile: Profile) -> list[dict[str, Any]]:
    found = []
    for code, count in profile.currencies.most_common():
        entry: dict[str, Any] = {"currency": None if code == "none" else code, "events": count}
        entry["share"] = _share(count, profile.amounts)
        entry["is_known"] = code in EXPONENTS
        if (spread := profile.money.get(code)) is not None:
            low, high = spread.fences()
            entry.update(
                median_minor=round(spread.quantile(0.5)),
                p99_minor=round(spread.quantile(0.99)),
                highest_minor=round(spread.highest),
                zero_share=_share(spread.zeros, spread.count),
                abnormal_share=spread.abnormal_share(),
                usual_minor=[round(low), round(high)],
            )
        if code in profile.round_hundreds:
            entry["hundreds_share"] = _share(profile.round_hundreds[code], count)
        found.append(entry)
    return found


def _field(profile: Profile, name: str) -> dict[str, Any]:
    expected = profile.expected(name)
    there, nobody = profile.found(name)
    entry: dict[str, Any] = {
        "field": name,
        "expected": expected,
        "missing_share": 1.0 - _share(there, expected) if expected else 0.0,
        "placeholder_share": _share(nobody, there),
        "elsewhere": int(profile.present[name].sum()) - there,
    }
    if name in profile.placeholder_examples:
        common = profile.placeholder_examples[name].most_common(3)
        entry["placeholders"] = [{"value": value[:80], "count": count} for value, count in common]
    if (sample := profile.distinct.get(name)) is not None:
        entry["distinct"] = sample.distinct
        entry["distinct_is_exact"] = sample.is_exact
        entry["mean_events"] = float(np.mean(sample.counts)) if len(sample.counts) else 0.0
        top = profile.heavy[name].top(1)
        if top:
            value, count = top[0]
            entry["most_frequent"] = {
                "value": shown(name, value),
                "share": _share(count, int(profile.present[name].sum())),
            }
    spread = profile.spreads.get(name)
    if name == "amount_minor":
        beyond = sum(one.abnormal_share() * one.count for one in profile.money.values())
        entry["abnormal_share"] = beyond / profile.amounts if profile.amounts else 0.0
        entry["zero_share"] = _share(sum(one.zeros for one in profile.money.values()), profile.amounts)
    elif spread is not None:
        low, high = spread.fences()
        entry.update(
            median=spread.quantile(0.5),
            highest=spread.highest,
            zero_share=_share(spread.zeros, spread.count),
            abnormal_share=spread.abnormal_share(),
            usual=[low, high],
        )
    if name in profile.refused_fields:
        entry["refused"] = profile.refused_fields[name]
    return entry


def _never_filled(profile: Profile) -> list[str]:
    """Entities and facts that some of the events could say and none does."""
    wanted = (
        "account", "session", "device", "ip", "user_agent", "email", "phone", "payment", "bin", "shipping_address",
        "coupons", "promotion", "inviter", "item", "lines", "amount_minor", "currency", "country",
    )  # fmt: skip
    seen = {name.partition(".")[0] for name in profile.present}
    return [name for name in wanted if name not in seen and _may_be_said(profile, name)]


def _may_be_said(profile: Profile, name: str) -> bool:
    return profile.expected("delivery_address" if name == "shipping_address" else name) > 0


def _hubs(profile: Profile) -> list[dict[str, Any]]:
    """Values that more accounts share than a household or an office does."""
    found = []
    accounts = profile.distinct["account"].distinct if "account" in profile.distinct else 0
    for name, sample in profile.shared.items():
        hashes, counts = sample.partners()
        named = profile.heavy[name].values()
        by_hash = dict(zip(pl.Series(named, dtype=pl.String).hash(1).to_list(), named, strict=True))
        usual = float(np.quantile(counts, 0.5)) if len(counts) else 0.0
        shared = _share(int(np.count_nonzero(counts > 1)), len(counts))
        hubs: list[dict[str, Any]] = []
        for value, count in zip(hashes[: 4 * _MOST_HUBS].tolist(), counts.tolist(), strict=False):
            if count < HUB_ACCOUNTS or len(hubs) == _MOST_HUBS:
                break
            text = by_hash.get(value)
            hubs.append(
                {"value": None if text is None else shown(name, text), "accounts": int(count),
                 "account_share": min(1.0, _share(int(count), accounts))}
            )  # fmt: skip
        found.append(
            {"entity": name, "shared_share": shared, "usual_accounts": usual,
             "most_accounts": int(counts[0]) if len(counts) else 0, "is_exact": sample.level == 0, "hubs": hubs}
        )  # fmt: skip
    return found


def _verdict(one: Verdict) -> dict[str, Any]:
    return {"name": one.name, "level": one.level, "missing": list(one.missing), "present": list(one.helps)}


def _warnings(report: dict[str, Any]) -> list[str]:
    """What a person should look at first, in sentences."""
    found = []
    refused, times, duplicates = report["refused"], report["time"], report["duplicates"]
    if refused["share"] > 0.001:
        found.append(f"{refused['share']:.1%} of the records would be refused, most of them for "
                     f"{refused['fields'][0]['field']}: {refused['fields'][0]['reason']}")  # fmt: skip
    if duplicates["same_id_share"] > 0.001:
        found.append(f"{duplicates['same_id_share']:.1%} of the events repeat an id: only the first of each counts")
    if duplicates["same_content_share"] - duplicates["same_id_share"] > 0.01:
        found.append(f"{duplicates['same_content_share']:.1%} of the events say the same as another one under a new id")
    if times:
        found += _time_warnings(times)
    for one in report["currencies"]:
        if one["currency"] is None:
            found.append(f"{one['share']:.1%} of the amounts have no currency")
        elif not one["is_known"]:
            found.append(f"{one['currency']} is no currency of ISO 4217 ({one['events']:,} amounts)")
        elif one.get("hundreds_share", 0.0) > 0.98 and one["events"] >= 20:
            found.append(f"nearly every amount in {one['currency']} is a multiple of 100, but {one['currency']} has no "
                         "minor unit: were amounts multiplied by 100?")  # fmt: skip
    for entry in report["fields"]:
        if entry["placeholder_share"] > 0.05 and entry["field"] not in MADE:
            found.append(f'{entry["placeholder_share"]:.1%} of the values of {entry["field"]} stand for "unknown"')
        top = entry.get("most_frequent")
        if top and top["share"] > 0.2 and entry["field"] in ENTITY_FIELDS and entry["distinct"] > 1:
            found.append(f"one value of {entry['field']} stands in {top['share']:.0%} of the events that have one")
    for one in report["hubs"]:
        if one["hubs"]:
            first = one["hubs"][0]
            found.append(f"{first['accounts']:,} accounts share one {one['entity']}: a hub, or one busy abuser")
    return found


def _time_warnings(times: dict[str, Any]) -> list[str]:
    found = []
    if times["midnight_share"] > 0.5:
        found.append(f"{times['midnight_share']:.0%} of the times are midnight UTC: dates without a time of day?")
    if times["late_share"] > 0.01:
        found.append(f"{times['late_share']:.1%} of the events come more than 10 minutes behind a later one: sort them")
    if times["gaps"]:
        gap = times["gaps"][0]
        found.append(f"no event for {gap['hours']:,} hours from {gap['start']}, where events were usual")
    clock = times["clock"]
    if clock and clock["zone_fault_hours"]:
        found.append(f"events are received {clock['zone_fault_hours']:+g} hours after they happened, nearly all alike: "
                     "a wrong time zone?")  # fmt: skip
    elif clock and clock["ahead_share"] > 0.01:
        found.append(f"{clock['ahead_share']:.1%} of the events were received before they happened: clocks disagree")
    return found
