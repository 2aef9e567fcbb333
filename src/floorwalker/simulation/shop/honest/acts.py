"""What people do in the shop: small numbers for it, and the type of event and the page that each stands for."""

from __future__ import annotations

from enum import IntEnum


class Act(IntEnum):
    """One thing done. The first ones ask for a page."""

    HOME = 0
    CATEGORY = 1
    ITEM = 2
    CART_PAGE = 3
    CHECKOUT_PAGE = 4
    THANKS_PAGE = 5
    ACCOUNT_PAGE = 6
    ORDERS_PAGE = 7
    LOGIN_PAGE = 8
    OFFERS_PAGE = 9
    HELP_PAGE = 10
    STREAM_PAGE = 11
    SIGN_UP_PAGE = 12
    RETURN_PAGE = 13
    REVIEW_PAGE = 14
    SEARCH = 20
    SIGNALS = 21
    LOGIN = 22
    LOGIN_FAILED = 23
    CODE_SENT = 24
    CODE_CHECKED = 25
    PASSWORD_RESET = 26
    LOGOUT = 27
    SIGN_UP = 28
    ADDRESS_CHANGE = 29
    CONTACT_CHANGE = 30
    PAYMENT_ADDED = 31
    ADD = 32
    CLAIM = 33
    CHECKOUT = 34
    REDEEM = 35
    THREE_D_SECURE = 36
    AUTHORISED = 37
    DECLINED = 38
    ORDER = 39
    CAPTURED = 40
    VOIDED = 41
    SHIPPED = 42
    DELIVERED = 43
    CANCELLED = 44
    REFUND_REQUESTED = 45
    REFUND_ISSUED = 46
    RETURN = 47
    REVIEW = 48
    RATING = 49
    SUPPORT = 50
    TOP_UP = 51
    TRANSFER = 52
    WITHDRAWAL = 53
    INVITATION_SENT = 54
    INVITATION_ACCEPTED = 55
    GROUP_OPENED = 56
    GROUP_JOINED = 57
    STREAM = 58
    MESSAGE = 59
    CHALLENGE = 60
    LISTING = 61
    PAYOUT = 62
    DECOY = 63


LAST_PAGE = 14
"""Acts up to this one are page views."""

TYPES: dict[int, str] = {
    **{act: "page_view" for act in Act if act <= LAST_PAGE},
    Act.SEARCH: "search",
    Act.SIGNALS: "client_signals",
    Act.LOGIN: "login_succeeded",
    Act.LOGIN_FAILED: "login_failed",
    Act.CODE_SENT: "code_sent",
    Act.CODE_CHECKED: "code_checked",
    Act.PASSWORD_RESET: "password_reset",
    Act.LOGOUT: "logout",
    Act.SIGN_UP: "sign_up",
    Act.ADDRESS_CHANGE: "address_change",
    Act.CONTACT_CHANGE: "contact_change",
    Act.PAYMENT_ADDED: "payment_method_added",
    Act.ADD: "add_to_cart",
    Act.CLAIM: "coupon_claim",
    Act.CHECKOUT: "checkout",
    Act.REDEEM: "coupon_redeem",
    Act.THREE_D_SECURE: "three_d_secure",
    Act.AUTHORISED: "payment_authorised",
    Act.DECLINED: "payment_declined",
    Act.ORDER: "order",
    Act.CAPTURED: "payment_captured",
    Act.VOIDED: "payment_voided",
    Act.SHIPPED: "order_shipped",
    Act.DELIVERED: "order_delivered",
    Act.CANCELLED: "order_cancelled",
    Act.REFUND_REQUESTED: "refund_requested",
    Act.REFUND_ISSUED: "refund_issued",
    Act.RETURN: "return",
    Act.REVIEW: "review",
    Act.RATING: "rating",
    Act.SUPPORT: "support_contact",
    Act.TOP_UP: "top_up",
    Act.TRANSFER: "transfer",
    Act.WITHDRAWAL: "withdrawal",
    Act.INVITATION_SENT: "invitation_sent",
    Act.INVITATION_ACCEPTED: "invitation_accepted",
    Act.GROUP_OPENED: "group_buy_opened",
    Act.GROUP_JOINED: "group_buy_joined",
    Act.STREAM: "livestream",
    Act.MESSAGE: "message",
    Act.CHALLENGE: "challenge_result",
    Act.LISTING: "listing",
    Act.PAYOUT: "seller_payout",
    Act.DECOY: "decoy_touched",
}
"""Type of event of every act."""

PATHS: dict[int, str] = {
    Act.HOME: "/",
    Act.CATEGORY: "/category/",
    Act.ITEM: "/item/",
    Act.CART_PAGE: "/cart",
    Act.CHECKOUT_PAGE: "/checkout",
    Act.THANKS_PAGE: "/checkout/thanks",
    Act.ACCOUNT_PAGE: "/account",
    Act.ORDERS_PAGE: "/account/orders",
    Act.LOGIN_PAGE: "/login",
    Act.OFFERS_PAGE: "/offers",
    Act.HELP_PAGE: "/help",
    Act.STREAM_PAGE: "/live/",
    Act.SIGN_UP_PAGE: "/register",
    Act.RETURN_PAGE: "/account/returns",
    Act.REVIEW_PAGE: "/account/reviews/new",
    Act.SEARCH: "/search?q=",
    Act.SIGNALS: "/api/signals",
    Act.LOGIN: "/api/login",
    Act.LOGIN_FAILED: "/api/login",
    Act.CODE_SENT: "/api/code",
    Act.CODE_CHECKED: "/api/code/check",
    Act.PASSWORD_RESET: "/api/password",
    Act.LOGOUT: "/api/logout",
    Act.SIGN_UP: "/api/register",
    Act.ADDRESS_CHANGE: "/api/account/address",
    Act.CONTACT_CHANGE: "/api/account/contact",
    Act.PAYMENT_ADDED: "/api/account/cards",
    Act.ADD: "/api/cart/add",
    Act.CLAIM: "/api/coupons/claim",
    Act.CHECKOUT: "/api/checkout",
    Act.REDEEM: "/api/coupons/redeem",
    Act.DECLINED: "/api/pay",
    Act.ORDER: "/api/pay",
    Act.CANCELLED: "/api/orders/cancel",
    Act.REFUND_REQUESTED: "/api/orders/refund",
    Act.REVIEW: "/api/reviews",
    Act.RATING: "/api/ratings",
    Act.SUPPORT: "/api/support",
    Act.TOP_UP: "/api/balance/top-up",
    Act.TRANSFER: "/api/balance/transfer",
    Act.WITHDRAWAL: "/api/balance/spend",
    Act.INVITATION_SENT: "/api/invitations",
    Act.INVITATION_ACCEPTED: "/api/invitations/accept",
    Act.GROUP_OPENED: "/api/groups",
    Act.GROUP_JOINED: "/api/groups/join",
    Act.STREAM: "/api/live",
    Act.MESSAGE: "/api/messages",
    Act.CHALLENGE: "/api/challenge",
    Act.LISTING: "/api/seller/items",
    Act.DECOY: "/staff/export",
}
"""Path that the server sees, for the acts that come from a client; banks, parcels and payouts have none."""

TRAPS: tuple[str, ...] = ("/staff/export", "/old/sitemap-all.xml", "/offers/unlisted", "/item/0")
"""Paths that no page shows: only whoever reads what is hidden asks for them."""
