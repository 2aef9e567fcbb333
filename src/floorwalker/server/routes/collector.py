"""`/v1/collector.js` and `/v1/collect`: what browsers load, and where they send what they saw."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import structlog
from litestar import Request, Response, get, post, route
from litestar.enums import HttpMethod

from floorwalker.errors import UsageError
from floorwalker.events.decode import decode_event
from floorwalker.server.bodies import read_body
from floorwalker.server.collector.gathering import Gathering
from floorwalker.server.collector.message import MOST_BYTES, CollectedMessage, CollectedReply, make_fields
from floorwalker.server.collector.settings import CollectorSettings, read_secret, read_settings
from floorwalker.server.collector.signing import is_signed_session, make_id, read_id
from floorwalker.server.engine import encode_json
from floorwalker.server.installation import Installation
from floorwalker.server.openapi import operation
from floorwalker.server.problems import ProblemError
from floorwalker.server.rates import RateLimits
from floorwalker.server.service import service_of
from floorwalker.sources.access_log._addresses import TrustedProxies, canonical_address

log = structlog.get_logger("floorwalker.server")

_SECONDS = 3600
_ALL = "\x00all"


@dataclass
class Door:
    """What stands between a public address and the journal: origins, rates, signatures.

    Parameters
    ----------
    settings : who may send.
    secret : signs ids and sessions.
    gathering : takes the events.
    """

    settings: CollectorSettings
    secret: bytes
    gathering: Gathering
    rates: RateLimits = field(default_factory=lambda: RateLimits(most_buckets=100_000))

    def __post_init__(self) -> None:
        self.proxies = TrustedProxies(self.settings.trusted_proxies)

    @classmethod
    def open(cls, folder: Path, gathering: Gathering) -> Door:
        """The door of the installation in this folder; `UsageError` for a faulty `collector.toml`."""
        return cls(read_settings(folder), read_secret(folder, Installation(folder).secret()), gathering)

    def check_origin(self, origin: str) -> None:
        """Raise `ProblemError` unless a page of this origin may send."""
        if not self.settings.origins:
            raise ProblemError(404, "nothing is collected here", fix="name the shop's origins in collector.toml")
        if origin not in self.settings.origins:
            raise ProblemError(403, "a page of this origin may not send")

    def check_rate(self, client: str, now: int) -> None:
        """Raise `ProblemError` 429 where an address, or all together, send too fast."""
        name = client
        if ":" in client:
            # Who has one address of a /64 has them all.
            name = str(ipaddress.ip_network((client, 64), strict=False))
        for bucket, rate in ((name, self.settings.per_client), (_ALL, self.settings.in_all)):
            wait = self.rates.take(bucket, rate, now=now)
            if wait > 0:
                raise ProblemError(429, "too fast", headers={"Retry-After": str(max(1, round(wait)))})

    def client(self, request: Request[Any, Any, Any]) -> str:
        """The client's address, "" where it is unknown."""
        peer = canonical_address(request.client.host) if request.client else None
        if peer is None or peer not in self.proxies:
            return peer or ""
        return self.proxies.walk(",".join(request.headers.getall("x-forwarded-for", []))) or peer


@get(
    "/v1/collector.js",
    operation_class=operation(None, (), None, public=True),
    summary="The browser collector",
    tags=["collector"],
)
async def collector_script(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The browser collector, with a tag by which a browser sees that it has it already."""
    script, tag = _script()
    headers = {
        "Cache-Control": f"public, max-age={_SECONDS}",
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
        # Pages of other origins may load it: that is what it is for, and it holds no secret.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    known = request.headers.get("if-none-match", "")
    if tag in known.replace("W/", "").split(", "):
        return Response(b"", status_code=304, headers=headers, media_type="text/javascript")
    return Response(script, headers=headers, media_type="text/javascript")


@route("/v1/collect", http_method=[HttpMethod.OPTIONS], status_code=200, include_in_schema=False)
async def allow_collecting(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What a browser asks before it sends from a page of another origin."""
    if service_of(request).ready:
        raise ProblemError(503, "not ready", headers={"Retry-After": "5"})
    origin = request.headers.get("origin", "")
    _door(request).check_origin(origin)
    headers = {**_allow(origin), "Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "7200"}
    return Response(b"", headers={**headers, "Access-Control-Allow-Headers": "Content-Type"})


@post(
    "/v1/collect",
    status_code=200,
    request_max_body_size=MOST_BYTES,
    operation_class=operation("CollectedMessage", ("application/json", "text/plain"), CollectedReply, public=True),
    summary="What a browser saw",
    tags=["collector"],
)
async def collect(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Count what a browser saw as `client_signals`; the answer gives the browser its id.

    Public: no key. The id of a browser is made and signed here, a session counts only with the shop's signature; so
    nobody writes into what belongs to another.
    """
    service = service_of(request)
    if service.ready:
        raise ProblemError(503, "not ready", headers={"Retry-After": "5"})
    door = _door(request)
    origin = request.headers.get("origin", "")
    door.check_origin(origin)
    now = service.engine.now()
    client = door.client(request)
    door.check_rate(client, now)
    message = read_body(await request.body(), CollectedMessage)
    shop = door.settings.shop
    signed = message.id or ""
    device = read_id(door.secret, shop, signed)
    if device is None:
        signed = make_id(door.secret, shop)
        device = signed.partition(".")[0]
    is_proven = message.session and is_signed_session(door.secret, shop, message.session, message.proof or "")
    fields = make_fields(
        message,
        shop=shop,
        device=device,
        session=message.session if is_proven else None,
        ip=client,
        user_agent=request.headers.get("user-agent", ""),
        at=now,
    )
    event, personal = service.intake(decode_event(msgspec.json.encode(fields), now=now))
    await door.gathering.add(event, personal)
    return Response(
        encode_json(CollectedReply(id=signed)),
        media_type="application/json",
        headers={**_allow(origin), "Cache-Control": "no-store"},
    )


COLLECTOR_ROUTES = (collector_script, allow_collecting, collect)
"""The handler of OPTIONS before that of POST, for which Litestar would else make one of its own."""


def check_settings(folder: Path) -> None:
    """Raise `UsageError` where the folder's `collector.toml` is faulty: said at the start, not to the first browser."""
    TrustedProxies(read_settings(folder).trusted_proxies)


def _allow(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _door(request: Request[Any, Any, Any]) -> Door:
    state = request.app.state
    if "door" not in state:
        service = service_of(request)
        gathering = Gathering(lambda job: service.batcher.submit(job, bulk=True))
        try:
            state["door"] = Door.open(service.engine.journal.folder.parent, gathering)
        except UsageError as error:
            log.error("nothing is collected", text=str(error))
            raise ProblemError(503, "not ready", headers={"Retry-After": "60"}) from error
    door: Door = state["door"]
    return door


@cache
def _script() -> tuple[bytes, str]:
    script = (files("floorwalker.server.collector") / "collector.js").read_bytes()
    return script, f'"{hashlib.blake2b(script, digest_size=12).hexdigest()}"'
