"""What customers and abusers write their events with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from floorwalker.events.event import Address, CardFacts, Event

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

STREETS = ("High Street", "Mill Lane", "Church Road", "Station Road", "Park Avenue", "Queen Street", "King Street")
BINS = ("411111", "545454", "401288", "510510", "424242")


@dataclass(frozen=True)
class TracedEvent:
    """An event and what nobody in the shop can see: who is behind it.

    Parameters
    ----------
    event : as the shop sends it.
    abuse_type : one of `floorwalker.events.abuse.ABUSE_TYPES`, or "" for honest customers and for what a victim does.
    actor : the campaign, or the kind of customer.
    """

    event: Event
    abuse_type: str
    actor: str


@dataclass
class Person:
    """Who sends events: the facts that stay the same from one event to the next."""

    account: str
    device: str
    ip: str
    payment: str
    bin: str
    email: str
    phone: str
    address: Address
    country: str = "DE"
    user_agent: str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


@dataclass
class Script:
    """Collects the events of one actor.

    Parameters
    ----------
    rng : the only source of chance.
    abuse_type, actor : of all its events.
    """

    rng: np.random.Generator
    abuse_type: str = ""
    actor: str = ""
    traced: list[TracedEvent] = field(default_factory=list)

    def write(self, person: Person, kind: str, at: float, **facts: Any) -> None:
        """One event of a person; the account, device and address are added."""
        # Shorter than a card number: longer names of digits and letters hold one now and then, and are refused.
        number = int(self.rng.integers(1 << 44))
        base = {
            "account": person.account,
            "device": person.device,
            "ip": person.ip,
            "country": person.country,
            "user_agent": person.user_agent,
            "channel": "web",
        }
        event = Event(id=f"{number:011x}", type=kind, at=int(at), **{**base, **facts})
        self.traced.append(TracedEvent(event, self.abuse_type, self.actor))

    def pay(self, person: Person, at: float, amount_minor: int, order: str, *, declined: bool = False) -> None:
        """A payment, authorised or declined."""
        facts = {"payment": person.payment, "bin": person.bin, "amount_minor": amount_minor, "currency": "EUR"}
        facts |= {"order": order, "card": CardFacts(scheme="visa", funding="credit", issuer_country=person.country)}
        if declined:
            self.write(person, "payment_declined", at, **facts, decline_code="insufficient_funds")
        else:
            self.write(person, "payment_authorised", at, **facts)


def person(
    rng: np.random.Generator, number: int, *, prefix: str = "c", change: Callable[[Person], None] | None = None
) -> Person:
    """Somebody with a home, a telephone, a card; `change` may then make them share something."""
    name = f"{prefix}{number}"
    house = int(rng.integers(1, 200))
    made = Person(
        account=f"account-{name}",
        device=f"device-{name}",
        # Networks that are set aside for benchmarks (RFC 2544), so that nobody's address is used.
        ip=f"198.{18 + int(rng.integers(2))}.{int(rng.integers(256))}.{int(rng.integers(1, 255))}",
        payment=f"card-{name}",
        bin=BINS[int(rng.integers(len(BINS)))],
        email=f"{name}.{int(rng.integers(10_000))}@example.com",
        phone=f"+4930{int(rng.integers(10**6, 10**7))}",
        address=Address(
            street=f"{house} {STREETS[int(rng.integers(len(STREETS)))]}",
            city="Berlin",
            postal_code=f"{10_000 + int(rng.integers(4000))}",
            country="DE",
        ),
    )
    if change is not None:
        change(made)
    return made
