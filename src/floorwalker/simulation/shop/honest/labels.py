"""What `truth.segment` can say of honest events: the customers' segments, and the scenes."""

from __future__ import annotations

from floorwalker.simulation.shop.world.segments import NAMES

SCENES: tuple[str, ...] = (
    "trade_customer",
    "payment_outage",
    "flash_sale_crowd",
    "leaked_coupon",
    "support_staff",
    "test_order",
    "verified_crawler",
    "price_comparison",
    "seller",
    "livestream_viewer",
    "honest_dispute",
    "app_release",
    "community_leader",
    "forgotten_password",
    "gift_giving",
    "phone_changed_hands",
    "recycled_number",
    "three_d_secure_trouble",
    "price_error_crowd",
)
LABELS: tuple[str, ...] = (*NAMES, *SCENES)


def label_of(name: str) -> int:
    """The place of a label.

    >>> LABELS[label_of("test_order")]
    'test_order'
    """
    return LABELS.index(name)
