"""What a condition may name: event fields and live features, each of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto

from floorwalker.errors import UsageError


class Kind(Enum):
    """What may be done with a name.

    ``FEATURE`` and ``NUMBER`` are compared and reckoned with; ``TEXT`` is compared for equality and against patterns,
    and looked up in lists. The names or tokens of entities (account, device, payment …) are texts.
    """

    FEATURE = auto()
    NUMBER = auto()
    TEXT = auto()


Schema = Mapping[str, Kind]


def make_schema(
    *, features: Iterable[str] = (), numbers: Iterable[str] = (), texts: Iterable[str] = ()
) -> dict[str, Kind]:
    """The names that conditions may use.

    A name given twice would mean two things and raises `UsageError`.

    >>> make_schema(features=["account_orders_1d"], texts=["country"])
    {'account_orders_1d': <Kind.FEATURE: 1>, 'country': <Kind.TEXT: 3>}
    """
    schema: dict[str, Kind] = {}
    for kind, names in ((Kind.FEATURE, features), (Kind.NUMBER, numbers), (Kind.TEXT, texts)):
        for name in names:
            if name in schema:
                raise UsageError(f"the name {name!r} is given twice among features and fields", allowed="one meaning")
            schema[name] = kind
    return schema


def default_schema(features: Iterable[str] | None = None) -> dict[str, Kind]:
    """The fields of `floorwalker.events.batch.EventBatch` with these features; without any, the built-in ones.

    >>> schema = default_schema(["account_orders_1d"])
    >>> schema["amount_minor"], schema["device"]
    (<Kind.NUMBER: 2>, <Kind.TEXT: 3>)
    """
    from floorwalker.events.batch import NUMBER_FIELDS, TEXT_FIELDS
    from floorwalker.features.live.defaults import DEFAULT

    if features is None:
        features = [feature.name for feature in DEFAULT]
    return make_schema(features=features, numbers=NUMBER_FIELDS, texts=TEXT_FIELDS)
