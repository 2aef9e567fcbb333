"""Scheduled jobs: the shop's own servers calling its own pages."""

from __future__ import annotations

import polars as pl

from floorwalker.scan.machines._base import Signature, finding, is_inside

TITLE = "cron job"
ORDER = 25
UNNAMED: pl.Expr | None = None

SIGNATURES: tuple[Signature, ...] = (
    Signature("curl/", "curl", "", r"(?i)^curl/"),
    Signature("wget/", "Wget", "", r"(?i)^wget/"),
    Signature("wordpress/", "WordPress", "", r"(?i)^wordpress/"),
    Signature("php/", "PHP", "", r"(?i)^php/"),
    Signature("guzzlehttp", "Guzzle"),
    Signature("python-requests", "python-requests"),
    Signature("python-urllib", "Python-urllib"),
    Signature("go-http-client", "Go"),
    Signature("libwww-perl", "libwww-perl"),
    Signature("ruby", "Ruby", "", r"^Ruby"),
    Signature("easycron", "EasyCron"),
    Signature("cron-job.org", "cron-job.org"),
)


def judge(case: pl.DataFrame) -> pl.DataFrame:
    """Rows that name a script or a job scheduler and call from inside; the same script from outside is a
    visitor."""
    scripts = case.filter(is_inside())
    evidence = pl.format("{} from an inside address", "signature")
    return scripts.select(finding(pl.col("signature"), "verified", evidence))
