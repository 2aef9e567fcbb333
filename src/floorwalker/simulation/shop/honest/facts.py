"""The tables that rows point into, as columns of a data frame: visits, people, cards, orders, items, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.acts import PATHS, TRAPS, Act
from floorwalker.simulation.shop.honest.buying import METHODS
from floorwalker.simulation.shop.honest.calling import Calls
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.ordering import Offers, Orders
from floorwalker.simulation.shop.honest.shelf import HOST, Shelf
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.world.cards import WALLETS
from floorwalker.simulation.shop.world.catalogue import CATEGORY_IDS
from floorwalker.simulation.shop.world.countries import CODES
from floorwalker.simulation.shop.world.devices import EMULATED, NOTICED
from floorwalker.simulation.shop.world.networks import FACT_KINDS, OPERATORS

if TYPE_CHECKING:
    from floorwalker.simulation.shop.world import People, World

_SHARD_BITS = 28
"""A shard's visits and orders are numbered below 2^28, so all shards' numbers differ."""


def text(values: Any) -> pl.Series:
    """A column of text out of `str` objects; empty ones become null."""
    made = pl.Series(values.tolist() if isinstance(values, np.ndarray) else values, dtype=pl.String)
    return made.set(made == "", None)


def take(table: pl.DataFrame, rows: Ints) -> pl.DataFrame:
    """Rows of a table by place; -1 gives nulls."""
    places = pl.Series(rows.astype(np.int64))
    places = places.set(places < 0, None).cast(pl.UInt32)
    return table.select(pl.all().gather(places))


def table_of_visits(world: World, people: People, calls: Calls, shard: int) -> pl.DataFrame:
    """What every event of a visit carries; `device_facts.*` only for the types that have them."""
    person, slot = calls.person, calls.slot
    row = np.arange(len(person))
    model = np.maximum(people.model, 0)[person, slot]
    number = people.device_number[person, slot]
    devices = world.devices
    updated = devices.is_updated(model, number, calls.at)
    codes = people.network[person, calls.network]
    operator, kind = world.networks.operators(codes, calls.at)
    ids = world.device_ids(number, people.clears_days[person], calls.at)
    prints = devices.fingerprints(model, number, people.language_code[person])
    agents = text(np.concatenate([devices.user_agent_before, devices.user_agent]))
    versions = text(np.concatenate([devices.app_version_before, devices.app_version]))
    newer = model + len(devices.user_agent) * updated
    in_app = text(devices.app).gather(model).is_not_null()
    age = devices.ages_at_joining(people.numbers)[person] + (
        world.chance.uniform("device/age", people.numbers[person])
        * np.maximum(calls.at - people.joined_at[person], 10**6)
        / 10**6
    )
    asn = np.array([one.asn for one in OPERATORS])
    where = text([one.country for one in OPERATORS])

    noticed = devices.noticed(model, number)

    def of_model(values: Any) -> pl.Series:
        return text(values).gather(model)

    def said(name: str) -> pl.Series:
        column = pl.Series(noticed[name])
        return column.set(~column, None)

    return pl.DataFrame(
        {
            "session": names(world.chance, "session", (shard << _SHARD_BITS) + row),
            "device": text(ids),
            "ip": world.networks.addresses(codes, calls.at),
            "user_agent": agents.gather(newer),
            "channel": of_model(devices.channel),
            "language": text(people.language).gather(person),
            "country": text(list(CODES)).gather(people.country[person]),
            "network.ja4": of_model(devices.ja4),
            "network.asn": asn[operator],
            "network.kind": text(list(FACT_KINDS)).gather(kind),
            "network.country": where.gather(operator),
            "device_facts.kind": of_model(devices.kind),
            "device_facts.os": of_model(devices.os),
            "device_facts.os_version": of_model(devices.os_version),
            "device_facts.model": of_model(devices.model).set(~in_app, None).set(pl.Series(noticed["shown"]), EMULATED),
            "device_facts.app": of_model(devices.app),
            "device_facts.app_version": versions.gather(newer),
            "device_facts.screen": of_model(devices.screen),
            "device_facts.utc_offset_minutes": people.utc_offset_minutes[person],
            "device_facts.fingerprint": text(prints),
            "device_facts.install_age_seconds": pl.Series(age.astype(np.int64)).set(~in_app, None),
            "device_facts.attestation": text(noticed["attestation"]),
            **{f"device_facts.{name}": said(name) for name in NOTICED},
        }
    )


ADDRESS_FIELDS = (
    "name", "company", "street", "extra", "district", "city", "region", "postal_code", "country", "text",
)  # fmt: skip


def table_of_people(people: People) -> pl.DataFrame:
    """Names, ways to reach them, addresses."""
    columns: dict[str, Any] = {
        "account": text(people.account).set(pl.Series(people.guest), None),
        "email": text(people.email),
        "phone": text(people.phone),
    }
    for name in ADDRESS_FIELDS:
        for kind, addresses in (("billing_address", people.home), ("shipping_address", people.ship)):
            if name in addresses.columns:
                columns[f"{kind}.{name}"] = text(addresses.columns[name])
    return pl.DataFrame(columns)


def table_of_cards(world: World, people: People) -> pl.DataFrame:
    """Ways to pay, three of each person: row 3 × person + slot."""
    issuers = world.issuers
    issue = np.stack([people.cards[slot].issue for slot in range(3)], axis=1).reshape(-1)
    wallet = np.stack([people.cards[slot].wallet for slot in range(3)], axis=1).reshape(-1)
    columns = {
        name: np.stack([getattr(people.cards[slot], name) for slot in range(3)], axis=1).reshape(-1)
        for name in ("payment", "last_four", "stored")
    }
    bank = take(
        pl.DataFrame(
            {
                "bin": text(issuers.bin),
                "card.scheme": text(issuers.scheme),
                "card.funding": text(issuers.funding),
                "card.commercial": pl.Series(issuers.commercial).set(~pl.Series(issuers.commercial), None),
                "card.issuer": text(issuers.issuer),
                "card.issuer_country": text(issuers.country),
            }
        ),
        issue,
    )
    return bank.with_columns(
        text(columns["payment"]).alias("payment"),
        text(columns["last_four"]).alias("card.last_four"),
        text(list(WALLETS)).gather(wallet).alias("card.wallet"),
        # What a guest pays with is kept by nobody.
        pl.Series("card.stored", columns["stored"] & np.repeat(~people.guest, 3)),
    )


def table_of_orders(
    world: World, shelf: Shelf, people: People, orders: Orders, offers: Offers, shard: int
) -> pl.DataFrame:
    """Everything that is said of an order, row by row."""
    count = len(orders)
    items, sellers = text(shelf.items.id), text(shelf.items.seller)
    digital = pl.Series(shelf.digital[orders.line_item])
    lines = pl.DataFrame(
        {
            "order": orders.line_order,
            "item": items.gather(orders.line_item),
            "seller": sellers.gather(orders.line_item),
            "quantity": orders.line_quantity,
            "price_minor": orders.line_price,
            "list_price_minor": orders.line_list,
            "digital": digital.set(~digital, None),
        }
    )
    packed = lines.group_by("order", maintain_order=True).agg(pl.struct(pl.exclude("order")).alias("lines"))
    place = np.full(count, -1)
    place[packed["order"].to_numpy()] = np.arange(len(packed))
    offer = pl.DataFrame(
        {
            "coupons": pl.Series([[code] for code in offers.code], dtype=pl.List(pl.String)),
            "promotion": pl.Series(offers.promotion, dtype=pl.String),
        }
    )
    express = world.chance.uniform("order/express", orders.at + orders.person) < 0.12
    method = np.where(orders.digital, 3, express.astype(np.int64))
    used = pl.Series(orders.offer >= 0)
    virtual = pl.Series(orders.digital)
    return pl.DataFrame(
        {
            "order": names(world.chance, "order", (shard << _SHARD_BITS) + np.arange(count)),
            "amount_minor": orders.full - orders.saved,
            "currency": text(people.currency).gather(orders.person),
            "list_price_minor": orders.listed,
            "discount_minor": pl.Series(orders.saved).set(~used, None),
            "shipping_method": pl.Series(list(METHODS)).gather(method),
            "digital": virtual.set(~virtual, None),
            "group": names(world.chance, "group", np.maximum(orders.group, 0) + (shard << 24)).set(
                pl.Series(orders.group < 0), None
            ),
        }
    ).hstack([*take(packed.select("lines"), place), *take(offer, orders.offer)])


def table_of_items(shelf: Shelf) -> pl.DataFrame:
    """Names of items and who sells them."""
    return pl.DataFrame({"item": text(shelf.items.id), "seller": text(shelf.items.seller)})


class Pages:
    """Addresses of pages by number: one for each act, then categories, items, streams, searches.

    Parameters
    ----------
    shelf : the shop's goods.
    words : what is searched for.
    """

    def __init__(self, shelf: Shelf, words: list[str]) -> None:
        fixed = [HOST + PATHS[act] if act in PATHS else "" for act in range(max(PATHS) + 1)]
        categories = [f"{HOST}/category/{name}" for name in CATEGORY_IDS]
        items = [f"{HOST}/item/{name}" for name in shelf.items.id]
        streams = [f"{HOST}/live/{name}" for name in shelf.items.seller]
        searches = [f"{HOST}/search?q={one.replace(' ', '+')}" for one in words]
        self._categories = len(fixed)
        self._items = self._categories + len(categories)
        self._streams = self._items + len(items)
        self._searches = self._streams + len(streams)
        self._traps = self._searches + len(searches)
        self._kinds = len(categories)
        self._shelf = shelf
        traps = [HOST + path for path in TRAPS]
        self.urls = text(fixed + categories + items + streams + searches + traps)

    def places(self, act: Ints, item: Ints, draw: NDArray[np.uint64], words: Ints) -> Ints:
        """Which address every event asks for, -1 for none; `draw` chooses where nothing else does."""
        some = item >= 0
        made = act.copy()
        category = np.where(
            some, self._shelf.items.category[np.maximum(item, 0)], (draw % np.uint64(self._kinds)).astype(np.int64)
        )
        made = np.where(act == Act.CATEGORY, self._categories + category, made)
        made = np.where(act == Act.ITEM, self._items + item, made)
        made = np.where(act == Act.STREAM_PAGE, self._streams + item, made)
        made = np.where(act == Act.DECOY, self._traps + (draw % np.uint64(len(TRAPS))).astype(np.int64), made)
        return np.where(act == Act.SEARCH, self._searches + words, made)
