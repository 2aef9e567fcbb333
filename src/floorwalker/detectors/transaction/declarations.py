"""The live features that a payment is judged by beside the default ones: an account's own normal, and what came back
from a seller, in counts, sums and times."""

from __future__ import annotations

from floorwalker.features.live.declarations import (
    Count,
    Deviation,
    Distinct,
    Expected,
    Feature,
    GapDeviation,
    GapMean,
    GapSpread,
    Max,
    Mean,
    Ratio,
    Regression,
    SinceFirst,
    SinceLast,
    Sum,
    Surge,
    UsualHour,
    What,
    one,
    over,
)

PAY = "payment_fraud"
ORDERS = What("orders", ("order",))
DISPUTES = What("chargebacks", ("dispute_chargeback",))

PAYMENTS: tuple[Feature, ...] = (
    # The account: is this its own way of buying?
    *over("1h 1d 7d 30d 90d", "buyer_orders", "account", Count(ORDERS), PAY),
    *over("1d 7d 30d", "buyer_spent", "account", Sum(ORDERS, "amount_minor"), PAY),
    *over("1d 7d 30d 90d", "buyer_order_mean", "account", Mean(ORDERS, "amount_minor"), PAY),
    *over("1d 7d 30d 90d", "buyer_order_max", "account", Max(ORDERS, "amount_minor"), PAY),
    *over("1d 7d", "buyer_surge", "account", Surge(ORDERS, "30d"), PAY),
    *over("7d 30d", "buyer_sellers", "account", Distinct(ORDERS, "seller"), PAY),
    *over("7d 30d 90d", "buyer_chargebacks", "account", Count(DISPUTES), PAY),
    *over("30d 90d", "buyer_chargeback_ratio", "account", Ratio(DISPUTES, ORDERS), PAY),
    one("buyer_since_chargeback_seconds", "account", SinceLast(DISPUTES), PAY),
    one("buyer_since_order_seconds", "account", SinceLast(ORDERS), PAY),
    one("buyer_gap_mean", "account", GapMean(ORDERS), PAY),
    one("buyer_gap_deviation", "account", GapDeviation(ORDERS), PAY),
    one("buyer_usual_hour", "account", UsualHour(ORDERS), PAY),
    one("buyer_amount_deviation", "account", Deviation(ORDERS, "amount_minor"), PAY),
    one("buyer_amount_regression", "account", Regression(ORDERS), PAY),
    one("buyer_amount_expected", "account", Expected(ORDERS), PAY),
    # The seller or terminal: what came back from it, of how much, how lately?
    *over("1d 7d 30d 90d", "shop_orders", "seller", Count(ORDERS), PAY),
    *over("1d 7d 30d", "shop_order_mean", "seller", Mean(ORDERS, "amount_minor"), PAY),
    *over("7d 30d", "shop_order_max", "seller", Max(ORDERS, "amount_minor"), PAY),
    *over("1d 7d", "shop_surge", "seller", Surge(ORDERS, "30d"), PAY),
    *over("7d 30d", "shop_buyers", "seller", Distinct(ORDERS, "account"), PAY),
    *over("1d 7d 30d 90d", "shop_chargebacks", "seller", Count(DISPUTES), PAY),
    *over("1d 7d 30d 90d", "shop_chargeback_ratio", "seller", Ratio(DISPUTES, ORDERS), PAY),
    *over("7d 30d", "shop_chargeback_mean", "seller", Mean(DISPUTES, "amount_minor"), PAY),
    *over("7d 30d", "shop_chargeback_max", "seller", Max(DISPUTES, "amount_minor"), PAY),
    *over("7d 30d", "shop_chargeback_accounts", "seller", Distinct(DISPUTES, "account"), PAY),
    one("shop_since_chargeback_seconds", "seller", SinceLast(DISPUTES), PAY),
    one("shop_known_chargeback_seconds", "seller", SinceFirst(DISPUTES), PAY),
    one("shop_chargeback_gap_mean", "seller", GapMean(DISPUTES), PAY),
    one("shop_chargeback_gap_spread", "seller", GapSpread(DISPUTES), PAY),
    one("shop_since_order_seconds", "seller", SinceLast(ORDERS), PAY),
    one("shop_gap_mean", "seller", GapMean(ORDERS), PAY),
    one("shop_amount_deviation", "seller", Deviation(ORDERS, "amount_minor"), PAY),
    # The two together.
    *over("30d life", "buyer_shop_orders", "account*seller", Count(ORDERS), PAY),
    one("buyer_shop_known_seconds", "account*seller", SinceFirst(ORDERS), PAY),
    one("buyer_shop_since_seconds", "account*seller", SinceLast(ORDERS), PAY),
)  # fmt: skip
"""By account, seller and both; give `LiveFeatures((*DEFAULT, *PAYMENTS), …)` to have them live."""
