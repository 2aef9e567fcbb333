"""From rows of numbers to events: every type gets the fields that it has, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest import facts
from floorwalker.simulation.shop.honest.acts import LAST_PAGE, PATHS, TYPES, Act
from floorwalker.simulation.shop.honest.calling import Calls, join
from floorwalker.simulation.shop.honest.crowd import Crowd, join_orders
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.fulfilment import CANCEL_REASONS, REASONS, SUPPORT_REASONS
from floorwalker.simulation.shop.honest.offers import BALANCES
from floorwalker.simulation.shop.honest.paying import DECLINE_CODES, RESULTS
from floorwalker.simulation.shop.honest.shelf import RATES, Shelf, in_currency
from floorwalker.simulation.shop.honest.signalling import draw_signals
from floorwalker.simulation.shop.honest.visiting import LOGIN_METHODS
from floorwalker.simulation.shop.honest.words import LANGUAGES, LETTERS, WORDS, letter_pool, search_pool
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.world.devices import APP

_CODE_REASONS = ("login", "login", "sign_up", "sign_up")
STREAM_REASONS = ("watch", "like", "like", "comment", "follow")
_COMMENT = STREAM_REASONS.index("comment")


def _when(act: Ints, *kinds: int) -> NDArray[np.bool_]:
    return np.isin(act, kinds)


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
    return _words(_amounts(frame, crowd, rows, shard), crowd, rows)


def _people_fields(crowd: Crowd, rows: dict[str, Any], persons: pl.DataFrame, ship: Ints) -> pl.DataFrame:
    act, person, order = rows["act"], rows["person"], rows["order"]
    by_phone = rows["code"] == 1
    coded = _when(act, Act.CODE_SENT, Act.CODE_CHECKED, Act.PASSWORD_RESET)
    guest_letter = _when(act, Act.SUPPORT) & crowd.people.guest[person]
    mail = _when(act, *_WHOLE, Act.SIGN_UP) | (coded & ~by_phone) | guest_letter | (act == Act.CONTACT_CHANGE)
    phone = _when(act, *_WHOLE, Act.SIGN_UP) | (coded & by_phone)
    billing = [name for name in persons.columns if name.startswith("billing_address.")]
    shipping = [name for name in persons.columns if name.startswith("shipping_address.")]
    virtual = np.append(np.concatenate([one.digital for one in crowd.orders]), False)[order]
    parcel = _when(act, *_WHOLE, Act.SHIPPED, Act.DELIVERED) & ~virtual
    to = np.where(parcel, np.append(ship, 0)[order], np.where(act == Act.ADDRESS_CHANGE, person, -1))
    guest = pl.Series("guest", crowd.people.guest[person] & _when(act, *_WHOLE))
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
    tongue = _tongues(crowd)[rows["person"]]
    words = tongue * WORDS + ((draw >> np.uint64(20)) % np.uint64(WORDS)).astype(np.int64)
    place = pages.places(act, rows["item"], draw, words)
    place = np.where(np.isin(act, list(PATHS)), place, -1)
    # The page before in the same visit.
    seen = np.flatnonzero((act <= LAST_PAGE) | (act == Act.SEARCH))
    by = seen[np.argsort(visit[seen], kind="stable")]
    before = np.full(len(act), -1)
    same = visit[by[1:]] == visit[by[:-1]]
    before[by[1:][same]] = place[by[:-1][same]]
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


def _tongues(crowd: Crowd) -> Ints:
    start = np.array([one[:2] for one in crowd.people.language])
    return np.select([start == "de", start == "zh"], [0, 2], 1)


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


def _amounts(frame: pl.DataFrame, crowd: Crowd, rows: dict[str, Any], shard: int) -> pl.DataFrame:
    """Amounts that are not an order's whole one: goods put into carts, parts given back, codes of banks."""
    act, shelf, people = rows["act"], crowd.shelf, crowd.people
    n = len(act)
    put = (act == Act.ADD) & (rows["order"] < 0)
    priced = put | _when(act, Act.GROUP_OPENED, Act.GROUP_JOINED)
    filled = _when(act, Act.TOP_UP, Act.TRANSFER, Act.WITHDRAWAL, Act.PAYOUT)
    offered = act == Act.LISTING
    balance = np.where(filled & (act != Act.PAYOUT), np.maximum(rows["code"], 0), -1)
    item = np.maximum(rows["item"], 0)
    rate = np.ones(n)
    currencies = np.array(people.currency, dtype=str)
    for currency, value in RATES.items():
        rate[(currencies == currency)[rows["person"]]] = value
    counted = put | offered | _when(act, Act.RETURN)
    price = in_currency(shelf.price[item], rate)
    listed = in_currency(shelf.list_price[item], rate)
    asked = np.maximum(99, np.round(price * np.where(offered, rows["value"], 1.0) / 10.0) * 10.0 - 1.0)
    listed = np.where(offered, asked, listed)
    back = _when(act, Act.REFUND_REQUESTED, Act.REFUND_ISSUED)
    share = np.where(back, np.nan_to_num(rows["value"], nan=1.0), 1.0)
    pieces = np.maximum(rows["count"], 1)
    frame = frame.with_columns(
        amount_minor=pl.when(pl.Series(priced))
        .then(pl.Series((price * np.where(put, pieces, 1)).astype(np.int64)))
        .when(pl.Series(filled))
        .then(pl.Series(np.where(filled, np.nan_to_num(rows["value"]) * rate, 0.0).astype(np.int64)))
        .otherwise((pl.col("amount_minor") * pl.Series(share)).round().cast(pl.Int64)),
        list_price_minor=pl.when(pl.Series((act == Act.ADD) | offered))
        .then(pl.Series(listed.astype(np.int64)))
        .otherwise("list_price_minor"),
        currency=pl.when(pl.Series(priced | filled | offered))
        .then(facts.text(people.currency).gather(rows["person"]))
        .otherwise("currency"),
        quantity=pl.when(pl.Series(counted)).then(pl.Series(pieces)).otherwise("quantity"),
    )
    claimed = act == Act.CLAIM
    offers = pl.DataFrame(
        {
            "c": pl.Series([[code] for code in crowd.offers.code], dtype=pl.List(pl.String)),
            "p": pl.Series(crowd.offers.promotion, dtype=pl.String),
        }
    )
    taken = facts.take(offers, np.where(claimed, rows["code"], -1))
    rated = _when(act, Act.REVIEW, Act.RATING)
    returned = rows["count"]
    three = _when(act, Act.THREE_D_SECURE)
    result = np.where(three, rows["code"], -1)
    eci = pl.DataFrame({"e": ["05", "05", "06", None, None, "07"], "s": [True, True, True, False, False, False]})
    money_back = _when(act, Act.CAPTURED, Act.VOIDED, Act.REFUND_ISSUED, Act.THREE_D_SECURE, Act.TOP_UP)
    accounts = facts.text(people.account).to_frame("a")
    invited = _when(act, Act.INVITATION_ACCEPTED, Act.GROUP_JOINED)
    inviting = next((one.id for one in crowd.world.promotions if one.kind == "invitation"), None)
    groups = names(crowd.world.chance, "group", np.maximum(rows["group"], 0) + (shard << 24))
    grouped = pl.Series(_when(act, Act.GROUP_OPENED, Act.GROUP_JOINED))
    cards = facts.table_of_cards(crowd.world, people).select("payment", "bin")
    paid = facts.take(cards, np.where(money_back, 3 * rows["person"] + np.maximum(rows["card"], 0), -1))
    return frame.with_columns(
        pl.coalesce("coupons", taken["c"]).alias("coupons"),
        pl.coalesce(
            "promotion",
            taken["p"],
            facts.take(
                pl.DataFrame({"p": [inviting]}, schema={"p": pl.String}),
                np.where(_when(act, Act.INVITATION_SENT, Act.INVITATION_ACCEPTED), 0, -1),
            )["p"],
        ).alias("promotion"),
        facts.take(accounts, np.where(invited, rows["other"], -1))["a"].alias("inviter"),
        facts.take(accounts, np.where(act == Act.TRANSFER, rows["other"], -1))["a"].alias("recipient"),
        facts.take(pl.DataFrame({"b": list(BALANCES)}), balance)["b"].alias("balance_kind"),
        pl.coalesce("group", pl.when(grouped).then(groups)).alias("group"),
        pl.coalesce("payment", paid["payment"]).alias("payment"),
        pl.coalesce("bin", paid["bin"].set(pl.Series(~three), None)).alias("bin"),
        pl.Series("rating", np.where(rated, rows["value"], np.nan)).fill_nan(None),
        pl.Series("returned", returned == 1).set(pl.Series(~(back & (returned >= 0))), None),
        facts.take(pl.DataFrame({"r": list(RESULTS)}), result)["r"].alias("three_d_secure.result"),
        pl.Series("three_d_secure.version", ["2.2.0"])
        .gather(np.where(three, 0, 0))
        .set(pl.Series(~three), None)
        .alias("three_d_secure.version"),
        facts.take(eci, result)["e"].alias("three_d_secure.eci"),
        facts.take(eci, result)["s"].alias("three_d_secure.liability_shift"),
        facts.take(pl.DataFrame({"r": list(DECLINE_CODES)}), np.where(act == Act.DECLINED, rows["code"], -1))[
            "r"
        ].alias("decline_code"),
    )


def _words(frame: pl.DataFrame, crowd: Crowd, rows: dict[str, Any]) -> pl.DataFrame:
    """Reasons, methods and texts."""
    act, code = rows["act"], rows["code"]
    lists = {
        Act.CANCELLED: CANCEL_REASONS, Act.REFUND_REQUESTED: REASONS, Act.REFUND_ISSUED: REASONS, Act.RETURN: REASONS,
        Act.SUPPORT: SUPPORT_REASONS, Act.STREAM: STREAM_REASONS, Act.LOGIN_FAILED: ("wrong_password",),
        Act.CODE_SENT: _CODE_REASONS, Act.CODE_CHECKED: _CODE_REASONS,
    }  # fmt: skip
    vocabulary = [word for words in lists.values() for word in words]
    place, start = np.full(len(act), -1), 0
    for kind, words in lists.items():
        some = act == kind
        place[some] = start + np.clip(code[some], 0, len(words) - 1)
        start += len(words)
    ways = [*LOGIN_METHODS, "email", "sms"]
    way = np.where(act == Act.LOGIN, np.clip(code, 0, 3), np.where(act == Act.LOGIN_FAILED, 0, -1))
    way = np.where(_when(act, Act.CODE_SENT, Act.CODE_CHECKED, Act.PASSWORD_RESET), 4 + (code & 1), way)
    written = _texts(crowd, rows)
    frame = frame.with_columns(
        facts.take(pl.DataFrame({"r": vocabulary}), place)["r"].alias("reason"),
        pl.coalesce("method", facts.take(pl.DataFrame({"m": ways}), way)["m"]).alias("method"),
        facts.take(pl.DataFrame({"r": ["passed"]}), np.where(_when(act, Act.CODE_CHECKED, Act.PASSWORD_RESET), 0, -1))[
            "r"
        ].alias("result"),
    )
    return frame.with_columns(pl.coalesce("text", written).alias("text"))


def _texts(crowd: Crowd, rows: dict[str, Any]) -> pl.Series:
    """What others read is written one by one, as adversaries write it; letters come out of the run's pool."""
    act = rows["act"]
    world = crowd.world
    tongues = _tongues(crowd)
    rng = crowd.rng
    commented = (act == Act.STREAM) & (rows["code"] == _COMMENT)
    some = np.flatnonzero(_when(act, Act.REVIEW, Act.LISTING, Act.MESSAGE) | commented)
    written = []
    for kind, item, stars, tongue in zip(
        act[some].tolist(),
        rows["item"][some].tolist(),
        rows["value"][some].tolist(),
        tongues[rows["person"][some]].tolist(),
        strict=True,
    ):
        language = LANGUAGES[tongue]
        if kind == Act.REVIEW:
            written.append(world.reviews(rng, item, stars, "honest", language))
        elif kind == Act.LISTING:
            written.append(world.listing_text(rng, item, "honest", language))
        else:
            style = "livestream" if kind == Act.STREAM else "question"
            written.append(world.message_text(rng, item, style, language))
    place = np.full(len(act), -1)
    place[some] = np.arange(len(some))
    pool = letter_pool(world)
    said = np.flatnonzero(act == Act.SUPPORT)
    place[said] = len(some) + tongues[rows["person"][said]] * LETTERS + rng.integers(LETTERS, size=len(said))
    return facts.take(pl.DataFrame({"t": pl.Series(written + pool, dtype=pl.String)}), place)["t"]


def _segments(crowd: Crowd, person: Ints, label: Ints) -> pl.Series:
    from floorwalker.simulation.shop.honest.labels import LABELS

    names = pl.Series(list(LABELS))
    places = np.where(label >= 0, label, crowd.people.segment[person])
    return names.gather(places).alias("truth.segment")


__all__ = ["Shelf", "make_frames"]
