"""The shop's world: goods, offers, days, customers, devices, cards, networks, and the words that people use."""

from floorwalker.simulation.shop.world.people import People
from floorwalker.simulation.shop.world.world import World

__all__ = ["People", "World"]
