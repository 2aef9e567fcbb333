"""Visitors of a web site, from requests: the nine features of paper B and further groups."""

from floorwalker.features.visitors.definitions import FEATURES, GROUPS, NINE, Facts, Feature, select_features
from floorwalker.features.visitors.table import VisitorKey, VisitorTable

__all__ = ["FEATURES", "GROUPS", "NINE", "Facts", "Feature", "VisitorKey", "VisitorTable", "select_features"]
