"""What the server answers, refuses and measures stands in docs/server.md, and the other way round."""

from __future__ import annotations

import json
import re
from pathlib import Path

from floorwalker.detectors.unusual import LEAST_ROWS, SAMPLE_ROWS
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.fusion.accounts import HALVED
from floorwalker.pipeline.window import CAPACITY
from floorwalker.policy.thresholds import EXPIRY_SECONDS, LADDERS
from floorwalker.server.app import ROUTES
from floorwalker.server.idempotency import MOST_REPLIES, RETENTION_SECONDS
from floorwalker.server.keys import SCOPES
from floorwalker.server.openapi import REFUSALS
from floorwalker.server.pages import MOST
from floorwalker.server.replies import DecisionReply, PrivatePart, SuspectReply
from floorwalker.server.routes.suspects import DEFAULT_LIMIT
from floorwalker.server.startup import MOST_BEHIND
from floorwalker.server.suspects import LOOK_BACK_DAYS

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "server.md").read_text("utf-8")


def _normal(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_route_is_documented() -> None:
    documented = {(method, _normal(path)) for method, path in re.findall(r"`(GET|POST|DELETE) (/[^`]*)`", TEXT)} | {
        ("GET", path) for path in re.findall(r"`(/[a-z]+)`", TEXT)
    }
    for route in ROUTES:
        for path in route.paths:
            for method in route.http_methods - {"OPTIONS", "HEAD"}:
                assert (str(getattr(method, "value", method)), _normal(path)) in documented, path


def test_every_refusal_scope_and_field_is_documented() -> None:
    for status in REFUSALS:
        assert f"| {status} |" in TEXT
    for scope in SCOPES:
        assert re.search(rf"\b{scope}\b", TEXT)
    for name in ("action", "public_reason", "subject", "expires_at", "duplicate"):
        assert name in DecisionReply.__struct_fields__
        assert f"`{name}`" in TEXT
    for name in re.findall(r"`private\.([a-z_]+)`", TEXT):
        assert name in PrivatePart.__struct_fields__
    for name in SuspectReply.__struct_fields__:
        assert f"`{name}`" in TEXT


def test_every_ladder_is_documented() -> None:
    for abuse_type in ABUSE_TYPES:
        (first, action), *others = LADDERS[abuse_type]
        assert (first, action) == (0.3, "observe")
        steps = ", ".join(f"{name} from {least:g}" for least, name in others)
        assert f"| {abuse_type.replace('_', ' ')} | observe | {steps} |" in TEXT


def test_the_numbers_are_those_of_the_program() -> None:
    assert f"{CAPACITY:,} ids" in TEXT
    assert f"{MOST_REPLIES:,} of them" in TEXT
    assert f"{RETENTION_SECONDS // 3600} hours" in TEXT
    assert f"{MOST_BEHIND:,} events" in TEXT
    assert f"{LEAST_ROWS:,} events for the first time" in TEXT
    assert f"{SAMPLE_ROWS:,} events of this shop" in TEXT
    assert EXPIRY_SECONDS == 900
    assert f"what is left of one of the {LOOK_BACK_DAYS} days before: it halves every {HALVED:g} days" in TEXT
    assert f"`limit` is {DEFAULT_LIMIT} where left out, at most {MOST:,}" in TEXT


def test_the_speeds_told_are_those_of_the_kept_document() -> None:
    kept = json.loads((DOCS / "results" / "bench_decisions.json").read_text("utf-8"))["metrics"]
    for name, figure in (
        ("decisions a second, 32 connections", f"{kept['closed']['decisions_per_second']:,.0f}"),
        ("99th percentile of their times", f"{kept['closed']['p99_ms']:.0f} ms"),
        ("99th percentile at 1,000 a second, timed from when each was due", f"{kept['open_1000']['p99_ms']:.0f} ms"),
        ("events told a second through `/v1/events`", f"{kept['events_per_second']:,.0f}"),
    ):
        assert f"| {name} | {figure} |" in TEXT
