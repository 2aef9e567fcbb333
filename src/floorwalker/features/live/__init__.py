"""Live features: events and live state in, named numbers as of event time out."""

from floorwalker.features.live._codes import route_codes_of
from floorwalker.features.live.batch import FeatureBatch
from floorwalker.features.live.defaults import DEFAULT
from floorwalker.features.live.engine import LiveFeatures
from floorwalker.features.live.limits import Limits

__all__ = ["DEFAULT", "FeatureBatch", "Limits", "LiveFeatures", "route_codes_of"]
