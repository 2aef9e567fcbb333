"""Which events' texts are read; a module of its own, since processes that score nothing ask it, too."""

READ_TYPES: tuple[str, ...] = ("review", "listing", "message", "livestream")
"""Events whose texts are read; of the others, texts go to the shop and not to customers."""
