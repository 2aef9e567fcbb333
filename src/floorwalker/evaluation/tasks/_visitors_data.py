"""Sessions of the web bot data set (Iliou et al. 2021, phase 1) with the product's own features.

The log's user agents, dates and hours separate bots from people by accident of how the set was made; no feature here
reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import InputError
from floorwalker.events.requests import RequestBatch
from floorwalker.features.danger import judge_targets
from floorwalker.features.routes.roles import ROLES
from floorwalker.features.visitors import FEATURES, VisitorTable
from floorwalker.scan.reading import ASSET_KIND, BEACON_KIND, PAGE_KIND, learn_routes
from floorwalker.sources.access_log import AccessLog

FOLDER = "iliou_webbot"
LOGS = ("phase1_humans.log.gz", "phase1_bots.log.gz")
HUMAN = "human"
KINDS = {"moderate": "moderate_bot", "advanced": "advanced_bot"}
"""Kind of bot as the figures name it, to its label in the data."""

ROLE_FILE = {"/storage/*": "beacon"}
"""What `--roles` would say of this site: its mouse recorder posts to scripts whose names no guess of roles knows."""

Part = Literal["pages", "all_as_pages", "everything"]
"""Which requests count: page requests alone; all, beacons and assets taken for pages; all, told apart by kind."""


@dataclass(frozen=True)
class Requests:
    """The log's requests in time order, with their routes; `n` requests."""

    batch: RequestBatch
    sessions: pl.Series
    """Session id by code."""
    route: NDArray[np.int32]
    route_kind: NDArray[np.int8]
    route_role: NDArray[np.int8]
    danger: NDArray[np.int8]

    def share_of(self, kind: int) -> float:
        """Share of the requests that are of this kind."""
        return float(np.mean(self.route_kind[self.route] == kind))


@dataclass(frozen=True)
class Sessions:
    """Labelled sessions; `n` rows.

    Parameters
    ----------
    identity : session ids.
    label : `human`, `moderate_bot` or `advanced_bot`; read for figures and draws, never for fitting.
    official : the publishers' train and test sets that each belongs to, e.g. `humans_and_moderate_bots:train`.
    features : name to float64 [n], for every feature of the product.
    """

    identity: tuple[str, ...]
    label: NDArray[np.str_]
    official: tuple[str, ...]
    features: dict[str, NDArray[np.float64]]

    def matrix(self, names: Sequence[str]) -> NDArray[np.float64]:
        """float64 [n, d] of these features."""
        return np.column_stack([self.features[name] for name in names])


def read_requests(data: Path, *, merge: Literal["bilstm", "none"] = "bilstm", seed: int = 0) -> Requests:
    """Read both logs with the product's reader and learn their routes; raises `InputError` where files are missing."""
    paths = [data / FOLDER / name for name in (*LOGS, "sessions.csv")]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"{data / FOLDER} lacks {', '.join(missing)}", fix="see docs/detectors.md for the data set")
    log = AccessLog([str(path) for path in paths[:-1]], session="PHPSESSID", seed=seed)
    routes = learn_routes(log, merge=merge, roles=ROLE_FILE)
    batch = _joined(log.batches())
    route_of_target = routes.assign(log.tables.target, 0)
    kinds = [{"asset": ASSET_KIND, "beacon": BEACON_KIND}.get(role, PAGE_KIND) for role in routes.roles]
    return Requests(
        batch=batch,
        sessions=log.tables.session.since(0),
        route=route_of_target[batch.target],
        route_kind=np.array(kinds, np.int8),
        route_role=np.array([ROLES.index(role) for role in routes.roles], np.int8),
        danger=judge_targets(log.tables.target.since(0)),
    )


def label_sessions(data: Path, requests: Requests, part: Part = "everything") -> Sessions:
    """The annotated sessions that the log holds, by session id, with the features of the requests that count."""
    kind = requests.route_kind
    keep = np.flatnonzero(kind[requests.route] == PAGE_KIND) if part == "pages" else slice(None)
    batch = requests.batch.take(keep)
    table = VisitorTable(ROLES, by="session", seed=0)
    table.advance(
        batch,
        requests.route[keep],
        route_kind=np.zeros_like(kind) if part == "all_as_pages" else kind,
        route_role=requests.route_role,
        target_danger=requests.danger,
        referrer_kind=(batch.referrer_host >= 0).astype(np.int8),
    )
    rows = np.flatnonzero(table.identity("session") >= 0)
    facts = table.facts(rows, {name: np.ones(len(rows)) for name in ("active_days", "offer_days")})
    found = pl.DataFrame(
        {
            "session_id": requests.sessions.gather(table.identity("session")[rows]),
            **{feature.name: feature.compute(facts) for feature in FEATURES},
        }
    )
    listed = pl.read_csv(data / FOLDER / "sessions.csv").filter(pl.col("phase") == "phase1")
    # Annotated sessions lie within one day each, so each is one visitor-day; the others of the log need not be.
    found = found.join(listed, on="session_id", how="semi")
    joined = listed.join(found, on="session_id", how="inner", validate="1:1").sort("session_id")
    return Sessions(
        identity=tuple(joined["session_id"]),
        label=joined["label"].to_numpy().astype(np.str_),
        official=tuple(joined["annotation_sets"]),
        features={feature.name: joined[feature.name].to_numpy() for feature in FEATURES},
    )


def _joined(batches: Iterable[RequestBatch]) -> RequestBatch:
    parts = list(batches)
    columns = {
        column.name: np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(RequestBatch)
    }
    return RequestBatch(**columns)
