"""Kinds of honest customer: most are ordinary, the others are what ruins detectors. One table says who and how many.

A segment changes some of a customer's facts and habits; everything else is drawn as for everybody. What needs a plot of
its own (a payment outage, a leaked coupon) is a scene of the honest generator, not a segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Segment:
    """One kind of honest customer.

    Parameters
    ----------
    name : as `truth.segment` says it.
    share : of all honest customers.
    meaning : in one line.
    network : the network that they come from most, in place of their home; "" for home.
    ships_to : `home`, `locker`, `pickup`, `forwarder`, `leader` (the group buyer of their estate), `office`, `campus`.
    visits, basket, bargain, returns : times the habit of everybody.
    pointer : times the pointer moves and touches of everybody.
    clears_days : after how many days cookies are gone, 0 for never.
    """

    name: str
    share: float
    meaning: str
    network: str = ""
    ships_to: str = "home"
    visits: float = 1.0
    basket: float = 1.0
    bargain: float = 1.0
    returns: float = 1.0
    pointer: float = 1.0
    clears_days: int = 0


SEGMENTS: tuple[Segment, ...] = (
    Segment("regular", 0.445, "ordinary customers"),
    Segment("mobile_only", 0.085, "never at home on a line: always behind their carrier's shared addresses", "carrier"),
    Segment("office_worker", 0.07, "shops from work, parcels to the company's door", "office", "office"),
    Segment("campus", 0.025, "from a university's network", "campus", basket=0.7, bargain=1.5),
    Segment("dormitory", 0.02, "lives with hundreds at one address behind one line", "dormitory", "campus",
            basket=0.6, bargain=1.6),
    Segment("locker_user", 0.045, "parcels to a locker that the whole quarter uses", ships_to="locker"),
    Segment("pickup_user", 0.04, "parcels to a kiosk that keeps them", ships_to="pickup"),
    Segment("forwarder_user", 0.008, "lives abroad, parcels to a freight forwarder", ships_to="forwarder", basket=1.6),
    Segment("group_leader", 0.002, "orders for a whole estate", ships_to="leader", visits=4.0, basket=2.5, bargain=2.0),
    Segment("group_member", 0.02, "lets the group's leader take the parcels",
            ships_to="leader", basket=0.6, bargain=1.8),
    Segment("traveller", 0.022, "shops from hotels and trains of other towns and countries", "guest"),
    Segment("vpn_user", 0.03, "always behind a tunnel that abusers use as well", "vpn"),
    Segment("relay_user", 0.035, "behind a browser maker's private relay", "relay"),
    Segment("cookie_clearer", 0.028, "a new device every visit or every week", clears_days=3),
    Segment("accessibility", 0.012, "keyboard, switch or screen reader: hardly a pointer move", pointer=0.03),
    Segment("gift_buyer", 0.02, "sends parcels to other people's homes, pays with gift cards", basket=1.2),
    Segment("bulk_buyer", 0.006, "buys thirty of one thing for a firm or a school", "office", "office",
            visits=1.5, basket=9.0),
    Segment("reseller", 0.004, "buys scarce and cheap things within the rules and sells them on",
            visits=6.0, basket=4.0, bargain=2.5),
    Segment("bargain_hunter", 0.033, "watches offers, uses every coupon that is allowed",
            visits=3.0, basket=0.8, bargain=3.2),
    Segment("second_hand_phone", 0.008, "uses a telephone that another customer used before"),
    Segment("recycled_phone", 0.006, "got a telephone number that another customer had"),
    Segment("forgetful", 0.02, "forgets passwords, mistypes them, resets them", visits=0.6),
    Segment("serial_returner", 0.012, "orders three sizes and keeps one", basket=1.8, returns=6.0),
    Segment("disputer", 0.003, "disputes at the bank, and is right"),
    Segment("tester", 0.001, "the shop's own staff: test orders and calls on customers' behalf", "office"),
)  # fmt: skip
"""Shares sum to 1."""

NAMES: tuple[str, ...] = tuple(segment.name for segment in SEGMENTS)
SHARES = np.array([segment.share for segment in SEGMENTS])
SHIPS: tuple[str, ...] = ("home", "locker", "pickup", "forwarder", "leader", "office", "campus")


def place_of(name: str) -> int:
    """A segment's place in the table."""
    return NAMES.index(name)


def column(name: str) -> NDArray[Any]:
    """One property of all segments as numbers or text, in the table's order."""
    return np.array([getattr(segment, name) for segment in SEGMENTS])
