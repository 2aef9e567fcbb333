"""What people write: reviews, listings, messages, search words, out of grammars that honest and abusive ones share."""

from floorwalker.simulation.shop.world.text.writer import Writer

__all__ = ["Writer"]
