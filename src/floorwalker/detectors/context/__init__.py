"""Context: how well those who take part in an event know each other, and whether what the event says fits together.

A borrowed account comes with a browser, a network or a language that it was never seen with; a crawler looks at every
page once; a machine's connection has a fingerprint that no customer has. None of it is learned: it is looked up.
"""

from floorwalker.detectors.context.live import LiveContext

__all__ = ["LiveContext"]
