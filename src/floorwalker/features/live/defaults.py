"""The features that are computed unless a shop declares others: one table, by entity.

Each line reads: windows, stem of the name, entity or pair, what is made of which events, abuse it speaks to.
"""

from __future__ import annotations

from floorwalker.events.identity.hubs import DEGREE_RULES
from floorwalker.features.live.declarations import (
    Between,
    Count,
    Deviation,
    Distinct,
    Entropy,
    Expected,
    Feature,
    GapDeviation,
    GapMean,
    GapSpread,
    Hub,
    Max,
    Mean,
    New,
    OnlyRedeem,
    Rate,
    Ratio,
    Regression,
    SinceFirst,
    SinceLast,
    Sum,
    Surge,
    Travel,
    TreeDepth,
    UsualHour,
    What,
    one,
    over,
)

ATO, FAKE, PROMO, PAY = "account_takeover", "fake_account", "promotion_abuse", "payment_fraud"
RETURN, CONTENT, RANK, HOLD, SCRAPE = (
    "return_abuse", "content_abuse", "ranking_manipulation", "inventory_abuse", "scraping",
)  # fmt: skip

EVENTS = What("events")
VIEWS = What("page views", ("page_view", "search"))
BROKEN = What("page views answered with an error", ("page_view",), "status", at_least=400)
SEARCHES = What("searches", ("search",))
SIGN_UPS = What("sign-ups", ("sign_up",))
LOGINS = What("logins", ("login_succeeded",))
FAILED = What("failed logins", ("login_failed",))
ATTEMPTS = What("login attempts", ("login_succeeded", "login_failed"))
RESETS = What("password resets", ("password_reset",))
CHANGES = What("changes of address or contact", ("address_change", "contact_change"))
CODES = What("codes sent", ("code_sent",))
CARDS_ADDED = What("payment methods added", ("payment_method_added",))
CARTS = What("additions to a cart", ("add_to_cart",))
CLAIMS = What("coupon claims", ("coupon_claim",))
REDEMPTIONS = What("coupon redemptions", ("coupon_redeem",))
INVITATIONS = What("invitations accepted", ("sign_up", "invitation_accepted"))
CHECKOUTS = What("checkouts", ("checkout",))
ORDERS = What("orders", ("order",))
PURCHASES = What("purchases", ("order",))
DISCOUNTED = What("orders with a coupon", ("order",), "coupons", at_least=1)
AUTHORISED = What("authorised payments", ("payment_authorised",))
DECLINED = What("declined payments", ("payment_declined",))
PAYMENTS = What("payment attempts", ("payment_authorised", "payment_declined", "checkout", "payment_method_added"))
SETTLED = What("payment answers", ("payment_authorised", "payment_declined"))
REFUNDS = What("refunds", ("refund_issued",))
CLAIMED_BACK = What("refund requests", ("refund_requested",))
DISPUTES = What("chargebacks", ("dispute_chargeback",))
CANCELLED = What("cancelled orders", ("order_cancelled",))
MONEY_OUT = What("transfers and withdrawals", ("transfer", "withdrawal"))
MONEY_IN = What("top-ups", ("top_up",))
REVIEWS = What("reviews and ratings", ("review", "rating"))
PRAISE = What("reviews with the best rating", ("review", "rating"), "rating", at_least=0.99)
BLAME = What("reviews with the worst rating", ("review", "rating"), "rating", at_most=0.01)
MESSAGES = What("messages", ("message",))
DECOYS = What("decoys touched", ("decoy_touched",))
KNOWN_USE = What("logins and orders", ("login_succeeded", "order"))


def _hub(entity: str, what: What, exact: int = 12) -> Hub:
    """The rule of this kind of entity; `exact` as the feature has it that counts all its accounts."""
    rule = DEGREE_RULES[entity]
    return Hub(what, rule.window, rule.limit, rule.share, exact)


DEFAULT: tuple[Feature, ...] = (
    # Account: whose hands is it in, and what does it live on?
    *over("1m 1h 1d 30d", "account_events", "account", Count(EVENTS), SCRAPE, HOLD),
    *over("10m 1h 1d", "account_logins_failed", "account", Count(FAILED), ATO),
    *over("1d 30d", "account_devices", "account", Distinct(EVENTS, "device"), ATO),
    *over("1h 1d", "account_networks", "account", Distinct(EVENTS, "ip_network"), ATO),
    *over("30d", "account_countries", "account", Distinct(EVENTS, "country", exact=8), ATO),
    *over("1d 30d", "account_payments", "account", Distinct(PAYMENTS, "payment"), PAY),
    *over("30d", "account_delivery_points", "account", Distinct(ORDERS, "delivery_point"), PAY, RETURN),
    one("account_device_is_new", "account", New(KNOWN_USE, "device"), ATO, PAY),
    one("account_country_is_new", "account", New(KNOWN_USE, "country"), ATO, PAY),
    one("account_delivery_is_new", "account", New(ORDERS, "delivery_point"), ATO, PAY),
    one("account_travel_kmh", "account", Travel(EVENTS), ATO),
    one("account_usual_hour", "account", UsualHour(KNOWN_USE), ATO),
    one("account_age_seconds", "account", SinceFirst(SIGN_UPS), FAKE, PROMO),
    one("account_known_seconds", "account", SinceFirst(EVENTS), FAKE),
    one("account_idle_seconds", "account", SinceLast(EVENTS), ATO),
    one("account_since_reset_seconds", "account", SinceLast(RESETS), ATO),
    one("account_since_change_seconds", "account", SinceLast(CHANGES), ATO),
    one("account_login_gap_deviation", "account", GapDeviation(LOGINS), ATO),
    *over("1h 1d", "account_codes_sent", "account", Count(CODES), FAKE, ATO),
    *over("1h 30d", "account_claims", "account", Count(CLAIMS), PROMO),
    *over("1d 30d", "account_redemptions", "account", Count(REDEMPTIONS), PROMO),
    one("account_signup_to_claim_seconds", "account", Between(SIGN_UPS, CLAIMS), PROMO),
    one("account_claim_to_redeem_seconds", "account", Between(CLAIMS, REDEMPTIONS), PROMO),
    one("account_since_claim_seconds", "account", SinceLast(CLAIMS), PROMO),
    *over("365d", "account_coupon_share", "account", Ratio(DISCOUNTED, ORDERS), PROMO),
    one("account_tree_depth", "account", TreeDepth(EVENTS), PROMO, FAKE),
    *over("1d 30d 365d life", "account_orders", "account", Count(ORDERS), PAY, HOLD),
    *over("1d 30d 365d", "account_spent", "account", Sum(ORDERS, "amount_minor"), PAY),
    *over("365d", "account_order_mean", "account", Mean(ORDERS, "amount_minor"), PAY),
    *over("365d", "account_order_max", "account", Max(ORDERS, "amount_minor"), PAY),
    one("account_amount_deviation", "account", Deviation(PURCHASES, "amount_minor"), PAY, ATO),
    one("account_amount_regression", "account", Regression(PURCHASES), PAY, ATO),
    one("account_amount_expected", "account", Expected(PURCHASES), PAY),
    one("account_order_gap_deviation", "account", GapDeviation(ORDERS), PAY, ATO),
    *over("1h 1d", "account_declines", "account", Count(DECLINED), PAY),
    *over("90d 365d", "account_refund_ratio", "account", Ratio(REFUNDS, ORDERS, "amount_minor"), RETURN),
    *over("90d 365d", "account_refunds", "account", Count(REFUNDS), RETURN),
    *over("30d", "account_refund_requests", "account", Count(CLAIMED_BACK), RETURN),
    *over("365d", "account_chargebacks", "account", Count(DISPUTES), PAY),
    *over("1d", "account_money_out", "account", Sum(MONEY_OUT, "amount_minor"), ATO, PAY),
    *over("1d 30d", "account_reviews", "account", Count(REVIEWS), CONTENT, RANK),
    *over("30d", "account_rating_mean", "account", Mean(REVIEWS, "rating"), RANK),
    *over("1h", "account_messages", "account", Count(MESSAGES), CONTENT),
    *over("1h", "account_carts", "account", Count(CARTS), HOLD),
    *over("30d", "account_cart_order_ratio", "account", Ratio(CARTS, ORDERS), HOLD),
    *over("1h", "account_surge", "account", Surge(EVENTS, "30d"), ATO, SCRAPE),
    # Session: a person or a machine?
    *over("1m 10m 1h", "session_events", "session", Count(EVENTS), SCRAPE, HOLD),
    *over("1m", "session_view_rate", "session", Rate(VIEWS), SCRAPE),
    *over("1h", "session_items", "session", Distinct(VIEWS, "item"), SCRAPE),
    *over("1h", "session_accounts", "session", Distinct(EVENTS, "account", exact=4), ATO),
    *over("1h", "session_addresses", "session", Distinct(EVENTS, "ip", exact=4), ATO),
    one("session_gap_mean", "session", GapMean(VIEWS), SCRAPE),
    one("session_gap_spread", "session", GapSpread(VIEWS), SCRAPE),
    one("session_route_entropy", "session", Entropy(VIEWS, "route"), SCRAPE),
    one("session_type_entropy", "session", Entropy(EVENTS, "type"), SCRAPE, HOLD),
    one("session_age_seconds", "session", SinceFirst(EVENTS), SCRAPE, PAY),
    *over("1h", "session_errors", "session", Count(BROKEN), SCRAPE),
    *over("1h", "session_carts", "session", Count(CARTS), HOLD),
    # Device: how many people, cards and presents?
    *over("1h 1d 30d", "device_accounts", "device", Distinct(EVENTS, "account"), FAKE, PROMO, ATO, sharing=True),
    *over("1h 1d", "device_cards", "device", Distinct(PAYMENTS, "payment"), PAY, sharing=True),
    *over("10m 1d", "device_logins_failed", "device", Count(FAILED), ATO),
    *over("1d 30d", "device_sign_ups", "device", Count(SIGN_UPS), FAKE, sharing=True),
    *over("1h 1d", "device_declines", "device", Count(DECLINED), PAY),
    *over("30d", "device_claims", "device", Count(CLAIMS), PROMO, sharing=True),
    *over("1d 30d", "device_redemptions", "device", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("30d", "device_delivery_points", "device", Distinct(ORDERS, "delivery_point", exact=8), PROMO, PAY,
          sharing=True),
    *over("1d", "device_networks", "device", Distinct(EVENTS, "ip_network", exact=8), ATO),
    *over("1d", "device_reviews", "device", Count(REVIEWS), CONTENT, RANK, sharing=True),
    *over("1d", "device_events", "device", Count(EVENTS), SCRAPE),
    one("device_age_seconds", "device", SinceFirst(EVENTS), FAKE, PAY),
    one("device_is_hub", "device", _hub("device", EVENTS)),
    # Address and network: a household, a campus, or a battery of machines?
    *over("1m 1h 1d", "ip_events", "ip", Count(EVENTS), SCRAPE, ATO),
    *over("1h 1d", "ip_accounts", "ip", Distinct(EVENTS, "account"), ATO, FAKE, sharing=True),
    *over("1h", "ip_devices", "ip", Distinct(EVENTS, "device"), FAKE, sharing=True),
    *over("1m 1h 1d", "ip_logins_failed", "ip", Count(FAILED), ATO),
    *over("1h", "ip_accounts_failed", "ip", Distinct(FAILED, "account"), ATO),
    *over("1h", "ip_failed_ratio", "ip", Ratio(FAILED, ATTEMPTS), ATO),
    *over("1d", "ip_sign_ups", "ip", Count(SIGN_UPS), FAKE, sharing=True),
    *over("1d", "ip_redemptions", "ip", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("1h", "ip_declines", "ip", Count(DECLINED), PAY),
    *over("1h", "ip_cards", "ip", Distinct(PAYMENTS, "payment"), PAY, sharing=True),
    *over("1h", "ip_view_share", "ip", Ratio(VIEWS, EVENTS), SCRAPE),
    *over("1h", "ip_errors", "ip", Count(BROKEN), SCRAPE),
    one("ip_gap_spread", "ip", GapSpread(VIEWS), SCRAPE),
    one("ip_route_entropy", "ip", Entropy(VIEWS, "route"), SCRAPE),
    *over("1h", "ip_surge", "ip", Surge(EVENTS, "30d"), SCRAPE, ATO),
    one("ip_is_hub", "ip", _hub("ip", EVENTS)),
    *over("1h 1d", "network_accounts", "ip_network", Distinct(EVENTS, "account"), FAKE, ATO, sharing=True),
    *over("10m 1h", "network_logins_failed", "ip_network", Count(FAILED), ATO),
    *over("1h", "network_addresses", "ip_network", Distinct(EVENTS, "ip"), SCRAPE),
    *over("1d", "network_sign_ups", "ip_network", Count(SIGN_UPS), FAKE, sharing=True),
    *over("1d", "network_redemptions", "ip_network", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("1m 1h", "network_views", "ip_network", Count(VIEWS), SCRAPE),
    one("network_is_hub", "ip_network", _hub("ip_network", EVENTS)),
    # Payment and BIN: one owner, or a list that is being tried?
    *over("1d 30d", "payment_accounts", "payment", Distinct(PAYMENTS, "account", exact=8), PAY, PROMO, sharing=True),
    *over("1d", "payment_devices", "payment", Distinct(PAYMENTS, "device", exact=8), PAY, sharing=True),
    *over("1h 1d", "payment_declines", "payment", Count(DECLINED), PAY),
    *over("1d", "payment_spent", "payment", Sum(AUTHORISED, "amount_minor"), PAY),
    *over("365d", "payment_chargebacks", "payment", Count(DISPUTES), PAY),
    one("payment_age_seconds", "payment", SinceFirst(PAYMENTS), PAY),
    one("payment_is_hub", "payment", _hub("payment", PAYMENTS, exact=8)),
    *over("10m 1h", "bin_declines", "bin", Count(DECLINED), PAY),
    *over("1h 1d", "bin_decline_ratio", "bin", Ratio(DECLINED, SETTLED), PAY),
    *over("1h", "bin_cards", "bin", Distinct(PAYMENTS, "payment"), PAY),
    *over("1h", "bin_surge", "bin", Surge(PAYMENTS, "30d"), PAY),
    # Names that accounts share.
    *over("30d", "email_accounts", "email", Distinct(EVENTS, "account", exact=4), FAKE, PROMO, sharing=True),
    one("email_is_hub", "email", _hub("email", EVENTS, exact=4)),
    *over("1h 1d", "email_domain_sign_ups", "email_domain", Count(SIGN_UPS), FAKE),
    *over("1d", "email_domain_surge", "email_domain", Surge(SIGN_UPS, "30d"), FAKE),
    *over("30d", "phone_accounts", "phone", Distinct(EVENTS, "account", exact=4), FAKE, PROMO, sharing=True),
    *over("1d", "phone_codes_sent", "phone", Count(CODES), FAKE),
    one("phone_is_hub", "phone", _hub("phone", EVENTS, exact=4)),
    *over("1d 30d", "phone_prefix_sign_ups", "phone_prefix", Count(SIGN_UPS), FAKE),
    *over("1d 30d", "delivery_accounts", "delivery_point", Distinct(ORDERS, "account", exact=8), PROMO, PAY,
          sharing=True),
    *over("30d", "delivery_cards", "delivery_point", Distinct(ORDERS, "payment", exact=8), PAY, sharing=True),
    *over("30d", "delivery_redemptions", "delivery_point", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("365d", "delivery_refund_ratio", "delivery_point", Ratio(REFUNDS, ORDERS, "amount_minor"), RETURN,
          sharing=True),
    one("delivery_is_hub", "delivery_point", _hub("delivery_point", ORDERS, exact=8)),
    # Coupons, promotions, invitations: who takes how much?
    *over("10m 1d life", "coupon_redemptions", "coupon", Count(REDEMPTIONS), PROMO),
    *over("1d", "coupon_accounts", "coupon", Distinct(REDEMPTIONS, "account"), PROMO),
    *over("1d", "coupon_devices", "coupon", Distinct(REDEMPTIONS, "device"), PROMO),
    *over("10m 1d", "promotion_claims", "promotion", Count(CLAIMS), PROMO),
    *over("10m 1d", "promotion_redemptions", "promotion", Count(REDEMPTIONS), PROMO),
    *over("1d", "promotion_discount", "promotion", Sum(REDEMPTIONS, "discount_minor"), PROMO),
    *over("1h", "promotion_surge", "promotion", Surge(REDEMPTIONS, "30d"), PROMO),
    *over("1h 30d life", "inviter_invitees", "inviter", Count(INVITATIONS), PROMO, FAKE),
    *over("30d", "inviter_devices", "inviter", Distinct(EVENTS, "device"), PROMO, FAKE),
    *over("30d", "inviter_networks", "inviter", Distinct(EVENTS, "ip_network"), PROMO, FAKE),
    one("inviter_only_redeem_share", "inviter", OnlyRedeem(EVENTS), PROMO),
    # Items and sellers: wanted, held, praised, or pushed?
    *over("1h 1d", "item_views", "item", Count(VIEWS), SCRAPE, RANK),
    *over("1h 1d", "item_carts", "item", Count(CARTS), HOLD),
    *over("1d", "item_cart_order_ratio", "item", Ratio(CARTS, ORDERS), HOLD),
    *over("1h", "item_held_pieces", "item", Sum(CARTS, "quantity"), HOLD),
    *over("1h 1d 30d", "item_reviews", "item", Count(REVIEWS), RANK, CONTENT),
    *over("1d 30d", "item_rating_mean", "item", Mean(REVIEWS, "rating"), RANK),
    *over("7d", "item_praise_share", "item", Ratio(PRAISE, REVIEWS), RANK),
    *over("7d", "item_blame_share", "item", Ratio(BLAME, REVIEWS), RANK),
    *over("1d", "item_review_surge", "item", Surge(REVIEWS, "30d"), RANK),
    *over("1d 30d", "seller_orders", "seller", Count(ORDERS), RANK),
    *over("1d", "seller_buyers", "seller", Distinct(ORDERS, "account"), RANK),
    *over("90d", "seller_refund_ratio", "seller", Ratio(REFUNDS, ORDERS, "amount_minor"), RETURN),
    *over("1d 30d", "seller_reviews", "seller", Count(REVIEWS), RANK),
    # Pairs: once is an offer, twice is a method.
    one("account_device_known_seconds", "account*device", SinceFirst(KNOWN_USE), ATO),
    *over("30d", "account_device_orders", "account*device", Count(ORDERS), ATO, PAY),
    *over("30d", "account_payment_orders", "account*payment", Count(ORDERS), PAY),
    one("account_payment_known_seconds", "account*payment", SinceFirst(PAYMENTS), PAY),
    *over("30d", "account_item_reviews", "account*item", Count(REVIEWS), RANK),
    *over("30d", "account_seller_orders", "account*seller", Count(ORDERS), RANK),
    *over("life", "coupon_device_redemptions", "device*coupon", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("life", "promotion_device_redemptions", "device*promotion", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("life", "promotion_payment_redemptions", "payment*promotion", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("life", "promotion_phone_redemptions", "phone*promotion", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("life", "promotion_delivery_redemptions", "delivery_point*promotion", Count(REDEMPTIONS), PROMO,
          sharing=True),
    *over("1d life", "promotion_network_redemptions", "ip_network*promotion", Count(REDEMPTIONS), PROMO, sharing=True),
    *over("life", "promotion_inviter_redemptions", "promotion*inviter", Count(REDEMPTIONS), PROMO),
    *over("1d", "device_promotion_accounts", "device*promotion", Distinct(REDEMPTIONS, "account", exact=4), PROMO,
          sharing=True),
)  # fmt: skip
"""The default set."""
