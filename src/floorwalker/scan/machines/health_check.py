"""Health checks: load balancers and schedulers that ask each server whether it can take requests."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, is_inside, share, stays_on_few_routes

TITLE = "health check"
ORDER = 20
UNNAMED: pl.Expr | None = is_inside() & (share("health_requests") >= 0.9)

SIGNATURES: tuple[Signature, ...] = (
    Signature("elb-healthchecker", "ELB-HealthChecker"),
    Signature("kube-probe", "kube-probe"),
    Signature("googlehc", "GoogleHC"),
    Signature("haproxy", "HAProxy", "", r"(?i)^haproxy|health"),
    Signature("consul health check", "Consul Health Check"),
    Signature("amazon-route53-health-check-service", "Amazon Route 53 health check", "Amazon Route 53"),
    Signature("azure traffic manager endpoint monitor", "Azure Traffic Manager"),
    Signature("edge health probe", "Azure Front Door health probe"),
    Signature("cloudflare-healthchecks", "Cloudflare health check"),
    Signature("cloudflare-traffic-manager", "Cloudflare Traffic Manager"),
    Signature("digitalocean uptime probe", "DigitalOcean uptime probe"),
    Signature("f5-health", "F5 health monitor"),
    Signature("varnish-probe", "Varnish probe"),
)


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name a health check and keep to few routes, and inside addresses that ask for health routes
    and little else."""
    named = (pl.col("signature") != "") & stays_on_few_routes()
    by_route = is_inside() & (share("health_requests") >= 0.9)
    checked = is_inside() | pl.col("network_kind").is_in(["load_balancer", "monitor", "cdn"]).fill_null(False)
    evidence = (
        pl.when(named & checked)
        .then(
            pl.format(
                "names itself {} and calls from {}",
                "signature",
                pl.when(is_inside()).then(pl.lit("inside")).otherwise(pl.col("network_name")),
            )
        )
        .when(named)
        .then(pl.format("names itself {} and asks for the same few pages", "signature"))
        .otherwise(pl.lit("calls from inside and asks for health routes only"))
    )
    verdict = (
        pl.when(named & checked)
        .then(pl.lit("verified"))
        .when(named)
        .then(pl.lit("declared"))
        .otherwise(pl.lit("behaviour"))
    )
    name = pl.when(named).then(pl.col("signature")).otherwise(pl.lit("internal health check"))
    return case.filter(named | by_route).select(finding(name, verdict, evidence))
