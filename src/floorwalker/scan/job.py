"""The scan: logs in, judged visitors out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import numpy as np

from floorwalker.errors import InputError, UsageError
from floorwalker.features.network import Networks, load_networks
from floorwalker.features.visitors import VisitorKey
from floorwalker.features.visitors import _columns as c
from floorwalker.scan import frames
from floorwalker.scan.coverage import describe_cut_agents, judge_coverage
from floorwalker.scan.embedding import embed
from floorwalker.scan.judging import Judgement, judge
from floorwalker.scan.machines import Ignore, recognise
from floorwalker.scan.model import VisitorModel
from floorwalker.scan.phrases import say_count, say_share
from floorwalker.scan.reading import Reading, learn_routes, read_visitors
from floorwalker.scan.result import Cleaned, ScanResult, SourceFacts
from floorwalker.scan.state import SiteState
from floorwalker.scan.stopwatch import Stopwatch
from floorwalker.scan.visitor_days import VisitorDays, collect_visitor_days
from floorwalker.settings import ScanSettings
from floorwalker.sources.access_log import AccessLog

EPOCH = date(1970, 1, 1)
MOST_WITHOUT_SESSION = 0.5
"""Share of requests without a session above which `--visitor session:NAME` is not what the user thinks."""


@dataclass(frozen=True)
class ScanRequest:
    """What to scan and how.

    Parameters
    ----------
    paths : files or globs, `-` for standard input.
    log_format : id of a format or a format string; None recognises it.
    trusted_proxies : addresses or CIDRs whose forwarding headers are believed.
    visitor : `address`, `host+address` or `session:NAME` (a cookie, header or URL parameter).
    detect_day : the day to judge; None judges every day of the log.
    settings : how to judge.
    merge_routes : `bilstm` merges URLs of one type, `none` takes every path as its own route.
    roles : route pattern to role, above the guesses.
    ignore : visitors and paths that the shop knows and wants left out.
    networks : known address ranges.
    own_addresses : the shop's own addresses or CIDRs.
    resolve : reverse and forward name look-up for crawlers that publish no ranges; None stays off the network.
    state : what an earlier run learned; None learns from this log.
    seconds : reads a clock, for the time that each stage took.
    """

    paths: tuple[str, ...]
    log_format: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    visitor: str = "address"
    detect_day: date | None = None
    settings: ScanSettings = field(default_factory=ScanSettings)
    merge_routes: Literal["bilstm", "none"] = "bilstm"
    roles: Mapping[str, str] | None = None
    ignore: Ignore | None = None
    networks: Networks | None = None
    own_addresses: tuple[str, ...] = ()
    resolve: Callable[[str], str | None] | None = None
    state: SiteState | None = None
    seconds: Callable[[], float] | None = None

    def visitor_key(self) -> tuple[VisitorKey, str | None]:
        """What makes a visitor, and the session field where it is one."""
        if self.visitor in ("address", "host+address"):
            return ("host+address" if "+" in self.visitor else "address"), None
        kind, _, name = self.visitor.partition(":")
        if kind == "session" and name:
            return "session", name
        raise UsageError(f"visitor is {self.visitor!r}", allowed="address, host+address, session:NAME")


@dataclass
class ScanOutcome:
    """What was asked and what was found; `reading`, `days` and `judgement` let evaluations look closer."""

    request: ScanRequest
    result: ScanResult
    reading: Reading
    days: VisitorDays
    judgement: Judgement

    @cached_property
    def state(self) -> SiteState:
        """What can be saved for the next run; made when asked for, since most runs save nothing."""
        known = self.request.state.history if self.request.state else None
        salt = known.salt if known else secrets.randbits(62)
        history = self.days.history(self.request.settings.train_days, salt, known)
        return SiteState(self.reading.routes, self.judgement.model, history)


def run_scan(request: ScanRequest, *, progress: Callable[[int, int], None] | None = None) -> ScanOutcome:
    """Read the logs, learn from the training days and judge the days asked for.

    Raises
    ------
    InputError : the logs cannot be read, hold no request, or not the day asked for.
    UsageError : options that do not fit together.

    The stages: routes are learned from the heads of the files (or loaded); the log is streamed once into visitor-days;
    machines that are no suspects are set apart; the model is fitted on the training days (or loaded); visitors with
    enough visits are judged alone and the sparse ones as cohorts.
    """
    watch = Stopwatch(request.seconds)
    settings = request.settings
    by, session = request.visitor_key()
    networks = request.networks if request.networks is not None else load_networks()
    log = AccessLog(
        list(request.paths),
        log_format=request.log_format,
        trusted_proxies=request.trusted_proxies,
        session=session,
        seed=settings.seed,
    )
    if request.state is not None:
        routes = request.state.routes
    else:
        routes = learn_routes(log, merge=request.merge_routes, roles=request.roles)
    watch.lap("learn routes")
    reading = read_visitors(
        log,
        routes,
        by=by,
        seed=settings.seed,
        ignored=request.ignore.match_targets if request.ignore else None,
        progress=progress,
    )
    watch.lap("read the log")
    if len(reading.visitors) == 0:
        raise InputError(f"no request could be read from {', '.join(request.paths)}", fix="check --format")
    days = collect_visitor_days(reading, settings, known=request.state.history if request.state else None)
    coverage = judge_coverage(days.clients(), log.format.id, networks)
    watch.lap("features")
    machines = recognise(
        days.machine_facts(),
        own_addresses=request.own_addresses,
        networks=networks,
        ignore=request.ignore,
        resolve=request.resolve,
    )
    watch.lap("recognise machines")
    judged_days, training_days = choose_days(days, request.detect_day, settings, loaded=request.state is not None)
    judgement = judge(
        days,
        machines,
        judged=judged_days,
        training=training_days,
        settings=settings,
        model=request.state.model if request.state else None,
    )
    watch.lap("judge visitors")
    visitors = frames.visitor_frame(days, machines, judgement)
    watch.lap("tables")
    model: VisitorModel = judgement.model
    result = ScanResult(
        source=_source_facts(log, request.paths, days),
        cleaned=_cleaned(log, days, judgement),
        warnings=_warnings(log, coverage.warning, judgement, _missing_sessions(days, session)),
        visitors=visitors,
        swarms=judgement.swarms,
        machines=frames.machine_frame(days, machines),
        routes=frames.route_frame(reading),
        days=frames.day_frame(days, visitors, judged=judged_days, training=training_days),
        medians=model.medians,
        features=list(model.medians),
        feature_units=frames.feature_units(),
        detector=model.detector_name,
        threshold=model.threshold,
        budget=settings.false_alarm_budget,
        blocklist_allowed=not coverage.refuse_blocklist,
        blocklist_refusal=coverage.warning or "",
        training_days=tuple(_date(day) for day in training_days),
        judged_days=tuple(_date(day) for day in judged_days),
    )
    if settings.map_sample:
        _draw_map(result, judgement, settings)
        watch.lap("map")
    result.seconds = watch.laps
    return ScanOutcome(request, result, reading, days, judgement)


def choose_days(
    days: VisitorDays, detect_day: date | None, settings: ScanSettings, *, loaded: bool
) -> tuple[list[int], list[int]]:
    """The days to judge and the days to learn from, as days since 1970-01-01.

    Without a day asked for, every day of the log is judged by what all of them teach; with one, the `train_days` days
    before it teach. A day asked for without any before it teaches itself, and so does a log of one day.
    """
    present = sorted({int(day) for day in np.unique(days.day)})
    if detect_day is None:
        return present, [] if loaded else present
    wanted = (detect_day - EPOCH).days
    if wanted not in present:
        raise InputError(
            f"the log holds no request on {detect_day}",
            allowed=f"{_date(present[0])} to {_date(present[-1])}",
            fix="choose --detect-day among them, or add the file of that day",
        )
    before = [day for day in present if wanted - settings.train_days <= day < wanted]
    return [wanted], [] if loaded else (before or [wanted])


def _draw_map(result: ScanResult, judgement: Judgement, settings: ScanSettings) -> None:
    matrix = judgement.model.deviations(judgement.features)
    result.embedding_rows, result.embedding = embed(
        result.visitors, matrix, sample=settings.map_sample, seed=settings.seed
    )


def _date(day: int) -> date:
    return EPOCH + timedelta(days=int(day))


def _source_facts(log: AccessLog, paths: Sequence[str], days: VisitorDays) -> SourceFacts:
    first, last = days.span()
    return SourceFacts(
        files=tuple(paths),
        format=log.format.id,
        format_note=log.format.note,
        lines=log.lines,
        requests=log.requests,
        size_bytes=log.size_bytes,
        first_at=first,
        last_at=last,
    )


def _cleaned(log: AccessLog, days: VisitorDays, judgement: Judgement) -> list[Cleaned]:
    cleaned = [Cleaned(*item) for item in log.cleaned]
    if days.reading.ignored_requests:
        cleaned.append(Cleaned("path on the ignore list", days.reading.ignored_requests, "lines"))
    sparse = judgement.sparse_rows
    if len(sparse):
        cleaned.append(
            Cleaned(
                "too few visits to be judged alone (judged as cohorts)", len(sparse), "visitors", days.sample(sparse)
            )
        )
    return cleaned


def _missing_sessions(days: VisitorDays, session: str | None) -> str | None:
    """Who asks for sessions and silently gets addresses would read the whole report wrongly."""
    if session is None:
        return None
    requests = days.stat(c.REQUESTS)
    share = float(requests[days.reading.visitors.identity("session") < 0].sum() / max(requests.sum(), 1.0))
    if share <= MOST_WITHOUT_SESSION:
        return None
    return (
        f"{say_share(share, 1.0)} of the requests name no session {session}: they are told apart by address and user "
        "agent. Log it (in nginx $cookie_NAME or $http_cookie, in Apache %{NAME}C or %{Cookie}i) and name the field in "
        "--format"
    )


def _warnings(log: AccessLog, coverage: str | None, judgement: Judgement, sessions: str | None) -> list[str]:
    warnings = [text for text in (coverage, sessions, describe_cut_agents(log.tables.user_agent.since(0))) if text]
    warnings += list(getattr(log, "warnings", []))
    if judgement.model.detector is None:
        rows = judgement.model.rows
        few = f"only {say_count(rows, 'ordinary visitor')}" if rows else "no ordinary visitor"
        warnings.append(
            f"{few} with enough visits to learn from: nobody is called unusual, only named patterns are flagged"
        )
    return warnings
