"""The kinds of abuse that the engine judges, and the actions it may answer with.

>>> ABUSE_TYPES[3], ACTIONS[0], ACTIONS[-1]
('payment_fraud', 'allow', 'block')
"""

from __future__ import annotations

from types import MappingProxyType

ABUSE_TYPES: tuple[str, ...] = (
    "account_takeover",
    "fake_account",
    "promotion_abuse",
    "payment_fraud",
    "return_abuse",
    "content_abuse",
    "ranking_manipulation",
    "inventory_abuse",
    "scraping",
)
"""Kinds of abuse in the order in which their risks stand in every array."""

ABUSE_MEANINGS = MappingProxyType(
    {
        "account_takeover": "somebody else uses a customer's account: stuffed passwords, stolen sessions",
        "fake_account": "accounts opened in number or under invented identities, to be used or sold",
        "promotion_abuse": "coupons, invitations, group buys and new-customer prices taken more often than meant",
        "payment_fraud": "goods paid with stolen cards, card testing, stolen gift cards and balances",
        "return_abuse": "refunds without return, empty boxes, false claims of non-delivery, worn goods sent back",
        "content_abuse": "paid or copied reviews, spam, phishing and forbidden offers in listings and messages",
        "ranking_manipulation": "orders, clicks, views and ratings bought to lift a product, a seller or a stream",
        "inventory_abuse": "scarce goods held in carts or bought up by machines, for resale or to harm a seller",
        "scraping": "prices, stock, photographs and reviews copied by machines",
    }
)
"""What each kind means, in one line."""

ACTIONS: tuple[str, ...] = (
    "allow",
    "observe",
    "throttle",
    "challenge",
    "step_up",
    "limit",
    "review",
    "quarantine",
    "terminate_session",
    "freeze",
    "block",
)
"""Actions by rising friction for the person who meets them."""

ACTION_MEANINGS = MappingProxyType(
    {
        "allow": "let it pass",
        "observe": "let it pass and watch what follows",
        "throttle": "let it pass, more slowly",
        "challenge": "ask the client for a proof (work, a puzzle)",
        "step_up": "ask the person for a proof (a code, a passkey, the bank's own check)",
        "limit": "let less of it pass: no coupon, one piece, no withdrawal yet",
        "review": "a human decides before it takes effect",
        "quarantine": "take it, but show or ship it to nobody until it is cleared",
        "terminate_session": "end the session; the person logs in again",
        "freeze": "stop the account until its owner has proved who they are",
        "block": "refuse",
    }
)
"""What each action does, in one line."""
