"""What the collector sends, strictly read, and the event that it becomes."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from floorwalker.events.event import ClientSignals

MOST_BYTES = 4096
"""Bytes of one message, at most."""

_Hash = Annotated[str, Meta(min_length=1, max_length=32)]
_Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class BrowserDevice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a page may say of a device; attestation, root and the like only an app can know."""

    kind: Literal["phone", "tablet", "desktop"] | None = None
    screen: Annotated[str, Meta(pattern=r"^[0-9]{1,5}x[0-9]{1,5}$")] | None = None
    utc_offset_minutes: Annotated[int, Meta(ge=-1440, le=1440)] | None = None
    fingerprint: _Hash | None = None
    fingerprint_confidence: _Share | None = None


class CollectedMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message of the collector.

    Parameters
    ----------
    v : version of this form.
    view : random name of the page view, hexadecimal; `n` counts its messages from 0.
    signals : counts and times, running totals of the view.
    page : path without query.
    device : what the page knows of the device.
    parts : of the fingerprint: name -> hash and confidence.
    id : the browser's id with its signature, where it has one.
    session, proof : the shop's session, and the shop's signature of it.
    """

    v: Literal[1]
    view: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
    n: Annotated[int, Meta(ge=0, le=15)]
    signals: ClientSignals
    page: Annotated[str, Meta(max_length=1024, pattern=r"^/")] = "/"
    language: Annotated[str, Meta(min_length=1, max_length=35)] | None = None
    device: BrowserDevice = BrowserDevice()
    parts: Annotated[dict[Annotated[str, Meta(max_length=32)], tuple[_Hash, _Share]], Meta(max_length=16)] = {}
    id: Annotated[str, Meta(max_length=64)] | None = None
    session: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    proof: Annotated[str, Meta(max_length=64)] | None = None


class CollectedReply(msgspec.Struct, frozen=True, kw_only=True):
    """The browser's id with its signature, which it sends with the next message."""

    id: str


def make_fields(
    message: CollectedMessage, *, shop: str, device: str, session: str | None, ip: str, user_agent: str, at: int
) -> dict[str, Any]:
    """The fields of the `client_signals` event of a message.

    Parameters
    ----------
    device, session : proven; `session` None where it was not.
    ip : of the client, "" where unknown.
    at : µs UTC.

    The same message of the same view is the same event, however often it is sent.
    """
    told = f"{shop}\x00{device}\x00{message.view}\x00{message.n}"
    fields: dict[str, Any] = {
        "id": "cs_" + hashlib.blake2b(told.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest(),
        "type": "client_signals",
        "shop": shop,
        "at": at,
        "channel": "web",
        "device": device,
        "session": session,
        "ip": ip or None,
        "user_agent": user_agent[:1024] or None,
        "language": message.language,
        # Whatever a query or fragment holds is nobody's business here.
        "url": message.page.partition("?")[0].partition("#")[0],
        "signals": message.signals,
        "device_facts": message.device,
        "attributes": {"view": message.view, "view_part": message.n, "fingerprint_parts": message.parts},
    }
    return {name: value for name, value in fields.items() if value is not None}
