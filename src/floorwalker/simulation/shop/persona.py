"""Who acts: a person with devices, cards and habits, whether honest, invented or stolen."""

from __future__ import annotations

from dataclasses import dataclass, field

from floorwalker.events.event import Address, CardFacts, DeviceFacts


@dataclass(frozen=True)
class Device:
    """A browser or a telephone.

    Parameters
    ----------
    id : as the collector or the SDK calls it; "" where scripts are refused or cookies were cleared.
    user_agent, channel, language : of its requests.
    facts : what the SDK or the collector says.
    ja4 : fingerprint of its TLS client hello, "" where the proxy does not say.
    """

    id: str
    user_agent: str
    channel: str = "web"
    language: str = "de-DE"
    facts: DeviceFacts | None = None
    ja4: str = ""


@dataclass(frozen=True)
class Card:
    """A card or wallet as the payment service names it; numbers never appear."""

    payment: str
    bin: str
    facts: CardFacts


@dataclass(frozen=True)
class Habits:
    """How somebody shops.

    Parameters
    ----------
    hours : weights of the 24 local hours.
    visits_per_week : on average.
    basket_minor : median value of what they buy at once, minor units.
    pace : times the usual pause between two pages.
    bargain : 0 to 1, how much coupons and sales draw them.
    return_share, review_share : of their orders.
    """

    hours: tuple[float, ...]
    visits_per_week: float = 1.0
    basket_minor: int = 4_000
    pace: float = 1.0
    bargain: float = 0.2
    return_share: float = 0.06
    review_share: float = 0.08


@dataclass(frozen=True)
class Persona:
    """Somebody who can be asked to visit, to buy and to complain.

    Parameters
    ----------
    account : "" for guests.
    joined_at : when the account was opened, microseconds; before the first day for old customers.
    ship : where parcels usually go, a locker or an office for one; None for home.
    networks : names of the addresses that they come from, as `World.networks` understands them, the usual one first.
    """

    account: str
    email: str
    phone: str
    home: Address
    devices: tuple[Device, ...]
    cards: tuple[Card, ...]
    habits: Habits
    country: str = "DE"
    language: str = "de-DE"
    utc_offset_minutes: int = 60
    joined_at: int = 0
    guest: bool = False
    networks: tuple[str, ...] = ()
    segment: str = ""
    ship: Address | None = None
    attributes: dict[str, str] = field(default_factory=dict)
