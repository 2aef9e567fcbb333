"""From rows of numbers to events: every type gets the fields that it has, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from floorwalker.simulation.shop.honest import facts
from floorwalker.simulation.shop.honest._common import IN_TABS, SAYS_NOTHING
from floorwalker.simulation.shop.honest.acts import LAST_PAGE, PATHS, TYPES, Act
from floorwalker.simulation.shop.honest.amounts import add_amounts, is_one_of
from floorwalker.simulation.shop.honest.calling import Calls, join
from floorwalker.simulation.shop.honest.crowd import Crowd, join_orders
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.saying import add_words, tongues_of
from floorwalker.simulation.shop.honest.signalling import draw_signals
from floorwalker.simulation.shop.honest.words import WORDS, search_pool
from floorwalker.simulation.shop.world.devices import APP


def _one_of(act: Ints, chosen: Any, source: Ints) -> Ints:
    """Places for `facts.take`: the source's where the act is one of the chosen ones."""
    return np.where(np.isin(act, chosen), source, -1)


_CLIENT = np.array([*sorted(PATHS), Act.THREE_D_SECURE, Act.AUTHORISED])
_DEVICE = (Act.SIGNALS, Act.LOGIN, Act.LOGIN_FAILED, Act.SIGN_UP, Act.CHECKOUT)
_WHOLE = (Act.CHECKOUT, Act.ORDER)
_PAYING = (Act.CHECKOUT, Act.ORDER, Act.AUTHORISED, Act.DECLINED, Act.PAYMENT_ADDED)
_NAMED = (*(act for act in range(Act.REDEEM, Act.REVIEW)), Act.REVIEW, Act.RATING, Act.SUPPORT)
_MONEY = (
    Act.CHECKOUT, Act.REDEEM, Act.THREE_D_SECURE, Act.AUTHORISED, Act.DECLINED, Act.ORDER, Act.CAPTURED, Act.VOIDED,
    Act.CANCELLED, Act.REFUND_REQUESTED, Act.REFUND_ISSUED,
)  # fmt: skip
_ITEMS = (
    Act.ITEM, Act.ADD, Act.MESSAGE, Act.REVIEW, Act.RATING, Act.STREAM, Act.GROUP_OPENED, Act.GROUP_JOINED, Act.LISTING,
)  # fmt: skip
_MEMBERS = (Act.LOGIN, Act.LOGIN_FAILED, Act.CODE_SENT, Act.CODE_CHECKED, Act.PASSWORD_RESET, Act.SIGN_UP)
"""Acts that name the account although nobody is logged in yet."""


@dataclass
class _Tables:
    """What the rows of a shard point into, as frames."""

    calls: Calls
    ship: Ints
    visits: pl.DataFrame
    orders: pl.DataFrame
    people: pl.DataFrame
    cards: pl.DataFrame
    login_at: Ints
    label: Ints


def make_frames(crowd: Crowd, shard: int) -> list[pl.DataFrame]:
    """Events of a shard without ids, each frame in the order of time: pages and searches, and everything else.

    The two are apart because most events are pages, and most columns say nothing about pages. `truth.segment` says who
    it was.
    """
    world, people = crowd.world, crowd.people
    rows = crowd.rows.stack((world.scenario.first_at, world.scenario.end_at))
    calls, orders = join(*crowd.calls), join_orders(crowd.orders)
    tables = _Tables(
        calls,
        orders.ship,
        facts.table_of_visits(world, people, calls, shard),
        facts.table_of_orders(world, crowd.shelf, people, orders, crowd.offers, shard),
        facts.table_of_people(people),
        facts.table_of_cards(world, people),
        np.concatenate(crowd.login_at),
        np.concatenate(crowd.label),
    )
    looks = (rows["act"] <= LAST_PAGE) | (rows["act"] == Act.SEARCH)
    parts = [{name: column[some] for name, column in rows.items()} for some in (looks, ~looks)]
    return [_common_fields(crowd, parts[0], tables), _business(crowd, parts[1], tables, shard)]


def _common_fields(crowd: Crowd, rows: dict[str, Any], tables: _Tables) -> pl.DataFrame:
    """Time, type, who, from where, which page: what any event may have."""
    act, visit, person = rows["act"], rows["visit"], rows["person"]
    base = [name for name in tables.visits.columns if not name.startswith("device_facts.")]
    client = np.isin(act, _CLIENT)
    goods = facts.table_of_items(crowd.shelf)
    known = np.where(visit >= 0, rows["at"] >= np.append(tables.login_at, 0)[visit], True) | np.isin(act, _MEMBERS)
    label = np.where(visit >= 0, np.append(tables.label, -1)[visit], -1)
    return pl.concat(
        [
            pl.DataFrame({"at": rows["at"]}),
            pl.DataFrame({"type": facts.text([TYPES.get(one, "") for one in range(max(TYPES) + 1)]).gather(act)}),
            facts.take(tables.visits.select(base), np.where(client, visit, -1)),
            facts.take(tables.people.select("account"), np.where(known, person, -1)),
            facts.take(goods.select("item"), _one_of(act, _ITEMS, rows["item"])),
            facts.take(goods.select("seller"), _one_of(act, (*_ITEMS, Act.PAYOUT), rows["item"])),
            _pages(crowd, rows),
            _segments(crowd, person, label).to_frame(),
        ],
        how="horizontal",
    )


def _business(crowd: Crowd, rows: dict[str, Any], tables: _Tables, shard: int) -> pl.DataFrame:
    """Everything but pages and searches, with all that is said of it."""
    act, person = rows["act"], rows["person"]
    device = [name for name in tables.visits.columns if name.startswith("device_facts.")]
    paying = np.where(np.isin(act, _PAYING), 3 * person + rows["card"], -1)
    frame = pl.concat(
        [
            _common_fields(crowd, rows, tables),
            facts.take(tables.visits.select(device), _one_of(act, _DEVICE, rows["visit"])),
            _people_fields(crowd, rows, tables.people, tables.ship),
            _order_fields(rows, tables.orders),
            facts.take(tables.cards, paying),
            _signals(crowd, rows, tables.calls),
        ],
        how="horizontal",
    )
    return add_words(add_amounts(frame, crowd, rows, shard), crowd, rows)


def _people_fields(crowd: Crowd, rows: dict[str, Any], persons: pl.DataFrame, ship: Ints) -> pl.DataFrame:
    act, person, order = rows["act"], rows["person"], rows["order"]
    by_phone = rows["code"] == 1
    coded = is_one_of(act, Act.CODE_SENT, Act.CODE_CHECKED, Act.PASSWORD_RESET)
    guest_letter = is_one_of(act, Act.SUPPORT) & crowd.people.guest[person]
    mail = is_one_of(act, *_WHOLE, Act.SIGN_UP) | (coded & ~by_phone) | guest_letter | (act == Act.CONTACT_CHANGE)
    phone = is_one_of(act, *_WHOLE, Act.SIGN_UP) | (coded & by_phone)
    billing = [name for name in persons.columns if name.startswith("billing_address.")]
    shipping = [name for name in persons.columns if name.startswith("shipping_address.")]
    virtual = np.append(np.concatenate([one.digital for one in crowd.orders]), False)[order]
    parcel = is_one_of(act, *_WHOLE, Act.SHIPPED, Act.DELIVERED) & ~virtual
    to = np.where(parcel, np.append(ship, 0)[order], np.where(act == Act.ADDRESS_CHANGE, person, -1))
    guest = pl.Series("guest", crowd.people.guest[person] & is_one_of(act, *_WHOLE))
    return pl.concat(
        [
            facts.take(persons.select("email"), np.where(mail, person, -1)),
            facts.take(persons.select("phone"), np.where(phone, person, -1)),
            facts.take(persons.select(billing), _one_of(act, _WHOLE, person)),
            facts.take(persons.select(shipping), to),
            guest.set(~guest, None).to_frame(),
        ],
        how="horizontal",
    )


def _order_fields(rows: dict[str, Any], ordered: pl.DataFrame) -> pl.DataFrame:
    act, order = rows["act"], rows["order"]
    whole = ["list_price_minor", "digital"]
    # A form with many lines: the whole order is put into the cart at once.
    quick = (act == Act.ADD) & (order >= 0)
    return pl.concat(
        [
            facts.take(ordered.select("order"), np.where((act == Act.CHECKOUT) | quick, -1, order)),
            facts.take(ordered.select("currency", "amount_minor"), np.where(np.isin(act, _MONEY) | quick, order, -1)),
            facts.take(ordered.select(*whole[:2]), _one_of(act, _WHOLE, order)),
            facts.take(ordered.select("lines"), np.where(np.isin(act, _WHOLE) | quick, order, -1)),
            facts.take(ordered.select("group"), _one_of(act, (*_WHOLE,), order)),
            facts.take(ordered.select("shipping_method"), _one_of(act, (*_WHOLE, Act.SHIPPED, Act.DELIVERED), order)),
            facts.take(
                ordered.select("coupons", "promotion", "discount_minor"), _one_of(act, (*_WHOLE, Act.REDEEM), order)
            ),
        ],
        how="horizontal",
    )


def _pages(crowd: Crowd, rows: dict[str, Any]) -> pl.DataFrame:
    """Addresses, where the visitor came from, and what was searched for."""
    act, visit = rows["act"], rows["visit"]
    pool = search_pool(crowd.world)
    pages = facts.Pages(crowd.shelf, pool)
    draw = crowd.world.chance.words("honest/page", rows["at"])
    tongue = tongues_of(crowd)[rows["person"]]
    words = tongue * WORDS + ((draw >> np.uint64(20)) % np.uint64(WORDS)).astype(np.int64)
    place = pages.places(act, rows["item"], draw, words)
    place = np.where(np.isin(act, list(PATHS)), place, -1)
    # The page before in the same visit.
    seen = np.flatnonzero((act <= LAST_PAGE) | (act == Act.SEARCH))
    by = seen[np.argsort(visit[seen], kind="stable")]
    before = np.full(len(act), -1)
    same = visit[by[1:]] == visit[by[:-1]]
    before[by[1:][same]] = place[by[:-1][same]]
    # Some open pages in tabs, from the page before that; some browsers and links do not say where they come from.
    tabs = np.flatnonzero(same)[1:]
    tabs = tabs[same[tabs - 1] & ((draw[by[1:][tabs]] >> np.uint64(8)) % np.uint64(1000) < np.uint64(1000 * IN_TABS))]
    before[by[1:][tabs]] = place[by[tabs - 1]]
    before[(draw >> np.uint64(30)) % np.uint64(1000) < np.uint64(1000 * SAYS_NOTHING)] = -1
    before[act == Act.SEARCH] = -1
    page = (act <= LAST_PAGE) | (act == Act.DECOY)
    searched = act == Act.SEARCH
    url = pages.urls
    status = pl.Series(np.where(page, 200, -1))
    quantity = ((draw >> np.uint64(40)) % np.uint64(240)).astype(np.int64)
    return pl.DataFrame(
        {
            "url": facts.take(url.to_frame("url"), place)["url"],
            "referrer": facts.take(url.to_frame("url"), before)["url"],
            "method": facts.take(pl.DataFrame({"m": ["GET"]}), np.where(page, 0, -1))["m"],
            "status": status.set(status < 0, None),
            "text": facts.take(pl.DataFrame({"t": pool}), np.where(searched, words, -1))["t"],
            "quantity": pl.Series(quantity).set(pl.Series(~searched), None),
        }
    )


def _signals(crowd: Crowd, rows: dict[str, Any], calls: Any) -> pl.DataFrame:
    act = rows["act"]
    some = np.flatnonzero(act == Act.SIGNALS)
    visit, person = rows["visit"][some], rows["person"][some]
    whose, slot = calls.person[visit], calls.slot[visit]
    model = np.maximum(crowd.people.model, 0)[whose, slot]
    devices = crowd.world.devices
    kind = devices.kind[model]
    renewed = devices.is_updated(model, crowd.people.device_number[whose, slot], calls.at[visit])
    drawn = draw_signals(
        crowd.rng,
        touch=np.asarray((kind == "phone") | (kind == "tablet")),
        pointer=crowd.people.pointer[person],
        form=rows["code"][some] == 1,
        pages=rows["count"][some].astype(np.float64),
        seconds=rows["value"][some],
        renewed=renewed & (devices.use[model] == APP),
    )
    table = {}
    for name, values in drawn.items():
        column = pl.Series(values)
        column = column.fill_nan(None) if values.dtype.kind == "f" else column
        table[f"signals.{name}"] = column.set(column == -1, None) if values.dtype.kind == "i" else column
    place = np.full(len(act), -1)
    place[some] = np.arange(len(some))
    return facts.take(pl.DataFrame(table), place)


def _segments(crowd: Crowd, person: Ints, label: Ints) -> pl.Series:
    from floorwalker.simulation.shop.honest.labels import LABELS

    names = pl.Series(list(LABELS))
    places = np.where(label >= 0, label, crowd.people.segment[person])
    return names.gather(places).alias("truth.segment")
