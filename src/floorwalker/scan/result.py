"""What a scan found: the record that the table, the report, the exports and the blocklist are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

CATEGORIES = ("random", "monitoring", "normal", "activity")
"""Paper B's four categories of visitors: few short visits; low and slow on offers; ordinary; bursts on few pages."""

TIERS = ("proven", "strong pattern", "only unusual")
"""How good the evidence for a flag is, best first."""


@dataclass(frozen=True)
class Cleaned:
    """Lines or visitors that were set aside for one reason.

    Parameters
    ----------
    reason : short words, e.g. `malformed line`.
    count : how many.
    unit : what was counted, `lines` or `visitors`.
    sample : at most five examples, each cut to 200 characters.
    """

    reason: str
    count: int
    unit: str
    sample: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFacts:
    """Which bytes were read and what they turned out to be.

    Parameters
    ----------
    files : paths as the user gave them, `-` for standard input.
    format : id of the log format.
    format_note : a sentence on how the format was recognised.
    lines : lines read, malformed ones included.
    requests : requests parsed.
    size_bytes : uncompressed size.
    first_at, last_at : local times of the first and last request.
    """

    files: tuple[str, ...]
    format: str
    format_note: str
    lines: int
    requests: int
    size_bytes: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass
class ScanResult:
    """Everything a scan found.

    Parameters
    ----------
    visitors : one row per judged visitor and day, all of them, flagged or not. Columns: `visitor` (int32, the same
        over days), `day` (date, local), `host`, `client`, `network` (the /24 or /64), `session`, `user_agent` (texts,
        null where unknown), `category` (one of `CATEGORIES`), `score` (float32 in [0, 1]), `rank` (float32: flags are
        ordered by it), `flagged` (bool), `tier` (one of `TIERS` or null), `pattern` (the reason code of the strongest
        reason or null), `reason_codes` (list of str), `reasons` (list of str: sentences), `checkouts` (int32),
        `first_at`, `last_at` (datetime, local), `top_routes` (list of str: count and route; empty for unflagged ones of
        a long log), then one float32 column for each name in `features`.
    swarms : one row per cohort of sparse visitors that acts as one. Columns: `swarm` (int32), `user_agent`,
        `networks` (int32), `clients`
        (int32), `requests` (int64), `routes` (str: the shared sequence), `first_at`, `last_at`, `score` (float32),
        `flagged` (bool),
        `reasons` (list of str).
    machines : one row per visitor set apart. Columns: `client`, `user_agent`, `kind` (e.g. `crawler`, `uptime
        monitor`), `name` (e.g. `Googlebot`),
        `requests` (int64), `evidence` (str: why we believe it), `impostor` (bool; impostors are also rows of
        `visitors`).
    routes : one row per route. Columns: `route` (str, variable parts as `{}`), `role`, `requests` (int64), `visitors`
        (int64),
        `urls` (int64: distinct), `example` (str).
    days : one row per local day. Columns: `day`, `requests` (int64), `visitors` (int64), `flagged` (int64), `activity`
        (bool: a promotion day by its traffic to offers), `in_training` (bool), `judged` (bool), and one int64 column
        `<category>_visitors` for each of `CATEGORIES`.
    medians : feature name to the site's median over judged visitors.
    features : names of the feature columns, the nine first.
    feature_units : feature name to unit, e.g. `requests`, `seconds`, `share`, `bits`.
    embedding : float32 [m, 2], t-SNE coordinates, of the rows `embedding_rows` (positions in `visitors`); empty where
        no map was asked for.
    threshold : the cut-off on `score`.
    budget : the share of honest visitors that the cut-off was chosen to flag.
    seconds : stage name to seconds spent, in order.
    """

    source: SourceFacts
    cleaned: list[Cleaned]
    warnings: list[str]
    visitors: pl.DataFrame
    swarms: pl.DataFrame
    machines: pl.DataFrame
    routes: pl.DataFrame
    days: pl.DataFrame
    medians: dict[str, float]
    features: list[str]
    feature_units: dict[str, str]
    detector: str
    threshold: float
    budget: float
    blocklist_allowed: bool = True
    blocklist_refusal: str = ""
    embedding: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    embedding_rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    training_days: tuple[date, ...] = ()
    judged_days: tuple[date, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def flagged(self) -> pl.DataFrame:
        """The flagged rows of `visitors`, strongest first."""
        return self.visitors.filter(pl.col("flagged")).sort("rank", descending=True)
