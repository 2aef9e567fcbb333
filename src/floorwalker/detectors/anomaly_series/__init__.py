"""Time series that leave their usual course: seasonal levels, change points, and alarms when an attack sets in.

Paper C's third way of identification; thresholds are rules, and clusters are in `anomaly`. See docs/behaviour.md.
"""

from floorwalker.detectors.anomaly_series.change import ChangePoint
from floorwalker.detectors.anomaly_series.level import SeasonalLevel

__all__ = ["ChangePoint", "SeasonalLevel"]
