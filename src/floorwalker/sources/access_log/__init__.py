"""Access logs of web servers, load balancers and content delivery networks, as batches of requests."""

from __future__ import annotations

from floorwalker.sources.access_log._columns import RequestTables
from floorwalker.sources.access_log._files import STDIN, expand_paths
from floorwalker.sources.access_log._reader import AccessLog
from floorwalker.sources.access_log._recognition import DetectedFormat
from floorwalker.sources.access_log.formats import list_formats

__all__ = ["STDIN", "AccessLog", "DetectedFormat", "RequestTables", "expand_paths", "list_formats"]
