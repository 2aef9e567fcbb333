"""What the ASGI and the WSGI guard share: which visits are told, which are asked about, what an answer means."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from floorwalker_client.background import Background
from floorwalker_client.errors import UsageError
from floorwalker_client.failing import ACTIONS
from floorwalker_client.replies import Decision
from floorwalker_client.scrub import scrub_text, tidy_text
from floorwalker_client.web.addresses import TrustedProxies
from floorwalker_client.web.collector import COOKIE, Collector, read_collected
from floorwalker_client.web.urls import clean_referrer, clean_url
from floorwalker_client.web.visit import Visit

NETWORK_FIELDS = ("ja3", "ja4", "ja4h", "http2", "tls_version", "country")
"""Facts of a connection that a proxy may put into headers."""
REFUSING = ("block", "freeze", "terminate_session")
"""Actions that are answered with 403 where no hook takes them."""
_LENGTHS = {"http2": 256, "tls_version": 64}
_COUNTRY = re.compile(r"[A-Z]{2}")
_STATIC = (
    ".css", ".js", ".mjs", ".map", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico", ".woff",
    ".woff2", ".ttf", ".mp4", ".webm", ".txt", ".webmanifest",
)  # fmt: skip


def ask_when_changing(visit: Visit) -> bool:
    """Ask about what changes something (POST, PUT, PATCH, DELETE); the rest is only told."""
    return visit.method not in ("GET", "HEAD", "OPTIONS", "TRACE")


def ask_always(visit: Visit) -> bool:
    """Ask about every visit: costs each page the time of a decision, and stops scrapers as well."""
    return True


def skip_static(visit: Visit) -> bool:
    """Leave out files that belong to a page."""
    return visit.path.lower().endswith(_STATIC)


@dataclass(frozen=True)
class Refusal:
    """An answer in place of the page."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Guard:
    """Settings of a guard.

    Parameters
    ----------
    session, account : give the ids of a visit, None for none; the shop knows where its framework keeps them. The
        session's id should not be the secret in the cookie but a hash of it. An error in them counts as None.
    ask : which visits wait for an answer; the others are told in the background.
    skip : which visits are neither told nor asked about.
    trusted_proxies : addresses and ranges whose forwarding header is believed.
    client_header : that header, in small letters.
    network_headers : field of `NETWORK_FIELDS` -> header in which a trusted proxy says it, as `{"ja4": "x-ja4"}`.
    kept_parameters : names of the query's parameters whose values are sent; of all others only the name is.
    path : changes a path before it is sent, where it holds what must not leave the shop.
    hooks : action -> what answers it in place of the defaults; see the guards for their form.
    retry_after : seconds told to whoever is throttled.
    collector : the browser collector under the shop's own name.
    shop : put into the events, where it is not `default`.
    remembered : browsers whose last signals this process remembers, for the shop's own events.
    """

    session: Callable[[Visit], str | None] | None = None
    account: Callable[[Visit], str | None] | None = None
    ask: Callable[[Visit], bool] = ask_when_changing
    skip: Callable[[Visit], bool] = skip_static
    trusted_proxies: Iterable[str] = ()
    client_header: str = "x-forwarded-for"
    network_headers: Mapping[str, str] = field(default_factory=dict)
    kept_parameters: Iterable[str] = ()
    path: Callable[[str], str] | None = None
    hooks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    retry_after: int = 10
    collector: Collector | None = None
    shop: str = "default"
    remembered: int = 10_000
    proxies: TrustedProxies = field(init=False)
    kept: frozenset[str] = field(init=False)
    _seen: OrderedDict[str, dict[str, object]] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        unknown = sorted({*self.hooks} - {*ACTIONS})
        if unknown:
            raise UsageError(f"hooks for {', '.join(unknown)}; allowed: {', '.join(ACTIONS)}")
        unknown = sorted({*self.network_headers} - {*NETWORK_FIELDS})
        if unknown:
            raise UsageError(f"network headers for {', '.join(unknown)}; allowed: {', '.join(NETWORK_FIELDS)}")
        object.__setattr__(self, "proxies", TrustedProxies(self.trusted_proxies))
        object.__setattr__(self, "kept", frozenset(self.kept_parameters))

    def make_visit(
        self, method: str, path: str, query: str, headers: Mapping[str, str], peer: str, raw: Mapping[str, Any]
    ) -> Visit:
        """A visit with the client's address found."""
        return Visit(
            method, path, query, headers, peer,
            client=self.proxies.client(peer, headers.get(self.client_header)),
            through_proxy=peer in self.proxies,
            raw=raw,
        )  # fmt: skip

    def facts(self, visit: Visit) -> dict[str, object]:
        """Who is there, for the shop's own events: address, user agent, session, account, browser, its last signals.

        The guards put it into the scope or environ, so that a shop writes `{"type": "sign_up", **facts}`.
        """
        facts = self._who(visit)
        device = facts.get("device")
        if isinstance(device, str):
            with self._lock:
                facts.update(self._seen.get(device, {}))
        return facts

    def make_event(self, visit: Visit, *, status: int | None = None) -> dict[str, object]:
        """The page view of a visit."""
        path = _call(self.path, visit.path, visit.path) if self.path is not None else visit.path
        event: dict[str, object] = {
            **self._who(visit),
            "type": "page_view",
            "method": scrub_text(tidy_text(visit.method[:16])) or "GET",
            "url": clean_url(path, visit.query, self.kept),
        }
        referrer = visit.headers.get("referer")
        if referrer:
            cleaned = clean_referrer(referrer, visit.headers.get("host", ""), self.kept)
            if cleaned:
                event["referrer"] = tidy_text(cleaned)
        if status is not None:
            event["status"] = status
        return event

    def make_collected(self, visit: Visit, body: bytes) -> tuple[dict[str, object] | None, str | None]:
        """The event of what the collector sent, and a new id for the browser where it has none.

        None for the event where the body is not the collector's, or comes from another site.
        """
        assert self.collector is not None
        if not _is_same_site(visit):
            return None, None
        event = read_collected(body)
        if event is None:
            return None, None
        new = None
        who = self._who(visit)
        if "device" not in who:
            new = self.collector.make_id(self.shop)
            who["device"] = new.partition(".")[0]
        if "url" in event:
            path, _, query = str(event["url"]).partition("?")
            path = _call(self.path, path, path) if self.path is not None else path
            event["url"] = clean_url(path, query, self.kept)
        # The same part of the same view is the same event, however often a browser sends it.
        attributes = event["attributes"]
        told = f"{self.shop}\x00{who['device']}\x00{attributes['view']}\x00{attributes['view_part']}"
        event["id"] = "cs_" + hashlib.blake2b(told.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        with self._lock:
            self._seen[str(who["device"])] = {name: event[name] for name in ("signals", "device_facts") if event[name]}
            self._seen.move_to_end(str(who["device"]))
            if len(self._seen) > self.remembered:
                self._seen.popitem(last=False)
        return {**event, **who}, new

    def refuse(self, decision: Decision, visit: Visit) -> Refusal | None:
        """The answer that takes the page's place; None where the page is shown."""
        if decision.action == "throttle":
            return self._write(429, decision, visit, (("Retry-After", str(self.retry_after)),))
        if decision.action in REFUSING:
            if not decision.answered:
                # Nobody accused this visitor: the shop only cannot know right now.
                return self._write(503, decision, visit, (("Retry-After", str(self.retry_after)),))
            return self._write(403, decision, visit)
        return None

    def report(self, background: Background, decision: Decision, action: str) -> None:
        """Tell what the guard did about a decision."""
        if not decision.answered:
            return
        if action == decision.action:
            background.report(decision.id, action)
        else:
            background.report(decision.id, action, by="guard", reason="no hook answered")

    def cookie_header(self, signed: str) -> str:
        """The cookie that gives a browser its id."""
        assert self.collector is not None
        return f"{COOKIE}={signed}; Path=/; Max-Age={self.collector.days * 86400}; SameSite=Lax; HttpOnly; Secure"

    def _who(self, visit: Visit) -> dict[str, object]:
        who: dict[str, object] = {"channel": "web"}
        if visit.client:
            who["ip"] = visit.client
        if self.shop != "default":
            who["shop"] = self.shop
        agent = visit.headers.get("user-agent")
        if agent:
            who["user_agent"] = scrub_text(tidy_text(agent[:1024]))
        for name, extract in (("session", self.session), ("account", self.account)):
            value = _call(extract, visit, None) if extract is not None else None
            if value:
                who[name] = scrub_text(tidy_text(str(value)[:256]))
        if self.collector is not None:
            device = self.collector.read_id(self.shop, visit.cookie(COOKIE))
            if device:
                who["device"] = device
        if self.network_headers and visit.through_proxy:
            facts = {}
            for name, header in self.network_headers.items():
                value = tidy_text(visit.headers.get(header.lower(), "")[: _LENGTHS.get(name, 128)])
                # Some networks write XX or T1 where they know no country: a server takes two letters only.
                if value and (name != "country" or _COUNTRY.fullmatch(value)):
                    facts[name] = scrub_text(value)
            if facts:
                who["network"] = facts
        return who

    def _write(self, status: int, decision: Decision, visit: Visit, more: tuple[tuple[str, str], ...] = ()) -> Refusal:
        kind, body = "text/plain; charset=utf-8", decision.public_reason
        if "application/json" in visit.headers.get("accept", ""):
            kind = "application/problem+json"
            body = json.dumps({"title": decision.public_reason, "status": status})
        data = body.encode()
        headers = (
            ("Content-Type", kind),
            ("Content-Length", str(len(data))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *more,
        )
        return Refusal(status, headers, b"" if visit.method == "HEAD" else data)


def write_script(script: bytes, visit: Visit) -> Refusal:
    """The collector's script as an answer."""
    headers = (
        ("Content-Type", "text/javascript; charset=utf-8"),
        ("Content-Length", str(len(script))),
        ("Cache-Control", "public, max-age=3600"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Refusal(200, headers, b"" if visit.method == "HEAD" else script)


def collect(guard: Guard, background: Background, visit: Visit, body: bytes | None) -> Refusal:
    """Take in what a browser sent; the answer says nothing but whether it was of the collector's form."""
    plain = (("Content-Length", "0"), ("Cache-Control", "no-store"))
    if body is None:
        return Refusal(413, plain, b"")
    event, new = guard.make_collected(visit, body)
    if event is None:
        return Refusal(400, plain, b"")
    background.tell(event)
    cookie = (("Set-Cookie", guard.cookie_header(new)),) if new is not None else ()
    return Refusal(204, (("Cache-Control", "no-store"), *cookie), b"")


def _call(function: Callable[[Any], Any], given: Any, otherwise: Any) -> Any:
    try:
        return function(given)
    except Exception:  # noqa: BLE001 - the shop's own function must not break its page either
        return otherwise


def _is_same_site(visit: Visit) -> bool:
    """Whether a page of the shop itself sent this, as far as a browser can be asked."""
    site = visit.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "same-site"):
        return False
    origin = visit.headers.get("origin")
    return origin is None or origin.partition("://")[2] == visit.headers.get("host", "")
