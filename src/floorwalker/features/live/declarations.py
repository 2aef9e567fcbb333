"""What a live feature is, in words that a table can be written in: entity × what × window × aggregate.

>>> failed = What("failed logins", ("login_failed",))
>>> feature = Feature("account_logins_failed_1h", ("account",), Count(failed), "1h")
>>> feature.describe()
'number of failed logins'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from floorwalker.events.parts import PART_ENTITIES
from floorwalker.features.live.windows import WINDOWS

PLAIN_CODES: tuple[str, ...] = ("country", "route", "type")
"""What can be counted apart beside entities: the event's country, the route of its URL, its type."""


TRUSTED_ACCOUNT = "trusted_account"
"""A number that the kernel puts beside those of the event: 1 where its account is trusted (see `Hub`), else 0."""


@dataclass(frozen=True)
class What:
    """The events that an aggregate looks at.

    Parameters
    ----------
    name : a phrase for the documentation, in the plural.
    types : names of event types; empty for all.
    number : a number field that must lie in a range, or None.
    at_least, at_most : the range, both ends included.
    otherwise : what the field counts as where it is missing; NaN (as it comes) never lies in a range.
    """

    name: str
    types: tuple[str, ...] = ()
    number: str | None = None
    at_least: float = float("-inf")
    at_most: float = float("inf")
    otherwise: float | None = None


@dataclass(frozen=True)
class Aggregate:
    """What is made of the events; the kinds below say it."""

    what: What

    unit = ""
    windowed = True
    smallest = False
    """An event with several coupons, items or sellers has the smallest of their numbers, not the largest: where little
    is what speaks for abuse."""

    def describe(self) -> str:
        """One phrase for the documentation."""
        raise NotImplementedError


@dataclass(frozen=True)
class Count(Aggregate):
    """How many events."""

    unit = "events"

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"number of {self.what.name}"


@dataclass(frozen=True)
class Sum(Aggregate):
    """The sum of a number field; events without it add nothing."""

    number: str

    @property
    def unit(self) -> str:  # type: ignore[override]
        """Minor units of the currency where the field is money."""
        return "minor units" if self.number.endswith("_minor") else self.number

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"sum of {self.number} of {self.what.name}"


@dataclass(frozen=True)
class Max(Sum):
    """The largest value of a number field, at least 0."""

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"largest {self.number} of {self.what.name}"


@dataclass(frozen=True)
class Mean(Sum):
    """The mean of a number field over the events that have it; missing where none has."""

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"mean {self.number} of {self.what.name}"


@dataclass(frozen=True)
class Rate(Aggregate):
    """Events a second: the count over the nominal length of the window."""

    unit = "events/s"

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"{self.what.name} a second"


@dataclass(frozen=True)
class Distinct(Aggregate):
    """How many different entities, countries or routes: exact up to `exact`, then a sketch (see `_sketch`)."""

    of: str
    exact: int = 12

    @property
    def unit(self) -> str:  # type: ignore[override]
        """What is counted."""
        return _plural(self.of)

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"number of different {_plural(self.of)} in {self.what.name}"


@dataclass(frozen=True)
class Ratio(Aggregate):
    """One count or sum over another of the same window; missing where the lower one is zero."""

    below: What
    number: str | None = None
    unit = "ratio"

    def describe(self) -> str:
        """One phrase for the documentation."""
        measure = f"{self.number} of " if self.number else ""
        return f"{measure}{self.what.name} ÷ {measure}{self.below.name}"


@dataclass(frozen=True)
class Surge(Aggregate):
    """The pace of this window over the pace of a longer one: 1 is the entity's own normal.

    An entity younger than the longer window is measured over its own age. Below `least_age` seconds it has no normal
    yet, and the number is missing: a new address is not calm because it is new.
    """

    baseline: str
    least_age: int = 86_400
    unit = "ratio"

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"pace of {self.what.name} ÷ its own pace over {self.baseline}"


@dataclass(frozen=True)
class SinceLast(Aggregate):
    """Seconds since the newest such event; missing where there was none."""

    unit = "seconds"
    windowed = False
    smallest = True

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"time since the last of {self.what.name}"


@dataclass(frozen=True)
class SinceFirst(Aggregate):
    """Seconds since the oldest such event; missing where there was none."""

    unit = "seconds"
    windowed = False
    smallest = True

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"time since the first of {self.what.name}"


@dataclass(frozen=True)
class Between(Aggregate):
    """Seconds from the first `what` to the first `then`, at least 0; missing until both happened."""

    then: What
    unit = "seconds"
    windowed = False
    smallest = True

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"time from the first of {self.what.name} to the first of {self.then.name}"


@dataclass(frozen=True)
class GapMean(Aggregate):
    """Mean seconds between two such events in a row; missing below two events."""

    unit = "seconds"
    windowed = False
    smallest = True

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"mean gap between {self.what.name}"


@dataclass(frozen=True)
class GapSpread(GapMean):
    """Standard deviation of those gaps; missing below three events. Machines keep time, people do not."""

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"standard deviation of the gaps between {self.what.name}"


@dataclass(frozen=True)
class GapDeviation(GapMean):
    """How unusual the present gap is for this entity, in standard deviations of ln(1 + seconds); missing below four
    events."""

    unit = "standard deviations"
    smallest = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"the present gap between {self.what.name} against its own normal"


@dataclass(frozen=True)
class Entropy(Aggregate):
    """Entropy in bits of what was asked for, over 16 hashed bins: 0 for one thing again and again, 4 at the most."""

    of: str
    unit = "bits"
    windowed = False
    smallest = True

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"entropy of the {_plural(self.of)} of {self.what.name}"


@dataclass(frozen=True)
class New(Aggregate):
    """1 where the event's own value is not among the last eight of this entity, else 0; missing where the entity has
    none yet or the event has no value."""

    of: str
    unit = "0 or 1"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"whether the {self.of.replace('_', ' ')} is new, going by {self.what.name}"


@dataclass(frozen=True)
class UsualHour(Aggregate):
    """Share of the entity's past in the same three hours of the day (UTC); missing below ten events."""

    unit = "share"
    windowed = False
    smallest = True

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"share of its {self.what.name} in these three hours of the day"


@dataclass(frozen=True)
class Travel(Aggregate):
    """Speed from the last known place to this event's, in km/h: great circle less 50 km for the error of address
    look-ups, over at least one minute; missing without two places."""

    unit = "km/h"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"speed needed from the place of the last of {self.what.name}"


@dataclass(frozen=True)
class Deviation(Aggregate):
    """How far this event's ln(1 + number) lies from the entity's own mean, in standard deviations; missing below three
    past events or where the event has no such number."""

    number: str
    unit = "standard deviations"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"{self.number} against its own mean over {self.what.name}"


@dataclass(frozen=True)
class Regression(Aggregate):
    """How far this purchase lies from the amount that the entity's own regression expects (see `_normal`)."""

    unit = "standard deviations"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"amount against the entity's own regression over {self.what.name}"


@dataclass(frozen=True)
class Expected(Regression):
    """The amount that the regression expects of this event; missing below three purchases."""

    unit = "minor units"

    def describe(self) -> str:
        """One phrase for the documentation."""
        return f"amount that the entity's own regression over {self.what.name} expects"


@dataclass(frozen=True)
class TreeDepth(Aggregate):
    """Invitations between this account and the root of its tree: 0 for one that nobody invited, 255 at the most."""

    unit = "invitations"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return "depth in the tree of invitations"


@dataclass(frozen=True)
class OnlyRedeem(Aggregate):
    """Share of the invitees who redeemed a coupon and never bought without one; missing without invitees."""

    unit = "share"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return "share of the invitees who redeem and have never bought without a coupon"


@dataclass(frozen=True)
class Hub(Aggregate):
    """1 where so many trusted accounts share the entity that sharing it means nothing, else 0.

    An account is *trusted* in an event where it has bought at the full price on two different days, the first of them
    two weeks ago or longer, has not lost these by cancelling, refunds or a chargeback, and uses a device on which it
    was first seen a week ago or longer. An entity is a hub while, within the window, more than `limit` different
    trusted accounts were seen at it and they are at least `share` of all accounts seen at it, and it has been known for
    a week. Whoever wants a device of theirs to pass for a hub has to run that many real customers on it for weeks, and
    each further false account lowers the share. While an entity is a hub, features declared as sharing are missing.

    Parameters
    ----------
    over : name of the window.
    limit : trusted accounts, more than which make a hub.
    share : least share of trusted accounts among all, 0 < share <= 1.
    exact : size of the exact set of all accounts, so that it is the one that another feature has.
    """

    over: str
    limit: int
    share: float
    exact: int = 12
    unit = "0 or 1"
    windowed = False

    def describe(self) -> str:
        """One phrase for the documentation."""
        return (
            f"whether it is a hub: over {self.limit} trusted accounts in {self.what.name} within {self.over}, "
            f"{self.share:.0%} of all or more"
        )


@dataclass(frozen=True)
class Feature:
    """One named number.

    Parameters
    ----------
    name : lower case, the entity first.
    of : one kind of entity, or two for a pair.
    aggregate : what is made of which events.
    window : a name of `WINDOWS`; None where the aggregate has none.
    against : the abuse types that it speaks to.
    sharing : it speaks of different people who share the entity, and so means nothing, and is missing, at a hub.
    """

    name: str
    of: tuple[str, ...]
    aggregate: Aggregate
    window: str | None = None
    against: tuple[str, ...] = field(default=())
    sharing: bool = False

    def describe(self) -> str:
        """What the number is, in one phrase."""
        several = [name for name in self.of if name in PART_ENTITIES]
        if not several:
            return self.aggregate.describe()
        which = "smallest" if self.aggregate.smallest else "largest"
        return f"{self.aggregate.describe()}; the {which} of several {_plural(several[0])}"


def over(
    windows: str, stem: str, of: str, aggregate: Aggregate, *against: str, sharing: bool = False
) -> Iterator[Feature]:
    """One feature for each window, named ``stem_window``; `of` joins a pair with ``*``.

    >>> seen = Count(What("events"))
    >>> [feature.name for feature in over("1m 1h", "promotion_device_events", "promotion*device", seen)]
    ['promotion_device_events_1m', 'promotion_device_events_1h']
    """
    for window in windows.split():
        yield Feature(f"{stem}_{window}", tuple(of.split("*")), aggregate, WINDOWS[window].name, against, sharing)


def one(name: str, of: str, aggregate: Aggregate, *against: str, sharing: bool = False) -> Feature:
    """A feature without a window."""
    return Feature(name, tuple(of.split("*")), aggregate, None, against, sharing)


def _plural(name: str) -> str:
    words = {"ip": "addresses", "ip_network": "networks", "country": "countries"}
    return words.get(name, name.replace("_", " ") + "s")
