"""Many events at once: from JSON to the journal's bytes, and from these to columns, by kernels and without objects.

Everything here has a slower twin that says what is right: `floorwalker.events.decode` and
`floorwalker.events.identity` for what is taken in, `floorwalker.events.batch.make_batch` for columns. What a kernel
does not fully understand it hands to its twin; property tests hold both to equal bytes and equal numbers.
"""

from floorwalker.events.bulk._schema import RECORD_HEAD

__all__ = ["RECORD_HEAD"]
