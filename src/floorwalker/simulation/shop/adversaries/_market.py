"""What abuse costs: the market on which accounts, proxies, devices, cards and minutes are bought.

The prices are assumptions of ours, of the order of magnitude that press and vendors name; what the adversaries do
depends on their ratios (a residential proxy costs ten times a hosted one, a rented customer a hundred times a fresh
account), not on the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

ACCOUNT_PRICES = MappingProxyType(
    {"none": 0, "fresh": 12, "aged": 160, "lived": 120, "hijacked": 90, "leaked": 1, "extension": 3}
)
"""Minor units for one account: opened today with a rented number, opened long ago, rented from a real customer, taken
over with its session, one line of a leaked list, or a customer whose browser runs an extension that asks for pages
of its own."""
NETWORK_PRICES = MappingProxyType({"hosting": 1, "vpn": 2, "proxy": 12, "carrier": 18, "own": 0})
"""Minor units for one visit from this kind of network; `own` is the home of whoever acts."""
DEVICE_PRICES = MappingProxyType(
    {
        "headless": 0,
        "emulator": 5,
        "clone": 3,
        "desktop": 10,
        "farm_phone": 120,
        "phone": 150,
        "spoofed_phone": 4,
        "spoofed_desktop": 4,
        "own": 0,
        "profile": 60,
    }
)
"""Minor units for the use of one device; `profile` is a copy of the victim's browser with its
cookies, a spoofed one a browser or app made to look like another at each visit."""
CARD_PRICES = MappingProxyType({"own": 0, "prepaid": 150, "virtual": 40, "stolen": 700})
"""Minor units for one card."""
PACE_PRICES = MappingProxyType({"machine": 0, "scripted": 1, "replayed": 2, "human": 25})
"""Minor units for the minutes of one visit: nobody's, a script's with pauses, those of
a recorded person played back, a person's."""
SOLVING_PRICE = 1
"""Minor units for one challenge solved by a service."""


@dataclass(frozen=True)
class Tactic:
    """One way of going about it.

    Parameters
    ----------
    name : for the records.
    network : key of `NETWORK_PRICES`.
    pace : key of `PACE_PRICES`.
    account : key of `ACCOUNT_PRICES`.
    device : key of `DEVICE_PRICES`.
    width : how many accounts share a device, an address or a door where they share at all.
    sharing : share of the accounts that share something.
    volume : harmful events that one account is used for.
    belief : share of deeds expected to succeed before anything was tried.
    """

    name: str
    network: str
    pace: str
    account: str
    device: str
    width: int = 1
    sharing: float = 1.0
    volume: int = 4
    belief: float = 0.8

    @property
    def looks_human(self) -> bool:
        """Whether its visits are those of people, live or played back."""
        return self.pace in ("human", "replayed")

    @property
    def kind_of_device(self) -> str:
        """What `World.new_device` makes for it."""
        return self.device.removeprefix("spoofed_")

    @property
    def cost(self) -> float:
        """Expected minor units for one deed: the account's price is spread over the deeds that it is used for."""
        owned = ACCOUNT_PRICES[self.account] + DEVICE_PRICES[self.device] / max(self.width, 1)
        return NETWORK_PRICES[self.network] + PACE_PRICES[self.pace] + owned / max(self.volume, 1)

    @property
    def dearest(self) -> float:
        """Minor units for one deed where the account is used for it alone."""
        owned = ACCOUNT_PRICES[self.account] + DEVICE_PRICES[self.device] / max(self.width, 1)
        return NETWORK_PRICES[self.network] + PACE_PRICES[self.pace] + owned


_SERVER = Tactic("rented server", "hosting", "machine", "fresh", "headless", 60, 1.0, 12, 0.7)
_TUNNEL = Tactic("public tunnel", "vpn", "machine", "fresh", "emulator", 20, 1.0, 8, 0.7)
_TUNNEL_SLOW = Tactic("tunnel, with pauses", "vpn", "scripted", "fresh", "emulator", 12, 1.0, 5, 0.7)
_CLONES = Tactic("cloned apps behind proxies", "proxy", "scripted", "fresh", "clone", 9, 1.0, 4, 0.75)
_PHONES = Tactic("farm of telephones", "carrier", "scripted", "fresh", "farm_phone", 7, 1.0, 4, 0.75)
_AGED = Tactic("aged accounts behind proxies", "proxy", "human", "aged", "desktop", 4, 0.6, 2, 0.8)
_AGED_PHONES = Tactic("aged accounts on telephones", "carrier", "human", "aged", "phone", 4, 0.6, 2, 0.8)
_LIVED_PROXY = Tactic("rented customers behind proxies", "proxy", "human", "lived", "own", 5, 0.92, 3, 0.8)
_AT_HOME = Tactic("customers at home", "own", "human", "lived", "own", 5, 0.9, 3, 0.85)
_ON_THE_ROAD = Tactic("customers on the road", "carrier", "human", "lived", "own", 5, 0.9, 3, 0.85)
_WARMED = Tactic("warmed accounts at borrowed homes", "proxy", "human", "aged", "phone", 4, 0.85, 2, 0.8)

TACTICS = MappingProxyType(
    {
        "naive": (_SERVER, _TUNNEL),
        "skilled": (_TUNNEL_SLOW, _CLONES, _PHONES),
        "advanced": (_CLONES, _AGED, _AGED_PHONES, _LIVED_PROXY),
        "expert": (_AT_HOME, _ON_THE_ROAD, _WARMED, _LIVED_PROXY),
    }
)
"""Skill -> what somebody of this skill knows how to do. A family may put its own in place of these."""

THEFT_TACTICS = MappingProxyType(
    {
        "naive": (
            Tactic("list and server", "hosting", "machine", "leaked", "headless", 200, 1.0, 1, 0.3),
            Tactic("list and tunnel", "vpn", "machine", "leaked", "headless", 100, 1.0, 1, 0.3),
        ),
        "skilled": (
            Tactic("list and tunnel, with pauses", "vpn", "scripted", "leaked", "emulator", 30, 1.0, 1, 0.4),
            Tactic("list and proxies", "proxy", "scripted", "leaked", "headless", 15, 1.0, 1, 0.5),
        ),
        "advanced": (
            Tactic("list, proxies, patience", "proxy", "scripted", "leaked", "desktop", 6, 0.9, 1, 0.5),
            Tactic("stolen profile behind a proxy", "proxy", "human", "hijacked", "desktop", 4, 0.6, 1, 0.6),
        ),
        "expert": (
            Tactic("stolen profile next door", "proxy", "human", "hijacked", "profile", 5, 0.9, 1, 0.8),
            Tactic("stolen profile on the road", "carrier", "human", "hijacked", "profile", 5, 0.9, 1, 0.8),
            Tactic("stolen session, own telephone", "proxy", "human", "hijacked", "phone", 5, 0.85, 1, 0.7),
        ),
    }
)
"""As `TACTICS`, for those who use other people's accounts."""


class OutOfBudgetError(Exception):
    """What is wanted costs more than is left; ends a campaign, never leaves the adversary."""


@dataclass
class Purse:
    """What a campaign may spend, has spent and has gained, minor units."""

    budget_minor: int
    spent_minor: float = 0.0
    gained_minor: float = 0.0

    @property
    def left_minor(self) -> float:
        """What may still be spent."""
        return self.budget_minor - self.spent_minor

    def pay(self, price: float) -> None:
        """Spend it, or raise `OutOfBudgetError` and spend nothing.

        >>> purse = Purse(10)
        >>> purse.pay(4)
        >>> purse.left_minor
        6.0
        """
        if price > self.left_minor:
            raise OutOfBudgetError
        self.spent_minor += price
