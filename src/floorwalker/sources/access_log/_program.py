"""Compiled formats: which field of a line fills which slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from floorwalker.errors import UsageError
from floorwalker.sources.access_log import _interpret, _slots
from floorwalker.sources.access_log._slots import SLOTS

FORWARDING_HEADERS = ("x-forwarded-for", "forwarded", "cf-connecting-ip", "true-client-ip", "x-real-ip")
"""Headers in which proxies name the client, the one with the whole chain first."""

# Names that formats give to fields, best first where a line holds several for one slot.
_NAMES: Mapping[int, tuple[str, ...]] = {
    _slots.TIME: ("time", "clock", "epoch"),
    _slots.DATE: ("date",),
    _slots.CLIENT: ("client", "client_name"),
    _slots.FORWARDED: (*(f"header:{name}" for name in FORWARDING_HEADERS), "forwarded"),
    _slots.HOST: ("host", "header:host", "server"),
    _slots.REQUEST: ("request",),
    _slots.METHOD: ("method",),
    _slots.TARGET: ("target", "path"),
    _slots.QUERY: ("query",),
    _slots.STATUS: ("status", "first_status"),
    _slots.SIZE: ("size", "all_bytes"),
    _slots.REFERRER: ("header:referer", "header:referrer"),
    _slots.USER_AGENT: ("header:user-agent",),
    _slots.COOKIE: ("header:cookie",),
}


@dataclass(frozen=True)
class SessionRule:
    """Where the session id is: `kind` is `cookie`, `header`, `param` or `any`."""

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str | None) -> SessionRule | None:
        """The rule that `cookie:NAME`, `header:NAME`, `param:NAME` or `NAME` writes; `UsageError` for others.

        >>> SessionRule.parse("cookie:PHPSESSID")
        SessionRule(kind='cookie', name='PHPSESSID')
        """
        if text is None:
            return None
        kind, colon, name = text.partition(":")
        if not colon:
            kind, name = "any", text
        if kind not in {"any", "cookie", "header", "param"} or not name or not name.isascii() or " " in name:
            raise UsageError(
                f"session {text!r}", allowed="cookie:NAME, header:NAME, param:NAME or NAME, in ASCII without spaces"
            )
        return cls(kind, name)


@dataclass(frozen=True)
class Field:
    """One field of a text format.

    Parameters
    ----------
    name : what it means (a name of `_NAMES`, `session`, `cookie:NAME`, `header:NAME`), or "" for what nobody reads.
    behind : the literal that ends it; empty for the last field of a line.
    quoted : whether a backslash hides the byte behind it.
    inside : how often the literal occurs inside the field.
    """

    name: str
    behind: str = ""
    quoted: bool = False
    inside: int = 0


@dataclass(frozen=True)
class TextShape:
    """The shape of a line: an opening literal and fields."""

    fields: tuple[Field, ...]
    opening: str = ""
    open_end: bool = False
    comment: str = ""


@dataclass(frozen=True)
class JsonShape:
    """Keys of a JSON line: path (keys joined by `>`) to the name of the field; the first of several wins."""

    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Layout:
    """One way of writing lines that a format has: its shape and what is special about it.

    Parameters
    ----------
    note : a few words, e.g. `with the forwarded addresses behind`; may be empty.
    percent : 1 where user agents are percent-encoded, 2 where their spaces are plus signs too, else 0.
    has_port : whether a port always stands behind the client's address. `2001:db8::1:443` is an address by itself:
        only the format can tell that its last part is a port.
    """

    shape: TextShape | JsonShape
    note: str = ""
    percent: int = 0
    has_port: bool = False


@dataclass(frozen=True)
class Program:
    """A layout compiled for the kernels; see `tokenise_text` and `tokenise_json` for the arrays."""

    format: str
    layout: Layout
    bound: int
    session_mode: int
    session_name: NDArray[np.uint8]
    steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 5), np.int64))
    literals: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(1, np.uint8))
    nodes: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 5), np.int64))

    @property
    def is_json(self) -> bool:
        """Whether lines are JSON objects."""
        return isinstance(self.layout.shape, JsonShape)


def _slots_of(names: Sequence[str], session: SessionRule | None) -> dict[str, int]:
    """Which name fills which slot; a slot takes the best name that is there."""
    chosen: dict[str, int] = {}
    present = set(names)
    for slot, candidates in _NAMES.items():
        best = next((name for name in candidates if name in present), None)
        if best is not None:
            chosen[best] = slot
    if session is not None and session.kind != "param":
        wanted = [f"{kind}:{session.name.lower()}" for kind in ("cookie", "header") if session.kind in {kind, "any"}]
        best = next((name for name in [*wanted, "session"] if name in present), None)
        if best is not None:
            chosen[best] = _slots.SESSION
    return chosen


def _session_mode(slots: dict[str, int], session: SessionRule | None) -> int:
    if session is None:
        return _interpret.SESSION_NONE
    if session.kind == "param":
        return _interpret.SESSION_TARGET
    if session.kind == "any":
        return _interpret.SESSION_ANY
    if _slots.SESSION in slots.values():
        return _interpret.SESSION_LOGGED
    return _interpret.SESSION_COOKIE if session.kind == "cookie" else _interpret.SESSION_LOGGED


def compile_layout(format_id: str, layout: Layout, session: SessionRule | None = None) -> Program:
    """Compile a layout; `UsageError` where it says neither when nor what was requested."""
    shape = layout.shape
    names = [item.name for item in shape.fields] if isinstance(shape, TextShape) else [name for _, name in shape.keys]
    slots = _slots_of(names, session)
    filled = set(slots.values())
    if _slots.TIME not in filled:
        raise UsageError(f"log format {format_id!r} holds no time", fix="add e.g. [$time_local] or %t")
    if not filled & {_slots.REQUEST, _slots.TARGET}:
        raise UsageError(f"log format {format_id!r} holds no request", fix='add e.g. "$request" or "%r"')
    mode = _session_mode(slots, session)
    name = np.frombuffer((session.name if session else "").encode(), np.uint8).copy()
    bound = sum(1 << slot for slot in filled)
    if isinstance(shape, JsonShape):
        # JSON may hold several keys for one slot, and each line says which of them it has.
        every = {key: slot for slot, keys in _NAMES.items() for key in keys}
        every.update({key: slot for key, slot in slots.items() if slot == _slots.SESSION})
        nodes, literals = _compile_keys(shape, every)
        bound = sum(1 << slot for slot in {int(slot) for slot in nodes[:, 3]} if slot >= 0)
        return Program(format_id, layout, bound, mode, name, nodes=nodes, literals=literals)
    text = bytearray(shape.opening.encode())
    steps = []
    written: set[int] = set()
    for item in shape.fields:
        slot = slots.get(item.name, _slots.IGNORED)
        if slot in written:
            slot = _slots.IGNORED
        written.add(slot)
        behind = item.behind.encode()
        steps.append([slot, int(item.quoted), len(text), len(behind), item.inside])
        text += behind
    return Program(
        format_id,
        layout,
        bound,
        mode,
        name,
        steps=np.array(steps, np.int64).reshape(-1, 5),
        literals=np.frombuffer(bytes(text) + b"\0", np.uint8).copy(),
    )


def _compile_keys(shape: JsonShape, slots: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    nodes: list[list[int]] = [[-1, 0, 0, -1, 0]]
    places: dict[tuple[str, ...], int] = {(): 0}
    text = bytearray()
    for rank, (path, name) in enumerate(shape.keys):
        parts = tuple(path.split(">"))
        for depth in range(1, len(parts) + 1):
            if parts[:depth] in places:
                continue
            key = parts[depth - 1].encode()
            nodes.append([places[parts[: depth - 1]], len(text), len(text) + len(key), -1, rank])
            text += key
            places[parts[:depth]] = len(nodes) - 1
        slot = slots.get(name, -1)
        if slot >= 0:
            nodes[places[parts]][3:] = [slot, rank]
    return np.array(nodes, np.int64), np.frombuffer(bytes(text) + b"\0", np.uint8).copy()


def empty_spans(lines: int) -> NDArray[np.int32]:
    """Room for the spans of so many lines; slots that no program writes stay missing."""
    return np.full((lines, SLOTS, 2), -1, np.int32)
