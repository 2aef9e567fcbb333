"""A small shop's events: customers, and a few who prey on it; enough for a demonstration and for trying rules.

Everybody is scripted and nobody adapts: figures that are published do not come from here.
"""

from floorwalker.simulation.small_shop.shop import SmallShop, TracedEvent, generate_events

__all__ = ["SmallShop", "TracedEvent", "generate_events"]
