"""Amounts of events that are not a whole order's, and what else banks, balances and groups say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest import facts
from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.crowd import Crowd
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.offers import BALANCES
from floorwalker.simulation.shop.honest.paying import DECLINE_CODES, RESULTS
from floorwalker.simulation.shop.honest.shelf import RATES, in_currency
from floorwalker.simulation.shop.naming import names


def is_one_of(act: Ints, *kinds: int) -> NDArray[np.bool_]:
    """bool [n], whether each act is one of some kinds."""
    return np.isin(act, kinds)


def add_amounts(frame: pl.DataFrame, crowd: Crowd, rows: dict[str, Any], shard: int) -> pl.DataFrame:
    """Amounts that are not an order's whole one: goods put into carts, parts given back, codes of banks."""
    act, shelf, people = rows["act"], crowd.shelf, crowd.people
    n = len(act)
    put = (act == Act.ADD) & (rows["order"] < 0)
    priced = put | is_one_of(act, Act.GROUP_OPENED, Act.GROUP_JOINED)
    filled = is_one_of(act, Act.TOP_UP, Act.TRANSFER, Act.WITHDRAWAL, Act.PAYOUT)
    offered = act == Act.LISTING
    balance = np.where(filled & (act != Act.PAYOUT), np.maximum(rows["code"], 0), -1)
    item = np.maximum(rows["item"], 0)
    rate = np.ones(n)
    currencies = np.array(people.currency, dtype=str)
    for currency, value in RATES.items():
        rate[(currencies == currency)[rows["person"]]] = value
    counted = put | offered | is_one_of(act, Act.RETURN)
    price = in_currency(shelf.price_at(item, rows["at"]), rate)
    listed = in_currency(shelf.list_price[item], rate)
    asked = np.maximum(99, np.round(price * np.where(offered, rows["value"], 1.0) / 10.0) * 10.0 - 1.0)
    listed = np.where(offered, asked, listed)
    back = is_one_of(act, Act.REFUND_REQUESTED, Act.REFUND_ISSUED)
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
    rated = is_one_of(act, Act.REVIEW, Act.RATING)
    returned = rows["count"]
    three = is_one_of(act, Act.THREE_D_SECURE)
    result = np.where(three, rows["code"], -1)
    eci = pl.DataFrame({"e": ["05", "05", "06", None, None, "07"], "s": [True, True, True, False, False, False]})
    money_back = is_one_of(act, Act.CAPTURED, Act.VOIDED, Act.REFUND_ISSUED, Act.THREE_D_SECURE, Act.TOP_UP)
    accounts = facts.text(people.account).to_frame("a")
    invited = is_one_of(act, Act.INVITATION_ACCEPTED, Act.GROUP_JOINED)
    inviting = next((one.id for one in crowd.world.promotions if one.kind == "invitation"), None)
    groups = names(crowd.world.chance, "group", np.maximum(rows["group"], 0) + (shard << 24))
    grouped = pl.Series(is_one_of(act, Act.GROUP_OPENED, Act.GROUP_JOINED))
    cards = facts.table_of_cards(crowd.world, people).select("payment", "bin")
    paid = facts.take(cards, np.where(money_back, 3 * rows["person"] + np.maximum(rows["card"], 0), -1))
    return frame.with_columns(
        pl.coalesce("coupons", taken["c"]).alias("coupons"),
        pl.coalesce(
            "promotion",
            taken["p"],
            facts.take(
                pl.DataFrame({"p": [inviting]}, schema={"p": pl.String}),
                np.where(is_one_of(act, Act.INVITATION_SENT, Act.INVITATION_ACCEPTED), 0, -1),
            )["p"],
        ).alias("promotion"),
        facts.take(accounts, np.where(invited, rows["other"], -1))["a"].alias("inviter"),
        facts.take(accounts, np.where(act == Act.TRANSFER, rows["other"], -1))["a"].alias("recipient"),
        facts.take(pl.DataFrame({"b": list(BALANCES)}), balance)["b"].alias("balance_kind"),
        pl.coalesce("group", pl.when(grouped).then(groups)).alias("group"),
        pl.coalesce("payment", paid["payment"]).alias("payment"),
        pl.coalesce("bin", paid["bin"].set(pl.Series(~(three | (act == Act.TOP_UP))), None)).alias("bin"),
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
