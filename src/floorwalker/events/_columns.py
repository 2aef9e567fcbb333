"""The columns of a batch: which field of an event fills which of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.entities import ENTITIES
from floorwalker.events.event import (
    CardFacts,
    ClientSignals,
    DeviceFacts,
    Dispute,
    Identity,
    NetworkFacts,
    ThreeDSecure,
)

GROUPS: dict[str, tuple[Any, str, tuple[str, ...], tuple[str, ...]]] = {
    # field of the event: (an empty one, prefix of the column, numbers, texts)
    "card": (
        CardFacts(),
        "card_",
        ("commercial", "stored"),
        ("scheme", "funding", "issuer", "issuer_country", "wallet", "avs_result", "cvv_result"),
    ),
    "three_d_secure": (ThreeDSecure(), "three_d_secure_", ("liability_shift",), ("result", "version", "eci")),
    "dispute": (Dispute(), "dispute_", (), ("scheme", "reason_code")),
    "device_facts": (
        DeviceFacts(),
        "device_",
        (
            "fingerprint_confidence", "utc_offset_minutes", "emulator", "rooted", "hooked", "cloned", "mock_location",
            "install_age_seconds",
        ),
        ("kind", "os", "os_version", "model", "app", "app_version", "screen", "fingerprint", "attestation"),
    ),
    "signals": (
        ClientSignals(),
        "client_",
        (
            "webdriver", "headless", "tampered", "trap_filled", "pointer_moves", "pointer_straightness", "touches",
            "key_presses", "key_gap_ms", "key_gap_spread_ms", "pastes", "scrolls", "dwell_ms", "form_ms",
        ),
        (),
    ),
    "network": (
        NetworkFacts(), "network_", ("asn",),
        ("ja3", "ja4", "ja4h", "http2", "tls_version", "organisation", "country", "kind"),
    ),
    "identity": (
        Identity(),
        "",
        ("email_disposable", "email_free", "email_altered", "email_length", "email_digits", "amount_base_minor"),
        ("phone_country", "phone_kind", "delivery_area", "billing_point", "billing_area", "ip_kind"),
    ),
}  # fmt: skip

FLAT_NUMBERS = (
    "amount_minor", "list_price_minor", "discount_minor", "rating", "quantity", "status", "guest", "digital",
    "returned", "latitude", "longitude",
)  # fmt: skip
FLAT_TEXTS = (
    "shop", "currency", "country", "language", "method", "url", "referrer", "user_agent", "channel", "order", "group",
    "recipient", "decision", "balance_kind", "shipping_method", "result", "reason", "decline_code", "text",
)  # fmt: skip
ENTITY_FIELDS = (
    "account", "session", "device", "ip", "payment", "bin", "email", "phone", "promotion", "item", "seller",
    "inviter",
)  # fmt: skip
RENAMED = {"order": "order_id", "group": "group_id", "text": "written"}
"""Fields whose names are words of SQL, in which rules are written."""
MADE = ("ip_network", "email_domain", "phone_prefix", "delivery_point", "coupon")

NUMBER_FIELDS: tuple[str, ...] = (
    *FLAT_NUMBERS, "lines", "coupons",
    *(prefix + name for _, prefix, numbers, _ in GROUPS.values() for name in numbers),
)  # fmt: skip
"""Names of `EventBatch.numbers`; statements are 0 or 1, `lines` and `coupons` are how many there are."""

TEXT_FIELDS: tuple[str, ...] = (
    *(RENAMED.get(name, name) for name in FLAT_TEXTS),
    *(prefix + name for _, prefix, _, texts in GROUPS.values() for name in texts),
    *ENTITIES,
)  # fmt: skip
"""Names of `EventBatch.texts`: the texts of the event, and the name or token of each of its entities."""

TOP = ("id", "type", "at", "received_at", *FLAT_NUMBERS, *FLAT_TEXTS, *ENTITY_FIELDS, "lines", "coupons", *GROUPS)
take_top = attrgetter(*TOP)
take_group = {name: attrgetter(*numbers, *texts) for name, (_, _, numbers, texts) in GROUPS.items()}
take_places = attrgetter("ip_network", "email_domain", "phone_prefix", "delivery_point", "hubs")
ENTITY_ROWS = {name: row for row, name in enumerate(ENTITIES)}
take_numbers = attrgetter(*FLAT_NUMBERS)
take_texts = attrgetter(*FLAT_TEXTS)
take_entities = attrgetter(*ENTITY_FIELDS)
take_groups = attrgetter(*GROUPS)
GROUP_READS = tuple(
    (
        take_group[group],
        len(numbers),
        take_group[group](empty)[: len(numbers)],
        take_group[group](empty)[len(numbers) :],
    )
    for group, (empty, _, numbers, _) in GROUPS.items()
)
"""For each group what reads it, how many numbers come first, and the numbers and texts of an event without it."""

Number = TypeVar("Number", np.uint64, np.float64)


class Columns(Mapping[str, NDArray[Number]]):
    """Columns by name that are the rows of one array, so that whoever wants many of them takes them at once.

    A column is cut out when it is asked for: of one event most are never looked at.

    Parameters
    ----------
    places : of the columns by name, `KEY_PLACES` or `NUMBER_PLACES`.
    rows : [columns, n].
    more : further columns, which are no rows of the array.

    >>> columns = Columns({"a": 0, "b": 1}, np.zeros((2, 3)))
    >>> columns["b"].shape, list(columns.beside("c", np.ones(3)))
    ((3,), ['a', 'b', 'c'])
    """

    __slots__ = ("_more", "_places", "rows")

    def __init__(
        self, places: Mapping[str, int], rows: NDArray[Number], more: Mapping[str, NDArray[Number]] | None = None
    ) -> None:
        self._places = places
        self._more: Mapping[str, NDArray[Number]] = more or {}
        self.rows: NDArray[Number] = rows

    def __getitem__(self, name: str) -> NDArray[Number]:
        place = self._places.get(name)
        if place is None:
            return self._more[name]
        return cast("NDArray[Number]", self.rows[place])

    def __contains__(self, name: object) -> bool:
        return name in self._places or name in self._more

    def __iter__(self) -> Iterator[str]:
        yield from self._places
        yield from self._more

    def __len__(self) -> int:
        return len(self._places) + len(self._more)

    @property
    def further(self) -> Mapping[str, NDArray[Number]]:
        """The columns that are no rows of the array."""
        return self._more

    def beside(self, name: str, column: NDArray[Number]) -> Columns[Number]:
        """These columns and a further one, which is no row of the array."""
        return Columns(self._places, self.rows, {**self._more, name: column})

    def take(self, where: NDArray[np.intp]) -> Columns[Number]:
        """The entries at these positions of each column, in this order."""
        more = {name: column[where] for name, column in self._more.items()}
        return Columns(self._places, self.rows.take(where, axis=1), more)


KEY_PLACES = {name: place for place, name in enumerate(ENTITIES)}
NUMBER_PLACES = {name: place for place, name in enumerate(NUMBER_FIELDS)}
