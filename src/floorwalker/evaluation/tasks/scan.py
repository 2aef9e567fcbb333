"""The whole scan on generated shop logs: who is flagged when nobody, a crowd, or hunters come.

The site families and visitor families here take no part in choosing detectors, features or thresholds: those were
chosen on the `choose` half of the generator, these are its `report` half.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from floorwalker.features.network import load_networks
from floorwalker.metrics import average_precision, roc_auc
from floorwalker.scan.blocklist import build_blocklist
from floorwalker.scan.frames import other_visitors
from floorwalker.scan.job import ScanOutcome, ScanRequest, run_scan
from floorwalker.settings import ScanSettings
from floorwalker.simulation.access_log import GeneratedLog, Scenario, generate, write_log
from floorwalker.simulation.sites import list_families

FIRST_DAY = date(2021, 11, 4)
DAYS = 8
DETECT = DAYS - 1
DETECT_DAY = date(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day + DETECT)
VISITORS = 2000
HUNTERS = 30
SURGE = 5.0
FAMILIES = 4
FIRST = 50
EQUAL_PRECISION = 0.8

BARS = {
    "clean_flag_rate": {"max": 0.005},
    "surge_flag_rate": {"max": 0.01},
    "hunter_count_ratio": {"min": 1.7, "max": 2.3},
    "precision_50": {"min": 0.80},
    "recall_gain_routes": {"min": 0.0001},
    "blocklist_violations": {"max": 0},
    "zanbil.operations_flagged": {"max": 0},
}


def run(*, data: Path | None, seeds: Sequence[int]) -> dict[str, Any]:
    """Figures over site families and seeds; with the public data also what a real shop's log shows.

    Parameters
    ----------
    data : folder of the public data sets, or None to leave the real log out.
    seeds : one generated shop for each seed and each unseen site family.
    """
    families = list_families("unseen")[:FAMILIES]
    rows = [measure(family, seed) for family in families for seed in seeds]
    metrics: dict[str, Any] = {
        key: _spread([row[key] for row in rows])
        for key in (
            "clean_flag_rate",
            "surge_flag_rate",
            "one_day_clean_flag_rate",
            "hunter_count_ratio",
            "precision_50",
            "recall_gain_routes",
        )
    }
    metrics["hunter_count_ratio"]["pooled"] = sum(row["doubled_hits"] for row in rows) / max(
        sum(row["single_hits"] for row in rows), 1
    )
    metrics["blocklist_violations"] = sum(row["blocklist_violations"] for row in rows)
    for key in ("blocklist_entries", "recall", "flag_precision", "honest_flag_rate", "detector_roc_auc", "single_hits"):
        metrics[key] = _spread([row[key] for row in rows])
    baselines = {
        "detector_only_no_merging": {
            "recall_at_precision": _spread([row["recall_none"] for row in rows]),
        },
        "detector_only_bilstm": {"recall_at_precision": _spread([row["recall_bilstm"] for row in rows])},
        "most_requests": {"precision_50": _spread([row["precision_50_most_requests"] for row in rows])},
    }
    bars = dict(BARS)
    if data is not None:
        metrics["zanbil"] = _real_shop(data)
    else:
        bars.pop("zanbil.operations_flagged")
    return {
        "data": f"generated logs: {len(rows)} shops of {len(families)} unseen site families, {DAYS} days, "
        f"{VISITORS} honest visits and {HUNTERS} abusers a day",
        "split": "trained on 7 days, judged on the eighth; report families of sites and visitors, disjoint from those "
        "that chose the defaults",
        "seeds": list(seeds),
        "metrics": metrics,
        "baselines": baselines,
        "bars": bars,
        "notes": [
            "flag rates are flagged honest visitors over all honest visitors of the judged day",
            "one_day_clean_flag_rate: a log of one day without abusers that teaches itself",
            f"recall_gain_routes: recall of the outlier detector alone with paper B's nine features at precision "
            f"{EQUAL_PRECISION} among visitors judged alone, BiLSTM routes minus none",
        ],
    }


def scenario(family: str, seed: int, split: str = "report", **changes: Any) -> Scenario:
    """A shop of one half of the generator; the same seed gives the same honest visitors."""
    base = Scenario(
        site_family=family,
        seed=1000 + seed,
        days=DAYS,
        visitors_per_day=VISITORS,
        first_day=FIRST_DAY,
        hunters=HUNTERS,
        split=split,
    )
    return replace(base, **changes)


def measure(family: str, seed: int, split: str = "report") -> dict[str, float]:
    """The figures of one shop."""
    clean = scan_generated(generate(scenario(family, seed, split, hunters=0)))
    crowd = scan_generated(generate(scenario(family, seed, split, hunters=0, surge=SURGE, promotion_days=(DETECT,))))
    one_day = scan_generated(generate(scenario(family, seed, split, hunters=0, days=1, first_day=DETECT_DAY)))
    single_log = generate(scenario(family, seed, split))
    single = scan_generated(single_log)
    doubled = scan_generated(generate(scenario(family, seed, split, hunters=2 * HUNTERS)))
    # Enough abusers that fifty flags can all be right.
    many_log = generate(scenario(family, seed, split, hunters=3 * HUNTERS))
    many = scan_generated(many_log)
    nine = ScanSettings(feature_groups=("visits", "time", "pages"), map_sample=0)
    merged = scan_generated(many_log, nine)
    plain = scan_generated(many_log, nine, merge="none")
    first = many.flagged().head(FIRST)
    by_requests = many.judged.sort("visits", descending=True).head(FIRST)
    return {
        "clean_flag_rate": clean.honest_flag_rate(),
        "surge_flag_rate": crowd.honest_flag_rate(),
        "one_day_clean_flag_rate": one_day.honest_flag_rate(),
        "single_hits": float(single.hits()),
        "doubled_hits": float(doubled.hits()),
        "hunter_count_ratio": doubled.hits() / max(single.hits(), 1),
        "precision_50": float(first["abusive"].sum()) / FIRST,
        "precision_50_most_requests": float(by_requests["abusive"].sum()) / FIRST,
        "recall_bilstm": merged.recall_at_precision(EQUAL_PRECISION),
        "recall_none": plain.recall_at_precision(EQUAL_PRECISION),
        "recall_gain_routes": merged.recall_at_precision(EQUAL_PRECISION) - plain.recall_at_precision(EQUAL_PRECISION),
        "detector_roc_auc": roc_auc(many.judged["abusive"].to_numpy(), many.judged["score"].to_numpy()),
        "recall": many.hits() / max(many.abusers(), 1),
        "flag_precision": many.hits() / max(len(many.flagged()), 1),
        "honest_flag_rate": many.honest_flag_rate(),
        "blocklist_violations": float(many.blocklist_violations() + single.blocklist_violations()),
        "blocklist_entries": float(many.blocklist_entries()),
    }


class JudgedLog:
    """A scanned log beside its truth, on the judged day."""

    def __init__(self, log: GeneratedLog, outcome: ScanOutcome, networks: Any) -> None:
        self.log = log
        self.outcome = outcome
        self.networks = networks
        truth = log.truth.select("client", "user_agent", "abusive", "kind", "family")
        # An address with one user agent is one visitor to the scan; it is abusive when anyone behind it is.
        behind = truth.group_by("client", "user_agent").agg(
            pl.col("abusive").any(), pl.col("kind").first(), pl.col("family").first()
        )
        self.judged = outcome.result.visitors.join(behind, on=["client", "user_agent"], how="left").with_columns(
            pl.col("abusive").fill_null(False)
        )
        day_start = (DETECT_DAY - date(1970, 1, 1)).days * 86_400_000_000
        local = pl.col("at") + 480 * 60_000_000
        self.day = log.requests.filter((local >= day_start) & (local < day_start + 86_400_000_000))
        present = self.day.select("client", "user_agent").unique()
        self.present = present.join(behind, on=["client", "user_agent"], how="left")

    def flagged(self) -> pl.DataFrame:
        """Flagged visitors, strongest first."""
        return self.judged.filter(pl.col("flagged")).sort("rank", descending=True)

    def hits(self) -> int:
        """Flagged abusers."""
        return int(self.flagged()["abusive"].sum())

    def abusers(self) -> int:
        """Abusers judged alone on the judged day."""
        return int(self.judged["abusive"].sum())

    def honest_flag_rate(self) -> float:
        """Flagged honest visitors over all honest visitors of the day, sparse ones included."""
        honest = int(((~self.present["abusive"]) & (self.present["kind"] == "honest")).sum())
        wrong = int((~self.flagged()["abusive"]).sum())
        return wrong / max(honest, 1)

    def recall_at_precision(self, precision: float) -> float:
        """Recall of the detector's score alone, at the deepest cut that keeps this precision."""
        ordered = self.judged.sort("score", descending=True)["abusive"].to_numpy().astype(np.float64)
        if not ordered.sum():
            return 0.0
        hits = np.cumsum(ordered)
        good = np.flatnonzero(hits / np.arange(1, len(ordered) + 1) >= precision)
        return float(hits[good[-1]] / ordered.sum()) if len(good) else 0.0

    def average_precision(self) -> float:
        """Of the detector's score."""
        return average_precision(self.judged["abusive"].to_numpy(), self.judged["score"].to_numpy())

    def _blocklist(self) -> Any:
        return build_blocklist(
            self.outcome.result,
            networks=self.networks,
            own_addresses=(),
            trusted_proxies=(),
            now=datetime(2021, 11, 12, tzinfo=UTC),
            lifetime_hours=24,
            others=other_visitors(self.outcome.days, self.outcome.judgement),
        )

    def blocklist_entries(self) -> int:
        """Entries of the blocklist."""
        return len(self._blocklist().entries)

    def blocklist_violations(self) -> int:
        """Entries that hit whom they never may, counted from the log and the truth, not from the scan's own view."""
        entries = [str(entry.network) for entry in self._blocklist().entries]
        return count_violations(entries, self.day, self.log.truth, self.judged)


def count_violations(entries: Sequence[str], day: pl.DataFrame, truth: pl.DataFrame, judged: pl.DataFrame) -> int:
    """Blocklist entries that hold a machine, a private address, an unflagged visitor's address or a buyer's.

    Parameters
    ----------
    entries : networks as texts.
    day : the judged day's requests.
    truth : who each visitor is.
    judged : judged visitors with `client` and `flagged`.
    """
    import ipaddress

    machines = set(truth.filter(pl.col("kind") == "machine")["client"].to_list())
    unflagged = set(judged.filter(~pl.col("flagged"))["client"].to_list())
    violations = 0
    clients = [(client, ipaddress.ip_address(client)) for client in day["client"].unique().to_list()]
    for entry in entries:
        network = ipaddress.ip_network(entry, strict=False)
        inside = {text for text, address in clients if address.version == network.version and address in network}
        if not network.is_global or inside & machines or inside & unflagged:
            violations += 1
    return violations


def scan_generated(log: GeneratedLog, settings: ScanSettings | None = None, *, merge: str = "bilstm") -> JudgedLog:
    """Write a generated log, scan it as a cron job would, and put the truth beside it."""
    networks = load_networks()
    with tempfile.TemporaryDirectory(prefix="floorwalker-evaluate-") as folder:
        path = Path(folder) / "access.log"
        write_log(log, path)
        outcome = run_scan(
            ScanRequest(
                paths=(str(path),),
                detect_day=DETECT_DAY,
                settings=settings or ScanSettings(map_sample=0),
                merge_routes="none" if merge == "none" else "bilstm",
                networks=networks,
            )
        )
    return JudgedLog(log, outcome, networks)


def _real_shop(data: Path) -> dict[str, Any]:
    """Zanbil: of the flagged, how many are operations machines or verified crawlers by what they declare."""
    outcome = run_scan(
        ScanRequest(
            paths=(str(data / "access_logs" / "zanbil_access_10k.log.gz"),), settings=ScanSettings(map_sample=0)
        )
    )
    flagged = outcome.result.flagged
    declared = (
        flagged["user_agent"]
        .fill_null("")
        .str.to_lowercase()
        .str.contains_any(
            [
                "googlebot",
                "bingbot",
                "uptimerobot",
                "ahrefsbot",
                "applebot",
                "barkrowler",
                "cfnetwork",
                "okhttp",
                "zabbix",
            ]
        )
    )
    proven = flagged["reason_codes"].list.contains("machine.impostor")
    return {
        "operations_flagged": int((declared & ~proven).sum()),
        "flagged": len(flagged),
        "machines_set_apart": len(outcome.result.machines),
        "judged": len(outcome.result.visitors),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    array = np.asarray(values, np.float64)
    return {"mean": float(array.mean()), "sd": float(array.std()), "min": float(array.min()), "max": float(array.max())}
