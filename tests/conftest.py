"""What all tests share."""

from hypothesis import settings

# The first call of a kernel compiles it, which no deadline could foresee.
settings.register_profile("floorwalker", deadline=None)
settings.load_profile("floorwalker")
