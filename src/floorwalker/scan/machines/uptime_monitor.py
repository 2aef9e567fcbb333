"""Uptime monitors: services that the shop pays to ask whether it is up."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, from_operator, stays_on_few_routes

TITLE = "uptime monitor"
ORDER = 30
UNNAMED: pl.Expr | None = None

SIGNATURES: tuple[Signature, ...] = (
    Signature("uptimerobot", "UptimeRobot", "UptimeRobot"),
    Signature("pingdom", "Pingdom", "Pingdom"),
    Signature("statuscake", "StatusCake", "StatusCake"),
    Signature("site24x7", "Site24x7"),
    Signature("better uptime bot", "Better Uptime"),
    Signature("better stack", "Better Stack", "", r"(?i)better stack[^;)]*(bot|monitor)"),
    Signature("freshpingbot", "Freshping"),
    Signature("hetrixtools", "HetrixTools"),
    Signature("updown.io", "updown.io"),
    Signature("uptime-kuma", "Uptime Kuma"),
    Signature("host-tracker", "Host-Tracker"),
    Signature("newrelicpinger", "New Relic Synthetics"),
    Signature("datadogsynthetics", "Datadog Synthetics"),
    Signature("catchpoint", "Catchpoint"),
    Signature("nodeping", "NodePing"),
    Signature("check_http/", "Nagios check_http"),
    Signature("zabbix", "Zabbix"),
    Signature("blackbox-exporter", "Prometheus Blackbox Exporter"),
    Signature("blackbox exporter", "Prometheus Blackbox Exporter"),
    Signature("googlestackdrivermonitoring", "Google Cloud Monitoring"),
    Signature("rackspace monitoring", "Rackspace Monitoring"),
    Signature("montastic", "Montastic"),
    Signature("appinsights", "Azure Application Insights", "", r"(?i)appinsights"),
    Signature("changedetection", "ChangeDetection"),
)


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name a monitor and either call from its published addresses or keep to a few routes, as a
    probe does.

    The user agent alone would let anybody who writes `UptimeRobot` into it copy the catalogue; a monitor
    has no use for a catalogue.
    """
    steady = ((pl.col("gap_spread") < 0.25 * pl.col("gap_mean")) & (pl.col("gap_mean") > 1.0)).fill_null(False)
    named = case.filter(from_operator() | stays_on_few_routes())
    evidence = (
        pl.when(from_operator())
        .then(pl.format("names itself {} and calls from its published {}", "signature", "network_prefix"))
        .when(steady)
        .then(
            pl.format(
                "names itself {} and asks for the same few pages every {} s",
                "signature",
                pl.col("gap_mean").round(0).cast(pl.Int64, strict=False),
            )
        )
        .otherwise(pl.format("names itself {} and asks for the same few pages", "signature"))
    )
    verdict = pl.when(from_operator()).then(pl.lit("verified")).otherwise(pl.lit("declared"))
    return named.select(finding(pl.col("signature"), verdict, evidence))
