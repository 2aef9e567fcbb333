"""What an event's account, session and device were met with before, and whether the event agrees with itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.context import _live_kernel as layout
from floorwalker.detectors.context._live_kernel import meet
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import KEY_PLACES, EventBatch
from floorwalker.events.codes import CODE_PLACES, code_of, code_rows
from floorwalker.events.event import CardFacts, DeviceFacts, Event, NetworkFacts
from floorwalker.events.rows import key_rows
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import FeatureBatch
from floorwalker.kernels import silent
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.store.pages import Pages

DETECTOR = "context"
VERSION = "1"
ARTEFACT, SETTINGS = "context.live", "context.json"

SINGLE: tuple[str, ...] = (
    "account", "session", "device", "ip", "ip_network", "email", "phone", "delivery_point", "network_ja4", "user_agent",
    "device_fingerprint",
)  # fmt: skip
"""Of which it is told for how long, and how often, the shop has met them."""
PAIRS: tuple[tuple[str, str], ...] = (
    ("account", "ip_network"), ("account", "ip"), ("account", "user_agent"), ("account", "network_ja4"),
    ("account", "device_fingerprint"), ("account", "device_screen"), ("account", "delivery_point"),
    ("account", "item"), ("account", "seller"), ("account", "network_kind"), ("account", "language"),
    ("session", "item"), ("session", "ip_network"), ("device", "ip_network"), ("device", "account"), ("device", "item"),
    ("payment", "device"), ("payment", "delivery_point"),
)  # fmt: skip
"""Of which it is told for how long, and how often, they have been met together."""
FOLLOWED: Mapping[str, tuple[str, str]] = {
    "account": ("account", "item"), "session": ("session", "item"), "device": ("device", "item"),
}  # fmt: skip
"""Of which it is told what they did before: for how long they were silent, what kind of event came last, and how many
different items they have met, by the pair beside them."""
SHARES: tuple[str, ...] = ("reason", "shipping_method", "device_os", "language", "network_country")
"""Of which it is told how usual what they say is at events of this type."""
DIFFERING: Mapping[str, tuple[str, str]] = {
    "network_abroad": ("country", "network_country"),
    "card_not_of_network": ("card_issuer_country", "network_country"),
    "card_not_of_country": ("card_issuer_country", "country"),
    "phone_not_of_country": ("phone_country", "country"),
    "phone_not_of_network": ("phone_country", "network_country"),
    "delivered_elsewhere": ("delivery_point", "billing_point"),
}
"""What should be the same, and need not be."""


def _words(record: type, name: str) -> tuple[str, ...]:
    """The words that a field may hold, in the order in which its record lists them."""
    return tuple(word for option in get_args(get_type_hints(record)[name]) for word in get_args(option))


LISTED: Mapping[str, tuple[str, ...]] = {
    "network_kind": _words(NetworkFacts, "kind"),
    "channel": _words(Event, "channel"),
    "device_kind": _words(DeviceFacts, "kind"),
    "card_funding": _words(CardFacts, "funding"),
}
"""Words that stand as their place in this list; one that is not in it as the number behind the last."""
SAID: tuple[str, ...] = ("referrer",)
"""Of which it is told whether the event has one."""
KNOWN, TIMES = "known_seconds", "times"
SILENT, LAST, ITEMS = "silent_seconds", "last_type", "items"
OUTPUTS: tuple[str, ...] = (
    *(f"{DETECTOR}.{name}.{what}" for name in SINGLE for what in (KNOWN, TIMES)),
    *(f"{DETECTOR}.{one}.{other}.{what}" for one, other in PAIRS for what in (KNOWN, TIMES)),
    *(f"{DETECTOR}.{name}.{what}" for name in FOLLOWED for what in (SILENT, LAST, ITEMS)),
    *(f"{DETECTOR}.{name}.share" for name in SHARES),
    *(f"{DETECTOR}.{name}" for name in DIFFERING),
    *(f"{DETECTOR}.{name}.word" for name in LISTED),
    *(f"{DETECTOR}.{name}.said" for name in SAID),
    f"{DETECTOR}.hour",
)

State = dict[str, NDArray[Any]]

_meet: Callable[..., None] = silent(meet)


def _source(name: str) -> int:
    """Where the kernel finds what this is called: a row of the keys or, behind them, of the codes."""
    return KEY_PLACES[name] if name in KEY_PLACES else len(KEY_PLACES) + CODE_PLACES[name]


@cache
def _tables() -> tuple[NDArray[Any], ...]:
    """What the kernel reads beside an event; made once, for codes need a library that not every command has."""
    return (
        np.array([(_source(name), layout.NOBODY) for name in SINGLE] + [(_source(a), _source(b)) for a, b in PAIRS]),
        np.array([(SINGLE.index(name), len(SINGLE) + PAIRS.index(pair)) for name, pair in FOLLOWED.items()]),
        np.array([CODE_PLACES[name] for name in SHARES]),
        np.array([(CODE_PLACES[one], CODE_PLACES[other]) for one, other in DIFFERING.values()]),
        np.array([CODE_PLACES[name] for name in LISTED]),
        np.array([code_of(word) for words in LISTED.values() for word in words], np.uint64),
        np.cumsum([0, *map(len, LISTED.values())]),
        np.array([CODE_PLACES[name] for name in SAID]),
    )


class LiveContext:
    """How well those who take part in an event know each other, and whether what the event says fits together.

    For pairs such as an account and a browser, or a session and an item, it is told for how many seconds they have been
    known together (a day at most) and how often they were met (30 times at most; 0 the first time, NaN where one is
    missing); for a reason, language or operating system how large its share is among events of this type; whether
    countries agree; what kind of network, channel, device and card it is. The columns are listed in docs/context.md.

    One object holds what one shop has met, for one thread at a time; its size is fixed. Events of a batch see those
    before them, so any batching gives the same columns.

    Parameters
    ----------
    rows : pairs that are remembered, a power of two; in each bucket of four the longest unheard of is given up first.

    >>> LiveContext(rows=64).outputs[22]
    'context.account.ip_network.known_seconds'
    """

    detector = DETECTOR
    outputs = OUTPUTS

    def __init__(self, *, rows: int = 1 << 22) -> None:
        if rows < layout.WAYS or rows & (rows - 1) or rows > 1 << 28:
            raise UsageError(f"room for {rows} pairs", allowed="a power of two from 4 to 2^28")
        self.words = np.zeros(rows * layout.WIDTH, np.uint64)
        self._pages = Pages(self.words)

    @classmethod
    def load(cls, folder: Path) -> LiveContext:
        """An empty memory of the size that `save` noted; `ArtefactError` where the folder is damaged."""
        artefact = load_artefact(folder, name=ARTEFACT, version=1)
        try:
            return cls(rows=int(json.loads(artefact.files[SETTINGS])["rows"]))
        except (KeyError, TypeError, ValueError, UsageError) as broken:
            raise ArtefactError(f"{folder} describes no context: {broken!r}", fix="train again") from broken

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the size; not what was met."""
        files = {SETTINGS: (json.dumps({"rows": len(self.words) // layout.WIDTH}) + "\n").encode()}
        save_artefact(folder, name=ARTEFACT, version=1, files=files, facts=facts or {})

    @property
    def version(self) -> str:
        """By which code, and with how much room."""
        return f"{VERSION}.{len(self.words) // layout.WIDTH}"

    def advance(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """The columns of the events in order, each as of just before it: float32 [n, len(outputs)]; then all are
        remembered."""
        return self._run(batch, moves=True)

    def score(self, batch: EventBatch, features: FeatureBatch) -> NDArray[np.float32]:
        """As `advance`, each event as if it came next, alone; nothing is remembered."""
        return self._run(batch, moves=False)

    def state(self) -> State:
        """The whole memory: a view, valid until the next `advance`."""
        return {"context": self.words}

    def pages(self) -> dict[str, tuple[Pages, int]]:
        """The pages of the memory, for snapshots that take only what changed."""
        return {"context": (self._pages, 0)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state; one of another size raises `ArtefactError`."""
        words = state.get("context")
        if words is None or len(words) != len(self.words):
            raise ArtefactError(
                f"the stored context has {0 if words is None else len(words)} words",
                allowed=f"{len(self.words)} words",
                fix="replay the journal",
            )
        self.words[:] = words
        self._pages.touch_all()

    def _run(self, batch: EventBatch, *, moves: bool) -> NDArray[np.float32]:
        out = np.empty((len(batch.type), len(OUTPUTS)), np.float32)
        _meet(moves, batch.type, batch.at, key_rows(batch), code_rows(batch), *_tables(), *self._pages.arguments, out)
        return out


_NAMES: Mapping[str, str] = {
    "ip": "address", "ip_network": "network", "email": "e-mail address", "phone": "telephone number",
    "delivery_point": "door", "network_ja4": "connection fingerprint", "user_agent": "browser",
    "device_fingerprint": "device fingerprint", "device_screen": "screen size", "network_kind": "kind of network",
    "payment": "means of payment", "device_os": "operating system", "shipping_method": "way of shipping",
    "network_country": "country of the network",
}  # fmt: skip
_DIFFER: Mapping[str, str] = {
    "network_abroad": "the network is in another country than the event",
    "card_not_of_network": "the card was issued in another country than the network's",
    "card_not_of_country": "the card was issued in another country than the event's",
    "phone_not_of_country": "the telephone number is of another country than the event",
    "phone_not_of_network": "the telephone number is of another country than the network",
    "delivered_elsewhere": "the parcel goes to another door than the bill",
}
_AGREE: Mapping[str, str] = {
    "network_abroad": "the network is in the event's country",
    "card_not_of_network": "the card was issued in the network's country",
    "card_not_of_country": "the card was issued in the event's country",
    "phone_not_of_country": "the telephone number is of the event's country",
    "phone_not_of_network": "the telephone number is of the network's country",
    "delivered_elsewhere": "the parcel goes to the same door as the bill",
}


def tell_column(column: str, said: Mapping[str, float]) -> str | None:
    """A sentence for one of the columns, given all of them; None for another, and for a missing value.

    >>> tell_column("context.account.user_agent.times", {"context.account.user_agent.times": 0.0})
    'this account was never met with this browser before'
    """
    value = said.get(column, math.nan)
    start, _, name = column.partition(".")
    if start != DETECTOR or math.isnan(value):
        return None
    if name == "hour":
        return f"it happened at {value:.0f} o'clock UTC"
    if name in _DIFFER:
        return _DIFFER[name] if value else _AGREE[name]
    name, _, what = name.rpartition(".")
    if what == "said":
        return f"the request {'names' if value else 'does not name'} the page that it comes from"
    if what == LAST:
        kind = EVENT_TYPES[int(value)].name.replace("_", " ") if 0 <= value < len(EVENT_TYPES) else "of another kind"
        return f"the event of this {name} before was {kind}"
    if what == ITEMS:
        return f"this {name} has met {value:.0f} different item{'s' if value != 1 else ''} before"
    if what == SILENT:
        return f"this {name} had been silent for {_ago(value)}"
    if what == "share":
        return f"{value:.2%} of the events of this type say the same {_NAMES.get(name, name)}"
    if what == "word":
        words = LISTED[name]
        word = words[int(value)].replace("_", " ") if value < len(words) else "an unknown one"
        return f"the {_NAMES.get(name, name.replace('_', ' '))} is {word}"
    first, _, second = name.partition(".")
    whom = f"this {_NAMES.get(first, first)}"
    together = f" with this {_NAMES.get(second, second)}" if second else ""
    times, known = (said.get(f"{DETECTOR}.{name}.{part}", math.nan) for part in (TIMES, KNOWN))
    if not times > 0:
        return f"{whom} was never met{together} before"
    often = f"{times:.0f}{' or more' if times >= layout.MOST else ''} time{'s' if times != 1 else ''}"
    ago = "a day or more" if known >= layout.LONGEST else _ago(known)
    return f"{whom} was met{together} {often} before, first {ago} ago"


def _ago(seconds: float) -> str:
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'s' if count != 1 else ''}"
    return "less than a minute"
